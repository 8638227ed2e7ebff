"""Files over REST: one address that takes bytes, and one for the bytes of each file that a record holds."""

from __future__ import annotations

import base64
import re
from email.message import Message
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from clientela.errors import BadSyntax
from clientela.files.opening import file_of
from clientela.files.sniffing import ACTIVE, UNKNOWN
from clientela.files.uploads import UPLOAD_RIGHT, Receiver, refuse_too_large, write_receipt
from clientela.i18n.texts import _
from clientela.rest.call import AS_OF, Call, Reply, json_reply
from clientela.rest.ranges import wanted_part

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App
    from clientela.context import Context
    from clientela.entity import EntityInfo

ADDRESS = ("core", "files")

_EXTENDED = re.compile(r"""filename\*\s*=\s*utf-8'[^']*'([^\s;"]+)""", re.IGNORECASE)
_DIGEST = re.compile(r"(?:^|,)\s*sha-256\s*=\s*(:?)([A-Za-z0-9+/]{43}=)\1\s*(?=,|$)", re.IGNORECASE)
_ANY_DIGEST = re.compile(r"(?:^|,)\s*sha-256\s*=", re.IGNORECASE)


def begin(app: App, principal: Principal, call: Call) -> Receiver:
    """Decide, before a byte of it is read, whether this file is taken from this caller."""
    principal.require(UPLOAD_RIGHT)
    call.allow(frozenset())
    announced = call.header(b"content-length") or ""
    if announced.isascii() and announced.isdigit():
        refuse_too_large(app, int(announced[:20]))
    return Receiver(app, sent_name(call) or "", digest=sent_digest(call))


def finish(ctx: Context, call: Call) -> Reply:
    """POST a file: its bytes are kept already, and what is written is who sent them."""
    ctx.require(UPLOAD_RIGHT)
    if call.receiver is None:  # the rim knows the address by its plain spelling only
        raise BadSyntax(_("Write this address without percent signs."))
    write_receipt(ctx, call.receiver.kept)
    return json_reply(call.receiver.kept, status=201)


def sent_name(call: Call) -> str | None:
    """Read the name the caller gives the file: Content-Disposition (RFC 6266), or X-File-Name, percent-encoded."""
    plain = call.header(b"x-file-name")
    if plain is not None:
        try:
            return unquote(plain, errors="strict")
        except UnicodeDecodeError:
            raise BadSyntax(_("X-File-Name cannot be read; percent-encode it as UTF-8.")) from None
    sent = call.header(b"content-disposition") or ""
    extended = _EXTENDED.search(sent)
    if extended:  # it wins over the plain one, which is for those who cannot read it
        return unquote(extended[1], errors="replace")
    header = Message()
    header["content-disposition"] = sent
    return header.get_filename()


def sent_digest(call: Call) -> bytes | None:
    """Read the SHA-256 that the caller announces: Content-Digest (RFC 9530), or the older Digest (RFC 3230)."""
    for name in (b"content-digest", b"digest"):
        sent = call.header(name) or ""
        found = _DIGEST.search(sent)
        if found:
            return base64.b64decode(found[2])
        if _ANY_DIGEST.search(sent):
            raise BadSyntax(_("The digest cannot be read; write Content-Digest: sha-256=:…:"))
    return None


def content(ctx: Context, info: EntityInfo, key: str, field: str, call: Call) -> Reply:
    """GET the bytes of a file, or a part of them; always as a download, never to be shown in our name."""
    call.allow(AS_OF | {"include_deleted"})
    trashed = None if call.flag("include_deleted") else False
    described = file_of(ctx, info, key, field, trashed=trashed)
    sha256, size = described["sha256"], described["size"]
    tag = f'"{sha256}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Content-Disposition": disposition(described["name"]),
    }
    if _matches(call.header(b"if-none-match"), tag):
        return Reply(304, headers=headers)
    sent, base = call.header(b"range"), call.header(b"if-range")
    part = wanted_part(sent, size) if base is None or base.strip() == tag else None
    if part is not None:
        headers["Content-Range"] = part.header
    start, length = (part.start, part.length) if part is not None else (0, size)
    media = described["type"] if described["type"] not in ACTIVE else UNKNOWN
    stream = ctx.app.files.open(sha256, start, length) if call.method == "GET" else None
    return Reply(206 if part else 200, b"", headers, media.encode(), stream, length)


def _matches(sent: str | None, tag: str) -> bool:
    tags = [one.strip().removeprefix("W/") for one in (sent or "").split(",")]
    return tag in tags or tags == ["*"]


def disposition(name: str) -> str:
    """Write a download's name (RFC 6266 and 8187): for everybody in ASCII, and for those who can in full.

    >>> disposition("Счёт.pdf").partition("; filename*=")[2]
    "UTF-8''%D0%A1%D1%87%D1%91%D1%82.pdf"
    """
    plain = re.sub(r"""[^ -~]|["\\%]""", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
