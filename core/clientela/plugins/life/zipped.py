"""A plugin's records in a ZIP: a manifest with counts and hashes, and JSON Lines for each entity and table.

The format is for people too: every file in it can be read by any program.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import orjson
from sqlalchemy import Table

from clientela.archive.records import read_records, read_rows, write_records, write_rows
from clientela.entity import Entity, EntityInfo
from clientela.errors import Invalid
from clientela.external import EXTERNAL
from clientela.i18n.texts import _
from clientela.plugins.discovery import found
from clientela.storage.migrations.compare import own_tables
from clientela.storage.migrations.scripts import line_of
from clientela.storage.migrations.state import read_versions
from clientela.storage.types import write_instant

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.context import Context
    from clientela.plugins.card import Plugin

FORMAT = "clientela-plugin-1"
MANIFEST = "manifest.json"
KEYS = "external_keys.jsonl"


class _Hashed:
    """A stream that hashes what goes through."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Write and hash."""
        self._hash.update(data)
        return self._stream.write(data)

    @property
    def digest(self) -> str:
        """Give the hash so far."""
        return self._hash.hexdigest()


def write(ctx: Context, card: Plugin, path: Path) -> dict[str, int]:
    """Write the archive and give the number of records by entity; a file that bears the name is whole."""
    part = path.with_name(path.name + ".part")
    files: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pour, _read in _contents(ctx, card):
            with archive.open(name, "w", force_zip64=True) as stream:
                hashed = _Hashed(stream)
                count = pour(cast("IO[bytes]", hashed))
            files[name] = {"count": count, "sha256": hashed.digest}
        archive.writestr(
            MANIFEST, orjson.dumps(_manifest(ctx, card, files), option=orjson.OPT_INDENT_2)
        )
    part.replace(path)
    return {name: one["count"] for name, one in files.items() if name.startswith("records/")}


def _manifest(ctx: Context, card: Plugin, files: dict[str, Any]) -> dict[str, Any]:
    package = next((one for one in found() if one.name == card.name), None)
    return {
        "format": FORMAT,
        "plugin": card.name,
        "distribution": package.distribution if package else "",
        "version": package.version if package else "",
        "revision": read_versions(ctx.connection).get(card.name),
        "written_at": write_instant(ctx.now),
        "files": files,
    }


Content = tuple[str, Callable[[IO[bytes]], int], Callable[[Iterable[bytes]], int]]


def _contents(ctx: Context, card: Plugin) -> Iterator[Content]:
    """Give each file of the archive with how it is written and read, those that are referred to first."""
    infos = {i.table.name: i for i in ctx.app.registry.entities.values() if i.plugin == card.name}
    own = own_tables(ctx.app, card.name)
    for table in Entity.metadata.sorted_tables:
        if own.get(table.name) is not table:
            continue
        info = infos.get(table.name)
        yield _of_entity(ctx, info) if info is not None else _of_table(ctx, table)
    # The core's names for records of the plugin.
    mine = EXTERNAL.c.entity.startswith(card.name + ".", autoescape=True)
    yield (
        KEYS,
        lambda stream: write_rows(ctx.connection, EXTERNAL, stream, (), mine),
        lambda lines: read_rows(ctx.connection, EXTERNAL, lines),
    )


def _of_entity(ctx: Context, info: EntityInfo) -> Content:
    return (
        f"records/{info.name}.jsonl",
        lambda stream: write_records(ctx, info, stream),
        lambda lines: read_records(ctx, info, lines),
    )


def _of_table(ctx: Context, table: Table) -> Content:
    return (
        f"tables/{table.name}.jsonl",
        lambda stream: write_rows(ctx.connection, table, stream),
        lambda lines: read_rows(ctx.connection, table, lines),
    )


# back -----------------------------------------------------------------------------------------------------------------


def read(ctx: Context, card: Plugin, path: Path) -> dict[str, int]:
    """Read an archive into the plugin's empty tables and give the number of records by entity."""
    counts = {}
    with opened(path) as (archive, manifest):
        for name, _write, pour in _contents(ctx, card):
            if name not in manifest["files"]:
                continue
            with archive.open(name) as lines:
                count = pour(lines)
            if name.startswith("records/"):
                counts[name] = count
    return counts


def problem_with(app: App, path: Path, plugin: str, *, is_new: bool) -> str | None:
    """Say why an archive cannot be read in, or nothing."""
    if not is_new:
        return _(
            "{plugin} has records already; an archive goes into empty tables only.", plugin=plugin
        )
    try:
        with opened(path) as (_archive, manifest):
            if manifest["plugin"] != plugin:
                return _(
                    "{path} holds the records of {other}.", path=path, other=manifest["plugin"]
                )
            line = next((line_of(p) for p in app.plugins if p.name == plugin), None)
            if line is not None and not line.knows(str(manifest["revision"])):
                return _(
                    "{path} was written at revision {revision}, which the installed package does not know; install "
                    "{plugin} {version} or newer.",
                    path=path,
                    revision=manifest["revision"],
                    plugin=manifest["distribution"] or plugin,
                    version=manifest["version"],
                )
    except Invalid as wrong:
        return wrong.detail
    return None


def stamp(path: Path) -> str:
    """Give the hash of the archive's file."""
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, dict[str, Any]]]:
    """Open an archive and compare every file in it with its hash before one is read."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as wrong:
        raise _broken(path, wrong) from wrong
    with archive:
        try:
            manifest = orjson.loads(archive.read(MANIFEST))
            is_whole = manifest["format"] == FORMAT and all(
                _digest(archive, name) == one["sha256"] for name, one in manifest["files"].items()
            )
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as wrong:
            raise _broken(path, wrong) from wrong
        if not is_whole:
            raise _broken(path, _("its hashes are not those of the manifest"))
        yield archive, manifest


def _digest(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as stream:
        return hashlib.file_digest(cast("Any", stream), "sha256").hexdigest()


def _broken(path: Path, reason: object) -> Invalid:
    return Invalid(
        _("{path} is not a whole archive of a plugin: {reason}.", path=path, reason=reason)
    )
