"""Contracts: one pandera class per canonical entity, the only statement of its fields.

Casts, the gate, dbt's sources, the data dictionary and masks are derived from these classes.
A new entity is one new module here; nothing lists them by hand.
"""

import importlib
import inspect
import pkgutil
from functools import cache

from finpipe.contracts.base import Canonical, Column, columns, key_of, own_columns, version_of

__all__ = ["Canonical", "Column", "columns", "entities", "key_of", "own_columns", "version_of"]


@cache
def entities() -> dict[str, type[Canonical]]:
    """Every canonical entity by its plural name (the name of its module), in alphabetical order."""
    found: dict[str, type[Canonical]] = {}
    for module in pkgutil.iter_modules(__path__):
        loaded = importlib.import_module(f"{__name__}.{module.name}")
        for _, cls in inspect.getmembers(loaded, inspect.isclass):
            if issubclass(cls, Canonical) and cls is not Canonical and cls.__module__ == loaded.__name__:
                found[module.name] = cls
    return found
