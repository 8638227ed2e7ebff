"""The files of imports, kept with the deployment so that an import can go on whatever happened to the original."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from clientela.exchange.entities import MOST_BYTES
from clientela.files.store import disk_errors
from clientela.files.uploads import Receiver

if TYPE_CHECKING:
    from clientela.app import App

CHUNK = 1 << 20


def keep_file(app: App, source: IO[bytes], name: str) -> dict[str, Any]:
    """Keep the bytes of a file and give its description; what is left is the receipt, in the import's transaction."""
    receiver = Receiver(app, name, most=MOST_BYTES)
    try:
        while chunk := source.read(CHUNK):
            receiver.write(chunk)
        return receiver.keep()
    finally:
        receiver.discard()


@contextmanager
def kept_file(app: App, described: dict[str, Any]) -> Iterator[BinaryIO]:
    """Open the bytes of a kept file for reading in any order."""
    with disk_errors(), ExitStack() as filling:
        scratch = filling.enter_context(tempfile.TemporaryFile())
        scratch.writelines(app.files.open(described["sha256"]))
        scratch.seek(0)
        filled = filling.pop_all()
    with filled:
        yield scratch
