"""A company whose files go through the shipped stages, so that a mapping shows what it does."""

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finpipe.conform import ConformReport
from finpipe.ingest import land
from finpipe.settings import PROJECT, Config, Home
from finpipe.systems import System, read_system
from finpipe.warehouse import connect
from tests.line import load_and_conform

#: A file's content: text as it is, one object, or several as JSON lines.
Content = str | bytes | dict[str, Any] | list[dict[str, Any]]


class Company:
    """One home with one system: give it files, ask for canonical rows."""

    def __init__(self, root: Path, name: str, overrides: dict[str, Any] | None = None, **config: Any) -> None:
        self.home = Home(root / "home")
        self.home.__dict__["config"] = Config(**config)
        self.drop = root / "extracts"
        self.system: System = read_system(PROJECT / "sources" / name / "system.toml", overrides or {})

    def land(self, files: dict[str, Content]) -> None:
        """Land files of this content; refusals at the door fail the test."""
        self.drop.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            path = self.drop / name
            path.write_bytes(content if isinstance(content, bytes) else _text(content).encode())
            self.land_paths([path])

    def land_paths(self, paths: list[Path]) -> None:
        refused = [(r.path.name, r.reason) for r in land(self.home, self.system, paths) if r.verdict == "refused"]
        assert not refused, refused

    def conform(self) -> ConformReport:
        """Load what is landed and conform it; a file refused in loading fails the test."""
        systems = {self.system.name: self.system}
        loaded, conformed = load_and_conform(self.home, systems)
        assert not loaded.refused, loaded.refused
        return conformed

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the working database; amounts come as text without trailing zeros beyond cents."""
        with connect(self.home) as connection:
            return [tuple(map(_plain, row)) for row in connection.execute(sql).fetchall()]

    def column(self, sql: str) -> list[Any]:
        return [row[0] for row in self.rows(sql)]

    def refused(self) -> list[tuple[str, str, str]]:
        """(entity, key, reasons) of everything in quarantine."""
        return self.rows("select entity, row_key, reasons from quarantine.rows order by entity, row_key")


def _text(content: Content) -> str:
    if isinstance(content, list):
        return "".join(json.dumps(item) + "\n" for item in content)
    return content if isinstance(content, str) else json.dumps(content)


def _plain(value: Any) -> Any:
    """Decimals as text with two places at least; dates and moments as ISO text; the rest as it is."""
    if isinstance(value, Decimal):
        whole, _, part = f"{value:f}".partition(".")
        return f"{whole}.{part.rstrip('0').ljust(2, '0')}"
    return str(value) if isinstance(value, date | datetime) else value


NewCompany = Callable[..., Company]


@pytest.fixture
def company_of(tmp_path: Path) -> NewCompany:
    """Make a company that uses one shipped system, with overrides of its description and of finpipe.toml."""

    def made(name: str, overrides: dict[str, Any] | None = None, **config: Any) -> Company:
        return Company(tmp_path, name, overrides, **config)

    return made


__all__ = ["Company", "Content", "NewCompany"]
