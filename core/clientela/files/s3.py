"""A bucket of an S3-compatible server as the store; an extra: `pip install 'clientela[s3]'`."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from obstore.exceptions import BaseError
from obstore.store import S3Store as Bucket

from clientela.errors import Unavailable
from clientela.files.store import CHUNK, Kept, Missing, disk_errors
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.settings import Settings

log = logging.getLogger("clientela.files")

# Larger files travel in parts of this size.
_PART_BYTES = 8 * 2**20


class S3Store:
    """Bytes in a bucket, as objects named by their hash.

    The server's own check of what arrived is asked for; a file that is uploaded in parts and not finished is no object.
    """

    def __init__(self, settings: Settings) -> None:
        bucket, _slash, prefix = settings.file_bucket.partition("/")
        options: dict[str, Any] = {
            "region": settings.file_region,
            "checksum_algorithm": "SHA256",
            "client_options": {"allow_http": settings.file_endpoint.startswith("http://")},
        }
        if settings.file_endpoint:
            options["endpoint"] = settings.file_endpoint
        if settings.file_key_id:
            options["access_key_id"] = settings.file_key_id
            options["secret_access_key"] = settings.file_key_secret.get_secret_value()
        self.bucket = Bucket(bucket, prefix=prefix or None, **options)
        self.where = f"s3://{settings.file_bucket}"

    def stage(self) -> S3Staging:
        """Begin a file on this machine: its name, the hash, is known only at its end."""
        with disk_errors():
            return S3Staging(self)

    def size(self, sha256: str) -> int | None:
        """Ask the server for the size of the object."""
        with _server_errors():
            try:
                return int(self.bucket.head(sha256)["size"])
            except FileNotFoundError:
                return None

    def open(self, sha256: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Ask for the object, or a part of it, and give it as it comes."""
        size = self.size(sha256)
        if size is None:
            raise Missing(sha256)
        end = size if length is None else min(start + length, size)
        if start >= end:
            return iter(())
        with _server_errors():
            found = self.bucket.get(sha256, options={"range": (start, end)})
        return _pieces(found.stream(min_chunk_size=CHUNK))

    def delete(self, sha256: str) -> None:
        """Remove the object."""
        with _server_errors():
            self.bucket.delete(sha256)

    def list(self) -> Iterator[Kept]:
        """Give every object."""
        with _server_errors():
            for part in self.bucket.list():
                for one in part:
                    yield Kept(one["path"], one["size"], one["last_modified"])

    def tidy(self, older_than: timedelta) -> int:
        """Leave it to the bucket: its lifecycle rules remove what was begun and never finished."""
        del older_than
        return 0


class S3Staging:
    """A file on this machine that goes to the bucket when it is whole."""

    def __init__(self, store: S3Store) -> None:
        self._bucket = store.bucket
        self._file: BinaryIO = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by discard

    def write(self, chunk: bytes) -> None:
        """Write some more."""
        with disk_errors():
            self._file.write(chunk)

    def keep(self, sha256: str) -> None:
        """Send the file; the server answers when it has it."""
        with disk_errors():
            self._file.flush()
            self._file.seek(0)
        with _server_errors():
            self._bucket.put(sha256, self._file, chunk_size=_PART_BYTES)

    def discard(self) -> None:
        """Close the file, which removes it."""
        self._file.close()


def _pieces(stream: Any) -> Iterator[bytes]:
    with _server_errors():
        for piece in stream:
            yield bytes(piece)


@contextmanager
def _server_errors() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as failed:
        log.warning("the bucket: %s", failed)
        raise Unavailable(
            _("The store of files does not answer. Try again."), headers={"Retry-After": "3"}
        ) from failed
