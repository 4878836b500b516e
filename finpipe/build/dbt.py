"""dbt, called in this process.

Belongs here: how dbt is invoked and what its events say.  Does not belong here: what they mean to a build.
In process a build of thirty models costs two CPU seconds, through the command line ten.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from finpipe.build import parsed
from finpipe.build.manifest import DBT_PROJECT
from finpipe.errors import FinpipeError

#: Command line options that keep dbt from phoning, colouring, prompting or writing into the project.
_QUIET = ("--no-send-anonymous-usage-stats", "--no-use-colors", "--log-level", "none", "--log-level-file", "none")
_ENVIRONMENT = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1"}


def invoke(
    command: list[str],
    *,
    warehouse: Path,
    scratch: Path,
    variables: str,
    settings: dict[str, str] | None = None,
    listen: Callable[[Any], None] = lambda _: None,
) -> bool:
    """Run one dbt command; true when it and everything it ran succeeded.

    Raises ``FinpipeError`` with dbt's own words when dbt itself could not run, or did not know what it was asked for:
    dbt would only warn.
    """
    unknown: list[str] = []

    def hear(event: Any) -> None:
        if event.info.name == "NoNodesForSelectionCriteria":
            unknown.append(event.data.spec_raw)
        listen(event)

    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - costs three CPU seconds: only who builds pays

    fingerprint = parsed.key(variables, warehouse.stem)
    manifest = parsed.recall(fingerprint)
    with _environment({**_ENVIRONMENT, **(settings or {}), "FINPIPE_WAREHOUSE": str(warehouse)}), _released():
        result = dbtRunner(manifest, callbacks=[hear]).invoke(
            [
                *_QUIET,
                *command,
                "--project-dir",
                str(DBT_PROJECT),
                "--profiles-dir",
                str(DBT_PROJECT),
                "--target-path",
                str(scratch / "target"),
                "--log-path",
                str(scratch / "logs"),
                "--vars",
                variables,
            ]
        )
    if result.exception is not None:
        raise FinpipeError(
            "dbt could not run",
            where=str(DBT_PROJECT),
            got=" ".join(str(result.exception).split()),
            fix="correct the model or macro it names",
        )
    if unknown:
        raise FinpipeError(
            "dbt knows nothing of that name",
            where=str(DBT_PROJECT),
            got=", ".join(unknown),
            fix="python -m finpipe.build.keep makes the committed manifest anew",
        )
    if manifest is None:
        parsed.keep(scratch / "target" / "partial_parse.msgpack", fingerprint)
    return bool(result.success)


@contextmanager
def _released() -> Iterator[None]:
    """Give the database file back when dbt has ended: dbt keeps one handle open, as opening it for each node costs."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager as Kept  # noqa: PLC0415

    try:
        yield
    finally:
        if Kept._ENV is not None:
            Kept._ENV.close()
        Kept.close_all_connections()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for dbt's profile and put back what was there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
