"""The figures of a close: what each document moved, what stood before, and the balances at the end.

Belongs here: asking the working database for them, as ``int_figures__itemised`` defines them.
Does not belong here: any figure of its own.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from finpipe.close.periods import Period
from finpipe.warehouse import literal

#: What the lock of receivables stores, and what the lock of everything stores.
MEASURES = {"ar": ("ar",), "all": ("ar", "deferred", "ledger")}

_ASKED = """
create or replace temp table asked as
select *, min(ends_on) over (partition by legal_entity_id) as first_on
from (values {rows}) as given (legal_entity_id, ends_on)"""
# A document may name a period of another calendar: the entity's own that its last day lies in is meant.
_PLACED = """
create or replace temp table placed as
select f.measure, f.legal_entity_id, d.period_ends_on as ends_on, f.part, f.document_id, f.label, f.currency,
    f.amount, f.functional_currency, f.functional_amount
from intermediate.int_figures__itemised as f
inner join (select distinct legal_entity_id, calendar from intermediate.int_periods__listed
    where legal_entity_id in (select legal_entity_id from asked)) as e on f.legal_entity_id = e.legal_entity_id
inner join intermediate.int_calendar_dates__placed as d on e.calendar = d.calendar and f.period_ends_on = d.date_on
where f.measure in ({measures})"""
_SUMS = "sum(p.amount)::decimal(18, 4) as amount, p.functional_currency, sum(p.functional_amount)::decimal(18, 4)"
_FIGURES = f"""
select p.legal_entity_id, p.ends_on, p.measure, 'item' as kind, null::date as origin_ends_on, p.part, p.document_id,
    min(p.label) as label, p.currency, {_SUMS} as functional_amount
from placed as p inner join asked as a on p.legal_entity_id = a.legal_entity_id and p.ends_on = a.ends_on
group by all
union all
select p.legal_entity_id, a.ends_on, p.measure, 'opening', null,
    case when p.measure = 'ledger' then p.part else 'opening' end, null, null, p.currency, {_SUMS}
from placed as p inner join asked as a on p.legal_entity_id = a.legal_entity_id and a.ends_on = a.first_on
where p.ends_on < a.ends_on and not exists (
    select 1 from intermediate.int_closes__signed as s
    where s.is_in_force and s.next_close_id is null and s.legal_entity_id = p.legal_entity_id and s.measure = p.measure)
group by all
union all
select c.legal_entity_id, a.ends_on, c.measure, 'adjustment', c.period_ends_on, c.part, c.document_id, c.label,
    c.currency, c.moved_amount, c.functional_currency,
    case when c.functional_currency is not null then c.functional_moved_amount end
from intermediate.int_figures__compared as c
inner join asked as a on c.legal_entity_id = a.legal_entity_id and a.ends_on = a.first_on
where c.is_in_force and (c.moved_amount <> 0 or c.functional_moved_amount <> 0) and c.measure in ({{measures}})
union all
select p.legal_entity_id, a.ends_on, p.measure, 'closing', null,
    case when p.measure = 'ledger' then p.part else 'closing' end, null, null, p.currency, {_SUMS}
from placed as p inner join asked as a on p.legal_entity_id = a.legal_entity_id and p.ends_on <= a.ends_on
group by all
order by all"""


def figures_of(
    connection: duckdb.DuckDBPyConnection, asked: Sequence[Period], measures: Iterable[str]
) -> list[dict[str, Any]]:
    """Figures of periods to be closed together, without the id of the close, in a total order."""
    listed = ", ".join(literal(m) for m in measures)
    rows = ", ".join(f"({literal(p.legal_entity_id)}, date {literal(p.ends_on)})" for p in asked)
    connection.execute(_ASKED.format(rows=rows))
    connection.execute(_PLACED.format(measures=listed))
    found = connection.execute(_FIGURES.format(measures=listed))
    names = [c[0] for c in found.description or ()]
    rows_ = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [{"period_ends_on": row.pop("ends_on"), **row} for row in rows_]


def digests(figures: Iterable[dict[str, Any]]) -> dict[str, str]:
    """By measure, one short text that is equal for equal figures."""
    totals: dict[str, Any] = {}
    for row in figures:
        line = json.dumps([_plain(v) for v in row.values()], ensure_ascii=False)
        totals.setdefault(row["measure"], hashlib.sha256()).update(line.encode())
    return {measure: total.hexdigest()[:32] for measure, total in sorted(totals.items())}


def identified(figures: Iterable[dict[str, Any]], close_id: str) -> list[dict[str, Any]]:
    """The same, as they are landed: each with the id of the close and one of its own."""
    named = []
    for row in figures:
        place = (row["legal_entity_id"], row["period_ends_on"], row["measure"], row["kind"], row["origin_ends_on"])
        what = (row["part"], row["document_id"], row["currency"], row["functional_currency"])
        own = hashlib.md5("|".join(str(v) for v in (close_id, *place, *what)).encode(), usedforsecurity=False)
        named.append({"id": own.hexdigest(), "close_id": close_id, **row})
    return named


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)
