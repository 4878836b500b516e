"""Systems a company adds in its finpipe.toml: a second account of a product, and one that replaces another."""

from pathlib import Path

import pytest

from finpipe.errors import FinpipeError
from finpipe.settings import Home
from finpipe.systems import System, broken_systems, find_systems


def systems(tmp_path: Path, text: str) -> dict[str, System]:
    (tmp_path / "finpipe.toml").write_text(text)
    return find_systems(Home(tmp_path))


def test_a_second_account_is_described_like_the_first(tmp_path: Path) -> None:
    found = systems(
        tmp_path,
        """
        [systems.netsuite.references]
        crm_customer = "custentity_sf"
        [systems.netsuite_uk]
        like = "netsuite"
        owner = "AR London"
        [systems.netsuite_uk.references]
        billing_customer = "custentity_stripe"
        """,
    )
    first, second = found["netsuite"], found["netsuite_uk"]
    assert (second.role, second.owner, set(second.mappings)) == ("erp", "AR London", set(first.mappings))
    assert second.references["crm_customer"] == "custentity_sf"
    assert (second.references["billing_customer"], first.references["billing_customer"]) == (
        "custentity_stripe",
        "custentity_billing_customer_id",
    )


def test_keys_of_a_second_account_are_its_own_unless_ids_are_unique_everywhere(tmp_path: Path) -> None:
    text = """
    [systems.netsuite_uk]
    like = "netsuite"
    [systems.stripe_uk]
    like = "stripe"
    [systems.stripe_uk.key_prefixes]
    erp = "netsuite_uk."
    """
    found = systems(tmp_path, text)
    assert found["netsuite"].key_prefixes == {}
    assert found["netsuite_uk"].key_prefixes == {"erp": "netsuite_uk."}
    assert found["stripe_uk"].key_prefixes == {"erp": "netsuite_uk."}


def test_a_successor_shares_its_predecessors_keys(tmp_path: Path) -> None:
    found = systems(tmp_path, '[systems.netsuite_2]\nlike = "netsuite"\nreplaces = "netsuite"\n')
    assert (found["netsuite_2"].replaces, found["netsuite_2"].key_prefixes) == ("netsuite", {})


def test_what_a_system_replaces_says_nothing_about_how_it_is_read(tmp_path: Path) -> None:
    plain = systems(tmp_path, '[systems.netsuite_2]\nlike = "netsuite"\n')["netsuite_2"]
    heir = systems(tmp_path, '[systems.netsuite_2]\nlike = "netsuite"\nreplaces = "netsuite"\n')["netsuite_2"]
    assert plain.fingerprint == heir.fingerprint


@pytest.mark.parametrize(
    ("text", "error", "got"),
    [
        ("[systems.salesfroce]\ntimezone = 'UTC'\n", "no folder describes", "like = None"),
        ("[systems.erp_2]\nlike = 'oracle'\n", "no folder describes", "'oracle'"),
        ("[systems.a]\nlike = 'netsuite'\n[systems.b]\nlike = 'a'\n", "no folder describes", "'a'"),
        ("[systems.netsuite_2]\nlike = 'netsuite'\nreplaces = 'sap'\n", "cannot replace", "'sap'"),
        ("[systems.netsuite_2]\nlike = 'netsuite'\nreplaces = 'stripe'\n", "cannot replace", "'stripe'"),
        ("[systems.netsuite]\nreplaces = 'netsuite'\n", "cannot replace", "'netsuite'"),
        (
            "\n".join(f"[systems.{name}]\nlike = 'netsuite'\nreplaces = 'netsuite'" for name in "ab"),
            "cannot replace",
            "b replaces netsuite too",
        ),
        (
            "[systems.a]\nlike = 'netsuite'\nreplaces = 'netsuite'\n[systems.b]\nlike = 'netsuite'\nreplaces = 'a'\n",
            "cannot replace",
            "'a'",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, text: str, error: str, got: str) -> None:
    with pytest.raises(FinpipeError) as told:
        systems(tmp_path, text)
    assert error in told.value.error
    assert got in str(told.value.got)
    assert told.value.fix


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("role = 'erp'\n[tables", "end of a table declaration"),
        ("role = 'oracle'", "role = 'oracle'"),
        ("role = 'erp'\ntables = 3", "int"),
        ("role = 'erp'\n[tables.a]\nkey = ['id']", "names no columns"),
        ("role = 'erp'\n[tables.a]\ncolumns = ['id', 'RowId']", "has columns RowId"),
        ("role = 'erp'\n[tables.a]\ncolumns = ['id', '_row']", "has columns _row"),
        ("role = 'erp'\n[tables.a]\ncolumns = ['x']\nkey = ['id']", "id"),
        ("\udcff", "codec"),
    ],
)
def test_a_description_that_cannot_be_read_sets_its_system_aside_and_no_other(
    tmp_path: Path, text: str, got: str
) -> None:
    (tmp_path / "own" / "sap").mkdir(parents=True)
    (tmp_path / "own" / "sap" / "system.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    home = Home(tmp_path, tmp_path / "own")
    assert set(find_systems(home)) >= {"netsuite", "stripe", "salesforce", "bank"}
    (name,) = broken_systems(home)
    problem = broken_systems(home)[name]
    assert (name, problem.error) == ("sap", "a system's description is broken")
    assert got in problem.got
    assert "system.toml" in problem.where


def test_a_system_described_twice_is_neither(tmp_path: Path) -> None:
    (tmp_path / "own" / "stripe").mkdir(parents=True)
    (tmp_path / "own" / "stripe" / "system.toml").write_text("role = 'billing'\n[tables.a]\ncolumns = ['x']\n")
    home = Home(tmp_path, tmp_path / "own")
    assert "stripe" not in find_systems(home)
    assert broken_systems(home)["stripe"].error == "two folders describe the same system"


def test_who_tells_one_history_with_a_broken_system_is_set_aside_with_it(tmp_path: Path) -> None:
    (tmp_path / "finpipe.toml").write_text(
        "[systems.netsuite_2]\nlike = 'netsuite'\nreplaces = 'netsuite'\n"
        "[systems.netsuite_2.key_prefixes]\nerp = 'a:b'\n"
    )
    assert set(broken_systems(Home(tmp_path))) == {"netsuite", "netsuite_2"}
    assert set(find_systems(Home(tmp_path))) >= {"stripe", "salesforce", "bank"}
