"""The doctor sees what ails an installation, says what to do, and changes nothing."""

import fcntl
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from finpipe import doctor
from finpipe.cli import main
from finpipe.settings import Home

Break = Callable[[Home, pytest.MonkeyPatch], None]


def _full_disk(_: Home, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))


def _open_secret(home: Home, _: pytest.MonkeyPatch) -> None:
    path = home.root / "finpipe.toml"
    path.write_text('[systems.shop.credentials]\npassword = "x"\n')
    path.chmod(0o644)


def _dsn_in_the_open(home: Home, _: pytest.MonkeyPatch) -> None:
    (home.root / "finpipe.toml").write_text('[systems.shop]\nsource = "postgresql://u:p@host/db"\n')


def _clock_behind(home: Home, _: pytest.MonkeyPatch) -> None:
    folder = home.landing / "shop" / "sale" / "2031-01"
    folder.mkdir(parents=True)
    (folder / "x.json").write_text(json.dumps({"received_at": (datetime.now(UTC) + timedelta(days=1)).isoformat()}))


def _half_a_publication(home: Home, _: pytest.MonkeyPatch) -> None:
    home.published.mkdir()
    (home.published / "current").symlink_to("7")


def _broken_configuration(home: Home, _: pytest.MonkeyPatch) -> None:
    (home.root / "finpipe.toml").write_text("reporting_currency =\n")


def _everybody_writes(home: Home, _: pytest.MonkeyPatch) -> None:
    home.root.chmod(0o777)


def _left_over(home: Home, _: pytest.MonkeyPatch) -> None:
    (home.scratch / "load-1").mkdir(parents=True)


def _fetch_left_over(home: Home, _: pytest.MonkeyPatch) -> None:
    (home.scratch / "fetch-1-2").mkdir(parents=True)


def _half_removed(home: Home, _: pytest.MonkeyPatch) -> None:
    (home.published / ".gone-3").mkdir(parents=True)


def _another_instance(home: Home, patch: pytest.MonkeyPatch) -> None:
    (home.root / "dagster.yaml").write_text("telemetry:\n  enabled: true\n")
    patch.setenv("DAGSTER_HOME", str(home.root))


def _old_python(_: Home, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(doctor.sys, "version_info", (3, 10, 0))


@pytest.mark.parametrize(
    ("check", "state", "what"),
    [
        ("disk", "failed", _full_disk),
        ("secrets", "failed", _open_secret),
        ("secrets", "failed", _dsn_in_the_open),
        ("clock", "failed", _clock_behind),
        ("publication", "failed", _half_a_publication),
        ("configuration", "failed", _broken_configuration),
        ("home", "warning", _everybody_writes),
        ("left overs", "warning", _left_over),
        ("left overs", "warning", _fetch_left_over),
        ("left overs", "warning", _half_removed),
        ("telemetry", "warning", _another_instance),
        ("dead runs", "warning", _another_instance),
        ("python", "failed", _old_python),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else str(value),
)
def test_what_ails_is_seen_with_its_remedy(
    home: Home, monkeypatch: pytest.MonkeyPatch, check: str, state: str, what: Break
) -> None:
    home.root.mkdir(mode=0o700)
    before = {f.check: f.state for f in doctor.examine(Home(home.root))}
    assert before[check] in ("well", "warning")
    assert before[check] != state
    what(home, monkeypatch)
    (found,) = [f for f in doctor.examine(Home(home.root)) if f.check == check]
    assert found.state == state
    assert found.fix


@pytest.mark.parametrize("name", ["write.lock", "raw.lock"])
def test_a_run_that_writes_is_seen(home: Home, name: str) -> None:
    home.root.mkdir()
    with (home.root / name).open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert [f.state for f in doctor.examine(home) if f.check == "lock"] == ["warning"]


def test_a_healthy_home_is_well_and_stays_as_it_is(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.root.mkdir(mode=0o700)
    monkeypatch.setenv("FINPIPE_HOME", str(home.root))
    said = CliRunner().invoke(main, ["doctor", "--json"])
    states = {f["check"]: f["state"] for f in json.loads(said.output)}
    assert {check for check, state in states.items() if state != "well"} <= {"publication", "packages"}
    assert {p.name for p in Path(home.root).iterdir()} <= {"write.lock", "raw.lock"}
