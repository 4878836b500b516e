"""What is derived from the contracts for others to read: dbt's sources and the data dictionary.

Belongs here: rendering text from contracts; writing it is a development task (``python -m finpipe.contracts.render``)
and a test proves that what is committed is what this renders.
Does not belong here: any fact about a column.
"""

from pathlib import Path

from finpipe.contracts import Column, columns, entities
from finpipe.settings import PROJECT

SOURCES = PROJECT / "dbt_project" / "models" / "canonical.yml"
DICTIONARY = PROJECT / "docs" / "data_dictionary.md"
_HEAD = "# Rendered from finpipe/contracts by `make render`; edit the contracts instead.\n"
_DICTIONARY_HEAD = (
    "# Data dictionary: canonical entities\n\n"
    "Rendered from `finpipe/contracts` by `make render`. The published marts carry their own descriptions in "
    "the catalogue: `select * from duckdb_columns()` on a snapshot shows them.\n"
)


def dbt_sources() -> str:
    """The canonical tables as a dbt source, every column with its type and description."""
    lines = [
        _HEAD + "version: 2\nsources:\n  - name: canonical\n    schema: canonical\n"
        "    description: Accepted rows of every entity, one state, validated by its contract.\n    tables:"
    ]
    for name, entity in entities().items():
        lines.append(f"      - name: {name}\n        description: {_quoted(entity.__doc__)}\n        columns:")
        lines += [
            f"          - name: {c.name}\n            data_type: {c.sql_type.lower()}\n"
            f"            description: {_quoted(c.description)}"
            for c in columns(entity)
        ]
    return "\n".join(lines) + "\n"


def data_dictionary() -> str:
    """Every canonical entity and column as one Markdown page."""
    parts = [_DICTIONARY_HEAD]
    for name, entity in entities().items():
        rows = "\n".join(_row(c) for c in columns(entity))
        parts.append(
            f"## {name}\n\n{_prose(entity.__doc__)}\n\n"
            f"| column | type | required | meaning |\n|---|---|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def _row(column: Column) -> str:
    meaning = column.description
    if column.to:
        must = ", must exist" if column.must_exist else ""
        meaning += f" → `{column.to}`{must}"
    if column.values:
        meaning += " One of " + ", ".join(f"`{v}`" for v in column.values) + "."
    return f"| `{column.name}` | {column.sql_type.lower()} | {'' if column.nullable else 'yes'} | {meaning} |"


def _prose(doc: str | None) -> str:
    return " ".join((doc or "").split())


def _quoted(doc: str | None) -> str:
    return '"' + _prose(doc).replace("\\", "\\\\").replace('"', '\\"') + '"'


def rendered() -> dict[Path, str]:
    """Every rendered file with its text."""
    return {SOURCES: dbt_sources(), DICTIONARY: data_dictionary()}


if __name__ == "__main__":
    for path, text in rendered().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
