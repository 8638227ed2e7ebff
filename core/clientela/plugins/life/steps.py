"""What happens to one plugin, inside its transaction."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from clientela import ids
from clientela.access.principal import system
from clientela.context import Context
from clientela.errors import Conflict
from clientela.history import ChangeSet
from clientela.i18n.texts import _
from clientela.plugins.guarding import forget_guard
from clientela.plugins.life import zipped
from clientela.plugins.life.plans import Plan, Step
from clientela.plugins.life.traces import traces
from clientela.storage import meta
from clientela.storage.migrations import owned
from clientela.storage.migrations.fence import fingerprint
from clientela.storage.migrations.runner import upgrade_within
from clientela.storage.migrations.scripts import owner_of
from clientela.storage.migrations.state import LEDGER, read_ledger, read_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clientela.app import App
    from clientela.plugins.card import Plugin


def perform(app: App, plan: Plan, step: Step, connection: Connection) -> list[str]:
    """Do a step and tell what was done."""
    if step.does in {"migrate", "attach"}:
        return _bring_up(app, plan, step, connection)
    if step.does == "keep":
        return _keep(app, step.plugin, connection)
    told = _export(app, plan, connection) if step.does == "export" else []
    return told + _purge(app, step.plugin, connection)


# up -------------------------------------------------------------------------------------------------------------------


def _bring_up(app: App, plan: Plan, step: Step, connection: Connection) -> list[str]:
    card = next(one for one in app.plugins if one.name == step.plugin)
    _check_kept(card, connection, _names(app, connection))
    if step.does == "attach":
        owned.note(app, card, connection)
        return [_("{plugin}: attached to its tables.", plugin=card.name)]
    told = upgrade_within(app, card, connection)
    if plan.file and step.plugin == plan.plugin:
        told += _import(app, plan, card, connection)
    return told


def _check_kept(card: Plugin, connection: Connection, names: set[str]) -> None:
    """Refuse tables that somebody has changed while the plugin was away."""
    noted = read_ledger(connection).get(card.name, {})
    if noted.get("state") != "kept":
        return
    if noted["fingerprint"] != owned.fingerprint_of(connection, card.name, names):
        raise Conflict(
            _(
                "The tables of {plugin} are not what they were when they were kept; nothing was changed.",
                plugin=card.name,
            )
        )


def _import(app: App, plan: Plan, card: Plugin, connection: Connection) -> list[str]:
    with acting(app, connection, "core.plugin.add") as ctx:
        counts = zipped.read(ctx, card, Path(plan.file))
    return [
        _(
            "{plugin}: read {count} records from {file}.",
            plugin=card.name,
            count=sum(counts.values()),
            file=plan.file,
        )
    ]


# down -----------------------------------------------------------------------------------------------------------------


def _keep(app: App, plugin: str, connection: Connection) -> list[str]:
    """Note that the plugin is away, and what its tables are now: indexes may have been made since it was migrated.

    What it guarded opens: it goes on purpose. A purge forgets its guard with all else that the deployment remembers.
    """
    forget_guard(connection, plugin)
    noted = {"needs": []} | read_ledger(connection).get(plugin, {})
    schema = owned.fingerprint_of(connection, plugin, _names(app, connection))
    meta.remember(connection, LEDGER + plugin, noted | {"state": "kept", "fingerprint": schema})
    return [_("{plugin}: kept; its tables stay as they are.", plugin=plugin)]


def _export(app: App, plan: Plan, connection: Connection) -> list[str]:
    card = next(one for one in app.plugins if one.name == plan.plugin)
    _hold(connection, card.name, _names(app, connection))
    with acting(app, connection, "core.plugin.remove") as ctx:
        counts = zipped.write(ctx, card, Path(plan.file))
    return [
        _(
            "{plugin}: wrote {count} records to {file}.",
            plugin=card.name,
            count=sum(counts.values()),
            file=plan.file,
        )
    ]


def _hold(connection: Connection, plugin: str, names: set[str]) -> None:
    """Let nobody write to the tables between the reading and the dropping; on SQLite nobody can."""
    if connection.dialect.name == "sqlite":
        return
    quote = connection.dialect.identifier_preparer.quote
    tables = [
        one.name for one in owned.objects_of(connection, plugin, names) if one.kind == "table"
    ]
    statement = " ".join(["LOCK TABLE", ", ".join(map(quote, tables)), "IN ACCESS EXCLUSIVE MODE"])
    connection.exec_driver_sql(statement)


def _purge(app: App, plugin: str, connection: Connection) -> list[str]:
    """Drop what the plugin owns and what the core keeps of it; the schema of all others stays the same."""
    names = _names(app, connection)
    package = str(read_ledger(connection).get(plugin, {}).get("package", f"clientela_{plugin}"))
    others = _others(connection, plugin, names)
    objects = owned.objects_of(connection, plugin, names)
    for statement in owned.removal_of(objects):
        connection.exec_driver_sql(statement)
    with acting(app, connection, "core.plugin.remove") as ctx:
        for trace in traces():
            trace.purge(ctx, plugin, package)
    if _others(connection, plugin, names) != others:
        raise Conflict(
            _(
                "Removing {plugin} would change what is not its own; nothing was changed.",
                plugin=plugin,
            )
        )
    count = len([one for one in objects if one.kind == "table"])
    return [_("{plugin}: removed, with {count} tables.", plugin=plugin, count=count)]


def _others(connection: Connection, plugin: str, names: set[str]) -> dict[str, list[str]]:
    schema = fingerprint(connection)
    return {table: lines for table, lines in schema.items() if owner_of(table, names) != plugin}


def _names(app: App, connection: Connection) -> set[str]:
    return {one.name for one in app.plugins} | read_versions(connection).keys()


@contextmanager
def acting(app: App, connection: Connection, action: str) -> Iterator[Context]:
    """Give a context inside the step's transaction; what it changes of roles is in the history under the action."""
    ctx = Context(app, system("cli"), connection, face="cli", writing=True)
    ctx.changes = ChangeSet(ids.new_key(), action)
    try:
        yield ctx
        ctx.finish()
    finally:
        if "session" in ctx.__dict__:
            ctx.session.close()
