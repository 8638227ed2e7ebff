"""One database of one deployment: its engine and its two kinds of transaction."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.pool import QueuePool, StaticPool

from clientela.errors import Conflict, Misconfigured, Unavailable
from clientela.i18n.texts import _
from clientela.storage import postgres, sqlite

DEFAULT_POOL = 8

# Beside the threads of requests: the loop's own short reads, the outbox, a health check.
SPARE = 3

# How often a whole unit of work is tried when PostgreSQL reports a serialization failure or a deadlock.
TRIES = 5


class Database:
    """A database and how to talk to it.

    `write()` gives a connection in a transaction that will be committed when the block ends well; `read()` gives one
    that only reads. SQLAlchemy never begins by itself: on SQLite a writer says BEGIN IMMEDIATE, because a transaction
    that begins as a reader cannot become a writer while another one writes (the driver's default fails at once).
    """

    def __init__(self, url: str, *, pool_size: int = DEFAULT_POOL) -> None:
        self.url = _usable(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.in_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        self.pool_size = pool_size
        self.engine = self._engine()
        # A memory database has one connection, and its threads must take turns.
        self._turn = threading.RLock() if self.in_memory else None
        # The transaction of the thread whose turn it is: closing a second connection would roll it back.
        self._writer: Connection | None = None

    def _engine(self) -> Engine:
        options: dict[str, Any] = {
            "json_serializer": _dumps,
            "json_deserializer": orjson.loads,
        }
        if self.in_memory:
            options |= {"poolclass": StaticPool, "connect_args": {"check_same_thread": False}}
        else:
            options |= {
                "poolclass": QueuePool,
                "pool_size": self.pool_size + SPARE,
                "max_overflow": 0,
                "pool_timeout": 5,
            }
        if self.is_sqlite:
            options.setdefault("connect_args", {"check_same_thread": False})
        else:
            options |= {"connect_args": postgres.CONNECT, "pool_pre_ping": False}
        engine = create_engine(self.url, **options)
        (sqlite if self.is_sqlite else postgres).prepare(engine)
        event.listen(engine, "before_cursor_execute", _refuse_writes)
        return engine

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reading; an insert, update or delete on it is refused."""
        with self._turns(), self._connected() as connection:
            if not self.is_sqlite:
                # Each statement sees its own snapshot and costs one round trip instead of three.
                connection.execution_options(isolation_level="AUTOCOMMIT")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction, committed when the block ends well and rolled back when it does not."""
        with self._turns(), self._connected() as connection:
            connection.execution_options(clientela_write=True)
            with connection.begin():
                self._writer = connection if self.in_memory else None
                try:
                    yield connection
                finally:
                    self._writer = None

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Give a connection that sees one state throughout and may keep temporary tables; nothing of it stays."""
        with self._turns(), self._connected() as connection:
            options: dict[str, Any] = {"clientela_snapshot": True}
            if not self.is_sqlite:
                options["isolation_level"] = "REPEATABLE READ"
            connection.execution_options(**options)
            with connection.begin() as transaction:
                yield connection
                transaction.rollback()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if self._writer is not None:
            yield self._writer
            return
        try:
            with self.engine.connect() as connection:
                yield connection
        except NoneFree as none_free:
            raise Unavailable(
                _("All connections to the database are in use. Try again."),
                headers={"Retry-After": "1"},
            ) from none_free
        except OperationalError as failed:
            # What may succeed at once is tried again by `App.perform`.
            excuse = None if is_transient(failed) else _unavailable(failed)
            if excuse is None:
                raise
            raise excuse from failed

    @contextmanager
    def _turns(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        with self._turn:
            yield

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _refuse_writes(
    connection: Connection,
    _cursor: Any,
    _statement: str,
    _parameters: Any,
    context: Any,
    _many: bool,  # noqa: FBT001
) -> None:
    """Refuse to change data where nothing would commit it on purpose."""
    if context is not None and (context.isinsert or context.isupdate or context.isdelete):
        options = connection.get_execution_options()
        if not (options.get("clientela_write") or options.get("clientela_snapshot")):
            raise Conflict(_("This connection only reads; open one that writes."))


def _dumps(value: object) -> str:
    return orjson.dumps(value).decode()


def _usable(url: str) -> URL:
    try:
        made = make_url(url)
    except Exception as wrong:
        raise Misconfigured(
            _(
                "{url} is not a database address; write sqlite:///file or postgresql://user@host/name.",
                url=repr(re.sub(r"//[^@]*@", "//…@", url)),  # never the password
            )
        ) from wrong
    if made.get_backend_name() == "postgresql":
        return made.set(drivername="postgresql+psycopg")
    if made.get_backend_name() == "sqlite":
        return made
    raise Misconfigured(
        _(
            "{name} is not a database Clientela knows: sqlite or postgresql.",
            name=repr(made.get_backend_name()),
        )
    )


def _unavailable(failed: OperationalError) -> Unavailable | None:
    """Tell a busy or absent database from a defect of ours."""
    reason = str(failed.orig)
    # PostgreSQL's codes are a lock and a statement that took too long.
    if " is locked" in reason or getattr(failed.orig, "sqlstate", None) in {"55P03", "57014"}:
        return Unavailable(
            _("The database was busy for too long; nothing was written. Try again."),
            headers={"Retry-After": "1"},
        )
    if (
        failed.connection_invalidated
        or "connect" in reason
        or "terminat" in reason
        or "closed" in reason
        or "unable to open" in reason
    ):
        return Unavailable(
            _("The database does not answer; nothing was written."), headers={"Retry-After": "3"}
        )
    if "disk is full" in reason or "No space left" in reason:
        return Unavailable(
            _("The disk is full; nothing was written."), headers={"Retry-After": "60"}
        )
    if "disk I/O error" in reason:
        # A commit whose last flush failed may still be found in the log after a restart.
        return Unavailable(
            _("The disk under the database fails; it is not sure that this was kept. Try again."),
            headers={"Retry-After": "60"},
        )
    return None


def is_transient(failed: BaseException) -> bool:
    """Say whether the same unit of work may succeed when it is tried again at once."""
    if not isinstance(failed, DBAPIError):
        return False
    return getattr(failed.orig, "sqlstate", None) in {"40001", "40P01"}


def count_statements(engine: Engine) -> Any:
    """Attach a counter of SQL statements; the tests and the hook timeline read it."""

    class Counter:
        statements: list[str]

        def __init__(self) -> None:
            self.statements = []

    counter = Counter()

    @event.listens_for(engine, "before_cursor_execute")
    def _count(_c: Any, _cur: Any, statement: str, _p: Any, _ctx: Any, _many: Any) -> None:
        counter.statements.append(statement)

    return counter
