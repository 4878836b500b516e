"""Loading: once, in landing order, with its ledger; newest versions; every row accounted for."""

from collections.abc import Callable

import duckdb
import pytest

from finpipe.ingest import limits, load, open_raw, open_warehouse, refresh_row_accounts, row_account_breaks, stage
from finpipe.ingest.raw import instant
from finpipe.warehouse import STILL_REFUSED, reading_raw
from tests.ingest.conftest import SHOP, Company

ONE = "id,name,balance,last_modified_date\nc1,Ada,1.50,2024-01-01T00:00:00Z\nc2,Bob,2.50,2024-01-01T00:00:00Z\n"
TWO = "id,name,balance,last_modified_date\nc1,Ada L,1.50,2024-02-01T00:00:00Z\nc2,Bob,2.50,2024-01-01T00:00:00Z\n"


def accounts(company: Company, *bad: tuple[int, int]) -> list[tuple[object, ...]]:
    with open_warehouse(company.home) as (connection, _):
        connection.execute(
            "create or replace table quarantine.rows "
            "(system varchar, source_table varchar, load_seq bigint, row_number bigint)"
        )
        for seq, row in bad:
            connection.execute("insert into quarantine.rows values ('shop', 'customer', ?, ?)", [seq, row])
        with reading_raw(company.home, connection):  # CONFORM writes down what it saw
            connection.execute("create or replace table ledger.loaded_tables as from raw.ledger.loaded_tables")
        refresh_row_accounts(company.home, connection)
        assert row_account_breaks(connection) == []
        return connection.execute(
            "select load_seq, rows, accepted, superseded, duplicate, quarantined from ledger.row_accounts order by all"
        ).fetchall()


def test_a_load_is_entered_once_and_a_second_finds_nothing(company: Company) -> None:
    company.take("customer.csv", ONE)
    first, second = company.load(), company.load()
    assert (first.rows, len(second.files)) == (2, 0)
    assert company.query("select rows, measure_sum::varchar from ledger.loaded_tables") == [(2, "4.0000")]
    assert company.query("select verdict, rows, original_name, length(hash) from ledger.loads") == [
        ("loaded", 2, "customer.csv", 64)
    ]


def test_described_tables_exist_even_when_no_file_came(company: Company) -> None:
    company.load()
    assert company.query("select count(*) from latest_shop.movement") == [(0,)]


def test_the_newest_version_wins_whatever_came_last(company: Company) -> None:
    company.take("customer_2.csv", TWO)
    company.take("customer_1.csv", ONE)
    company.load()
    assert company.query("select id, name, _load_seq from latest_shop.customer order by 1") == [
        ("c1", "Ada L", 1),
        ("c2", "Bob", 1),
    ]


def test_a_torn_file_is_a_finding_until_the_whole_one_came(company: Company) -> None:
    company.take("customer_1.csv", ONE[: len(ONE) - 30])
    company.load()
    assert company.query(f"select original_name from ({STILL_REFUSED})") == [("customer_1.csv",)]
    company.take("customer_2.csv", TWO)
    company.load()
    assert company.query(f"select original_name from ({STILL_REFUSED})") == [("customer_1.csv",)]
    company.take("customer_1.csv", ONE)
    company.load()
    assert company.query(f"select original_name from ({STILL_REFUSED})") == []
    assert company.query("select count(*) from ledger.loads where verdict = 'refused'") == [(1,)]


def test_a_column_under_another_name_is_found_once_the_name_is_known(company: Company) -> None:
    company.take("opportunity_1.csv", "id,close_date,amount,stage_name\no1,2024-01-01,5,Won\n")
    company.take("opportunity_2.csv", "id,close_date,amount,phase,size\no2,2024-01-02,6,Won,9\n")
    company.load()
    without = "select load_seq from ledger.loaded_tables where not contains(columns, 'stage_name')"
    assert company.query(without) == [(2,)]
    company.describe(SHOP.replace('"stage_name"]', '"stage_name | phase"]'))
    company.load()
    assert company.query(without) == []
    assert company.query("select stage_name from latest_shop.opportunity") == [("Won",)] * 2


def test_every_row_is_accepted_superseded_duplicate_or_quarantined(company: Company) -> None:
    company.take("customer_1.csv", ONE)
    company.take("customer_2.csv", TWO)
    company.take("customer_3.csv", ONE.replace("\n", "\r\n"))
    company.load()
    assert accounts(company) == [(1, 2, 1, 1, 0, 0), (2, 2, 1, 0, 1, 0), (3, 2, 0, 0, 2, 0)]
    assert accounts(company, (2, 1)) == [(1, 2, 1, 1, 0, 0), (2, 2, 0, 0, 1, 1), (3, 2, 0, 0, 2, 0)]


def test_history_rows_are_superseded_and_never_shown(company: Company) -> None:
    company.take(
        "customer.csv",
        "id,name,last_modified_date,is_active\nc1,Old,2024-05-01,false\nc1,New,2024-01-01,true\nc2,Gone,2024-01-01,false\n",
    )
    company.load()
    assert company.query("select name from latest_shop.customer") == [("New",)]
    assert accounts(company) == [(1, 3, 1, 2, 0, 0)]


def test_deleted_records_stay_marked(company: Company) -> None:
    company.take("customer.csv", "id,name,is_deleted\nc1,Ada,TRUE\n")
    company.load()
    assert company.query("select _deleted from latest_shop.customer") == [(True,)]


def test_equal_lines_without_a_key_stay_apart_and_a_second_delivery_is_recognised(company: Company) -> None:
    company.take("movement_1.csv", "on,amount,text\n2024-01-01,5,fee\n2024-01-01,5,fee\n2024-01-02,7,x\n")
    company.take("movement_2.csv", "on,amount,text\r\n2024-01-01,5,fee\r\n2024-01-01,5,fee\r\n")
    company.load()
    assert company.query("select count(*) from latest_shop.movement") == [(3,)]
    assert accounts(company) == [(1, 3, 3, 0, 0, 0), (2, 2, 0, 0, 2, 0)]


def test_rows_without_their_key_are_not_taken_for_one_record(company: Company) -> None:
    company.take("customer.csv", "id,name\n,Ada\n,Bob\nc1,Cy\n")
    company.load()
    assert company.query("select count(*) from latest_shop.customer") == [(3,)]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-03-31T14:05:06.000Z", "2024-03-31 14:05:06"),
        ("2024-03-31T14:05:06+02:00", "2024-03-31 12:05:06"),
        ("2024-03-31 4:05:06", "2024-03-31 04:05:06"),
        ("2024-3-1 4:05:06", "2024-03-01 04:05:06"),
        ("1711893906", "2024-03-31 14:05:06"),
        ("1711893906000", "2024-03-31 14:05:06"),
        ("3/31/2024", "2024-03-31 00:00:00"),
        ("3/31/2024 2:05:06 PM", "2024-03-31 14:05:06"),
        ("soon", None),
        ("2024-02-30", None),
    ],
)
def test_versions_are_understood_in_the_usual_spellings(text: str, moment: str | None) -> None:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    found = connection.execute(
        f"select ({instant('t', ['%m/%d/%Y'])})::varchar from (select ? as t)", [text]
    ).fetchall()
    assert found == [(moment,)]


def test_the_chain_does_not_depend_on_how_files_were_grouped_into_runs(
    other_company: Callable[[str], Company],
) -> None:
    together, apart = other_company("together"), other_company("apart")
    for name, content in (("customer_1.csv", ONE), ("customer_2.csv", "id,name\nx"), ("customer_3.csv", TWO)):
        together.take(name, content)
        apart.take(name, content)
        apart.load()
    together.load()
    assert together.hashes() == apart.hashes()
    assert len(together.hashes()) == 3


def test_a_changed_description_reads_the_system_again(company: Company) -> None:
    company.take("customer.csv", "id,name,city\nc1,Ada,Paris\n")
    company.load()
    before = company.hashes()
    company.describe(SHOP.replace('"parent | parent.id"', '"parent | parent.id", "city"'))
    report = company.load()
    assert report.repairs == ["shop is read again from landing: its description changed"]
    assert company.query("select city from raw_shop.customer") == [("Paris",)]
    assert company.hashes() != before
    assert company.load().repairs == []


def test_many_files_are_admitted_in_batches(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BATCH_FILES", 2)
    for i in range(5):
        company.take(f"customer_{i}.csv", f"id,name\nc{i},x\n")
    said: list[tuple[str, int, int]] = []
    with open_raw(company.home) as (connection, _):
        load(company.home, connection, company.systems, lambda *event: said.append(event))
    assert [event[1:] for event in said] == [(i, 5) for i in range(1, 6)]
    assert company.query("select count(*) from raw_shop.customer") == [(5,)]
    assert list(company.home.scratch.glob("load-*")) == []


def test_a_count_that_dlt_does_not_confirm_stops_the_load(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.take("customer.csv", ONE)
    monkeypatch.setattr(stage, "_staged_rows", lambda *_: 1)
    with pytest.raises(stage.StagingError):
        company.load()
    monkeypatch.undo()
    assert company.query("select count(*) from ledger.loads") == [(0,)]
    assert company.load().rows == 2
