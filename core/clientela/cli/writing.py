"""Commands that change something: the plain verbs of every entity, and every declared action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from pydantic import BaseModel

from clientela.actions import Action
from clientela.cli.desk import Desk
from clientela.cli.editing import edit_by_filter, filter_options
from clientela.cli.groups import Command, argument, option
from clientela.cli.inputs import (
    VALUE,
    extra_options,
    field_options,
    field_values,
    given_values,
    model_input,
    model_options,
    option_name,
)
from clientela.cli.output import Row, emit_record, emit_rows, plain, plain_cell
from clientela.context import Context
from clientela.entity import Entity, EntityInfo
from clientela.fields import Field
from clientela.history import BOOKKEEPING
from clientela.i18n import PHRASES, _, phrase
from clientela.purging import purged_file
from clientela.rows import record_dict
from clientela.schemas import create_schema, load, patch_schema
from clientela.verbs import Values


@dataclass
class Outcome:
    """What a write gave and what it changed."""

    results: list[Any]
    changes: list[dict[str, Any]]
    set_id: str = ""


def perform(
    desk: Desk,
    action: Action,
    keys: Sequence[str | None],
    data: Any,
    *,
    rev: int | None = None,
    before: Callable[[Context], None] | None = None,
) -> Outcome:
    """Run an action, on several records in one transaction; `before` is what must be done first in the same one."""

    def work(ctx: Context) -> Outcome:
        if before is not None:
            before(ctx)
        results = [_shown(ctx, ctx.run(action, key, data, base_rev=rev)) for key in keys]
        changes = changes_of(ctx)
        return Outcome(results, changes, ctx.changes.id if ctx.changes else "")

    return desk.do(work, writing=action.writes)


def changes_of(ctx: Context) -> list[dict[str, Any]]:
    """Give the change set so far, as every face shows it."""
    ctx.flush()
    registry = ctx.app.registry
    return (
        [c.as_dict(registry.entity(c.entity)) for c in ctx.changes.preview()] if ctx.changes else []
    )


def _shown(ctx: Context, result: Any) -> Any:
    if isinstance(result, Entity):
        info = result.info
        if not ctx.can(info.permission("read")):
            return {"id": result.public_id, "rev": result.rev}
        return record_dict(ctx, result)
    return result.model_dump(mode="json") if isinstance(result, BaseModel) else result


# commands -----------------------------------------------------------------------------------------------------------


def action_command(desk: Desk, action: Action) -> Command:
    """Make the command of an action."""
    if action.takes is Values:
        assert action.on is not None or action.verb == "create"  # noqa: S101 - the two plain verbs
        info = _info_of(desk, action)
        return _values_command(desk, action, info)
    params = [*_key_arguments(action), *(model_options(action.takes) if action.takes else [])]
    params += extra_options() if action.takes else []

    def run(keys: tuple[str, ...] = (), rev: int | None = None, **options: Any) -> None:
        if action.effect == "destructive":
            desk.confirm(
                desk.text(
                    "{what} cannot be undone.", what=f"{action.label} {' '.join(keys)}".strip()
                )
            )
        desk.reason = desk.reason or options.get(f"{VALUE}reason")
        data = model_input(desk, action.takes, options) if action.takes else None
        emit_outcome(desk, action, perform(desk, action, keys or (None,), data, rev=rev))

    about = about_of(desk, action, action.on.info) if action.on else action.about
    return Command(_name(action), callback=run, params=params, help=about, writes=action.writes)


def about_of(desk: Desk, action: Action, info: EntityInfo) -> str:
    """Give the help of an action; the plain verbs have their phrases in every language."""
    which = {"update": "edit"}.get(action.verb, action.verb)
    if action.name != info.permission(action.verb) or which not in PHRASES:
        return action.about
    return phrase(desk.translator, info.name, info.phrase, info.plural, which) + "."


def _values_command(desk: Desk, action: Action, info: EntityInfo) -> Command:
    """Make `create` or `update`."""
    creates = action.on is None
    home = desk.app.home
    fields = {n: f.at_home(home) for n, f in info.writable.items() if creates or not f.immutable}
    model = create_schema(info, home) if creates else patch_schema(info, home)

    def run(keys: tuple[str, ...] = (), rev: int | None = None, **options: Any) -> None:
        filter_ = options.get("filter__")
        if not creates and bool(keys) is (filter_ is not None):
            raise click.UsageError(desk.text("Name records by their ids, or by a filter."))
        desk.reason = desk.reason or options.get(f"{VALUE}reason")
        read = field_values(fields, given_values(options), options["nulls"], options["json_source"])
        if not read and not creates:
            raise click.UsageError(desk.text("Nothing to be changed was named."))
        values = load(model, read)
        if filter_ is not None:
            if rev is not None:
                raise click.UsageError(
                    desk.text("--rev is of one record, not of all that a filter finds.")
                )
            edit_by_filter(desk, info, filter_, values, skip=options["skip_bad_rows"])
            return
        emit_outcome(desk, action, perform(desk, action, keys or (None,), values, rev=rev))

    named = [] if creates else [*key_options(required=False), *filter_options(fields)]
    params = [*named, *field_options(fields), *extra_options()]
    return Command(
        _name(action),
        callback=run,
        params=params,
        help=about_of(desk, action, info),
        writes=True,
        example=_example(info, fields, action.verb),
    )


def _example(info: EntityInfo, fields: dict[str, Field], verb: str) -> str:
    if not fields:
        return ""
    named = next((n for n in info.columns_by_priority() if n in fields), next(iter(fields)))
    which = "" if verb == "create" else "--filter 'created_at >= 2026-01-01' "
    command = f"clientela {info.plugin} {info.singular.replace('_', '-')} {verb}"
    return f"{command} {which}{option_name(named)} … --dry-run"


def _key_arguments(action: Action) -> list[click.Parameter]:
    return key_options() if action.on is not None else []


def key_options(*, required: bool = True) -> list[click.Parameter]:
    """Give the arguments that name records."""
    metavar = "ID..." if required else "[ID]..."
    return [
        argument("keys", "The records, all of them or none.", nargs=-1, required=required, metavar=metavar),
        option("--rev", "Refuse when the record has another revision by now.", type=int),
    ]  # fmt: skip


def _info_of(desk: Desk, action: Action) -> EntityInfo:
    return desk.app.registry.entity(action.name.rsplit(".", 1)[0])


def _name(action: Action) -> str:
    return action.verb.replace("_", "-")


# what is shown ------------------------------------------------------------------------------------------------------


def change(desk: Desk, work: Callable[[Context], Sequence[Entity]]) -> None:
    """Do the work of a command that is written by hand, and print the records it gives or what would change."""

    def whole(ctx: Context) -> Outcome:
        made = work(ctx)
        changes = changes_of(ctx)
        return Outcome([record_dict(ctx, one) for one in made], changes)

    outcome = desk.do(whole, writing=True)
    emit_dry_run(desk, outcome) if desk.dry_run else emit_results(desk, outcome.results)


def emit_outcome(desk: Desk, action: Action, outcome: Outcome) -> None:
    """Print what came of a write; of a dry run, what would have changed."""
    if desk.dry_run and action.writes:
        emit_dry_run(desk, outcome)
        return
    emit_results(desk, [one for one in outcome.results if one is not None])
    if action.writes and desk.format == "table":
        desk.say(_("Done: {changes}.", changes=_summary(outcome.changes) or "0"))
    if action.verb == "purge" and outcome.set_id:
        desk.say(_("What went is kept in {file}.", file=purged_file(desk.app, outcome.set_id)))


def emit_results(desk: Desk, results: list[Any]) -> None:
    """Print one record, several, or plain values."""
    rows = [one for one in results if isinstance(one, dict)]
    if len(rows) == len(results) == 1:
        emit_record(desk, _short(desk, rows[0]))
    elif rows and len(rows) == len(results):
        emit_rows(desk, rows, list(_short(desk, rows[0])))
    else:
        emit_rows(desk, [{"result": one} for one in results], ["result"])


def emit_dry_run(desk: Desk, outcome: Outcome) -> None:
    """Print the change set that would be."""
    if desk.format in ("json", "jsonl"):
        result = outcome.results[0] if len(outcome.results) == 1 else outcome.results
        emit_record(desk, {"dry_run": True, "result": result, "changes": outcome.changes})
        return
    after = {r["id"]: plain(r) for r in outcome.results if isinstance(r, dict) and "id" in r}
    rows = [line for change in outcome.changes for line in _lines(change, after)]
    emit_rows(desk, rows, ["entity", "id", "kind", "field", "before", "after"])
    desk.say(_("A dry run: nothing was changed."))


def _lines(change: dict[str, Any], after: dict[str, Row]) -> list[Row]:
    head = {name: change[name] for name in ("entity", "id", "kind")}
    now, before = after.get(change["id"], {}), change["before"]
    if before is None:
        before = {n: None for n, v in now.items() if v not in (None, [], {}, "") and n not in _OWN}
    return [
        head
        | {
            "field": n,
            "before": plain_cell(n, v),
            "after": plain_cell(n, now.get(n)) if change["kind"] != "purge" else "",
        }
        for n, v in before.items()
    ] or [head]


_OWN = BOOKKEEPING | {"id", "created_at", "created_by"}


def _short(desk: Desk, row: Row) -> Row:
    """Give programs everything, and people what is filled in."""
    if desk.format != "table":
        return row
    return {
        n: v
        for n, v in row.items()
        if n not in _OWN - {"id", "rev"} and v not in (None, "", [], {})
    }


def _summary(changes: list[dict[str, Any]]) -> str:
    """Give `core.customer update 2, core.identifier create 1`."""
    counts: dict[tuple[str, str], int] = {}
    for change in changes:
        key = change["entity"], change["kind"]
        counts[key] = counts.get(key, 0) + 1
    return ", ".join(f"{entity} {kind} {count}" for (entity, kind), count in counts.items())
