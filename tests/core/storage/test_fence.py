"""A plugin's revision changes the tables that begin with its name, and no others."""

from __future__ import annotations

from typing import Any

import pytest

from clientela.errors import Misconfigured
from clientela.storage import migrations
from clientela.storage.migrations.fence import tables_changed_by
from clientela.storage.migrations.scripts import owner_of

TREE = "op.create_table('orchard_tree', sa.Column('id', types.Key(), primary_key=True))"


@pytest.mark.parametrize(
    ("code", "table"),
    [
        ("op.create_table('tree', sa.Column('id', sa.Integer()))", "tree"),
        ("op.create_table('orchardtree', sa.Column('id', sa.Integer()))", "orchardtree"),
        ("op.add_column('core_customer', sa.Column('fruit', sa.Text()))", "core_customer"),
        ("op.create_index('ix_core_customer_note', 'core_customer', ['note'])", "core_customer"),
        ("op.drop_index('ix_core_customer_name', 'core_customer')", "core_customer"),
        ("with op.batch_alter_table('core_customer') as b: b.drop_column('note')", "core_customer"),
        ("op.drop_table('core_token')", "core_token"),
        ("op.rename_table('core_token', 'orchard_token')", "core_token"),
        ("op.rename_table('orchard_tree', 'core_tree')", "core_tree"),
        ("op.execute('''alter  table\\n \"core_token\" add grown integer''')", "core_token"),
        ("op.execute('ALTER /* x */ TABLE core_token ADD grown integer')", "core_token"),
        ("op.execute('DELETE FROM core_role')", "core_role"),
        ("op.execute('UPDATE core_role SET name = name')", "core_role"),
        ("op.execute(sa.table('core_meta', sa.column('key')).insert().values(key='x'))", "core_meta"),
        ("op.execute('UPDATE alembic_version_core SET version_num = 0')", "alembic_version_core"),
        # The longer name owns it, although it begins with ours as well.
        ("op.create_table('orchard_bakery_oven', sa.Column('id', sa.Integer()))", "orchard_bakery_oven"),
        ("op.execute('CREATE VIEW core_view AS SELECT id FROM core_role')", "core_view"),
        ("op.execute('CREATE TEMP TABLE core_user (id int)')", "core_user"),
        ("op.execute('CREATE TEMP VIEW core_user AS SELECT 1 AS id')", "core_user"),
        ("op.execute('ALTER TABLE core_token RENAME TO orchard_token')", "core_token"),
    ],
)  # fmt: skip
def test_what_is_not_its_own_is_refused(
    open_app: Any, orchard: Any, bakery: Any, dump: Any, code: str, table: str
) -> None:
    orchard.revision(1, TREE)
    app = open_app(orchard, bakery)
    migrations.upgrade(app)
    before = dump(app)
    orchard.revision(2, f"op.add_column('orchard_tree', sa.Column('x', sa.Integer()))\n{code}")

    with pytest.raises(migrations.OutsideFence) as refused:
        migrations.upgrade(app)
    assert refused.value.detail == (
        f"The revision orchard_0002 of orchard would change {table}, which is not its own: its tables begin with "
        "orchard_. Nothing of it was kept."
    )
    assert dump(app) == before


def test_a_refusal_names_the_statement_the_owner_and_the_remedy(
    open_app: Any, orchard: Any
) -> None:
    orchard.revision(1, "op.execute('DELETE FROM core_role')")
    with pytest.raises(migrations.OutsideFence) as refused:
        migrations.upgrade(open_app(orchard))
    told = refused.value.extra
    assert (told["statement"], told["owner"]) == ("DELETE FROM core_role", "core")
    assert told["fix"] == "ask core for it, or keep a table of your own that refers to it"


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_trigger_on_anothers_table_is_refused_even_a_temporary_one(
    open_app: Any, orchard: Any
) -> None:
    orchard.revision(
        1, "op.execute('CREATE TEMP TRIGGER t AFTER DELETE ON core_user BEGIN SELECT 1; END')"
    )
    with pytest.raises(migrations.OutsideFence, match="would change core_user"):
        migrations.upgrade(open_app(orchard))


@pytest.mark.parametrize("word", ["COMMIT", "ROLLBACK", "PRAGMA writable_schema", "ATTACH"])
def test_a_revision_does_not_leave_its_transaction(
    open_app: Any, orchard: Any, dump: Any, word: str
) -> None:
    app = open_app(orchard)
    migrations.upgrade(app, "core")
    before = dump(app)
    orchard.revision(1, f"{TREE}\nop.execute('{word}')")
    with pytest.raises(migrations.OutsideFence, match=f"orchard_0001 of orchard says {word}"):
        migrations.upgrade(app)
    assert dump(app) == before


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "code",
    [
        "op.execute('DROP TABLE orchard_tree, core_token')",
        "op.execute('''DO $$ BEGIN EXECUTE 'ALTER TABLE ' || 'core_token ADD grown int'; END $$''')",
        "op.execute('SELECT 1 AS grown INTO core_grown')",
        "op.execute('DROP INDEX ix_core_token_user_id')",
    ],
)
def test_what_no_statement_names_is_noticed_in_the_schema(
    open_app: Any, orchard: Any, dump: Any, code: str
) -> None:
    orchard.revision(1, TREE)
    app = open_app(orchard)
    migrations.upgrade(app)
    before = dump(app)
    orchard.revision(2, code)
    with pytest.raises(migrations.OutsideFence, match="orchard_0002 of orchard would change core_"):
        migrations.upgrade(app)
    assert dump(app) == before


def test_a_fence_stands_on_the_way_down_too(open_app: Any, orchard: Any, dump: Any) -> None:
    orchard.revision(1, TREE, "op.drop_table('orchard_tree')\nop.drop_table('core_token')")
    app = open_app(orchard)
    migrations.upgrade(app)
    before = dump(app)
    with pytest.raises(Misconfigured, match="would change core_token"):
        migrations.downgrade(app, "orchard")
    assert dump(app) == before


def test_its_own_tables_may_refer_to_others_and_be_filled_from_them(
    open_app: Any, orchard: Any
) -> None:
    orchard.revision(
        1,
        """
        op.create_table('orchard_tree', sa.Column('id', types.Key(), primary_key=True),
            sa.Column('planter_id', types.Key(), sa.ForeignKey('core_user.id', name='fk', onupdate='CASCADE')))
        op.create_index('ix_orchard_tree_planter_id', 'orchard_tree', ['planter_id'])
        op.execute("INSERT INTO orchard_tree (id, planter_id) SELECT id, id FROM core_user -- DROP TABLE core_user")
        op.execute("UPDATE orchard_tree SET planter_id = id WHERE 'DELETE FROM core_user' = 'x'")
        """,
    )
    assert migrations.upgrade(open_app(orchard))[-1] == "orchard: applied orchard_0001 (By hand)."


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("SELECT * FROM a FOR UPDATE OF a", []),
        ("CREATE TEMP TABLE IF NOT EXISTS a (b int)", ["a"]),
        ("CREATE UNIQUE INDEX IF NOT EXISTS i ON public.a (b)", ["a"]),
        ("CREATE INDEX ON ONLY a (b)", ["a"]),
        ("INSERT OR REPLACE INTO a VALUES (1) ON CONFLICT DO UPDATE SET b = 1", ["a"]),
        ('with x as (delete from "a" returning *) update b set c = 1', ["a", "b"]),
        ("TRUNCATE a", ["a"]),
        ("CREATE TRIGGER t AFTER UPDATE ON a BEGIN DELETE FROM b; END", ["a", "b"]),
        ("CREATE TEMP TRIGGER t AFTER UPDATE OF x ON a BEGIN SELECT 1; END", ["a"]),
        ("CREATE OR REPLACE TEMPORARY VIEW a AS SELECT 1", ["a"]),
        ("ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d) ON DELETE CASCADE ON UPDATE CASCADE", ["a"]),
        ("COMMENT ON TABLE a IS 'it''s from DROP TABLE b'", []),
    ],
)  # fmt: skip
def test_a_statement_names_what_it_changes(statement: str, tables: list[str]) -> None:
    assert tables_changed_by(statement) == tables


@pytest.mark.parametrize(
    ("table", "owner"),
    [
        ("sales_order", "sales"),
        ("sales_plus_order", "sales_plus"),
        ("_alembic_tmp_sales_order", "sales"),
        ("alembic_version_sales", "sales"),
        ("alembic_version_sales_plus", "sales_plus"),
        ("salesorder", None),
        ("sales", None),
    ],
)
def test_a_table_belongs_to_the_longest_name_that_fits(table: str, owner: str | None) -> None:
    assert owner_of(table, {"core", "sales", "sales_plus"}) == owner
