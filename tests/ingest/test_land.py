"""Landing: unchanged, once, in order, whole or not at all."""

import json
import multiprocessing
from pathlib import Path

import pytest

from finpipe.errors import FinpipeError
from finpipe.ingest import land, land_inbox
from finpipe.ingest.landing import manifests
from tests.ingest.conftest import Company

CUSTOMERS = "id,name\nc1,Ada\n"


def test_a_landed_file_keeps_its_bytes_beside_a_manifest(company: Company) -> None:
    result = company.take("customer.csv", CUSTOMERS)
    (manifest,) = manifests(company.home)
    data = manifest.path(company.home)
    assert (result.verdict, result.order, result.table) == ("landed", 1, "customer")
    assert data.read_text() == CUSTOMERS
    assert data.stat().st_mode & 0o222 == 0
    told = json.loads((data.parent / f"{result.digest}.json").read_text())
    assert (told["original_name"], told["bytes"], told["sha256"]) == ("customer.csv", 15, result.digest)


def test_a_json_file_and_its_manifest_do_not_collide(company: Company) -> None:
    company.take("customer.json", '{"object":"customer","id":"c","name":"n"}')
    (manifest,) = manifests(company.home)
    assert manifest.path(company.home).read_text().startswith('{"object"')


def test_the_same_bytes_again_are_not_landed_twice(company: Company) -> None:
    company.take("customer.csv", CUSTOMERS)
    again = company.take("customer_resent.csv".replace("_resent", "_2"), CUSTOMERS)
    assert (again.verdict, again.order) == ("already there", 1)
    assert len(manifests(company.home)) == 1


def test_the_same_bytes_under_another_ending_are_another_file(company: Company) -> None:
    """Refused for its wrong ending, renamed and given again: it must be read, not said to be there."""
    company.take("customer.json", CUSTOMERS)
    assert company.load().files[0].verdict == "refused"
    assert company.take("customer.csv", CUSTOMERS).verdict == "landed"
    assert [(f.verdict, f.rows) for f in company.load().files] == [("loaded", 1)]
    assert len(manifests(company.home)) == 2


def test_a_folder_lands_in_the_order_of_names_and_refusals_stop_nothing(company: Company) -> None:
    for name in ("b/customer_2.csv", "a/customer_1.csv", "notes.md", ".hidden.csv", "x.csv.part"):
        company.write(name, f"id,name\n{name},x\n")
    results = land(company.home, company.system, [company.incoming])
    assert [(r.path.name, r.verdict) for r in results] == [
        ("customer_1.csv", "landed"),
        ("customer_2.csv", "landed"),
        ("notes.md", "refused"),
    ]
    assert "feeds no table" in results[2].reason


def test_what_a_crash_left_is_swept_and_the_file_lands_again(company: Company) -> None:
    first = company.take("customer.csv", CUSTOMERS)
    (manifest,) = manifests(company.home)
    data = manifest.path(company.home)
    (data.parent / f"{first.digest}.json").unlink()
    (company.home.landing / ".tmp" / "half.draft").write_bytes(b"id,na")
    again = company.take("customer.csv", CUSTOMERS)
    assert (again.verdict, again.order) == ("landed", 1)
    assert list((company.home.landing / ".tmp").iterdir()) == []


def _land_many(company: Company, start: int) -> None:
    for i in range(start, start + 8):
        company.take(f"customer_{i}.csv", f"id,name\nc{i},x\n")


def test_two_lands_at_once_give_every_file_its_own_number(company: Company) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_land_many, args=(company, n)) for n in (0, 100)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [m.order for m in manifests(company.home)] == list(range(1, 17))


def test_the_inbox_is_emptied_and_what_is_refused_is_set_aside_with_the_reason(company: Company) -> None:
    inbox = company.home.inbox / "shop"
    inbox.mkdir(parents=True)
    (inbox / "customer.csv").write_text(CUSTOMERS)
    (inbox / "mystery.csv").write_text("a\n1\n")
    results = land_inbox(company.home, company.systems)
    assert sorted(r.verdict for r in results) == ["landed", "refused"]
    assert sorted(p.name for p in inbox.rglob("*") if p.is_file()) == ["mystery.csv", "mystery.csv.why.txt"]
    assert land_inbox(company.home, company.systems) == []


def test_a_missing_path_is_a_users_mistake(company: Company) -> None:
    with pytest.raises(FinpipeError, match="no such file"):
        land(company.home, company.system, [Path("/nowhere/at/all.csv")])
