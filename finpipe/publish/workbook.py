"""The queue of exceptions as an Excel workbook, for people who work in one.

Belongs here: cells and their types.  Does not belong here: what an exception is; every cell is read from a publication.
Amounts are numbers with their currency's decimals, dates are dates.  Text never becomes a formula or a link: names come
from customers, and a cell that opens with ``=`` could run.
"""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from finpipe.errors import FinpipeError
from finpipe.publish.read import Answer, query
from finpipe.reference.currencies import MINOR_UNITS
from finpipe.settings import Home

#: What a sheet of Excel can hold, less its header.
MOST_ROWS = 1_048_575
#: Excel keeps 15 digits of a number: an amount with more stays text, so that none is lost.
_MOST_DIGITS = 15
#: First characters that other programs read as a formula when the sheet is saved as CSV.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WIDEST = 60

_QUEUE = """
select exception_id, code, severity, state, owner, assigned_to, due_at, escalation, currency, amount, period,
    happened_on, legal_entity_id, customer_id, origin, leg, left_key, right_key, sentence, cause, prepared_by,
    approved_by, waiver, waived_until_on, first_seen_on, open_since_on
from main.exceptions where {where} order by abs(coalesce(amount, 0)) desc, exception_id limit {limit}"""
_SUMMARY = """
select code, owner, severity, state, currency, count(*) as exceptions,
    sum(coalesce(amount, 0))::decimal(18, 4) as amount, sum(abs(coalesce(amount, 0)))::decimal(18, 4) as gross_amount,
    min(due_at) as next_due_at
from main.exceptions where {where} group by all order by 1, 2, 3, 4, 5"""
_CAUSES = """
select code, leg, cause, currency, count(*) as exceptions, sum(coalesce(amount, 0))::decimal(18, 4) as amount,
    min(sentence) as example
from main.exceptions where {where} group by all order by 5 desc, 1, 2, 3, 4 limit {limit}"""
_HISTORY = """
select exception_id, event, as_of_on, decided_by, decided_at, reason, verdict, why, code, owner, currency,
    amount, sentence
from main.exception_history
where exception_id in (select exception_id from main.exceptions where {where})
order by exception_id, spell, decided_at nulls first, event_id limit {limit}"""
_SHEETS = {"Summary": _SUMMARY, "Exceptions": _QUEUE, "Causes": _CAUSES, "History": _HISTORY}


def write_workbook(home: Home, path: Path, where: str = "true") -> int:
    """Write the exceptions that meet an SQL condition; returns how many there are.

    Raises ``FinpipeError`` when there are more than a sheet holds, or the file cannot be written.
    """
    import xlsxwriter  # noqa: PLC0415 - only this command needs it

    count = int(query(home, f"select count(*) from main.exceptions where {where}").rows[0][0])
    if count > MOST_ROWS:
        raise FinpipeError(
            "there are more exceptions than a sheet holds",
            where=str(path),
            got=f"{count:,}",
            fix=f"narrow them, by --code or --owner; a sheet holds {MOST_ROWS:,}",
        )
    if not path.resolve().parent.is_dir():
        raise FinpipeError("there is no such folder", where=str(path.resolve().parent), fix="make it first")
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        formats = _Formats(book)
        for name, sql in _SHEETS.items():
            _sheet(book.add_worksheet(name), formats, query(home, sql.format(where=where, limit=MOST_ROWS)))
    return count


class _Formats:
    """Formats of cells, made once each: Excel allows a book only so many."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}
        self.head = book.add_format({"bold": True, "bottom": 1})

    def of(self, number_format: str) -> Any:
        """The format that shows a number or date so."""
        if number_format not in self._made:
            self._made[number_format] = self._book.add_format({"num_format": number_format})
        return self._made[number_format]

    def money(self, currency: str | None) -> Any:
        """Thousands apart, and as many decimals as the currency has."""
        places = MINOR_UNITS.get(currency or "", 2)
        return self.of("#,##0" + ("." + "0" * places if places else ""))


def _sheet(sheet: Any, formats: _Formats, answer: Answer) -> None:
    """One sheet: header that stays, filters, cells by their type."""
    widths = [len(name) for name in answer.columns]
    currency = answer.columns.index("currency")
    for column, name in enumerate(answer.columns):
        sheet.write_string(0, column, name.replace("_", " "), formats.head)
    for number, row in enumerate(answer.rows, 1):
        for column, value in enumerate(row):
            widths[column] = max(
                widths[column], min(_write(sheet, formats, number, column, value, row[currency]), _WIDEST)
            )
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width + 2)
    sheet.freeze_panes(1, 0)
    if answer.rows:
        sheet.autofilter(0, 0, len(answer.rows), len(answer.columns) - 1)


def _write(sheet: Any, formats: _Formats, row: int, column: int, value: Any, currency: str | None) -> int:
    """Write one cell by the type of its value; returns how wide it is."""
    if value is None:
        return 0
    if isinstance(value, Decimal) and len(value.normalize().as_tuple().digits) <= _MOST_DIGITS:
        sheet.write_number(row, column, value, formats.money(currency))
    elif isinstance(value, int) and not isinstance(value, bool):
        sheet.write_number(row, column, value, formats.of("#,##0"))
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value.replace(tzinfo=None), formats.of("yyyy-mm-dd hh:mm"))
    elif isinstance(value, date):
        sheet.write_datetime(row, column, value, formats.of("yyyy-mm-dd"))
    else:
        sheet.write_string(row, column, harmless(str(value)))
    return len(str(value))


def harmless(text: str) -> str:
    """Text that no program takes for a formula, also after the sheet was saved as CSV; cut at what a cell holds."""
    return ("'" + text if text.startswith(_FORMULA) else text)[:32_767]
