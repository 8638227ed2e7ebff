"""Failed rows as a file: the reason before each, so that a person mends the row there and imports the file again."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from clientela.errors import Show
from clientela.exchange import runs
from clientela.exchange.guarding import guarded
from clientela.exchange.importing import FailedRow
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.app import App

WRONG = _("What is wrong")


def failed_csv(app: App, key: str, show: Show) -> Generator[bytes]:
    """Give all failed rows of an import in pieces; each page is read for itself, so that nothing is held open."""
    with app.db.read() as connection:
        report = runs.report_of(connection, key)
        page = runs.failed_rows_of(connection, key)
    yield head_line(report.header if report is not None else [], show).encode()
    while page:
        yield "".join(failed_lines(page, show)).encode()
        with app.db.read() as connection:
            page = runs.failed_rows_of(connection, key, after=page[-1].number)


def head_line(header: Sequence[str], show: Show) -> str:
    """Give the header of the file, with the column of reasons before it."""
    return _line([show(WRONG), *header])


def failed_lines(rows: Iterable[FailedRow], show: Show) -> Iterator[str]:
    """Give a line for each row: its number in the file it came from, what is wrong, and its cells."""
    for row in rows:
        reasons = "; ".join(f"{p.column}: {show(p.sentence)}".lstrip(": ") for p in row.problems)
        yield _line([f"{row.number}: {reasons}", *row.cells])


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(guarded(cells))
    return buffer.getvalue()
