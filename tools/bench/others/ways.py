"""Which tools are measured, and how each is called.

Belongs here: commands and what they need beside them.  Does not belong here: measuring (``tools.bench.measure``).
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.bench.others.environments import Environment

_LOADING = str(Path(__file__).with_name("loading.py"))


@dataclass(frozen=True)
class Other:
    """A tool: its environment, what its name stands for, and by what the marts are made over what it loaded."""

    name: str
    title: str
    environment: str
    packages: tuple[str, ...]
    marts: str = ""  # dbt, hand, or nothing: loading alone


OTHERS = (
    Other("dlt", "dlt, rows as dicts, settings as they come", "python", ("dlt",), "dbt"),
    Other("sling", "sling", "sling", ("sling-linux-amd64", "duckdb-cli"), "dbt"),
    Other("pandas", "pandas, types guessed", "python", ("pandas",), "hand"),
    Other("pandas_text", "pandas, all as text", "python", ("pandas",), "hand"),
    Other("polars", "polars, types guessed", "python", ("polars",), "hand"),
    Other("polars_text", "polars, all as text", "python", ("polars",), "hand"),
    Other("singer", "Singer, a tap piped into target-duckdb", "singer", ("target-duckdb",)),
)


def command(other: Other, there: Environment, files: Path, place: Path) -> tuple[list[str], dict[str, str]]:
    """How a tool loads a folder of files into ``place/loaded.duckdb``, and what it must find in its environment."""
    database = place / "loaded.duckdb"
    if other.name == "sling":
        return _sling(there, files, place, database)
    more = [there.program("target-duckdb")] if other.name == "singer" else []
    return [there.python, _LOADING, other.name, str(files), str(database), *more], {"HOME": str(place)}


def _sling(there: Environment, files: Path, place: Path, database: Path) -> tuple[list[str], dict[str, str]]:
    """A replication of all files. It calls DuckDB's command line, which finds its extensions in the home."""
    program = there.find("sling_linux_amd64/bin/sling-linux-amd64")
    duckdb = there.find("duckdb_cli/duckdb")
    for path in (program, duckdb):
        path.chmod(0o755)
    for extension in ("json", "httpfs"):
        source = there.find(f"duckdb_extension_{extension}/extensions/*/{extension}.duckdb_extension")
        kept = place / ".duckdb" / "extensions" / source.parent.name / "linux_amd64" / source.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, kept)
    streams = {f"file://{path}": {"object": f"main.{path.stem}"} for path in sorted(files.glob("*.csv"))}
    replication = {"source": "LOCAL", "target": "OTHER", "defaults": {"mode": "full-refresh"}, "streams": streams}
    (place / "replication.json").write_text(json.dumps(replication), encoding="utf-8")
    told = {
        "HOME": str(place),
        "DUCKDB_PATH": str(duckdb),
        "OTHER": json.dumps({"type": "duckdb", "instance": str(database)}),
        "SLING_DISABLE_TELEMETRY": "true",
        # Its own way without a server on the local machine, at which DuckDB's command line waited for ever.
        "DUCKDB_USE_TMP_FILE": "true",
        "NO_COLOR": "1",
    }
    return [str(program), "run", "-r", str(place / "replication.json")], told
