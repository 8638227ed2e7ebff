"""Looking around: the kinds of records, the facts that were told, and a search over everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy import select

from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, group, option
from clientela.cli.output import Row, emit_record, emit_rows
from clientela.context import Context
from clientela.entity import EntityInfo
from clientela.errors import NotFound, did_you_mean
from clientela.fields import Field
from clientela.i18n import _
from clientela.outbox import OUTBOX
from clientela.search.finding import DEFAULT_LIMIT, MOST_HITS, find

entity = group(
    "entity", "The kinds of records there are.", example="clientela entity show customer"
)
event = group(
    "event", "The facts that were told.", example="clientela event tail --follow -o jsonl"
)


@command(entity, name="list")
@click.pass_obj
def list_(desk: Desk) -> None:
    """List the entities of the installed plugins."""
    rows = [
        {
            "entity": info.name,
            "label": info.label,
            "prefix": info.prefix,
            "fields": len(info.visible),
            "address": f"/api/v1/{info.plugin}/{info.collection}",
            "about": info.about,
        }
        for info in desk.app.registry.entities.values()
    ]
    emit_rows(desk, rows, ["entity", "prefix", "fields", "address", "about"])


@command(
    entity,
    params=[
        argument("name", "An entity: core.customer, or customer where one plugin alone has it.")
    ],
)  # fmt: skip
@click.pass_obj
def show(desk: Desk, name: str) -> None:
    """Show an entity: its fields, and what can be done with its records."""
    info = entity_named(desk, name)
    fields = [_field_row(desk, declared) for declared in info.visible.values()]
    if desk.format != "table":
        made = {
            "entity": info.name,
            "label": info.label,
            "about": info.about,
            "verbs": sorted(info.verbs),
        }
        actions = [action.name for action in desk.app.registry.actions_on(info)]
        emit_record(desk, made | {"actions": actions, "fields": fields})
        return
    click.echo(f"{info.name}  {desk.text(info.about)}")
    emit_rows(desk, fields, ["field", "kind", "must", "label", "help"])


def _field_row(desk: Desk, declared: Field) -> Row:
    must = "required" if declared.required else "read-only" if declared.read_only else ""
    return {
        "field": declared.name,
        "kind": declared.kind.name,
        "must": must,
        "label": desk.text(declared.label),
        "help": desk.text(declared.help),
        "filter": declared.filterable,
        "sort": declared.kind.sortable,
        "refers_to": declared.target.name if declared.target else None,
        "class": declared.field_class,
    }


def entity_named(desk: Desk, name: str) -> EntityInfo:
    """Find an entity by its full name, or by its short one where it is the only one."""
    registry = desk.registry
    if "." in name:
        return registry.entity(name)
    found = [i for i in registry.entities.values() if name in (i.singular, i.collection)]
    if len(found) == 1:
        return found[0]
    if found:
        several = ", ".join(info.name for info in found)
        raise NotFound(_("Several plugins have a {name}: {entities}.", name=name, entities=several))
    names = {*registry.entities, *(i.singular for i in registry.entities.values())}
    raise NotFound(
        _("There is no entity {name}.", name=repr(name[:60])) + did_you_mean(name, names)
    )


# facts --------------------------------------------------------------------------------------------------------------


@command(
    event,
    params=[
        option("--limit", "How many of the newest.", type=click.IntRange(1, 1000), default=20, show_default=True),
        option("--fact", "Only this one, such as core.record_created.", metavar="NAME"),
        option("follow -f --follow", "Go on with what comes, until Ctrl-C.", is_flag=True),
    ],
)  # fmt: skip
@click.pass_obj
def tail(desk: Desk, limit: int, fact: str | None, *, follow: bool) -> None:
    """Print the newest facts, the latest last; --follow prints a line of JSON for each."""
    if follow and desk.output is None:
        desk.output = "jsonl"
    emit_rows(desk, _told(desk, limit, fact, follow=follow), ["at", "fact", "actor", "payload"])


def _told(desk: Desk, limit: int, fact: str | None, *, follow: bool) -> Iterator[Row]:
    rows = desk.do(lambda ctx: _newest(ctx, limit, fact))
    yield from rows
    while follow:
        threading.Event().wait(1)
        last = rows[-1]["id"] if rows else ""
        more = desk.do(lambda ctx, last=last: _newest(ctx, 1000, fact, after=last))  # type: ignore[misc]
        yield from more
        rows = more or rows


def _newest(ctx: Context, limit: int, fact: str | None, *, after: str = "") -> list[Row]:
    ctx.require("core.system.operate")
    query = select(OUTBOX).order_by(OUTBOX.c.id.desc()).limit(limit)
    if fact is not None:
        known = ctx.app.registry.facts
        if fact not in known:
            raise NotFound(
                _("There is no fact {name}.", name=repr(fact[:60])) + did_you_mean(fact, known)
            )
        query = query.where(OUTBOX.c.fact == fact)
    if after:
        query = query.where(OUTBOX.c.id > after)
    rows: list[Any] = [dict(row._mapping) for row in ctx.connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public spelling
    return [row | {"at": row["at"].isoformat()} for row in reversed(rows)]


# search -------------------------------------------------------------------------------------------------------------


@command(
    params=[
        argument("words", "All of them must be found.", nargs=-1, required=True),
        option("entities --entity --in", "Only in these; may be repeated.", multiple=True, metavar="ENTITY"),
        option(
            "--limit", "At most so many.", default=DEFAULT_LIMIT, show_default=True,
            type=click.IntRange(1, MOST_HITS),
        ),
    ],
    example="clientela search ivanova kazan",
)  # fmt: skip
@click.pass_obj
def search(desk: Desk, words: tuple[str, ...], entities: tuple[str, ...], limit: int) -> None:
    """Find records of every kind by their words, the best first."""
    infos = [entity_named(desk, one) for one in entities] or None
    hits = desk.do(lambda ctx: find(ctx, " ".join(words), entities=infos, limit=limit))
    if not hits and desk.format == "table":
        desk.say(_("Nothing was found."))
    rows = [hit.as_dict() for hit in hits]
    if desk.format not in ("json", "jsonl"):
        rows = [row | {"snippet": "".join(one["text"] for one in row["snippet"])} for row in rows]
    emit_rows(desk, rows, ["entity", "id", "title", "snippet"])
