"""`clientela custom export` and `import`: what a deployment says of itself, as one file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import orjson

from clientela import gate
from clientela.cli.desk import Desk
from clientela.cli.errors import Failed
from clientela.cli.groups import argument, command, option
from clientela.cli.output import emit_record, one_line, to_json
from clientela.customizing.actions import Taken, Wanted, export_custom, import_custom
from clientela.i18n import _
from clientela.query import words

FILE = argument("file", "The file; - is stdin or stdout.", metavar="FILE")
ONLY = option("--only", "Only these parts, with commas between.", default="", metavar="PARTS")

MARKS = {"create": "+", "update": "~", "same": "="}


@command(params=[FILE, ONLY], example="clientela custom export - --only views,roles")
@click.pass_obj
def export(desk: Desk, file: str, only: str) -> None:
    """Write roles, import templates, shared views and the like as one JSON file, the same for the same contents."""
    wanted = Wanted(only=list(words(only)))
    content = desk.do(lambda ctx: ctx.run(export_custom, data=wanted))
    text = orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    if file == "-":
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return
    try:
        Path(file).write_bytes(text)
    except OSError as wrong:
        raise Failed(
            _("{file} cannot be written: {reason}.", file=file, reason=_reason(wrong))
        ) from wrong
    desk.say(_("Written to {file}.", file=file))


@command(
    name="import", writes=True,
    params=[
        FILE, ONLY,
        option(
            "--mode", "create refuses what is there and differs; upsert changes it.", default="create",
            type=click.Choice(["create", "upsert"]), show_default=True,
        ),
    ],
    example="clientela custom import shop.json --dry-run\nclientela custom import shop.json --mode upsert --yes",
)  # fmt: skip
@click.pass_obj
def import_(desk: Desk, file: str, only: str, mode: Any) -> None:
    """Take in what an export wrote: all of it or nothing, as one change set that can be undone."""
    data = Taken(content=_read(file), mode=mode, only=list(words(only)))
    desk.confirm(desk.text("What {file} says of this deployment is written.", file=file))
    result = desk.do(lambda ctx: ctx.run(import_custom, data=data), writing=True)
    if desk.format in ("json", "jsonl"):
        emit_record(desk, result)
    else:
        for step in result["data"]:
            _print_step(step)
    if desk.dry_run:
        desk.say(_("A dry run: nothing was changed."))


def _read(file: str) -> dict[str, Any]:
    try:
        sent = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as wrong:
        raise Failed(
            _("{file} cannot be read: {reason}.", file=file, reason=_reason(wrong))
        ) from wrong
    content = gate.read_json(sent)
    return content if isinstance(content, dict) else {}


def _reason(wrong: OSError) -> str:
    return wrong.strerror or str(wrong)


def _print_step(step: dict[str, Any]) -> None:
    """Print a line per item, and one per field that changes."""
    click.echo(f"{MARKS[step['what']]} {step['part']}  {one_line(step['name'])}")
    if step["what"] == "update":
        for name, change in step["changes"].items():
            before, after = (to_json(change[side]) for side in ("before", "after"))
            click.echo(f"    {name}: {before} → {after}")
