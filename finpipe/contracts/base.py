"""What every canonical row carries, whatever the entity.

Belongs here: the columns the gate adds or requires in each entity, and how an entity is asked about itself.
Does not belong here: columns of one entity (its own module) and rendering (``render``).
"""

import hashlib
from functools import cache
from typing import Any

import pandera.polars as pa
import polars as pl

from finpipe.contracts.fields import Instant, flag, instant, text, whole

#: Columns that the gate fills; a mapping never states them.
GATE_COLUMNS = ("system", "source_id", "recorded_at", "row_hash", "contract_version")
#: Columns that every mapping states beside those of its entity.
MAPPING_COLUMNS = ("valid_from", "is_deleted", "source_table", "load_seq", "row_number")


class Canonical(pa.DataFrameModel):
    """The columns common to all entities: provenance, both clocks, deletion and identity of content."""

    system: str = text("Folder below sources/ whose mapping gave the row.", required=True)
    source_id: str = text(
        "The record's own id: the key without role and prefix. A migrated record keeps its first.", required=True
    )
    valid_from: Instant = instant("Business clock: when the source last modified the record; null if it does not say.")
    recorded_at: Instant = instant("Our clock: when the file that holds the record was landed.", required=True)
    is_deleted: bool = flag("The source deleted or merged away the record; kept as evidence, out of every mart.")
    source_table: str = text("Raw table whose record gave the row.", required=True)
    load_seq: int = whole("Sequence number, in the load ledger, of the file that holds the record.", required=True)
    row_number: int = whole("Number of the record within that file, from 1.", required=True)
    row_hash: str = text("MD5 over the contract's own columns: equal content, equal hash.", required=True)
    contract_version: str = text("Fingerprint of the contract that accepted the row.", required=True)

    class Config:
        """Refuse frames with columns beyond the contract."""

        strict = True


class Column:
    """One column of a contract, as everything derived from contracts sees it."""

    def __init__(self, name: str, spec: Any) -> None:
        """Read what the contract says of the column ``name``."""
        self.name = name
        declared = spec.dtype.type
        self.dtype: pl.DataType = declared() if isinstance(declared, type) else declared
        self.nullable: bool = spec.nullable
        self.description: str = spec.description or ""
        meta = spec.metadata or {}
        self.role: str = meta.get("role", "text")
        self.to: str | None = meta.get("to")
        self.must_exist: bool = meta.get("must_exist", False)
        self.at_risk: bool = meta.get("at_risk", False)
        self.personal: bool = meta.get("personal", False)
        self.values: list[str] | None = meta.get("values")
        self.space: str | None = meta.get("space")
        self.ids: int = meta.get("ids", 0)

    @property
    def sql_type(self) -> str:
        """The DuckDB type of the column."""
        if isinstance(self.dtype, pl.Decimal):
            return f"DECIMAL({self.dtype.precision},{self.dtype.scale})"
        if isinstance(self.dtype, pl.Datetime):
            return "TIMESTAMP WITH TIME ZONE"
        return {pl.String: "VARCHAR", pl.Date: "DATE", pl.Boolean: "BOOLEAN", pl.Int64: "BIGINT"}[type(self.dtype)]


def columns(entity: type[Canonical]) -> tuple[Column, ...]:
    """Every column of an entity: its own first, in the order of the module, then the common ones."""
    return _columns(entity)  # type: ignore[arg-type]  # classes are hashable; mypy sees the metaclass of pandera


@cache
def _columns(entity: type[Canonical]) -> tuple[Column, ...]:
    spec = entity.to_schema().columns
    common = set(Canonical.to_schema().columns)
    ordered = [n for n in spec if n not in common] + [n for n in spec if n in common]
    return tuple(Column(name, spec[name]) for name in ordered)


def own_columns(entity: type[Canonical]) -> tuple[Column, ...]:
    """The columns that belong to the entity itself: what its mappings state and its hash covers."""
    common = set(Canonical.to_schema().columns)
    return tuple(c for c in columns(entity) if c.name not in common)


def key_of(entity: type[Canonical]) -> str:
    """Name of the entity's key column; raises ``ValueError`` unless there is exactly one."""
    keys = [c.name for c in columns(entity) if c.role == "key"]
    if len(keys) != 1:
        raise ValueError(f"{entity.__name__} must declare exactly one key column, it declares {keys}")
    return keys[0]


def version_of(entity: type[Canonical]) -> str:
    """Fingerprint of what a contract demands: it changes with a column, type or rule, not with prose."""
    spec = entity.to_schema()
    facts = [
        (c.name, str(c.dtype), c.nullable, c.role, c.to, c.must_exist, str(spec.columns[c.name].checks))
        for c in columns(entity)
    ]
    rules = [check.name for check in spec.checks]
    return hashlib.sha256(repr((facts, rules)).encode()).hexdigest()[:12]
