"""What holds for every contract because it is a contract: found by discovery, never listed."""

import pytest

from finpipe.contracts import columns, entities, key_of, version_of


@pytest.mark.parametrize("name", sorted(entities()))
def test_a_contract_has_one_key_named_after_its_entity(name: str) -> None:
    assert key_of(entities()[name]).endswith("_id")


@pytest.mark.parametrize("name", sorted(entities()))
def test_references_name_entities_that_exist(name: str) -> None:
    assert {c.to for c in columns(entities()[name]) if c.to} <= set(entities())


@pytest.mark.parametrize("name", sorted(entities()))
def test_an_amount_has_its_currency_beside_it(name: str) -> None:
    spec = columns(entities()[name])
    if any(c.role == "amount" for c in spec):
        assert any(c.role == "currency" for c in spec)


def test_one_name_has_one_type_everywhere() -> None:
    types: dict[str, set[str]] = {}
    for entity in entities().values():
        for column in columns(entity):
            types.setdefault(column.name, set()).add(column.sql_type)
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_versions_tell_contracts_apart() -> None:
    assert len({version_of(e) for e in entities().values()}) == len(entities())
