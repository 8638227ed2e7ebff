"""Looking through a ZIP package before a library unpacks it: bombs and XML entities are refused."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from clientela.errors import BadSyntax, TooLarge
from clientela.i18n.texts import _

MOST_UNPACKED = 512 << 20
MOST_ENTRIES = 10_000
# Real sheets shrink ten- to fiftyfold; deflate can do a thousand.
MOST_RATIO = 200
RATIO_FROM = 4 << 20
# The library keeps the whole rectangle of a sheet, from its first cell to its last.
MOST_CELLS = 50_000_000
_PIECE = 1 << 20
_OVERLAP = 64
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CELL = re.compile(rb"\br\s*=\s*[\"']([A-Z]{1,3})([0-9]{1,7})[\"']")
_LOCAL_HEADER = 30


def check_package(file: IO[bytes]) -> None:
    """Refuse a package that is none, is too large when unpacked, or whose XML declares entities."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as package:
            _check(file, package.infolist())
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError):
        raise BadSyntax(_("The workbook is damaged, or it is none.")) from None


def _check(file: IO[bytes], entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise TooLarge(_("The workbook has more than {most} parts.", most=MOST_ENTRIES))
    if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise _bomb()
    left = MOST_UNPACKED
    for entry in entries:
        if entry.flag_bits & 1:
            raise BadSyntax(_("The workbook has a password; save it without one."))
        left -= _look_through(file, entry, left)


def _bomb() -> TooLarge:
    return TooLarge(
        _("The workbook unpacks to more than {most} MB; save it as CSV.", most=MOST_UNPACKED >> 20)
    )


def _look_through(file: IO[bytes], entry: zipfile.ZipInfo, left: int) -> int:
    """Unpack one part piece by piece, keeping nothing, and give its real size."""
    size, tail = 0, b""
    sheet = _Extent() if "worksheets/" in entry.filename.lower() else None
    for piece in _unpacked(file, entry):
        size += len(piece)
        if size > left or (size > RATIO_FROM and size > MOST_RATIO * max(entry.compress_size, 1)):
            raise _bomb()
        # Without zeros UTF-16 reads as ASCII does, so that it hides nothing.
        text = tail + piece.replace(b"\x00", b"")
        if _DOCTYPE.search(text):
            raise BadSyntax(_("The workbook declares XML entities, which no spreadsheet writes."))
        if sheet is not None:
            sheet.take(text)
        tail = text[-_OVERLAP:]
    return size


def _unpacked(file: IO[bytes], entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Give what the part really holds: the library does not stop at the size that its header declares."""
    file.seek(entry.header_offset)
    head = file.read(_LOCAL_HEADER)
    if head[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile
    name, extra = struct.unpack("<HH", head[26:30])
    file.seek(name + extra, 1)
    remaining = entry.compress_size
    unpack = _unpacker(entry.compress_type)
    while remaining > 0 and (packed := file.read(min(_PIECE >> 4, remaining))):
        remaining -= len(packed)
        yield from unpack(packed)


def _unpacker(method: int) -> Callable[[bytes], Iterator[bytes]]:
    if method == zipfile.ZIP_STORED:
        return lambda packed: iter([packed])
    if method != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile
    inflating = zlib.decompressobj(-zlib.MAX_WBITS)

    def inflate(packed: bytes) -> Iterator[bytes]:
        # All input may be taken while output is still to come, so a full piece asks for another.
        full = True
        while packed or full:
            piece = inflating.decompress(packed, _PIECE)
            packed, full = inflating.unconsumed_tail, len(piece) == _PIECE
            yield piece

    return inflate


class _Extent:
    """The rectangle that the cells of a sheet span."""

    def __init__(self) -> None:
        self._columns: set[bytes] = set()
        self._rows = 0

    def take(self, text: bytes) -> None:
        """Count the cells of one piece in."""
        found = _CELL.findall(text)
        if not found:
            return
        self._columns |= {column for column, _ in found}
        self._rows = max(self._rows, *(int(row) for _, row in found))
        if self._rows * (max(map(column_place, self._columns)) + 1) > MOST_CELLS:
            raise TooLarge(
                _(
                    "A sheet of the workbook spans more than {most} cells; delete what stands far away.",
                    most=f"{MOST_CELLS:,}",
                )
            )


def column_place(letters: bytes) -> int:
    """Give the place of a column, the first being 0.

    >>> column_place(b"A"), column_place(b"AB")
    (0, 27)
    """
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
