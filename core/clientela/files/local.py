"""A folder as the store: `ab/cd/<sha256>`, written beside its place, flushed to the disk, and moved there at once."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from clientela.clock import wall_clock
from clientela.files.store import CHUNK, Kept, Missing, disk_errors

_HASH = re.compile(r"[0-9a-f]{64}")
_PART = ".part-"


class LocalStore:
    """Bytes in a folder of this machine, or of a network disk that all processes see.

    No name in it comes from outside: they are all made of the hash.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where = str(folder)

    def stage(self) -> LocalStaging:
        """Begin a file of its own in the folder: a rename is whole only within one file system."""
        with disk_errors():
            if not self.folder.is_dir():
                self.folder.mkdir(parents=True, exist_ok=True)
                flush_folder(self.folder.parent)
            return LocalStaging(self)

    def size(self, sha256: str) -> int | None:
        """Give the size of the file."""
        try:
            return self.path(sha256).stat().st_size
        except FileNotFoundError:
            return None

    def open(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Open the file now, and read it as it is asked for."""
        try:
            file = self.path(sha256).open("rb")
        except FileNotFoundError:
            raise Missing(sha256) from None
        file.seek(start)
        return _Pieces(file, length)

    def delete(self, sha256: str) -> None:
        """Remove the file; its folders stay."""
        self.path(sha256).unlink(missing_ok=True)

    def list(self) -> Iterator[Kept]:
        """Give every file whose name is a hash."""
        for path in self.folder.glob("??/??/*"):
            with suppress(FileNotFoundError):  # it may go while we look
                if _HASH.fullmatch(path.name):
                    found = path.stat()
                    yield Kept(
                        path.name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC)
                    )

    def tidy(self, older_than: timedelta) -> int:
        """Remove what a killed process left behind."""
        before = (wall_clock() - older_than).timestamp()
        gone = 0
        for path in self.folder.glob(f"{_PART}*"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()
                    gone += 1
        return gone

    def path(self, sha256: str) -> Path:
        """Give where the bytes of a hash lie."""
        if not _HASH.fullmatch(sha256):
            raise Missing(sha256[:64])
        return self.folder / sha256[:2] / sha256[2:4] / sha256


class _Pieces(Iterator[bytes]):
    """An open file, read piece by piece; `close` is for whoever does not want the rest."""

    def __init__(self, file: BinaryIO, length: int | None) -> None:
        self._file = file
        self._left = length

    def __next__(self) -> bytes:
        piece = self._file.read(CHUNK if self._left is None else min(CHUNK, self._left))
        if not piece:
            self.close()
            raise StopIteration
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class LocalStaging:
    """A file that is being written."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        handle, name = tempfile.mkstemp(prefix=_PART, dir=store.folder)
        self._path = Path(name)
        self._file = os.fdopen(handle, "wb")

    def write(self, chunk: bytes) -> None:
        """Write some more."""
        with disk_errors():
            self._file.write(chunk)

    def keep(self, sha256: str) -> None:
        """Flush the file, move it to its place, and flush the folders that name it."""
        target = self._store.path(sha256)
        with disk_errors():
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            target.parent.mkdir(parents=True, exist_ok=True)
            self._path.replace(target)
            for folder in (target.parent, target.parent.parent, self._store.folder):
                flush_folder(folder)

    def discard(self) -> None:
        """Close and remove the file, if it was not kept."""
        with suppress(OSError):  # closing may want to write the rest onto a full disk
            self._file.close()
        with suppress(OSError):  # what stays is swept one day
            self._path.unlink(missing_ok=True)


def flush_folder(folder: Path) -> None:
    """Let the names in a folder outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
