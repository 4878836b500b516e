"""Write the sample extracts and the totals expected of them.

    python -m tests.sample_company.make        (from the repository's root)

Deterministic: no clock, no randomness. `test_sample.py` holds the committed files equal to what this writes.
"""

from __future__ import annotations

from pathlib import Path

from .books import keep_books
from .files import json_text
from .ledger import post
from .truth import expected
from .write_bank import bank_files
from .write_controls import controls_files
from .write_netsuite import netsuite_files
from .write_salesforce import salesforce_files
from .write_stripe import stripe_files

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "sources"


def make() -> tuple[dict[str, str], str]:
    """The extracts as {"<system>/<file>": text}, and expected.json."""
    books = keep_books()
    ledger = post(books)
    systems = {
        "salesforce": salesforce_files(ledger),
        "stripe": stripe_files(books, ledger),
        "netsuite": netsuite_files(ledger),
        "bank": bank_files(books),
        "controls": controls_files(books, ledger),
    }
    files = {f"{system}/{name}": body for system, found in systems.items() for name, body in found.items()}
    return files, json_text(expected(books, ledger, files))


def path_of(name: str) -> Path:
    system, file = name.split("/")
    return SOURCES / system / "sample" / file


def write() -> None:
    """Write everything; remove sample files that are no longer made."""
    files, truth = make()
    for name, body in files.items():
        path_of(name).parent.mkdir(parents=True, exist_ok=True)
        path_of(name).write_bytes(body.encode())
    wanted = {path_of(name) for name in files}
    for folder in {path.parent for path in wanted}:
        for stale in set(folder.iterdir()) - wanted:
            stale.unlink()
    (HERE / "expected.json").write_bytes(truth.encode())


if __name__ == "__main__":
    write()
