"""Range and If-Range of RFC 9110, 14: which part of a file is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clientela.errors import Refusal
from clientela.i18n.texts import _

_ONE = re.compile(r"bytes\s*=\s*(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))\s*", re.IGNORECASE)


class Unsatisfiable(Refusal):
    """A part that the file does not have."""

    status = 416
    exit_code = 2
    code = "range-not-satisfiable"
    title = _("The file has no such part")


@dataclass(frozen=True)
class Part:
    """The bytes from `start`, `length` of them, of a file of `size`."""

    start: int
    length: int
    size: int

    @property
    def header(self) -> str:
        """Give `Content-Range`."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.size}"


def wanted_part(sent: str | None, size: int) -> Part | None:
    """Give the part that a Range header asks for, or None for the whole.

    Another unit, several ranges, and what is no range at all are answered with the whole, as the RFC allows; a
    range that begins behind the end is refused with 416.

    >>> wanted_part("bytes=2-", 10)
    Part(start=2, length=8, size=10)
    >>> wanted_part("bytes=-3", 10).header
    'bytes 7-9/10'
    >>> wanted_part("bytes=5-2", 10) is None
    True
    """
    found = _ONE.fullmatch(sent or "")
    if found is None:
        return None
    first, last, suffix = (None if part is None else int(part) for part in found.groups())
    if first is None:
        length = min(suffix or 0, size)
        start = size - length
    else:
        if last is not None and last < first:
            return None
        start, length = first, min(size if last is None else last + 1, size) - first
    if length <= 0:
        raise Unsatisfiable(
            _("The file has {count} bytes.", count=size),
            headers={"Content-Range": f"bytes */{size}"},
        )
    return Part(start, length, size)
