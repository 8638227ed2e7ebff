"""How far the database is migrated; reading it creates nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    ColumnClause,
    Connection,
    Select,
    column,
    inspect,
    literal,
    select,
    table,
    union_all,
)

from clientela.storage import meta
from clientela.storage.migrations.scripts import Line, line_of, version_table, versioned

if TYPE_CHECKING:
    from clientela.app import App

State = Literal["current", "pending", "ahead", "absent"]

LEDGER = "plugin."


@dataclass(frozen=True)
class MigrationState:
    """Where one plugin's tables stand.

    `current` is the revision of the database, `head` the last one that the package brings. `pending` has revisions to
    apply, `ahead` stands at one that the installed package does not know, `absent` has no package with revisions.
    """

    plugin: str
    current: str | None
    head: str | None
    state: State


def status(app: App) -> list[MigrationState]:
    """Tell where each plugin stands, also those whose tables were left behind by a package that is gone."""
    versions = _versions_of(app)
    states = [
        _state(plugin.name, versions.pop(plugin.name, None), line_of(plugin))
        for plugin in app.plugins
        if plugin.migrations
    ]
    left = [_state(name, revision, None) for name, revision in sorted(versions.items()) if revision]
    return states + left


def pending(app: App) -> bool:
    """Say whether a plugin has revisions to apply; two queries, however many plugins there are."""
    return any(one.state == "pending" for one in status(app))


def ledger(app: App) -> dict[str, Any]:
    """Give what was noted of each migrated plugin: whom it needs, and the SQL that removes its tables."""
    with app.db.read() as connection:
        return read_ledger(connection)


def kept(app: App) -> set[str]:
    """Name the plugins that were removed and whose tables were kept."""
    if not _is_there(app):
        return set()
    return {name for name, noted in ledger(app).items() if noted.get("state") == "kept"}


def read_ledger(connection: Connection) -> dict[str, Any]:
    """Read the ledger; before the core is migrated there is none."""
    if not inspect(connection).has_table(meta.META.name):
        return {}
    return meta.recall(connection, LEDGER)


def read_versions(connection: Connection) -> dict[str, str | None]:
    """Read the revision of every plugin that has a version table."""
    found = {versioned(name) for name in inspect(connection).get_table_names()} - {None}
    names = sorted(name for name in found if name)
    if not names:
        return {}
    query = union_all(*(_revision_of(name) for name in names))
    return dict.fromkeys(names) | {row[0]: row[1] for row in connection.execute(query)}


def _revision_of(plugin: str) -> Select[str, str]:
    version: ColumnClause[str] = column("version_num")
    return select(literal(plugin), version).select_from(table(version_table(plugin), version))


def _versions_of(app: App) -> dict[str, str | None]:
    if not _is_there(app):
        return {}
    with app.db.read() as connection:
        return read_versions(connection)


def _is_there(app: App) -> bool:
    """Say whether there is a database; SQLite would create the file by looking into it."""
    file = app.db.url.database or ""
    is_file = app.db.is_sqlite and not app.db.in_memory and not file.startswith("file:")
    return not is_file or Path(file).exists()


def _state(plugin: str, current: str | None, line: Line | None) -> MigrationState:
    if line is None:
        return MigrationState(plugin, current, None, "absent")
    state: State = "pending"
    if current == line.head:
        state = "current"
    elif current is not None and not line.knows(current):
        state = "ahead"
    return MigrationState(plugin, current, line.head, state)
