"""The transaction in which a schema is changed: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, func, select, text

from clientela.errors import Conflict
from clientela.i18n.texts import _
from clientela.storage.database import Database

# One number for all deployments: an advisory lock is local to its PostgreSQL database.
_LOCK = 0x436C69656E74656C

# A long copy of a table is no hang, and neither is the wait until another server has migrated; a table that somebody
# keeps locked is.
_POSTGRES_BEFORE = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL lock_timeout = '15min'",
)
_POSTGRES_AFTER = ("SET LOCAL lock_timeout = '10s'",)
_SQLITE_BEFORE = ("PRAGMA busy_timeout=900000", "PRAGMA foreign_keys=OFF")
_SQLITE_AFTER = ("PRAGMA foreign_keys=ON", "PRAGMA busy_timeout=10000")

_LOST_ROWS = text('SELECT DISTINCT "table", parent FROM pragma_foreign_key_check')
_LOST_TABLES = text(
    'SELECT m.name, f."table" FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f '
    "WHERE m.type = 'table' AND f.\"table\" NOT IN (SELECT name FROM sqlite_master WHERE type = 'table')"
)


@contextmanager
def schema_change(db: Database) -> Iterator[Connection]:
    """Give a connection in a transaction that may change the schema; a second one waits until the first has ended."""
    change = _on_sqlite if db.is_sqlite else _on_postgres
    with change(db) as connection:
        yield connection


@contextmanager
def _on_postgres(db: Database) -> Iterator[Connection]:
    with db.write() as connection:
        for statement in _POSTGRES_BEFORE:
            connection.exec_driver_sql(statement)
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        for statement in _POSTGRES_AFTER:
            connection.exec_driver_sql(statement)
        yield connection


@contextmanager
def _on_sqlite(db: Database) -> Iterator[Connection]:
    """Switch foreign keys off before the transaction, because Alembic copies a table and drops the original."""
    with db.read() as connection:
        driver: Any = connection.connection.driver_connection
        for pragma in _SQLITE_BEFORE:
            driver.execute(pragma)
        try:
            connection.execution_options(clientela_write=True)
            with connection.begin():
                yield connection
                _check_references(connection)
        finally:
            for pragma in _SQLITE_AFTER:
                driver.execute(pragma)


def _check_references(connection: Connection) -> None:
    """Check what PostgreSQL would not have allowed in the first place."""
    for question in (_LOST_TABLES, _LOST_ROWS):
        lost = connection.execute(question).first()
        if lost is not None:
            raise Conflict(
                _(
                    "Afterwards {table} would refer to {parent}, where nothing is left; nothing was changed.",
                    table=lost[0],
                    parent=lost[1],
                )
            )
