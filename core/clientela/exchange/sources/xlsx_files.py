"""Reading a workbook: one of its sheets, each cell as the text that its kind of value is written with."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import IO, Any

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
)

from clientela.errors import BadSyntax, Invalid, TooLarge, did_you_mean
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import Problem
from clientela.exchange.sources.percents import percent_columns
from clientela.exchange.sources.sheets import Row, Sheet, Source, checked_header
from clientela.i18n.texts import _
from clientela.unpacking import check_package

MOST_BYTES = 200 << 20
# A header is looked for in so many rows, because people write titles above their tables.
HEADER_WITHIN = 20
_EXACT = 2**53

Cells = list[Any]


@contextmanager
def opened_xlsx(source: Source, options: ImportOptions) -> Iterator[Sheet]:
    """Check the package before anything is unpacked, then read a sheet."""
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(_bounded(source), kept, 1 << 20)
        check_package(kept)
        kept.seek(0)
        yield _sheet(kept, options)


class _Counted:
    """A stream that refuses to give more than a workbook may have."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._left = stream, MOST_BYTES

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise TooLarge(
                _("A workbook may have {most} MB; save it as CSV.", most=MOST_BYTES >> 20)
            )
        return data


def _bounded(source: Source) -> Any:
    return _Counted(source.stream())


def _sheet(file: Any, options: ImportOptions) -> Sheet:
    try:
        book = CalamineWorkbook.from_filelike(file)
        sheet = _chosen(book, options.sheet)
    except PasswordError:
        raise BadSyntax(_("The workbook has a password; save it without one.")) from None
    except (CalamineError, OSError) as wrong:
        raise BadSyntax(_("The workbook cannot be read: {reason}.", reason=wrong)) from None
    top, header = _header(sheet)
    left = sheet.start[1] if sheet.start else 0
    shares = frozenset(place - left for place in percent_columns(file, sheet.name))
    places = [place for place, name in enumerate(header) if name]
    names = checked_header([header[place] for place in places], number=top + 1)
    rows = _rows(sheet, top, places, shares)
    return Sheet("", "", names, rows, format="xlsx", name=sheet.name)


def _chosen(book: CalamineWorkbook, name: str | None) -> CalamineSheet:
    names = [s.name for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    if name is not None:
        if name not in names:
            raise Invalid(
                _("The workbook has no sheet {name}.", name=repr(name[:60]))
                + did_you_mean(name, names)
            )
        return book.get_sheet_by_name(name)
    sheets = (book.get_sheet_by_name(one) for one in names)
    found = next((sheet for sheet in sheets if sheet.height), None)
    if found is None:
        raise BadSyntax(
            _("The workbook is empty; the first row of a sheet should name the columns.")
        )
    return found


def _header(sheet: CalamineSheet) -> tuple[int, list[str]]:
    """Find the row that names the columns: the first as wide as any, all of whose cells are texts."""
    first = [_trimmed(row) for row in islice(sheet.iter_rows(), HEADER_WITHIN)]
    widest = max(map(_filled, first), default=0)
    for place, row in enumerate(first):
        if 2 * _filled(row) > widest and all(isinstance(cell, str) for cell in row):
            return place, [str(cell).strip() for cell in row]
    raise BadSyntax(_("None of the first {most} rows names the columns.", most=HEADER_WITHIN))


def _filled(row: Cells) -> int:
    return sum(1 for cell in row if cell != "")


def _trimmed(row: Cells) -> Cells:
    while row and row[-1] == "":
        row.pop()
    return row


def _rows(
    sheet: CalamineSheet, top: int, places: list[int], percents: frozenset[int]
) -> Iterator[Row | Problem]:
    """Give the cells below the names; what stands in a column without a name is told and not lost."""
    spans = _spans(sheet)
    held: dict[int, tuple[Any, int]] = {}
    for number, row in enumerate(islice(sheet.iter_rows(), top + 1, None), top + 2):
        held |= {
            column: (row[column], end) for column, end in spans.get(number, ()) if column < len(row)
        }
        for column, (value, end) in list(held.items()):
            if number <= end:
                row[column] = value
            else:
                del held[column]
        texts = [_text_at(row, place, percents) for place in places]
        if _filled(row) > len(texts) - texts.count(""):
            sentence = _("A cell of this row stands in a column that has no name.")
            yield Problem(number, "", "unnamed-column", sentence)
        elif any(texts):
            yield number, texts


def _text_at(row: Cells, place: int, percents: frozenset[int]) -> str:
    cell = row[place]
    if place in percents and isinstance(cell, float):
        return f"{_number(cell * 100)}%"
    return text_of(cell)


def _spans(sheet: CalamineSheet) -> dict[int, list[tuple[int, int]]]:
    """Give, by the row where it begins, each cell that is merged downwards, with its last row.

    It says the same of every row that it spans.
    """
    found: dict[int, list[tuple[int, int]]] = {}
    # Rows come from the first of the sheet, columns from the first that is used.
    left = sheet.start[1] if sheet.start else 0
    for (top, column), (bottom, _right) in sheet.merged_cell_ranges or ():
        if bottom > top and column >= left:
            found.setdefault(top + 1, []).append((column - left, bottom + 1))
    return found


def text_of(cell: Any) -> str:
    """Write a typed cell as the kinds read it, exactly.

    >>> text_of(1200.5), text_of(3.0), text_of(True), text_of(datetime(2026, 1, 31, 10))
    ('1200.5', '3', 'true', '2026-01-31T10:00:00')
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, int | float):
        return _number(cell)
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(int(cell.total_seconds()))
    return str(cell)


def _number(value: float) -> str:
    """Write a number with the fifteen digits that a spreadsheet shows; a whole one with all of them."""
    if float(value).is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    return format(value, ".15g")


__all__: Sequence[str] = ["opened_xlsx", "text_of"]
