"""`update --filter`: change all records that a filter finds, after a look at what would become of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import click

from clientela.bulk.editing import Edit, look, preview, result, run
from clientela.cli.desk import FACE, Desk
from clientela.cli.errors import SOME_FAILED
from clientela.cli.groups import option
from clientela.cli.output import Row, emit_record, emit_rows
from clientela.cli.progress import progress_line
from clientela.entity import EntityInfo
from clientela.errors import BadSyntax
from clientela.filters import parse
from clientela.i18n import _

COUNTS = ("matched", "would_change", "changed", "unchanged", "failed")
# So many of the records that fail for a reason are named.
NAMED = 5


def edit_by_filter(
    desk: Desk, info: EntityInfo, text: str, values: dict[str, Any], *, skip: bool
) -> None:
    """Look, ask, and do it; some records that failed are told by the exit code."""
    found = parse(text)
    if found is None:
        raise BadSyntax(_("Say which records are to be changed by a filter; rev >= 1 finds all."))
    edit = Edit(info, found, values, skip_bad_rows=skip)
    with progress_line(desk) as line:
        told = desk.do(lambda ctx: preview(ctx, edit, look(ctx, edit, line)))
    held_back = bool(told["failed"]) and not skip
    if desk.dry_run or held_back or not told["would_change"]:
        _emit(desk, told)
        desk.say(
            _("A dry run: nothing was changed.") if desk.dry_run else _("Nothing was changed.")
        )
    else:
        told = _run(desk, edit, told)
    if held_back:
        desk.say(_("To change the others all the same: --skip-bad-rows"))
    if told["failed"]:
        click.get_current_context().exit(SOME_FAILED)


def _run(desk: Desk, edit: Edit, told: Row) -> Row:
    desk.confirm(desk.text("{count} records are changed.", count=told["would_change"]))
    how = {"face": FACE, "language": desk.lang, "reason": desk.reason}
    with progress_line(desk) as line:
        found = run(desk.app, desk.principal, edit, told["token"], how=how, progress=line)
    done = result(found, desk.text)
    _emit(desk, done)
    if done["set_id"]:
        desk.say(_("To take it back: clientela change undo {key}", key=done["set_id"]))
    return done


def _emit(desk: Desk, told: Row) -> None:
    """Print the counts; for people also what would change, and a line for each reason why records fail."""
    if desk.format in ("json", "jsonl"):
        emit_record(desk, told)
        return
    emit_rows(desk, [told], [name for name in COUNTS if name in told])
    if told.get("changes") and desk.format == "table":
        click.echo("")
        rows = [{"id": one["id"]} | line for one in told["changes"] for line in one["fields"]]
        emit_rows(desk, rows, ["id", "field", "before", "after"])
    for group in told["groups"]:
        ids = ", ".join(group["ids"][:NAMED]) + (", …" if group["count"] > NAMED else "")
        place = f"{group['field']}: " if group["field"] else ""
        click.echo(f"{group['count']} × {place}{group['sentence']} ({ids})", err=True)


def filter_options(names: Collection[str]) -> list[click.Parameter]:
    """Give the options by which records are named by a filter; a field of that name goes before `--filter`."""
    flag = "--where" if "filter" in names else "--filter"
    return [
        option(f"filter__ {flag}", "All records that this finds, instead of ids.", metavar="TEXT"),
        option("--skip-bad-rows", "Change the good ones although there are bad ones.", is_flag=True),
    ]  # fmt: skip
