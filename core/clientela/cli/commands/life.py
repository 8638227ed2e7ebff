"""`clientela plugin plan|apply|remove|upgrade`: what a change of plugins would do to the database, and doing it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, group, option
from clientela.cli.output import emit_record, emit_rows
from clientela.errors import BadSyntax
from clientela.i18n import _
from clientela.plugins import policies
from clientela.plugins.discovery import found

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.plugins.life import Plan
    from clientela.plugins.life.plans import Mode

FILE = click.Path(dir_okay=False, path_type=Path)
HOW = (
    ("keep --keep", _("Leave its tables; installing it again goes on with them."), {"is_flag": True}),
    ("export --export", _("Write its records into this archive, then remove them."), {"type": FILE, "metavar": "FILE"}),
    ("purge --purge", _("Remove everything for good."), {"is_flag": True}),
)  # fmt: skip
FROM = (
    "source --from", _("Read the records of this archive in."), {"type": FILE, "metavar": "FILE"},
)  # fmt: skip
OUT = (
    "out --out", _("Write the plan to this file, to apply it later."), {"type": FILE, "metavar": "FILE"},
)  # fmt: skip
NAME = argument("name", "The plugin's name.")

Wish = Callable[["App"], "Plan"]


def _options(*declared: tuple[str, str, dict[str, Any]]) -> list[click.Parameter]:
    return [option(names, about, **more) for names, about, more in declared]


def _bring_up(verb: str, name: str, source: Path | None = None) -> Wish:
    from clientela.plugins import life  # noqa: PLC0415 - Alembic is slow

    make = life.plan_add if verb == "add" else life.plan_upgrade
    return lambda app: make(app, name, str(source or ""))


def _take_down(name: str, *, keep: bool, export: Path | None, purge: bool) -> tuple[Wish, Mode]:
    """Give the wish that exactly one of the three options says."""
    from clientela.plugins import life  # noqa: PLC0415 - Alembic is slow
    from clientela.plugins.life.planning import WHICH_VERB  # noqa: PLC0415 - the same

    modes: dict[Mode, object] = {"keep": keep, "export": export, "purge": purge}
    said = [mode for mode, is_said in modes.items() if is_said]
    if len(said) != 1:
        raise BadSyntax(WHICH_VERB)
    mode = said[0]
    return lambda app: life.plan_remove(
        app, name, mode, str(export.absolute() if export else "")
    ), mode


def _app_for(desk: Desk, mode: Mode = "") -> App:
    """Give the app: the core alone where no plugin's code is needed, so that a broken one cannot be in the way."""
    if mode not in {"keep", "purge"} or desk.given_app is not None:
        return desk.app
    from clientela.app import App  # noqa: PLC0415 - see Desk.app

    desk.__dict__["app"] = App(settings=desk.settings, plugins=[])
    return desk.app


# looking --------------------------------------------------------------------------------------------------------------


plan = group(
    "plan",
    "What a change of plugins would do to the database; nothing is written.",
    example="clientela plugin plan remove contacts --purge",
)


def _show(desk: Desk, made: Plan, out: Path | None) -> None:
    """Print a plan, and write it where it was asked for."""
    said = _told(desk, made.as_dict())
    if out is not None:
        from clientela.cli.output import to_json  # noqa: PLC0415 - only here

        out.write_text(to_json(made.as_dict(), indent=2) + "\n", "utf-8")
        desk.say(desk.text("Carry it out with: clientela plugin apply {path}", path=out))
    if desk.format != "table":
        emit_record(desk, said)
        return
    steps = [
        {"plugin": one["plugin"], "does": one["does"], "before": one["before"], "after": one["after"]}
        for one in said["steps"]
    ]  # fmt: skip
    emit_rows(desk, steps, ["plugin", "does", "before", "after"])
    for one in said["steps"]:
        _show_step(desk, one)
    if said["references"]:
        click.echo()
        emit_rows(desk, said["references"], ["kind", "what", "count", "fate"])
    click.echo()
    for sentence in (*said["remarks"], said["snapshot"], *said["blockers"]):
        click.echo(sentence)
    if made.steps and not made.blockers:
        click.echo(desk.text("Carry it out with: {command}", command=made.command))


def _show_step(desk: Desk, step: dict[str, Any]) -> None:
    for one in step["revisions"]:
        click.echo(f"\n{one['revision']}  {one['about']}")
        way = _("There is a way back.") if one["reversible"] else _("There is no way back.")
        click.echo("  " + desk.text(way))
        if one["loses"]:
            click.echo("  " + desk.text("It takes data away."))
        if one["remark"]:
            click.echo(
                "  " + desk.text("Its SQL shows only when it runs: {reason}", reason=one["remark"])
            )
        _show_sql(desk, one["sql"], one["rows"])
    if step["sql"] or step["rows"]:
        click.echo()
        _show_sql(desk, step["sql"], step["rows"])


def _show_sql(desk: Desk, statements: list[str], rows: dict[str, int]) -> None:
    for statement in statements:
        click.echo("  " + statement.replace("\n", "\n  ") + ";")
    for name, count in rows.items():
        click.echo("  " + desk.text("{table}: {count} rows", table=name, count=count))


def _told(desk: Desk, value: Any) -> Any:
    """Give the sentences of a plan in the language of the one who asks."""
    if isinstance(value, dict):
        return {name: _told(desk, one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_told(desk, one) for one in value]
    return (
        desk.translator.show(value) if isinstance(value, str) and desk.language != "en" else value
    )


@command(plan, operator=True, params=[NAME, *_options(FROM, OUT)], name="add")
@click.pass_obj
def plan_add(desk: Desk, name: str, source: Path | None, out: Path | None) -> None:
    """Show how a plugin would get its tables, and those it needs theirs."""
    _show(desk, _bring_up("add", name, source)(desk.app), out)


@command(plan, operator=True, params=[NAME, *_options(OUT)], name="upgrade")
@click.pass_obj
def plan_upgrade(desk: Desk, name: str, out: Path | None) -> None:
    """Show what the installed version of a plugin would change."""
    _show(desk, _bring_up("upgrade", name)(desk.app), out)


@command(plan, operator=True, params=[NAME, *_options(*HOW, OUT)], name="remove")
@click.pass_obj
def plan_remove(desk: Desk, /, name: str, out: Path | None, **how: Any) -> None:
    """Show what would go with a plugin, and what must go before it."""
    wish, mode = _take_down(name, **how)
    _show(desk, wish(_app_for(desk, mode)), out)


# doing ----------------------------------------------------------------------------------------------------------------


@command(
    operator=True, writes=True,
    params=[
        argument("words", "A plan's file, or add|upgrade|remove and the plugin's name.", nargs=-1),
        *_options(*HOW, FROM),
        option("going_on --resume", "Go on with what was broken off.", is_flag=True),
        option("back --restore", "Go back to the snapshot of what was broken off.", is_flag=True),
        option("left --abandon", "Forget what was broken off; what stands stays.", is_flag=True),
    ],
    example="clientela plugin apply add contacts\nclientela plugin apply plan.json\nclientela plugin apply --resume",
)  # fmt: skip
@click.pass_obj
def apply(desk: Desk, /, words: tuple[str, ...], **how: Any) -> None:
    """Carry out a plan: a snapshot first, then each plugin in one transaction."""
    from clientela.plugins import life  # noqa: PLC0415 - Alembic is slow

    going_on, back, left = (how.pop(name) for name in ("going_on", "back", "left"))
    if going_on:
        _report(desk, life.resume(desk.app))
    elif left:
        life.abandon(desk.app)
    elif back:
        desk.confirm(
            desk.text("The database goes back to the snapshot; what was written since is lost.")
        )
        desk.say(
            desk.text("The database is again what it was: {place}", place=life.go_back(desk.app))
        )
    elif len(words) == 1:
        made = life.read_plan(Path(words[0]))
        _app_for(desk, made.mode)
        _carry_out(desk, made)
    else:
        _by_words(desk, words, how)


def _by_words(desk: Desk, words: tuple[str, ...], how: dict[str, Any]) -> None:
    if len(words) != 2 or words[0] not in {"add", "upgrade", "remove"}:  # noqa: PLR2004 - the verb and the name
        raise BadSyntax(
            _("Say add, upgrade or remove and the name of a plugin, or the file of a plan.")
        )
    verb, name = words
    source = how.pop("source")
    mode: Mode = ""
    if verb == "remove":
        wish, mode = _take_down(name, **how)
    else:
        if verb == "add" and not desk.dry_run:
            _enable(desk, name)
        wish = _bring_up(verb, name, source)
    _carry_out(desk, wish(_app_for(desk, mode)))


def _enable(desk: Desk, name: str) -> None:
    """Let a plugin take part that a removal has left out: whoever adds it wants it."""
    if (desk.folder / policies.FILE).is_file() and policies.enable(desk.folder, name):
        for read_before in ("settings", "app"):
            desk.__dict__.pop(read_before, None)
        desk.say(desk.text("{plugin} takes part again.", plugin=name))


def _leave_out(desk: Desk, name: str) -> None:
    """Disable what was removed: the next `db migrate` would bring its tables back while the package is there."""
    is_there = any(one.name == name for one in found(desk.folder))
    if is_there and (desk.folder / policies.FILE).is_file() and policies.disable(desk.folder, name):
        desk.say(
            desk.text(
                "{plugin} is left out from the next start on; restart what is serving.", plugin=name
            )
        )


def _carry_out(desk: Desk, made: Plan) -> None:
    from clientela.plugins import life  # noqa: PLC0415 - Alembic is slow

    if desk.dry_run:
        _show(desk, life.plan_again(desk.app, made), None)
        return
    if made.mode in {"export", "purge"} and not made.blockers:
        desk.confirm(
            desk.text("The records of {plugin} will be deleted for good.", plugin=made.plugin)
        )
    _report(desk, life.apply(desk.app, made))
    if made.verb == "remove":
        _leave_out(desk, made.plugin)


def _report(desk: Desk, outcome: Any) -> None:
    done = [_told(desk, one) for one in outcome.done]
    if desk.format == "table":
        # A sentence is not cut as a cell would be.
        click.echo("\n".join(done))
    else:
        emit_rows(desk, [{"done": one} for one in done], ["done"])
    if outcome.snapshot:
        desk.say(desk.text("The snapshot is {place}.", place=outcome.snapshot))
    for sentence in outcome.remarks:
        desk.say(_told(desk, sentence))


@command(operator=True, writes=True, params=[NAME, *_options(*HOW)],
    example="clientela plugin remove contacts --export contacts.zip",
)  # fmt: skip
@click.pass_obj
def remove(desk: Desk, /, name: str, **how: Any) -> None:
    """Take a plugin out of the database; say whether its data are kept, exported or purged."""
    wish, mode = _take_down(name, **how)
    _carry_out(desk, wish(_app_for(desk, mode)))


@command(operator=True, writes=True, params=[NAME], example="clientela plugin upgrade contacts")
@click.pass_obj
def upgrade(desk: Desk, name: str) -> None:
    """Bring a plugin's tables to what its installed version needs."""
    _carry_out(desk, _bring_up("upgrade", name)(desk.app))
