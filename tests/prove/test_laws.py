"""Laws that hold for every input: properties of money, allocation, calendars and matching, and a stateful model.

Belongs here: examples made by hypothesis, and plain-Python models of what must come out.  Does not belong here: stories
with names.  Examples are derandomized: the same code sees the same ones everywhere.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import jinja2
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from finpipe.conform.matching import Pair, Record, match
from finpipe.conform.matching.groups import Joined
from finpipe.contracts import entities, own_columns
from finpipe.contracts.parse import parse
from finpipe.reference.calendars import MONTHS, WEEKS, calendars
from finpipe.settings import PROJECT
from tests.prove.life import life_of
from tests.prove.verdicts import Proof

AMOUNT = "total_amount"
INVOICES = entities()["invoices"]
DIGITS = {"half_away": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}


def every(proof: Proof, examples: int, *, steps: int = 50) -> settings:
    """The settings of one law: so many examples, always the same."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        # Making a failing life small takes minutes: that is for whoever looks into it.
        phases=tuple(Phase) if proof.is_full else (Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def held(proof: Proof, name: str, law: Callable[..., None]) -> None:
    """Try one law over all its examples; what hypothesis found against it is a deviation with its smallest case."""
    before = proof.trials
    try:
        law()
    except AssertionError as broken:
        proof.deviated(f"{name}: {str(broken)[:600]}")
    proof.figures[name] = proof.trials - before


@pytest.mark.prove_laws
def test_every_law_holds_for_every_example(proof: Proof, tmp_path: Path) -> None:
    for name, law, examples in (
        ("the grammar of amounts", _amounts_are_read_by_one_grammar, 1_000 if proof.is_full else 40),
        ("rounding and conversion", _amounts_are_rounded_and_converted, 300 if proof.is_full else 12),
        ("allocation", _parts_sum_to_the_whole, 300 if proof.is_full else 12),
        ("calendars", _every_date_lies_in_one_period, 1_500 if proof.is_full else 30),
        ("matching", _matching_knows_no_order, 1_500 if proof.is_full else 40),
    ):
        held(proof, name, lambda law=law, examples=examples: law(proof, every(proof, examples)))  # type: ignore[misc]
    # Many short lives, each in a home of its own: landing, loading, conforming, crashing, rebuilding, signing.
    lives, steps = proof.size(slice=4, full=40), 12 if proof.is_full else 8
    machine = life_of(tmp_path, proof)
    held(
        proof,
        "steps of whole lives",
        lambda: run_state_machine_as_test(machine, settings=every(proof, lives, steps=steps)),
    )
    proof.conclude()


# ── money ────────────────────────────────────────────────────────────────────────────────────────────────────────

PLAIN = re.compile(r"-?(?:([0-9]+)\.?([0-9]*)|\.([0-9]+))", re.ASCII)
texts = st.lists(
    st.text(alphabet="0123456789.-+eE, ١１$\n", max_size=22)
    | st.decimals(-(10**15), 10**15, places=5, allow_nan=False).map(lambda d: f"{d:f}")
    | st.from_regex(PLAIN, fullmatch=True),
    min_size=20,
    max_size=60,
)


def _amount_of(text: str) -> Decimal | None:
    """An amount as the contract words it: ASCII digits, one point, no more than four decimals that say anything."""
    if not (found := PLAIN.fullmatch(text)):
        return None
    whole, part = (found[1] or "").lstrip("0"), (found[2] or found[3] or "").rstrip("0")
    return Decimal(text) if len(whole) <= 14 and len(part) <= 4 else None


def _amounts_are_read_by_one_grammar(proof: Proof, how: settings) -> None:
    @how
    @given(texts)
    def law(said: list[str]) -> None:
        proof.trials += len(said)
        frame = pl.DataFrame(
            {c.name: said if c.name == AMOUNT else [None] * len(said) for c in own_columns(INVOICES)},
            schema={c.name: pl.String for c in own_columns(INVOICES)},
        )
        parsed = parse(frame, INVOICES)
        found = parsed.frame.get_column(AMOUNT).to_list()
        assert dict(zip(said, found, strict=True)) == {text: _amount_of(text) for text in said}

    law()


def _macros() -> Any:
    """The macros that every product and quotient of amounts goes through, without dbt."""
    text = (PROJECT / "dbt_project" / "macros" / "money.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals.update(var=lambda _, default: default, execute=False)
    environment.globals["return"] = lambda value: value
    return environment.from_string(text).module


money = st.decimals(-(10**9), 10**9, places=4, allow_nan=False)
units = st.sampled_from([0, 2, 3, 4])
rows = st.lists(
    st.tuples(money, money, units, st.decimals(0, 10**5, places=12, allow_nan=False)), min_size=5, max_size=40
)


def _table(connection: duckdb.DuckDBPyConnection, values: list[tuple[Any, ...]], types: tuple[str, ...]) -> None:
    columns = ", ".join(f"c{n} {kind}" for n, kind in enumerate(types))
    connection.execute(f"create or replace temp table given (place bigint, {columns})")
    marks = ", ".join("?" * (len(types) + 1))
    connection.executemany(f"insert into given values ({marks})", [(n, *row) for n, row in enumerate(values)])


def _rounded(value: Fraction, digits: int, mode: str = "half_away") -> Decimal:
    """Round a fraction to digits, ties away from zero or to even."""
    scaled = abs(value) * 10**digits
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    is_up = 2 * rest > scaled.denominator or (2 * rest == scaled.denominator and (mode == "half_away" or whole % 2))
    unit = (whole + bool(is_up)) * (-1 if value < 0 else 1)
    return Decimal(unit).scaleb(-digits)


def _amounts_are_rounded_and_converted(proof: Proof, how: settings) -> None:
    macros, connection = _macros(), duckdb.connect()

    @how
    @given(rows)
    def law(given_: list[tuple[Decimal, Decimal, int, Decimal]]) -> None:
        proof.trials += len(given_)
        _table(connection, given_, ("decimal(18,4)", "decimal(18,4)", "int", "decimal(28,12)"))
        found = connection.execute(
            f"select {macros.rounded('c0', 'c2', 'half_away')}, {macros.rounded('c0', 'c2', 'half_even')}, "
            f"{macros.converted('c0', 'c3', 'c2')}, {macros.converted('c0', 'c3', 'c2', 'half_even')}, "
            f"{macros.share('c0', 'c1', '(c1 + 7)', 'c2')} from given order by place"
        ).fetchall()
        for (amount, part, digits, rate), row in zip(given_, found, strict=True):
            exact = Fraction(amount)
            product = exact * Fraction(rate)
            expected = [_rounded(exact, digits, mode) for mode in DIGITS] + [
                _rounded(product, digits, m) for m in DIGITS
            ]
            share = _rounded(exact * Fraction(part) / Fraction(part + 7), digits) if part != -7 else None
            assert list(row) == [*expected, share], (amount, part, digits, rate)

    law()


lines = st.lists(
    st.tuples(st.integers(1, 4), st.decimals(0, 10**6, places=2, allow_nan=False)), min_size=3, max_size=40
)


def _parts_sum_to_the_whole(proof: Proof, how: settings) -> None:
    """Whatever the weights, what is allocated over lines is the whole, and no line is off by more than one unit."""
    macros, connection = _macros(), duckdb.connect()

    @how
    @given(lines, st.lists(st.decimals(-(10**7), 10**7, places=2, allow_nan=False), min_size=4, max_size=4))
    def law(weights: list[tuple[int, Decimal]], totals: list[Decimal]) -> None:
        proof.trials += len(weights)
        _table(connection, [(g, w, totals[g - 1]) for g, w in weights], ("int", "decimal(18,4)", "decimal(18,4)"))
        found = connection.execute(
            f"select c0, c1, c2, {macros.allocated('c2', 'c1', 'c0', 'place', '2')} from given order by place"
        ).fetchall()
        for group in {row[0] for row in found}:
            own = [row for row in found if row[0] == group]
            weight = sum(row[1] for row in own)
            if weight:
                assert sum(row[3] for row in own) == own[0][2], own
                for _, part, total, got in own:
                    assert abs(Fraction(got) - Fraction(total) * Fraction(part) / Fraction(weight)) <= Fraction(1, 100)

    law()


# ── calendars ────────────────────────────────────────────────────────────────────────────────────────────────────

DAYS = ("monday", "wednesday", "friday", "saturday", "sunday")
declared = st.one_of(
    st.builds(
        lambda first, more, month: {"kind": MONTHS, "years": [first, first + more], "first_month": month},
        st.integers(1950, 2150), st.integers(0, 6), st.integers(1, 12),
    ),
    st.builds(
        lambda kind, first, more, how, day, month: {
            "kind": kind, "years": [first, first + more], "year_ends": how.format(day, month),
        },
        st.sampled_from(sorted(WEEKS)), st.integers(1950, 2150), st.integers(0, 6),
        st.sampled_from(["last {} of {}", "nearest {} to the end of {}"]), st.sampled_from(DAYS),
        st.sampled_from(["january", "june", "september", "december"]),
    ),
)  # fmt: skip


def _every_date_lies_in_one_period(proof: Proof, how: settings) -> None:
    @how
    @given(declared)
    def law(said: dict[str, Any]) -> None:
        proof.trials += 1
        (calendar,) = calendars({"own": said}, "finpipe.toml")
        for kind in ("period", "quarter", "year"):
            spans = [s for s in calendar.spans if s.kind == kind]
            days = [s.starts_on + timedelta(days=n) for s in spans for n in range((s.ends_on - s.starts_on).days + 1)]
            first: date = min(s.starts_on for s in calendar.spans)
            assert days == [first + timedelta(days=n) for n in range(len(days))], said

    law()


# ── matching ─────────────────────────────────────────────────────────────────────────────────────────────────────

some = st.sampled_from
records = st.lists(
    st.builds(
        dict,
        system=some(["crm", "erp", "billing"]),
        name=some(["Acme Foods", "Acme Foods Inc", "Acme Fods", "Acme Holdings", "Birch", "ACME", None]),
        country=some([None, "DE", "US"]),
        tax_id=some([None, None, "DE811234567", "US55512349"]),
        email=some([None, "ap@acme.example", "x@gmail.com"]),
        postal_code=some([None, "AB1 2CD"]),
    ),
    min_size=2,
    max_size=9,
)


def _matching_knows_no_order(proof: Proof, how: settings) -> None:
    """Any order gives the same pairs; no customer gets two records of a system, and contradictions stay apart."""

    @how
    @given(records, st.integers(0, 2**32))
    def law(facts: list[dict[str, Any]], seed: int) -> None:
        proof.trials += 1
        known = [Record(f"{f['system']}:{n}", **f) for n, f in enumerate(facts)]
        pairs = match(known)
        shuffled = known[:]
        Random(seed).shuffle(shuffled)
        assert match(shuffled) == pairs
        _joined_are_compatible(known, pairs)

    law()


def _joined_are_compatible(known: list[Record], pairs: list[Pair]) -> None:
    by_id = {r.customer_id: r for r in known}
    joined = Joined(by_id)
    for pair in pairs:
        assert pair.left_id < pair.right_id
        if pair.verdict == "joined":
            joined.join(pair.left_id, pair.right_id)
    for keys in joined.sets().values():
        systems = [by_id[k].system for k in keys]
        assert len(systems) == len(set(systems)), keys
        for fact in ("tax", "land"):
            stated = {getattr(by_id[k], fact) for k in keys} - {None}
            assert len(stated) <= 1, (fact, keys)
