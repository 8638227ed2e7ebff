"""What is done with custom fields beyond the plain verbs."""

from __future__ import annotations

from pydantic import Field
from sqlalchemy import select

from clientela.actions import action
from clientela.context import Context
from clientela.custom.entities import LONGEST, CustomField
from clientela.custom.loading import definition_row, field_of
from clientela.custom.references import references_to, refuse_referred_to, rename_in_roles
from clientela.custom.stored import move as move_values
from clientela.errors import FieldProblem, Invalid
from clientela.i18n.texts import _
from clientela.schemas import Input


class NewName(Input):
    """What a custom field is to be called."""

    name: str = Field(max_length=LONGEST, description="The new name: x_ and small letters.")


class Place(Input):
    """Where among the custom fields of its entity a field is to stand."""

    before: str | None = Field(
        default=None, max_length=LONGEST, description="The field that follows it; the last place when left out."
    )  # fmt: skip


class Removal(Input):
    """How a field is taken away."""

    force: bool = Field(default=False, description="Even if something names the field.")


@action("core.custom_field.rename", on=CustomField)
def rename(ctx: Context, field: CustomField, data: NewName) -> CustomField:
    """Give a custom field another name, with all its values and the scopes of roles."""
    info = ctx.app.registry.entity(field.entity)
    old, was = field_of(ctx.app, definition_row(field)), field.name
    others = [one for one in references_to(ctx, field.entity, was) if one.what != "role"]
    if others:
        refuse_referred_to(ctx, field.entity, was)
    field.name = data.name
    field.check()
    move_values(ctx, info, old, data.name)
    ctx.flush()
    rename_in_roles(ctx, field.entity, was, data.name)
    return field


@action("core.custom_field.move", on=CustomField)
def move(ctx: Context, field: CustomField, data: Place) -> CustomField:
    """Put a custom field before another one, or at the end."""
    query = (
        select(CustomField)
        .where(CustomField.entity == field.entity, CustomField.deleted_at.is_(None))
        .order_by(CustomField.position, CustomField.id)
    )
    others = [one for one in ctx.session.execute(query).scalars() if one is not field]
    names = [one.name for one in others]
    if data.before is not None and data.before not in names:
        sentence = _(
            "{entity} has no other custom field {name}.",
            entity=field.entity,
            name=repr(data.before),
        )
        raise Invalid(sentence, [FieldProblem("/before", "unknown-field", sentence)])
    place = len(others) if data.before is None else names.index(data.before)
    for number, one in enumerate([*others[:place], field, *others[place:]], start=1):
        one.position = number
    return field


@action("core.custom_field.index", on=CustomField)
def index(ctx: Context, field: CustomField) -> CustomField:
    """Let the database find records by this field without looking at all of them."""
    del ctx
    field.indexed = True
    return field


@action("core.custom_field.unindex", on=CustomField)
def unindex(ctx: Context, field: CustomField) -> CustomField:
    """Drop the index over this field."""
    del ctx
    field.indexed = False
    return field


@action("core.custom_field.remove", on=CustomField)
def remove(ctx: Context, field: CustomField, data: Removal) -> CustomField:
    """Take a field from all faces; its values stay, and it can be restored."""
    if not data.force:
        refuse_referred_to(ctx, field.entity, field.name)
    field.deleted_at = ctx.now
    return field
