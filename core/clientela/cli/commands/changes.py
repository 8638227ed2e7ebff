"""`clientela change`: what was changed, by whom, and taking it back."""

from __future__ import annotations

from typing import Any

import click

from clientela import changes
from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, group, option
from clientela.cli.output import emit_record, emit_rows
from clientela.i18n import _

change = group(
    "change",
    "The change log: what was changed, by whom, and taking it back.",
    example="clientela change undo $(clientela change list --limit 1 -o id)",
)

COLUMNS = ("id", "at", "actor", "face", "action", "rows", "reason")
KEY = "The id of a change set."


@command(
    change, name="list",
    params=[
        option("--actor", "Who: usr_…, tok_…, system.", default="", metavar="ID"),
        option("--action", "Which action: core.customer.update.", default="", metavar="NAME"),
        option("--face", "Through which face: rest, cli, import.", default="", metavar="FACE"),
        option("--entity", "Of which entity: core.customer.", default="", metavar="ENTITY"),
        option("--record", "Of which record.", default="", metavar="ID"),
        option("--after", "Go on after this one.", default="", metavar="ID"),
        option("--limit", "At most so many, up to 200.", type=click.IntRange(1, 200), default=50),
    ],
)  # fmt: skip
@click.pass_obj
def list_(desk: Desk, /, **narrowed: Any) -> None:
    """List the change sets, the newest first."""
    rows = desk.do(lambda ctx: changes.list_sets(ctx, changes.Wanted(**narrowed)))
    emit_rows(desk, rows, COLUMNS)


@command(change, params=[argument("key", KEY, metavar="ID")])
@click.pass_obj
def show(desk: Desk, key: str) -> None:
    """Show a change set with the values that were there before."""
    emit_record(desk, desk.do(lambda ctx: changes.show_set(ctx, key)))


@command(change, writes=True, params=[argument("key", KEY, metavar="ID")])
@click.pass_obj
def undo(desk: Desk, key: str) -> None:
    """Take a change set back; what others changed since is listed, and then nothing is touched."""
    _act(
        desk, key, changes.undo, _("Undone. To have it again: clientela change redo {key}", key=key)
    )


@command(change, writes=True, params=[argument("key", KEY, metavar="ID")])
@click.pass_obj
def redo(desk: Desk, key: str) -> None:
    """Make a change set that was undone happen again."""
    _act(
        desk,
        key,
        changes.redo,
        _("Done again. To take it back: clientela change undo {key}", key=key),
    )


def _act(desk: Desk, key: str, act: Any, said: str) -> None:
    result = desk.do(lambda ctx: act(ctx, key), writing=True)
    emit_record(desk, result)
    desk.say(_("A dry run: nothing was changed.") if desk.dry_run else said)
