"""Lists as files: `…/customers.csv`, or the list with `Accept: text/csv`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from clientela.entity import EntityInfo
from clientela.exchange.outputs.formats import FORMATS, WriteFormat, export, format_of, media_type
from clientela.query import Question
from clientela.rest.call import AS_OF, Call, Reply
from clientela.rest.lists import question_of

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.registry import Registry

PARAMETERS = AS_OF | {"fields", "filter", "sort", "q", "include_deleted", "excel"}
READING = frozenset({"GET", "HEAD"})
# The first of several formats of one media type.
_BY_MEDIA = {media_type(one.media): name for name, one in reversed(FORMATS.items())}

Asked = tuple[EntityInfo, str]


def file_asked(registry: Registry, call: Call, path: str) -> Asked | None:
    """Give the entity and the format, if a list is asked for as a file."""
    plugin, _slash, last = path.partition("/")
    if call.method not in READING or "/" in last:
        return None
    name, dot, _suffix = last.partition(".")
    format_ = format_of(last) if dot else _accepted(call)
    info = registry.by_collection.get((plugin, name)) if format_ else None
    return (info, format_) if info is not None and format_ is not None else None


def _accepted(call: Call) -> str | None:
    """Give the format that the caller names before JSON."""
    for part in (call.header(b"accept") or "").split(","):
        media = media_type(part)
        if media in _BY_MEDIA:
            return _BY_MEDIA[media]
        if media in ("application/json", "*/*"):
            return None
    return None


def file_reply(opened: AbstractContextManager[Context], asked: Asked, call: Call) -> Reply:
    """Reply with a file in pieces; whatever refuses it does so before the first piece."""
    info, format_ = asked
    call.allow(PARAMETERS)
    question, excel = question_of(call.parameters), call.flag("excel")
    pieces = _pieces(opened, asked, question, excel=excel)
    # Until the first piece is there it can be refused with a status.
    next(pieces)
    form: WriteFormat = FORMATS[format_]
    name = f"{info.collection}{(*form.suffixes, '.vcf')[0]}"
    return Reply(
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Vary": "Accept"},
        media=form.media.encode(),
        pieces=pieces,
    )


def _pieces(
    opened: AbstractContextManager[Context], asked: Asked, question: Question, *, excel: bool
) -> Generator[bytes]:
    """Give nothing once all questions are answered, then the file; the transaction is open until its end."""
    info, format_ = asked
    with opened as ctx:
        pieces = export(ctx, info, question, format_, question.fields, excel=excel)
        first = next(pieces, b"")
        yield b""
        yield first
        yield from pieces
