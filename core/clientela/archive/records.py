"""One entity's records as JSON Lines, exactly as they are stored: ids, revisions, stamps, trash and hidden fields.

A line is an object of column names and values in key order, the same from either database. Secrets stay behind.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, Table, insert, select, update

from clientela import ids
from clientela.entity import EntityInfo
from clientela.errors import BadSyntax, Invalid
from clientela.fields import Field
from clientela.i18n.texts import _
from clientela.search.documents import DOCUMENT, words_from
from clientela.storage.types import Day, Instant, Scaled, write_instant

if TYPE_CHECKING:
    from clientela.context import Context

BATCH = 500

Row = dict[str, Any]


class Sink(Protocol):
    """Something that bytes can be written to."""

    def write(self, data: bytes, /) -> object:
        """Take some more bytes."""


def write_records(ctx: Context, info: EntityInfo, stream: Sink) -> int:
    """Write all records of an entity, those in the trash too, and give how many there are."""
    kept = [f for f in info.fields.values() if f.field_class != "secret"]
    return write_rows(ctx.connection, info.table, stream, [c for f in kept for c in f.columns])


def write_rows(
    connection: Connection,
    table: Table,
    stream: Sink,
    columns: Sequence[Column[Any]] = (),
    *where: ColumnElement[bool],
) -> int:
    """Write the rows of a table, one a line, in the order of its key."""
    chosen = list(columns or table.c)
    # A name that SQL must quote is a subclass of str, which no JSON key may be.
    names = [str(column.name) for column in chosen]
    query = select(*chosen).where(*where).order_by(*table.primary_key.columns)
    count = 0
    with connection.execute(query.execution_options(yield_per=BATCH)) as rows:
        for row in rows:
            stream.write(orjson.dumps(dict(zip(names, map(_stored, row), strict=True))) + b"\n")
            count += 1
    return count


def _stored(value: Any) -> Any:
    """Give the JSON form of a column's value; numbers with places travel as text, so that they stay exact."""
    if isinstance(value, datetime):
        return write_instant(value) if value.tzinfo else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def read_records(ctx: Context, info: EntityInfo, lines: Iterable[bytes]) -> int:
    """Insert records as they were written, with their words for the search, and give how many there were.

    It is no action: nothing is logged or told, because nothing has happened to the records.
    """
    count, lacking = 0, _lacking(info)
    into = _Forward(ctx.connection, info.table)
    for batch in _batches(_rows(info.name, info.table, lines, {c.name for c in lacking})):
        made = [
            row | {c.name: fill() for c, fill in lacking.items() if c.name not in row}
            for row in batch
        ]
        into.insert(made)
        if info.search_fields:
            _learn(ctx, info, made)
        count += len(made)
    into.finish()
    return count


def read_rows(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Insert the rows of a table as they were written."""
    count, into = 0, _Forward(connection, table)
    for batch in _batches(_rows(table.name, table, lines, set())):
        into.insert(batch)
        count += len(batch)
    into.finish()
    return count


def _lacking(info: EntityInfo) -> dict[Column[Any], Callable[[], Any]]:
    """Give what fills a column that the lines do not have: a secret, or a field that is younger than they are."""
    fills: dict[Column[Any], Callable[[], Any]] = {}
    for declared in info.fields.values():
        for place, column in enumerate(declared.columns):
            if declared.name == "id":
                continue
            if declared.has_default:
                fills[column] = _default(declared, place)
            elif column.nullable:
                fills[column] = _nothing
            elif declared.field_class == "secret":
                # It must be something, and nobody may know it.
                fills[column] = ids.new_key
    return fills


def _nothing() -> None:
    return None


def _default(declared: Field, place: int) -> Callable[[], Any]:
    return lambda: declared.kind.to_columns(declared.initial())[place]


def _rows(name: str, table: Table, lines: Iterable[bytes], fillable: set[str]) -> Iterator[Row]:
    reads = {column.name: _reader(column) for column in table.c}
    needed = {column.name for column in table.c} - fillable
    for number, line in enumerate(lines, 1):
        try:
            values = orjson.loads(line)
            unknown, missing = values.keys() - reads.keys(), needed - values.keys()
            if not (unknown or missing):
                yield {n: None if v is None else reads[n](v) for n, v in values.items()}
                continue
        except (ValueError, TypeError, AttributeError, ArithmeticError) as wrong:
            raise BadSyntax(
                _(
                    "{name}, line {number} cannot be read: {reason}.",
                    name=name,
                    number=number,
                    reason=wrong,
                )
            ) from wrong
        raise Invalid(
            _(
                "{name}, line {number}: the columns {columns} are not those of the table. It was written by another "
                "version; install that one, read it in, and upgrade.",
                name=name,
                number=number,
                columns=", ".join(sorted(unknown | missing)),
            )
        )


def _reader(column: Column[Any]) -> Callable[[Any], Any]:
    if isinstance(column.type, LargeBinary):
        return base64.b64decode
    return _READERS.get(_python_type(column), _as_it_is)


def _python_type(column: Column[Any]) -> type:
    """Give what the column holds; a decorator knows itself by what it gives back."""
    for kind, python in ((Instant, datetime), (Day, date), (Scaled, Decimal)):
        if isinstance(column.type, kind):
            return python
    try:
        return column.type.python_type
    except NotImplementedError:
        return object


def _as_it_is(value: Any) -> Any:
    return value


_READERS: Mapping[type, Callable[[Any], Any]] = {
    datetime: datetime.fromisoformat, date: date.fromisoformat, time: time.fromisoformat, Decimal: Decimal,
}  # fmt: skip


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


class _Forward:
    """Inserts the rows of a table in key order, and what refers to a later row of the same table at the end."""

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table
        self._own = [
            column.name for column in table.c
            if column.nullable and "id" in table.c and any(key.column.table is table for key in column.foreign_keys)
        ]  # fmt: skip
        self._waiting: list[tuple[str, Row]] = []

    def insert(self, rows: list[Row]) -> None:
        """Insert a batch; only references forward wait, and a key is younger than what it refers to nearly always."""
        for row in rows if self._own else ():
            ahead = {n: row[n] for n in self._own if row[n] is not None and row[n] > row["id"]}
            if ahead:
                self._waiting.append((row["id"], ahead))
                row.update(dict.fromkeys(ahead))
        self._connection.execute(insert(self._table), rows)

    def finish(self) -> None:
        """Fill in the references that waited."""
        for key, ahead in self._waiting:
            self._connection.execute(
                update(self._table).where(self._table.c.id == key).values(ahead)
            )


def _learn(ctx: Context, info: EntityInfo, rows: list[Row]) -> None:
    """Make the records findable again; those in the trash are not found."""
    made = []
    for row in rows:
        if row["deleted_at"] is None:
            values = {f.name: f.stored(row) for f in info.search_fields}
            made.append(
                {"record_id": row["id"], "entity": info.name, "words": words_from(info, values)}
            )
    if made:
        ctx.connection.execute(insert(DOCUMENT), made)
