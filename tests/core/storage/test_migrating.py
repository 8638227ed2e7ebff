"""Upgrading and downgrading, on either database, with rows, failures and neighbours."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.errors import Conflict, Misconfigured, NotFound, Refusal
from clientela.storage import migrations

TREE = """
op.create_table('orchard_tree', sa.Column('id', types.Key(), primary_key=True), sa.Column('name', sa.Text()),
    sa.Column('planter_id', types.Key(), sa.ForeignKey('core_customer.id', name='fk_orchard_tree_planter_id')))
"""
NO_TREE = "op.drop_table('orchard_tree')"
BOTTLE = """
op.create_table('cider_bottle', sa.Column('id', types.Key(), primary_key=True), sa.Column('tree_id', types.Key(),
    sa.ForeignKey('orchard_tree.id', name='fk_cider_bottle_tree_id')))
"""
NO_BOTTLE = "op.drop_table('cider_bottle')"
LOAF = "op.create_table('orchard_bakery_loaf', sa.Column('id', types.Key(), primary_key=True))"
NO_LOAF = "op.drop_table('orchard_bakery_loaf')"
# SQLite copies the table for it, while others refer to it.
STRICT = "with op.batch_alter_table('orchard_tree') as b: b.alter_column('name', existing_type=sa.Text(), nullable={})"

SERVER = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from clientela.app import App
from clientela.plugins.card import Plugin
from clientela.storage import migrations
cards = [Plugin(name="orchard", title="Orchard"), Plugin(name="cider", title="Cider", needs=["orchard"])]
app = App(sys.argv[1], plugins=cards)
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(migrations.upgrade(app)), flush=True)
app.close()
"""


def tables(app: App) -> set[str]:
    with app.db.read() as connection:
        return set(inspect(connection).get_table_names())


def states(app: App) -> dict[str, Any]:
    return {one.plugin: one.state for one in migrations.status(app)}


def run(app: App, *statements: str) -> None:
    with app.db.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def value(app: App, question: str) -> Any:
    with app.db.read() as connection:
        return connection.execute(text(question)).scalar()


@pytest.fixture
def made(orchard: Any, cider: Any) -> tuple[Any, Any]:
    orchard.revision(1, TREE, NO_TREE)
    cider.revision(1, BOTTLE, NO_BOTTLE)
    return orchard, cider


def plant_by_hand(app: App) -> None:
    key = "'0190f000-0000-7000-8000-000000000000'"
    run(
        app,
        f"INSERT INTO orchard_tree (id, name) VALUES ({key}, 'Antonovka')",
        f"INSERT INTO cider_bottle (id, tree_id) VALUES ({key}, {key})",
    )


# up and down ----------------------------------------------------------------------------------------------------------


def test_from_nothing_every_plugin_comes_after_those_it_needs(open_app: Any, made: Any) -> None:
    orchard, cider = made
    app = open_app(cider, orchard)
    assert states(app) == {"core": "pending", "orchard": "pending", "cider": "pending"}
    assert migrations.pending(app)

    assert migrations.upgrade(app) == [
        "core: applied core_0001 (Initial).",
        "orchard: applied orchard_0001 (By hand).",
        "cider: applied cider_0001 (By hand).",
    ]
    assert set(states(app).values()) == {"current"}
    assert not migrations.pending(app)
    assert migrations.upgrade(app) == []


def test_looking_creates_nothing(open_app: Any, made: Any, url: str) -> None:
    app = open_app(*made)
    assert [one.current for one in migrations.status(app)] == [None, None, None]
    if app.db.is_sqlite:
        assert not Path(str(app.db.url.database)).exists()
    assert tables(app) == set()


def test_a_plugin_alone_brings_those_it_needs(open_app: Any, made: Any, bakery: Any) -> None:
    bakery.revision(1, LOAF)
    app = open_app(*made, bakery)
    migrations.upgrade(app, "orchard")

    assert states(app)["orchard"] == states(app)["core"] == "current"
    assert states(app)["cider"] == states(app)["orchard_bakery"] == "pending"
    with pytest.raises(NotFound, match="Did you mean 'orchard'"):
        migrations.upgrade(app, "orchad")


def test_a_memory_database_is_migrated_in_place() -> None:
    app = App("sqlite://", plugins=[])
    migrations.upgrade(app)
    assert states(app) == {"core": "current"}
    assert migrations.drift(app) == []
    app.close()


def test_rows_stay_through_up_down_up_of_a_table_that_others_refer_to(
    open_app: Any, made: Any
) -> None:
    """SQLite copies the table and drops the original; foreign keys must be off then, and on again afterwards."""
    orchard, cider = made
    app = open_app(orchard, cider)
    migrations.upgrade(app)
    plant_by_hand(app)
    strict = orchard.revision(2, STRICT.format("False"), STRICT.format("True"))

    for _ in range(2):
        assert migrations.upgrade(app) == [f"orchard: applied {strict} (By hand)."]
        with pytest.raises(Exception, match=r"NOT NULL|not-null"):
            run(app, "UPDATE orchard_tree SET name = NULL")
        told = migrations.downgrade(app, "orchard", to="orchard_0001")
        assert told == [f"orchard: undone {strict} (By hand)."]

    assert (
        value(app, "SELECT name FROM orchard_tree JOIN cider_bottle ON tree_id = orchard_tree.id")
        == "Antonovka"
    )
    with pytest.raises(Exception, match=r"FOREIGN KEY|foreign key"):
        run(app, "DELETE FROM orchard_tree")


def test_back_to_base_leaves_nothing_and_others_alone(open_app: Any, made: Any, dump: Any) -> None:
    orchard, cider = made
    app = open_app(orchard, cider)
    migrations.upgrade(app, "core")
    app.perform(SYSTEM, lambda ctx: ctx.add(Customer(name="Anna")), face="test")
    before = dump(app)
    migrations.upgrade(app)

    assert migrations.downgrade(app, "cider") == ["cider: undone cider_0001 (By hand)."]
    migrations.downgrade(app, "orchard")
    assert dump(app) == before
    migrations.upgrade(app)
    assert "cider_bottle" in tables(app)
    with app.db.read() as connection:
        assert connection.scalar(select(Customer.info.table.c.name)) == "Anna"


def test_the_core_goes_up_and_down_with_its_rows(open_app: Any) -> None:
    app = open_app()
    migrations.upgrade(app)
    app.perform(SYSTEM, lambda ctx: ctx.add(Customer(name="Anna")), face="test")

    migrations.downgrade(app, "core")
    assert tables(app) == set()
    migrations.upgrade(app)
    assert migrations.drift(app) == []


def test_an_unknown_revision_is_no_place_to_go_back_to(open_app: Any, made: Any) -> None:
    app = open_app(*made)
    migrations.upgrade(app)
    with pytest.raises(NotFound, match=r"no revision 'orchard_0002'.*Did you mean 'orchard_0001'"):
        migrations.downgrade(app, "orchard", to="orchard_0002")


# dependents -----------------------------------------------------------------------------------------------------------


def test_what_others_need_is_not_taken_away(open_app: Any, made: Any) -> None:
    app = open_app(*made)
    migrations.upgrade(app)
    with pytest.raises(Conflict, match="orchard is needed by cider; take their tables away first"):
        migrations.downgrade(app, "orchard")
    with pytest.raises(Conflict, match="core is needed by cider, orchard"):
        migrations.downgrade(app, "core")


def test_a_dependent_whose_package_is_gone_still_counts(open_app: Any, made: Any) -> None:
    orchard, _ = made
    migrations.upgrade(open_app(*made))
    with pytest.raises(Conflict, match="needed by cider"):
        migrations.downgrade(open_app(orchard), "orchard")


def test_without_the_ledger_the_database_itself_protects_what_is_referred_to(
    open_app: Any, made: Any
) -> None:
    """On SQLite foreign keys are off meanwhile, so an empty referring table would be left hanging."""
    orchard, _ = made
    migrations.upgrade(open_app(*made))
    app = open_app(orchard)
    run(app, "DELETE FROM core_meta")
    with pytest.raises(
        Refusal, match=r"cider_bottle would refer to orchard_tree|DependentObjectsStillExist"
    ):
        migrations.downgrade(app, "orchard")
    assert "orchard_tree" in tables(app)


def test_rows_that_are_referred_to_are_not_deleted(open_app: Any, made: Any) -> None:
    orchard, cider = made
    app = open_app(orchard, cider)
    migrations.upgrade(app)
    plant_by_hand(app)
    orchard.revision(2, "op.execute('DELETE FROM orchard_tree')")
    with pytest.raises(
        Refusal, match=r"cider_bottle would refer to orchard_tree|ForeignKeyViolation"
    ):
        migrations.upgrade(app)
    assert value(app, "SELECT count(*) FROM orchard_tree") == 1


# a package that is gone -----------------------------------------------------------------------------------------------


def test_when_a_package_is_gone_the_others_go_on(open_app: Any, made: Any, site: Path) -> None:
    orchard, cider = made
    migrations.upgrade(open_app(orchard, cider))
    orchard.revision(2, STRICT.format("False"))

    app = open_app(orchard)
    assert states(app)["cider"] == "absent"
    assert migrations.upgrade(app) == ["orchard: applied orchard_0002 (By hand)."]
    assert not [s for s in migrations.drift(app) if "cider" in s]


def test_the_ledger_removes_a_plugin_whose_package_is_gone(open_app: Any, made: Any) -> None:
    orchard, cider = made
    migrations.upgrade(open_app(orchard, cider))
    app = open_app(orchard)
    note = migrations.ledger(app)["cider"]
    assert note["needs"] == ["orchard"]
    run(app, *note["removal"])

    assert not [name for name in tables(app) if "cider" in name]
    assert "cider" not in states(app)


def test_a_database_that_is_newer_than_the_package_is_left_alone(
    open_app: Any, made: Any, bakery: Any
) -> None:
    bakery.revision(1, LOAF)
    app = open_app(*made, bakery)
    migrations.upgrade(app, "cider")
    run(app, "UPDATE alembic_version_orchard SET version_num = 'orchard_0007'")
    assert states(app)["orchard"] == "ahead"
    with pytest.raises(
        Misconfigured, match="at revision orchard_0007, which the installed package does not know"
    ):
        migrations.upgrade(app)
    assert states(app)["orchard_bakery"] == "current"


def test_a_plugin_without_revisions_is_absent(open_app: Any, orchard: Any) -> None:
    app = open_app(orchard)
    migrations.upgrade(app)
    assert states(app)["orchard"] == "absent"
    with pytest.raises(NotFound, match="orchard brings no revisions"):
        migrations.downgrade(app, "orchard")


def test_revisions_are_one_line(open_app: Any, made: Any) -> None:
    orchard, _ = made
    orchard.revision(2, "pass")
    orchard.revision(3, "pass", after=1)
    with pytest.raises(
        Misconfigured, match="must be one line, but end in orchard_0002 and orchard_0003"
    ):
        migrations.status(open_app(orchard))


def test_a_file_that_cannot_be_read_is_told(open_app: Any, made: Any) -> None:
    orchard, _ = made
    (orchard.folder / "0002_broken.py").write_text("revision = ")
    with pytest.raises(
        Misconfigured, match="The revisions of orchard cannot be read: invalid syntax"
    ):
        migrations.status(open_app(orchard))


# failing --------------------------------------------------------------------------------------------------------------

HALF = """
op.add_column('orchard_tree', sa.Column('half', sa.Integer()))
op.create_table('orchard_leaf', sa.Column('id', types.Key(), primary_key=True))
with op.batch_alter_table('orchard_tree') as b: b.alter_column('name', existing_type=sa.Text(), nullable=False)
op.execute("UPDATE orchard_tree SET name = 'gone'")
"""


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("raise RuntimeError('lightning')", "RuntimeError: lightning"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("op.execute('SELECT a FROM nowhere')", "nowhere"),
        ("with op.get_context().autocommit_block(): pass", "is migrated in one transaction"),
    ],
)
def test_a_failing_revision_leaves_the_schema_byte_equal_and_others_go_on(
    open_app: Any, made: Any, bakery: Any, dump: Any, end: str, told: str
) -> None:
    orchard, cider = made
    bakery.revision(1, LOAF, NO_LOAF)
    app = open_app(orchard, cider)
    migrations.upgrade(app)
    plant_by_hand(app)
    before = dump(app)
    orchard.revision(2, "op.execute('UPDATE orchard_tree SET id = id')")
    orchard.revision(3, HALF + end)
    cider.revision(2, "pass")

    app = open_app(orchard, cider, bakery)
    with pytest.raises(Misconfigured) as failed:
        migrations.upgrade(app)
    assert told in failed.value.detail
    assert "cider needs orchard and was not migrated." in failed.value.detail
    assert failed.value.extra["applied"] == [
        "orchard_bakery: applied orchard_bakery_0001 (By hand)."
    ]
    migrations.downgrade(app, "orchard_bakery")
    assert dump(app) == before

    orchard.revision(3, "pass")
    assert len(migrations.upgrade(app)) == 4


def test_a_failing_downgrade_leaves_the_schema_byte_equal(
    open_app: Any, made: Any, dump: Any
) -> None:
    orchard, _ = made
    app = open_app(orchard)
    migrations.upgrade(app)
    orchard.revision(
        2,
        "op.create_index('ix_orchard_tree_name', 'orchard_tree', ['name'])",
        HALF + "raise ValueError",
    )
    migrations.upgrade(app)
    before = dump(app)
    with pytest.raises(migrations.MigrationFailed):
        migrations.downgrade(app, "orchard")
    assert dump(app) == before


def test_a_killed_migration_leaves_the_schema_byte_equal(
    open_app: Any, made: Any, dump: Any, url: str, site: Path
) -> None:
    orchard, cider = made
    app = open_app(orchard, cider)
    migrations.upgrade(app)
    before = dump(app)
    orchard.revision(2, HALF + "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    killed = subprocess.run(
        [sys.executable, "-c", SERVER, url, str(site)], input="go\n", text=True, check=False
    )

    assert killed.returncode == -signal.SIGKILL
    assert dump(app) == before
    orchard.revision(2, "pass")
    assert migrations.upgrade(app) == ["orchard: applied orchard_0002 (By hand)."]


# together -------------------------------------------------------------------------------------------------------------


def test_servers_that_start_together_migrate_once(
    url: str, made: Any, site: Path, open_app: Any
) -> None:
    servers = [
        subprocess.Popen(
            [sys.executable, "-c", SERVER, url, str(site)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for server in servers:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go\n")
        server.stdin.flush()
    told = [sentence for server in servers for sentence in json.loads(server.communicate()[0])]

    assert [server.returncode for server in servers] == [0, 0, 0]
    assert sorted(told) == [
        "cider: applied cider_0001 (By hand).",
        "core: applied core_0001 (Initial).",
        "orchard: applied orchard_0001 (By hand).",
    ]
    assert not migrations.pending(open_app(*made))
