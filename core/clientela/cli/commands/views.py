"""`clientela view`: lists kept under a name."""

from __future__ import annotations

from typing import Any

import click
import orjson

from clientela.cli.commands.look import entity_named
from clientela.cli.commands.users import changed
from clientela.cli.desk import Desk
from clientela.cli.errors import Usage
from clientela.cli.groups import argument, command, group, option
from clientela.cli.output import emit_record, emit_rows
from clientela.cli.reading import emit_list, list_options, over_view, question_of
from clientela.cli.writing import change
from clientela.context import Context
from clientela.entity import Entity
from clientela.filters import Compare, Word
from clientela.i18n import _
from clientela.query import MOST_ROWS, Question, list_page
from clientela.rows import record_dict
from clientela.schemas import create_schema, load
from clientela.views import looks
from clientela.views.actions import Sharing
from clientela.views.actions import share as sharing_action
from clientela.views.entities import SavedView
from clientela.views.layouts import LAYOUTS
from clientela.views.questions import find_view

# What a check found is not a failure of the check.
BROKEN = 10

view = group(
    "view",
    "Saved views: lists kept under a name.",
    example="clientela view save customer hot --filter 'created_at > now-7d' --sort -created_at",
)

NAME = argument("name", "The name of a view, or its id.", metavar="VIEW")
SHARE = "mine, shared, or team:ROLE; several roles with commas between."
COLUMNS = ("id", "entity", "name", "sharing", "filter", "sort", "description")
SAID = [
    option("filter_ --filter", "Which records; see clientela help filters.", metavar="TEXT"),
    option("--sort", "Fields with commas between; a leading minus turns the order.", metavar="FIELDS"),
    option("columns --columns --fields", "Which fields; `owner.name` opens one.", metavar="FIELDS"),
    option("--expand", "References to be opened.", metavar="REFERENCES"),
    option("--layout", "How it is laid out.", type=click.Choice(list(LAYOUTS))),
    option("options --options", "What the layout takes, as JSON.", metavar="JSON"),
    option("--label", "What people read.", metavar="TEXT"),
    option("description --about", "What the view is for.", metavar="TEXT"),
    option("--position", "Its place among the others.", type=int),
    option("pinned --pin/--unpin", "Whether it comes before the others.", default=None),
    option("sharing --share", SHARE, metavar="WHOM"),
]  # fmt: skip


@command(view, name="list", params=[argument("entity", "Only of this one.", required=False)])
@click.pass_obj
def list_(desk: Desk, entity: str | None) -> None:
    """List the views you may see: your own, those of your roles, and those for everybody."""
    mine = Compare(("entity",), "eq", Word(entity_named(desk, entity).name)) if entity else None
    question = Question(
        filter=mine, sort="entity,-pinned,position,name", fields=COLUMNS, limit=MOST_ROWS
    )
    rows = desk.do(lambda ctx: list_page(ctx, SavedView.info, question)).rows
    emit_rows(desk, rows, COLUMNS)


@command(view, params=[NAME])
@click.pass_obj
def show(desk: Desk, name: str) -> None:
    """Show a view, how else to ask the same, and what of it is broken."""

    def work(ctx: Context) -> dict[str, Any]:
        found = _the(ctx, name, verb="read")
        broken = looks.problems(ctx, found.id)["data"]
        more = {"problems": broken} if broken else {"copy": looks.copy(ctx, found.id)}
        return record_dict(ctx, found) | more

    emit_record(desk, desk.do(work))


@command(view, params=[NAME, *(one for one in list_options() if one.name != "view")])
@click.pass_obj
def run(desk: Desk, /, name: str, **options: Any) -> None:
    """List the records of a view; the options narrow it or go before it."""
    found = desk.do(lambda ctx: find_view(ctx, name))
    info = entity_named(desk, found.entity)
    question = over_view(desk, info, question_of(options), SavedView.info.public_id(found.id))
    emit_list(desk, info, question, options)


@command(
    view, writes=True,
    params=[argument("entity", "What is listed: customer."), argument("name", "Small letters: hot-leads."), *SAID],
    example="clientela view save customer russian --filter 'country = RU' --columns name,email --share team:sales",
)  # fmt: skip
@click.pass_obj
def save(desk: Desk, /, entity: str, name: str, **said: Any) -> None:
    """Keep a list under a name; for yourself, unless --share says for whom else."""
    values = _values(desk, said) | {"entity": entity_named(desk, entity).name, "name": name}

    def work(ctx: Context) -> list[Entity]:
        create = ctx.app.registry.action(SavedView.info.permission("create"))
        return [ctx.run(create, data=load(create_schema(SavedView.info), values))]

    change(desk, work)


@command(
    view, writes=True, params=[NAME, *SAID, option("--rename", "Another name.", metavar="NAME")]
)
@click.pass_obj
def edit(desk: Desk, /, name: str, rename: str | None, **said: Any) -> None:
    """Change what is named of a view; an empty text takes a part away."""
    values = _values(desk, said) | ({"name": rename} if rename else {})
    if not values:
        raise Usage(_("Nothing to be changed was named."))
    values = {n: None if value == "" else value for n, value in values.items()}
    change(desk, lambda ctx: [changed(ctx, _the(ctx, name), **values)])


@command(view, writes=True, params=[NAME])
@click.pass_obj
def remove(desk: Desk, name: str) -> None:
    """Put a view into the trash, from where it can be restored."""

    def work(ctx: Context) -> list[Entity]:
        action = ctx.app.registry.action(SavedView.info.permission("trash"))
        return [ctx.run(action, _the(ctx, name, verb="trash"))]

    change(desk, work)


@command(
    view,
    writes=True,
    params=[NAME, argument("whom", SHARE)],
    example="clientela view share hot team:sales",
)
@click.pass_obj
def share(desk: Desk, name: str, whom: str) -> None:
    """Show a view to everybody, to some roles, or to its owner alone."""
    data = Sharing.model_validate(_sharing(desk, whom))
    change(desk, lambda ctx: [ctx.run(sharing_action, _the(ctx, name, verb="read"), data)])


@command(view)
@click.pass_context
def check(ctx: click.Context) -> None:
    """List what is broken in the views you may see; the exit code is 10 when anything is."""
    desk: Desk = ctx.obj
    rows = desk.do(lambda c: list(looks.broken_views(c)))
    emit_rows(desk, rows, ["id", "entity", "view", "where", "reason"])
    if rows:
        ctx.exit(BROKEN)
    desk.say(_("No view is broken."))


def _the(ctx: Context, name: str, *, verb: str = "update") -> SavedView:
    return ctx.get(SavedView, find_view(ctx, name).id, verb=verb)


def _values(desk: Desk, said: dict[str, Any]) -> dict[str, Any]:
    """Give what was said, by the names of the fields."""
    values = {name.rstrip("_"): one for name, one in said.items() if one is not None}
    if "options" in values:
        try:
            values["options"] = orjson.loads(values["options"])
        except orjson.JSONDecodeError:
            raise Usage(_('--options is JSON, such as \'{{"by": "kind"}}\'.')) from None
    return values | (_sharing(desk, values["sharing"]) if "sharing" in values else {})


def _sharing(desk: Desk, whom: str) -> dict[str, Any]:
    word, colon, roles = whom.partition(":")
    team = [role.strip() for role in roles.split(",") if role.strip()]
    if (
        word not in {"mine", "shared", "team"}
        or bool(colon) != (word == "team")
        or bool(colon) != bool(team)
    ):
        raise Usage(desk.text("A view is shared with mine, shared, or team:ROLE."))
    return {"sharing": word, "team": team}
