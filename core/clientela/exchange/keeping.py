"""The files of imports, kept with the deployment so that an import can go on whatever happened to the original."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO

from clientela.errors import NotFound
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.app import App

CHUNK = 1 << 20


def keep_file(app: App, source: IO[bytes], name: str, media: str) -> dict[str, Any]:
    """Keep the bytes of a file under their SHA-256, and give its description."""
    place = _place(app)
    place.mkdir(parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with tempfile.NamedTemporaryFile(dir=place, delete=False) as draft:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            draft.write(chunk)
        draft.flush()
        os.fsync(draft.fileno())
    Path(draft.name).replace(place / digest.hexdigest())
    return {"name": name, "type": media, "size": size, "sha256": digest.hexdigest()}


@contextmanager
def kept_file(app: App, described: dict[str, Any]) -> Iterator[BinaryIO]:
    """Open the bytes of a kept file."""
    try:
        stream = (_place(app) / described["sha256"]).open("rb")
    except FileNotFoundError:
        raise NotFound(
            _("The file {name} is not kept any more; import it again.", name=described["name"])
        ) from None
    with stream:
        yield stream


def _place(app: App) -> Path:
    return app.settings.folder / "imports"
