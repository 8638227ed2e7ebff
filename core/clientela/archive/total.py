"""The whole of a deployment as one file, from one moment, in bounded memory."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import orjson
from sqlalchemy import select

from clientela import __version__
from clientela.access.principal import Principal
from clientela.archive import members
from clientela.archive.records import write_rows
from clientela.context import Context
from clientela.entity import EntityInfo
from clientela.history import BOOKKEEPING
from clientela.i18n.texts import _
from clientela.storage import migrations

if TYPE_CHECKING:
    from clientela.app import App

EXPORT = "core.system.export"
PERMISSIONS = {EXPORT: _("Export and load the whole deployment")}

# ZIP knows no time before this one; a real one would make equal data unequal.
LONG_AGO = (1980, 1, 1, 0, 0, 0)

Progress = Callable[[str, int], None]


@dataclass
class Written:
    """What was written: the members with their hashes and rows."""

    found: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def data_hash(self) -> str:
        """Give one hash for all that is so: records, plain tables and files, and nothing of the log."""
        whole = hashlib.sha256()
        for name in sorted(n for n in self.found if not n.startswith(members.LOG)):
            whole.update(f"{name} {self.found[name]['sha256']}\n".encode())
        return whole.hexdigest()


def write_total(
    app: App, principal: Principal, out: BinaryIO, *, progress: Progress | None = None
) -> dict[str, Any]:
    """Write the archive of a deployment and give its manifest. `progress` hears each member with its rows."""
    principal.require(EXPORT)
    with app.db.snapshot() as connection:
        # A process that has done nothing else yet knows no custom fields.
        app.definitions.load(connection)
        ctx = Context(app, principal, connection, face="export", writing=False)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            total = Total(ctx, archive, progress or (lambda _name, _rows: None))
            total.write()
    return total.manifest


class Total:
    """Writes the members one after another."""

    def __init__(self, ctx: Context, archive: zipfile.ZipFile, progress: Progress) -> None:
        self._ctx = ctx
        self._archive = archive
        self._progress = progress
        self._written = Written()
        self.manifest: dict[str, Any] = {}

    def write(self) -> None:
        """Write everything; the manifest is last, because it knows the others."""
        app = self._ctx.app
        infos = sorted(members.entities_of(app), key=lambda info: info.name)
        for info in infos:
            self._rows(members.member_of(info), info, members.data_columns(info))
            self._rows(members.stamps_of(info), info, members.stamp_columns(info))
        for table in members.DATA_TABLES:
            self._table(members.DATA, table)
        for table in members.log_tables_of(app):
            self._table(members.LOG, table)
        self._files(infos)
        self._json(members.SCHEMA, schema_of(app))
        self.manifest = {
            "format": members.FORMAT, "clientela": __version__, "plugins": composition(app),
            "data": self._written.data_hash, "members": dict(sorted(self._written.found.items())),
        }  # fmt: skip
        with self._member(members.MANIFEST) as stream:
            stream.write(_pretty(self.manifest))

    def _rows(self, name: str, info: EntityInfo, columns: list[Any]) -> None:
        with self._member(name) as stream:
            rows = write_rows(self._ctx.connection, info.table, stream, columns)
        self._count(name, rows)

    def _table(self, folder: str, table: Any) -> None:
        name = f"{folder}{table.name}.jsonl"
        with self._member(name) as stream:
            rows = write_rows(self._ctx.connection, table, stream)
        self._count(name, rows)

    def _files(self, infos: list[EntityInfo]) -> None:
        for is_log, folder in ((False, members.FILES), (True, f"{members.LOG}{members.FILES}")):
            mine = [info for info in infos if info.journal is is_log]
            for digest in sorted({digest for info in mine for digest in self._described(info)}):
                with self._member(f"{folder}{digest}") as out:
                    for piece in self._ctx.app.files.open(digest):
                        out.write(piece)
                self._count(f"{folder}{digest}", 1)

    def _described(self, info: EntityInfo) -> Iterator[str]:
        """Give the hashes of the files that an entity's records hold."""
        for declared in info.file_fields:
            _description, digest = declared.columns
            query = select(digest).where(digest.is_not(None)).distinct()
            yield from self._ctx.connection.execute(query).scalars()

    def _json(self, name: str, value: Any) -> None:
        with self._member(name) as stream:
            stream.write(_pretty(value))
        self._count(name, 1)

    @contextmanager
    def _member(self, name: str) -> Iterator[Hashing]:
        header = zipfile.ZipInfo(name, LONG_AGO)
        header.compress_type = zipfile.ZIP_DEFLATED
        header.external_attr = 0o600 << 16
        with self._archive.open(header, "w", force_zip64=True) as stream:
            hashing = Hashing(stream)
            yield hashing
        self._written.found[name] = {"sha256": hashing.digest.hexdigest(), "bytes": hashing.size}

    def _count(self, name: str, rows: int) -> None:
        self._written.found[name]["rows"] = rows
        self._progress(name, rows)


class Hashing:
    """Hashes what is written through it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest, self.size = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        """Write on."""
        self.digest.update(data)
        self.size += len(data)
        return self._stream.write(data)


def composition(app: App) -> dict[str, str | None]:
    """Give the plugins with the revisions of their tables: who loads the archive must have the same."""
    if app.db.in_memory:
        return {plugin.name: None for plugin in app.plugins}
    return {one.plugin: one.current for one in migrations.status(app)}


def schema_of(app: App) -> dict[str, Any]:
    """Describe the entities for whoever reads the archive without Clientela."""
    return {
        info.name: {
            "label": str(info.label), "about": info.about, "prefix": info.prefix, "member": members.member_of(info),
            "fields": {
                name: {
                    "label": str(declared.label), "kind": declared.kind.name,
                    "columns": [column.name for column in declared.columns],
                    "refers_to": declared.target.name if declared.target else None,
                    "class": declared.field_class, "schema": declared.kind.json_schema(),
                }
                for name, declared in info.fields.items()
                if declared.field_class != "secret" and name not in BOOKKEEPING
            },
        }
        for info in sorted(app.registry.entities.values(), key=lambda info: info.name)
    }  # fmt: skip


def _pretty(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
