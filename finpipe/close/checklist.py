"""What must hold before periods are closed: one line each, with its number, for all periods of an act together.

Belongs here: the questions, asked of the working database.  Does not belong here: what is done about an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from finpipe.close.periods import LOCKED, Period
from finpipe.policy import Policy
from finpipe.warehouse import STILL_REFUSED, literal

#: Reconciliations whose findings keep a period open whoever owns them: they need no judgement.
BLOCKING = ("R05", "R07", "R08", "R09", "R10", "R11", "R13", "R16")
#: Subledgers against the ledger.
TIED = ("R11", "R12")
#: Entities whose records have no stamp of modification, and what dates them.
_DATED = {"bank_transactions": "booked_on"}
#: Most sentences of one line that are shown.
_SHOWN = 5


@dataclass(frozen=True)
class Line:
    """One line of the checklist: whether it holds, the number that decides, and what is open."""

    name: str
    holds: bool
    number: int
    said: str
    open: tuple[str, ...] = ()


def checklist(
    connection: duckdb.DuckDBPyConnection,
    asked: Sequence[Period],
    known: Sequence[Period],
    policy: Policy,
    silence: Mapping[str, int | None],
    aside: Mapping[str, str],
    publication: Line,
) -> list[Line]:
    """Every line; ``silence`` says by system how many days before a period's end its newest record may be.

    ``aside`` holds the systems that are set aside, with the reason: nothing new of theirs is in the figures.
    """
    _ask(connection, asked)
    return [
        _calendar(asked),
        _order(asked, known),
        publication,
        _landed(connection, asked, silence, aside),
        _files(connection),
        _reconciled(connection, "reconciliations are green", BLOCKING),
        _reconciled(connection, "subledgers tie to the ledger", TIED),
        _balanced(connection),
        _exceptions(connection, policy),
        _signed_figures(connection),
    ]


def _ask(connection: duckdb.DuckDBPyConnection, asked: Sequence[Period]) -> None:
    rows = ", ".join(
        f"({literal(p.legal_entity_id)}, {literal(p.period)}, date {literal(p.starts_on)}, date {literal(p.ends_on)})"
        for p in asked
    )
    connection.execute(
        "create or replace temp table to_close as "
        f"select * from (values {rows}) as given (legal_entity_id, period, starts_on, ends_on)"
    )


def _line(name: str, said: str, wrong: Sequence[str]) -> Line:
    more = [f"and {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else []
    return Line(name, not wrong, len(wrong), said, (*wrong[:_SHOWN], *more))


def _calendar(asked: Sequence[Period]) -> Line:
    wrong = [
        f"{p.legal_entity_id}: {p.period} to {p.ends_on} leaves a gap or overlaps its neighbour"
        for p in asked
        if not p.is_whole
    ]
    return _line("the calendar is whole", "periods with a gap or an overlap", wrong)


def _order(asked: Sequence[Period], known: Sequence[Period]) -> Line:
    """The first close of an entity may be of any period: what lies before becomes its opening."""
    wrong = []
    together = {p.subject for p in asked}
    for entity in dict.fromkeys(p.legal_entity_id for p in asked):
        own = [p for p in known if p.legal_entity_id == entity]
        signed = [p.ends_on for p in own if p.state in LOCKED]
        mine = [p.ends_on for p in asked if p.legal_entity_id == entity]
        start = min(signed) if signed else min(mine)
        wrong += [
            f"{entity}: {p.period} is {p.state}"
            for p in own
            if start <= p.ends_on < max(mine) and p.state not in LOCKED and p.subject not in together
        ]
        wrong += [f"{entity}: {p.period} was closed before" for p in own if signed and p.ends_on == start > min(mine)]
    return _line("earlier periods are closed", "earlier periods still open", wrong)


def _landed(
    connection: duckdb.DuckDBPyConnection,
    asked: Sequence[Period],
    silence: Mapping[str, int | None],
    aside: Mapping[str, str],
) -> Line:
    """Each system landed a file after the end, and where it may not be silent for long its newest record is near it."""
    until = max(p.ends_on for p in asked)
    landed: dict[str, date] = dict(
        connection.execute(
            "select system, max(received_at)::date from ledger.loads where verdict = 'loaded' group by 1"
        ).fetchall()
    )
    newest = _newest(connection)
    wrong = [f"{system} is set aside: {why}" for system, why in sorted(aside.items())]
    for system, days in sorted(silence.items()):
        if (last := landed.get(system)) is None or last <= until:
            wrong.append(f"{system}: last landed on {last or 'no day'}, the period ends on {until}")
        found = newest.get(system)
        if days is not None and (found is None or found < until - timedelta(days=days)):
            wrong.append(f"{system}: newest record of {found or 'no day'}, the period ends on {until}")
    return _line(
        "every system has landed past the end",
        f"of {len(silence.keys() | aside.keys())} systems are not complete",
        wrong,
    )


def _newest(connection: duckdb.DuckDBPyConnection) -> dict[str, date]:
    """Day of the newest record by system, as the source dates it; statement lines are never modified, only booked."""
    tables = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database() and schema_name = 'canonical'"
    ).fetchall()
    words = " union all ".join(
        f"select system, max({_DATED.get(name, 'valid_from')})::date as newest_on from canonical.{name} group by 1"
        for (name,) in tables
    )
    return dict(connection.execute(f"select system, max(newest_on) from ({words}) group by 1").fetchall())


def _files(connection: duckdb.DuckDBPyConnection) -> Line:
    """Files nobody could read, unless somebody has accepted that."""
    found = connection.execute(
        f"select system || ': ' || original_name || ' ' || coalesce(reason, '') from ({STILL_REFUSED}) as refused "
        "where not exists (select 1 from marts.exceptions as e where e.origin = 'load' "
        "and e.left_key = refused.system || '/' || refused.original_name "
        "and e.state in ('waived', 'approved')) order by 1"
    ).fetchall()
    return _line("every file was read", "files refused and not made good", [str(row[0]) for row in found])


def _reconciled(connection: duckdb.DuckDBPyConnection, name: str, which: Sequence[str]) -> Line:
    found = connection.execute(
        "select distinct r.reconciliation_id || ' ' || r.leg || ' ' || coalesce(r.legal_entity_id, '') || ' ' "
        "|| coalesce(r.period, 'any period') || ': ' || r.unexplained_amount || ' ' || coalesce(r.currency, '') "
        "|| ' unexplained, ' || r.blocking_count || ' blocking' "
        "from marts.reconciliations as r inner join to_close as a on "
        "coalesce(r.legal_entity_id, 'all') in (a.legal_entity_id, 'all', 'unassigned') "
        "and (r.period = a.period or r.latest_on between a.starts_on and a.ends_on) "
        f"where r.status = 'red' and r.reconciliation_id in ({', '.join(map(literal, which))}) order by 1"
    ).fetchall()
    return _line(name, f"of {', '.join(which)} red in the period", [str(row[0]) for row in found])


def _balanced(connection: duckdb.DuckDBPyConnection) -> Line:
    found = connection.execute(
        "select t.legal_entity_id || ' ' || t.period || ' book ' || t.book || ': ' "
        "|| sum(t.debit_amount - t.credit_amount) || ' ' || t.currency "
        "from marts.trial_balance as t inner join to_close as a "
        "on t.legal_entity_id = a.legal_entity_id and t.period_ends_on between a.starts_on and a.ends_on "
        "group by t.legal_entity_id, t.period, t.book, t.currency "
        "having sum(t.debit_amount - t.credit_amount) <> 0 order by 1"
    ).fetchall()
    return _line("journals balance", "books that do not sum to zero", [str(row[0]) for row in found])


_OPEN = """
select distinct e.exception_id, e.code, e.severity, e.currency, e.amount, e.sentence, e.owner
from marts.exceptions as e inner join to_close as a
    on coalesce(e.legal_entity_id, 'all') in (a.legal_entity_id, 'all', 'unassigned')
    and (e.period = a.period or e.happened_on between a.starts_on and a.ends_on
        or (e.period is null and e.happened_on is null and e.severity = 'blocking'))
where e.state not in ('waived', 'approved') and e.severity in ('blocking', 'material') order by all"""


def _exceptions(connection: duckdb.DuckDBPyConnection, policy: Policy) -> Line:
    """Blocking ones stay open for none; material ones up to the policy's sum in each currency."""
    rows = connection.execute(_OPEN).fetchall()
    sums: dict[str, Any] = {}
    for _, _, severity, currency, amount, *_rest in rows:
        if severity == "material":
            sums[currency or "other"] = sums.get(currency or "other", 0) + abs(amount or 0)
    beyond = {c for c, total in sums.items() if total > policy.close_up_to.get(c, policy.close_up_to["other"])}
    wrong = [
        f"{exception_id[:8]} {code} {severity}, {owner}: {sentence}"
        for exception_id, code, severity, currency, _, sentence, owner in rows
        if severity == "blocking" or (currency or "other") in beyond
    ]
    return _line("exceptions are settled", "exceptions of the period open, neither waived nor approved", wrong)


def _signed_figures(connection: duckdb.DuckDBPyConnection) -> Line:
    """What moved in periods that were closed before is accepted by somebody; this close then takes it in."""
    found = connection.execute(
        "select left(exception_id, 8) || ' ' || coalesce(period, '') || ': ' || sentence from marts.exceptions "
        "where origin = 'R17' and state not in ('waived', 'approved') "
        "and legal_entity_id in (select legal_entity_id from to_close) order by 1"
    ).fetchall()
    return _line(
        "earlier sign-offs hold", "signed figures moved, not waived or approved", [str(row[0]) for row in found]
    )
