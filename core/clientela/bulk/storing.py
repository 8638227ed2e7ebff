"""Bulk writing: rows of plain values into a table, the fastest way each database has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import orjson
from psycopg import sql
from sqlalchemy import JSON, BigInteger, Boolean, Column, Connection, Integer, String, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError

from clientela import ids
from clientela.storage.types import Day, Instant, Key, Scaled, to_scaled

Convert = Callable[[list[Any]], Sequence[Any]]
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Already(list[Any]):
    """Values that have their stored form already."""


@contextmanager
def driver_errors(connection: Connection) -> Iterator[None]:
    """Turn what the driver raises into what SQLAlchemy would, so that the rim understands it."""
    dbapi: Any = connection.dialect.loaded_dbapi
    try:
        yield
    except dbapi.Error as wrong:
        raise DBAPIError.instance(
            "bulk insert", None, wrong, dbapi.Error, dialect=connection.dialect
        ) from wrong


def insert(connection: Connection, table: Table, columns: Mapping[str, list[Any]]) -> None:
    """Insert rows, given by column; columns that hold nothing are left out."""
    used = {name: values for name, values in columns.items() if _says_something(values)}
    with driver_errors(connection):
        if connection.dialect.name == "sqlite":
            _insert_sqlite(connection, table, used)
        elif all(_postgres_converter(table.c[name]) for name in used):
            _copy(connection, table, used)
        else:
            names = list(used)
            rows = [dict(zip(names, row, strict=True)) for row in zip(*used.values(), strict=True)]
            connection.execute(table.insert(), rows)


def _says_something(values: list[Any]) -> bool:
    return values[0] is not None or values.count(None) != len(values)


# SQLite -------------------------------------------------------------------------------------------------------------


def _insert_sqlite(connection: Connection, table: Table, columns: Mapping[str, list[Any]]) -> None:
    statement, order = _insert_statement(table, tuple(columns), connection.dialect)
    stored = [
        values if isinstance(values, Already) else _bound(table.c[name], values, connection.dialect)
        for name, values in ((name, columns[name]) for name in order)
    ]
    driver(connection).executemany(statement, zip(*stored, strict=True))


@lru_cache(maxsize=512)
def _insert_statement(
    table: Table, names: tuple[str, ...], dialect: Dialect
) -> tuple[str, tuple[str, ...]]:
    """Give the statement, and the order in which it wants the values."""
    made: Any = table.insert().compile(dialect=dialect, column_keys=list(names))
    return str(made), tuple(made.positiontup)


def _bound(column: Column[Any], values: list[Any], dialect: Dialect) -> Sequence[Any]:
    if isinstance(column.type, JSON):
        return _json(values)
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    return values if process is None else _each(values, process)


def _each(values: list[Any], convert: Callable[[Any], Any]) -> list[Any]:
    """Convert each value, the same one only once."""
    first = values[0]
    if values.count(first) == len(values):
        return [None if first is None else convert(first)] * len(values)
    return [None if value is None else convert(value) for value in values]


def _json(values: list[Any]) -> list[str | None]:
    dumps = orjson.dumps
    return [
        None if v is None else "[]" if v == [] else "{}" if v == {} else dumps(v).decode()
        for v in values
    ]


def driver(connection: Connection) -> Any:
    """Give the driver's own connection."""
    return connection.connection.driver_connection


# PostgreSQL ---------------------------------------------------------------------------------------------------------


def _copy(connection: Connection, table: Table, columns: Mapping[str, list[Any]]) -> None:
    texts = [
        _copied(table.c[name], values) if not isinstance(values, Already) else values
        for name, values in columns.items()
    ]
    rows = "\n".join(map("\t".join, zip(*texts, strict=True)))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table.name), sql.SQL(",").join(map(sql.Identifier, columns))
    )
    with driver(connection).cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(f"{rows}\n")


def _copied(column: Column[Any], values: list[Any]) -> Sequence[str]:
    convert = _postgres_converter(column)
    assert convert is not None  # noqa: S101 - asked before
    return convert(values)


def _postgres_converter(column: Column[Any]) -> Convert | None:
    kinds: tuple[tuple[type | tuple[type, ...], Convert], ...] = (
        (Key, lambda v: _nulls(v, ids.uuid_from_key)),
        (Instant, lambda v: _nulls(v, _iso)),
        (Day, lambda v: _nulls(v, _iso)),
        (Scaled, lambda v: _scaled(v, column)),
        (JSON, lambda v: _escaped(_json(v))),
        (Boolean, lambda v: _nulls(v, _letter)),
        ((BigInteger, Integer), lambda v: _nulls(v, str)),
        (String, _escaped),
    )
    return next((convert for kind, convert in kinds if isinstance(column.type, kind)), None)


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _letter(value: object) -> str:
    return "t" if value else "f"


def _scaled(values: list[Any], column: Column[Any]) -> Sequence[str]:
    places = column.type.places  # type: ignore[attr-defined]
    return _nulls(values, lambda value: str(to_scaled(value, places)))


def _nulls(values: list[Any], convert: Callable[[Any], str]) -> list[str]:
    return ["\\N" if text is None else text for text in _each(values, convert)]


def _escaped(values: Sequence[str | None]) -> list[str]:
    texts = ["\\N" if value is None else value for value in values]
    whole = "".join([value for value in values if value is not None])
    if not ("\\" in whole or "\n" in whole or "\t" in whole or "\r" in whole):
        return texts
    return ["\\N" if value is None else value.translate(_ESCAPES) for value in values]
