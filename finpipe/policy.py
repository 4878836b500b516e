"""Policy: who owns what, what is tolerated and material, how long a person has; one place and its version.

Belongs here: reading what is shipped, laying a company's ``policies.toml`` over it, and refusing what cannot be meant,
with its file and line.
Does not belong here: what follows from a policy (models, and the stages that ask for it).
"""

import csv
import hashlib
import re
import tomllib
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

from finpipe.errors import FinpipeError
from finpipe.settings import PROJECT, Home

SHIPPED = PROJECT / "policies"
SEVERITIES = ("blocking", "material", "minor", "timing")
_SECTIONS = (
    "owner",
    "owners",
    "tolerances",
    "materiality",
    "business_hours",
    "publication",
    "codes",
    "reconciliations",
)
#: What the policy says of time and of who is told: it changes no figure, so it is no part of the version.
#: ``finpipe.observe.rules`` says what may stand there.
_OPERATIONS = ("calendars", "due", "freshness", "alerts")
_CODE_FIELDS = ("severity", "owner", "sla_hours")
_LEG_FIELDS = ("tolerance", "owner")
_OTHER = "other"


@dataclass(frozen=True)
class Policy:
    """The policy in force: what is shipped, with the company's own words laid over it."""

    owner: str
    owners: dict[str, tuple[str, ...]]
    tolerances: dict[str, int]
    second_person_from: dict[str, Decimal]
    second_person_severities: tuple[str, ...]
    material_from: dict[str, Decimal]
    close_up_to: dict[str, Decimal]
    opens: time
    hours: int
    holidays: tuple[date, ...]
    stops_at_blocking: bool
    #: Rows of exception_codes and reconciliation_policies, columns by name.
    codes: tuple[dict[str, str], ...]
    reconciliations: tuple[dict[str, str], ...]
    #: Sections that change no figure, and where the company's words stand, for whoever refuses some of them.
    operations: dict[str, Any] = field(repr=False)
    given: "_Given" = field(repr=False)

    def refuse(self, place: tuple[str, ...], error: str, got: object, fix: str) -> NoReturn:
        """Refuse what the company says at ``place``, with file and line."""
        self.given.refuse(place, error, got, fix)

    @property
    def version(self) -> str:
        """Changes with anything that the policy says."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def needs_second_person(self, severity: str, amount: Decimal | None, currency: str | None) -> bool:
        """Whether a waiver of such an exception counts only once another person has approved it."""
        threshold = self.second_person_from.get(currency or _OTHER, self.second_person_from[_OTHER])
        return severity in self.second_person_severities or abs(amount or Decimal(0)) >= threshold


def policy_of(home: Home) -> Policy:
    """The policy of a company; raises ``FinpipeError`` that names file and line of what cannot be meant."""
    shipped = SHIPPED / "policy.toml"
    base = {
        **_Given(shipped, shipped.read_text(encoding="utf-8")).said,
        "codes": {r["code"]: r for r in _rows("exception_codes.csv")},
        "reconciliations": {f"{r['reconciliation_id']} {r['leg']}": r for r in _rows("reconciliation_policies.csv")},
    }
    own = home.root / "policies.toml"
    given = _Given(own, own.read_text(encoding="utf-8") if own.exists() else "")
    _check(given, base)
    return _made(_merged(base, given.said), given)


def _rows(name: str) -> list[dict[str, str]]:
    with (SHIPPED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class _Given:
    """A TOML file, and at which line it says something."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.lines = path, text.splitlines()
        try:
            self.said: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            raise FinpipeError(
                "the policy is not valid TOML", where=str(path), got=str(problem), fix="correct the line it names"
            ) from None

    def refuse(self, place: tuple[str, ...], error: str, got: object, fix: str) -> NoReturn:
        """Refuse what stands at ``place``, a path of keys."""
        raise FinpipeError(error, where=f"{self.path}, line {self._line(place)}", got=str(got), fix=fix)

    def _line(self, place: tuple[str, ...]) -> int:
        """The line that says the longest part of ``place``; the first when none does."""
        table: tuple[str, ...] = ()
        best, found = 0, 1
        for number, line in enumerate(self.lines, 1):
            text = line.strip()
            if text.startswith("["):
                here = table = _path(text)
            elif "=" in text and not text.startswith("#"):
                here = (*table, *_path(text.partition("=")[0].strip() + " = 0"))
            else:
                continue
            if len(here) > best and here == place[: len(here)]:
                best, found = len(here), number
        return found


def _path(line: str) -> tuple[str, ...]:
    """The keys that a line of TOML names, outermost first."""
    try:
        said: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while isinstance(said, dict) and said:
        key = next(iter(said))
        keys.append(key)
        said = said[key]
    return tuple(keys)


def _check(given: _Given, base: dict[str, Any]) -> None:
    """Refuse unknown names, negative numbers and owners that nobody has."""
    for section, said in given.said.items():
        if section not in (*_SECTIONS, *_OPERATIONS):
            known = ", ".join((*_SECTIONS, *_OPERATIONS))
            given.refuse((section,), "the policy has an unknown section", section, f"known: {known}")
        if section != "owner" and not isinstance(said, dict):
            given.refuse((section,), "a section of the policy is no table", said, f"write [{section}]")
    for section in ("tolerances", "materiality", "business_hours", "publication", "freshness"):
        for name in given.said.get(section, {}):
            if name not in base[section]:
                known = ", ".join(base[section])
                given.refuse((section, name), f"the policy has an unknown key in [{section}]", name, f"known: {known}")
    _check_numbers(given)
    _check_owners(given, base)
    for section, known, fields in (("codes", "code", _CODE_FIELDS), ("reconciliations", "reconciliation", _LEG_FIELDS)):
        for name, said in given.said.get(section, {}).items():
            _check_entry(given, base, (section, name), known, said, fields)


def _check_numbers(given: _Given) -> None:
    for name, value in given.said.get("tolerances", {}).items():
        if not _is_whole(value) or value < 0:
            given.refuse(
                ("tolerances", name), "a tolerance is a whole number that is not negative", value, "0 tolerates nothing"
            )
    materiality = given.said.get("materiality", {})
    for name in ("second_person_from", "material_from", "close_up_to"):
        for currency, value in materiality.get(name, {}).items():
            if _decimal(value) is None or not re.fullmatch(rf"[A-Z]{{3}}|{_OTHER}", currency):
                given.refuse(
                    ("materiality", name, currency),
                    "a threshold is an amount that is not negative, by currency",
                    f"{currency} = {value!r}",
                    'write USD = 1000, or EUR = "999.99"',
                )
    if strange := set(materiality.get("second_person_severities", ())) - set(SEVERITIES):
        place = ("materiality", "second_person_severities")
        given.refuse(place, "there is no such severity", ", ".join(sorted(strange)), f"one of {', '.join(SEVERITIES)}")
    _check_hours(given)


def _check_hours(given: _Given) -> None:
    hours = given.said.get("business_hours", {})
    try:
        opens = time.fromisoformat(hours.get("opens", "09:00"))
        [date.fromisoformat(day) for day in hours.get("holidays", ())]
    except (TypeError, ValueError) as problem:
        given.refuse(
            ("business_hours",), "business hours cannot be read", problem, 'opens = "09:00", dates as 2025-12-25'
        )
    length = hours.get("hours", 8)
    if not _is_whole(length) or not 1 <= length <= 24 - opens.hour:
        given.refuse(("business_hours", "hours"), "a business day ends on the day it begins", length, "hours = 8")


def _check_owners(given: _Given, base: dict[str, Any]) -> None:
    for role, said in given.said.get("owners", {}).items():
        people = said.get("people", []) if isinstance(said, dict) else None
        if people is None or set(said) - {"people"} or not all(isinstance(p, str) and p for p in people):
            given.refuse(("owners", role), "a role names its people", said, f'{role} = {{ people = ["ann"] }}')
    roles = {**base["owners"], **given.said.get("owners", {})}
    named = {r for r in roles if roles[r] != {"people": []}}
    for section, entries in ((s, given.said.get(s, {})) for s in ("codes", "reconciliations")):
        for name, said in entries.items():
            owner = said.get("owner") if isinstance(said, dict) else None
            if owner is not None and owner not in named:
                given.refuse(
                    (section, name, "owner"),
                    "nobody has this owner",
                    owner,
                    f"one of {', '.join(sorted(named))}, or give it people in [owners]",
                )
    if (owner := given.said.get("owner", base["owner"])) not in named:
        given.refuse(("owner",), "nobody has this owner", owner, f"one of {', '.join(sorted(named))}")
    used = {row["owner"] for s in ("codes", "reconciliations") for row in base[s].values()}
    for role in sorted(used - named):
        given.refuse(("owners", role), "nobody has this owner, and exceptions need it", role, "name its people")


def _check_entry(
    given: _Given, base: dict[str, Any], place: tuple[str, str], what: str, said: Any, fields: tuple[str, ...]
) -> None:
    """Check one ``[codes.<code>]`` or ``[reconciliations."<id> <leg>"]``."""
    section, name = place
    if name not in base[section]:
        given.refuse(place, f"there is no such {what}", name, f"known: {', '.join(sorted(base[section]))}")
    if not isinstance(said, dict):
        given.refuse(place, f"a {what} is a table", said, f"known keys: {', '.join(fields)}")
    for key, value in said.items():
        if key not in fields:
            given.refuse((*place, key), f"a {what} has no such key", key, f"known: {', '.join(fields)}")
        if key == "severity" and value not in SEVERITIES:
            given.refuse((*place, key), "there is no such severity", value, f"one of {', '.join(SEVERITIES)}")
        if key == "sla_hours" and not (_is_whole(value) and value > 0):
            given.refuse((*place, key), "business hours to act are a whole number above zero", value, "sla_hours = 8")
        if key == "tolerance" and (not isinstance(value, str) or value.strip().startswith("-")):
            given.refuse((*place, key), "a tolerance is words, and not negative", value, 'tolerance = "exact"')


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _decimal(value: object) -> Decimal | None:
    """An amount that is not negative, from a whole number or plain decimal text; never from a float."""
    if not _is_whole(value) and not isinstance(value, str):
        return None
    text = str(value)
    return Decimal(text) if re.fullmatch(r"[0-9]{1,14}(\.[0-9]{1,4})?", text) else None


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        old = merged.get(name)
        merged[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _made(said: dict[str, Any], given: _Given) -> Policy:
    materiality, hours = said["materiality"], said["business_hours"]
    return Policy(
        owner=said["owner"],
        owners={role: tuple(given.get("people", ())) for role, given in sorted(said["owners"].items())},
        tolerances=dict(sorted(said["tolerances"].items())),
        second_person_from=_thresholds(materiality["second_person_from"]),
        second_person_severities=tuple(sorted(materiality["second_person_severities"])),
        material_from=_thresholds(materiality["material_from"]),
        close_up_to=_thresholds(materiality["close_up_to"]),
        opens=time.fromisoformat(hours["opens"]),
        hours=hours["hours"],
        holidays=tuple(sorted(date.fromisoformat(day) for day in hours["holidays"])),
        stops_at_blocking=bool(said["publication"]["stops_at_blocking"]),
        codes=_texts(said["codes"]),
        reconciliations=tuple(
            {k: str(v) for k, v in row.items()} for _, row in sorted(said["reconciliations"].items())
        ),
        operations={name: said[name] for name in _OPERATIONS},
        given=given,
    )


def _thresholds(said: dict[str, Any]) -> dict[str, Decimal]:
    return {currency: _decimal(value) or Decimal(0) for currency, value in sorted(said.items())}


def _texts(entries: dict[str, dict[str, Any]]) -> tuple[dict[str, str], ...]:
    """Rows in the order of their names, every value as text."""
    return tuple({k: str(v) for k, v in row.items()} for _, row in sorted(entries.items()))
