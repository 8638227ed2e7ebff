"""What stands where in the archive of a deployment.

    manifest.json                   what it is made of, with a hash for each member and one for all data
    schema.json                     the entities and their fields, for whoever reads it without Clientela
    data/core.customer.jsonl        the records: what is so
    data/core_external_key.jsonl    plain tables that belong to records
    files/<sha256>                  the bytes that records describe
    log/…                           what was done: the change log, revisions, facts, imports and their files

Equal data give equal members, byte by byte, whatever was done on the way to them; only `log/` tells that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Table

from clientela.entity import Entity, EntityInfo
from clientela.external import EXTERNAL
from clientela.history import BOOKKEEPING, CHANGE, CHANGE_SET
from clientela.outbox import DELIVERY, OUTBOX

if TYPE_CHECKING:
    from clientela.app import App

MANIFEST, SCHEMA = "manifest.json", "schema.json"
DATA, LOG, FILES = "data/", "log/", "files/"
FORMAT = 1

DATA_TABLES = (EXTERNAL,)
LOG_TABLES = (CHANGE_SET, CHANGE, OUTBOX, DELIVERY)


def entities_of(app: App) -> list[EntityInfo]:
    """Give the entities, those first to which others refer."""
    by_table = {info.table: info for info in app.registry.entities.values()}
    ordered = Entity.metadata.sorted_tables
    return [by_table[table] for table in ordered if table in by_table]


def log_tables_of(app: App) -> list[Table]:
    """Give the plain tables that tell what was done."""
    return [*LOG_TABLES, *(table for plugin in app.plugins for table in plugin.tables)]


def member_of(info: EntityInfo) -> str:
    """Name the member with an entity's records."""
    return f"{LOG if info.journal else DATA}{info.name}.jsonl"


def stamps_of(info: EntityInfo) -> str:
    """Name the member with their revisions, which tell what was done and not what is so."""
    return f"{LOG}{info.name}.stamps.jsonl"


def data_columns(info: EntityInfo) -> list[Column[Any]]:
    """Give the columns that say what is so; secrets stay behind."""
    kept = (f for n, f in info.fields.items() if f.field_class != "secret" and n not in BOOKKEEPING)
    return [column for declared in kept for column in declared.columns]


def stamp_columns(info: EntityInfo) -> list[Column[Any]]:
    """Give the key and the columns that every write counts up."""
    return [info.table.c.id, *(info.table.c[name] for name in sorted(BOOKKEEPING))]
