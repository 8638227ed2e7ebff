"""Loading the archive of a deployment into an empty one: all of it in one transaction, or nothing."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, BinaryIO

import orjson
from sqlalchemy import delete, func, select

from clientela.access.entities import Role
from clientela.access.principal import Principal
from clientela.archive import members
from clientela.archive.records import read_records, read_rows
from clientela.archive.total import EXPORT, Progress, composition
from clientela.context import Context
from clientela.entity import EntityInfo
from clientela.errors import BadSyntax, Conflict
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.app import App


CHUNK = 1 << 20


class Damaged(BadSyntax):
    """The archive is not what its manifest says."""

    code = "archive-damaged"
    title = _("The archive is damaged")


class NotEmpty(Conflict):
    """The deployment has records of its own."""

    code = "not-empty"
    title = _("The deployment is not empty")


def read_total(
    app: App,
    principal: Principal,
    source: BinaryIO,
    *,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Load an archive and give its manifest.

    Every member is compared with its hash before the first row is written. The deployment must hold nothing but the
    roles it began with, and the same plugins at the same revisions.
    """
    principal.require(EXPORT)
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = _manifest(archive)
            _require_same_plugins(app, manifest)
            _verify(archive, manifest)
            with app.acting_as(principal, face="load", dry_run=dry_run) as ctx:
                _clear(ctx)
                Loading(ctx, archive, progress or (lambda _name, _rows: None)).read(
                    files=not dry_run
                )
    except (zipfile.BadZipFile, EOFError) as wrong:
        raise Damaged(_("This is no whole ZIP file: {reason}.", reason=wrong)) from wrong
    app.directory.forget()
    app.look_again()
    return manifest


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        manifest = orjson.loads(archive.read(members.MANIFEST))
        form = manifest["format"]
    except (KeyError, TypeError, orjson.JSONDecodeError) as wrong:
        raise Damaged(_("This is no archive of Clientela: it has no manifest.")) from wrong
    if form != members.FORMAT:
        raise Damaged(
            _("The archive has the format {form}, which this version cannot read.", form=form)
        )
    return dict(manifest)


def _require_same_plugins(app: App, manifest: dict[str, Any]) -> None:
    mine, theirs = composition(app), manifest["plugins"]
    for name in sorted({*mine, *theirs}):
        if name not in mine:
            raise Conflict(
                _("The archive has records of the plugin {name}; install it first.", name=name)
            )
        if name in theirs and mine[name] != theirs[name]:
            raise Conflict(
                _(
                    "The tables of {name} are at {mine} here and at {theirs} in the archive; bring both to the same.",
                    name=name,
                    mine=mine[name],
                    theirs=theirs[name],
                )
            )


def _verify(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
    """Compare every member with its hash; one that the manifest does not know is not read at all."""
    for name, told in manifest["members"].items():
        try:
            with archive.open(name) as stream:
                digest, size = hashlib.sha256(), 0
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    if size > told["bytes"]:
                        break
                    digest.update(chunk)
        except KeyError as missing:
            raise Damaged(_("The archive lacks {name}.", name=name)) from missing
        if digest.hexdigest() != told["sha256"] or not _is_named_well(name, told["sha256"]):
            raise Damaged(_("{name} is not what the manifest says.", name=name))


def _is_named_well(name: str, sha256: str) -> bool:
    """Say whether a file of records is named by its hash, as the store will call it."""
    folder, _slash, last = name.removeprefix(members.LOG).rpartition("/")
    return f"{folder}/" != members.FILES or last == sha256


def _clear(ctx: Context) -> None:
    """Take away the roles that a deployment begins with, and refuse one that has more."""
    for info in reversed(members.entities_of(ctx.app)):
        table = info.table
        own = select(func.count()).select_from(table)
        if info.name == Role.info.name:
            own = own.where(table.c.created_by != "system:init")
        count = ctx.connection.execute(own).scalar_one()
        if count:
            raise NotEmpty(
                _(
                    "There are {count} {nouns} here already; load the archive into a new deployment.",
                    count=count,
                    nouns=info.nouns,
                )
            )
        ctx.connection.execute(delete(table))
    for plain in (*members.DATA_TABLES, *reversed(members.log_tables_of(ctx.app))):
        ctx.connection.execute(delete(plain))


class Loading:
    """Reads the members one after another, what others refer to first."""

    def __init__(self, ctx: Context, archive: zipfile.ZipFile, progress: Progress) -> None:
        self._ctx = ctx
        self._archive = archive
        self._names = set(archive.namelist())
        self._progress = progress

    def read(self, *, files: bool = True) -> None:
        """Read everything; a store of files cannot be rolled back, so a dry run leaves it alone."""
        for info in members.entities_of(self._ctx.app):
            if members.member_of(info) in self._names:
                self._entity(info)
        for table in members.DATA_TABLES:
            self._table(members.DATA, table)
        for table in members.log_tables_of(self._ctx.app):
            self._table(members.LOG, table)
        if files:
            self._files()

    def _entity(self, info: EntityInfo) -> None:
        name = members.member_of(info)
        with (
            self._archive.open(name) as data,
            self._archive.open(members.stamps_of(info)) as stamps,
        ):
            rows = read_records(self._ctx, info, _joined(name, data, stamps))
        self._progress(name, rows)

    def _table(self, folder: str, table: Any) -> None:
        name = f"{folder}{table.name}.jsonl"
        if name in self._names:
            with self._archive.open(name) as lines:
                self._progress(name, read_rows(self._ctx.connection, table, lines))

    def _files(self) -> None:
        for name in sorted(self._names):
            folder, digest = name.removeprefix(members.LOG).rpartition("/")[::2]
            if f"{folder}/" == members.FILES:
                with self._archive.open(name) as stream:
                    _keep(self._ctx.app, stream, digest)
                self._progress(name, 1)


def _keep(app: App, stream: IO[bytes], digest: str) -> None:
    """Put bytes into the store under the hash that was compared before."""
    staging = app.files.stage()
    try:
        while chunk := stream.read(CHUNK):
            staging.write(chunk)
        staging.keep(digest)
    finally:
        staging.discard()


def _joined(name: str, data: IO[bytes], stamps: Iterable[bytes]) -> Iterator[bytes]:
    """Put the two halves of each record together again; both members are in the order of the keys."""
    for line, stamp in zip(data, stamps, strict=True):
        one, other = orjson.loads(line), orjson.loads(stamp)
        if one["id"] != other["id"]:
            raise Damaged(_("{name} and its stamps are not of the same records.", name=name))
        yield orjson.dumps(one | other)
