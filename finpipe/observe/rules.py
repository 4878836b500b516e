"""What the policy says of time: calendars, what is due when, what is unusual, and who is told.

Belongs here: reading ``[calendars]``, ``[due]``, ``[freshness]`` and ``[alerts]`` of the policy and ``[due]`` of each
system, and refusing what cannot be meant.  Does not belong here: what follows from it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from finpipe.errors import FinpipeError
from finpipe.observe.calendar import Calendar
from finpipe.observe.due import CADENCES, Due
from finpipe.observe.verdicts import KINDS
from finpipe.policy import SEVERITIES, Policy
from finpipe.systems import System

COMPANY = "company"
CHANNELS = ("log", "webhook", "chat", "email")
_DUE = ("cadence", "calendar", "working_day", "by", "expects", "quiet_days")
_ROUTE = ("owners", "severities", "to", "escalate_to", "after_hours")


@dataclass(frozen=True)
class Obligation:
    """A mart that has to be published in time. ``mart`` is ``*`` for the publication as a whole."""

    name: str
    mart: str
    owner: str
    due: Due


@dataclass(frozen=True)
class Route:
    """Who is told of which causes, and who as well when nothing happened for so many business hours."""

    name: str
    to: tuple[str, ...]
    owners: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    escalate_to: tuple[str, ...] = ()
    after_hours: int = 8

    def is_for(self, owner: str, severity: str) -> bool:
        """Whether the route says anything of such a cause; what it does not name, it takes all of."""
        is_theirs = not self.owners or owner.casefold() in {o.casefold() for o in self.owners}
        return is_theirs and (not self.severities or severity in self.severities)


@dataclass(frozen=True)
class Target:
    """Where an alert goes. Addresses and secrets stand in the environment; ``env`` names the variables."""

    name: str
    channel: str
    env: Mapping[str, str]


@dataclass(frozen=True)
class Rules:
    """All of it, for one company."""

    calendars: Mapping[str, Calendar]
    systems: Mapping[str, Due]
    obligations: tuple[Obligation, ...]
    numbers: Mapping[str, int]
    severities: Mapping[str, str]
    routes: tuple[Route, ...]
    targets: Mapping[str, Target]
    opens: time
    hours: int
    #: Systems whose due dates cannot be read: they owe nothing until they can, and that is told.
    unread: Mapping[str, FinpipeError] = field(default_factory=dict)

    @property
    def company(self) -> Calendar:
        """The company's own calendar."""
        return self.calendars[COMPANY]


def rules_of(policy: Policy, systems: Mapping[str, System]) -> Rules:
    """The rules of a company; raises ``FinpipeError`` that names the line of what cannot be meant."""
    calendars = _calendars(policy)
    closes = time(min(policy.opens.hour + policy.hours, 23), policy.opens.minute)
    targets = _targets(policy)
    alerts = policy.operations["alerts"]
    if strange := sorted(set(alerts) - {"severities", "targets", "routes"}):
        known = "[alerts.severities], [alerts.targets], [alerts.routes.<name>]"
        _refuse(policy, ("alerts", strange[0]), "the policy has an unknown key in [alerts]", strange[0], known)
    for kind, severity in alerts["severities"].items():
        if kind not in KINDS or severity not in SEVERITIES:
            what = f"kinds: {', '.join(KINDS)}; severities: {', '.join(SEVERITIES)}"
            _refuse(policy, ("alerts", "severities", kind), "there is no such kind or severity", severity, what)
    for name, value in policy.operations["freshness"].items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            _refuse(policy, ("freshness", name), "a number of [freshness] is whole and above zero", value, "see policy")
    dues, unread = _dues(systems, calendars)
    owners = {o.casefold() for o in (*policy.owners, *(s.owner for s in systems.values()))}
    return Rules(
        calendars=calendars,
        systems={n: replace(due, closes=closes) for n, due in dues.items()},
        unread=unread,
        obligations=tuple(_obligation(policy, n, s, calendars) for n, s in policy.operations["due"].items()),
        numbers=policy.operations["freshness"],
        severities=alerts["severities"],
        routes=tuple(_route(policy, n, s, targets, owners) for n, s in alerts["routes"].items()),
        targets=targets,
        opens=policy.opens,
        hours=policy.hours,
    )


def _dues(
    systems: Mapping[str, System], calendars: Mapping[str, Calendar]
) -> tuple[dict[str, Due], dict[str, FinpipeError]]:
    """When each system is due; one that nobody can read owes nothing, and is told with the reason."""
    dues: dict[str, Due] = {}
    unread: dict[str, FinpipeError] = {}
    for name, system in systems.items():
        try:
            dues[name] = due_of_system(system, calendars)
        except FinpipeError as problem:
            dues[name], unread[name] = _due({"cadence": "none"}, calendars), problem
    return dues, unread


def due_of_system(system: System, calendars: Mapping[str, Calendar]) -> Due:
    """What a system's ``[due]`` says; raises ``FinpipeError``."""
    where = f"{system.folder / 'system.toml'} or finpipe.toml, [systems.{system.name}.due]"
    said = {"cadence": "daily", **system.settings.get("due", {})}
    try:
        return _due(said, calendars)
    except ValueError as problem:
        raise FinpipeError("when a system is due cannot be read", where=where, got=str(problem), fix=_FIX) from None


_FIX = 'for example cadence = "daily", working_day = 1, by = "09:00", calendar = "company"'


def _due(said: Mapping[str, Any], calendars: Mapping[str, Calendar]) -> Due:
    """A due date; raises ``ValueError`` in words."""
    if strange := sorted(set(said) - set(_DUE)):
        raise ValueError(f"{', '.join(strange)}: known are {', '.join(_DUE)}")
    if said.get("cadence", "daily") not in CADENCES:
        raise ValueError(f"cadence = {said['cadence']!r}: one of {', '.join(CADENCES)}")
    if (name := said.get("calendar", COMPANY)) not in calendars:
        raise ValueError(f"calendar = {name!r}: one of {', '.join(calendars)}, or describe it in policies.toml")
    for number, most in (("working_day", 31), ("quiet_days", 366)):
        if not 0 <= int(said.get(number, 1)) <= most:
            raise ValueError(f"{number} = {said[number]!r}: 0 to {most}")
    return Due(
        cadence=str(said.get("cadence", "daily")),
        calendar=calendars[name],
        working_day=int(said.get("working_day", 1)),
        by=time.fromisoformat(str(said.get("by", "09:00"))),
        expects=tuple(str(p) for p in said.get("expects", ())),
        quiet_days=int(said.get("quiet_days", 3)),
    )


def _calendars(policy: Policy) -> dict[str, Calendar]:
    """Named calendars. The company's holidays are those of [business_hours], and stated nowhere else."""
    found = {}
    for name, said in policy.operations["calendars"].items():
        place = ("calendars", name)
        known = ("timezone",) if name == COMPANY else ("timezone", "holidays", "weekend")
        if not isinstance(said, dict) or set(said) - set(known):
            _refuse(policy, place, "a calendar cannot be read", said, f"known keys: {', '.join(known)}")
        try:
            holidays = policy.holidays if name == COMPANY else [date.fromisoformat(d) for d in said.get("holidays", ())]
            zone = ZoneInfo(said.get("timezone", "UTC"))
            weekend = frozenset(int(d) for d in said.get("weekend", (6, 7)))
        except (ZoneInfoNotFoundError, ValueError, TypeError) as problem:
            fix = 'timezone = "Europe/Berlin", holidays = ["2026-10-03"], weekend = [6, 7]'
            _refuse(policy, place, "a calendar cannot be read", problem, fix)
        if not weekend < frozenset(range(1, 8)):
            _refuse(policy, place, "a week has days that are worked", sorted(weekend), "weekend = [6, 7]")
        found[name] = Calendar(name, zone, frozenset(holidays), weekend)
    return found


def _obligation(policy: Policy, name: str, said: dict[str, Any], calendars: Mapping[str, Calendar]) -> Obligation:
    given = {k: v for k, v in said.items() if k not in ("mart", "owner")}
    try:
        due = _due(given, calendars)
    except ValueError as problem:
        _refuse(policy, ("due", name), "when a mart is due cannot be read", problem, _FIX)
    return Obligation(name, str(said.get("mart", name)), str(said.get("owner", policy.owner)), due)


def _targets(policy: Policy) -> dict[str, Target]:
    found = {}
    for name, said in policy.operations["alerts"]["targets"].items():
        channel = said.get("channel", "")
        variables = {k.removesuffix("_env"): v for k, v in said.items() if k != "channel"}
        needed = {"log": set(), "webhook": {"url"}, "chat": {"url"}, "email": {"server", "from", "to"}}
        if channel not in CHANNELS or set(said) - {"channel"} != {f"{n}_env" for n in needed[channel]}:
            fix = 'channel = "chat", url_env = "NAME_OF_THE_VARIABLE"; e-mail needs server_env, from_env and to_env'
            _refuse(policy, ("alerts", "targets", name), "a target of alerts cannot be read", said, fix)
        found[name] = Target(name, channel, variables)
    return found


def _route(
    policy: Policy, name: str, said: dict[str, Any], targets: Mapping[str, Target], owners: Collection[str]
) -> Route:
    place = ("alerts", "routes", name)
    if strange := sorted(set(said) - set(_ROUTE)):
        _refuse(policy, (*place, strange[0]), "a route has an unknown key", strange[0], f"known: {', '.join(_ROUTE)}")
    named = (*said.get("to", ()), *said.get("escalate_to", ()))
    if not said.get("to") or (unknown := [t for t in named if t not in targets]):
        got = unknown if said.get("to") else "to = []"
        _refuse(policy, place, "a route leads nowhere", got, f"targets: {', '.join(targets)}")
    if strange := [s for s in said.get("severities", ()) if s not in SEVERITIES]:
        _refuse(policy, place, "there is no such severity", strange, f"one of {', '.join(SEVERITIES)}")
    if strange := [o for o in said.get("owners", ()) if o.casefold() not in owners]:
        _refuse(policy, place, "a route names an owner that nobody is", strange, f"one of {', '.join(sorted(owners))}")
    lists = {k: tuple(said.get(k, ())) for k in ("to", "owners", "severities", "escalate_to")}
    return Route(name, after_hours=int(said.get("after_hours", 8)), **lists)


def _refuse(policy: Policy, place: tuple[str, ...], error: str, got: object, fix: str) -> NoReturn:
    policy.refuse(place, error, got, fix)
