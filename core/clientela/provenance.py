"""Where each value of a record comes from: read out of the change log, so that no second copy could disagree.

The newest change that wrote a field is where its value comes from, else the creation. A record that was purged and
brought back is as it was, so its values come from where they came before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, true

from clientela.changes import shown_names, told_set
from clientela.history import BOOKKEEPING, CHANGE, CHANGE_SET, dumped
from clientela.storage.types import write_instant

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity, EntityInfo

# What the kernel writes of a record itself.
_OWN = BOOKKEEPING | {"id", "created_at", "created_by"}
# In the order in which people read them; a table shows the first few.
_PARTS = ("confidence", "at", "actor", "action", "reason", "face", "set_id", "undoes")
_BLANK: tuple[Any, ...] = (None, "", [], {})


def record_provenance(ctx: Context, info: EntityInfo, key: str) -> dict[str, Any]:
    """Give for each field its value and where that comes from; fields that were never filled are left out."""
    info = ctx.info(info)
    record = ctx.get(info.cls, key, trashed=None)
    created, written = _revisions(ctx, info, record)
    sets = _sets(ctx, info, record, {created, *written.values()})
    shown = shown_names(ctx, info) - _OWN
    lines = []
    for name in (n for n in info.visible if n in shown):
        value = dumped(record, name)
        if value in _BLANK and name not in written:
            continue
        origin = sets.get(written.get(name, created)) or _unlogged(record)
        lines.append({"field": name, "value": info.fields[name].told(value)} | origin)
    return {"data": lines}


def _revisions(ctx: Context, info: EntityInfo, record: Entity) -> tuple[int, dict[str, int]]:
    """Give the revision that created the record, and for each field the last one that wrote it."""
    mine = _mine(info, record)
    keys = _keys_written(sqlite=ctx.app.db.is_sqlite)
    last = (
        select(keys.c.key, func.max(CHANGE.c.rev).label("rev"))
        .select_from(CHANGE)
        .join(keys, true())
        .where(*mine, CHANGE.c.kind.not_in(("create", "purge")))
        .group_by(keys.c.key)
    )
    first = select(func.min(CHANGE.c.rev)).where(*mine, CHANGE.c.kind == "create")
    created = ctx.connection.execute(first).scalar() or 0
    return created, {row.key: row.rev for row in ctx.connection.execute(last)}


def _keys_written(*, sqlite: bool) -> Any:
    """Give the names of the fields that a change wrote, a row for each."""
    read = func.json_each if sqlite else func.jsonb_object_keys
    made = read(CHANGE.c.before).table_valued("key", name="written")
    return made if sqlite else made.render_derived()


def _sets(
    ctx: Context, info: EntityInfo, record: Entity, revisions: Iterable[int]
) -> dict[int, dict[str, Any]]:
    """Give who wrote some revisions of a record, when, how and why."""
    query = (
        select(CHANGE.c.rev, CHANGE.c.kind, *CHANGE_SET.c)
        .join_from(CHANGE, CHANGE_SET, CHANGE_SET.c.id == CHANGE.c.set_id)
        .where(*_mine(info, record), CHANGE.c.rev.in_(list(revisions)), CHANGE.c.kind != "purge")
    )
    return {
        row.rev: {"source": _source(row), "rev": row.rev} | _told(row)
        for row in ctx.connection.execute(query)
    }


def _told(row: Any) -> dict[str, Any]:
    made = told_set(row)
    made["set_id"] = made.pop("id")
    return {name: made[name] for name in _PARTS}


def _source(row: Any) -> str:
    """Name where it came from: the file of an import, else the face."""
    file = (row.reason or "").removeprefix("import ")
    return file if row.action.endswith(".import") and file else str(row.face)


def _unlogged(record: Entity) -> dict[str, Any]:
    """Say what the record itself knows, where the log does not reach back to its creation."""
    made: dict[str, Any] = dict.fromkeys(("source", "rev", *_PARTS))
    return made | {"at": write_instant(record.created_at), "actor": record.created_by}


def _mine(info: EntityInfo, record: Entity) -> tuple[Any, ...]:
    """Keep to what had happened to the record by the moment that is looked at."""
    return (
        CHANGE.c.entity == info.name,
        CHANGE.c.record_id == record.id,
        CHANGE.c.rev <= record.rev,
    )
