"""Comparing what is declared with what is in the database."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations.ops import MigrationScript, UpgradeOps
from sqlalchemy import Column, Connection, Table, inspect, text

from clientela.entity import Entity
from clientela.i18n.texts import _
from clientela.storage.migrations.scripts import owner_of
from clientela.storage.migrations.state import read_versions
from clientela.storage.types import is_sqlite

if TYPE_CHECKING:
    from clientela.app import App

# The words' index, which no metadata can say: see clientela.search.
_SEARCH_TABLES = "core_search_fts"
_SEARCH_INDEX = "ix_core_search_words"


def drift(app: App) -> list[str]:
    """Tell how the database differs from what is declared; nothing when it does not."""
    sentences = []
    with app.db.read() as connection:
        for plugin in app.plugins:
            found = differences(app, plugin.name, connection).upgrade_ops
            sentences += _sentences(_flat(found))
        sentences += _missing_search(app, connection)
    return sentences


def differences(app: App, plugin: str, connection: Connection) -> MigrationScript:
    """Give the operations that make the plugin's tables in the database what is declared."""
    declared = own_tables(app, plugin)
    names = _names(app) | read_versions(connection).keys()

    def is_own(name: str | None, kind: str, _parents: Any) -> bool:
        if kind != "table" or name is None:
            return True
        return owner_of(name, names) == plugin and not name.startswith(_SEARCH_TABLES)

    def is_declared(thing: Any, name: str | None, kind: str, reflected: bool, _like: Any) -> bool:  # noqa: FBT001 - Alembic's shape
        if kind == "index" and reflected:
            # One over an expression is made on demand, as for a custom field, and belongs to no declaration.
            return name != _SEARCH_INDEX and all(
                isinstance(part, Column) for part in thing.expressions
            )
        return kind != "table" or reflected or name in declared

    options = {
        "version_table": "alembic_version_" + plugin, "render_as_batch": True,
        "include_name": is_own, "include_object": is_declared, "compare_type": _compare_types,
    }  # fmt: skip
    context = MigrationContext.configure(connection, opts=options)
    with warnings.catch_warnings():
        # SQLite does not even tell what such an index is over.
        warnings.filterwarnings("ignore", message=".*expression-based index.*")
        return produce_migrations(context, Entity.metadata)


def own_tables(app: App, plugin: str) -> dict[str, Table]:
    """Give the tables that a plugin declares: those of its entities, and plain ones that begin with its name."""
    from clientela.app import KERNEL_TABLES  # noqa: PLC0415 - the app imports the storage

    entities = {i.table.name: i.table for i in app.registry.entities.values() if i.plugin == plugin}
    mapped = {mapper.local_table for mapper in Entity.registry.mappers}
    plain = {
        table.name: table
        for table in Entity.metadata.tables.values()
        if table not in mapped and owner_of(table.name, _names(app)) == plugin
    }
    if plugin == "core":
        declared = {table.name for card in app.plugins for table in card.tables}
        plain = {n: table for n, table in plain.items() if n in KERNEL_TABLES | declared}
    return entities | plain


def _names(app: App) -> set[str]:
    return {plugin.name for plugin in app.plugins}


def _compare_types(
    context: MigrationContext, found: Column[Any], declared: Column[Any], *_types: Any
) -> bool | None:
    """Notice a collation too; Alembic compares the rest."""
    if is_sqlite(context.dialect):
        return None
    wanted = getattr(declared.type.dialect_impl(context.dialect), "collation", None)
    return True if wanted != getattr(found.type, "collation", None) else None


def _missing_search(app: App, connection: Connection) -> list[str]:
    from clientela.search import POSTGRES_INDEX, SQLITE_INDEX  # noqa: PLC0415 - needed only here

    if not inspect(connection).has_table("core_search"):
        return []  # said already
    if app.db.is_sqlite:
        there = set(connection.scalars(text("SELECT sql FROM sqlite_master")))
        return [
            _(
                "The search index is not what is declared: {statement}.",
                statement=statement.split(" ON ")[0].split(" USING ")[0],
            )
            for statement in SQLITE_INDEX
            if statement not in there
        ]
    found = connection.scalar(
        text("SELECT pg_get_indexdef(to_regclass(:name))"), {"name": _SEARCH_INDEX}
    )
    method = POSTGRES_INDEX[0].split(" USING ")[1].split("(")[0].strip()
    if f"USING {method}" in (found or ""):
        return []
    return [_("The search index {name} is missing.", name=_SEARCH_INDEX)]


def _flat(found: UpgradeOps | None) -> list[tuple[Any, ...]]:
    flat: list[tuple[Any, ...]] = []
    for diff in found.as_diffs() if found is not None else ():
        flat += diff if isinstance(diff, list) else [diff]
    return flat


def _sentences(diffs: list[tuple[Any, ...]]) -> list[str]:
    """Say the differences; of a table that is missing or too many, nothing more."""
    whole = {diff[1].name for diff in diffs if diff[0] in {"add_table", "remove_table"}}
    return [
        _sentence(diff)
        for diff in diffs
        if diff[0].endswith("_table")
        or getattr(getattr(diff[-1], "table", None), "name", None) not in whole
    ]


def _sentence(diff: tuple[Any, ...]) -> str:
    """Say one difference.

    >>> _sentence(("add_table", Table("sales_order", Entity.metadata)))
    'sales_order is declared, but not in the database.'
    """
    what, *rest = diff
    if what.startswith("modify_"):
        _schema, table, name, _existing, there, wanted = rest
        return _(
            "{column}: {what} is {there} in the database, {wanted} declared.",
            column=f"{table}.{name}",
            what=what.removeprefix("modify_"),
            there=repr(there),
            wanted=repr(wanted),
        )
    thing = _thing(what, rest)
    if what.startswith("add_"):
        return _("{thing} is declared, but not in the database.", thing=thing)
    return _("{thing} is in the database, but not declared.", thing=thing)


def _thing(what: str, rest: list[Any]) -> str:
    found = rest[-1]
    if what.endswith("_column"):
        return f"{rest[1]}.{found.name}"
    if what.endswith("_table"):
        return str(found.name)
    names = {"name": found.name, "table": found.table.name}
    if what.endswith("_index"):
        return _("The index {name} of {table}", **names)
    if what.endswith("_fk"):
        return _("The foreign key {name} of {table}", **names)
    return _("The constraint {name} of {table}", **names)
