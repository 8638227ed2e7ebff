"""`clientela db`: how far the database is migrated, and moving it."""

from __future__ import annotations

import time
from dataclasses import asdict

import click

from clientela.cli.commands.start import progress_bar
from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, group, option
from clientela.cli.output import emit_record, emit_rows
from clientela.i18n import _
from clientela.search.rebuilding import rebuild
from clientela.storage import migrations

db = group("db", "The database.", example="clientela db status\nclientela db migrate")


@command(db, operator=True)
@click.pass_obj
def status(desk: Desk) -> None:
    """Say for each plugin how far its tables are migrated."""
    rows = [asdict(one) for one in migrations.status(desk.app)]
    emit_rows(desk, rows, ["plugin", "state", "current", "head"])


@command(db, operator=True)
@click.pass_obj
def migrate(desk: Desk) -> None:
    """Bring the tables of every plugin to what the installed code needs."""
    applied = migrations.upgrade(desk.app)
    emit_rows(desk, [{"applied": one} for one in applied], ["applied"])
    if not applied:
        desk.say(_("Nothing was to be done."))


@command(db, operator=True,
    params=[
        argument("plugin", "Whose tables."),
        option("to --to", "Base takes all tables away.", default="base", show_default=True, metavar="REVISION"),
    ],
    example="clientela db revert contacts --to 0001",
)  # fmt: skip
@click.pass_obj
def revert(desk: Desk, plugin: str, to: str) -> None:
    """Take a plugin's tables back to an earlier revision; what they hold beyond it is lost."""
    desk.confirm(
        desk.text(
            "The tables of {plugin} go back to {to}; what they hold beyond it is lost.",
            plugin=plugin,
            to=to,
        )
    )
    undone = migrations.downgrade(desk.app, plugin, to)
    emit_rows(desk, [{"undone": one} for one in undone], ["undone"])


@command(db, operator=True,
    params=[option("--anew", "From the start, even if one was broken off.", is_flag=True)],
)  # fmt: skip
@click.pass_obj
def reindex(desk: Desk, *, anew: bool) -> None:
    """Make the words of all records anew; the deployment may go on serving, and what was broken off goes on."""
    began, made = time.monotonic(), 0
    with progress_bar(desk, 0) as advance:

        def told(_entity: str, number: int) -> None:
            nonlocal made
            made += number
            if advance is not None:
                advance(made)

        rebuild(desk.app, anew=anew, progress=told)
    seconds = max(time.monotonic() - began, 0.001)
    emit_record(
        desk, {"records": made, "seconds": round(seconds, 2), "per_second": round(made / seconds)}
    )
