"""Reading a CSV file as people have it: unknown encoding, unknown delimiter, broken rows; in bounded memory."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain

from clientela.errors import BadSyntax, TooLarge
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import Problem
from clientela.exchange.sources.sheets import Row, Sheet, Source, checked_header
from clientela.i18n.texts import _
from clientela.normalize.encodings import HEAD, detect_encoding

LONGEST_LINE = 1 << 20
DELIMITERS = ",;\t|"
_NAMES = {"\t": "tab"}


@contextmanager
def opened_csv(source: Source, options: ImportOptions) -> Iterator[Sheet]:
    """Find out encoding and delimiter, and read the header."""
    if not source.head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise BadSyntax(_("The file is empty; its first line should name the columns."))
    encoding = options.encoding or detect_encoding(source.head)
    codec = _known(encoding)
    guess = options.delimiter or detect_delimiter(source.head.decode(codec, "replace"))
    text = io.TextIOWrapper(source.stream(), encoding=codec, newline="")
    lines = lines_of(text, encoding)
    first, told = next(lines), None
    if first[:4].lower() == "sep=" and len(first.strip()) == len("sep=,"):
        told, first = first[4], next(lines, "")
    delimiter = options.delimiter or told or guess
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise BadSyntax(_("A delimiter is one character, such as ; or ,."))
    reader = csv.reader(
        chain([first], lines), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    header = _header(reader)
    yield Sheet(encoding, _NAMES.get(delimiter, delimiter), header, _rows(reader, len(header)))


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise BadSyntax(
            _(
                "There is no encoding {encoding}; write utf-8 or windows-1251.",
                encoding=repr(encoding[:40]),
            )
        ) from None


def detect_delimiter(sample: str) -> str:
    r"""Give the delimiter by which the first rows fall into equally many cells.

    >>> detect_delimiter("a;b;c\n1,5;2;3")
    ';'
    """
    lines = sample.splitlines(keepends=True)[:30]
    if len(lines) > 1 and not lines[-1].endswith(("\n", "\r")) and len(sample) >= HEAD:
        lines.pop()
    return max(DELIMITERS, key=lambda d: _fit(lines, d))


def _fit(lines: list[str], delimiter: str) -> tuple[float, int]:
    try:
        rows = [r for r in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if r]
    except csv.Error:
        return 0, 0
    width = len(rows[0]) if rows else 1
    if width == 1:
        return 0, 0
    return Counter(map(len, rows))[width] / len(rows), width


def lines_of(text: io.TextIOWrapper, encoding: str) -> Iterator[str]:
    """Give the lines; wrong bytes and lines without an end are told with their number."""
    number = 0
    try:
        while line := text.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE:
                raise TooLarge(
                    _(
                        "Line {number} is longer than {most} characters.",
                        number=number,
                        most=f"{LONGEST_LINE:,}",
                    )
                )
            yield line
    except UnicodeDecodeError as wrong:
        number += 1 + bytes(wrong.object[: wrong.start]).count(b"\n")
        raise BadSyntax(
            _(
                "Line {number} holds bytes that are not {encoding}; "
                "name the encoding of the file, or save it as UTF-8.",
                number=number,
                encoding=encoding,
            )
        ) from None
    except UnicodeError:
        raise BadSyntax(
            _(
                "Line {number} is not {encoding}; name the file's encoding.",
                number=number + 1,
                encoding=encoding,
            )
        ) from None


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        return checked_header(next(reader))
    except csv.Error as wrong:
        raise BadSyntax(_("Line 1, the header, cannot be read: {reason}.", reason=wrong)) from None


def _rows(reader: Iterator[list[str]], width: int) -> Iterator[Row | Problem]:
    """Give each row with its number, or what is wrong with it; blank lines count, but are not read."""
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as wrong:
            yield _broken(wrong, number, reader.line_num)  # type: ignore[attr-defined]
            continue
        if len(cells) == width:
            yield number, cells
        elif cells:
            ragged = _fitted(cells, width)
            yield (number, ragged) if ragged else _ragged(number, cells, width)


def _fitted(cells: list[str], width: int) -> list[str] | None:
    """Forgive empty cells at the end, which spreadsheets add."""
    return cells[:width] if len(cells) > width and not any(cells[width:]) else None


def _ragged(number: int, cells: list[str], width: int) -> Problem:
    sentence = _("This row has fewer cells than the header, which has {width}.", width=width)
    if len(cells) > width:
        sentence = _("This row has more cells than the header, which has {width}.", width=width)
    return Problem(number, "", "ragged-row", sentence, f"{len(cells)} cells")


def _broken(wrong: csv.Error, number: int, line: int) -> Problem:
    reason = str(wrong)
    if "field larger" in reason:
        raise TooLarge(
            _(
                "Row {number}, line {line}: a cell has more than {csv} characters; "
                "perhaps a quote was opened and never closed.",
                number=number,
                line=line,
                csv=f"{csv.field_size_limit():,}",
            )
        )
    sentence = _("A quote stands in the wrong place; double the quotes inside a quoted cell.")
    if "end of data" in reason:
        sentence = _("A quote was opened and never closed.")
    return Problem(number, "", "bad-quotes", sentence, f"line {line}")
