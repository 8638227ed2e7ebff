"""SQLite the way a business needs it."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, event

from clientela.kinds.text import lower

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # NORMAL lost acknowledged rows in simulated power cuts; FULL lost none.
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16000",
    "PRAGMA mmap_size=268435456",
)


def prepare(engine: Engine) -> None:
    """Let the kernel control transactions and give each connection its settings and functions."""
    event.listen(engine, "connect", _connect)
    event.listen(engine, "begin", _begin)


def _connect(connection: sqlite3.Connection, _record: Any) -> None:
    # None: the driver never begins a transaction by itself; `_begin` does.
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(pragma)
    connection.create_function("clientela_lower", 1, _lower, deterministic=True)


def _lower(value: Any) -> Any:
    return lower(value) if isinstance(value, str) else value


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("clientela_write"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif options.get("clientela_snapshot"):
        connection.exec_driver_sql("BEGIN")
