"""Records that go for good are written to a file first, so that a log which is cleared one day takes nothing along."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from clientela.errors import Unavailable
from clientela.files.local import flush_folder
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.context import Context
    from clientela.history import Change


def purged_file(app: App, set_id: str) -> Path:
    """Give the file with the records that a change set purged."""
    return app.settings.folder / "purged" / f"chs_{set_id}.jsonl"


def export_purged(ctx: Context) -> None:
    """Write what this transaction purges, before it is committed; without the file nothing is purged.

    A line is a record as the log keeps it: all its values but secrets, in JSON.
    """
    if ctx.changes is None or ctx.dry_run or ctx.app.db.in_memory:
        return
    going = [change for change in ctx.changes.changes if change.kind == "purge"]
    if going:
        _write(purged_file(ctx.app, ctx.changes.id), b"".join(_line(ctx, one) for one in going))


def _line(ctx: Context, change: Change) -> bytes:
    info = ctx.app.registry.entity(change.entity)
    record = {
        "entity": change.entity,
        "id": info.public_id(change.record_id),
        "values": change.before,
    }
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _write(place: Path, data: bytes) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        _keep(place, data)
        # Without this a power cut may take the name, after the records are gone.
        flush_folder(place.parent)
        flush_folder(place.parent.parent)
    except OSError as wrong:
        raise Unavailable(
            _(
                "What is purged is exported first, and {file} cannot be written: {reason}. Nothing was purged.",
                file=place,
                reason=wrong.strerror or wrong,
            ),
            headers={"Retry-After": "60"},
        ) from wrong


def _keep(place: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".part-", dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as draft:
            draft.write(data)
            draft.flush()
            os.fsync(draft.fileno())
        Path(name).replace(place)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
