"""The ledger: of every migrated plugin, what it owns in the database and the SQL that takes it away.

It is written in the transaction of the migration and needs no plugin's code to be read, so that a plugin can be removed
when its package is gone.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect, text

from clientela.plugins.discovery import found
from clientela.storage import meta
from clientela.storage.migrations.fence import fingerprint
from clientela.storage.migrations.scripts import owner_of, version_table
from clientela.storage.migrations.state import LEDGER, read_versions
from clientela.storage.types import is_sqlite

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.plugins.card import Plugin


@dataclass(frozen=True)
class Owned:
    """One object in the database that belongs to a plugin; `table` is the one it goes with."""

    kind: str
    name: str
    table: str
    drop: str

    def as_dict(self) -> dict[str, str]:
        """Give the JSON form."""
        return {"kind": self.kind, "name": self.name, "table": self.table, "drop": self.drop}


def note(app: App, card: Plugin, connection: Connection) -> None:
    """Write down what the plugin is and owns now; without tables it is in no ledger."""
    inspector = inspect(connection)
    if card.name == "core" or not inspector.has_table(meta.META.name):
        return
    if not inspector.has_table(version_table(card.name)):
        meta.forget(connection, LEDGER + card.name)
        return
    versions = read_versions(connection)
    names = {p.name for p in app.plugins} | versions.keys()
    objects = objects_of(connection, card.name, names)
    package = next((one for one in found() if one.name == card.name), None)
    meta.remember(
        connection,
        LEDGER + card.name,
        {
            "name": card.name,
            "title": card.title,
            "distribution": package.distribution if package else "",
            "version": package.version if package else "",
            "package": card.import_name,
            "revision": versions.get(card.name),
            "state": "active",
            "needs": list(card.needs),
            "objects": [one.as_dict() for one in objects],
            "removal": removal_of(objects),
            "entities": [e.info.name for e in card.entities],
            "permissions": sorted({*card.permissions, *_rights(card)}),
            "settings": sorted(getattr(getattr(card, "settings", None), "model_fields", ())),
            "fingerprint": fingerprint_of(connection, card.name, names),
        },
    )


def _rights(card: Plugin) -> set[str]:
    infos = [entity.info for entity in card.entities]
    rights = {info.permission(verb) for info in infos for verb in info.verbs}
    return rights | {str(action.permission) for action in card.actions}


def objects_of(connection: Connection, plugin: str, names: set[str]) -> list[Owned]:
    """List what belongs to the plugin by its name, in the order in which it can be dropped."""
    query = _SQLITE_OBJECTS if is_sqlite(connection.dialect) else _POSTGRES_OBJECTS
    quote = connection.dialect.identifier_preparer.quote
    rows = [
        row
        for row in connection.execute(query)
        if owner_of(row.held_by, names | {plugin}) == plugin
    ]
    order = {name: place for place, name in enumerate(_dependents_first(connection))}
    rows.sort(key=lambda r: (_KINDS.index(r.kind), order.get(r.name, 0), r.name))
    return [Owned(r.kind, r.name, r.held_by, _drop(quote, r)) for r in rows]


# What others stand on comes last.
_KINDS = ("trigger", "view", "materialized view", "index", "table", "function", "sequence", "type")


def _drop(quote: Any, row: Any) -> str:
    if row.kind == "trigger" and row.on_table:
        return f"DROP TRIGGER {quote(row.name)} ON {quote(row.held_by)}"
    # A function is named with its arguments, which the database has written.
    name = row.signature or quote(row.name)
    return f"DROP {row.kind.upper()} {name}"


def _dependents_first(connection: Connection) -> list[str]:
    order = [name for name, _ in inspect(connection).get_sorted_table_and_fkc_names() if name]
    return order[::-1]


def removal_of(objects: list[Owned]) -> list[str]:
    """Give the statements that take the objects away; indexes and triggers go with their tables."""
    tables = [one for one in objects if one.kind == "table"]
    alone = [one for one in objects if one.kind not in {"table", "index", "trigger"}]
    before = [one.drop for one in alone if one.kind.endswith("view")]
    after = [one.drop for one in alone if not one.kind.endswith("view")]
    return [*before, *(one.drop for one in tables), *after]


def fingerprint_of(connection: Connection, plugin: str, names: set[str]) -> str:
    """Give the hash of the plugin's own schema, as the database describes it."""
    return digest({
        table: lines
        for table, lines in fingerprint(connection).items()
        if owner_of(table, names | {plugin}) == plugin
    })  # fmt: skip


def digest(value: Any) -> str:
    """Give the hash of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


_SQLITE_OBJECTS = text(
    "SELECT type AS kind, name, tbl_name AS held_by, 0 AS on_table, NULL AS signature FROM sqlite_master "
    "WHERE sql IS NOT NULL"
)
_POSTGRES_OBJECTS = text(
    """
    WITH here AS (SELECT current_schema()::regnamespace AS oid)
    SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END
           AS kind, relname AS name, relname AS held_by, false AS on_table, NULL AS signature
    FROM pg_class c, here WHERE relnamespace = here.oid AND relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
        -- The sequence of a column goes with the column.
        AND NOT (relkind = 'S' AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND deptype IN ('a', 'i')))
    UNION ALL
    SELECT 'index', i.relname, t.relname, false, NULL
    FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid, here
    WHERE t.relnamespace = here.oid
    UNION ALL
    SELECT 'trigger', tgname, relname, true, NULL
    FROM pg_trigger JOIN pg_class t ON t.oid = tgrelid, here WHERE relnamespace = here.oid AND NOT tgisinternal
    UNION ALL
    SELECT 'function', proname, proname, false, p.oid::regprocedure::text
    FROM pg_proc p, here WHERE pronamespace = here.oid AND prokind = 'f'
    UNION ALL
    SELECT 'type', typname, typname, false, NULL
    FROM pg_type t, here WHERE typnamespace = here.oid AND typtype IN ('e', 'd')
    """
)
