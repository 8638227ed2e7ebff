"""From bytes to content lines: line ends, folds, soft breaks and bare base64, in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

CHUNK = 1 << 16
# Some writers end lines with CR CR LF.
_END = re.compile(rb"\r*\n|\r")
_BASE64_LINE = re.compile(rb"[A-Za-z0-9+/=\t ]*")
_QUOTED = re.compile(rb"^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE[;:]", re.IGNORECASE)
_BASE64 = re.compile(rb"^[^:]*;(?:ENCODING=)?(?:BASE64|B)[;:]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RawLine:
    """One content line as bytes, unfolded; `cut` says that it was longer than is read."""

    number: int
    data: bytes
    cut: bool = False


class Lines:
    """The content lines of a file. `folds_keep_blanks` is how version 2.1 folds, and may change between lines."""

    def __init__(self, stream: BinaryIO, longest: int, encoding: str | None) -> None:
        self._longest = longest
        self.folds_keep_blanks = False
        self._physical = _physical(_as_bytes(stream, encoding), longest)
        self._next = next(self._physical, None)

    def __iter__(self) -> Iterator[RawLine]:
        while self._next is not None:
            first = self._take()
            pieces, size, cut = [first.data], len(first.data), first.cut
            while (piece := self._continuation(pieces)) is not None:
                size += len(piece)
                cut = cut or size > self._longest or self._cut
                if not cut:
                    pieces.append(piece)
            yield RawLine(first.number, b"".join(pieces), cut)

    def _take(self) -> RawLine:
        taken = self._next
        assert taken is not None  # noqa: S101 - told to the type checker
        self._next = next(self._physical, None)
        self._cut = taken.cut
        return taken

    def _continuation(self, pieces: list[bytes]) -> bytes | None:
        """Take the next physical line when it belongs to this one; a soft break is taken off what came before."""
        if self._next is None:
            return None
        head, last, following = pieces[0], pieces[-1], self._next.data
        if last.endswith(b"=") and _QUOTED.match(head):
            pieces[-1] = last[:-1]
            return self._take().data
        if _BASE64.match(head):
            return self._more_base64(following)
        if following[:1] in (b" ", b"\t") and head:
            self._take()
            return following if self.folds_keep_blanks else following[1:]
        return None

    def _more_base64(self, following: bytes) -> bytes | None:
        """Take empty lines, indented ones, and bare ones that can be nothing else, as phones write them."""
        if _BASE64_LINE.fullmatch(following):
            return self._take().data.strip()
        return None


def _as_bytes(stream: BinaryIO, encoding: str | None) -> Iterator[bytes]:
    """Give the file in chunks of UTF-8 or of an 8-bit encoding; UTF-16 becomes UTF-8 here."""
    first = stream.read(CHUNK)
    wide = _wide(first, encoding)
    if wide is None:
        yield first.removeprefix(codecs.BOM_UTF8)
        while chunk := stream.read(CHUNK):
            yield chunk
        return
    decoder = codecs.getincrementaldecoder(wide)(errors="replace")
    yield decoder.decode(first).lstrip("\ufeff").encode("utf-8", "replace")
    while chunk := stream.read(CHUNK):
        yield decoder.decode(chunk).encode("utf-8", "replace")


def _wide(first: bytes, encoding: str | None) -> str | None:
    """Say whether the file is UTF-16: by its mark, by its empty halves, or because somebody says so."""
    if first.startswith(codecs.BOM_UTF16_LE) or first[1:4:2] == b"\0\0":
        return "utf-16-le"
    if first.startswith(codecs.BOM_UTF16_BE) or first[0:3:2] == b"\0\0":
        return "utf-16-be"
    if encoding and codecs.lookup(encoding).name in ("utf-16", "utf-16-le", "utf-16-be"):
        return encoding
    return None


def _physical(chunks: Iterator[bytes], longest: int) -> Iterator[RawLine]:
    """Give the physical lines; of a longer one than is read only the beginning is kept."""
    number, kept, size, held = 1, bytearray(), 0, b""
    for chunk in chunks:
        data = held + chunk
        # A line end may be cut in two by the chunk's.
        held = data[len(data.rstrip(b"\r")) :][-8:]
        *whole, rest = _END.split(data[: len(data) - len(held)])
        for piece in whole:
            size += len(piece)
            kept += piece[: max(0, longest - len(kept))]
            yield RawLine(number, bytes(kept), size > longest)
            number, size = number + 1, 0
            kept.clear()
        size += len(rest)
        kept += rest[: max(0, longest - len(kept))]
    if kept:
        yield RawLine(number, bytes(kept), size > longest)
