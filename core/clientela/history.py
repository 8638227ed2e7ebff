"""The change log: what each action changed, with the values before.

Only *before* is stored: nothing for an insert, the old values of the changed fields for an update, the whole row for a
purge. The past is folded backwards from the present, so there is no second copy that could disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, inspect

from clientela import ids
from clientela.entity import Composed, Entity, EntityInfo
from clientela.members import is_member, members_before
from clientela.storage.types import Instant, Key, json_type, plain_text

if TYPE_CHECKING:
    from clientela.context import Context

CHANGE_SET = Table(
    "core_change_set",
    Entity.metadata,
    Column("id", Key, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", plain_text(), nullable=False),
    Column("face", plain_text(), nullable=False),
    Column("action", plain_text(), nullable=False),
    Column("reason", Text),
    Column("cause", Key),
    Column("undoes", Key),
    # The first set of the same import, whose batches were committed one by one.
    Column("part_of", Key),
    Column("request_id", plain_text()),
    Column("rows", Integer, nullable=False),
    # How far what was written can be trusted, in per cent, where whoever wrote it said so.
    Column("confidence", Integer),
    Index("ix_core_change_set_part_of", "part_of"),
    Index("ix_core_change_set_undoes", "undoes"),
)

CHANGE = Table(
    "core_change",
    Entity.metadata,
    Column("id", Key, primary_key=True),
    Column("set_id", Key, ForeignKey("core_change_set.id"), nullable=False),
    Column("entity", plain_text(), nullable=False),
    Column("record_id", Key, nullable=False),
    Column("kind", plain_text(), nullable=False),
    # The revision of the record after this change; `If-Match` merges by it.
    Column("rev", Integer, nullable=False),
    Column("before", json_type()),
    Index("ix_core_change_record", "record_id", "id"),
    Index("ix_core_change_set", "set_id"),
)

# So many changes wait in memory before a sweep writes them.
MOST_HELD = 2_000

# Fields that change with every write and say nothing of their own.
BOOKKEEPING = frozenset({"rev", "updated_at", "updated_by"})

# A dry run of a bulk change shows so many of its changes, and counts the others.
MOST_SHOWN = 1_000

# Under this name the last values of a purged record hold how other systems call it; no field can be named so.
EXTERNAL_NAMES = "@external"


@dataclass
class Change:
    """One record's change, waiting to be written with its set."""

    entity: str
    record_id: str
    kind: str
    rev: int
    before: dict[str, Any] | None = None

    def as_dict(self, info: EntityInfo) -> dict[str, Any]:
        """Give the JSON form, as a dry run and the log show it."""
        return {
            "entity": self.entity,
            "id": info.public_id(self.record_id),
            "kind": self.kind,
            "rev": self.rev,
            "before": told(info, self.before),
        }


def told(info: EntityInfo, before: dict[str, Any] | None) -> dict[str, Any] | None:
    """Give logged values in their JSON form; custom fields are logged as they are stored."""
    if before is None:
        return None
    fields = info.fields
    return {name: fields[name].told(v) if name in fields else v for name, v in before.items()}


@dataclass
class ChangeSet:
    """All that one outermost action changed.

    `changes` wait to be written at the end; where records are written in bulk, their changes are written at once, and
    `rows` counts them. `part_of` is the set that this one continues, because an import commits batch by batch.
    """

    id: str
    action: str
    changes: list[Change] = field(default_factory=list)
    undoes: str | None = None
    part_of: str | None = None
    rows: int = 0
    entities: set[str] = field(default_factory=set)
    # What a dry run shows of the changes that were written in bulk.
    shown: list[Change] = field(default_factory=list)
    _counted: int | None = None

    def open(self, ctx: Context, entity: str, rows: int) -> None:
        """Write the set itself, so that so many changes of an entity can be written into it in bulk."""
        self.rows += rows
        self.entities.add(entity)
        if self._counted is None:
            self._insert(ctx)

    def spill(self, ctx: Context) -> None:
        """Write what there is so far and forget it, once it is much, so that a sweep needs no memory."""
        if len(self.changes) >= MOST_HELD:
            self.write(ctx)
            self.changes.clear()

    def write(self, ctx: Context) -> None:
        """Write the changes that wait, in bulk; an action that changed nothing leaves nothing."""
        self.rows += len(self.changes)
        self.entities |= {change.entity for change in self.changes}
        if not self.rows:
            return
        if self._counted is None:
            self._insert(ctx)
        elif self._counted != self.rows:
            mine = CHANGE_SET.c.id == self.id
            ctx.connection.execute(CHANGE_SET.update().where(mine).values(rows=self.rows))
        if self.changes:
            self._log(ctx)

    def _insert(self, ctx: Context) -> None:
        self._counted = self.rows
        ctx.connection.execute(
            CHANGE_SET.insert(),
            {
                "id": self.id, "at": ctx.now, "actor": ctx.principal.id, "face": ctx.face, "action": self.action,
                "reason": ctx.reason, "cause": ctx.cause, "undoes": self.undoes, "part_of": self.part_of,
                "request_id": ctx.request_id, "rows": self.rows, "confidence": ctx.confidence,
            },
        )  # fmt: skip

    def _log(self, ctx: Context) -> None:
        ctx.connection.execute(
            CHANGE.insert(),
            [
                {
                    "id": ids.new_key(), "set_id": self.id, "entity": c.entity, "record_id": c.record_id,
                    "kind": c.kind, "rev": c.rev, "before": c.before,
                }
                for c in self.changes
            ],
        )  # fmt: skip

    def preview(self) -> list[Change]:
        """Give what a dry run shows: every change, or the first of very many."""
        return [*self.shown, *self.changes]


def stored_slots(record: Entity, name: str) -> tuple[str, ...]:
    """Give the mapped attributes behind a field."""
    attribute = type(record).__dict__.get(name)
    return attribute.slots if isinstance(attribute, Composed) else (name,)


def before_values(record: Entity) -> dict[str, Any]:
    """Give the old values of the fields that are about to change, as JSON."""
    state: Any = inspect(record)
    changed: dict[str, Any] = {}
    for name, declared in record.info.fields.items():
        if name in BOOKKEEPING:
            continue
        slots = stored_slots(record, name)
        if not any(slot in state.committed_state for slot in slots):
            continue
        histories = [state.attrs[slot].history for slot in slots]
        if not any(h.has_changes() for h in histories):
            continue
        old = [
            h.deleted[0] if h.deleted else (h.unchanged[0] if h.unchanged else None)
            for h in histories
        ]
        value = declared.kind.from_columns(old)
        if name == "custom":
            changed |= members_before(value, record.custom)
            continue
        now = declared.get(record)
        if value == now and None not in (value, now):
            continue
        # That a secret changed is told, not what it was: an old password is often the one of another place.
        told = value is not None and declared.field_class != "secret"
        changed[name] = declared.kind.dump(value) if told else None
    return changed


def dumped(record: Entity, name: str) -> Any:
    """Give a field's present value as the log keeps it."""
    if is_member(name):
        return (record.custom or {}).get(name)
    declared = record.info.fields[name]
    return declared.logged(declared.get(record))


def whole(record: Entity) -> dict[str, Any]:
    """Give all fields of a record as JSON, hidden ones too: what a purge keeps so that it can be undone."""
    kept = (name for name, f in record.info.fields.items() if f.field_class != "secret")
    return {name: dumped(record, name) for name in kept}
