"""Writing a workbook: real numbers, days, moments and truths where a spreadsheet keeps them exactly, else texts."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO, Any
from zoneinfo import ZoneInfo

from clientela.errors import Invalid
from clientela.exchange.guarding import guarded
from clientela.exchange.outputs.tables import CHUNK, Asked, Column, Table, table_of
from clientela.i18n.texts import _
from clientela.kinds.base import Kind
from clientela.kinds.numbers import (
    BooleanKind,
    DecimalKind,
    DurationKind,
    IntegerKind,
    MoneyKind,
    PercentKind,
)
from clientela.kinds.times import DayKind, InstantKind

# What one sheet, and one cell, of a spreadsheet holds.
MOST_ROWS = 1_048_576
MOST_SIGNS = 32_767
_PIECE = 1 << 16
_EPOCH = date(1900, 3, 1)  # before it spreadsheets count a day that never was
_MILLISECOND = 1_000
_UNNAMEABLE = re.compile(r"[\[\]:*?/\\]")
_NO_XML = re.compile("[\ufffe\uffff]")
_LONGEST_NAME = 31

# Nothing that looks like a formula, a link or a number becomes one; rows leave memory as the next one begins.
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}

Put = Callable[[Any, int, int, str], None]


def write_xlsx(asked: Asked) -> Iterator[bytes]:
    """Write a workbook into a file of the system, and give that in pieces once it is whole."""
    return _written(asked, table_of(asked, split_money=True))


def _written(asked: Asked, table: Table) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as kept:
        _fill(kept, asked, table)
        kept.seek(0)
        while piece := kept.read(_PIECE):
            yield piece


def _fill(kept: IO[bytes], asked: Asked, table: Table) -> None:
    from xlsxwriter import Workbook  # noqa: PLC0415 - few processes write one

    book = Workbook(kept, OPTIONS)
    try:
        zone = asked.ctx.app.settings.zone
        puts = [_put(column, book, zone) for column in table.columns]
        title = sheet_name(asked.ctx.show(asked.info.heading))
        sheet, line, sheets = _begun(book, title, table), 1, 1
        for columns in table.chunks(CHUNK):
            for row in zip(*columns, strict=True):
                if line == MOST_ROWS:
                    sheets += 1
                    sheet, line = _begun(book, sheet_name(title, sheets), table), 1
                for place, text in enumerate(row):
                    if text:
                        puts[place](sheet, line, place, text)
                line += 1
    finally:
        book.close()


def sheet_name(title: str, number: int = 1) -> str:
    """Give a name that every spreadsheet takes.

    >>> sheet_name("Offers: 2026/27"), sheet_name("Customers", 2)
    ('Offers  2026 27', 'Customers 2')
    """
    ending = f" {number}" if number > 1 else ""
    clean = _UNNAMEABLE.sub(" ", title).strip(" '")[: _LONGEST_NAME - len(ending)]
    return (clean or "Records") + ending


def _begun(book: Any, name: str, table: Table) -> Any:
    """Begin a sheet: a header that stays when one scrolls, and columns wide enough for it."""
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, max(12, min(40, len(column.name) + 4)))
    for place, name_ in enumerate(table.header):
        sheet.write_string(0, place, name_, bold)
    return sheet


def _put(column: Column, book: Any, zone: ZoneInfo) -> Put:
    """Give the function that puts a text of this column into a cell."""
    kind: Kind = column.field.kind
    makers: list[tuple[type, Callable[[], Put]]] = [
        (MoneyKind, lambda: _amount(_form(book, "#,##0.00##"), column.name)),
        # The sign is a letter here: the number stays what it is, and is not divided by a hundred.
        (PercentKind, lambda: _number(_form(book, '0.00##"%"'), column.name)),
        (DurationKind, lambda: _text(column.name)),
        (DecimalKind, lambda: _number(None, column.name)),
        (IntegerKind, lambda: _number(None, column.name)),
        (DayKind, lambda: _day(_form(book, "yyyy-mm-dd"), column.name)),
        (InstantKind, lambda: _moment(_form(book, "yyyy-mm-dd hh:mm:ss"), column.name, zone)),
        (BooleanKind, lambda: _truth),
    ]
    for one, maker in makers if not column.part else ():
        if isinstance(kind, one):
            return maker()
    return _text(column.name)


def _form(book: Any, pattern: str) -> Any:
    return book.add_format({"num_format": pattern})


def _truth(sheet: Any, row: int, place: int, text: str) -> None:
    sheet.write_boolean(row, place, text == "true")


def _text(name: str) -> Put:
    def put(sheet: Any, row: int, place: int, text: str) -> None:
        (safe,) = guarded([text])
        if len(safe) > MOST_SIGNS or _NO_XML.search(safe):
            raise Invalid(
                _(
                    "Row {row}: {field} does not fit into a cell, which holds {most} characters; "
                    "leave the field out, or export as CSV or JSON lines.",
                    row=f"{row + 1:,}",
                    field=name,
                    most=f"{MOST_SIGNS:,}",
                )
            )
        sheet.write_string(row, place, safe)

    return put


def _number(form: Any, name: str) -> Put:
    as_text = _text(name)

    def put(sheet: Any, row: int, place: int, text: str) -> None:
        value = float(text)
        # A cell holds fifteen digits.
        if Decimal(format(value, ".15g")) == Decimal(text):
            sheet.write_number(row, place, value, form)
        else:
            as_text(sheet, row, place, text)

    return put


def _amount(form: Any, name: str) -> Put:
    put = _number(form, name)
    return lambda sheet, row, place, text: put(sheet, row, place, text.partition(" ")[0])


def _day(form: Any, name: str) -> Put:
    as_text = _text(name)

    def put(sheet: Any, row: int, place: int, text: str) -> None:
        day = date.fromisoformat(text)
        if day >= _EPOCH:
            sheet.write_datetime(row, place, day, form)
        else:
            as_text(sheet, row, place, text)

    return put


def _moment(form: Any, name: str, zone: ZoneInfo) -> Put:
    as_text = _text(name)

    def put(sheet: Any, row: int, place: int, text: str) -> None:
        local = wall_clock(datetime.fromisoformat(text), zone)
        if local is not None:
            sheet.write_datetime(row, place, local, form)
        else:
            as_text(sheet, row, place, text)

    return put


def wall_clock(moment: datetime, zone: ZoneInfo) -> datetime | None:
    """Give what a clock of the deployment showed, unless a cell or the hour that comes twice would lose the moment."""
    local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    exact = moment.microsecond % _MILLISECOND == 0 and local.date() >= _EPOCH
    back = local.replace(tzinfo=zone).astimezone(UTC)
    return local if exact and back == moment else None
