"""A landed file as plain UTF-8 bytes, and the traps that are seen in the bytes alone.

Belongs here: unpacking, decoding, control characters, quote parity, line ends.
Does not belong here: columns and values.
Why bytes first (measured on DuckDB 2.0): its CSV reader drops the rows after an unterminated quote without a word and
lets NUL bytes pass; its JSON reader lets NaN and trailing commas pass and keeps 17 digits of a number.
"""

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from finpipe.errors import FinpipeError
from finpipe.ingest import limits

_CHUNK = 8 * limits.MEGABYTE
_OVERLAP = 256
_WHITESPACE = b" \t\r\n"
_SMALL = bytes(range(256)).lower()
_UTF8 = ("utf8", "utf_8", "utf_8_sig", "ascii")
#: Digits and dots become "0", everything else a blank: long numbers are then found at memory speed.
_DIGITS = bytes(0x30 if chr(b) in "0123456789." else 0x20 for b in range(256))
_LONG = b"0" * 16
#: What is no JSON and yet passes DuckDB's reader, in small letters without blanks, and what it stands after there:
#: commas before a closing, numbers that are none, comments. Inside a string they cost a slower reading, no more.
_LOOSE = (
    (b"}", b","),
    (b"]", b","),
    (b"nan", b":[,"),
    (b"inf", b":[,"),
    (b"-nan", b":[,"),
    (b"-inf", b":[,"),
    (b"/*", b']}{[,:"0123456789el'),
    (b"//", b']}{[,"0123456789el'),
)
#: A number that a double may take for zero.
_TINY = re.compile(rb"[0-9][eE]-[0-9]{3}")
#: What may stand before a number in JSON; what stands before digits inside a word may not.
_BEFORE_NUMBER = (b":", b",", b"[", b"-", b" ", b"\t", b"\n", b"\r")
_BRACKETS = bytes.maketrans(b"[{]}", b"(())")
_NO_BRACKETS = bytes(b for b in range(256) if b not in b"[{]}")


def plain(path: Path, name: str, encoding: str, folder: Path) -> Path:
    """The file as plain UTF-8: itself, or a copy in ``folder``; raises ``FinpipeError`` when that cannot be."""
    if path.stat().st_size == 0:
        raise FinpipeError("the file is empty", where=name, fix="export it again; even no rows need a header")
    if name.lower().endswith(".gz"):
        path = _unpacked(path, name, folder)
    codec = codecs.lookup(encoding).name.replace("-", "_")
    if codec in _UTF8:
        _refuse_foreign(path, name)
        return path
    return _decoded(path, name, encoding, folder)


def _unpacked(path: Path, name: str, folder: Path) -> Path:
    """Unpack gzip within the limits of size and ratio."""
    most = min(limits.MAX_FILE_BYTES, max(path.stat().st_size, 4096) * limits.MAX_GZIP_RATIO)
    target, size = folder / "unpacked", 0
    try:
        with gzip.open(path) as source, target.open("wb") as out:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise FinpipeError(
                        "the packed file unfolds beyond the limit",
                        where=name,
                        got=f"more than {most:,} bytes from {path.stat().st_size:,}",
                        fix="deliver it unpacked or in parts",
                    )
                out.write(chunk)
    except (OSError, EOFError, zlib.error) as problem:
        raise FinpipeError("the packed file is damaged", where=name, got=str(problem), fix="send it again") from None
    return target


def _decoded(path: Path, name: str, encoding: str, folder: Path) -> Path:
    """Rewrite a file of another declared encoding as UTF-8."""
    target = folder / "decoded"
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with target.open("wb") as out:
            for chunk in _chunks(path):
                out.write(decoder.decode(chunk).encode())
            out.write(decoder.decode(b"", final=True).encode())
    except UnicodeError as problem:  # not only its kinds: a missing byte order mark is a bare one
        raise FinpipeError(
            f"the file is not {encoding}", where=name, got=str(problem), fix="declare its encoding"
        ) from None
    _refuse_foreign(target, name)
    return target


def _refuse_foreign(path: Path, name: str) -> None:
    """Refuse NUL and unit-separator characters, which no text export holds, and UTF-16 taken for UTF-8."""
    with path.open("rb") as file:
        start = file.read(2)
    if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise FinpipeError(
            "the file is UTF-16, not UTF-8",
            where=name,
            got="a UTF-16 byte order mark",
            fix='export as UTF-8, or declare encoding = "utf-16"',
        )
    at = 0
    for chunk in _chunks(path):
        for bad in (b"\x00", b"\x1f"):
            if (found := chunk.find(bad)) >= 0:
                raise FinpipeError(
                    "the file holds a control character that no text has",
                    where=name,
                    got=f"byte 0x{bad.hex()} at byte {at + found + 1:,}",
                    fix="export it again as plain UTF-8 text",
                )
        at += len(chunk)


def refuse_undecodable(path: Path, name: str) -> None:
    """Refuse text that is not UTF-8 anywhere in the file: the CSV reader looks at the columns it needs only."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = 1
    for chunk in _chunks(path):
        try:
            if not chunk.isascii() or decoder.getstate()[0]:
                decoder.decode(chunk)
        except UnicodeDecodeError as problem:
            lines += problem.object[: problem.start].count(b"\n")
            raise FinpipeError(
                "the text is not UTF-8",
                where=f"{name}, line {lines:,}",
                got=f"byte 0x{problem.object[problem.start]:02x}",
                fix='export as UTF-8, or declare the encoding in [csv] encoding = "..."',
            ) from None
        lines += chunk.count(b"\n")
    if decoder.getstate()[0]:
        raise FinpipeError("the text ends within a character", where=name, fix="the file is torn: export it again")


@dataclass(frozen=True)
class CsvFacts:
    """What the bytes of a CSV file say about its records."""

    newlines: int
    returns: int
    pairs: int
    quotes: int
    #: Delimiters that no quotes hold.
    delimiters: int
    complete: bool
    blank_start: bool

    @property
    def mixed(self) -> bool:
        """Whether line ends differ in a file that has no quoted line ends to explain it."""
        one_kind = self.pairs == self.returns == self.newlines or 0 in (self.returns, self.newlines)
        return self.quotes == 0 and not one_kind

    @property
    def lines(self) -> int:
        """Physical lines, the header's included."""
        ends = self.newlines or self.returns
        return ends + (0 if self.complete else 1)


def csv_facts(path: Path, quote: bytes, delimiter: bytes) -> CsvFacts:
    """Count line ends, quotes and delimiters."""
    newlines = returns = pairs = quotes = delimiters = 0
    last = first = b""
    is_inside = False
    for chunk in _chunks(path):
        newlines += chunk.count(b"\n")
        returns += chunk.count(b"\r")
        pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        quotes += chunk.count(quote) if quote else 0
        bare, is_inside = _outside(chunk, quote, is_inside=is_inside)
        delimiters += bare.count(delimiter)
        first = first or chunk[:4].removeprefix(codecs.BOM_UTF8)[:1]
        last = chunk[-1:]
    is_blank = first in (b"\n", b"\r")
    return CsvFacts(newlines, returns, pairs, quotes, delimiters, last in (b"\n", b"\r"), is_blank)


def _outside(chunk: bytes, quote: bytes, *, is_inside: bool) -> tuple[bytes, bool]:
    """What of a chunk stands outside quotes, and whether it ends inside of them; doubled quotes open and close."""
    if not quote or (quote not in chunk and not is_inside):
        return chunk, False
    if is_inside:
        _, closing, chunk = chunk.partition(quote)
        if not closing:
            return b"", True
    one = re.escape(quote)
    bare, opening, _ = re.sub(one + b"[^" + one + b"]*" + one, b"", chunk).partition(quote)
    return bare, bool(opening)


def json_needs_care(path: Path, name: str) -> bool:
    """Whether a JSON file holds what DuckDB would read inexactly or too kindly; refuses nesting bombs."""
    carry, careful = b"", False
    small = path.stat().st_size <= _CHUNK
    for chunk in _chunks(path):
        window = carry + chunk
        _refuse_nesting(window, name)
        careful = careful or _long_number(window) or (small and _loose(window))
        carry = window[-_OVERLAP:]
    return careful


def _refuse_nesting(window: bytes, name: str) -> None:
    """Refuse a run of openings longer than any real object has."""
    if b"(" * limits.MAX_JSON_DEPTH in window.translate(_BRACKETS, _NO_BRACKETS):
        raise FinpipeError(
            "the JSON is nested too deeply",
            where=name,
            got=f"more than {limits.MAX_JSON_DEPTH} levels",
            fix="export plain objects",
        )


def _loose(window: bytes) -> bool:
    """Whether something occurs that may be no JSON and yet pass DuckDB's reader.

    By looking for the words alone, which costs a tenth of a regular expression for all of them.
    """
    bare = window.translate(_SMALL, _WHITESPACE)
    return any(_follows(bare, word, before) for word, before in _LOOSE)


def _follows(text: bytes, word: bytes, before: bytes) -> bool:
    """Whether a word stands right after one of some characters."""
    return word in text and any(before[i : i + 1] + word in text for i in range(len(before)))


def _long_number(window: bytes) -> bool:
    """Whether a number literal says more than a double keeps. Long digits inside words do not count."""
    if (b"e-" in window or b"E-" in window) and _TINY.search(window):
        return True
    digits, at = window.translate(_DIGITS), -1
    while (at := digits.find(_LONG, at + 1)) >= 0:
        start = digits.rfind(b" ", 0, at) + 1
        if window[max(start - 1, 0) : start] in _BEFORE_NUMBER:
            return True
        at = digits.find(b" ", at)
        if at < 0:
            return False
    return False


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
