"""The life of a plugin in the database: planned, applied, kept, exported, purged, and back again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from clientela.access.entities import Role, Token
from clientela.access.principal import SYSTEM
from clientela.access.seed import seed_roles
from clientela.app import App
from clientela.errors import Conflict, Misconfigured, NotFound
from clientela.external import name_external
from clientela.plugins import life
from clientela.settings import Settings
from clientela.storage import migrations


def fill(app: App, plant: Any) -> None:
    """A tree with a bottle, one in the trash, a key of another system, and a role that names them."""
    seed_roles(app)
    plant(app)
    plant(app, "Gravenstein")

    def work(ctx: Any) -> None:
        tree = ctx.app.registry.entity("orchard.tree").cls
        trees = list(ctx.session.scalars(select(tree).order_by(text("name"))))
        name_external(ctx, trees[0].info, "1c", "42", trees[0].id)
        trees[0].custom = {"shade": "half"}
        ctx.add(
            Role(
                name="grower",
                permissions=["orchard.*", "core.customer.read"],
                scopes={"orchard.tree": "healthy = true"},
            )
        )
        ctx.flush()
        trees[1].deleted_at = ctx.now

    app.perform(SYSTEM, work, face="test")


# planning -------------------------------------------------------------------------------------------------------------


def test_planning_writes_nothing(
    grown: Any, everything: Any, orchard: Any, plant: Any, tmp_path: Path
) -> None:
    app = grown()
    fill(app, plant)
    orchard.revision(2, "op.add_column('orchard_tree', sa.Column('x', sa.Integer()))", after=1)
    before = everything(app)
    life.plan_upgrade(app, "orchard")
    life.plan_add(app, "cider")
    for mode in ("keep", "export", "purge"):
        life.plan_remove(app, "orchard", mode, str(tmp_path / "x.zip"))
    assert everything(app) == before
    assert not (tmp_path / "snapshots").exists()


def test_a_plan_to_upgrade_shows_the_sql_the_rows_and_the_way_back(
    grown: Any, orchard: Any, plant: Any
) -> None:
    app = grown()
    fill(app, plant)
    orchard.revision(
        2,
        "op.add_column('orchard_tree', sa.Column('x', sa.Integer()))",
        "op.drop_column('orchard_tree', 'x')",
    )
    orchard.revision(
        3,
        "with op.batch_alter_table('orchard_tree') as b: b.drop_column('x')",
        "raise NotImplementedError",
    )

    plan = life.plan_upgrade(app, "orchard")
    [step] = plan.steps
    second, third = step.revisions
    assert (step.before, step.after) == ("active (orchard_0001)", "active (orchard_0003)")
    assert second.sql == ["ALTER TABLE orchard_tree ADD COLUMN x INTEGER"]
    assert second.rows == {"orchard_tree": 2}
    assert (second.reversible, second.loses) == (True, False)
    assert (third.reversible, third.loses) == (False, True)
    assert [r.what for r in plan.references] == ["cider_bottle → orchard_tree"]


def test_a_plan_to_remove_shows_what_goes_and_who_is_in_the_way(grown: Any, plant: Any) -> None:
    app = grown()
    fill(app, plant)
    plan = life.plan_remove(app, "orchard", "purge")
    assert plan.blockers == ["orchard is needed by cider; remove them first, in this order."]
    assert plan.first == ["cider"]
    assert plan.steps[0].rows == {"orchard_tree": 2}
    counts = {r.kind: r.count for r in plan.references if r.kind != "foreign key"}
    assert counts.keys() >= {"changes", "external_keys", "roles", "facts", "meta"}
    with pytest.raises(Conflict, match="needed by cider"):
        life.apply(app, plan)


def test_without_a_verb_the_three_are_explained(grown: Any) -> None:
    with pytest.raises(Conflict, match=r"--keep leaves .* --export FILE .* --purge removes"):
        life.plan_remove(grown(), "orchard", "")


def test_a_plan_is_refused_when_the_world_has_changed(grown: Any, orchard: Any) -> None:
    app = grown()
    plan = life.plan_remove(app, "cider", "purge")
    orchard.revision(2, "op.add_column('orchard_tree', sa.Column('x', sa.Integer()))")
    migrations.upgrade(app)
    with pytest.raises(life.PlanOutdated, match="clientela plugin plan remove cider --purge"):
        life.apply(app, plan)


# removing -------------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_attached_again_byte_for_byte(
    grown: Any, everything: Any, plant: Any
) -> None:
    app = grown()
    fill(app, plant)
    before = everything(app)
    life.apply(app, life.plan_remove(app, "cider", "keep"))
    without = grown("orchard", "orchard_bakery")
    assert migrations.ledger(without)["cider"]["state"] == "kept"

    app = grown()
    assert life.apply(app, life.plan_add(app, "cider")).done == ["cider: attached to its tables."]
    assert everything(app) == before


def test_a_kept_table_that_was_changed_meanwhile_is_not_attached(grown: Any) -> None:
    app = grown()
    life.apply(app, life.plan_remove(app, "cider", "keep"))
    with app.db.write() as connection:
        connection.execute(text("ALTER TABLE cider_bottle ADD COLUMN x INTEGER"))
    with pytest.raises(Conflict, match="not what they were when they were kept"):
        life.apply(app, life.plan_add(app, "cider"))


def test_purge_leaves_no_residue_and_touches_nobody_else(
    grown: Any, everything: Any, plant: Any
) -> None:
    app = grown()
    fill(app, plant)
    life.apply(app, life.plan_remove(app, "cider", "purge"))
    before = everything(app, "orchard")
    app = grown("orchard_bakery")  # the packages are gone
    life.apply(app, life.plan_remove(app, "orchard", "purge"))
    assert life.residue(app, "orchard") == []
    assert life.residue(app, "cider") == []
    assert everything(app, "orchard") == before
    with app.db.read() as connection:
        held = connection.execute(
            select(Role.info.table.c.permissions).where(Role.info.table.c.name == "grower")
        )
        assert held.scalar_one() == ["core.customer.read"]
    with pytest.raises(NotFound, match="nothing in the database"):
        life.plan_remove(app, "orchard", "purge")


def test_an_exported_plugin_comes_back_with_the_same_rows(
    grown: Any, plant: Any, tmp_path: Path
) -> None:
    app = grown()
    fill(app, plant)
    life.apply(app, life.plan_remove(app, "cider", "purge"))
    question = "SELECT * FROM orchard_tree ORDER BY id", "SELECT * FROM core_external_key"
    with app.db.read() as connection:
        before = [connection.execute(text(one)).all() for one in question]
    archive = tmp_path / "orchard.zip"
    told = life.apply(app, life.plan_remove(app, "orchard", "export", str(archive)))
    assert told.done[0] == f"orchard: wrote 2 records to {archive}."
    assert life.residue(app, "orchard") == []

    app = grown("orchard")
    told = life.apply(app, life.plan_add(app, "orchard", str(archive)))
    assert told.done[-1] == f"orchard: read 2 records from {archive}."
    with app.db.read() as connection:
        assert [connection.execute(text(one)).all() for one in question] == before
    assert migrations.drift(app) == []


def test_a_broken_archive_is_refused_before_anything_is_done(
    grown: Any, plant: Any, tmp_path: Path
) -> None:
    app = grown("orchard", "orchard_bakery", "cider")
    life.apply(app, life.plan_remove(app, "cider", "purge"))
    archive = tmp_path / "orchard.zip"
    life.apply(app, life.plan_remove(app, "orchard", "export", str(archive)))
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(Conflict, match="not a whole archive"):
        life.apply(app, life.plan_add(app, "orchard", str(archive)))
    assert life.residue(app, "orchard") == []


def test_export_needs_the_package_and_a_new_file(grown: Any, tmp_path: Path) -> None:
    there = tmp_path / "there.zip"
    there.touch()
    plan = life.plan_remove(grown("orchard"), "cider", "export", str(there))
    assert [one[:40] for one in plan.blockers] == [
        "Only cider itself knows how its records ", f"{there} is there already; name another."[:40],
    ]  # fmt: skip


def test_a_token_that_had_only_the_plugins_permissions_is_not_opened(grown: Any) -> None:
    """An empty list would mean all that its user may do."""
    app = grown()

    def work(ctx: Any) -> None:
        ctx.add(Token(name="bot", start="x", digest="x", roles=[], permissions=["cider.*"]))
        ctx.add(
            Role(
                name="all but cider",
                permissions=["*", "-cider.*"],
                scopes={"cider.bottle": "size > 1"},
            )
        )

    app.perform(SYSTEM, work, face="test")
    life.apply(app, life.plan_remove(app, "cider", "purge"))
    with app.db.read() as connection:
        assert connection.execute(select(Token.info.table.c.permissions)).scalar_one() == ["-*"]
        role = connection.execute(
            select(Role.info.table).where(Role.info.table.c.name == "all but cider")
        ).one()
    assert role.permissions == ["*", "-cider.*"], (
        "what was denied stays denied to the one that comes back"
    )
    assert role.scopes == {"cider.bottle": "size > 1"}


# failing --------------------------------------------------------------------------------------------------------------


def test_a_failure_in_the_middle_leaves_the_schema_byte_for_byte(
    grown: Any, everything: Any, orchard: Any, plant: Any
) -> None:
    app = grown()
    fill(app, plant)
    before = everything(app)
    orchard.revision(
        2,
        "op.add_column('orchard_tree', sa.Column('x', sa.Integer()))\nop.execute('SELECT * FROM no_such_table')\n"
        "op.add_column('orchard_tree', sa.Column('y', sa.Integer()))",
    )
    with pytest.raises(
        migrations.MigrationFailed,
        match="orchard_0002 of orchard failed, and nothing of it was kept",
    ):
        life.apply(app, life.plan_upgrade(app, "orchard"))
    assert everything(app) == before
    assert life.interrupted(app) is None


def test_what_stands_is_said_with_the_command_to_go_on(
    grown: Any, orchard: Any, cider: Any
) -> None:
    app = grown()
    orchard.revision(2, "op.add_column('orchard_tree', sa.Column('x', sa.Integer()))")
    wrong = cider.folder / "0002_by_hand.py"
    cider.revision(2, "op.execute('SELECT * FROM no_such_table')")
    with pytest.raises(Conflict) as failed:
        life.apply(app, life.plan_upgrade(app, "cider"))
    assert "Done and standing: orchard." in failed.value.detail
    assert failed.value.extra["fix"] == "clientela plugin apply --resume"
    assert "done so far: orchard" in str(app.unready())
    with pytest.raises(life.StillUnderWay):
        life.apply(app, life.plan_upgrade(app, "cider"))

    wrong.write_text(wrong.read_text().replace("SELECT * FROM no_such_table", "SELECT 1"))
    life.resume(app)
    assert app.unready() is None


def test_an_older_package_does_not_take_the_data_of_a_newer_one(grown: Any, orchard: Any) -> None:
    app = grown()
    path = orchard.folder / "0002_by_hand.py"
    orchard.revision(2, "op.add_column('orchard_tree', sa.Column('x', sa.Integer()))")
    migrations.upgrade(app)
    path.unlink()
    plan = life.plan_upgrade(app, "orchard")
    assert not plan.steps
    assert "older than the one that made them" in plan.blockers[0]
    assert "would lose what they hold beyond orchard_0001" in plan.blockers[0]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_snapshot_is_taken_and_gone_back_to(
    grown: Any, everything: Any, plant: Any, orchard: Any, cider: Any
) -> None:
    app = grown()
    fill(app, plant)
    before = everything(app)
    orchard.revision(2, "op.add_column('orchard_tree', sa.Column('x', sa.Integer()))")
    cider.revision(2, "op.execute('SELECT * FROM no_such_table')")
    with pytest.raises(Conflict):
        life.apply(app, life.plan_upgrade(app, "cider"))
    assert "clientela plugin apply --restore" in str(app.unready())
    life.go_back(app)
    assert everything(app) == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgres_is_dumped_or_nothing_is_done(grown: Any, everything: Any, tmp_path: Path) -> None:
    """A pg_dump that is older than the server refuses, and so do we."""
    app = grown()
    app.settings = Settings(folder=tmp_path)
    before = everything(app)
    try:
        outcome = life.apply(app, life.plan_remove(app, "cider", "purge"))
    except Misconfigured as refused:
        assert refused.detail.startswith(
            "pg_dump could not make the snapshot, so nothing was changed"
        )
        assert everything(app) == before
    else:
        assert not outcome.snapshot or Path(outcome.snapshot).read_bytes()[:5] == b"PGDMP"


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgres_is_copied_on_its_server(grown: Any, tmp_path: Path) -> None:
    app = grown("orchard", "cider")
    app.settings = Settings(folder=tmp_path, postgres_snapshot="template")
    outcome = life.apply(app, life.plan_remove(app, "cider", "purge"))
    with app.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'DROP DATABASE "{outcome.snapshot}"'))
