"""Files on the command line: attach and fetch them; compare records with bytes, and remove what nothing wants."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click

from clientela.cli.desk import Desk
from clientela.cli.drafts import drafted
from clientela.cli.errors import FAILED, Usage
from clientela.cli.groups import Command, argument, command, group, option
from clientela.cli.output import emit_record, emit_rows
from clientela.cli.writing import emit_outcome, perform
from clientela.entity import EntityInfo
from clientela.files import sweeping
from clientela.files.opening import file_of
from clientela.files.uploads import UPLOAD_RIGHT, Receiver, write_receipt
from clientela.i18n import _

PIECE = 1024 * 1024

files = group("files", "The bytes of files: check, sweep.", example="clientela data files check")


@command(
    files,
    operator=True,
    params=[
        option("--quick", "Compare sizes only, and do not read every byte.", is_flag=True),
    ],
)
@click.pass_context
def check(ctx: click.Context, *, quick: bool) -> None:
    """Compare records with bytes; exit code 1 when something is missing or damaged."""
    desk: Desk = ctx.obj
    found = [asdict(one) for one in sweeping.check(desk.app, deep=not quick)]
    emit_rows(desk, found, ["state", "sha256", "size", "where"])
    if any(one["state"] != "orphaned" for one in found):
        ctx.exit(FAILED)


@command(
    files,
    operator=True,
    params=[option("--dry-run", "Show what would be removed; remove nothing.", is_flag=True)],
)
@click.pass_obj
def sweep(desk: Desk, *, dry_run: bool) -> None:
    """Remove bytes that no record, no fresh upload and no change of the grace time refers to."""
    if dry_run:
        found = sweeping.unwanted(desk.app, young=sweeping.YOUNG)
        emit_rows(
            desk, [{"sha256": s, "size": size} for s, size in found.items()], ["sha256", "size"]
        )
        return
    emit_record(desk, asdict(sweeping.sweep(desk.app)))


# of records -----------------------------------------------------------------------------------------------------------


def add_command(desk: Desk, info: EntityInfo) -> Command:
    """Make `add`: upload a file and make the record that holds it, in one go."""

    def run(record: str, file: Path, note: str | None, name: str | None) -> None:
        action = desk.app.registry.action(info.permission("create"))
        for permission in (action.permission, UPLOAD_RIGHT):
            desk.principal.require(permission)
        receiver = Receiver(desk.app, name or file.name)
        try:
            for piece in _pieces(file):
                receiver.write(piece)
            described = receiver.keep()
        finally:
            receiver.discard()
        values = {"subject": record, "file": described, "note": note}
        loaded = {n: info.fields[n].kind.load(v) for n, v in values.items() if v is not None}
        before = partial(write_receipt, description=described)
        emit_outcome(desk, action, perform(desk, action, (None,), loaded, before=before))

    return Command(
        "add",
        callback=run,
        params=add_options(),
        help=_("Attach a file to a record of whatever kind."),
        writes=True,
        example=f"clientela {info.plugin} {info.singular} add cus_01J… contract.pdf --note 'signed'",
    )


def get_command(desk: Desk, info: EntityInfo) -> Command:
    """Make `get`: the bytes of a file that a record holds."""

    def run(key: str, out: Path | None, field: str) -> None:
        described = desk.do(lambda ctx: file_of(ctx, info, key, field))
        if out is None:
            if sys.stdout.isatty():
                raise Usage(_("These are bytes, and no text for a terminal; say --out FILE."))
            _copy(desk.app.files.open(described["sha256"]), sys.stdout.buffer)
            return
        target = out / described["name"] if out.is_dir() else out
        _save(desk, described["sha256"], target)
        desk.say(_("Written to {file}.", file=target))

    return Command(
        "get",
        callback=run,
        params=get_options([declared.name for declared in info.file_fields]),
        help=_("Fetch the file of a record."),
        example=f"clientela {info.plugin} {info.singular.replace('_', '-')} get ID --out .",
    )


def add_options() -> list[click.Parameter]:
    """Give the arguments of `add`."""
    return [
        argument("record", "The id of the record.", metavar="RECORD"),
        argument("file", "The file.", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        option("--note", "What to know of it.", metavar="TEXT"),
        option("--name", "Another name than the file has.", metavar="NAME"),
    ]  # fmt: skip


def get_options(names: Sequence[str]) -> list[click.Parameter]:
    """Give the arguments of `get`, for records with files in these fields."""
    return [
        argument("key", "The record.", metavar="ID"),
        option(
            "--out", "The file, or a folder to put it into; stdout when left out.",
            type=click.Path(path_type=Path), metavar="FILE",
        ),
        option(
            "--field", "Which of the record's files.", type=click.Choice(names), default=names[0],
            show_default=True,
        ),
    ]  # fmt: skip


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(PIECE):
            yield piece


def _save(desk: Desk, sha256: str, target: Path) -> None:
    """Write beside the target and rename, so that no half file takes the place of a whole one."""
    with drafted(target) as file:
        _copy(desk.app.files.open(sha256), file)


def _copy(stream: Iterator[bytes], to: Any | BinaryIO) -> None:
    to.writelines(stream)
    to.flush()
