"""A CSV file as text columns: declared dialect, the header read by us, everything that does not fit refused.

Belongs here: CSV.  Does not belong here: guessing. Sniffing loaded 50 of 62 polluted files silently different.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from finpipe.errors import FinpipeError
from finpipe.ingest import limits
from finpipe.ingest.extract import (
    Job,
    Part,
    Rows,
    found_columns,
    one_of,
    refuse_missing,
    refuse_repeated,
    with_columns,
    write_part,
)
from finpipe.ingest.plain import CsvFacts, csv_facts, refuse_undecodable
from finpipe.systems import System, Table
from finpipe.warehouse import literal


@dataclass(frozen=True)
class Dialect:
    """How a system writes CSV: its ``[csv]``."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'

    @classmethod
    def of(cls, system: System) -> "Dialect":
        """The declared dialect; raises ``FinpipeError`` for a key that is not known."""
        given = system.settings.get("csv", {})
        if strange := sorted(set(given) - set(cls.__dataclass_fields__)):
            raise FinpipeError(
                "[csv] has an unknown key",
                where=str(system.folder / "system.toml"),
                got=", ".join(strange),
                fix=f"known are {', '.join(cls.__dataclass_fields__)}",
            )
        return cls(**given)


def read_csv(job: Job, plain: Path, table: Table) -> list[Part]:
    """One part: the file's rows as the table's columns; raises ``FinpipeError`` when the file is not sound."""
    dialect = Dialect.of(job.system)
    if job.name.lower().removesuffix(".gz").endswith(".tsv"):
        dialect = Dialect(dialect.encoding, "\t", dialect.quote)
    refuse_undecodable(plain, job.name)
    facts = csv_facts(plain, dialect.quote.encode(), dialect.delimiter.encode())
    _refuse_torn(job, facts)
    names = _header(job, plain, dialect)
    found = found_columns(table, names)
    refuse_missing(job, table, found, names)
    position = {name: f"c{i}" for i, name in enumerate(names)}
    values = {column: one_of([position[n] for n in hits]) for column, hits in found.items()}
    try:
        part = write_part(job, table, [Rows(values, _scan(plain, dialect, len(names)))])
    except (duckdb.InvalidInputException, duckdb.ConversionException) as problem:
        raise _told(job, str(problem), len(names)) from None
    _refuse_miscounted(job, plain, facts, part.rows, len(names))
    _refuse_ragged(job, plain, dialect, facts.delimiters - (part.rows + 1) * (len(names) - 1), len(names))
    notes = [] if facts.complete else ["the last line has no line end: check that the file is whole"]
    return [with_columns(part, found, tuple(notes))]


def _refuse_torn(job: Job, facts: CsvFacts) -> None:
    """Refuse what the bytes alone show to be broken."""
    if facts.quotes % 2:
        raise FinpipeError(
            "a quotation mark is not closed",
            where=job.name,
            got=f"{facts.quotes:,} quotation marks, an odd number",
            fix="the file is torn or a text holds a bare quote: export it again with quotes doubled inside texts",
        )
    if facts.mixed:
        raise FinpipeError(
            "lines end in different ways",
            where=job.name,
            got=f"{facts.pairs:,} CRLF, {facts.newlines - facts.pairs:,} LF, {facts.returns - facts.pairs:,} CR",
            fix="export it again in one piece; files joined by hand often show this",
        )
    if facts.blank_start:
        raise FinpipeError("the first line is empty", where=job.name, fix="the header must be the first line")


def _header(job: Job, plain: Path, dialect: Dialect) -> list[str]:
    """Names of the columns, from the first record."""
    with plain.open("rb") as file:
        raw = file.read(limits.MAX_CSV_LINE_BYTES)
    text = raw.decode("utf-8-sig", errors="replace")
    rows = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )
    csv.field_size_limit(limits.MAX_CSV_LINE_BYTES)
    names = next(rows, [])
    if len(names) > limits.MAX_COLUMNS:
        raise FinpipeError(
            "the file has too many columns",
            where=job.name,
            got=f"{len(names):,}",
            fix=f"export at most {limits.MAX_COLUMNS:,}",
        )
    refuse_repeated(job.name, names)
    return names


def _scan(plain: Path, dialect: Dialect, width: int) -> str:
    """The DuckDB table function that reads the file without guessing."""
    columns = ", ".join(f"c{i}: 'VARCHAR'" for i in range(width))
    quote = literal(dialect.quote)
    return (
        f"read_csv({literal(plain)}, auto_detect = false, header = true, columns = {{{columns}}}, "
        f"delim = {literal(dialect.delimiter)}, quote = {quote}, escape = {quote}, strict_mode = true, "
        f"comment = '', max_line_size = {limits.MAX_CSV_LINE_BYTES})"
    )


def _refuse_miscounted(job: Job, plain: Path, facts: CsvFacts, rows: int, width: int) -> None:
    """Compare the rows read with the lines there are, where no quoted line end can explain a difference."""
    if facts.quotes or rows == facts.lines - 1:
        return
    expected = facts.lines - 1 - (_blank_lines(plain) if width > 1 else 0)
    if rows != expected:
        raise FinpipeError(
            "the reader found another number of rows than the file has lines",
            where=job.name,
            got=f"{rows:,} rows, {expected:,} lines below the header",
            fix="export it again; report the file if this repeats",
        )


def _refuse_ragged(job: Job, plain: Path, dialect: Dialect, beyond: int, width: int) -> None:
    """Refuse a line with one field too many that is empty, which DuckDB takes away without a word.

    It may be all that tells of a text with an unquoted delimiter: ``7,Acme, Inc,`` under ``id,name,memo``.
    """
    if not beyond:
        return
    with plain.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=dialect.delimiter, quotechar=dialect.quote or None)
        found = next(((lines.line_num, line) for line in lines if line and len(line) != width), None)
    line, fields = found or (0, [])
    raise FinpipeError(
        "a line has another number of fields than the header",
        where=f"{job.name}, line {line:,}" if found else job.name,
        got=f"{len(fields)} fields where the header has {width}" if found else f"{beyond:,} delimiters too many",
        fix="the line is torn, or a text with the delimiter is not quoted: export it again",
    )


def _blank_lines(plain: Path) -> int:
    with plain.open("rb") as file:
        return sum(1 for line in file if not line.strip(b"\r\n"))


_LINE = re.compile(r"CSV Error on Line: (\d+)")
_FIELDS = re.compile(r"Expected Number of Columns: (\d+) Found: (\d+)")


def _told(job: Job, message: str, width: int) -> FinpipeError:
    """DuckDB's message as a sentence of ours."""
    line = _LINE.search(message)
    where = f"{job.name}, line {line[1]}" if line else job.name
    for mark, error, fix in _SENTENCES:
        if mark in message:
            fields = _FIELDS.search(message)
            got = f"{fields[2]} fields where the header has {width}" if fields else message.split("\n", 1)[0][:200]
            return FinpipeError(error, where=where, got=got, fix=fix)
    return FinpipeError(
        "the CSV cannot be read", where=where, got=message.split("\n", 1)[0][:300], fix="export it again"
    )


_SENTENCES: Sequence[tuple[str, str, str]] = (
    (
        "Expected Number of Columns",
        "a line has another number of fields than the header",
        "the line is torn, or a text with the delimiter is not quoted: export it again",
    ),
    (
        "Invalid unicode",
        "the text is not UTF-8",
        'export as UTF-8, or declare the encoding in [csv] encoding = "..."',
    ),
    (
        "unterminated quote",
        "a quoted value goes on after its closing quote",
        "double the quotation marks inside texts",
    ),
    (
        "state machine reached an invalid state",
        "line ends or quotes are mixed up",
        "export it again with one kind of line end and quotes doubled inside texts",
    ),
    (
        "Maximum line size",
        "a line is too long",
        f"at most {limits.MAX_CSV_LINE_BYTES:,} bytes; an unclosed quote can cause this",
    ),
)
