"""kill -9 at any statement: the next start is clean, or says exactly how to go on, and going on works."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect

from clientela.app import App
from clientela.plugins import life
from clientela.plugins.life.plans import Mode
from clientela.storage import migrations

KILLED = """
import os, runpy, signal, sys
from pathlib import Path
from sqlalchemy import event
from clientela.app import App
from clientela.plugins import life
from clientela.plugins.card import Plugin
from clientela.settings import Settings
from clientela.storage import migrations

url, site, toys, folder, left, *wish = sys.argv[1:]
sys.path.insert(0, site)
toys = runpy.run_path(toys)
app = App(url, settings=Settings(folder=Path(folder), postgres_snapshot="none"), plugins=[
    Plugin(name="orchard", title="Orchard", entities=[toys["Tree"]]),
    Plugin(name="cider", title="Cider", entities=[toys["Bottle"]], needs=["orchard"]),
])
left, writes = int(left), False

def arm(connection):
    # What is only planned cannot be broken off.
    global writes
    writes = writes or bool(connection.get_execution_options().get("clientela_write"))

def count(*_):
    global left
    left -= writes
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(app.db.engine, "begin", arm)
event.listen(app.db.engine, "before_cursor_execute", count)
event.listen(app.db.engine, "commit", count)
if wish == ["migrate"]:
    migrations.upgrade(app)
else:
    life.apply(app, life.plan_again(app, life.Plan(*wish)))
print(int(sys.argv[5]) - left)
os._exit(0)
"""
TOYS = Path(__file__).with_name("conftest.py")

REVISION = (
    "op.add_column('{0}', sa.Column('x', sa.Integer()))\nop.create_index('ix_{0}_x', '{0}', ['x'])"
)
# How often it may speak to the database, from its first write on, before it is killed.
POINTS = [2, *random.Random(4).sample(range(3, 90), 3)]


def killed_at(url: str, site: Path, folder: Path, point: int, *wish: str) -> int:
    words = [url, str(site), str(TOYS), str(folder), str(point), *wish]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, *words],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode


def tables(app: App) -> set[str]:
    with app.db.read() as connection:
        return set(inspect(connection).get_table_names())


def go_on(app: App) -> None:
    """Do what the next start says, if it says anything."""
    sentence = str(app.unready() or "")
    if "clientela plugin apply --resume" in sentence:
        life.resume(app)
    elif sentence:
        assert "clientela db migrate" in sentence
        migrations.upgrade(app)
    assert app.unready() is None


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("how", ["migrate", "upgrade"])
def test_bringing_up(
    grown: Any,
    orchard: Any,
    cider: Any,
    plant: Any,
    url: str,
    site: Path,
    tmp_path: Path,
    point: int,
    how: str,
) -> None:
    app = grown("orchard", "cider")
    plant(app)
    orchard.revision(2, REVISION.format("orchard_tree"))
    cider.revision(2, REVISION.format("cider_bottle"))
    killed_at(url, site, tmp_path, point, *([how] if how == "migrate" else ["upgrade", "cider"]))

    go_on(app)
    assert {one.current for one in migrations.status(app)} >= {"orchard_0002", "cider_0002"}
    assert tables(app) >= {"orchard_tree", "cider_bottle"}


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("mode", ["purge", "export"])
def test_taking_down(
    grown: Any, plant: Any, url: str, site: Path, tmp_path: Path, point: int, mode: Mode
) -> None:
    app = grown("orchard", "cider")
    plant(app)
    file = str(tmp_path / "cider.zip") if mode == "export" else ""
    killed_at(url, site, tmp_path, point, "remove", "cider", mode, file)

    sentence = app.unready()
    if sentence and "--resume" in sentence:
        life.resume(app)
    elif "cider_bottle" in tables(app):  # nothing had begun
        assert sentence is None
        life.apply(app, life.plan_remove(app, "cider", mode, file))
    assert life.residue(app, "cider") == []
    assert life.interrupted(app) is None
    assert tables(app) >= {"orchard_tree"}
    if file:
        app = grown("orchard", "cider")
        told = life.apply(app, life.plan_add(app, "cider", file))
        assert told.done[-1] == f"cider: read 1 records from {file}."


@pytest.mark.parametrize("point", POINTS)
def test_reading_an_archive_in(
    grown: Any, plant: Any, url: str, site: Path, tmp_path: Path, point: int
) -> None:
    app = grown("orchard", "cider")
    plant(app)
    file = str(tmp_path / "cider.zip")
    life.apply(app, life.plan_remove(app, "cider", "export", file))
    killed_at(url, site, tmp_path, point, "add", "cider", "", file)

    if life.interrupted(app):
        life.resume(app)
    elif "cider_bottle" not in tables(app):
        life.apply(app, life.plan_add(app, "cider", file))
    assert life.plan_remove(app, "cider", "purge").steps[0].rows == {"cider_bottle": 1}
    assert app.unready() is None
