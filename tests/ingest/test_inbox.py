"""Inboxes: looked at without opening a file, taken whole, and nothing lost whenever it stops."""

import os
import time
from pathlib import Path

import pytest

from finpipe.ingest import inbox as inbox_module
from finpipe.ingest import land_inbox
from finpipe.ingest.inbox import aside, look
from finpipe.ingest.landing import landed, manifests
from finpipe.systems import find_systems
from tests.ingest.conftest import Company

CUSTOMERS = "id,name\nc1,Ada\n"


def deliver(company: Company, name: str, text: str = CUSTOMERS, system: str = "shop") -> Path:
    path = company.home.inbox / system / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def left(company: Company) -> list[str]:
    folder = company.home.inbox / "shop"
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def test_a_look_counts_what_is_complete_and_what_still_grows(company: Company) -> None:
    assert look(company.home, company.systems).fingerprint == ""
    for name in ("customer.csv", "customer_2.csv.part", "customer_3.tmp", ".hidden.csv"):
        deliver(company, name)
    now = time.time()
    young = look(company.home, company.systems, settle_seconds=60, now=now)
    settled = look(company.home, company.systems, settle_seconds=60, now=now + 61)
    assert (young.complete, young.growing, young.fingerprint) == (0, 1, "")
    assert (settled.complete, settled.growing, settled.bytes) == (1, 0, len(CUSTOMERS))


def test_a_file_from_the_future_is_complete_for_some_clock_is_wrong(company: Company) -> None:
    deliver(company, "customer.csv")
    assert look(company.home, company.systems, settle_seconds=60, now=time.time() - 3600).complete == 1


def test_the_fingerprint_changes_with_every_delivery_and_with_nothing_else(company: Company) -> None:
    deliver(company, "customer.csv")
    first = look(company.home, company.systems).fingerprint
    assert look(company.home, company.systems).fingerprint == first
    deliver(company, "customer_2.csv", "id,name\nc2,Bo\n")
    assert look(company.home, company.systems).fingerprint != first


def test_what_still_grows_stays_while_the_rest_is_taken(company: Company) -> None:
    deliver(company, "customer_1.csv")
    assert [r.verdict for r in land_inbox(company.home, company.systems)] == ["landed"]
    deliver(company, "customer_3.csv", "id,name\nc3,Cy\n")
    assert land_inbox(company.home, company.systems, settle_seconds=60, now=time.time()) == []
    assert left(company) == ["customer_3.csv"]


@pytest.mark.parametrize("stop", ["land", "_clear"], ids=["before landing", "after landing"])
def test_a_stop_loses_nothing_and_doubles_nothing(company: Company, monkeypatch: pytest.MonkeyPatch, stop: str) -> None:
    deliver(company, "customer.csv")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(inbox_module, stop, killed)
        with pytest.raises(KeyboardInterrupt):
            land_inbox(company.home, company.systems)
    assert look(company.home, company.systems).complete == 1  # the next tick sees it
    (again,) = land_inbox(company.home, company.systems)
    assert again.verdict == ("landed" if stop == "land" else "already there")
    assert [m.original_name for m in manifests(company.home)] == ["customer.csv"]
    assert left(company) == []


def test_a_delivery_under_the_same_name_while_the_first_lands_is_kept(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(company, "customer.csv")
    real = inbox_module.land

    def meanwhile(home: object, system: object, paths: object) -> object:
        deliver(company, "customer.csv", "id,name\nc9,Zoe\n")
        return real(home, system, paths)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(inbox_module, "land", meanwhile)
        land_inbox(company.home, company.systems)
    assert left(company) == ["customer.csv"]
    land_inbox(company.home, company.systems)
    assert len(manifests(company.home)) == 2


def test_two_refused_files_of_one_name_are_both_kept_aside(company: Company) -> None:
    for text in ("a\n1\n", "a\n1\n", "a\n2\n"):
        deliver(company, "mystery.csv", text)
        land_inbox(company.home, company.systems)
    assert sorted(p.read_text() for p in aside(company.home, "shop")) == ["a\n1\n", "a\n2\n"]


def test_one_broken_inbox_is_reported_and_the_others_go_on(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(company, "customer.csv")
    deliver(company, "anything.csv", system="bank")
    real = os.scandir

    def refuse(path: str | Path) -> object:
        if str(path).endswith("bank"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    systems = {"bank": find_systems(company.home)["bank"], **company.systems}
    seen = look(company.home, systems)
    assert (seen.complete, seen.broken) == (1, ("bank: Permission denied",))
    verdicts = {r.path.name: r.verdict for r in land_inbox(company.home, systems)}
    assert verdicts == {"bank": "refused", "customer.csv": "landed"}


def test_a_folder_of_no_system_is_named(company: Company) -> None:
    deliver(company, "x.csv", system="salesfroce")
    assert look(company.home, company.systems).strangers == ("salesfroce",)


def test_landed_files_are_counted_without_being_opened(company: Company) -> None:
    company.take("customer.csv", CUSTOMERS)
    company.take("customer.json", '{"object":"customer","id":"c","name":"n"}')
    assert landed(company.home) == 2
