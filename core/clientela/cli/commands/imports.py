"""`clientela data import` and what is done with an import afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click
from sqlalchemy import select

from clientela import ids
from clientela.access.scopes import visible
from clientela.cli.commands import whole
from clientela.cli.commands.look import entity_named
from clientela.cli.desk import Desk
from clientela.cli.drafts import drafted
from clientela.cli.errors import SOME_FAILED, Failed, Usage
from clientela.cli.groups import argument, command, option
from clientela.cli.inputs import read_json_file
from clientela.cli.output import emit_record, emit_rows
from clientela.cli.progress import progress_line
from clientela.context import Context
from clientela.errors import NotFound, Unavailable
from clientela.exchange import (
    ImportOptions,
    ImportReport,
    Step,
    import_file,
    jobs,
    steps_from_json,
    steps_from_line,
)
from clientela.exchange.cards.importing import is_cards
from clientela.exchange.entities import Import, ImportTemplate
from clientela.exchange.failures import failed_csv, failed_lines, head_line
from clientela.exchange.files import work_for
from clientela.exchange.importing import FailedRow, NoKeeper, Progress
from clientela.exchange.keeping import keep_file
from clientela.exchange.options import read_options, write_options
from clientela.exchange.sources.opening import READ_FORMATS
from clientela.exchange.sources.steps import DECIMALS, ORDERS
from clientela.files.uploads import write_receipt
from clientela.i18n import _
from clientela.query import Question, list_page, words
from clientela.rows import record_dict

COUNTS = ("read", "created", "updated", "unchanged", "failed", "held_back")


@command(
    name="import", writes=True,
    params=[
        argument("what", "What the rows are, and a file: CSV, XLSX, JSON lines or business cards.",
                 nargs=-1, required=True, metavar="[ENTITY] FILE"),
        option("all_ --all", "A whole deployment, written by clientela data export --all.", is_flag=True),
        option("mapped --map", "Which field a column fills.", multiple=True, metavar="COLUMN=FIELD"),
        option("constants --set", "The same value for every row.", multiple=True, metavar="FIELD=VALUE"),
        option("--mode", "What becomes of rows.", type=click.Choice(["create", "update", "upsert", "fill-blanks"])),
        option("--key", "The fields that tell rows apart.", default="", metavar="FIELDS"),
        option("format_ --format", "Found out when left out.", type=click.Choice(list(READ_FORMATS))),
        option("--sheet", "Of a workbook; the first that holds anything when left out."),
        option("--dates", "The order of dates; found out when left out.", type=click.Choice(ORDERS)),
        option("--decimal", "The sign before decimals; found out when left out.", type=click.Choice(DECIMALS)),
        option("transforms --transform", "Change a column first; see the examples.", multiple=True, metavar="STEP"),
        option("transforms_from --transforms", "A JSON list of steps.", metavar="FILE"),
        option("--encoding", "Guessed when left out."),
        option("--delimiter", "Guessed when left out."),
        option("--skip-bad-rows", "Take the good rows although there are bad ones.", is_flag=True),
        option("--extra-into", "A field of several lines that takes the columns without a field.", metavar="FIELD"),
        option("--confidence", "How far the source is to be trusted, in per cent.", type=click.IntRange(0, 100)),
        option("--notify", "Let subscribers hear of every record.", is_flag=True),
        option("--template", "Read it as this template says; other options win.", metavar="NAME"),
        option("--save-template", "Keep how it was read under this name.", metavar="NAME"),
        option("failed --failed", "Write the rows that failed to this file, each with its reason.",
               type=click.Path(dir_okay=False, path_type=Path)),
    ],
    example="clientela import customer people.csv --map 'Mail=email' --mode upsert --key email --dry-run\n"
    "clientela import customer people.xlsx --transform 'Full name: split \" \" -> person.given, person.family'\n"
    "clientela import customer people.xlsx --transform 'City: replace Msk=Moscow | trim' --dates dmy",
)  # fmt: skip
@click.pass_context
def import_(ctx: click.Context, /, what: tuple[str, ...], failed: Path | None, **how: Any) -> None:
    """Import a file, all or nothing unless --skip-bad-rows is said; --dry-run only looks, data undo takes it back."""
    desk: Desk = ctx.obj
    entity, file = _what(what, whole_one=how.pop("all_"))
    if entity is None:
        whole.import_all(desk, file)
        return
    info = entity_named(desk, entity)
    options = _options(desk, info.name, file, how)
    if not desk.dry_run:
        desk.confirm(desk.text("The rows of {file} are written.", file=file.name))
    if desk.dry_run:
        with _progress(desk) as heard, failed_file(desk, failed) as keeper:
            report: ImportReport | None = import_file(
                desk.app, desk.principal, info, file, options=options, dry_run=True, progress=heard, keeper=keeper
            )  # fmt: skip
        key = None
    else:
        key = _create(desk, info.name, file, options)
        report = _carry_out(desk, key, skip=options.skip_bad_rows)
        _save_template(desk, info.name, how["save_template"], options)
        if failed is not None:
            _write_failed(desk, key, failed)
    _told(ctx, desk, report, key)


def _what(words_: tuple[str, ...], *, whole_one: bool) -> tuple[str | None, Path]:
    """Read the entity, which a whole deployment has none of, and the file."""
    *before, name = words_
    file = Path(name)
    if len(before) != (0 if whole_one else 1):
        raise Usage(
            _("Say --all and the file.")
            if whole_one
            else _("Say what the rows are, and the file: clientela data import core.customer FILE")
        )
    if not file.is_file():
        raise Usage(_("There is no file {file}.", file=file))
    return None if whole_one else before[0], file


def _options(desk: Desk, entity: str, file: Path, how: dict[str, Any]) -> ImportOptions:
    """Read the options of an import, over those of its template."""
    given: dict[str, Any] = {
        "mapping": pairs(how["mapped"], "--map COLUMN=FIELD"),
        "constants": pairs(how["constants"], "--set FIELD=VALUE"),
        "key": list(words(how["key"])),
    }
    given["transforms"] = steps_of(how["transforms"], how["transforms_from"])
    given["format"] = how["format_"]
    plain = (
        "sheet",
        "dates",
        "decimal",
        "mode",
        "encoding",
        "delimiter",
        "skip_bad_rows",
        "extra_into",
        "confidence",
        "notify",
    )
    given |= {name: how[name] for name in plain}
    given = {
        name: value for name, value in given.items() if value not in (None, "", False, [], {}, ())
    }
    with file.open("rb") as stream:
        if is_cards(stream, file.name):
            # A card that is refused costs itself alone.
            given["skip_bad_rows"] = True
    base = _template(desk, entity, how["template"]) if how["template"] else {}
    return read_options(base | given | {"file": file.name})


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


def _template(desk: Desk, entity: str, name: str) -> dict[str, Any]:
    """Give the options that are kept under a name."""
    table = ImportTemplate.info.table
    mine = (table.c.name == name, table.c.entity == entity)

    def work(ctx: Context) -> Any:
        rules = visible(ctx, ImportTemplate.info, table)
        return ctx.connection.execute(select(table.c.options).where(*mine, *rules)).scalar()

    found = desk.do(work)
    if found is None:
        raise NotFound(
            _("There is no template {name} for {entity}.", name=repr(name[:60]), entity=entity)
        )
    return dict(found)


def _save_template(desk: Desk, entity: str, name: str | None, options: ImportOptions) -> None:
    if not name:
        return
    create = desk.app.registry.action(ImportTemplate.info.permission("create"))
    values = {"name": name, "entity": entity, "options": write_options(options)}
    desk.do(lambda ctx: ctx.run(create, data=values), writing=True)


def _create(desk: Desk, entity: str, file: Path, options: ImportOptions) -> str:
    """Keep the file with the deployment and make an import of it; give its key."""
    info = desk.app.registry.entity(entity)
    create = desk.app.registry.action(Import.info.permission("create"))
    desk.principal.require(create.permission)
    try:
        with file.open("rb") as stream:
            # What cannot be read at all is refused here, before anything is kept.
            work_for(desk.app, desk.principal, info, options, stream).mapped(stream)
            stream.seek(0)
            kept = keep_file(desk.app, stream, file.name)
    except OSError as wrong:
        raise Failed(
            _("{file} cannot be kept: {reason}.", file=file, reason=wrong.strerror or wrong)
        ) from wrong
    values = {"entity": entity, "file": kept, "options": write_options(options)}

    def work(ctx: Context) -> str:
        write_receipt(ctx, kept)
        return str(ctx.run(create, data=values).id)

    return desk.do(work, writing=True)


def _carry_out(desk: Desk, key: str, *, skip: bool) -> ImportReport | None:
    """Check and run an import, or go on with it; interrupted, say how to go on."""
    try:
        if not skip:
            report = _do(desk, key, "check", None)
            if report is None or report.failed:
                return None if report is None else report.held()
        return _do(desk, key, "start", jobs.Start())
    except (KeyboardInterrupt, Unavailable):
        desk.say(_("To go on: clientela data resume {key}", key=Import.info.public_id(key)))
        raise


def _do(desk: Desk, key: str, verb: str, data: Any) -> ImportReport | None:
    action = desk.app.registry.action(Import.info.permission(verb))
    desk.do(lambda ctx: ctx.run(action, key, data), writing=True)
    with _progress(desk) as heard:
        return jobs.carry_out(desk.app, key, heard)


def _told(ctx: click.Context, desk: Desk, report: ImportReport | None, key: str | None) -> None:
    """Print what became of the rows, what is wrong with them, and what can be done next."""
    record = None
    if key is not None:
        record = desk.do(lambda c: record_dict(c, c.get(Import, key, trashed=None)))
    values = report.as_dict(desk.text) if report is not None else {}
    values = {"id": Import.info.public_id(key) if key else None} | values
    if record is not None:
        values |= {name: record[name] for name in ("state", "reason", "set_id")}
    if desk.format in ("json", "jsonl"):
        emit_record(desk, values)
    elif report is not None:
        emit_rows(desk, [values], [*(["id"] if key else []), *COUNTS])
        _say_details(desk, report)
    if desk.dry_run:
        desk.say(_("A dry run: nothing was changed."))
    elif record is not None:
        _say_next(desk, record, report)
    if report is None or not report.is_clean or (record and record["state"] == "stopped"):
        ctx.exit(SOME_FAILED)


def _say_details(desk: Desk, report: ImportReport) -> None:
    if report.unmapped:
        desk.say(_("Columns that are not read: {names}.", names=", ".join(report.unmapped)))
    for one in report.suggestions:
        told = {"column": one.column, "field": one.field, "reason": one.reason}
        sentence = desk.text(_("{column} may be {field}: {reason}.", **told))
        click.echo(f"{sentence} --map '{one.column}={one.field}'", err=True)
    for way in report.conventions:
        if not way.certain:
            told = {"column": way.column, "value": way.value, "reason": way.reason}
            desk.say(_("{column} is read as {value}: {reason}.", **told))
    for group_ in report.groups:
        rows = ", ".join(map(str, group_.rows[:5]))
        rows += ", …" if group_.count > len(group_.rows[:5]) else ""
        line = f"{group_.count} × {group_.column}: {desk.text(group_.sentence)} ({rows})"
        click.echo(line, err=True)


def _say_next(desk: Desk, record: dict[str, Any], report: ImportReport | None) -> None:
    key = record["id"]
    if record["reason"]:
        click.echo(desk.text(record["reason"]), err=True)
    if record["state"] == "done":
        desk.say(_("To take it back: clientela data undo {key}", key=key))
    if report is not None and report.failed:
        desk.say(_("The rows that failed: clientela data failed {key} --out failed.csv", key=key))
    if record["state"] == "checked":
        desk.say(
            _(
                "To take the good rows all the same: clientela data resume {key} --skip-bad-rows",
                key=key,
            )
        )
    if record["state"] == "stopped":
        desk.say(_("To go on: clientela data resume {key}", key=key))


# what is done with an import afterwards -----------------------------------------------------------------------------

KEY = "The import: imp_…"


@command(name="resume", writes=True, params=[
    argument("key", KEY, metavar="ID"),
    option("--skip-bad-rows", "Take the good rows although there are bad ones.", is_flag=True),
])  # fmt: skip
@click.pass_context
def resume(ctx: click.Context, key: str, skip_bad_rows: bool) -> None:  # noqa: FBT001 - click's
    """Begin a checked import, or go on with one that was stopped or whose process has died."""
    desk: Desk = ctx.obj
    letters = _key(key)
    record = desk.do(lambda c: c.get(Import, letters))
    if record.state in jobs.WORKING:
        with _progress(desk) as heard:
            report = jobs.carry_out(desk.app, letters, heard)
        if record.state == "checking" and report is not None and not report.failed:
            report = _do(desk, letters, "start", jobs.Start())
    elif record.state == "draft":
        report = _carry_out(desk, letters, skip=skip_bad_rows)
    else:
        report = _do(desk, letters, "start", jobs.Start(skip_bad_rows=skip_bad_rows or None))
    _told(ctx, desk, report, letters)


@command(name="undo", writes=True, params=[argument("key", KEY, metavar="ID")])
@click.pass_obj
def undo(desk: Desk, key: str) -> None:
    """Take back all that an import wrote, updates included, unless others changed it since: that is listed."""
    action = desk.app.registry.action(Import.info.permission("undo"))
    desk.do(lambda ctx: ctx.run(action, _key(key)).public_id, writing=True)
    desk.say(_("A dry run: nothing was changed.") if desk.dry_run else _("Taken back."))


@command(name="stop", writes=True, params=[argument("key", KEY, metavar="ID")])
@click.pass_obj
def stop(desk: Desk, key: str) -> None:
    """Stop an import after the batch that is being written."""
    action = desk.app.registry.action(Import.info.permission("stop"))
    desk.do(lambda ctx: ctx.run(action, _key(key)), writing=True)
    desk.say(_("Stopped. To go on: clientela data resume {key}", key=key))


@command(name="show", params=[argument("key", KEY, metavar="ID")])
@click.pass_obj
def show(desk: Desk, key: str) -> None:
    """Show how far an import is, what became of its rows, and what is wrong in groups."""
    emit_record(desk, desk.do(lambda ctx: jobs.report_view(ctx, _key(key))))


@command(
    name="list",
    params=[option("--limit", "At most so many.", type=click.IntRange(1, 200), default=50)],
)
@click.pass_obj
def list_(desk: Desk, limit: int) -> None:
    """List the imports, the newest first."""
    names = ("id", "entity", "state", "created_at", "created_by", "set_id", "reason")
    question = Question(sort="-created_at", fields=names, limit=limit)
    emit_rows(desk, desk.do(lambda ctx: list_page(ctx, Import.info, question)).rows, names)


@command(name="failed", params=[
    argument("key", KEY, metavar="ID"),
    option("--out", "The file; stdout when left out.", type=click.Path(dir_okay=False, path_type=Path)),
])  # fmt: skip
@click.pass_obj
def failed(desk: Desk, key: str, out: Path | None) -> None:
    """Write only the rows that failed, each with its reason: correct them, and import that file."""
    letters = _key(key)
    desk.do(lambda ctx: ctx.get(Import, letters))
    _write_failed(desk, letters, out)


def _key(text: str) -> str:
    key = ids.parse_key(text, Import.info.prefix)
    if key is None:
        raise NotFound(_("There is no import {key}.", key=text[:60]))
    return key


@contextmanager
def _progress(desk: Desk) -> Iterator[Progress | None]:
    """Show how far an import is."""
    with progress_line(desk) as line:
        yield None if line is None else lambda report, share: line(report.read, share)


# failed rows as a file ----------------------------------------------------------------------------------------------


def _write_failed(desk: Desk, key: str, out: Path | None) -> None:
    pieces = failed_csv(desk.app, key, desk.text)
    if out is None:
        sys.stdout.writelines(piece.decode() for piece in pieces)
        return
    with drafted(out) as file:
        file.writelines(pieces)


class FailedFile(NoKeeper):
    """Writes the rows that fail to a file while a dry run goes on."""

    def __init__(self, desk: Desk, file: BinaryIO) -> None:
        self._desk, self._file = desk, file
        self._begun = False

    def keep(self, ctx: Context, report: ImportReport, failed: Sequence[FailedRow]) -> None:
        """Write the failed rows of a batch."""
        del ctx
        if not self._begun:
            self._file.write(head_line(report.header, self._desk.text).encode())
            self._begun = True
        self._file.writelines(line.encode() for line in failed_lines(failed, self._desk.text))


@contextmanager
def failed_file(desk: Desk, out: Path | None) -> Iterator[NoKeeper]:
    """Give what keeps the failed rows of a dry run: a file, or nothing."""
    if out is None:
        yield NoKeeper()
        return
    with drafted(out) as file:
        yield FailedFile(desk, file)
