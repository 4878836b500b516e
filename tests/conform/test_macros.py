"""The words that mappings share: what they understand, and that they pass on what they do not."""

from pathlib import Path

import duckdb
import pytest

from finpipe.conform import macros
from finpipe.settings import Config
from finpipe.systems import System


@pytest.fixture
def sql(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    system = System(
        "s",
        Path(),
        "erp",
        "",
        "",
        {},
        {"date_formats": ["%m/%d/%Y"], "minor_units": {"MGA": 0}, "variables": {"stages": "Won,Posted"}},
    )
    macros.define(warehouse, system, Config())
    return warehouse


def value(sql: duckdb.DuckDBPyConnection, expression: str) -> object:
    return sql.execute(f"select {expression}").fetchall()[0][0]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("iso_date('2024-03-31')", "2024-03-31"),
        ("iso_date('2024-03-31 0:00:00')", "2024-03-31"),
        ("iso_date('2024-03-31T23:59:59.000Z')", "2024-03-31"),
        ("iso_date('2024-03-31T23:59:59.000+0000')", "2024-03-31"),
        ("iso_date('2024-03-31T23:59:59-05:00')", "2024-04-01"),
        ("iso_date('2024-03-31 23:59:59 +0530')", "2024-03-31"),
        ("iso_date('3/1/2024')", "2024-03-01"),
        ("iso_date('3/1/2024 11:05 pm')", "2024-03-01"),
        ("iso_date('1711929599')", "2024-03-31"),
        ("iso_date('1711929599000')", "2024-03-31"),
        ("iso_date('31.03.2024')", "31.03.2024"),
        ("iso_date('2024-03-31 nonsense')", "2024-03-31 nonsense"),
        ("iso_date(null)", None),
        ("iso_instant('2024-03-31 9:05:06')", "2024-03-31T09:05:06.000000Z"),
        ("iso_instant('2024-03-31T09:05:06.123Z')", "2024-03-31T09:05:06.123000Z"),
        ("iso_instant('2024-03-31T09:05:06+02:00')", "2024-03-31T07:05:06.000000Z"),
        ("iso_instant('2024-03-31T09:05:06.000+0200')", "2024-03-31T07:05:06.000000Z"),
        ("iso_instant('1711929599')", "2024-03-31T23:59:59.000000Z"),
        ("iso_instant('soon')", "soon"),
        ("iso_instant('2023-04-26 23:59:59.000000 UTC')", "2023-04-26T23:59:59.000000Z"),
        ("is_true('T')", "true"),
        ("is_true('FALSE')", "false"),
        ("is_true('perhaps')", "perhaps"),
        ("is_true(null)", None),
        ("from_minor('1999', 'usd')", "19.99"),
        ("from_minor('-5', 'usd')", "-0.05"),
        ("from_minor('500', 'JPY')", "500"),
        ("from_minor('1999', 'kwd')", "1.999"),
        ("from_minor('7', 'mga')", "7"),
        ("from_minor('19.99x', 'usd')", "19.99x"),
        ("from_minor('1999', 'zzz')", "1999"),
        ("key('erp', '7')", "erp:7"),
        ("key('erp', '')", None),
        ("amount('1.50') + amount('2')", "3.50"),
        ("amount('1,5')", None),
        ("amount('1e5')", None),
        ("getvariable('stages')", "Won,Posted"),
        ("default_legal_entity()", None),
    ],
)
def test_macro(sql: duckdb.DuckDBPyConnection, call: str, said: str | None) -> None:
    found = value(sql, call)
    if said is not None and call.startswith(("from_minor", "amount")) and said.replace(".", "").lstrip("-").isdigit():
        assert value(sql, f"cast('{found}' as decimal(28, 10)) = cast('{said}' as decimal(28, 10))")
    else:
        assert found == said
