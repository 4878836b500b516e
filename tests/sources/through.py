"""A few extract rows, taken through LAND, LOAD and CONFORM as a company's files would be."""

from pathlib import Path

import duckdb

from finpipe.ingest import land
from finpipe.settings import Home
from finpipe.systems import find_systems
from tests.line import load_and_conform


class Line:
    """One company: files are given, then `rows` asks what became of them."""

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.refused: list[str] = []

    def configure(self, text: str) -> None:
        """Write the company's finpipe.toml."""
        self.home.root.mkdir(parents=True, exist_ok=True)
        (self.home.root / "finpipe.toml").write_text(text)

    def give(self, system: str, files: dict[str, str]) -> "Line":
        """Write files and land them; `_` in a name before its extension numbers deliveries."""
        folder = self.folder / system
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text.strip() + "\n", encoding="utf-8")
        return self.land(system, [folder / name for name in files])

    def land(self, system: str, paths: list[Path]) -> "Line":
        """Land files as they are."""
        for result in land(self.home, find_systems(self.home)[system], paths):
            if result.verdict == "refused":
                self.refused.append(f"{result.path.name}: {result.reason}")
        return self

    def run(self) -> "Line":
        """Load what is landed and bring canonical up to it."""
        systems = find_systems(self.home)
        loaded, _ = load_and_conform(self.home, systems)
        self.refused += [f"{file.original_name}: {file.reason}" for file in loaded.refused]
        return self

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of a query on the company's working database."""
        with duckdb.connect(str(self.home.warehouse), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def quarantined(self) -> list[tuple[object, ...]]:
        """Entity, key and reasons of every refused row."""
        return self.rows("select entity, row_key, reasons from quarantine.rows order by entity, row_key")


def table(header: str, *rows: str) -> str:
    """A CSV file."""
    return "\n".join([header, *rows])
