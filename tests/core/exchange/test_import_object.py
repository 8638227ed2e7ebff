"""An import is an object: checked, begun, stopped, gone on with after whatever happened, and taken back."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from clientela.access.principal import SYSTEM
from clientela.customers.entities import Customer
from clientela.errors import Conflict, Forbidden, Invalid
from clientela.exchange import jobs, runs
from clientela.exchange.entities import Import
from clientela.exchange.keeping import keep_file
from clientela.files.uploads import write_receipt
from clientela.history import CHANGE
from clientela.query import Question, list_page
from clientela.settings import Settings

KILLS = int(os.environ.get("CLIENTELA_KILLS", "5"))
WORKER = Path(__file__).parent / "workers/importing.py"
LINES = [f"N{n},n{n}@example.com\n" for n in range(40)]
FILE = "name,email\n" + "".join(LINES)


@pytest.fixture
def settings(tmp_path):
    return Settings(pool_size=4, folder=tmp_path)


@pytest.fixture
def plugins():
    return []


@pytest.fixture
def act(app):
    """Do something with an import: `act("start", key, skip_bad_rows=True)`."""

    def acted(verb, key, *, principal=SYSTEM, **data):
        action = app.registry.action(f"core.import.{verb}")
        given = jobs.Start(**data) if verb == "start" else None
        with app.acting_as(principal, face="test") as ctx:
            return ctx.run(action, key, given).state

    return acted


@pytest.fixture
def made(app):
    """Make an import of a text, and give its key."""

    def make(text, *, principal=SYSTEM, entity="core.customer", **options):
        kept = keep_file(app, io.BytesIO(text.encode()), "people.csv")
        create = app.registry.action("core.import.create")
        values = {"entity": entity, "file": kept, "options": options}
        with app.acting_as(principal, face="test") as ctx:
            write_receipt(ctx, kept)
            return ctx.run(create, data=values).id

    return make


@pytest.fixture
def done(act, made, app):
    """Import a text with all its steps, and give key and report."""

    def do(text, **options):
        key = made(text, **options)
        act("check", key)
        jobs.carry_out(app, key)
        act("start", key)
        return key, jobs.carry_out(app, key)

    return do


def names(app):
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        rows = list_page(ctx, Customer.info, Question(sort="id", limit=200)).rows
    return [row["name"] for row in rows]


def record(app, key):
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        return ctx.get(Import, key)


def test_a_file_is_checked_run_and_taken_back(app, act, done):
    key, report = done(FILE, batch=7)

    one = record(app, key)
    assert (report.created, one.state, len(names(app))) == (40, "done", 40)
    assert one.set_id.startswith("chs_")

    act("undo", key)
    assert (names(app), record(app, key).state) == ([], "undone")


def test_a_check_writes_nothing_and_counts_what_the_run_will_count(app, act, made):
    key = made(FILE + "Bad,nonsense\n", batch=7)
    act("check", key)
    checked = jobs.carry_out(app, key)

    assert (checked.created, checked.failed, names(app)) == (40, 1, [])
    with pytest.raises(Conflict, match="bad rows keep it back"):
        act("start", key)

    act("start", key, skip_bad_rows=True)
    run = jobs.carry_out(app, key)
    assert (run.created, run.failed) == (checked.created, checked.failed)
    [failed] = runs.failed_rows_of(app.db.engine.connect(), key)
    assert (failed.number, failed.cells) == (42, ["Bad", "nonsense"])


def test_a_stopped_import_goes_on_where_it_stands(app, act, made):
    key = made(FILE, batch=7, skip_bad_rows=True)
    act("start", key)

    def stop(report, _share):
        if report.read == 14:
            act("stop", key)

    jobs.carry_out(app, key, stop)
    assert (record(app, key).state, len(names(app))) == ("stopped", 14)

    act("start", key)
    report = jobs.carry_out(app, key)
    assert (report.read, report.created) == (40, 40)
    assert names(app) == [line.split(",")[0] for line in LINES]


def test_two_processes_at_one_import_write_each_row_once(app, act, made):
    """The second finds that the first moved on, and leaves it alone."""
    key = made(FILE, batch=7, skip_bad_rows=True)
    act("start", key)
    heard = []

    def also(report, _share):
        if not heard:
            heard.append(jobs.carry_out(app, key))

    jobs.carry_out(app, key, also)
    assert sorted(names(app)) == sorted(line.split(",")[0] for line in LINES)
    assert record(app, key).state == "done"


def test_a_process_that_died_is_replaced(app, act, made, clock):
    key = made(FILE, skip_bad_rows=True)
    act("start", key)

    assert jobs.waiting(app) == [key]
    assert jobs.waiting(app) == []
    clock.forward(seconds=31)
    assert jobs.waiting(app) == [key]
    jobs.carry_out(app, key)
    clock.forward(seconds=31)
    assert jobs.waiting(app) == []


def test_what_stands_against_it_stops_it_with_the_reason(app, act, made):
    """Somebody takes a value between the check and the run."""
    key = made("name,email,employee\nAnna,a@example.com,x\n", mapping={"employee": "owner:email"})
    act("check", key)
    report = jobs.carry_out(app, key)
    assert report.failed == 1
    act("start", key, skip_bad_rows=True)
    assert jobs.carry_out(app, key).failed == 1
    other = made("name\n", entity="core.customer")
    act("check", other)
    assert jobs.carry_out(app, other).read == 0
    assert record(app, other).state == "checked"


def test_an_import_that_cannot_be_read_says_why(app, act, made):
    key = made("shoe\n38\n")
    act("check", key)

    assert jobs.carry_out(app, key) is None
    assert record(app, key).state == "stopped"
    assert "No column of the file fits" in record(app, key).reason


def test_options_are_read_when_they_are_given(made):
    with pytest.raises(Invalid, match="maping"):
        made(FILE, maping={})


def test_it_runs_with_the_rights_of_who_began_it(app, act, made, as_user):
    clerk = as_user("core.import.*", "core.customer.import")
    key = made(FILE, principal=clerk, skip_bad_rows=True)

    with pytest.raises(Forbidden, match=r"core\.customer\.create"):
        act("start", key, principal=clerk)


def test_nobody_sees_the_imports_of_others(app, made, as_user):
    anna, boris = as_user("core.import.*", "-core.import.supervise"), as_user("core.import.read")
    chief = as_user("core.import.read", "core.import.supervise")
    key = made(FILE, principal=anna)

    def seen(principal):
        with app.acting_as(principal, face="test", writing=False) as ctx:
            return ctx.find(Import, key) is not None

    assert [seen(anna), seen(boris), seen(chief)] == [True, False, True]


def test_killed_at_random_moments_it_ends_with_the_rows_of_a_clean_run(
    app, act, made, db_url, tmp_path
):
    """CLIENTELA_KILLS=50 kills more often than every run of the suite can afford."""
    lines = [f"N{n},n{n}@example.com\n" for n in range(KILLS * 500)]
    key = made("name,email\n" + "".join(lines), batch=20, skip_bad_rows=True)
    act("start", key)
    rng = random.Random(KILLS)

    died = [killed(db_url, tmp_path, key, lifetime=rng.uniform(0.001, 0.3)) for _ in range(KILLS)]
    report = jobs.carry_out(app, key)

    assert all(died)
    assert (report.read, report.created) == (len(lines), len(lines))
    with app.db.read() as connection:
        table = Customer.info.table
        found = connection.execute(select(table.c.name).order_by(table.c.id)).scalars().all()
        logged = connection.execute(
            select(func.count()).select_from(CHANGE).where(CHANGE.c.entity == "core.customer")
        ).scalar()
    assert found == [line.split(",")[0] for line in lines]
    assert logged == len(lines)


def killed(url, folder, key, *, lifetime):
    """Let a process go on with the import until a timer ends it in the midst of whatever it does."""
    command = [sys.executable, str(WORKER), str(url), str(folder), key, str(lifetime)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == -signal.SIGALRM and "begun" in done.stdout


# what a dry run must know of its own rows -----------------------------------------------------------------------------


CASES = {
    "twice in different batches": ("code\nA1\nB1\nA1\n", {}),
    "a record made by an earlier batch": ("code,pieces\nA1,1\nB1,1\nA1,2\n", {"key": ("code",)}),
    "unchanged the second time": ("code,pieces\nA1,1\nB1,1\nA1,1\n", {"key": ("code",)}),
    "made before and there": ("code,pieces\nOLD,5\nB1,1\nOLD,5\n", {"key": ("code",)}),
    "only known ones": ("code,pieces\nOLD,5\nB1,1\n", {"key": ("code",), "mode": "update"}),
    "only new ones": ("code,pieces\nOLD,5\nB1,1\nB1,2\n", {"key": ("code",), "mode": "create"}),
    "only blanks": ("code,note,pieces\nOLD,new,9\nOLD,newer,9\n", {"key": ("code",), "mode": "fill-blanks"}),
    "the entity's own key": ("code,pieces\nOLD,5\nB1,1\n", {"mode": "upsert"}),
}  # fmt: skip
EXPECTED = {
    "twice in different batches": (2, 0, 0, 1),
    "a record made by an earlier batch": (2, 1, 0, 0),
    "unchanged the second time": (2, 0, 1, 0),
    "made before and there": (1, 1, 1, 0),
    "only known ones": (0, 1, 0, 1),
    "only new ones": (1, 0, 0, 2),
    "only blanks": (0, 1, 1, 0),
    "the entity's own key": (1, 1, 0, 0),
}


class TestPreview:
    @pytest.fixture
    def plugins(self, parcel):
        from clientela.plugins.card import Plugin

        return [Plugin(name="parcels", title="Parcels", entities=[parcel])]

    @pytest.mark.parametrize("case", CASES)
    def test_the_preview_counts_what_the_run_counts(self, take, parcel, case):
        take(parcel, "code,pieces\nOLD,1\n")
        text, options = CASES[case]

        looked = take(parcel, text, batch=1, dry_run=True, **options)
        run = take(parcel, text, batch=1, skip_bad_rows=True, **options)

        counted = [(r.created, r.updated, r.unchanged, r.failed) for r in (looked, run)]
        assert counted == [EXPECTED[case]] * 2
        assert [g.as_dict() for g in looked.groups] == [g.as_dict() for g in run.groups]
