"""`clientela doctor`: is all well, and if not, what to do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib.metadata import requires, version
from typing import Literal

import click
from packaging.requirements import Requirement
from sqlalchemy import func, select, text

from clientela.access.entities import EVERYTHING, Role, User
from clientela.cli.commands.translations import lacking
from clientela.cli.desk import Desk
from clientela.cli.errors import as_refusal
from clientela.cli.groups import command
from clientela.cli.output import emit_rows
from clientela.errors import Refusal
from clientela.filters import bind, parse
from clientela.health import Check, are_checks
from clientela.i18n.texts import _
from clientela.outbox import DELIVERY
from clientela.plugins.costs import slow_hooks
from clientela.plugins.discovery import found, version_of
from clientela.storage import migrations

State = Literal["ok", "warn", "fail"]
# State, sentence, and a fix where there is one.
Findings = Iterator[tuple[State, str] | tuple[State, str, str]]
Section = Callable[[Desk], Findings | Iterator[Check]]

NOBODY = "0" * 26
LATE = timedelta(minutes=5)
LITTLE_SPACE, TOO_LITTLE_SPACE = 1_000_000_000, 200_000_000


@command(operator=True)
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Check the deployment, with a fix for each finding; exit code 1 when something fails."""
    desk: Desk = ctx.obj
    checks = [c for name, section in SECTIONS.items() for c in carried_out(desk, name, section)]
    rows = [
        {"section": c.section, "state": c.state, "finding": desk.text(c.sentence), "fix": desk.text(c.fix)}
        for c in checks
    ]  # fmt: skip
    emit_rows(desk, rows, ["section", "state", "finding", "fix"])
    if any(check.state == "fail" for check in checks):
        ctx.exit(1)


def carried_out(desk: Desk, name: str, section: Section) -> list[Check]:
    """Carry out a section; one that breaks is a finding, and the others go on."""
    try:
        found_out = [c if isinstance(c, Check) else Check(name, *c) for c in section(desk)]
    except Exception as error:  # noqa: BLE001 - a doctor that dies of the patient's disease is of no use
        refusal = as_refusal(error)
        return [Check(name, "fail", refusal.detail, str(refusal.extra.get("fix", "")))]
    return found_out


def check_python(_desk: Desk) -> Findings:
    """Look at the interpreter and at what the distributions need."""
    yield "ok", f"Python {sys.version.partition(' ')[0]}, clientela {version('clientela')}."
    for name in ("clientela", *(one.distribution for one in found() if one.distribution)):
        for requirement in map(Requirement, requires(name) or ()):
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
                continue
            there = version_of(requirement.name)
            if there is None or not requirement.specifier.contains(there, prereleases=True):
                yield (
                    "fail",
                    _("{name} needs {wanted}.", name=name, wanted=str(requirement)),
                    f'pip install "{requirement}"',
                )


def check_settings(desk: Desk) -> Findings:
    """Read the settings."""
    yield "ok", _("The settings of {name} are read.", name=desk.settings.name)


def check_database(desk: Desk) -> Findings:
    """Reach the database, look at its mode, and at how far it is migrated."""
    app = desk.app
    with app.db.read() as connection:
        connection.execute(text("SELECT 1"))
        yield "ok", _("{database} answers.", database=app.db.url.get_backend_name())
        if app.db.is_sqlite:
            mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
            keys = connection.exec_driver_sql("PRAGMA foreign_keys").scalar()
            well = mode in ("wal", "memory") and keys == 1
            yield (
                "ok" if well else "warn",
                _("Journal {mode}, foreign keys {keys}.", mode=mode, keys=keys),
            )
    for one in migrations.status(app):
        if one.state == "current":
            continue
        fix = {"pending": "clientela db migrate", "ahead": f"pip install -U {one.plugin}"}.get(
            one.state, ""
        )
        sentence = _("The tables of {plugin} are {state}.", plugin=one.plugin, state=one.state)
        yield "warn" if one.state == "absent" else "fail", sentence, fix


def check_plugins(desk: Desk) -> Findings:
    """Look at what plugins cost and where they failed."""
    app = desk.app
    yield "ok", _("Plugins: {names}.", names=", ".join(plugin.name for plugin in app.plugins))
    for fate in app.report.plugins.values():
        if not fate.is_well and fate.state != "disabled":
            yield "fail", f"{fate.name}: {fate.reason}", fate.fix
        elif fate.is_well and fate.reason:
            yield "warn", f"{fate.name}: {fate.reason}"
    if app.journal is not None:
        yield from (("warn", sentence) for _one, sentence in slow_hooks(app.journal))
    if app.guarding is not None:
        app.guarding.settle()
    yield from (("warn", note) for note in app.notes)


def check_outbox(desk: Desk) -> Findings:
    """Look for facts that nobody heard."""
    debts = DELIVERY.c
    with desk.app.db.read() as connection:
        count, oldest = connection.execute(
            select(func.count(), func.min(debts.due_at)).where(debts.dead.is_(False))
        ).one()
        dead = connection.execute(select(func.count()).where(debts.dead.is_(True))).scalar_one()
    late = oldest is not None and desk.app.clock() - oldest > LATE
    yield (
        "warn" if late else "ok",
        _("{count} deliveries wait.", count=count),
        "clientela serve" if late else "",
    )
    if dead:
        yield "fail", _("{count} deliveries were given up.", count=dead), _("look into the log")


def check_translations(desk: Desk) -> Findings:
    """Count the messages that the deployment's language lacks."""
    language = desk.app.settings.language
    for package, problems in lacking(desk.app, language).items():
        sentence = _(
            "{package} lacks {count} messages in {language}.",
            package=package,
            count=len(problems),
            language=language,
        )
        yield "warn" if problems else "ok", sentence, "clientela i18n check" if problems else ""


def check_roles(desk: Desk) -> Findings:
    """Read every scope of every role, and look for somebody who may do everything."""
    roles, users = Role.info.table, User.info.table
    with desk.app.db.read() as connection:
        rows = connection.execute(select(roles).where(roles.c.deleted_at.is_(None))).all()
        people = select(users.c.roles).where(users.c.deleted_at.is_(None), users.c.active.is_(True))
        held = {name for names in connection.execute(people).scalars() for name in names or ()}
    yield "ok", _("{count} roles are read.", count=len(rows))
    for row in rows:
        for entity, rule in (row.scopes or {}).items():
            yield from _unreadable(desk, row.name, entity, rule)
    if not held & {row.name for row in rows if EVERYTHING in row.permissions}:
        yield (
            "warn",
            _("Nobody may do everything."),
            "clientela user add EMAIL --role administrator",
        )


def _unreadable(desk: Desk, role: str, entity: str, rule: str) -> Findings:
    try:
        node, now = parse(rule), desk.app.clock()
        if node is not None:
            bind(node, desk.app.registry.entity(entity), now=now, today=now.date(), me=NOBODY)
    except Refusal as wrong:
        sentence = _(
            "The scope of {role} for {entity} cannot be read, so it shows nothing: ",
            role=role,
            entity=entity,
        )
        yield "fail", sentence + wrong.detail, "clientela core role update ID --scopes …"


def check_disk(desk: Desk) -> Findings:
    """Look for free space where the deployment lies."""
    free = shutil.disk_usage(desk.folder).free
    state: State = "fail" if free < TOO_LITTLE_SPACE else "warn" if free < LITTLE_SPACE else "ok"
    yield state, _("{size} GB are free.", size=f"{free / 1e9:.1f}")


def check_files(desk: Desk) -> Findings:
    """Reach the store of files, and write something into it that is thrown away."""
    staged = desk.app.files.stage()
    try:
        staged.write(b"doctor")
        desk.app.files.size("0" * 64)
    finally:
        staged.discard()
    yield "ok", _("Files are kept in {place}.", place=desk.app.files.where)


def check_by_plugins(desk: Desk) -> Iterator[Check]:
    """Ask the plugins for their own checks."""
    for _plugin, checks in desk.app.hooks.ask_sound("health_checks", are_checks, app=desk.app):
        yield from checks


SECTIONS: dict[str, Section] = {
    "python": check_python,
    "settings": check_settings,
    "database": check_database,
    "plugins": check_plugins,
    "outbox": check_outbox,
    "translations": check_translations,
    "roles": check_roles,
    "disk": check_disk,
    "files": check_files,
    "health": check_by_plugins,
}
