"""One measured process within a throw-away environment: a tool loads a folder of CSV files into a DuckDB file.

Belongs here: each library as its own first page shows it.  Imports nothing of finpipe: it is not installed there.
Each file is ``<system>__<table>.csv`` and becomes a table of that name.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path


def main() -> None:
    """``loading.py TOOL FOLDER DATABASE [PROGRAM]``."""
    tool, folder, database, *more = sys.argv[1:]
    tools: dict[str, Callable[..., None]] = {
        "dlt": dlt_rows,
        "pandas": pandas_guessed,
        "pandas_text": pandas_text,
        "polars": polars_guessed,
        "polars_text": polars_text,
        "singer": singer,
    }
    tools[tool](sorted(Path(folder).glob("*.csv")), database, *more)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def dlt_rows(files: list[Path], database: str) -> None:
    """Rows as Python dicts, all settings as they come."""
    import dlt  # noqa: PLC0415

    pipeline = dlt.pipeline(
        "others",
        pipelines_dir=str(Path(database).with_name("dlt")),
        destination=dlt.destinations.duckdb(database),
        dataset_name="raw",
    )
    pipeline.run([dlt.resource(_rows(path), name=path.stem) for path in files]).raise_on_failed_jobs()


def pandas_guessed(files: list[Path], database: str, **how: object) -> None:
    """``read_csv`` as it comes: types are guessed."""
    import duckdb  # noqa: PLC0415
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore]  # noqa: PLC0415

    with duckdb.connect(database) as connection:
        for path in files:
            connection.register("frame", pd.read_csv(path, **how))
            connection.execute(f'create table "{path.stem}" as from frame')


def pandas_text(files: list[Path], database: str) -> None:
    """``read_csv`` told to guess nothing."""
    pandas_guessed(files, database, dtype=str, keep_default_na=False)


def polars_guessed(files: list[Path], database: str, **how: object) -> None:
    """``read_csv`` as it comes: types are guessed from the first hundred rows."""
    import duckdb  # noqa: PLC0415
    import polars as pl  # noqa: PLC0415

    with duckdb.connect(database) as connection:
        for path in files:
            connection.register("frame", pl.read_csv(path, **how).to_arrow())  # type: ignore[arg-type]
            connection.execute(f'create table "{path.stem}" as from frame')


def polars_text(files: list[Path], database: str) -> None:
    """``read_csv`` told to guess nothing."""
    polars_guessed(files, database, infer_schema=False)


def singer(files: list[Path], database: str, target: str) -> None:
    """A tap that writes a schema and a record for each row, piped into the target."""
    config = Path(database).with_name("target.json")
    told = {"filepath": database, "default_target_schema": "raw", "primary_key_required": False}
    config.write_text(json.dumps(told), encoding="utf-8")
    text = {"type": ["null", "string"]}
    with subprocess.Popen([target, "-c", str(config)], stdin=subprocess.PIPE, text=True) as process:  # noqa: S603
        pipe = process.stdin
        if pipe is None:
            raise RuntimeError("no pipe")
        for path in files:
            for number, row in enumerate(_rows(path)):
                if not number:
                    schema = {"properties": dict.fromkeys(row, text)}
                    message = {"type": "SCHEMA", "stream": path.stem, "schema": schema, "key_properties": []}
                    pipe.write(json.dumps(message) + "\n")
                pipe.write(json.dumps({"type": "RECORD", "stream": path.stem, "record": row}) + "\n")
        pipe.close()
        if process.wait():
            raise RuntimeError(f"the target ended with {process.returncode}")


if __name__ == "__main__":
    main()
