"""Undo and redo: what a change set did is taken back by another change set.

Nothing is guessed. A field goes back only when it still has the value that the set gave it; where somebody wrote the
field since, that is a conflict, and all conflicts are listed before anything is touched. Because only the present value
counts, a set may be undone as soon as the later ones are, and a redo is the undo of an undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clientela.entity import Entity, EntityInfo
from clientela.errors import Conflict, NotFound
from clientela.history import BOOKKEEPING, CHANGE, dumped
from clientela.i18n import _
from clientela.members import is_member, put_member
from clientela.past import batches

if TYPE_CHECKING:
    from clientela.context import Context


class CannotUndo(Conflict):
    """Something stands against taking a change set back."""

    code = "cannot-undo"
    title = _("This cannot be taken back")


@dataclass(frozen=True)
class Clash:
    """A field that somebody wrote after the set that is to be undone."""

    entity: str
    record: str
    field: str
    then: Any
    now: Any

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form: the value the set left, and the value that stands now."""
        return {
            "entity": self.entity,
            "id": self.record,
            "field": self.field,
            "left": self.then,
            "now": self.now,
        }


def take_back(ctx: Context, set_id: str) -> int:
    """Undo the changes of a set in the context's transaction and give how many records were written.

    Raises `CannotUndo` with all clashes in `extra["conflicts"]`, and then nothing was written.
    """
    changes = _changes(ctx, set_id)
    clashes: list[Clash] = []
    written = 0
    for part in batches(changes):
        records = _records(ctx, part)
        later = _later(ctx, part)
        for change in part:
            written += _one(ctx, change, records, later, clashes)
        if not clashes:
            ctx.flush()
    if clashes:
        raise CannotUndo(
            _(
                "{count} values were changed since by others, so nothing was taken back.",
                count=len(clashes),
            ),
            extra={"conflicts": [clash.as_dict() for clash in clashes[:200]]},
        )
    return written


def _changes(ctx: Context, set_id: str) -> Sequence[Any]:
    rows = ctx.connection.execute(
        select(CHANGE).where(CHANGE.c.set_id == set_id).order_by(CHANGE.c.id.desc())
    ).fetchall()
    if not rows:
        raise NotFound(_("There is no such change set, or it changed nothing."))
    return rows


def _records(ctx: Context, part: Sequence[Any]) -> dict[str, Entity]:
    """Load the records of some changes, wherever they stand, one statement per entity."""
    found: dict[str, Entity] = {}
    for name in {change.entity for change in part}:
        info = ctx.app.registry.entity(name)
        keys = {change.record_id for change in part if change.entity == name}
        query = select(info.cls).where(info.cls.id.in_(keys))
        if not ctx.app.db.is_sqlite:
            query = query.with_for_update(of=info.cls)
        found |= {record.id: record for record in ctx.session.execute(query).scalars()}
    return found


def _later(ctx: Context, part: Sequence[Any]) -> dict[str, list[Any]]:
    """Give the later changes of the same records, the oldest first: their before-values are what the set left."""
    keys = {change.record_id for change in part}
    rows = ctx.connection.execute(
        select(CHANGE.c.record_id, CHANGE.c.rev, CHANGE.c.before, CHANGE.c.kind)
        .where(CHANGE.c.record_id.in_(keys))
        .order_by(CHANGE.c.rev, CHANGE.c.id)
    )
    later: dict[str, list[Any]] = {}
    for row in rows:
        later.setdefault(row.record_id, []).append(row)
    return later


def _one(
    ctx: Context,
    change: Any,
    records: dict[str, Entity],
    later: dict[str, list[Any]],
    clashes: list[Clash],
) -> int:
    info = ctx.app.registry.entity(change.entity)
    record = records.get(change.record_id)
    if change.kind == "purge":
        if record is None:
            records[change.record_id] = _bring_back(ctx, info, change)
        return 1
    if record is None:
        clashes.append(Clash(info.name, info.public_id(change.record_id), "id", "there", "purged"))
        return 0
    if change.kind == "create":
        return _uncreate(ctx, change, record, later[record.id], clashes)
    return _unwrite(record, change, later[record.id], clashes)


def _bring_back(ctx: Context, info: EntityInfo, change: Any) -> Entity:
    """Insert a purged record again, as the log kept it; its revisions go on where they ended."""
    record = info.cls()
    for name, declared in info.cls.info.fields.items():
        raw = change.before.get(name)
        if raw is not None:
            declared.put(record, declared.kind.revive(raw))
    record.rev = change.rev + 1
    return ctx.add(record)


def _uncreate(
    ctx: Context, change: Any, record: Entity, history: list[Any], clashes: list[Clash]
) -> int:
    """Put a created record into the trash, unless somebody has worked on it since."""
    later = [row for row in history if row.rev > change.rev]
    for name in sorted({n for row in later for n in (row.before or {})} - BOOKKEEPING):
        first = next(row.before[name] for row in later if name in (row.before or {}))
        if dumped(record, name) != first:
            clashes.append(_clash(record, name, first))
    if clashes:
        return 0
    if any(row.kind == "purge" and row.rev < change.rev for row in history):
        # It was purged before, and this change brought it back: so it goes the same way again.
        ctx.flush()  # what this undo has written so far must not be done once more by who is asked now
        ctx.hook.record_purging(ctx=ctx, record=record)
        ctx.delete(record)
        ctx.flush()  # what refers to it comes before it here, and must go first
        return 1
    if record.deleted_at is not None:
        return 0
    record.deleted_at = ctx.now
    return 1


def _unwrite(record: Entity, change: Any, history: list[Any], clashes: list[Clash]) -> int:
    """Give the changed fields their old values, where they still have the new ones."""
    for name, old in change.before.items():
        if not is_member(name) and record.info.fields[name].field_class == "secret":
            continue  # the log did not keep it
        left = next(
            (
                row.before[name]
                for row in history
                if row.rev > change.rev and name in (row.before or {})
            ),
            dumped(record, name),
        )
        if dumped(record, name) != left:
            clashes.append(_clash(record, name, left))
            continue
        if is_member(name):
            put_member(record, name, old)
            continue
        declared = record.info.fields[name]
        declared.put(record, None if old is None else declared.kind.revive(old))
    return 1


def _clash(record: Entity, name: str, left: Any) -> Clash:
    return Clash(record.info.name, record.public_id, name, left, dumped(record, name))
