"""Mistakes that a user can make and mend; everything else is a defect and keeps its stack trace."""


class FinpipeError(Exception):
    """A user's mistake, told in four parts: what is wrong, where, what was found, how to fix it."""

    def __init__(self, error: str, *, where: str = "", got: str = "", fix: str = "") -> None:
        """Keep the four parts; only ``error`` is always there."""
        super().__init__(error)
        self.error, self.where, self.got, self.fix = error, where, got, fix


class BusyError(FinpipeError):
    """Another process holds the write lock; trying again later is right (exit code 75)."""
