"""Revisions written from declarations, and what is declared compared with what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from clientela.app import App
from clientela.errors import Conflict, Invalid, NotFound
from clientela.storage import migrations
from clientela.storage.migrations.generate import NothingToWrite


def run(app: App, *statements: str) -> None:
    with app.db.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


def shape(app: App) -> dict[str, Any]:
    """Everything an inspector says of the tables that both ways of making them make."""
    with app.db.read() as connection:
        inspector = inspect(connection)
        return {
            name: {
                "columns": [
                    (c["name"], repr(c["type"]), c["nullable"], c["default"])
                    for c in inspector.get_columns(name)
                ],
                "key": inspector.get_pk_constraint(name),
                "foreign": sorted(inspector.get_foreign_keys(name), key=str),
                "unique": sorted(inspector.get_unique_constraints(name), key=str),
                "indexes": sorted(inspector.get_indexes(name), key=str),
            }
            for name in inspector.get_table_names()
            if not name.startswith("alembic_")
        }


@pytest.fixture
def written(open_app: Any, orchard: Any, cider: Any) -> App:
    """Both toy plugins, with revisions that were generated one after the other."""
    app: App = open_app(orchard, cider)
    migrations.upgrade(app)
    for package in (orchard, cider):
        migrations.generate(app, package.card.name, "initial")
        migrations.upgrade(app)
    return app


def test_what_was_written_applies_and_nothing_is_left_to_write(written: App) -> None:
    assert migrations.drift(written) == []
    for plugin in ("core", "orchard", "cider"):
        with pytest.raises(
            NothingToWrite, match=f"What {plugin} declares is what the database has"
        ):
            migrations.generate(written, plugin, "more")


def test_a_written_revision_is_readable(written: App, orchard: Any) -> None:
    (path,) = orchard.folder.glob("*.py")
    assert path.name == "0001_initial.py"
    code = path.read_text()
    assert code.startswith('"""Initial.\n\nRevision orchard_0001, after nothing.\n"""\n')
    expected = """
def upgrade() -> None:
    op.create_table('orchard_tree',
        sa.Column('name', types.plain_text(), nullable=False),
        sa.Column('planted', types.Day(), nullable=True),
        sa.Column('weight', types.Scaled(places=3), nullable=True),
        sa.Column('price', sa.BigInteger(), nullable=True),
        sa.Column('price_currency', types.plain_text(), nullable=True),
        sa.Column('grafts', types.json_type(), nullable=False),
        sa.Column('healthy', sa.Boolean(), nullable=False),
        sa.Column('planter_id', types.Key(), nullable=True),
"""
    assert expected in code
    assert code.endswith("\n\ndef downgrade() -> None:\n    op.drop_table('orchard_tree')\n")


def test_the_same_declarations_give_the_same_file(written: App, orchard: Any) -> None:
    (path,) = orchard.folder.glob("*.py")
    before = path.read_text()
    migrations.downgrade(written, "cider")
    migrations.downgrade(written, "orchard")
    path.unlink()
    assert migrations.generate(written, "orchard", "initial") == path
    assert path.read_text() == before


def test_created_at_once_and_migrated_are_the_same(
    written: App, plant: Callable[..., None], open_app: Any, orchard: Any, cider: Any
) -> None:
    plant(written)
    migrated = shape(written)
    for plugin in ("cider", "orchard", "core"):
        migrations.downgrade(written, plugin)
    assert shape(written) == {}
    written.create_all()
    created = shape(written)
    assert migrated.keys() == created.keys()
    for table, parts in created.items():
        assert migrated[table] == parts, table
    assert migrations.drift(written) == []


def test_a_file_from_one_database_fits_the_other(
    tmp_path: Path, postgres_database: str, orchard: Any, cider: Any
) -> None:
    plugins = [orchard.card, cider.card]
    one = App(f"sqlite:///{tmp_path / 'one.sqlite3'}", plugins=plugins)
    other = App(postgres_database, plugins=plugins)
    try:
        for plugin in ("orchard", "cider"):
            migrations.upgrade(one)
            migrations.generate(one, plugin, "initial")
        migrations.upgrade(other)
        assert migrations.drift(other) == []
    finally:
        one.close()
        other.close()


OLDER = """
op.create_table('orchard_tree',
    *(sa.Column(n, types.plain_text(), nullable=False) for n in ('created_by', 'updated_by')),
    *(sa.Column(n, types.Instant(), nullable=False) for n in ('created_at', 'updated_at')),
    sa.Column('deleted_at', types.Instant()), sa.Column('custom', types.json_type(), nullable=False),
    sa.Column('id', types.Key(), nullable=False), sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('name', types.plain_text(), nullable=True), sa.Column('old', types.plain_text()),
    sa.PrimaryKeyConstraint('id', name='pk_orchard_tree'))
op.create_index('ix_orchard_tree_old', 'orchard_tree', ['old'])
"""


def test_a_change_is_written_down_for_a_table_with_rows(open_app: Any, orchard: Any) -> None:
    """New columns that must have a value get the declared default first, on both databases."""
    orchard.revision(1, OLDER, "op.drop_table('orchard_tree')")
    app: App = open_app(orchard)
    migrations.upgrade(app)
    at = "'2026-01-01T00:00:00.000000Z'"
    run(
        app,
        "INSERT INTO orchard_tree (id, rev, name, created_by, updated_by, created_at, updated_at, custom, old)"
        f" VALUES ('0190f000-0000-7000-8000-000000000000', 1, 'Antonovka', 'x', 'x', {at}, {at}, '{{}}', 'gone')",
    )
    before = shape(app)
    path = migrations.generate(app, "orchard", "grafts")

    assert path.name == "0002_grafts.py"
    assert "Revision orchard_0002, after orchard_0001." in path.read_text()
    assert migrations.upgrade(app) == ["orchard: applied orchard_0002 (Grafts)."]
    assert migrations.drift(app) == []
    tree = orchard.card.entities[0].info.table
    with app.db.read() as connection:
        row = connection.execute(select(tree.c.name, tree.c.grafts, tree.c.healthy)).one()
    assert tuple(row) == ("Antonovka", [], True)

    migrations.downgrade(app, "orchard", to="orchard_0001")
    assert {c[0] for c in shape(app)["orchard_tree"]["columns"]} == {
        c[0] for c in before["orchard_tree"]["columns"]
    }
    migrations.upgrade(app)
    assert migrations.drift(app) == []


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        (["ALTER TABLE orchard_tree ADD extra int"], "orchard_tree.extra is in the database, but not declared."),
        (["CREATE TABLE orchard_leaf (id integer)"], "orchard_leaf is in the database, but not declared."),
        (["DROP TABLE cider_bottle"], "cider_bottle is declared, but not in the database."),
        (
            ["DROP INDEX uq_orchard_tree_name"],
            "The index uq_orchard_tree_name of orchard_tree is declared, but not in the database.",
        ),
        (
            ["CREATE INDEX ix_orchard_tree_x ON orchard_tree (planted)"],
            "The index ix_orchard_tree_x of orchard_tree is in the database, but not declared.",
        ),
    ],
)  # fmt: skip
def test_drift_is_told(written: App, statements: list[str], sentence: str) -> None:
    run(written, *statements)
    assert migrations.drift(written) == [sentence]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ('ALTER TABLE orchard_tree ALTER name TYPE text COLLATE "default"', "orchard_tree.name: type is"),
        ("ALTER TABLE orchard_tree ALTER healthy TYPE int USING 1", "orchard_tree.healthy: type is INTEGER()"),
        ("ALTER TABLE orchard_tree ALTER name DROP NOT NULL", "orchard_tree.name: nullable is True"),
        (
            "ALTER TABLE orchard_tree DROP CONSTRAINT fk_orchard_tree_planter_id",
            "The foreign key fk_orchard_tree_planter_id of orchard_tree is declared",
        ),
        ("DROP INDEX ix_core_search_words", "The search index ix_core_search_words is missing."),
    ],
)  # fmt: skip
def test_drift_of_postgresql_is_told(written: App, statement: str, sentence: str) -> None:
    run(written, statement)
    (told,) = migrations.drift(written)
    assert told.startswith(sentence)


def test_an_index_over_an_expression_is_made_on_demand_and_no_drift(written: App) -> None:
    run(written, "CREATE INDEX ix_orchard_tree_shop ON orchard_tree ((custom ->> 'shop'))")
    assert migrations.drift(written) == []


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_lost_trigger_of_the_search_is_told(written: App) -> None:
    run(written, "DROP TRIGGER core_search_au")
    assert migrations.drift(written) == [
        "The search index is not what is declared: CREATE TRIGGER core_search_au AFTER UPDATE."
    ]


def test_writing_needs_a_migrated_database_and_a_name(
    written: App, orchard: Any, cider: Any
) -> None:
    orchard.revision(2, "pass")
    with pytest.raises(
        Conflict,
        match="The database is at orchard_0001 of orchard; migrate it to orchard_0002 first",
    ):
        migrations.generate(written, "orchard", "more")
    with pytest.raises(Invalid, match=r"'\.\./x' cannot name a revision"):
        migrations.generate(written, "orchard", "../x")
    with pytest.raises(NotFound, match=r"There is no plugin 'cidre'\. Did you mean 'cider'"):
        migrations.generate(written, "cidre", "more")
