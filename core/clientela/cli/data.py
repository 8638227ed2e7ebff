"""`clientela data`: files in and out."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from clientela.cli import imports
from clientela.cli.desk import Desk
from clientela.cli.errors import Failed, Usage
from clientela.cli.groups import argument, command, group, option
from clientela.cli.look import entity_named
from clientela.cli.reading import words
from clientela.context import Context
from clientela.customers.entities import Customer
from clientela.exchange import export_csv, export_vcards
from clientela.filters import parse
from clientela.i18n import _
from clientela.query import Question

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


@command(
    data,
    params=[
        argument("entity", "What is exported: core.customer."),
        option("--out", "The file; stdout when left out.", type=click.Path(dir_okay=False, path_type=Path)),
        option("filter_ --filter", "Which records; see clientela help filters.", default="", metavar="TEXT"),
        option("--sort", "Fields with commas between.", default="", metavar="FIELDS"),
        option("columns --columns --fields", "Which fields, in this order.", default="", metavar="FIELDS"),
        option("shape --format", "A CSV file, or business cards of customers (vcard3: for old programs).",
               type=click.Choice(["csv", "vcard", "vcard3"]), default="csv"),
    ],
    example="clientela export customer --filter 'country = RU' --out customers.csv",
)  # fmt: skip
@click.pass_obj
def export(
    desk: Desk, /, entity: str, out: Path | None, columns: str, shape: str, **how: str
) -> None:
    """Export records as CSV, or customers as business cards, in bounded memory."""
    info = entity_named(desk, entity)
    if shape != "csv" and (info is not Customer.info or columns):
        raise Usage(_("A business card is of a customer, and has no columns to choose."))
    question = Question(filter=parse(how["filter_"]), sort=how["sort"])

    def write(ctx: Context) -> None:
        if shape == "csv":
            chunks = export_csv(ctx, info, question, words(columns))
        else:
            chunks = export_vcards(ctx, question, "3.0" if shape == "vcard3" else "4.0")
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
