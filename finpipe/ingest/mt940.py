"""SWIFT MT940 statements as two tables: statement lines, and statements with their balances.

Belongs here: MT940 through the ``mt-940`` library, one statement at a time, counted against the tags in the text.
Does not belong here: the meaning of lines (mapping of the bank).
Grain: one line per ``:61:``; one statement per ``:20:``. Amounts are exact text, signed: credit
positive, reversals turned (the library counts a reversed credit as money in; the balances prove it is money out).
"""

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from finpipe.errors import FinpipeError
from finpipe.ingest.extract import Job, Part, Rows, refuse_missing, write_part
from finpipe.ingest.json_paths import extraction, path_list
from finpipe.ingest.recognise import lines_table
from finpipe.systems import Table
from finpipe.warehouse import literal

_STATEMENT = re.compile(r"^:20:", re.MULTILINE)
_LINE = re.compile(r"^:61:", re.MULTILINE)
#: Message envelopes around the statement's text.
_ENVELOPE = re.compile(r"^(\{.*|-\}.*)$", re.MULTILINE)
_POSITIVE = ("C", "RD")


def read_mt940(job: Job, plain: Path) -> list[Part]:
    """Lines, and statements when the system has a table for them; raises ``FinpipeError`` for an unsound file."""
    text = _text(job, plain)
    starts = [m.start() for m in _STATEMENT.finditer(text)]
    if not starts:
        raise FinpipeError(
            "the file holds no MT940 statement", where=job.name, got="no :20: tag", fix="export it again"
        )
    statements, lines = [], []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        statement, own = _statement(job, text[start:end])
        statements.append(statement)
        lines += own
    parts = [_part(job, job.system.tables[lines_table(job.system)], "lines", lines, tuple(job.notes))]
    name = str(job.system.settings.get("mt940", {}).get("statements", "statement"))
    if name in job.system.tables:
        parts.append(_part(job, job.system.tables[name], "statements", statements, ()))
    return parts


def _text(job: Job, plain: Path) -> str:
    """The text without envelopes. SWIFT is ASCII; banks that add national characters mostly write Latin-1."""
    data = plain.read_bytes()
    if b"\x00" in data:
        raise FinpipeError(
            "the file holds a control character that no text has",
            where=job.name,
            got="byte 0x00",
            fix="export it again as plain text",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        job.notes.append("the text is not UTF-8 and was read as Latin-1")
        text = data.decode("latin-1")
    return _ENVELOPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _statement(job: Job, block: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One statement and its lines."""
    from mt940.models import Transactions  # noqa: PLC0415
    from mt940.options import Options  # noqa: PLC0415

    parsed = Transactions(options=Options(merge_keeps_values=True))
    try:
        entries = [t.data for t in parsed.parse(block) if "amount" in t.data]
    except (RuntimeError, ValueError, ArithmeticError, AttributeError, KeyError, TypeError) as problem:
        raise _unsound(job, block, f"{type(problem).__name__} while it was read") from None
    if len(entries) != (tags := len(_LINE.findall(block))):
        raise _unsound(job, block, f"{len(entries)} lines understood of {tags} :61: tags")
    statement = _balances(job, parsed.data, block)
    lines = [_line(statement, entry, number) for number, entry in enumerate(entries, 1)]
    _prove(job, statement, lines)
    return statement, lines


def _balances(job: Job, data: Mapping[str, Any], block: str) -> dict[str, Any]:
    """What a statement says of itself; a statement without closing balance is torn."""
    opening = data.get("final_opening_balance") or data.get("intermediate_opening_balance")
    closing = data.get("final_closing_balance") or data.get("intermediate_closing_balance")
    if opening is None or closing is None:
        missing = "opening (:60:)" if opening is None else "closing (:62:)"
        raise _unsound(job, block, f"it has no {missing} balance")
    number, sequence = data.get("statement_number"), data.get("sequence_number")
    return {
        "account_id": data.get("account_identification"),
        "statement_id": "/".join(str(p) for p in (number, sequence) if p is not None) or None,
        "statement_date": str(closing.date),
        "currency": opening.amount.currency,
        "opening_balance": str(opening.amount.amount),
        "opening_date": str(opening.date),
        "closing_balance": str(closing.amount.amount),
        "closing_date": str(closing.date),
    }


def _line(statement: Mapping[str, Any], entry: Mapping[str, Any], number: int) -> dict[str, Any]:
    """One statement line."""
    amount = abs(Decimal(entry["amount"].amount))
    sign = 1 if entry.get("status") in _POSITIVE else -1
    date = str(entry["date"])
    details = " ".join(
        str(entry[k]).replace("\n", " ")
        for k in ("posting_text", "purpose", "transaction_details", "extra_details", "additional_purpose")
        if entry.get(k)
    )
    place = (statement["account_id"], statement["statement_id"], statement["closing_date"], number)
    return {
        "account_id": statement["account_id"],
        "statement_id": statement["statement_id"],
        "line_number": number,
        "booking_date": str(entry.get("guessed_entry_date") or entry.get("entry_date") or date),
        "value_date": date,
        "amount": str(amount * sign),
        "currency": entry.get("currency") or statement["currency"],
        "bank_reference": entry.get("bank_reference"),
        "customer_reference": (entry.get("customer_reference") or "").strip() or None,
        "end_to_end_reference": entry.get("end_to_end_reference"),
        "transaction_code": entry.get("id"),
        "description": details or None,
        "counterparty": entry.get("applicant_name") or entry.get("recipient_name"),
        "entry_id": "/".join("" if p is None else str(p) for p in place),
    }


def _prove(job: Job, statement: dict[str, Any], lines: Sequence[Mapping[str, Any]]) -> None:
    """Keep the count and sum of the lines beside the balances; note where they do not meet."""
    movement = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
    statement["lines"], statement["movement"] = len(lines), str(movement)
    stated = Decimal(statement["closing_balance"]) - Decimal(statement["opening_balance"])
    if stated != movement:
        job.notes.append(
            f"statement {statement['statement_id']} of {statement['account_id']}: balances move by {stated}, "
            f"its lines by {movement}"
        )


def _part(job: Job, table: Table, kind: str, rows: Sequence[Mapping[str, Any]], notes: tuple[str, ...]) -> Part:
    """Rows as the table's columns, by the same aliases as any JSON."""
    if not rows:
        return Part(*_empty(job, table), notes)
    target = job.folder / f"{kind}.jsonl"
    target.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    found = extraction(table, list(rows[0]), None)
    refuse_missing(job, table, found.values, list(rows[0]))
    scan = f"read_json_objects({literal(target)}, format = 'newline_delimited')"
    part = write_part(
        job,
        table,
        [Rows(found.values, f"(select json_extract_string(json, {path_list(found.own)}) as v from {scan})")],
    )
    return Part(part.table, part.path, part.rows, notes)


def _empty(job: Job, table: Table) -> tuple[Table, Path, int]:
    part = write_part(job, table, [Rows({}, "(select 1 where false)")])
    return part.table, part.path, part.rows


def _unsound(job: Job, block: str, got: str) -> FinpipeError:
    first = block.split("\n", 1)[0]
    return FinpipeError(
        "a statement is torn or not MT940",
        where=f"{job.name}, statement {first}",
        got=got,
        fix="ask the bank for the file again",
    )
