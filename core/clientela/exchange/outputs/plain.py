"""Exporting: everything that matches a question, streamed in bounded memory, readable by an import again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from clientela.entity import EntityInfo
from clientela.exchange.guarding import guarded
from clientela.exchange.outputs.tables import CHUNK, PAGE, Asked, Heard, Table, table_of
from clientela.query import Question, shape_of, stream
from clientela.rows import reader

if TYPE_CHECKING:
    from clientela.context import Context

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
    return write_csv(Asked(ctx, ctx.info(info), question, columns, excel=excel))


def write_csv(asked: Asked) -> Iterator[bytes]:
    """Write CSV."""
    return _csv(table_of(asked), excel=asked.excel)


def _csv(table: Table, *, excel: bool) -> Iterator[bytes]:
    mark, delimiter = (BYTE_ORDER_MARK, ";") if excel else ("", ",")
    yield (mark + _lines([table.header], delimiter)).encode()
    for columns in table.chunks(CHUNK):
        cells = [guarded(column) for column in columns]
        yield _lines(zip(*cells, strict=True), delimiter).encode()


def _lines(rows: Any, delimiter: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


def export_jsonl(
    ctx: Context, info: EntityInfo, question: Question, columns: tuple[str, ...] = ()
) -> Iterator[bytes]:
    """Give one JSON object per line, in pieces; the same objects as a list in REST."""
    return write_jsonl(Asked(ctx, ctx.info(info), question, columns))


def write_jsonl(asked: Asked) -> Iterator[bytes]:
    """Write JSON lines."""
    ctx, info = asked.ctx, asked.info
    ctx.require(info.permission("export"))
    ctx.require(info.permission("read"))
    names = shape_of(ctx, info, asked.columns, ()).names
    read = reader(info, names, sqlite=ctx.app.db.is_sqlite)
    return _objects(stream(ctx, info, asked.question, names, size=PAGE), read.render, asked.heard)


def _objects(rows: Iterator[Any], render: Any, heard: Heard) -> Iterator[bytes]:
    dumps = orjson.dumps
    while chunk := list(islice(rows, CHUNK)):
        yield b"".join([dumps(render(row), option=orjson.OPT_APPEND_NEWLINE) for row in chunk])
        heard(len(chunk))
