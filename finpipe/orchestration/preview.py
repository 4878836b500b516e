"""What published figures would become: recomputed from landing beside what is there, cause by cause.

Belongs here: the steps of a preview, keeping what is finished, and whether a preview still holds.
Does not belong here: publishing (``backfill``).  No write lock is held: micro-batches go on meanwhile.

The figures are made anew at the business date of the publication in force, one cause after the other, each on top of
those before: what changed in code, policy and settings over the loads that were published; then new loads; then new
decisions.  So every difference has one cause, and the causes add up.  Policies and code of the past are not kept as
such: where several changed, they are one cause.
A preview is known by all that goes into it.  The same again is read, not made; a kill costs the step it hit.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from finpipe.errors import FinpipeError
from finpipe.ingest import known
from finpipe.ingest.decide import ROLE
from finpipe.ingest.landing import Manifest, manifests, write_synced
from finpipe.orchestration.beside import Tell, beside, broken, held, is_free, make
from finpipe.orchestration.figures import Difference, Figure, Figures, Place, differences, figures_of, from_text
from finpipe.orchestration.stamps import versions
from finpipe.publish import current, manifest_of, reading
from finpipe.settings import Home
from finpipe.systems import find_systems
from finpipe.warehouse import connect

_DONE = "preview.json"
#: Finished previews that are kept after what they follow from has changed; each is a few hundred kilobytes.
_MOST_KEPT = 5
_WORDS = {"code_version": "code", "policy_version": "policy", "settings_version": "settings"}


@dataclass(frozen=True)
class Inputs:
    """All that a preview follows from."""

    publication: int
    digest: str
    as_of: str
    published_seq: int
    load_seq: int
    versions: dict[str, str]
    #: Which of code, policy and settings are others than those of the publication.
    changed: tuple[str, ...]

    @property
    def key(self) -> str:
        """One name for all of it."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Preview:
    """What would change and why, the figures as they would be, and what would fail the audit."""

    inputs: Inputs
    loads: tuple[dict[str, Any], ...]
    differences: tuple[Difference, ...]
    figures: Figures
    broken: str


@dataclass(frozen=True)
class _Step:
    """One cause, and which landed files there are with it."""

    cause: str
    admits: Callable[[Manifest], bool]


def inputs_of(home: Home) -> Inputs:
    """What a preview made now would follow from; raises ``FinpipeError`` when nothing is published."""
    folder = current(home)
    if folder is None:
        raise FinpipeError(
            "there is nothing to compare with", where=str(home.published), got="no publication", fix="finpipe run"
        )
    said, now = manifest_of(folder), versions(home)
    return Inputs(
        publication=said["publication"],
        digest=said["digest"],
        as_of=said["as_of"],
        published_seq=said["load_seq"],
        load_seq=known(home, find_systems(home)).load_seq,
        versions=now,
        changed=tuple(word for name, word in _WORDS.items() if said.get(name) != now[name]),
    )


def preview(home: Home, tell: Tell = lambda _stage, _what: None) -> Preview:
    """Recompute beside what is there and compare, or read what an earlier call has found out.

    Raises ``BusyError`` while another process makes the same preview.
    """
    inputs = inputs_of(home)
    _sweep(home, inputs)
    work = home.backfills / inputs.key
    work.mkdir(parents=True, exist_ok=True)
    with held(work):
        if not (work / _DONE).exists():
            _make(home, inputs, work, tell)
    return _read(home, inputs, work)


def kept(home: Home, inputs: Inputs) -> Preview | None:
    """The finished preview of exactly these inputs."""
    work = home.backfills / inputs.key
    return _read(home, inputs, work) if (work / _DONE).exists() else None


def latest(home: Home) -> Inputs | None:
    """What the newest finished preview followed from, whether it still holds or not."""
    done = sorted(home.backfills.glob(f"*/{_DONE}"), key=lambda p: p.stat().st_mtime)
    if not done:
        return None
    said = json.loads(done[-1].read_text(encoding="utf-8"))["inputs"]
    return Inputs(**{**said, "changed": tuple(said["changed"])})


def new_loads(home: Home, after: int, upto: int) -> list[Manifest]:
    """Files that landed after a load, up to another."""
    systems = find_systems(home)
    return [m for m in manifests(home) if m.system in systems and after < m.order <= upto]


def _make(home: Home, inputs: Inputs, work: Path, tell: Tell) -> None:
    second = beside(home, work / "home")
    before = _published(home)
    found: list[Difference] = []
    failed = ""
    for number, step in enumerate(_steps(home, inputs), start=1):
        path = work / f"{number}.json"
        if not path.exists():
            tell("preview", step.cause)
            # A later step adds files between those of an earlier one: the chain is then another, and rightly so.
            second.witness.unlink(missing_ok=True)
            report = make(second, date.fromisoformat(inputs.as_of), tell, step.admits)
            _write(path, {"broken": broken(report), "figures": _as_text(_recomputed(second, broken(report)))})
        said = json.loads(path.read_text(encoding="utf-8"))
        after, failed = _from_text(said["figures"]), said["broken"]
        found += differences(before, after, step.cause)
        before = after
    facts = {"broken": failed, "figures": _as_text(before), "differences": [d.as_text() for d in found]}
    _write(work / _DONE, {"inputs": _plain(inputs), **facts})
    shutil.rmtree(work / "home", ignore_errors=True)


def _recomputed(second: Home, failed: str) -> Figures:
    with connect(second) as connection:
        try:
            return figures_of(connection, "marts.period_figures")
        except duckdb.CatalogException:
            raise FinpipeError(
                "the figures cannot be recomputed",
                where=str(second.root),
                got=failed,
                fix="correct the model it names; nothing was published",
            ) from None


def _steps(home: Home, inputs: Inputs) -> list[_Step]:
    """The causes there are, in order; none when nothing that figures follow from has changed."""
    systems, published = find_systems(home), inputs.published_seq
    new = new_loads(home, published, inputs.load_seq)
    steps = []
    if inputs.changed:
        steps.append(_Step(f"changed {' and '.join(inputs.changed)}", lambda m: m.order <= published))

    def is_decided(manifest: Manifest) -> bool:
        return systems[manifest.system].role == ROLE

    if any(not is_decided(m) for m in new):
        data = {m.order for m in new if not is_decided(m)}
        steps.append(_Step("new loads", lambda m: m.order <= published or m.order in data))
    if any(is_decided(m) and m.table == "decision" for m in new):
        steps.append(_Step("decisions", lambda m: m.order <= inputs.load_seq))
    return steps


def _published(home: Home) -> Figures:
    with reading(home) as connection:
        there = "select 1 from duckdb_tables() where schema_name = 'main' and table_name = 'period_figures'"
        if connection.execute(there).fetchall():
            return figures_of(connection, "main.period_figures")
    raise FinpipeError(
        "the publication in force is older than the figures that are compared",
        where=str(current(home)),
        got="no table period_figures",
        fix="finpipe run publishes them; preview what comes after that",
    )


def _read(home: Home, inputs: Inputs, work: Path) -> Preview:
    said = json.loads((work / _DONE).read_text(encoding="utf-8"))
    loads = tuple(
        {"load_seq": m.order, "system": m.system, "file": m.original_name, "received_at": m.received_at}
        for m in new_loads(home, inputs.published_seq, inputs.load_seq)
    )
    found = tuple(from_text(d) for d in said["differences"])
    return Preview(inputs, loads, found, _from_text(said["figures"]), said["broken"])


def _as_text(figures: Figures) -> list[list[str | None]]:
    rows = [
        [
            p.measure,
            p.period,
            str(p.period_ends_on or "") or None,
            p.legal_entity_id,
            p.currency,
            str(f.amount),
            f.quarter,
        ]
        for p, f in figures.items()
    ]
    return sorted(rows, key=str)


def _from_text(rows: list[list[Any]]) -> Figures:
    figures: Figures = {}
    for measure, period, ends_on, entity, currency, amount, quarter in rows:
        place = Place(measure, period, date.fromisoformat(ends_on) if ends_on else None, entity, currency)
        figures[place] = Figure(Decimal(amount), quarter)
    return figures


def _plain(inputs: Inputs) -> dict[str, Any]:
    return {**inputs.__dict__, "changed": list(inputs.changed)}


def _write(path: Path, said: dict[str, Any]) -> None:
    write_synced(path, json.dumps(said, ensure_ascii=False) + "\n", path.parent)


def _sweep(home: Home, inputs: Inputs) -> None:
    """Remove the warehouses of previews that can no longer be finished; what they found out stays for a while."""
    folders = [p for p in home.backfills.glob("*") if p.is_dir() and p.name != inputs.key and is_free(p)]
    for folder in folders:
        if (folder / _DONE).exists():
            continue
        shutil.rmtree(folder, ignore_errors=True)
    finished = sorted((p for p in folders if p.exists()), key=lambda p: (p / _DONE).stat().st_mtime)
    for folder in finished[:-_MOST_KEPT]:
        shutil.rmtree(folder, ignore_errors=True)
