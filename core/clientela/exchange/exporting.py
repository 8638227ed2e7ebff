"""Exporting: everything that matches a question, streamed in bounded memory, readable by `import_csv` again."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from clientela.entity import EntityInfo
from clientela.errors import Invalid, did_you_mean
from clientela.exchange.guarding import guarded
from clientela.exchange.texts import Texts, texts_of
from clientela.fields import Field
from clientela.i18n.texts import _
from clientela.kinds.structured import StructuredKind
from clientela.query import Question, readable_names, shape_of, stream
from clientela.rows import reader

if TYPE_CHECKING:
    from clientela.context import Context

CHUNK = 2_000
PAGE = 10_000
BYTE_ORDER_MARK = "\ufeff"


def export_csv(
    ctx: Context,
    info: EntityInfo,
    question: Question,
    columns: tuple[str, ...] = (),
    *,
    excel: bool = False,
) -> Iterator[bytes]:
    """Give the file in pieces: a header of field names, then the rows; names and addresses by part.

    `excel` writes what a Russian Excel opens without asking: semicolons and a byte order mark. Cells that a
    spreadsheet would compute begin with an apostrophe, which an import takes off again.
    """
    info = ctx.info(info)
    wanted = wanted_columns(ctx, info, columns)
    names = tuple(dict.fromkeys(name for name, _ in wanted))
    texts = [
        texts_of(info.fields[name], part, sqlite=ctx.app.db.is_sqlite) for name, part in wanted
    ]
    places = _places(info, names)
    header = [f"{name}.{part}" if part else name for name, part in wanted]
    compiled = [(places[name], text) for (name, _), text in zip(wanted, texts, strict=True)]
    rows = stream(ctx, info, question, names, size=PAGE)
    return _written(rows, header, compiled, excel=excel)


Compiled = Sequence[tuple[slice, Texts]]


def _written(
    rows: Iterator[Any], header: list[str], compiled: Compiled, *, excel: bool
) -> Iterator[bytes]:
    mark, delimiter = (BYTE_ORDER_MARK, ";") if excel else ("", ",")
    yield (mark + _lines([header], delimiter)).encode()
    while chunk := list(islice(rows, CHUNK)):
        table = list(zip(*chunk, strict=True))
        cells = [guarded(text(table[place])) for place, text in compiled]
        yield _lines(zip(*cells, strict=True), delimiter).encode()


def _lines(rows: Any, delimiter: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


def _places(info: EntityInfo, names: Sequence[str]) -> dict[str, slice]:
    """Give where the raw columns of each field stand in a row."""
    places, start = {}, 0
    for name in names:
        width = info.fields[name].width
        places[name] = slice(start, start + width)
        start += width
    return places


def wanted_columns(
    ctx: Context, info: EntityInfo, columns: tuple[str, ...]
) -> list[tuple[str, str]]:
    """Give the fields, and their parts, that a file holds; all that may be seen when none are named."""
    ctx.require(info.permission("export"))
    ctx.require(info.permission("read"))
    wanted: list[tuple[str, str]] = []
    for word in columns or readable_names(ctx, info):
        name, _dot, part = word.partition(".")
        shape_of(ctx, info, (name,), ())
        declared = info.fields[name]
        wanted += [(name, one) for one in _parts(declared, part)]
    return list(dict.fromkeys(wanted))


def _parts(declared: Field, part: str) -> list[str]:
    parts = list(declared.kind.parts)
    if part and part not in parts:
        raise Invalid(
            _("{field} has no part {part}.", field=declared.name, part=repr(part[:40]))
            + did_you_mean(part, parts)
        )
    if part:
        return [part]
    # One cell could not hold a name without somebody having to guess its parts again.
    return parts if isinstance(declared.kind, StructuredKind) else [""]


def export_jsonl(
    ctx: Context, info: EntityInfo, question: Question, columns: tuple[str, ...] = ()
) -> Iterator[bytes]:
    """Give one JSON object per line, in pieces; the same objects as a list in REST."""
    info = ctx.info(info)
    ctx.require(info.permission("export"))
    ctx.require(info.permission("read"))
    names = shape_of(ctx, info, columns, ()).names
    read = reader(info, names, sqlite=ctx.app.db.is_sqlite)
    return _objects(stream(ctx, info, question, names, size=PAGE), read.render)


def _objects(rows: Iterator[Any], render: Callable[[Any], Any]) -> Iterator[bytes]:
    dumps = orjson.dumps
    while chunk := list(islice(rows, CHUNK)):
        yield b"".join([dumps(render(row), option=orjson.OPT_APPEND_NEWLINE) for row in chunk])
