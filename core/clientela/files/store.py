"""What a store of bytes can do. It knows no names, records or people: bytes are kept under their SHA-256."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from clientela.errors import NotFound, Unavailable
from clientela.i18n.texts import _

# How much is read at a time on the way out.
CHUNK = 256 * 1024


class Missing(NotFound):
    """A record describes a file whose bytes are not in the store."""

    code = "file-missing"
    title = _("The bytes are not there")

    def __init__(self, sha256: str) -> None:
        super().__init__(_("The bytes of this file are not in the store any more."))
        self.extra["sha256"] = sha256


@dataclass(frozen=True)
class Kept:
    """Bytes in the store, and since when by the store's own clock."""

    sha256: str
    size: int
    at: datetime


class Staging(Protocol):
    """Bytes on their way in; nobody sees them until they are kept."""

    def write(self, chunk: bytes) -> None:
        """Take some more bytes."""

    def keep(self, sha256: str) -> None:
        """Put what was written under its hash; when this returns, a power cut loses nothing of it."""

    def discard(self) -> None:
        """Forget what was written and not kept; may be called at any time, and twice."""


class Store(Protocol):
    """Where bytes are kept. All its calls block and so belong into a thread."""

    where: str

    def stage(self) -> Staging:
        """Begin to take bytes."""
        ...

    def size(self, sha256: str) -> int | None:
        """Give how many bytes are kept under a hash, or None."""
        ...

    def open(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Give the bytes in pieces, or a part of them; `Missing` is raised at once and not by the first piece."""
        ...

    def delete(self, sha256: str) -> None:
        """Remove the bytes, if they are there."""

    def list(self) -> Iterator[Kept]:
        """Give all that is kept, in no order."""
        ...

    def tidy(self, older_than: timedelta) -> int:
        """Remove what was begun and never kept, and give how many there were."""
        ...


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn a full or broken disk into a refusal that says so."""
    try:
        yield
    except OSError as failed:
        if failed.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise Unavailable(
                _("The disk is full; nothing was written."), headers={"Retry-After": "60"}
            ) from failed
        raise Unavailable(
            _("The store of files cannot be written: {reason}.", reason=failed.strerror or failed)
        ) from failed
