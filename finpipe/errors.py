"""Mistakes that a user can make and mend; everything else is a defect and keeps its stack trace."""

import os
import re

_SECRET_NAMES = re.compile(r"passw|secret|token|api_?key|credential|private|dsn|_url$|smtp", re.IGNORECASE)
#: A user, with a password (which may hold a slash) or without.
_IN_ADDRESS = re.compile(r"(\w*://)(?:[^\s/@]*:[^\s@]*|[^\s/@]+)@")
#: Shorter values are words that also stand elsewhere.
_LEAST_SECRET = 6


class FinpipeError(Exception):
    """A user's mistake, told in four parts: what is wrong, where, what was found, how to fix it."""

    def __init__(self, error: str, *, where: str = "", got: str = "", fix: str = "") -> None:
        """Keep the four parts; only ``error`` is always there."""
        self.error, self.where, self.got, self.fix = (without_secrets(text) for text in (error, where, got, fix))
        super().__init__(self.error)


class BusyError(FinpipeError):
    """Another process holds the write lock; trying again later is right (exit code 75)."""


def without_secrets(text: str) -> str:
    """Words of other programs may repeat what they were given: passwords in addresses, secrets of the environment."""
    text = _IN_ADDRESS.sub(r"\1…@", text)
    for name, value in os.environ.items():
        if len(value) >= _LEAST_SECRET and _SECRET_NAMES.search(name):
            text = text.replace(value, "…")
    return text
