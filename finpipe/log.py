"""One line for each thing that happened to data, on standard error, for whoever collects logs. Off unless asked for.

Belongs here: which facts a line may state, and how it is written.  Does not belong here: progress on a screen (``cli``)
and the history of runs (Dagster's event log).
A line states names of ours, numbers and digests, and never a cell, a file's name or a sentence: a fact that is not in
``FACTS``, or a value that is no plain word, is a defect and raises, so no payload and no secret gets in by accident.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

#: ``json`` or ``text``; anything else, or nothing, is silence. ``finpipe --log-format`` sets it.
VARIABLE = "FINPIPE_LOG"
FORMATS = ("json", "text")
#: What a line may state.
FACTS = {
    "run": "id of the run in Dagster",
    "job": "job of the run",
    "system": "name of the system",
    "table": "table of the system",
    "digest": "SHA-256 of the file, or digest of the publication",
    "sequence": "number of the landed file, which is its number in the ledger",
    "trace": "correlation id of the file, from its manifest to the ledger",
    "rows": "rows read",
    "bytes": "size as delivered",
    "files": "number of files",
    "entities": "number of entities worked on",
    "repairs": "number of repairs",
    "build": "number of the build",
    "publication": "number of the publication",
    "as_of": "business date",
    "verdict": "how it ended",
    "seconds": "how long it took",
}
_PLAIN = re.compile(r"[\w.:+-]{0,80}")
_run: ContextVar[str] = ContextVar("run", default="")


@contextmanager
def of_run(run_id: str) -> Iterator[None]:
    """Lines within belong to a run."""
    token = _run.set(run_id)
    try:
        yield
    finally:
        _run.reset(token)


def note(event: str, **facts: str | int | float | None) -> None:
    """Write a line, if lines are wanted; facts without a value are left out."""
    form = os.environ.get(VARIABLE)
    said = {"event": event, "run": _run.get() or None} | facts
    for name, value in said.items():
        if name not in FACTS and name != "event":
            raise ValueError(f"a log line may not state {name}")
        if isinstance(value, str) and not _PLAIN.fullmatch(value):
            raise ValueError(f"{name} of a log line is no plain word")
    if form not in FORMATS:
        return
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds")}
    line |= {name: value for name, value in said.items() if value not in (None, "")}  # type: ignore[misc]
    words = json.dumps(line) if form == "json" else " ".join(f"{name}={value}" for name, value in line.items())
    print(words, file=sys.stderr, flush=True)  # noqa: T201 - this is the log
