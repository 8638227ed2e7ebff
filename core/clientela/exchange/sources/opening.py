"""The one door into a file: its format is told, or found by its name and its first bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

from clientela.errors import BadSyntax, Invalid, did_you_mean
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import Problem
from clientela.exchange.sources.csv_files import opened_csv
from clientela.exchange.sources.jsonl_files import opened_jsonl
from clientela.exchange.sources.sheets import Row, Sheet, Source
from clientela.exchange.sources.transforms import transformed
from clientela.exchange.sources.xlsx_files import opened_xlsx
from clientela.i18n.texts import _
from clientela.normalize.encodings import HEAD

SAMPLE_ROWS = 1_000
SAMPLE_SIGNS = 1 << 22

Reader = Callable[[Source, ImportOptions], AbstractContextManager[Sheet]]


@dataclass(frozen=True)
class ReadFormat:
    """A format that can be imported: how its files are called, how they begin, and who reads them."""

    suffixes: tuple[str, ...]
    starts: tuple[bytes, ...]
    opened: Reader


# One more entry is one more format; the first whose beginning fits is taken, and CSV is what nothing else is.
READ_FORMATS: dict[str, ReadFormat] = {
    "xlsx": ReadFormat((".xlsx", ".xlsm"), (b"PK\x03\x04",), opened_xlsx),
    "jsonl": ReadFormat((".jsonl", ".ndjson"), (b"{",), opened_jsonl),
    "csv": ReadFormat((".csv", ".tsv", ".txt"), (), opened_csv),
}
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


@contextmanager
def opened(
    source: Path | BinaryIO, options: ImportOptions, whole: frozenset[str] = frozenset()
) -> Iterator[Sheet]:
    """Open a file and read its header; what cannot be read at all is a `BadSyntax`.

    JSON lines take objects apart into columns, but for those of the fields named `whole`, whose values they are.
    """
    with ExitStack() as stack:
        stream = stack.enter_context(_opened_path(source)) if isinstance(source, Path) else source
        name = options.file or (source.name if isinstance(source, Path) else "")
        found = Source(stream.read(HEAD), stream, whole)
        format_ = options.format or detect_format(found.head, name)
        reader = READ_FORMATS[known_format(format_)]
        sheet = stack.enter_context(reader.opened(found, options))
        yield _sampled(transformed(replace(sheet, format=format_), options.transforms))


def _opened_path(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as wrong:
        raise BadSyntax(
            _("{source} cannot be read: {reason}.", source=path, reason=wrong.strerror)
        ) from wrong


def known_format(name: str) -> str:
    """Refuse a format that nobody reads."""
    if name not in READ_FORMATS:
        raise Invalid(
            _(
                "There is no format {name}; it is one of {known}.",
                name=repr(name[:40]),
                known=", ".join(READ_FORMATS),
            )
            + did_you_mean(name, READ_FORMATS)
        )
    return name


def detect_format(head: bytes, name: str = "") -> str:
    """Find the format of a file by its name, and where that says nothing by its first bytes.

    >>> detect_format(b'{"name": "Anna"}'), detect_format(b"{x};y", "x.csv"), detect_format(b"name")
    ('jsonl', 'csv', 'csv')
    """
    begun = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(_OLD_EXCEL) or name.lower().endswith((".xls", ".ods", ".xlsb")):
        raise BadSyntax(
            _("Old Excel and OpenDocument tables are not read; save it as XLSX or CSV.")
        )
    for format_, reader in READ_FORMATS.items():
        if name.lower().endswith(reader.suffixes):
            return format_
    return next(
        (f for f, r in READ_FORMATS.items() if begun.startswith(r.starts or (b"\x00",))), "csv"
    )


def _sampled(sheet: Sheet) -> Sheet:
    """Look at the first rows, which are read again as if nobody had looked."""
    first: list[Row | Problem] = []
    signs = 0
    for row in islice(sheet.rows, SAMPLE_ROWS):
        first.append(row)
        signs += 0 if isinstance(row, Problem) else sum(map(len, row[1]))
        if signs > SAMPLE_SIGNS:
            break
    sample = [row[1] for row in first if not isinstance(row, Problem)]
    return replace(sheet, rows=chain(first, sheet.rows), sample=sample)


__all__ = ["READ_FORMATS", "ReadFormat", "Row", "Sheet", "detect_format", "opened"]
