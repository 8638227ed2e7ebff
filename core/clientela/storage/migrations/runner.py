"""Running revisions: one plugin, one transaction, one process at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NoReturn

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script
from sqlalchemy import Connection, MetaData, Table

from clientela.custom.indexes import put_back_indexes
from clientela.errors import Conflict, Misconfigured, NotFound, Refusal, Unavailable, did_you_mean
from clientela.i18n.texts import _
from clientela.storage.migrations import owned
from clientela.storage.migrations.fence import Fence
from clientela.storage.migrations.scripts import Line, line_of, version_table
from clientela.storage.migrations.state import kept, read_ledger, read_versions, status
from clientela.storage.migrations.transaction import schema_change

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.plugins.card import Plugin

# `alembic.op`, through which revisions speak, is one for the whole process.
op_lock = threading.Lock()

Steps = Callable[[Line, str | None], Iterable[Any]]


class MigrationFailed(Misconfigured):
    """A revision raised; its plugin's schema is what it was before."""

    code = "migration-failed"
    title = _("A revision failed and was rolled back")


def upgrade(app: App, plugin: str | None = None) -> list[str]:
    """Bring every plugin to its newest revision, or one plugin and those it needs; tell what was applied.

    A plugin that fails is left as it was, and so are those that need it; the others go on, and then the first failure
    is raised with what was applied as `extra["applied"]`.
    """
    told: list[str] = []
    failed: dict[str, Refusal] = {}
    waiting = {one.plugin for one in status(app) if one.state in {"pending", "ahead"}} | kept(app)
    for card in with_needs(app, plugin):
        if not waiting & {card.name}:
            continue
        missing = [need for need in _needs(card) if need in failed]
        if missing:
            failed[card.name] = Conflict(
                _(
                    "{plugin} needs {needed} and was not migrated.",
                    plugin=card.name,
                    needed=missing[0],
                )
            )
            continue
        try:
            told += _upgrade(app, card)
        except Unavailable:
            raise
        except Refusal as refusal:
            failed[card.name] = refusal
    if failed:
        first, *others = failed.values()
        for other in others:
            first.detail = _("{first} {second}", first=first.detail, second=other.detail)
        first.extra["applied"] = told
        raise first
    if told:
        put_back_indexes(app)
    return told


def _upgrade(app: App, card: Plugin) -> list[str]:
    if line_of(card) is None:
        return []
    with schema_change(app.db) as connection:
        return upgrade_within(app, card, connection)


def upgrade_within(app: App, card: Plugin, connection: Connection) -> list[str]:
    """Bring one plugin to its newest revision in a transaction that may change the schema; tell what was applied."""
    line = line_of(card)
    if line is None:
        raise NotFound(_("{plugin} brings no revisions.", plugin=card.name))
    return _run(app, card, line, connection, up)


def downgrade(app: App, plugin: str, to: str = "base") -> list[str]:
    """Take a plugin back to one of its revisions, or to `base`, where none of its tables is left; tell what was undone.

    To base is refused while plugins that need it are migrated.
    """
    card = _card(app, plugin)
    line = line_of(card)
    if line is None:
        raise NotFound(_("{plugin} brings no revisions.", plugin=plugin))
    if to != "base" and not line.knows(to):
        known = [one.revision for one in line.newest_first()]
        raise NotFound(
            _("{plugin} has no revision {revision}.", plugin=plugin, revision=repr(to))
            + did_you_mean(to, known)
        )
    with schema_change(app.db) as connection:
        if to == "base":
            _refuse_while_needed(app, card, connection)
        return _run(app, card, line, connection, lambda known, now: _down(known, now, to))


def up(line: Line, now: str | None) -> Iterable[Any]:
    """Give the steps from a revision to the newest."""
    return line.directory._upgrade_revs(line.head, now or "base")  # noqa: SLF001 - as Alembic's own commands do


def _down(line: Line, now: str | None, to: str) -> Iterable[Any]:
    return line.directory._downgrade_revs(to, now) if now else ()  # noqa: SLF001 - as Alembic's own commands do


def _run(app: App, card: Plugin, line: Line, connection: Connection, steps: Steps) -> list[str]:
    versions = read_versions(connection)
    now = versions.get(card.name)
    if now is not None and not line.knows(now):
        raise Misconfigured(
            _(
                "The tables of {plugin} are at revision {revision}, which the installed package does not know; "
                "install the newer package of {plugin}.",
                plugin=card.name,
                revision=now,
            )
        )
    fence = Fence(connection, card.name, {p.name for p in app.plugins} | versions.keys())
    told: list[str] = []

    def each(_heads: Any, _context: Any) -> Iterable[Any]:
        for step in steps(line, now):
            fence.revision = step.revision.revision
            yield step
            fence.check()

    def tell(*, step: Any, **_more: Any) -> None:
        script: Script = step.up_revision
        names = {"plugin": card.name, "revision": script.revision, "about": script.doc.rstrip(".")}
        told.append(
            _("{plugin}: applied {revision} ({about}).", **names)
            if step.is_upgrade
            else _("{plugin}: undone {revision} ({about}).", **names)
        )

    table = version_table(card.name)
    options = {
        "script": line.directory, "version_table": table, "fn": each, "on_version_apply": (tell,),
    }  # fmt: skip
    context = _OneTransaction(connection.dialect, connection, options)
    with op_lock, fence.watching(), Operations.context(context):
        try:
            context.run_migrations()
        except Refusal:
            raise
        except (Exception, SystemExit) as wrong:
            raise MigrationFailed(
                _(
                    "The revision {revision} of {plugin} failed, and nothing of it was kept: {reason}.",
                    revision=fence.revision,
                    plugin=card.name,
                    reason=_reason(wrong),
                )
            ) from wrong
    if context.get_current_revision() is None:
        Table(table, MetaData()).drop(connection, checkfirst=True)
    owned.note(app, card, connection)
    return told


class _OneTransaction(MigrationContext):
    """A context whose transaction belongs to the kernel."""

    def autocommit_block(self) -> NoReturn:
        """Refuse what would commit half of a migration."""
        raise Misconfigured(
            _("A plugin is migrated in one transaction; autocommit_block would end it half-way.")
        )


def _reason(wrong: BaseException) -> str:
    cause = getattr(wrong, "orig", None) or wrong
    return " ".join(f"{type(cause).__name__}: {cause}".split())[:500].rstrip(".")


def _refuse_while_needed(app: App, card: Plugin, connection: Connection) -> None:
    migrated = {name for name, revision in read_versions(connection).items() if revision}
    noted = {name: tuple(note["needs"]) for name, note in read_ledger(connection).items()}
    needs = noted | {p.name: tuple(p.needs) for p in app.plugins}
    dependents = sorted(
        name
        for name in migrated - {card.name}
        if card.name == "core" or card.name in needs.get(name, ())
    )
    if dependents:
        raise Conflict(
            _(
                "{plugin} is needed by {dependents}; take their tables away first.",
                plugin=card.name,
                dependents=", ".join(dependents),
            )
        )


def _needs(card: Plugin) -> tuple[str, ...]:
    return () if card.name == "core" else ("core", *card.needs)


def with_needs(app: App, plugin: str | None) -> list[Plugin]:
    """Give the plugins to migrate, in their order."""
    if plugin is None:
        return list(app.plugins)
    wanted: set[str] = set()
    asked = [_card(app, plugin)]
    while asked:
        card = asked.pop()
        wanted.add(card.name)
        asked += [_card(app, need) for need in _needs(card) if need not in wanted]
    return [card for card in app.plugins if card.name in wanted]


def _card(app: App, plugin: str) -> Plugin:
    cards = {card.name: card for card in app.plugins}
    if plugin not in cards:
        raise NotFound(
            _("There is no plugin {plugin}.", plugin=repr(plugin)) + did_you_mean(plugin, cards)
        )
    return cards[plugin]
