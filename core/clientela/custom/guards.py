"""What must hold before a custom field changes, and what changes with it in the same transaction.

The core's own guard may write: values, indexes and definitions change together or not at all, through every face and
through an undo as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from clientela.custom.entities import CustomField
from clientela.custom.indexes import create_index, drop_index
from clientela.custom.kinds import read_options
from clientela.custom.loading import definition_row, field_of
from clientela.custom.references import refuse_referred_to
from clientela.custom.stored import (
    clear,
    fill,
    has_values,
    refuse_duplicates,
    refuse_lacking,
    refuse_unfit,
)
from clientela.errors import Conflict, FieldProblem, Invalid, NotFound
from clientela.hookspecs import hookimpl
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity, EntityInfo
    from clientela.members import MemberField

# Each field costs every reader of the entity a little; beyond this an entity of one's own is the better answer.
MOST_FIELDS = 200

# The longest text an index of PostgreSQL takes for sure, whatever its letters.
LONGEST_INDEXED = 600


@hookimpl
def record_saving(ctx: Context, record: Entity, before: dict[str, Any], created: bool) -> None:  # noqa: FBT001 - called by name
    """Check a definition against the records there are, and let values and index follow it."""
    if not isinstance(record, CustomField):
        return
    info = _entity(ctx, record)
    if record.deleted_at is not None:
        if "deleted_at" in before:
            drop_index(ctx.connection, info, field_of(ctx.app, definition_row(record)))
        return
    new = field_of(ctx.app, definition_row(record))
    if created and record.rev == 1:
        _refuse_too_many(ctx, record)
    old = None if created else field_of(ctx.app, definition_row(record) | before)
    _check_values(ctx, info, new, old, before, fresh=created and record.rev == 1)
    if before.get("hidden") is False and record.hidden:
        refuse_referred_to(ctx, record.entity, record.name)
    if created or before.keys() & {"indexed", "unique", "name", "deleted_at", "options"}:
        _keep_index(ctx, info, new, old)


@hookimpl
def record_trashing(ctx: Context, record: Entity) -> None:
    """Refuse to take away a field that something names."""
    if isinstance(record, CustomField):
        refuse_referred_to(ctx, record.entity, record.name)


@hookimpl
def record_purging(ctx: Context, record: Entity) -> None:
    """Take the values of a field from every record before it goes for good."""
    if not isinstance(record, CustomField):
        return
    info = ctx.app.registry.entities.get(record.entity)
    if record.deleted_at is None:  # what lies in the trash was asked about on its way there
        refuse_referred_to(ctx, record.entity, record.name)
    if info is not None:  # the plugin may be gone, and its table with it
        field = field_of(ctx.app, definition_row(record))
        drop_index(ctx.connection, info, field)
        clear(ctx, info, field)


def _entity(ctx: Context, record: CustomField) -> EntityInfo:
    try:
        info = ctx.app.registry.entity(record.entity)
    except NotFound as unknown:
        problem = FieldProblem("/entity", "unknown-entity", unknown.detail)
        raise Invalid(unknown.detail, [problem]) from None
    if info.cls is CustomField:
        sentence = _("Custom fields have no custom fields.")
        raise Invalid(sentence, [FieldProblem("/entity", "invalid", sentence)])
    return info


def _refuse_too_many(ctx: Context, record: CustomField) -> None:
    table = CustomField.info.table
    count = ctx.connection.execute(
        select(func.count()).select_from(table).where(table.c.entity == record.entity)
    ).scalar_one()
    if count >= MOST_FIELDS:
        raise Conflict(
            _("{entity} has {most} custom fields already.", entity=record.entity, most=MOST_FIELDS)
        )


def _check_values(
    ctx: Context,
    info: EntityInfo,
    new: MemberField,
    old: MemberField | None,
    before: dict[str, Any],
    *,
    fresh: bool,
) -> None:
    """Refuse what the stored values break; a field that an undo brings back had them all when it went."""
    if old is None and not fresh:
        return
    if old is not None and "options" in before:
        _check_options(ctx, info, new, old, before["options"] or {})
    asked_anew = fresh or "deleted_at" in before
    if not new.optional and (asked_anew or {"required", "default"} & before.keys()):
        fill(ctx, info, new) if new.default_factory else refuse_lacking(ctx, info, new)
    if new.unique and (asked_anew or "unique" in before):
        refuse_duplicates(ctx, info, new)


def _check_options(
    ctx: Context, info: EntityInfo, new: MemberField, old: MemberField, options: dict[str, Any]
) -> None:
    offer = ctx.app.registry.kinds[new.offer]
    was, now = read_options(offer, options), read_options(offer, new.options)
    fixed = [name for name in sorted(offer.fixed) if getattr(was, name) != getattr(now, name)]
    if fixed and has_values(ctx, info, old):
        sentence = _(
            "{option} says how values are stored, and there are values; it stays as it is.",
            option=fixed[0],
        )
        raise Conflict(sentence, [FieldProblem(f"/options/{fixed[0]}", "fixed", sentence)])
    refuse_unfit(ctx, info, old, new)


def _keep_index(ctx: Context, info: EntityInfo, new: MemberField, old: MemberField | None) -> None:
    """Let the database have the index that the definition says."""
    if old is not None and (old.unique or old.index):
        drop_index(ctx.connection, info, old)
    if new.unique or new.index:
        refuse_unindexable(new)
        create_index(ctx.connection, info, new)


def refuse_unindexable(field: MemberField) -> None:
    """Refuse an index that no comparison would use, or that the database would not take."""
    longest = getattr(field.kind, "max_length", 0)
    if not field.kind.operators & {"eq", "lt"} or longest > LONGEST_INDEXED:
        sentence = _(
            "{field} cannot be indexed: only values that are compared can, and texts of up to {most} characters.",
            field=field.name,
            most=LONGEST_INDEXED,
        )
        raise Invalid(sentence, [FieldProblem("/indexed", "not-indexable", sentence)])
