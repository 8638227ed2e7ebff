"""Create, update, trash, restore and purge: the actions every entity has without writing them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import RootModel
from sqlalchemy import func, select

from clientela.actions import Action
from clientela.entity import Entity, EntityInfo
from clientela.errors import Conflict
from clientela.i18n.phrases import a_noun
from clientela.i18n.texts import Text, _
from clientela.trashing import take_along

if TYPE_CHECKING:
    from collections.abc import Callable

    from clientela.context import Context
    from clientela.fields import Field


_LABELS = {
    "create": _("Create"),
    "update": _("Update"),
    "trash": _("Trash"),
    "restore": _("Restore"),
    "purge": _("Purge"),
}


class Values(RootModel[dict[str, Any]]):
    """Values that were read by the entity's own schema already."""


def verbs_of(info: EntityInfo) -> list[Action]:
    """Make the plain actions of an entity."""
    made = [
        _verb(info, "create", create),
        _verb(info, "update", update),
        _verb(info, "trash", trash),
        _verb(info, "restore", restore, trashed=True),
        _verb(info, "purge", purge, trashed=None, effect="destructive"),
    ]
    return [action for action in made if action.verb in info.verbs]


def _verb(info: EntityInfo, verb: str, function: Callable[..., Any], **more: Any) -> Action:
    return Action(
        name=info.permission(verb),
        function=partial(function, info=info),
        on=None if verb == "create" else info.cls,
        takes=Values if verb in {"create", "update"} else None,
        permission=info.permission(verb),
        label=_LABELS[verb],
        about=Text(f"{verb.capitalize()} {a_noun(info.phrase)}.", f"entity:{info.name}"),
        row_verb=verb,
        **more,
    )


def create(ctx: Context, values: dict[str, Any], *, info: EntityInfo) -> Entity:
    """Create a record from values that its schema has read."""
    record: Any = info.cls()
    _assign(ctx, record, values)
    if "owner_id" in info.fields and values.get("owner_id") is None and ctx.principal.user:
        record.owner_id = ctx.principal.user
    return ctx.add(record)  # type: ignore[no-any-return]


def update(ctx: Context, record: Entity, values: dict[str, Any], *, info: EntityInfo) -> Entity:
    """Change the named fields of a record."""
    del info
    _assign(ctx, record, values)
    return record


def _assign(ctx: Context, record: Entity, values: dict[str, Any]) -> None:
    fields = ctx.info(record).fields
    for name, value in values.items():
        declared = fields[name]
        if declared.target is not None and value is not None:
            ctx.check_reference(name, declared.target, value)
        declared.put(record, value)


def trash(ctx: Context, record: Entity, *, info: EntityInfo) -> Entity:
    """Put a record into the trash, with what belongs to it, from where it can be restored."""
    del info
    ctx.hook.record_trashing(ctx=ctx, record=record)
    record.deleted_at = ctx.now
    take_along(ctx, record, was=None, becomes=ctx.now)
    return record


def restore(ctx: Context, record: Entity, *, info: EntityInfo) -> Entity:
    """Take a record out of the trash, with what went there with it."""
    del info
    was, record.deleted_at = record.deleted_at, None
    take_along(ctx, record, was=was, becomes=None)
    return record


def purge(
    ctx: Context, record: Entity, *, info: EntityInfo, going: frozenset[str] = frozenset()
) -> Entity:
    """Delete a record for good, with those that belong to it; refused while others refer to it."""
    ctx.hook.record_purging(ctx=ctx, record=record)
    # What the same action has moved away from the record must not go with it.
    ctx.flush()
    for other, name in ctx.app.registry.referring(info):
        _settle(ctx, record, other, other.fields[name], going | {record.id})
    for other, name in ctx.app.registry.belonging(info):
        _take_along(ctx, record, other, other.fields[name])
    # What refers to it goes first; the database would refuse the other order.
    ctx.flush()
    ctx.delete(record)
    return record


def _settle(
    ctx: Context, record: Entity, other: EntityInfo, declared: Field, going: frozenset[str]
) -> None:
    """Do to the records that refer to this one what they declared: go with it, forget it, or forbid the purge."""
    here = declared.columns_in(other.table)[0]
    refers = (here == record.id, other.table.c.id != record.id)
    if declared.on_delete == "restrict":
        count = ctx.connection.execute(
            select(func.count()).select_from(other.table).where(*refers)
        ).scalar_one()
        if count:
            raise Conflict(
                _(
                    "{count} {others} still refer to this {noun}; purge or change them first.",
                    count=count,
                    others=other.noun if count == 1 else other.nouns,
                    noun=record.info.noun,
                )
            )
        return
    for referring in ctx.session.execute(select(other.cls).where(*refers)).scalars():
        if declared.on_delete == "cascade" and referring.id not in going:
            purge(ctx, referring, info=other, going=going)
        else:  # a ring is opened here, or it could not be deleted one after another
            declared.put(referring, None)


def _take_along(ctx: Context, record: Entity, other: EntityInfo, declared: Field) -> None:
    """Purge what belongs to the record, whatever entity the record is of."""
    if not ctx.app.db.is_sqlite:
        # No foreign key keeps somebody else from attaching something meanwhile; whoever attaches locks the subject.
        own = record.info.table
        ctx.connection.execute(select(own.c.id).where(own.c.id == record.id).with_for_update())
    mine = declared.kind.sql("eq", declared.columns, record.public_id)
    for belonging in ctx.session.execute(select(other.cls).where(mine)).scalars():
        purge(ctx, belonging, info=other)
