"""The change log as people read it: who changed what, when, through which face and why; and taking it back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select

from clientela import ids
from clientela.access.scopes import reachable, sees_all_subjects
from clientela.errors import NotFound
from clientela.facts import ChangesUndone
from clientela.history import CHANGE, CHANGE_SET, dumped, told
from clientela.i18n import _
from clientela.storage.types import write_instant
from clientela.undoing import CannotUndo, family, take_back

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity, EntityInfo

PREFIX = "chs"
READ, UNDO = "core.change.read", "core.change.undo"
MOST = 200
# Subscribers hear of so many single records that an undo or an edit has written; beyond, of it as a whole or in parts.
MOST_TOLD = 1_000
PERMISSIONS = {READ: "See the change log", UNDO: "Take changes back, and make them again"}


@dataclass(frozen=True)
class Wanted:
    """Which change sets are asked for; each part narrows."""

    actor: str = ""
    action: str = ""
    face: str = ""
    entity: str = ""
    record: str = ""
    after: str = ""
    limit: int = 50


def list_sets(ctx: Context, wanted: Wanted) -> list[dict[str, Any]]:
    """Give the newest change sets that this principal may see something of."""
    ctx.require(READ)
    sets = CHANGE_SET.c
    conditions: list[ColumnElement[bool]] = [sets.part_of.is_(None)] + [
        column == value
        for column, value in (
            (sets.actor, wanted.actor),
            (sets.action, wanted.action),
            (sets.face, wanted.face),
        )
        if value
    ]
    if wanted.after:
        conditions.append(sets.id < key_of(wanted.after))
    # A look into the set itself is enough where it is not part of an import, which is almost always.
    inside = [CHANGE.c.set_id == sets.id, *_seen(ctx)]
    if wanted.entity:
        inside.append(CHANGE.c.entity == ctx.app.registry.entity(wanted.entity).name)
    if wanted.record:
        inside.append(CHANGE.c.record_id == _record_key(wanted.record))
    more = CHANGE_SET.alias()
    parts = exists().where(more.c.part_of == sets.id, CHANGE.c.set_id == more.c.id, *inside[1:])
    query = (
        select(*_shown_columns())
        .where(*conditions, or_(exists().where(*inside), parts))
        .order_by(sets.id.desc())
        .limit(min(max(wanted.limit, 1), MOST))
    )
    return [told_set(row) for row in ctx.connection.execute(query)]


def show_set(ctx: Context, set_id: str, *, after: str = "", limit: int = MOST) -> dict[str, Any]:
    """Give a change set with its changes, a page of them at a time."""
    ctx.require(READ)
    row = _row(ctx, set_id)
    conditions = [CHANGE.c.set_id.in_(family(row.id)), *_seen(ctx)]
    if after:
        conditions.append(CHANGE.c.id > key_of(after))
    rows = ctx.connection.execute(
        select(CHANGE).where(*conditions).order_by(CHANGE.c.id).limit(limit + 1)
    ).fetchall()
    changes = [_change(ctx, change) for change in rows[:limit]]
    more = f"{PREFIX}_{rows[limit - 1].id}" if len(rows) > limit else None
    return told_set(row) | {"undone_by": undone_by(ctx, row.id), "changes": changes, "after": more}


def record_history(ctx: Context, info: EntityInfo, key: str) -> dict[str, Any]:
    """Give what happened to a record, the newest first: each change with who, when, face, action and reason."""
    return history_of(ctx, ctx.get(ctx.info(info).cls, key, trashed=None))


def history_of(ctx: Context, record: Entity, limit: int = MOST) -> dict[str, Any]:
    """Give what happened to a record that was read already; in a context of the past, what had happened by then."""
    info = ctx.info(record.info)
    by_then = [] if ctx.past is None else [CHANGE_SET.c.at <= ctx.past.moment]
    query = (
        select(CHANGE, CHANGE_SET.c.at, CHANGE_SET.c.actor, CHANGE_SET.c.face, CHANGE_SET.c.action,
               CHANGE_SET.c.reason, CHANGE_SET.c.cause, CHANGE_SET.c.undoes, CHANGE_SET.c.part_of,
               CHANGE_SET.c.confidence)
        .join_from(CHANGE, CHANGE_SET, CHANGE_SET.c.id == CHANGE.c.set_id)
        .where(CHANGE.c.record_id == record.id, CHANGE.c.entity == info.name, *by_then)
        .order_by(CHANGE.c.rev.desc(), CHANGE.c.id.desc())
        .limit(limit + 1)
    )  # fmt: skip
    rows = ctx.connection.execute(query).fetchall()
    after = {name: dumped(record, name) for name in info.visible}
    lines = []
    for row in rows[:limit]:
        lines.append(told_set(row, key="set_id") | _fields(ctx, info, row, after))
        after |= row.before or {}
    return {"data": lines, "has_more": len(rows) > limit}


def _fields(ctx: Context, info: EntityInfo, row: Any, after: dict[str, Any]) -> dict[str, Any]:
    """Say for each changed field what it was and what it became."""
    shown = shown_names(ctx, info)
    changed = [
        {"field": name, "before": tell(old), "after": tell(after.get(name))}
        for name, old in (row.before or {}).items()
        if name in shown
        for tell in (info.fields[name].told,)
    ]
    return {"kind": row.kind, "rev": row.rev, "fields": changed}


def undo(ctx: Context, set_id: str) -> dict[str, Any]:
    """Take a change set back by another one."""
    ctx.require(UNDO)
    row = _row(ctx, set_id)
    action = ctx.app.registry.actions.get(row.action)
    if action is not None and action.undo is not True:
        raise CannotUndo(_("{action} cannot be undone: {why}", action=row.action, why=action.undo))
    if undone_by(ctx, row.id) is not None:
        raise CannotUndo(_("This change set was undone already; redo it to have it again."))
    for name in _entities(ctx, row.id):
        ctx.require(ctx.app.registry.entity(name).permission("update"))
    made = ctx.change_set()
    made.action, made.undoes = "core.change.undo", row.id
    written = take_back(ctx, row.id, quietly=row.rows > MOST_TOLD)
    ids_ = {"set_id": f"{PREFIX}_{made.id}", "undoes": f"{PREFIX}_{row.id}"}
    ctx.tell(ChangesUndone(**ids_, records=written))
    return {"id": f"{PREFIX}_{made.id}", "undoes": f"{PREFIX}_{row.id}", "records": written}


def redo(ctx: Context, set_id: str) -> dict[str, Any]:
    """Make an undone change set happen again: the undo of its undo."""
    row = _row(ctx, set_id)
    last = row.id if row.undoes is not None else undone_by(ctx, row.id)
    if last is None:
        raise CannotUndo(_("This change set was not undone, so there is nothing to redo."))
    return undo(ctx, last)


def undone_by(ctx: Context, key: str) -> str | None:
    """Give the public id of the set that undid this one and was not undone itself."""
    again = CHANGE_SET.alias()
    query = select(CHANGE_SET.c.id).where(
        CHANGE_SET.c.undoes == key, ~exists().where(again.c.undoes == CHANGE_SET.c.id)
    )
    found = ctx.connection.execute(query.order_by(CHANGE_SET.c.id.desc())).scalars().first()
    return None if found is None else f"{PREFIX}_{found}"


def shown_names(ctx: Context, info: EntityInfo) -> set[str]:
    """Name the fields of which this principal may see what was changed."""
    masked = ctx.principal.hidden_classes
    return {n for n, f in info.visible.items() if f.field_class not in masked or not masked}


def told_set(row: Any, *, key: str = "id") -> dict[str, Any]:
    """Give the JSON form of a set, or of the set of a change; a part is told as the whole."""
    made = {
        "id": f"{PREFIX}_{row.part_of or getattr(row, key)}", "at": write_instant(row.at),
        "actor": row.actor, "face": row.face, "action": row.action, "reason": row.reason,
        "confidence": row.confidence,
        "cause": None if row.cause is None else f"{PREFIX}_{row.cause}",
        "undoes": None if row.undoes is None else f"{PREFIX}_{row.undoes}",
    }  # fmt: skip
    return made | ({"rows": row.rows} if hasattr(row, "rows") else {})


# what may be seen ---------------------------------------------------------------------------------------------------


def _seen(ctx: Context) -> list[ColumnElement[bool]]:
    """Give what must hold of a change that this principal may see: its record lies within the row rules."""
    if ctx.principal.is_system:
        return []
    choices = []
    for info in ctx.app.registry.entities.values():
        if not ctx.can(info.permission("read")):
            continue
        mine: ColumnElement[bool] = CHANGE.c.entity == info.name
        table = info.table.alias()
        rules = reachable(ctx, info, table, verb="read")
        if rules:
            seen: ColumnElement[bool] = exists().where(table.c.id == CHANGE.c.record_id, *rules)
            if sees_all_subjects(ctx, info):
                # What is gone belongs to nothing any more, and yet its purge can be looked at and taken back.
                there = info.table.alias()
                seen = or_(seen, ~exists().where(there.c.id == CHANGE.c.record_id))
            mine = and_(mine, seen)
        choices.append(mine)
    return [or_(false(), *choices)]


def _change(ctx: Context, row: Any) -> dict[str, Any]:
    info = ctx.app.registry.entity(row.entity)
    before = row.before
    if before is not None:
        shown = shown_names(ctx, info)
        before = told(info, {name: value for name, value in before.items() if name in shown})
    return {
        "entity": row.entity, "id": info.public_id(row.record_id), "kind": row.kind, "rev": row.rev, "before": before,
    }  # fmt: skip


def _shown_columns() -> list[ColumnElement[Any]]:
    """Give the columns of a set as it is shown: with the rows of all sets that continue it."""
    more = CHANGE_SET.alias()
    others = select(func.sum(more.c.rows)).where(more.c.part_of == CHANGE_SET.c.id)
    rows = CHANGE_SET.c.rows + func.coalesce(others.scalar_subquery(), 0)
    return [*(c for c in CHANGE_SET.c if c.name != "rows"), rows.label("rows")]


def _row(ctx: Context, set_id: str) -> Any:
    """Find a set; the id of a part leads to the whole."""
    key = key_of(set_id)
    whole = select(func.coalesce(CHANGE_SET.c.part_of, CHANGE_SET.c.id)).where(
        CHANGE_SET.c.id == key
    )
    query = select(*_shown_columns()).where(CHANGE_SET.c.id == whole.scalar_subquery())
    row = ctx.connection.execute(query).first()
    seen = row is not None and (
        ctx.principal.is_system
        or ctx.connection.execute(
            select(CHANGE.c.id).where(CHANGE.c.set_id.in_(family(row.id)), *_seen(ctx)).limit(1)
        ).first()
    )
    if not seen:
        raise NotFound(_("There is no change set {key}.", key=set_id[:60]))
    return row


def _entities(ctx: Context, key: str) -> Iterable[str]:
    return ctx.connection.execute(
        select(CHANGE.c.entity).where(CHANGE.c.set_id.in_(family(key))).distinct()
    ).scalars()


def key_of(text: str) -> str:
    """Read the id of a change set."""
    key = ids.parse_key(text, PREFIX)
    if key is None:
        raise NotFound(_("There is no change set {key}.", key=text[:60]))
    return key


def _record_key(text: str) -> str:
    key = ids.parse_key(text, text.partition("_")[0])
    if key is None:
        raise NotFound(_("{key} is not the id of a record.", key=repr(text[:60])))
    return key
