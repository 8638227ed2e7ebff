"""`clientela import` and `clientela export`: files in and out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from clientela.cli.desk import Desk
from clientela.cli.errors import Failed, Usage
from clientela.cli.groups import argument, command, group, option
from clientela.cli.inputs import read_json_file
from clientela.cli.look import entity_named
from clientela.cli.output import emit_record, emit_rows
from clientela.cli.reading import words
from clientela.cli.start import progress_bar
from clientela.context import Context
from clientela.exchange import (
    FORMATS,
    ImportOptions,
    ImportReport,
    Step,
    format_of,
    import_csv,
    steps_from_json,
    steps_from_line,
)
from clientela.exchange import export as export_file
from clientela.exchange.reading import READ_FORMATS
from clientela.exchange.steps import DECIMALS, ORDERS
from clientela.filters import parse
from clientela.i18n import _
from clientela.query import Question

SOME_FAILED = 7

data = group(
    "data",
    "Files in and out: CSV, XLSX, JSON lines.",
    example="clientela import customer people.csv --dry-run",
)


@command(
    data, name="import", writes=True,
    params=[
        argument("entity", "What the rows are: core.customer."),
        argument("file", "CSV, XLSX or JSON lines.", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        option("mapped --map", "Which field a column fills.", multiple=True, metavar="COLUMN=FIELD"),
        option("constants --set", "The same value for every row.", multiple=True, metavar="FIELD=VALUE"),
        option("--mode", "Create all, or change those with the same key.", type=click.Choice(["create", "upsert"])),
        option("--key", "The fields that tell rows apart.", default="", metavar="FIELDS"),
        option("format_ --format", "Found out when left out.", type=click.Choice(list(READ_FORMATS))),
        option("--sheet", "Of a workbook; the first that holds anything when left out."),
        option("--dates", "The order of dates; found out when left out.", type=click.Choice(ORDERS)),
        option("--decimal", "The sign before decimals; found out when left out.", type=click.Choice(DECIMALS)),
        option("transforms --transform", "Change a column first; see the examples.", multiple=True, metavar="STEP"),
        option("transforms_from --transforms", "A JSON list of steps.", metavar="FILE"),
        option("--encoding", "Guessed when left out."),
        option("--delimiter", "Guessed when left out."),
        option("--skip-bad-rows", "Take the good rows of a batch with bad ones.", is_flag=True),
    ],
    example="clientela import customer people.csv --map 'Mail=email' --key email --mode upsert --dry-run\n"
    "clientela import customer people.xlsx --transform 'Full name: split \" \" -> person.given, person.family'\n"
    "clientela import customer people.xlsx --transform 'City: replace Msk=Moscow | trim' --dates dmy",
)  # fmt: skip
@click.pass_context
def import_(ctx: click.Context, /, entity: str, file: Path, mode: str | None, **how: Any) -> None:
    """Import a file. First look with --dry-run: every row is read, checked and counted, and nothing is written."""
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
        format=how["format_"], sheet=how["sheet"], dates=how["dates"], decimal=how["decimal"],
        transforms=steps_of(how["transforms"], how["transforms_from"]), file=file.name,
    )  # fmt: skip


def steps_of(lines: tuple[str, ...], source: str | None) -> tuple[Step, ...]:
    """Read the steps of a file, then those of the command line."""
    steps = steps_from_json(read_json_file(source)) if source else ()
    return (*steps, *(step for line in lines for step in steps_from_line(line)))


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
    for one in report.suggestions:
        sentence = desk.text(
            _(
                "{column} may be {field}: {reason}.",
                column=one.column,
                field=one.field,
                reason=one.reason,
            )
        )
        click.echo(f"{sentence} --map '{one.column}={one.field}'", err=True)
    for one_way in report.conventions:
        if not one_way.certain:
            desk.say(
                _(
                    "{column} is read as {value}: {reason}.",
                    column=one_way.column, value=one_way.value, reason=one_way.reason,
                )
            )  # fmt: skip
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
        option("format_ --format", "Taken from the name of the file.", type=click.Choice(list(FORMATS))),
        option("--excel", "CSV as a Russian Excel opens it: semicolons and a byte order mark.", is_flag=True),
        option("--out", "The file; stdout when left out.", type=click.Path(dir_okay=False, path_type=Path)),
        option("filter_ --filter", "Which records; see clientela help filters.", default="", metavar="TEXT"),
        option("--sort", "Fields with commas between.", default="", metavar="FIELDS"),
        option("columns --columns --fields", "Which fields, in this order.", default="", metavar="FIELDS"),
    ],
    example="clientela export customer --filter 'country = RU' --out customers.csv\n"
    "clientela export customer --columns name,email --out customers.xlsx",
)  # fmt: skip
@click.pass_obj
def export(desk: Desk, /, entity: str, out: Path | None, columns: str, **how: Any) -> None:
    """Export records, in bounded memory: CSV, XLSX, JSON lines or Parquet."""
    info = entity_named(desk, entity)
    question = Question(filter=parse(how["filter_"]), sort=how["sort"])
    format_ = how["format_"] or (format_of(out.name) if out else None) or "csv"
    count = 0

    def hear(rows: int) -> None:
        nonlocal count
        count += rows

    def write(ctx: Context) -> None:
        nonlocal count
        count = 0
        chunks = export_file(
            ctx, info, question, format_, words(columns), excel=how["excel"], heard=hear
        )
        _write(chunks, out)

    try:
        desk.do(write)
    except OSError as failed:
        reason = failed.strerror or failed
        raise Failed(
            _("{file} cannot be written: {reason}.", file=out or "stdout", reason=reason)
        ) from failed
    desk.say(_("{count} records written to {file}.", count=f"{count:,}", file=out or "stdout"))


def _write(chunks: Iterator[bytes], out: Path | None) -> None:
    """Write to stdout, or to a file that is there only when it is whole."""
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
