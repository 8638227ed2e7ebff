"""`clientela plugin`: what is installed and how it fares, read without importing any of it.

These commands mend a deployment, so they go on while a plugin is broken, the database is away, or another part of
`clientela.toml` cannot be read.
"""

from __future__ import annotations

from typing import Any

import click

from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, group
from clientela.cli.output import emit_record, emit_rows
from clientela.errors import Misconfigured, NotFound
from clientela.i18n import _
from clientela.plugins import policies
from clientela.plugins.costs import slow_hooks
from clientela.plugins.fates import SLOW_IMPORT_SECONDS, Fate
from clientela.plugins.standing import Standing

# Open, because `new` and `check` are the sdk's.
plugin = group("plugin", "The installed plugins.", example="clientela plugin list", open=True)
plugin.lazy = {
    name: f"clientela.cli.commands.life:{name}" for name in ("plan", "apply", "remove", "upgrade")
}

NAME = argument("name", "The plugin's name.")


@command(plugin, name="list")
@click.pass_obj
def list_(desk: Desk) -> None:
    """List the plugins and their states; no plugin is imported, so a broken one is listed too."""
    standing = standing_of(desk)
    rows = [_row(standing, fate) for fate in standing.fates.values()]
    if not rows:
        desk.say(_("No plugin is installed; the core alone is there."))
    emit_rows(desk, rows, ["name", "version", "state", "needs", "summary", "reason"])


def _row(standing: Standing, fate: Fate) -> dict[str, Any]:
    found = standing.found.get(fate.name)
    described = found.as_dict() if found else {"name": fate.name}
    return described | {"needs": fate.needs, "state": fate.state, "reason": fate.reason}


@command(plugin, params=[NAME], example="clientela plugin info contacts")
@click.pass_obj
def info(desk: Desk, name: str) -> None:
    """Show what is known of a plugin: its package, its state, its entities and the tables it owns."""
    standing = standing_of(desk)
    noted, _guards, problem = in_database(desk)
    fate = _known(standing, name, noted)
    owned = noted.get(name, {})
    made = _row(standing, fate) | {
        "required": fate.required,
        "source": fate.source,
        "entities": fate.entities,
        "hooks": fate.hooks,
        "needed_by": standing.needed_by(name),
        "ledger": owned,
        "fix": fate.fix,
    }
    if problem:
        desk.say(_("The ledger could not be read: {reason}", reason=problem))
    emit_record(desk, made)


@command(plugin, params=[NAME], example="clientela plugin why contacts")
@click.pass_obj
def why(desk: Desk, name: str) -> None:
    """Say why a plugin is in its state, what it needs and who needs it."""
    standing = standing_of(desk)
    noted, guards, _problem = in_database(desk)
    fate = _known(standing, name, noted)
    made = {
        "name": name,
        "state": fate.state,
        "reason": fate.reason,
        "fix": fate.fix,
        "needs": {need: _state(standing, need) for need in fate.needs},
        "needed_by": {other: _state(standing, other) for other in standing.needed_by(name)},
        "guards": guards.get(name, {}).get("guards", []),
    }
    emit_record(desk, made)


def _state(standing: Standing, name: str) -> str:
    return standing.fates[name].state if name in standing.fates else "not installed"


@command(plugin, params=[NAME], operator=True, example="clientela plugin disable contacts")
@click.pass_obj
def disable(desk: Desk, name: str) -> None:
    """Leave a plugin out at the next start; its data stay, and so does what else stands in clientela.toml."""
    standing = standing_of(desk)
    fate = _known(standing, name, in_database(desk)[0])
    if not policies.disable(deployment(desk), name):
        desk.say(_("{plugin} is disabled already.", plugin=name))
        return
    standing.forget()
    desk.say(
        _("{plugin} is left out from the next start on; restart what is serving.", plugin=name)
    )
    if fate.required:
        desk.say(_("{plugin} was required; that is set aside while it is disabled.", plugin=name))
    others = [one for one in standing.needed_by(name) if standing.fates[one].is_well]
    if others:
        desk.say(_("With it go those that need it: {plugins}.", plugins=", ".join(others)))
    watched = in_database(desk)[1].get(name, {}).get("guards", [])
    if watched:
        desk.say(
            _(
                "What it guards is closed until it is back or removed: {watched}.",
                watched=", ".join(watched),
            )
        )


@command(plugin, params=[NAME], operator=True, example="clientela plugin enable contacts")
@click.pass_obj
def enable(desk: Desk, name: str) -> None:
    """Let a plugin take part again: take it out of `disabled`, and lift its quarantine."""
    standing = standing_of(desk)
    _known(standing, name, in_database(desk)[0])
    was_disabled = policies.enable(deployment(desk), name)
    was_barred = standing.journal.lift(name)
    if not (was_disabled or was_barred):
        desk.say(_("{plugin} is enabled already.", plugin=name))
        return
    standing.forget()
    desk.say(_("{plugin} takes part from the next start on; restart what is serving.", plugin=name))


@command(plugin)
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Say what is wrong with plugins, and how to mend it; exit code 1 when something is."""
    desk: Desk = ctx.obj
    standing = standing_of(desk)
    rows = [row for fate in standing.fates.values() for row in _findings(fate)]
    rows += (
        _finding(one["plugin"], "warn", sentence) for one, sentence in slow_hooks(standing.journal)
    )
    _noted, guards, problem = in_database(desk)
    for name, note in guards.items():
        if name not in standing.fates or not standing.fates[name].is_well:
            rows.append(_closed(name, note))
    if problem:
        rows.append(_finding("core", "warn", problem))
    if standing.wishes.problem:
        rows.append(_finding("core", "fail", standing.wishes.problem, f"mend {policies.FILE}"))
    shown = [row | {k: desk.text(row[k]) for k in ("finding", "fix")} for row in rows]
    emit_rows(desk, shown, ["plugin", "state", "finding", "fix"])
    if any(row["state"] == "fail" for row in rows):
        ctx.exit(1)


def _findings(fate: Fate) -> list[dict[str, str]]:
    mild = fate.is_well or fate.state == "disabled"
    sentence = fate.reason if not mild or fate.reason else _("All is well.")
    told = [_finding(fate.name, "ok" if mild else "fail", f"{fate.state}: {sentence}", fate.fix)]
    if fate.is_well and fate.reason:
        told[0]["state"] = "warn"
    if fate.seconds > SLOW_IMPORT_SECONDS:
        slow = _("Its import took {seconds} s.", seconds=f"{fate.seconds:.1f}")
        told.append(_finding(fate.name, "warn", slow))
    return told


def _closed(name: str, note: dict[str, Any]) -> dict[str, str]:
    sentence = _(
        "It guards {watched} and is not there, so that is closed.",
        watched=", ".join(note["guards"]),
    )
    fix = f"clientela plugin enable {name}    # or: clientela plugin remove {name}"
    return _finding(name, "fail", sentence, fix)


def _finding(name: str, state: str, sentence: str, fix: str = "") -> dict[str, str]:
    return {"plugin": name, "state": state, "finding": sentence, "fix": fix}


# the deployment -------------------------------------------------------------------------------------------------------


def standing_of(desk: Desk) -> Standing:
    """Look at the folder; say what could not be read of its file, and go on with the rest."""
    standing = Standing(desk.folder)
    if standing.wishes.problem:
        reason = standing.wishes.problem
        desk.say(
            _("{path} cannot be read: {reason}.", path=desk.folder / policies.FILE, reason=reason)
        )
    return standing


def deployment(desk: Desk) -> Any:
    """Give the folder, if there is a deployment in it."""
    if not (desk.folder / policies.FILE).is_file():
        raise Misconfigured(
            _(
                "There is no deployment in {folder}: it has no {file}.",
                folder=desk.folder.absolute(),
                file=policies.FILE,
            )
        )
    return desk.folder


def _known(standing: Standing, name: str, noted: dict[str, Any]) -> Fate:
    """Find a plugin that is installed, wanted, or has left tables behind."""
    if name in standing.fates:
        return standing.fates[name]
    if name in noted:
        fate = Fate(name)
        fate.fall(
            "orphaned",
            _("Its package is gone, and its tables are there."),
            f"pip install clientela-{name}    # or: clientela plugin remove {name}",
        )
        return fate
    raise NotFound(_("There is no plugin {plugin}.", plugin=repr(name[:60])) + standing.hint(name))


def in_database(desk: Desk) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Read the ledger and the notes of guards, or say why that is not possible just now."""
    if not (desk.folder / policies.FILE).is_file():
        return {}, {}, ""
    try:
        from clientela.plugins.guarding import read_notes  # noqa: PLC0415 - `list` must not import SQLAlchemy

        return *read_notes(desk.settings), ""
    except Exception as away:  # noqa: BLE001 - whatever it is, the files can be read
        from clientela.cli.errors import as_refusal  # noqa: PLC0415 - only now

        return {}, {}, as_refusal(away).detail
