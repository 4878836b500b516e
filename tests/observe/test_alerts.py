"""Alerts reach real receivers: once for a cause, again when nothing happens, and once more when it is over."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from finpipe.observe import Cause, Sent, dispatch
from finpipe.observe.rules import Target
from finpipe.observe.send import Message, SendError, send
from tests.observe.conftest import Desk, at
from tests.observe.receivers import Endpoint, MailServer

ROUTES = """
[owners]
treasury = { people = ["kim"] }
[alerts.targets]
hook = { channel = "webhook", url_env = "TEST_HOOK" }
desk = { channel = "chat", url_env = "TEST_CHAT" }
mail = { channel = "email", server_env = "TEST_SMTP", from_env = "TEST_FROM", to_env = "TEST_TO" }
[alerts.routes.treasury]
owners = ["treasury"]
to = ["hook", "mail"]
escalate_to = ["desk"]
after_hours = 8
"""
LATE = Cause("bank", "not arrived", "nothing landed for Friday", "Treasury")
RED = Cause("reconciliations", "out of tolerance", "R05 is out", "ar", "R05 billing-erp")
MONDAY = at("2026-01-12 11:00")  # noon in Berlin


class Outside:
    """Everybody who can be told, and a desk that tells them."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.hook, self.chat, self.mail = desk, Endpoint(), Endpoint(), MailServer()

    def tell(self, now: datetime, *causes: Cause) -> Sent:
        return dispatch(self.desk.home, self.desk.rules, causes, now)

    @property
    def log(self) -> list[str]:
        path = self.desk.home.root / "alerts.log"
        return [json.loads(line)["event"] for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def heard(self) -> dict[str, list[str]]:
        return {
            "hook": [m["event"] for m in self.hook.got],
            "mail": [str(m["Subject"]).split()[1].rstrip(":") for m in self.mail.got],
            "chat": [m["text"].split()[1].rstrip(":") for m in self.chat.got],
            "log": self.log,
        }


@pytest.fixture
def outside(desk: Desk, say: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Outside]:
    say(ROUTES)
    world = Outside(desk)
    with world.hook.open() as hook, world.chat.open() as chat, world.mail.open() as server:
        for name, value in {
            "TEST_HOOK": hook,
            "TEST_CHAT": chat,
            "TEST_SMTP": server,
            "TEST_FROM": "finpipe@example.com",
            "TEST_TO": "kim@example.com",
        }.items():
            monkeypatch.setenv(name, value)
        yield world


def test_a_cause_is_told_once_and_its_end_as_well(outside: Outside) -> None:
    for minute in range(0, 60, 5):
        outside.tell(MONDAY.replace(minute=minute), LATE)
    assert outside.heard == {"hook": ["raised"], "mail": ["raised"], "chat": [], "log": ["raised"]}
    outside.tell(at("2026-01-12 12:30"))
    outside.tell(at("2026-01-12 12:35"))
    both = ["raised", "recovered"]
    assert outside.heard == {"hook": both, "mail": both, "chat": [], "log": both}
    outside.tell(at("2026-01-13 11:00"), LATE)  # another day, another alert
    assert outside.heard["hook"] == [*both, "raised"]


def test_each_receiver_gets_what_it_can_read(outside: Outside) -> None:
    outside.tell(MONDAY, LATE)
    assert outside.hook.got[0] == {
        "event": "raised",
        "key": "bank / not arrived",
        "subject": "bank",
        "kind": "not arrived",
        "sentence": "nothing landed for Friday",
        "owner": "Treasury",
        "severity": "material",
        "since": "2026-01-12T11:00:00+00:00",
    }
    (mail,) = outside.mail.got
    assert mail["Subject"] == "[finpipe] raised: bank not arrived (material, Treasury)"
    assert mail["To"] == "kim@example.com"
    assert "nothing landed for Friday" in mail.get_content()


def test_a_cause_whose_figures_change_is_the_same_alert(outside: Outside) -> None:
    outside.tell(MONDAY, RED)
    outside.tell(MONDAY, Cause("reconciliations", "out of tolerance", "R05 is out by more", "ar", "R05 billing-erp"))
    assert outside.log == ["raised"]


def test_routes_are_by_owner_and_the_rest_goes_to_the_log(outside: Outside) -> None:
    outside.tell(MONDAY, RED)
    assert outside.heard == {"hook": [], "mail": [], "chat": [], "log": ["raised"]}


def test_escalation_counts_business_hours(outside: Outside) -> None:
    friday = at("2026-01-09 14:00")  # 15:00 in Berlin: two business hours left before the weekend
    for when in ("2026-01-09 14:00", "2026-01-11 12:00", "2026-01-12 13:59"):
        outside.tell(at(when), LATE)
    assert outside.heard["chat"] == []
    for _ in range(2):
        outside.tell(at("2026-01-12 14:00"), LATE)
    assert outside.heard["chat"] == ["escalated"]
    outside.tell(at("2026-01-12 15:00"))
    assert outside.heard["chat"] == ["escalated", "recovered"]
    assert friday < MONDAY


def test_a_receiver_that_is_down_gets_it_later_and_stops_nobody_else(outside: Outside) -> None:
    outside.hook.status = 503
    sent = outside.tell(MONDAY, LATE)
    assert sent.failures == ("hook: the receiver did not take it: HTTPError 503",)
    assert outside.heard["mail"] == ["raised"]
    outside.hook.status = 200
    outside.tell(MONDAY, LATE)
    assert outside.heard["hook"] == outside.heard["mail"] == ["raised"]


def test_what_nobody_heard_of_needs_no_end(outside: Outside) -> None:
    outside.hook.status = 503
    outside.tell(MONDAY, LATE)
    outside.tell(MONDAY)
    outside.hook.status = 200
    outside.tell(MONDAY)
    assert outside.heard["hook"] == []
    assert outside.heard["mail"] == ["raised", "recovered"]


def test_a_cause_that_comes_back_is_told_again_to_whoever_thinks_it_over(outside: Outside) -> None:
    outside.tell(MONDAY, LATE)
    outside.hook.status = 503
    outside.tell(MONDAY)  # mail hears that it is over, the hook does not
    outside.hook.status = 200
    outside.tell(MONDAY, LATE)
    assert outside.heard["mail"] == ["raised", "recovered", "raised"]
    assert outside.heard["hook"] == ["raised"]


def test_a_clock_that_goes_back_escalates_nothing_and_breaks_nothing(outside: Outside) -> None:
    outside.tell(MONDAY, LATE)
    outside.tell(at("2019-01-01 00:00"), LATE)
    assert outside.heard["chat"] == []


def test_a_damaged_memory_is_set_aside_and_told_twice_rather_than_never(outside: Outside) -> None:
    outside.tell(MONDAY, LATE)
    (outside.desk.home.root / "alerts.json").write_text('{"bank')
    outside.tell(MONDAY, LATE)
    assert outside.heard["hook"] == ["raised", "raised"]
    assert (outside.desk.home.root / "alerts.damaged.json").exists()


def test_what_was_sent_is_remembered_even_if_the_next_message_kills_us(outside: Outside) -> None:
    said: list[str] = []

    def killed_at_the_second(target: Target, message: Message) -> None:
        if said:
            raise KeyboardInterrupt
        said.append(target.name)

    with pytest.raises(KeyboardInterrupt):
        dispatch(outside.desk.home, outside.desk.rules, [LATE], MONDAY, killed_at_the_second)
    sent = outside.tell(MONDAY, LATE)
    assert len(sent.messages) == 2  # log, hook and mail are owed it; the first has it


def message(**changes: str) -> Message:
    said = {"event": "raised", "key": "k", "subject": "s", "kind": "k", "sentence": "x"}
    return Message(**{**said, "owner": "o", "severity": "minor", "since": "t", **changes})


@pytest.mark.parametrize(
    ("channel", "address", "said"),
    [
        ("webhook", "", "the environment says nothing for TEST_ADDRESS"),
        ("webhook", "file:///etc/passwd", "the address is no http or https address"),
        ("chat", "http://user:secret@127.0.0.1:1/x", "the receiver did not take it"),
        ("email", "http://127.0.0.1", "the mail server is no smtp or smtps address"),
        ("email", "smtp://user:secret@127.0.0.1:1", "the mail server did not take it"),
    ],
)
def test_a_failure_names_neither_address_nor_secret(tmp_path: Path, channel: str, address: str, said: str) -> None:
    names = ("server", "from", "to") if channel == "email" else ("url",)
    environment = {"TEST_ADDRESS": address}
    with pytest.raises(SendError) as failed:
        send(Target("t", channel, dict.fromkeys(names, "TEST_ADDRESS")), message(), environment, tmp_path / "log")
    assert said in str(failed.value)
    assert "secret" not in str(failed.value)
    assert failed.value.__cause__ is None


def test_a_password_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    server = MailServer()
    with server.open() as address:
        secret = address.replace("smtp://", "smtp://kim:secret@")
        environment = {"S": secret, "F": "a@example.com", "T": "b@example.com"}
        target = Target("mail", "email", {"server": "S", "from": "F", "to": "T"})
        with pytest.raises(SendError, match="no TLS"):
            send(target, message(), environment, tmp_path / "log")
    assert server.got == []


def test_an_alert_follows_no_redirect(tmp_path: Path) -> None:
    endpoint = Endpoint()
    endpoint.status = 302
    with endpoint.open() as address, pytest.raises(SendError, match="302"):
        send(Target("h", "webhook", {"url": "U"}), message(), {"U": address}, tmp_path / "log")


def test_a_line_break_in_a_subject_makes_no_header(tmp_path: Path) -> None:
    server = MailServer()
    target = Target("mail", "email", {"server": "S", "from": "F", "to": "T"})
    with server.open() as address:
        environment = {"S": address, "F": "a@example.com", "T": "b@example.com"}
        send(target, message(subject="x\r\nBcc: all@example.com"), environment, tmp_path / "log")
    assert server.got[0]["Bcc"] is None
