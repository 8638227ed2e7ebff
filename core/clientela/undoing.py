"""Undo and redo: what a change set did is taken back by another change set.

Nothing is guessed. A field goes back only when it still has the value that the set gave it; where somebody wrote the
field since, that is a conflict, and all conflicts are listed before anything is touched. Because only the present value
counts, a set may be undone as soon as the later ones are, and a redo is the undo of an undo.

A record that the set created goes for good, as though it had never been there, and the log keeps it whole for the redo:
in the trash it would still hold its unique values, and the corrected file could not be imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm.util import identity_key

from clientela import facts as told
from clientela.bulk.drafts import ask, draft
from clientela.bulk.records import Writer
from clientela.bulk.values import CUSTOM, Known, Values, logged, stored_values
from clientela.entity import EntityInfo
from clientela.errors import Conflict, NotFound
from clientela.external import name_external
from clientela.history import BOOKKEEPING, CHANGE, CHANGE_SET, EXTERNAL_NAMES
from clientela.i18n import _
from clientela.members import is_member, with_members

if TYPE_CHECKING:
    from clientela.context import Context

BATCH = 2_000
MOST_LISTED = 200


class CannotUndo(Conflict):
    """Something stands against taking a change set back."""

    code = "cannot-undo"
    title = _("This cannot be taken back")


@dataclass(frozen=True)
class Clash:
    """A field that somebody wrote after the set that is to be undone, or a record that refers to one it created."""

    entity: str
    record: str
    field: str
    then: Any
    now: Any

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form: the value the set left, and the value that stands now."""
        return {
            "entity": self.entity, "id": self.record, "field": self.field, "left": self.then, "now": self.now,
        }  # fmt: skip


def take_back(ctx: Context, set_id: str, *, quietly: bool = False) -> int:
    """Undo the changes of a set in the context's transaction and give how many records were written.

    `quietly` tells no facts of single records. Raises `CannotUndo` with the clashes in `extra["conflicts"]`, and then
    nothing was written.
    """
    ctx.flush()
    back = Back(ctx, quietly=quietly)
    found = False
    for changes in _changes(ctx, set_id):
        found = True
        back.take(changes)
    if not found:
        raise NotFound(_("There is no such change set, or it changed nothing."))
    back.refuse_clashes()
    return back.written


def _changes(ctx: Context, set_id: str) -> Iterator[Sequence[Any]]:
    """Give the changes of a set and of those that continue it, the newest first, in bounded lists."""
    parts = family(set_id).order_by(CHANGE_SET.c.id.desc())
    for part in ctx.connection.execute(parts).scalars().all():
        page = select(CHANGE).where(CHANGE.c.set_id == part).order_by(CHANGE.c.id.desc())
        rows = ctx.connection.execute(page.limit(BATCH)).fetchall()
        while rows:
            yield rows
            rows = ctx.connection.execute(
                page.where(CHANGE.c.id < rows[-1].id).limit(BATCH)
            ).fetchall()


def family(set_id: str) -> Select[Any]:
    """Give the keys of a set and of those that continue it."""
    return select(CHANGE_SET.c.id).where(
        or_(CHANGE_SET.c.id == set_id, CHANGE_SET.c.part_of == set_id)
    )


@dataclass
class Step:
    """What becomes of one record: what it was before this list of changes was taken back, and what it will be."""

    info: EntityInfo
    stored: Values | None
    values: Values | None
    # A record comes back before those that refer to it, and goes after them.
    first: int | None = None
    last: int = 0

    @property
    def what(self) -> str:
        """Name what is to be written."""
        if self.stored is None:
            return "none" if self.values is None else "create"
        return "purge" if self.values is None else "change"

    @property
    def place(self) -> tuple[int, int]:
        """Give when it is written: who is referred to comes back first and goes last.

        What only changes is written in the order in which it was changed, because a guard may ask of the later one
        what holds only after the earlier: a role's rule names a field by the name that the field has by then.
        """
        if self.what == "create":
            return 0, self.first or 0
        return (2, self.last) if self.what == "purge" else (1, -self.last)


class Back:
    """Takes lists of changes back, one after another, and collects what stands against it."""

    def __init__(self, ctx: Context, *, quietly: bool) -> None:
        self._ctx = ctx
        self._quietly = quietly
        self._clashes: list[Clash] = []
        self._clashing = 0
        self.written = 0

    def refuse_clashes(self) -> None:
        """Raise what was collected."""
        if self._clashing:
            raise CannotUndo(
                _(
                    "{count} values were changed since by others, so nothing was taken back.",
                    count=self._clashing,
                ),
                extra={"conflicts": [clash.as_dict() for clash in self._clashes]},
            )

    def _clash(self, info: EntityInfo, key: str, field: str, *, left: Any, now: Any) -> None:
        self._clashing += 1
        if len(self._clashes) < MOST_LISTED:
            self._clashes.append(Clash(info.name, info.public_id(key), field, left, now))

    def take(self, changes: Sequence[Any]) -> None:
        """Take a list of changes back, the newest first."""
        steps = self._loaded(changes)
        later = _later(self._ctx, [change.record_id for change in changes])
        for place, change in enumerate(changes):
            step = steps[change.entity, change.record_id]
            step.last = place
            if step.first is None:
                step.first = place
            self._one(step, change, later[change.record_id])
        self._write(sorted(steps.values(), key=lambda step: step.place))

    def _loaded(self, changes: Sequence[Any]) -> dict[tuple[str, str], Step]:
        """Load the records of some changes, wherever they stand, one statement per entity."""
        steps: dict[tuple[str, str], Step] = {}
        for name in {change.entity for change in changes}:
            info = self._ctx.app.registry.entity(name)
            keys = {change.record_id for change in changes if change.entity == name}
            query = select(info.table).where(info.table.c.id.in_(keys))
            if not self._ctx.app.db.is_sqlite:
                query = query.with_for_update()
            steps |= {(name, key): Step(info, None, None) for key in keys}
            for row in self._ctx.connection.execute(query).mappings():
                stored = stored_values(info, row)
                steps[name, stored["id"]] = Step(info, stored, stored)
        return steps

    # single changes ---------------------------------------------------------------------------------------------

    def _one(self, step: Step, change: Any, history: list[Any]) -> None:
        if change.kind == "purge":
            if step.values is None:
                step.values = _revived(step.info, change)
        elif step.values is None:
            self._clash(step.info, change.record_id, "id", left="there", now="purged")
        elif change.kind == "create":
            self._uncreate(step, change, history)
        else:
            self._unwrite(step, change, history)

    def _uncreate(self, step: Step, change: Any, history: list[Any]) -> None:
        """Let a created record go, unless somebody has worked on it since."""
        later = [row for row in history if row.rev > change.rev]
        for name in sorted({n for row in later for n in (row.before or {})} - BOOKKEEPING):
            self._compare(step, name, _left(step, later, name))
        step.values = None

    def _unwrite(self, step: Step, change: Any, history: list[Any]) -> None:
        """Give the changed fields their old values, where they still have the new ones."""
        later = [row for row in history if row.rev > change.rev]
        back: Values = {}
        for name, old in change.before.items():
            if not is_member(name) and step.info.fields[name].field_class == "secret":
                continue  # the log did not keep it
            if self._compare(step, name, _left(step, later, name)):
                back[name] = old
        step.values = _with(step.info, step.values or {}, back)

    def _compare(self, step: Step, name: str, left: Any) -> bool:
        assert step.values is not None  # noqa: S101 - told to the type checker
        now = logged(step.info, step.values, name)
        if now != left:
            self._clash(step.info, step.values["id"], name, left=left, now=now)
        return bool(now == left)

    # writing ----------------------------------------------------------------------------------------------------

    def _write(self, steps: Sequence[Step]) -> None:
        if self._clashing:
            return
        for (what, name), some in groupby(steps, key=lambda step: (step.what, step.info.name)):
            members = [step for step in some if what != "change" or step.stored != step.values]
            if what == "none" or not members:
                continue
            info = members[0].info
            if what == "purge" and self._referred_to(info, members):
                return
            self._ctx.change_set().open(self._ctx, name, len(members))
            _WRITE[what](self._ctx, info, members)
            _forget_objects(self._ctx, info, members)
            self.written += len(members)
            if not self._quietly:
                self._tell(info, what, members)

    def _referred_to(self, info: EntityInfo, going: Sequence[Step]) -> bool:
        """Collect the records that refer to those that are to go, and do not go themselves."""
        keys = [step.stored["id"] for step in going if step.stored is not None]
        for other, name in self._ctx.app.registry.referring(info):
            column = other.fields[name].columns_in(other.table)[0]
            query = select(other.table.c.id, column).where(column.in_(keys))
            if other.name == info.name:
                query = query.where(other.table.c.id.not_in(keys))
            for key, target in self._ctx.connection.execute(query.limit(MOST_LISTED)):
                self._clash(other, key, name, left=None, now=info.public_id(target))
        for other, name in self._ctx.app.registry.belonging(info):
            prefix, column = other.fields[name].columns
            query = select(other.table.c.id, column).where(prefix == info.prefix, column.in_(keys))
            for key, target in self._ctx.connection.execute(query.limit(MOST_LISTED)):
                self._clash(other, key, name, left=None, now=info.public_id(target))
        return bool(self._clashing)

    def _tell(self, info: EntityInfo, what: str, members: Sequence[Step]) -> None:
        for step in members:
            record = info.public_id((step.values or step.stored or {})["id"])
            if what == "create":
                self._ctx.tell(told.RecordCreated(entity=info.name, record=record))
            elif what == "purge":
                self._ctx.tell(told.RecordPurged(entity=info.name, record=record))
            else:
                self._ctx.tell(_changed(_known(step), record))


def _forget_objects(ctx: Context, info: EntityInfo, members: Sequence[Step]) -> None:
    """Let the session read again what it has of these records; it knew nothing of the bulk."""
    if "session" not in ctx.__dict__:
        return
    for step in members:
        key = (step.stored or step.values or {})["id"]
        record = ctx.session.identity_map.get(identity_key(info.cls, key))
        if record is not None and step.values is None:
            ctx.session.expunge(record)
        elif record is not None:
            ctx.session.refresh(record)


def _left(step: Step, later: Sequence[Any], name: str) -> Any:
    """Give what a change left in a field: what the next change of it found, or what stands now."""
    assert step.values is not None  # noqa: S101 - told to the type checker
    found = (row.before[name] for row in later if name in (row.before or {}))
    return next(found, logged(step.info, step.values, name))


def _later(ctx: Context, keys: Sequence[str]) -> dict[str, list[Any]]:
    """Give all changes of some records, the oldest first: their before-values are what the ones before left."""
    rows = ctx.connection.execute(
        select(CHANGE.c.record_id, CHANGE.c.rev, CHANGE.c.before, CHANGE.c.kind)
        .where(CHANGE.c.record_id.in_(set(keys)))
        .order_by(CHANGE.c.rev, CHANGE.c.id)
    )
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.record_id, []).append(row)
    return found


def _with(info: EntityInfo, values: Values, logged: Values) -> Values:
    """Give values with some of them as the log kept them; custom fields stand there as they are stored."""
    made = dict(values)
    members = {name: raw for name, raw in logged.items() if is_member(name)}
    for name in logged.keys() - members.keys():
        raw = logged[name]
        made[name] = None if raw is None else info.fields[name].kind.revive(raw)
    if members:
        made[CUSTOM] = with_members(values[CUSTOM], members)
        made |= {f.name: f.stored(made) for f in info.custom if f.name in members}
    return made


def _revived(info: EntityInfo, change: Any) -> Values:
    """Give the values of a purged record as the log kept them; its revisions go on where they ended."""
    values: Values = {}
    for name, declared in info.cls.info.fields.items():
        raw = change.before.get(name)
        values[name] = declared.initial() if raw is None and not declared.optional else None
        if raw is not None:
            values[name] = declared.kind.revive(raw)
    values |= {declared.name: declared.stored(values) for declared in info.custom}
    return values | {"rev": change.rev + 1, EXTERNAL_NAMES: change.before.get(EXTERNAL_NAMES, [])}


def _known(step: Step) -> Known:
    assert step.stored is not None  # noqa: S101 - told to the type checker
    assert step.values is not None  # noqa: S101 - told to the type checker
    return Known(step.info, step.stored, step.values)


def _changed(known: Known, record: str) -> told.Fact:
    """Name what was done to a record that stays."""
    name = known.info.name
    if known.kind == "trash":
        return told.RecordTrashed(entity=name, record=record)
    if known.kind == "restore":
        return told.RecordRestored(entity=name, record=record)
    return told.RecordChanged(entity=name, record=record, fields=tuple(sorted(known.before)))


def _create(ctx: Context, info: EntityInfo, members: Sequence[Step]) -> None:
    values = [step.values or {} for step in members]
    names = [(one["id"], pair) for one in values for pair in one.pop(EXTERNAL_NAMES, ())]
    for one in values:
        one |= {"updated_at": ctx.now, "updated_by": ctx.principal.id}
        ask(ctx, info, one, {}, created=True)
    Writer(ctx).create(info, values)
    for key, (source, name) in names:
        name_external(ctx, info, source, name, key)


def _change(ctx: Context, info: EntityInfo, members: Sequence[Step]) -> None:
    changed = [_known(step) for step in members]
    for known in changed:
        ask(ctx, info, known.values, known.before, created=False)
    Writer(ctx).change(info, changed)


def _purge(ctx: Context, info: EntityInfo, members: Sequence[Step]) -> None:
    values = [step.stored or {} for step in members]
    for one in values if ctx.app.hooks.anybody("record_purging") else ():
        ctx.hook.record_purging(ctx=ctx, record=draft(info, one))
    Writer(ctx).purge(info, values)


_WRITE = {"create": _create, "change": _change, "purge": _purge}
