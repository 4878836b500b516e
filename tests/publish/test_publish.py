"""PUBLISH: whole, commented, readable by old clients, and never half there."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from finpipe import publish as stage
from finpipe.contracts import columns, entities
from finpipe.errors import FinpipeError
from finpipe.publish import (
    Stamps,
    current,
    digest_tables,
    freeze,
    manifest_of,
    publications,
    publish,
    query,
    roll_back,
    whole,
)
from finpipe.publish import snapshot as snapshot_module
from finpipe.settings import Config, Home
from finpipe.warehouse import connect

NOW = datetime(2025, 7, 1, 12, 0, tzinfo=UTC)


def stamps(load_seq: int = 1, build: int = 1) -> Stamps:
    return Stamps("2025-06-30", load_seq, "abc", "v1", build)


@pytest.fixture
def built(warehouse: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    warehouse.execute(
        "create table marts.billings "
        "(billing_id varchar, net_amount decimal(18, 4), currency varchar, invoice_id varchar as (billing_id))"
    )
    warehouse.execute("insert into marts.billings values ('b1', 10.0001, 'USD'), ('b2', 20, null), ('b2', 20, null)")
    warehouse.execute("comment on table marts.billings is 'One row per line, it''s said'")
    warehouse.execute("comment on column marts.billings.net_amount is 'After discount'")
    warehouse.execute("create table reconciliation.rec_a__b (line_id varchar)")
    warehouse.execute("create table staging.hidden (a int)")
    listed = ", ".join(f"{c.name} {c.sql_type}" for c in columns(entities()["currencies"]))
    warehouse.execute(f"create table canonical.currencies ({listed})")
    return warehouse


def test_marts_are_in_main_and_entities_in_canonical(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    done = publish(home, built, stamps(), now=NOW)
    assert done.seq == 1
    assert done.is_new
    found = query(home, "select schema_name, table_name from duckdb_tables() order by all").rows
    assert found == [
        ("canonical", "currencies"),
        ("main", "billings"),
        ("main", "publication"),
        ("main", "rec_a__b"),
    ]
    assert query(home, "select count(*), sum(net_amount) from billings").rows[0][0] == 3
    assert (done.folder / "parquet" / "billings.parquet").exists()
    assert (done.folder / "parquet" / "canonical" / "currencies.parquet").exists()


def test_what_a_chain_picks_few_rows_of_is_indexed(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    """Else each chain reads the whole of a mart that nothing sorts by document."""
    publish(home, built, stamps(), now=NOW)
    found = query(home, "select schema_name, table_name, expressions from duckdb_indexes()").rows
    assert found == [("main", "billings", "[invoice_id]")]


def test_comments_are_carried_over(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    publish(home, built, stamps(), now=NOW)
    tables = dict(query(home, "select table_name, comment from duckdb_tables()").rows)
    assert tables["billings"] == "One row per line, it's said"
    assert tables["currencies"] == " ".join((entities()["currencies"].__doc__ or "").split())
    assert query(home, "select comment from duckdb_columns() where column_name = 'net_amount'").rows == [
        ("After discount",)
    ]
    bare = query(home, "select column_name from duckdb_columns() where table_name = 'currencies' and comment is null")
    assert bare.rows == []


def test_the_file_is_in_a_storage_version_that_duckdb_1_2_opens(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    publish(home, built, stamps(), now=NOW)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{home.published}/current/finance.duckdb' as p (read_only)")
        tags = connection.execute("select tags from duckdb_databases() where database_name = 'p'").fetchall()[0][0]
    assert "v1.2.0" in str(tags)


def test_the_manifest_says_what_the_figures_follow_from(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    done = publish(home, built, stamps(), now=NOW)
    said = manifest_of(done.folder)
    assert said["publication"] == 1
    assert said["published_at"] == "2025-07-01T12:00:00+00:00"
    assert (said["as_of"], said["load_seq"], said["load_hash"], said["code_version"]) == ("2025-06-30", 1, "abc", "v1")
    assert said["tables"]["main.billings"]["rows"] == 3
    assert set(said["files"]) == {
        "finance.duckdb",
        "parquet/billings.parquet",
        "parquet/rec_a__b.parquet",
        "parquet/canonical/currencies.parquet",
    }


def test_files_are_read_only(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    done = publish(home, built, stamps(), now=NOW)
    assert {p.stat().st_mode & 0o777 for p in done.folder.rglob("*") if p.is_file()} == {0o444}


def test_equal_content_with_equal_stamps_is_not_published_twice(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    publish(home, built, stamps(), now=NOW)
    again = publish(home, built, stamps(), now=NOW)
    assert not again.is_new
    assert not publish(home, built, stamps(build=2), now=NOW).is_new
    assert publications(home) == [1]
    assert publish(home, built, stamps(2), now=NOW).seq == 2


def test_other_content_of_another_build_is_published(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    publish(home, built, stamps(), now=NOW)
    built.execute("insert into marts.billings values ('b9', 1, 'USD')")
    assert publish(home, built, stamps(build=2), now=NOW).seq == 2


@pytest.mark.parametrize("at", ["_copy", "_stamp", "settle", "point"])
def test_a_stop_at_any_point_leaves_the_former_publication_whole(
    home: Home, built: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    publish(home, built, stamps(), now=NOW)
    before = manifest_of(home.published / "current")
    built.execute("insert into marts.billings values ('b9', 1, 'USD')")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(snapshot_module, at, stop)
        with pytest.raises(KeyboardInterrupt):
            publish(home, built, stamps(2), now=NOW)
    assert manifest_of(home.published / "current") == before
    assert query(home, "select count(*) from billings").rows == [(3,)]
    assert publish(home, built, stamps(2), now=NOW).is_new
    assert query(home, "select count(*) from billings").rows == [(4,)]


def test_leftovers_of_a_kill_are_swept(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    (home.published / ".draft-7-1").mkdir(parents=True)
    (home.published / ".draft-7-1" / "finance.duckdb").write_text("half")
    publish(home, built, stamps(), now=NOW)
    assert sorted(p.name for p in home.published.iterdir()) == ["1", "current"]


def test_it_keeps_so_many_and_those_that_were_signed(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    home.__dict__["config"] = Config(keep_publications=2)
    for seq in range(1, 6):
        publish(home, built, stamps(seq), now=NOW)
        if seq == 1:
            freeze(home, seq, "the close of June")
    assert publications(home) == [1, 4, 5]


def test_rolling_back_is_swapping_back(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    publish(home, built, stamps(), now=NOW)
    built.execute("delete from marts.billings")
    publish(home, built, stamps(2), now=NOW)
    assert roll_back(home, 1).seq == 1
    assert query(home, "select count(*) from billings").rows == [(3,)]
    built.execute("insert into marts.billings values ('b3', 1, 'USD')")
    assert publish(home, built, stamps(3), now=NOW).seq == 3
    with pytest.raises(FinpipeError, match="not kept"):
        roll_back(home, 9)


@pytest.mark.parametrize(
    "sql",
    [
        "create table x (a int)",
        "insert into billings values ('x', 1, 'USD')",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "copy billings to '/tmp/finpipe-must-not-exist.csv'",
        "attach '/tmp/finpipe-must-not-exist.duckdb' as other",
        "set enable_external_access = true",
        "install httpfs",
    ],
)
def test_a_query_reads_the_publication_and_nothing_else(home: Home, built: duckdb.DuckDBPyConnection, sql: str) -> None:
    publish(home, built, stamps(), now=NOW)
    with pytest.raises(FinpipeError, match="refused"):
        query(home, sql)
    assert not Path("/tmp/finpipe-must-not-exist.csv").exists()


def test_readers_do_not_hinder_the_writer(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    publish(home, built, stamps(), now=NOW)
    with stage.reading(home) as reader:
        built.execute("insert into marts.billings values ('b4', 1, 'USD')")
        publish(home, built, stamps(2), now=NOW)
        assert reader.execute("select count(*) from billings").fetchall() == [(3,)]
    assert query(home, "select count(*) from billings").rows == [(4,)]


def test_readers_of_one_publication_share_it_while_the_company_grows(
    home: Home, built: duckdb.DuckDBPyConnection
) -> None:
    """DuckDB opens a file twice only with the same limits: they must not follow from what a load changes."""
    publish(home, built, stamps(), now=NOW)
    with stage.reading(home) as reader:
        with home.raw.open("ab") as raw:
            raw.truncate(2_000_000_000)
        with stage.reading(home) as other:
            ask = "select count(*) from billings"
            assert reader.execute(ask).fetchall() == other.execute(ask).fetchall() == [(3,)]


def test_nothing_published_is_said_so(home: Home) -> None:
    assert current(home) is None
    with pytest.raises(FinpipeError, match="nothing is published"):
        query(home, "select 1")


def test_the_digest_sees_content_and_not_order(home: Home) -> None:
    def digest(sql: str, name: str) -> str:
        with connect(home, home.root / f"{name}.duckdb") as connection:
            connection.execute(f"create table marts.t as {sql}")
            return whole(digest_tables(connection, ["marts"]))

    one = digest("select * from (values (1, 'a', 1.50::decimal(18, 4)), (2, null, null)) v (i, t, m)", "one")
    two = digest("select m, t, i from (values (2, null, null), (1, 'a', 1.50::decimal(18, 4))) v (i, t, m)", "two")
    assert one == two
    changed = [
        "select * from (values (1, 'a', 1.51::decimal(18, 4)), (2, null, null)) v (i, t, m)",
        "select * from (values (1, 'a', 1.50::decimal(18, 4)), (2, '', null)) v (i, t, m)",
        "select * from (values (1, 'a', 1.50::decimal(18, 4)), (2, null, null), (2, null, null)) v (i, t, m)",
        "select * from (values (1, 'a', 1.50::decimal(18, 4))) v (i, t, m)",
    ]
    assert len({one, *(digest(sql, f"c{i}") for i, sql in enumerate(changed))}) == 5


def test_a_digest_is_the_same_on_every_machine(home: Home, built: duckdb.DuckDBPyConnection) -> None:
    found = digest_tables(built, ["marts"], without=frozenset({"invoice_id"}))["marts.billings"]
    assert found == (3, "8b6d315cdde64de552a43a7da4b6c991")
