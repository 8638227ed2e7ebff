"""Bytes that came in, and the receipt that lets the one who sent them, and nobody else, put them into a record."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, text

from clientela import ids
from clientela.entity import Entity
from clientela.errors import FieldProblem, Invalid, TooLarge, Unavailable, UnsupportedMedia
from clientela.files.sniffing import HEAD, contradicts, sniff
from clientela.i18n.texts import _
from clientela.normalize import safe_file_name
from clientela.storage.types import Instant, Key, plain_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from clientela.app import App
    from clientela.context import Context

UPLOAD_RIGHT = "core.file.create"
PERMISSIONS = {UPLOAD_RIGHT: _("Upload files")}

UPLOAD = Table(
    "core_upload",
    Entity.metadata,
    Column("id", Key, primary_key=True),
    Column("sha256", plain_text(), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("type", plain_text(), nullable=False),
    Column("by", plain_text(), nullable=False),
    Column("at", Instant, nullable=False),
    # A receipt that was used no longer keeps the bytes: the record does.
    Column("used", Boolean, nullable=False),
    Index("ix_core_upload_sha256", "sha256", "by"),
    Index("ix_core_upload_at", "at"),
)

# One number for all who must not meet whoever removes bytes.
_LOCK = 0x66696C6573


class WrongDigest(Invalid):
    """What arrived is not what was sent."""

    code = "wrong-digest"


class Receiver:
    """Takes the bytes of one file piece by piece, in bounded memory, and looks at each of them once.

    `most` stands in the place of the deployment's limit, `digest` is the SHA-256 that the sender announced.
    """

    def __init__(
        self, app: App, name: str, *, digest: bytes | None = None, most: int | None = None
    ) -> None:
        self.name = safe_file_name(name)
        self._app = app
        self._digest = digest
        self._most = most
        self._hash = hashlib.sha256()
        self._head = b""
        self._size = 0
        self._staging = app.files.stage()
        # What is told of the file, once it is kept.
        self.kept: dict[str, Any] = {}

    def write(self, chunk: bytes) -> None:
        """Take some more bytes; refuse what becomes too large as soon as it does."""
        self._size += len(chunk)
        refuse_too_large(self._app, self._size, self._most)
        if len(self._head) < HEAD:
            self._head += chunk[: HEAD - len(self._head)]
        self._hash.update(chunk)
        self._staging.write(chunk)

    @property
    def sha256(self) -> str:
        """Give the hash of what came so far."""
        return self._hash.hexdigest()

    def keep(self) -> dict[str, Any]:
        """Check what arrived, keep it, and give its description; all that is left to be written is the receipt."""
        if self._digest is not None and self._digest != self._hash.digest():
            raise WrongDigest(
                _(
                    "What arrived has the SHA-256 {sha256}, not the one announced.",
                    sha256=self.sha256,
                )
            )
        media = sniff(self._head, self.name)
        _refuse_type(self._app, media, self.name)
        self._staging.keep(self.sha256)
        self.kept = {
            "name": self.name, "type": media, "size": self._size, "sha256": self.sha256,
        }  # fmt: skip
        return self.kept

    def discard(self) -> None:
        """Forget what came, unless it was kept."""
        self._staging.discard()


def refuse_too_large(app: App, size: int, most: int | None = None) -> None:
    """Refuse more bytes than the deployment takes."""
    most = app.settings.file_most_bytes if most is None else most
    if size > most:
        raise TooLarge(_("A file may have {most} bytes here.", most=most))


def _refuse_type(app: App, media: str, name: str) -> None:
    if contradicts(media, name):
        sentence = _(
            "{name} is something else than its name says: {media}.", name=name, media=media
        )
        raise Invalid(sentence, [FieldProblem("/name", "wrong-type", sentence)])
    allowed, forbidden = app.settings.file_types, app.settings.file_types_forbidden
    if _fits(media, forbidden) or (allowed and not _fits(media, allowed)):
        raise UnsupportedMedia(_("Files of the type {media} are not taken here.", media=media))


def _fits(media: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(media, pattern) for pattern in patterns)


def write_receipt(ctx: Context, description: dict[str, Any]) -> None:
    """Remember who sent the bytes; they must be there when the receipt is."""
    hold(ctx.connection)
    if ctx.app.files.size(description["sha256"]) is None:
        # They were there before, and somebody removed them as unused at this very moment.
        raise Unavailable(_("The file was removed meanwhile. Send it again."))
    ctx.connection.execute(
        UPLOAD.insert().values(
            id=ids.new_key(), sha256=description["sha256"], size=description["size"], type=description["type"],
            by=ctx.principal.id, at=ctx.now, used=False,
        )
    )  # fmt: skip


def hold(connection: Connection) -> None:
    """Keep bytes from being removed until this transaction ends; on SQLite writers take turns anyway."""
    _lock(connection, "SELECT pg_advisory_xact_lock_shared(:key)")


def hold_alone(connection: Connection) -> None:
    """Wait until nobody is about to refer to bytes, and keep everybody from it until this transaction ends."""
    _lock(connection, "SELECT pg_advisory_xact_lock(:key)")


def _lock(connection: Connection, statement: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(statement), {"key": _LOCK})
