"""What every format is read into: a header and rows of texts."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from clientela.errors import BadSyntax, TooLarge
from clientela.exchange.report import Problem
from clientela.i18n.texts import _

MOST_COLUMNS = 1_000

Row = tuple[int, list[str]]


@dataclass
class Sheet:
    """An opened file: its header, its rows with their numbers, and a look at the first of them."""

    encoding: str
    delimiter: str
    header: list[str]
    rows: Iterator[Row | Problem]
    format: str = "csv"
    name: str = ""
    sample: list[list[str]] = field(default_factory=list)


@dataclass
class Source:
    """A file that was opened and of which the beginning was read; `whole` names fields whose values are objects."""

    head: bytes
    rest: BinaryIO
    whole: frozenset[str] = frozenset()

    def stream(self) -> io.BufferedReader:
        """Give all of it, from the beginning, once; the beginning is kept no longer than it takes to read it."""
        head, self.head = self.head, b""
        return io.BufferedReader(_Rejoined(head, self.rest), 1 << 16)


class _Rejoined(io.RawIOBase):
    """A stream of which the beginning was read already."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = memoryview(head), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data: memoryview | bytes = self._head[: len(buffer)]
        self._head = self._head[len(data) :] or memoryview(b"")
        data = data or self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def checked_header(named: Sequence[str], number: int = 1) -> list[str]:
    """Give the names of the columns, or say what is wrong with the line that holds them."""
    cells = [cell.strip().strip("\ufeff").strip() for cell in named]
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        raise BadSyntax(_("Line {number} is empty; it should name the columns.", number=number))
    if len(cells) > MOST_COLUMNS:
        raise TooLarge(
            _(
                "Line {number} names {count} columns; at most {most} are taken.",
                number=number,
                count=len(cells),
                most=MOST_COLUMNS,
            )
        )
    blank = [str(place) for place, cell in enumerate(cells, 1) if not cell]
    if blank:
        raise BadSyntax(
            _(
                "Line {number}: column {blank} has no name.",
                number=number,
                blank=", ".join(blank[:10]),
            )
        )
    if any("\x00" in cell for cell in cells):
        raise BadSyntax(_("Line {number} holds NUL bytes; this is no text file.", number=number))
    twice = [cell for cell, count in Counter(cells).items() if count > 1]
    if twice:
        raise BadSyntax(
            _(
                "Line {number} names the column {twice} twice; rename one of them.",
                number=number,
                twice=repr(twice[0]),
            )
        )
    return cells
