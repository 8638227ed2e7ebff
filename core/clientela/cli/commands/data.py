"""`clientela data`: files in and out."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from clientela.cli.commands import imports, whole
from clientela.cli.commands.files import files
from clientela.cli.commands.look import entity_named
from clientela.cli.desk import Desk
from clientela.cli.drafts import drafted
from clientela.cli.errors import Failed, Usage
from clientela.cli.groups import argument, command, group, option
from clientela.cli.reading import over_view
from clientela.context import Context
from clientela.entity import EntityInfo
from clientela.exchange import FORMATS, format_of
from clientela.exchange import export as export_file
from clientela.filters import parse
from clientela.i18n import _
from clientela.query import Question, words

data = group(
    "data", "Files in and out.", example="clientela data import customer people.csv --dry-run"
)

for one in (
    imports.import_,
    imports.resume,
    imports.undo,
    imports.stop,
    imports.show,
    imports.list_,
    imports.failed,
):
    data.add_command(one)
data.add_command(files)


@command(
    data,
    params=[
        argument("entity", "What is exported: core.customer; nothing with --all.", required=False),
        option("all_ --all", "The whole deployment as one ZIP: records, files, schema and log.", is_flag=True),
        option("format_ --format", "Taken from the name of the file.", type=click.Choice(list(FORMATS))),
        option("--excel", "CSV as a Russian Excel opens it: semicolons and a byte order mark.", is_flag=True),
        option("--out", "The file; stdout when left out.", type=click.Path(dir_okay=False, path_type=Path)),
        option("filter_ --filter", "Which records; see clientela help filters.", default="", metavar="TEXT"),
        option("--sort", "Fields with commas between.", default="", metavar="FIELDS"),
        option("--view", "A saved view; --filter narrows it, the rest goes before it.", default="", metavar="VIEW"),
        option("columns --columns --fields", "Which fields, in this order.", default="", metavar="FIELDS"),
    ],
    example="clientela export customer --filter 'country = RU' --out customers.csv\n"
    "clientela export customer --columns name,email --out customers.xlsx\n"
    "clientela data export --all --out everything.zip",
)  # fmt: skip
@click.pass_obj
def export(desk: Desk, /, entity: str | None, out: Path | None, columns: str, **how: Any) -> None:
    """Export records, in bounded memory: CSV, XLSX, JSON lines or Parquet, and customers as business cards."""
    if how["all_"]:
        whole.export_all(desk, entity, out)
        return
    if entity is None:
        raise Usage(_("Say what is exported: core.customer, or --all for everything."))
    info = entity_named(desk, entity)
    question = Question(filter=parse(how["filter_"]), sort=how["sort"], fields=words(columns))
    question = over_view(desk, info, question, how["view"])
    # A file holds an entity's own fields; what a view opens behind a reference is not among them.
    wanted = tuple(n for n in question.fields if columns or not _is_behind(info, n))
    format_ = how["format_"] or (format_of(out.name) if out else None) or "csv"
    count = 0

    def hear(rows: int) -> None:
        nonlocal count
        count += rows

    def write(ctx: Context) -> None:
        nonlocal count
        count = 0
        chunks = export_file(ctx, info, question, format_, wanted, excel=how["excel"], heard=hear)
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
    with drafted(out) as file:
        file.writelines(chunks)


def _is_behind(info: EntityInfo, path: str) -> bool:
    head, dot, _rest = path.partition(".")
    found = info.filter_field(head)
    return bool(dot) and found is not None and found.target is not None
