"""PUBLISH: audited tables → one numbered, read-only, whole snapshot; readers see the last good one, never a half.

A snapshot is a folder ``published/<seq>/`` with ``finance.duckdb``, the same tables as parquet, and
``manifest.json``.  ``published/current`` points to the one in force and is swapped in one step.
"""

from finpipe.publish.digest import Digest, digest_tables, whole
from finpipe.publish.read import current, holding, manifest_of, publications, query, reading
from finpipe.publish.snapshot import Published, Stamps, freeze, publish, roll_back, write

__all__ = [
    "Digest",
    "Published",
    "Stamps",
    "current",
    "digest_tables",
    "freeze",
    "holding",
    "manifest_of",
    "publications",
    "publish",
    "query",
    "reading",
    "roll_back",
    "whole",
    "write",
]
