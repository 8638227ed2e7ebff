"""Making a plan: looking at the database, the ledger and the packages, and writing nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from clientela.errors import Conflict, NotFound, did_you_mean
from clientela.i18n.texts import _
from clientela.plugins.discovery import found
from clientela.plugins.life import snapshots, zipped
from clientela.plugins.life.looking import World, rows_of, rows_touched
from clientela.plugins.life.plans import Mode, Plan, Reference, Revision, Step
from clientela.plugins.life.traces import counted, traces
from clientela.plugins.life.versions import unmet
from clientela.storage.migrations.owned import objects_of, removal_of
from clientela.storage.migrations.rehearsal import rehearse
from clientela.storage.migrations.runner import with_needs
from clientela.storage.migrations.scripts import line_of

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.plugins.card import Plugin

REMOVED, KEPT, ACTIVE = "not in the database", "kept", "active"


def plan_again(app: App, plan: Plan) -> Plan:
    """Make the plan that the same wish gives now."""
    if plan.verb == "remove":
        return plan_remove(app, plan.plugin, plan.mode, plan.file)
    make = plan_add if plan.verb == "add" else plan_upgrade
    return make(app, plan.plugin, plan.file)


# adding and upgrading -------------------------------------------------------------------------------------------------


def plan_add(app: App, plugin: str, file: str = "") -> Plan:
    """Plan to give a plugin and those it needs their tables, and the records of an archive if one is named."""
    plan, world = _bring_up(app, Plan("add", plugin, file=file))
    if not file:
        return plan
    problem = zipped.problem_with(app, Path(file), plugin, is_new=plugin not in world.versions)
    # A changed archive is another plan.
    stamp = world.fingerprint(extra=zipped.stamp(Path(file)))
    return replace(plan, blockers=[*plan.blockers, *([problem] if problem else [])], world=stamp)


def plan_upgrade(app: App, plugin: str, file: str = "") -> Plan:
    """Plan to bring a plugin and those it needs to what their packages bring."""
    del file
    plan, world = _bring_up(app, Plan("upgrade", plugin))
    if plugin in world.versions or plan.blockers:
        return plan
    sentence = _("{plugin} is not in the database; add it first.", plugin=plugin)
    return replace(plan, steps=[], blockers=[sentence])


def _bring_up(app: App, plan: Plan) -> tuple[Plan, World]:
    cards = with_needs(app, plan.plugin)
    with app.db.read() as connection:
        world = World.of(app, connection)
        steps = [step for card in cards if (step := _step_up(card, world, connection))]
        blockers = [one for card in cards for one in _unfit(card, world)]
        references = [
            Reference("foreign key", f"{key.table} → {key.parent}", 0, _("appears or stays"))
            for step in steps
            for key in world.keys
            if key.parent_owner == step.plugin and key.owner != step.plugin
        ]
        policy = snapshots.policy_of(app) if steps and world.versions else snapshots.NOTHING
    remarks: list[str] = (
        [] if steps else [_("Nothing is to be done: {plugin} is up to date.", plugin=plan.plugin)]
    )
    made = replace(
        plan, steps=steps, blockers=blockers, references=references, snapshot=policy, remarks=remarks,
        world=world.fingerprint(),
    )  # fmt: skip
    return made, world


def _step_up(card: Plugin, world: World, connection: Connection) -> Step | None:
    line, now = line_of(card), world.versions.get(card.name)
    if line is None or (now is not None and not line.knows(now)):
        return None
    kept = world.state(card.name) == KEPT
    before = f"{KEPT if kept else ACTIVE} ({now})" if now else REMOVED
    after = f"{ACTIVE} ({line.head})"
    if now == line.head:
        return (
            Step(card.name, "attach", before, after, rows=world.own_rows(connection, card.name))
            if kept
            else None
        )
    revisions = [
        Revision(
            one.revision, one.about, one.sql, rows_touched(connection, one.sql), one.reversible, one.loses, one.remark
        )
        for one in rehearse(card, line, connection, now)
    ]  # fmt: skip
    return Step(card.name, "migrate", before, after, revisions)


def _unfit(card: Plugin, world: World) -> list[str]:
    """Say why the installed package must not touch the database."""
    package = next((one for one in found() if one.name == card.name), None)
    problems = unmet(package.distribution) if package else []
    line, now = line_of(card), world.versions.get(card.name)
    if line is None and card.migrations:
        problems.append(_("{plugin} brings no revisions.", plugin=card.name))
    if line is None or now is None or line.knows(now):
        return problems
    seen = str(world.ledger.get(card.name, {}).get("version", ""))
    there = package.version if package else ""
    return [
        *problems,
        _(
            "The tables of {plugin} are at revision {revision}, which the installed package ({there}) does not know; "
            "it is older than the one that made them ({seen}), and going back would lose what they hold beyond "
            "{head}. Install the newer package; with it, `clientela db revert {plugin} --to {head}` goes back.",
            plugin=card.name,
            revision=now,
            there=there or "?",
            seen=seen or "?",
            head=line.head,
        ),
    ]


# removing -------------------------------------------------------------------------------------------------------------


def plan_remove(app: App, plugin: str, mode: Mode, file: str = "", *, again: bool = False) -> Plan:
    """Plan to take a plugin out of the database: keep its tables, export its records first, or purge it all.

    `again` takes over the archive of an export that was broken off.
    """
    if mode not in {"keep", "export", "purge"}:
        raise Conflict(WHICH_VERB)
    with app.db.read() as connection:
        world = World.of(app, connection)
        if plugin not in world.versions or plugin == "core":
            raise _not_there(plugin, world)
        now = world.versions[plugin]
        first = world.dependents(plugin)
        if mode == "keep":
            first = [one for one in first if world.state(one) != KEPT]
        before = f"{world.state(plugin)} ({now})"
        steps = [
            Step(
                plugin, mode, before, f"{KEPT} ({now})" if mode == "keep" else REMOVED,
                sql=[] if mode == "keep" else removal_of(objects_of(connection, plugin, world.names)),
                rows=world.own_rows(connection, plugin),
            )
        ]  # fmt: skip
        return Plan(
            "remove", plugin, mode, file, steps,
            references=_references(connection, world, plugin, mode),
            blockers=[*_blockers(plugin, first), *_unexportable(app, plugin, mode, file, again=again)],
            first=first,
            snapshot=snapshots.NOTHING if mode == "keep" else snapshots.policy_of(app),
            remarks=_what_then(plugin),
            world=world.fingerprint(),
        )  # fmt: skip


WHICH_VERB = _(
    "Say what becomes of its data: --keep leaves its tables, and installing it again goes on with them; "
    "--export FILE writes its records into an archive that installing it again reads, and then removes them; "
    "--purge removes everything for good."
)


def _not_there(plugin: str, world: World) -> NotFound:
    others = world.versions.keys() - {"core"}
    if plugin == "core":
        return NotFound(_("The core is no plugin; it cannot be removed."))
    return NotFound(
        _("{plugin} has nothing in the database.", plugin=repr(plugin))
        + did_you_mean(plugin, others)
    )


def _blockers(plugin: str, first: list[str]) -> list[str]:
    if not first:
        return []
    return [
        _(
            "{plugin} is needed by {dependents}; remove them first, in this order.",
            plugin=plugin,
            dependents=", ".join(first),
        )
    ]


def _unexportable(app: App, plugin: str, mode: Mode, file: str, *, again: bool) -> list[str]:
    if mode != "export":
        return []
    problems: list[str] = []
    if plugin not in app.registry.plugins:
        problems.append(
            _(
                "Only {plugin} itself knows how its records are read, and its package is not there or not enabled; "
                "install it to export, or say --keep or --purge.",
                plugin=plugin,
            )
        )
    if Path(file).exists() and not again:
        problems.append(_("{file} is there already; name another.", file=file))
    return problems


def _what_then(plugin: str) -> list[str]:
    """Tell what is left to do outside the database."""
    package = next((one for one in found() if one.name == plugin), None)
    if package is None:
        return []
    return [
        _(
            "The package stays installed and is left out; `pip uninstall {distribution}` takes it away.",
            distribution=package.distribution,
        )
    ]


def _references(connection: Connection, world: World, plugin: str, mode: Mode) -> list[Reference]:
    package = str(world.ledger.get(plugin, {}).get("package", f"clientela_{plugin}"))
    stays, goes = _("stays"), _("is deleted")
    about = {one.name: one.about for one in traces()}
    keys = [
        Reference(
            "foreign key", f"{key.table} → {key.parent}", rows_of(connection, key.table),
            stays if mode == "keep" else goes if key.owner == plugin else _("blocks"),
        )
        for key in world.keys if plugin in {key.owner, key.parent_owner} and key.owner != key.parent_owner
    ]  # fmt: skip
    kept = [
        Reference(name, about[name], count, stays if mode == "keep" else _("is deleted or mended"))
        for name, count in counted(connection, plugin, package).items()
    ]
    return [*keys, *kept]
