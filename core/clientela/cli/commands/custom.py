"""`clientela custom`: what integrators add to a deployment without code, first of all fields."""

from __future__ import annotations

import re
from typing import Any

import click
import orjson

from clientela.cli.commands import bundle
from clientela.cli.commands.look import entity_named
from clientela.cli.commands.users import changed
from clientela.cli.desk import Desk
from clientela.cli.errors import Usage
from clientela.cli.groups import argument, command, group, option
from clientela.cli.inputs import field_value
from clientela.cli.output import emit_record, emit_rows
from clientela.cli.writing import change
from clientela.context import Context
from clientela.custom.actions import NewName, Place, Removal
from clientela.custom.entities import CustomField
from clientela.custom.kinds import shape_of
from clientela.custom.references import references_to
from clientela.errors import Invalid, NotFound, did_you_mean
from clientela.filters import And, Compare, Node, Word
from clientela.i18n import _
from clientela.query import MOST_ROWS, Question, list_page
from clientela.rows import record_dict
from clientela.schemas import create_schema, load, patch_schema

custom = group(
    "custom",
    "What a deployment adds without code: fields, and with roles, templates and views as one file.",
    example="clientela custom export shop.json && clientela -C ../other custom import shop.json --dry-run",
)
custom.add_command(bundle.export)
custom.add_command(bundle.import_)
field = group(
    "field",
    "Fields that this deployment added to its records.",
    example="clientela custom field create customer x_colour choice --choice red=Red/Красный",
)
custom.add_command(field)

COLUMNS = ("id", "entity", "name", "kind", "label", "required", "unique", "indexed", "hidden")

NAME = argument(
    "name", "The field: x_colour, or core.customer.x_colour where several have it.", metavar="FIELD"
)
SAID = [
    option("--label-ru", "What people read, in Russian.", metavar="TEXT"),
    option("help_ --about", "What the field is for, in English.", metavar="TEXT"),
    option("help_ru --about-ru", "What the field is for, in Russian.", metavar="TEXT"),
    option("required --required/--optional", "A record must have it.", default=None),
    option("unique --unique/--repeatable", "No two records have the same.", default=None),
    option("search --search/--no-search", "Records are found by its words.", default=None),
    option("filter_ --filter/--no-filter", "Lists may be narrowed by it.", default=None),
    option("field_class --class", "Who may see it.", type=click.Choice(["pii", "financial", "open"])),
    option("--default", "What a new record has that names nothing else.", metavar="VALUE"),
    option(
        "options --option", "Of the kind: max_length=40, places=3, target=core.customer.", multiple=True,
        metavar="NAME=VALUE",
    ),
    option("choices --choice", "What may be chosen; may be repeated.", multiple=True, metavar="KEY=LABEL[/RUSSIAN]"),
]  # fmt: skip


@command(
    field, name="list",
    params=[
        argument("entity", "Only of this one.", required=False, metavar="[ENTITY]"),
        option("--trashed", "Those that were removed.", is_flag=True),
    ],
)  # fmt: skip
@click.pass_obj
def list_(desk: Desk, entity: str | None, *, trashed: bool) -> None:
    """List the custom fields, in their order."""
    mine = Compare(("entity",), "eq", Word(entity_named(desk, entity).name)) if entity else None
    question = Question(
        filter=mine, sort="entity,position", limit=MOST_ROWS, trashed=trashed, fields=COLUMNS
    )
    rows = desk.do(lambda ctx: list_page(ctx, CustomField.info, question)).rows
    emit_rows(desk, rows, COLUMNS)


@command(field, params=[NAME])
@click.pass_obj
def show(desk: Desk, name: str) -> None:
    """Show a custom field, and what names it."""

    def work(ctx: Context) -> dict[str, Any]:
        found = the(ctx, name, verb="read")
        named = [one.as_dict() for one in references_to(ctx, found.entity, found.name)]
        return record_dict(ctx, found) | {"references": named}

    emit_record(desk, desk.do(work))


@command(
    field, writes=True,
    params=[
        argument("entity", "Which records get it: customer."), argument("name", "Its name: x_colour."),
        argument("kind", "Such as text, integer, money, day, choice, ref."),
        option("--label", "What people read, in English; made of the name when left out.", metavar="TEXT"), *SAID,
    ],
    example="clientela custom field create customer x_size integer --option at_most=60 --label-ru Размер",
)  # fmt: skip
@click.pass_obj
def create(desk: Desk, /, entity: str, name: str, kind: str, **given: Any) -> None:
    """Add a field to the records of an entity; it is there at once."""
    info = entity_named(desk, entity)
    label = given.pop("label") or name.removeprefix("x_").replace("_", " ").capitalize()
    values = {"entity": info.name, "name": name, "kind": kind, "label": label}
    values |= _values(desk, kind, {}, given)

    def work(ctx: Context) -> list[CustomField]:
        action = ctx.app.registry.action(CustomField.info.permission("create"))
        return [ctx.run(action, data=load(create_schema(CustomField.info), values))]

    change(desk, work)


@command(
    field, writes=True,
    params=[NAME, option("--label", "What people read, in English.", metavar="TEXT"), *SAID],
)  # fmt: skip
@click.pass_obj
def edit(desk: Desk, /, name: str, **given: Any) -> None:
    """Change a custom field; what stored values would break is refused."""

    def work(ctx: Context) -> list[CustomField]:
        found = the(ctx, name)
        values = _values(desk, found.kind, dict(found.options), given)
        if not values:
            raise Usage(desk.text("Nothing to be changed was named."))
        return [changed(ctx, found, **load(patch_schema(CustomField.info), values))]

    change(desk, work)


def _values(
    desk: Desk, kind: str, options: dict[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    """Read what was named on the command line."""
    values = {word.rstrip("_"): value for word, value in given.items() if value not in (None, ())}
    named = dict(_option(desk, text) for text in values.pop("options", ()))
    choices = [_choice(desk, text) for text in values.pop("choices", ())]
    if choices:
        named["options"] = choices
    if named:
        values["options"] = options | named
    if "default" in values:
        shape = shape_of(desk.app.registry, kind, values.get("options", options))
        values["default"] = _json(shape.kind.at_home(desk.app.home), values["default"])
    return values


def _json(kind: Any, text: str) -> Any:
    from clientela.fields import field as declared  # noqa: PLC0415 - the name is a group's here

    try:
        return kind.dump(field_value(declared(kind), text))
    except ValueError as wrong:
        raise Invalid(str(wrong)) from None


def _option(desk: Desk, text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Usage(desk.text("An option is written NAME=VALUE: max_length=40."))
    # Bounds of decimals are texts; lengths, places and bounds of whole numbers are numbers.
    whole = re.fullmatch(r"-?\d+", value) is not None
    return name.strip(), orjson.loads(value) if whole else value.strip()


def _choice(desk: Desk, text: str) -> dict[str, str]:
    key, equals, label = text.partition("=")
    if not equals:
        raise Usage(
            desk.text("A choice is written KEY=LABEL, or KEY=LABEL/RUSSIAN: red=Red/Красный.")
        )
    english, _slash, russian = label.partition("/")
    return {"key": key.strip(), "label": english.strip(), "label_ru": russian.strip()}


@command(field, writes=True, params=[NAME])
@click.pass_obj
def hide(desk: Desk, name: str) -> None:
    """Take a field out of all faces; its values stay."""
    change(desk, lambda ctx: [changed(ctx, the(ctx, name), hidden=True)])


@command(field, writes=True, params=[NAME])
@click.pass_obj
def show_again(desk: Desk, name: str) -> None:
    """Show a field again that was hidden."""
    change(desk, lambda ctx: [changed(ctx, the(ctx, name), hidden=False)])


@command(
    field, writes=True,
    params=[NAME, option("--before", "The field that follows it; the last place when left out.", metavar="FIELD")],
)  # fmt: skip
@click.pass_obj
def move(desk: Desk, name: str, before: str | None) -> None:
    """Put a field before another one, or at the end."""
    _act(desk, name, "move", Place(before=before))


@command(field, writes=True, params=[NAME, argument("new", "The new name: x_height.")])
@click.pass_obj
def rename(desk: Desk, name: str, new: str) -> None:
    """Give a field another name, with all its values."""
    _act(desk, name, "rename", NewName(name=new))


@command(
    field, writes=True,
    params=[NAME, option("--force", "Even if something names the field.", is_flag=True)],
    example="clientela custom field remove x_colour --dry-run",
)  # fmt: skip
@click.pass_obj
def remove(desk: Desk, name: str, *, force: bool) -> None:
    """Remove a field; its values stay, and restore brings all back. With --dry-run, tell what names it."""
    if desk.dry_run:
        named = desk.do(lambda ctx: _named(ctx, name))
        if named and desk.format == "table":
            emit_rows(desk, named, ["what", "id", "name", "where"])
    _act(desk, name, "remove", Removal(force=force))


def _named(ctx: Context, name: str) -> list[dict[str, str]]:
    found = the(ctx, name)
    return [one.as_dict() for one in references_to(ctx, found.entity, found.name)]


@command(field, writes=True, params=[NAME])
@click.pass_obj
def restore(desk: Desk, name: str) -> None:
    """Bring back a field that was removed, with its values."""
    _act(desk, name, "restore", trashed=True)


@command(field, writes=True, params=[NAME])
@click.pass_obj
def purge(desk: Desk, name: str) -> None:
    """Delete a field that was removed, and its values from every record; the change log can bring them back."""
    desk.confirm(desk.text("The values of {name} are taken from every record.", name=name))
    _act(desk, name, "purge", trashed=True)


@command(field, writes=True, params=[NAME])
@click.pass_obj
def index(desk: Desk, name: str) -> None:
    """Let the database find records by this field without looking at all of them."""
    _act(desk, name, "index")


@command(field, writes=True, params=[NAME])
@click.pass_obj
def unindex(desk: Desk, name: str) -> None:
    """Drop the index over a field."""
    _act(desk, name, "unindex")


def _act(desk: Desk, name: str, verb: str, data: Any = None, *, trashed: bool = False) -> None:
    def work(ctx: Context) -> list[CustomField]:
        action = ctx.app.registry.action(CustomField.info.permission(verb))
        return [ctx.run(action, the(ctx, name, trashed=trashed), data)]

    change(desk, work)


def the(
    ctx: Context, name: str, *, verb: str = "update", trashed: bool | None = False
) -> CustomField:
    """Get a definition by the name of its field, with its entity in front where several have one."""
    entity, _dot, short = name.rpartition(".")
    mine: Node = Compare(("name",), "eq", Word(short))
    if entity:
        mine = And((mine, Compare(("entity",), "eq", Word(entity))))
    rows = list_page(ctx, CustomField.info, Question(filter=mine, trashed=trashed, limit=2)).rows
    if len(rows) > 1:
        several = ", ".join(f"{row['entity']}.{row['name']}" for row in rows)
        raise Usage(_("Several entities have a {name}: {fields}.", name=short, fields=several))
    if not rows:
        known = [f.name for info in ctx.app.registry.entities.values() for f in info.custom]
        raise NotFound(
            _("There is no custom field {name}.", name=repr(name[:60]))
            + did_you_mean(short, known),
            extra={"fix": "clientela custom field list"},
        )
    return ctx.get(CustomField, rows[0]["id"], verb=verb, trashed=None)


__all__ = ["custom"]
