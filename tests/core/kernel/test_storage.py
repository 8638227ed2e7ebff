"""Storage: what was acknowledged stays, what failed leaves nothing, and writers who meet lose nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.context import Context
from clientela.customers.entities import Customer, Identifier
from clientela.errors import Conflict, Misconfigured, Unavailable
from clientela.history import CHANGE, CHANGE_SET
from clientela.outbox import OUTBOX
from clientela.plugins.card import Plugin
from clientela.search import DOCUMENT
from clientela.settings import Settings
from clientela.storage import postgres, sqlite
from clientela.storage.database import TRIES, Database
from clientela_sdk.testing.databases import opened
from clientela_sdk.testing.factory import Make

WORKERS = Path(__file__).parent / "workers"
on_sqlite = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)

Dump = Callable[[], Any]
Rows = Callable[..., list[Any]]


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return []


def add_customer(ctx: Context, name: str = "Anna") -> Customer:
    return ctx.add(Customer(name=name))


def count(app: App) -> int:
    with app.db.read() as connection:
        return int(
            connection.execute(select(func.count()).select_from(Customer.info.table)).scalar_one()
        )


def together(*work: Callable[[], Any]) -> list[BaseException]:
    """Do several things at once, each in a thread of its own, and give what went wrong."""
    wrong: list[BaseException] = []

    def guarded(one: Callable[[], Any]) -> None:
        try:
            one()
        except BaseException as error:  # noqa: BLE001 - the test asks what it was
            wrong.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


# several writers ------------------------------------------------------------------------------------------------------


def test_two_processes_that_add_up_lose_nothing(app: App, db_url: str, make: Make) -> None:
    """A transaction that began as a reader would read the old value and write over the new one."""
    anna = make(Customer, name="Anna", note="0")
    workers = [
        subprocess.Popen(
            [sys.executable, str(WORKERS / "increments.py"), db_url, anna.id, "100"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n", worker.communicate()[1]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    said = [worker.communicate() for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0], said
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        after = ctx.get(Customer, anna.id)
    assert (after.note, after.rev) == ("200", 201)


def test_threads_that_add_up_lose_nothing(app: App, make: Make) -> None:
    anna = make(Customer, name="Anna", note="0")
    start = threading.Barrier(4)

    def add(ctx: Context) -> None:
        customer = ctx.get(Customer, anna.id, lock=True)
        customer.note = str(int(customer.note or 0) + 1)

    def ten_times() -> None:
        start.wait()
        for _ in range(10):
            app.perform(SYSTEM, add, face="test")

    assert together(*[ten_times] * 4) == []
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        assert ctx.get(Customer, anna.id).note == "40"


def test_an_action_locks_the_record_it_is_about(app: App, make: Make) -> None:
    """`core.customer.update` reads, decides and writes; two at once come one after the other, and both count."""
    anna = make(Customer, name="Anna", note="")
    update = app.registry.action("core.customer.update")
    start = threading.Barrier(4)

    def append(letter: str) -> Callable[[], Any]:
        def work(ctx: Context) -> None:
            ctx.run(update, anna.id, {"note": "x"})
            customer = ctx.get(Customer, anna.id)
            customer.source = (customer.source or "") + letter

        def run() -> None:
            start.wait()
            app.perform(SYSTEM, work, face="test")

        return run

    assert together(*map(append, "abcd")) == []
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        assert sorted(ctx.get(Customer, anna.id).source or "") == ["a", "b", "c", "d"]


def test_threads_create_side_by_side(app: App, rows: Rows) -> None:
    start = threading.Barrier(8)

    def ten_times() -> None:
        start.wait()
        for _ in range(10):
            app.perform(SYSTEM, add_customer, face="thread")

    assert together(*[ten_times] * 8) == []
    assert count(app) == 80
    assert Counter(s["rows"] for s in rows(CHANGE_SET, face="thread")) == {1: 80}


def test_readers_go_on_while_somebody_writes(app: App, make: Make) -> None:
    make(Customer)
    with app.acting_as(SYSTEM, face="test") as ctx:
        add_customer(ctx)
        ctx.flush()
        assert count(app) == 1
    assert count(app) == 2


@on_postgres
def test_a_deadlock_is_tried_again(app: App, make: Make) -> None:
    """Each of two units holds what the other one wants; PostgreSQL ends one of them, and it begins again."""
    anna, bob = make(Customer, name="Anna"), make(Customer, name="Bob")
    both_hold_one = threading.Barrier(2)
    attempts: list[str] = []

    def unit(mine: Customer, other: Customer) -> Callable[[], Any]:
        def work(ctx: Context) -> None:
            attempts.append(mine.name)
            ctx.get(Customer, mine.id, lock=True).note = "mine"
            ctx.flush()
            if attempts.count(mine.name) == 1:
                both_hold_one.wait()
            ctx.get(Customer, other.id, lock=True).source = mine.name

        return lambda: app.perform(SYSTEM, work, face="test")

    assert together(unit(anna, bob), unit(bob, anna)) == []
    assert len(attempts) == 3


@on_postgres
@pytest.mark.parametrize(
    ("code", "attempts", "refusal"), [("40001", TRIES, Unavailable), ("22012", 1, DBAPIError)]
)
def test_what_never_comes_through_is_given_up(
    app: App, code: str, attempts: int, refusal: type[Exception]
) -> None:
    """A unit that meets others again and again ends with a sentence; what cannot succeed is not tried again."""
    tried: list[str] = []

    def work(ctx: Context) -> None:
        tried.append(code)
        ctx.connection.execute(
            text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$")
        )

    with pytest.raises(refusal):
        app.perform(SYSTEM, work, face="test")
    assert len(tried) == attempts


# dying ----------------------------------------------------------------------------------------------------------------


def test_a_writer_that_is_killed_loses_nothing_it_acknowledged_and_leaves_nothing_half(
    app: App, db_url: str, rows: Rows
) -> None:
    done = subprocess.run(
        [sys.executable, str(WORKERS / "killed.py"), db_url, "7", "20"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    acknowledged = done.stdout.split()
    customers = {row["id"] for row in rows(Customer.info.table)}

    assert len(acknowledged) > 0
    assert set(acknowledged) <= customers
    identifiers = Counter(row["customer_id"] for row in rows(Identifier.info.table))
    assert identifiers == dict.fromkeys(customers, 2)
    sets = {s["id"]: s["rows"] for s in rows(CHANGE_SET, face="worker")}
    changes = Counter(c["set_id"] for c in rows(CHANGE))
    assert {key: changes[key] for key in sets} == dict.fromkeys(sets, 3)
    assert len(sets) == len(customers)
    assert Counter(o["set_id"] for o in rows(OUTBOX) if o["set_id"] in sets) == dict.fromkeys(
        sets, 3
    )
    assert {d["record_id"] for d in rows(DOCUMENT, entity="core.customer")} == customers
    if app.db.is_sqlite:
        with app.db.read() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            assert connection.execute(text("PRAGMA foreign_key_check")).fetchall() == []
            connection.execute(
                text("INSERT INTO core_search_fts(core_search_fts) VALUES ('integrity-check')")
            )
    app.perform(SYSTEM, add_customer, face="test")


def test_a_writer_may_stand_inside_a_reader(app: App, memory: App) -> None:
    """The reader saw nothing before, and sees what was committed meanwhile."""
    for one in (app, memory):
        with one.acting_as(SYSTEM, face="test", writing=False) as reading:
            assert reading.find(Customer, "01JD0000000000000000000000") is None
            with one.acting_as(SYSTEM, face="test") as ctx:
                anna = add_customer(ctx)
            assert reading.find(Customer, anna.id) is not None
        assert count(one) == 1


# failing --------------------------------------------------------------------------------------------------------------


def test_a_commit_that_fails_leaves_nothing_and_the_next_one_works(app: App, dump: Dump) -> None:
    before = dump()

    def fail(_connection: Connection) -> None:
        raise OSError("no space left")

    event.listen(app.db.engine, "commit", fail)
    with pytest.raises(OSError, match="no space left"):
        app.perform(SYSTEM, add_customer, face="test")
    event.remove(app.db.engine, "commit", fail)

    assert dump() == before
    app.perform(SYSTEM, add_customer, face="test")
    assert count(app) == 1


@on_sqlite
def test_a_constraint_that_fails_at_the_commit_leaves_nothing(app: App, dump: Dump) -> None:
    before = dump()

    def late(ctx: Context) -> None:
        ctx.connection.execute(text("PRAGMA defer_foreign_keys=ON"))
        add_customer(ctx)
        ctx.add(Identifier(customer_id="01JD0000000000000000000000", kind="other", value="x"))

    with pytest.raises(Exception, match="FOREIGN KEY"):
        app.perform(SYSTEM, late, face="test")
    assert dump() == before


def test_a_refusal_at_the_very_end_leaves_nothing(app: App, dump: Dump) -> None:
    before = dump()
    with pytest.raises(Conflict), app.acting_as(SYSTEM, face="test") as ctx:
        add_customer(ctx)
        ctx.add(Identifier(customer_id="01JD0000000000000000000000", kind="other", value="x"))
    assert dump() == before


def test_a_caught_conflict_does_not_commit_what_stood_before_it(app: App, dump: Dump) -> None:
    """Without a savepoint there is nothing to go on with; the unit fails as a whole."""
    before = dump()

    def work(ctx: Context) -> None:
        add_customer(ctx)
        ctx.flush()
        ctx.add(Identifier(customer_id="01JD0000000000000000000000", kind="other", value="x"))
        try:
            ctx.flush()
        except Conflict:
            add_customer(ctx, "Bob")

    with pytest.raises(Exception, match=r"rolled back|closed transaction|inactive|gone"):
        app.perform(SYSTEM, work, face="test")
    assert dump() == before


def test_a_reading_connection_refuses_to_write(app: App, make: Make) -> None:
    make(Customer)
    with app.db.read() as connection, pytest.raises(Conflict, match="only reads"):
        connection.execute(Customer.info.table.update().values(note="x"))
    with app.db.read() as connection:
        assert connection.execute(select(Customer.info.table.c.note)).scalar_one() is None


# waiting --------------------------------------------------------------------------------------------------------------


@on_sqlite
def test_a_database_that_stays_busy_is_unavailable(
    app: App, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = tuple(p.replace("busy_timeout=10000", "busy_timeout=1") for p in sqlite.PRAGMAS)
    monkeypatch.setattr(sqlite, "PRAGMAS", impatient)
    with opened(App(db_url, plugins=[])) as other, app.acting_as(SYSTEM, face="test"):
        with pytest.raises(Unavailable, match="busy for too long; nothing was written") as refused:
            other.perform(SYSTEM, add_customer, face="test")
        assert refused.value.headers == {"Retry-After": "1"}
        assert count(other) == 0
    app.perform(SYSTEM, add_customer, face="test")


@on_postgres
@pytest.mark.parametrize("limit", ["lock_timeout", "statement_timeout"])
def test_a_record_that_stays_locked_is_unavailable(
    app: App, db_url: str, make: Make, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    anna = make(Customer)
    monkeypatch.setitem(postgres.CONNECT, "options", f"-c timezone=UTC -c {limit}=20")
    with opened(App(db_url, plugins=[])) as other, app.acting_as(SYSTEM, face="test") as ctx:
        ctx.get(Customer, anna.id, lock=True)
        with pytest.raises(Unavailable, match="nothing was written"):
            other.perform(SYSTEM, lambda late: late.get(Customer, anna.id, lock=True), face="test")


def test_where_every_connection_is_in_use_the_next_one_is_told(
    db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(App(db_url, plugins=[], settings=Settings(pool_size=1))) as app:
        monkeypatch.setattr(app.db.engine.pool, "_timeout", 0.01)
        held = [app.db.engine.connect() for _ in range(app.db.engine.pool.size())]  # type: ignore[attr-defined]
        with pytest.raises(Unavailable, match="connections"):
            count(app)
        for connection in held:
            connection.close()
        assert count(app) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit for the size of files")
@on_sqlite
def test_a_disk_that_fails_is_said_to_fail(app: App) -> None:
    import resource

    most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, most[1]))
    try:
        with pytest.raises(Unavailable, match="disk under the database fails"):
            app.perform(SYSTEM, add_customer, face="test")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, most)
    assert count(app) == 0


def test_a_database_that_is_not_there_is_unavailable() -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/none", "sqlite:////nowhere/at/all.sqlite3"):
        with (
            opened(App(url, plugins=[])) as app,
            pytest.raises(Unavailable, match="does not answer"),
        ):
            count(app)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "mysql://x/y",
        "sqlite",
        "://",
        "oracle://a:secret@b/c",
        "what ever://a:secret@b/c",
    ],
)
def test_an_address_that_is_none_is_named_at_the_start(url: str) -> None:
    with pytest.raises(Misconfigured, match=r"is not a database") as refused:
        Database(url)
    assert "secret" not in str(refused.value)


# settings of the databases --------------------------------------------------------------------------------------------


@on_sqlite
def test_sqlite_is_set_up_for_business(app: App) -> None:
    with app.db.read() as connection:

        def pragma(name: str) -> Any:
            return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()

        # FULL: NORMAL lost acknowledged rows in simulated power cuts.
        assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == (
            "wal",
            2,
            1,
        )
        assert pragma("busy_timeout") >= 5_000


@on_sqlite
def test_a_writer_holds_the_lock_from_its_beginning(app: App) -> None:
    statements: list[str] = []

    def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(app.db.engine, "before_cursor_execute", note)
    app.perform(SYSTEM, add_customer, face="test")
    count(app)

    assert statements[0] == "BEGIN IMMEDIATE"
    assert statements.count("BEGIN IMMEDIATE") == 1


@on_postgres
def test_postgres_waits_for_nothing_without_an_end(app: App) -> None:
    with app.db.read() as connection:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            assert (
                connection.execute(
                    text("select current_setting(:name)"), {"name": name}
                ).scalar_one()
                != "0"
            )
        assert connection.execute(text("select current_setting('TimeZone')")).scalar_one() == "UTC"


# in memory ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def memory() -> Any:
    """Give an app whose database is in memory, with one connection for all."""
    with closing(App("sqlite://", plugins=[])) as app:
        app.create_all()
        yield app


def test_a_database_in_memory_is_one_database_for_all_threads(memory: App) -> None:
    def create() -> None:
        for _ in range(10):
            memory.perform(SYSTEM, add_customer, face="test")

    assert together(*[create] * 4) == []
    assert count(memory) == 40


def test_two_databases_in_memory_know_nothing_of_each_other(memory: App) -> None:
    with closing(App("sqlite://", plugins=[])) as other:
        other.create_all()
        other.perform(SYSTEM, add_customer, face="test")

        assert (count(memory), count(other)) == (0, 1)


def test_reading_in_the_middle_of_writing_does_not_undo_it(memory: App) -> None:
    """An action that looks somebody up in the directory reads on a connection of its own; here there is only one."""
    with memory.acting_as(SYSTEM, face="test") as ctx:
        add_customer(ctx)
        ctx.flush()
        count(memory)

    assert count(memory) == 1
