"""`clientela import` and `clientela export`: CSV in and out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from clientela.cli.desk import Desk
from clientela.cli.errors import Failed, Usage
from clientela.cli.files import files
from clientela.cli.groups import argument, command, group, option
from clientela.cli.look import entity_named
from clientela.cli.output import emit_record, emit_rows
from clientela.cli.reading import words
from clientela.cli.start import progress_bar
from clientela.context import Context
from clientela.exchange import ImportOptions, ImportReport, export_csv, import_csv
from clientela.filters import parse
from clientela.i18n import _
from clientela.query import Question

SOME_FAILED = 7

data = group(
    "data", "CSV in and out, and the bytes of files.", example="clientela import customer people.csv --dry-run",
)  # fmt: skip
data.add_command(files)


@command(
    data, name="import", writes=True,
    params=[
        argument("entity", "What the rows are: core.customer."),
        argument("file", "A CSV file.", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        option("mapped --map", "Which field a column fills.", multiple=True, metavar="COLUMN=FIELD"),
        option("constants --set", "The same value for every row.", multiple=True, metavar="FIELD=VALUE"),
        option("--mode", "Create all, or change those with the same key.", type=click.Choice(["create", "upsert"])),
        option("--key", "The fields that tell rows apart.", default="", metavar="FIELDS"),
        option("--encoding", "Guessed when left out."),
        option("--delimiter", "Guessed when left out."),
        option("--skip-bad-rows", "Take the good rows of a batch with bad ones.", is_flag=True),
    ],
    example="clientela import customer people.csv --map 'Mail=email' --key email --dry-run",
)  # fmt: skip
@click.pass_context
def import_(ctx: click.Context, /, entity: str, file: Path, mode: str | None, **how: Any) -> None:
    """Import a CSV file. First look with --dry-run: every row is read, checked and counted, and nothing is written."""
    desk: Desk = ctx.obj
    info, options = entity_named(desk, entity), options_of(mode, file, how)
    if not desk.dry_run:
        desk.confirm(desk.text("The rows of {file} are written.", file=file.name))
    with progress_bar(desk, 0) as advance:
        report = import_csv(
            desk.app,
            desk.principal,
            info,
            file,
            options=options,
            dry_run=desk.dry_run,
            progress=advance,
        )
    emit_report(desk, report)
    if not report.is_clean:
        ctx.exit(SOME_FAILED)


def options_of(mode: str | None, file: Path, how: dict[str, Any]) -> ImportOptions:
    """Read the options of an import."""
    key = words(how["key"])
    if mode == "upsert" and not key:
        raise Usage(_("--mode upsert needs --key: the fields that tell rows apart."))
    if mode == "create" and key:
        raise Usage(_("--key changes rows that are there; leave it out, or say --mode upsert."))
    return ImportOptions(
        mapping=pairs(how["mapped"], "--map COLUMN=FIELD"), constants=pairs(how["constants"], "--set FIELD=VALUE"),
        key=key, skip_bad_rows=how["skip_bad_rows"], encoding=how["encoding"], delimiter=how["delimiter"],
        file=file.name,
    )  # fmt: skip


def pairs(given: tuple[str, ...], shape: str) -> dict[str, str]:
    """Read `A=B`; a column may hold an equals sign, a field may not."""
    made = {}
    for one in given:
        left, equals, right = one.rpartition("=") if "COLUMN" in shape else one.partition("=")
        if not equals or not left:
            raise Usage(_("{text} is not written {shape}.", text=repr(one[:60]), shape=shape))
        made[left] = right
    return made


def emit_report(desk: Desk, report: ImportReport) -> None:
    """Print what became of the rows, and what is wrong with them by group."""
    values = report.as_dict(desk.text)
    if desk.format in ("json", "jsonl"):
        emit_record(desk, values)
        return
    counts = ("read", "created", "updated", "unchanged", "failed", "held_back")
    emit_rows(desk, [values], counts)
    if values["unmapped"]:
        desk.say(_("Columns that are not read: {names}.", names=", ".join(values["unmapped"])))
    for group_ in report.groups:
        rows = ", ".join(map(str, group_.rows[:5]))
        click.echo(
            f"{group_.count} × {group_.column}: {desk.text(group_.sentence)} ({rows})", err=True
        )
    if desk.dry_run:
        desk.say(_("A dry run: nothing was changed."))


@command(
    data,
    params=[
        argument("entity", "What is exported: core.customer."),
        option("--out", "The file; stdout when left out.", type=click.Path(dir_okay=False, path_type=Path)),
        option("filter_ --filter", "Which records; see clientela help filters.", default="", metavar="TEXT"),
        option("--sort", "Fields with commas between.", default="", metavar="FIELDS"),
        option("columns --columns --fields", "Which fields, in this order.", default="", metavar="FIELDS"),
    ],
    example="clientela export customer --filter 'country = RU' --out customers.csv",
)  # fmt: skip
@click.pass_obj
def export(desk: Desk, /, entity: str, out: Path | None, columns: str, **how: str) -> None:
    """Export records as CSV, in bounded memory."""
    info = entity_named(desk, entity)
    question = Question(filter=parse(how["filter_"]), sort=how["sort"])

    def write(ctx: Context) -> None:
        chunks = export_csv(ctx, info, question, words(columns))
        if out is None:
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        draft = out.with_name(f".{out.name}.part")
        try:
            with draft.open("wb") as file:
                file.writelines(chunks)
            draft.replace(out)
        finally:
            draft.unlink(missing_ok=True)

    try:
        desk.do(write)
    except OSError as failed:
        reason = failed.strerror or failed
        raise Failed(
            _("{file} cannot be written: {reason}.", file=out or "stdout", reason=reason)
        ) from failed
    if out is not None:
        desk.say(_("Written to {file}.", file=out))
