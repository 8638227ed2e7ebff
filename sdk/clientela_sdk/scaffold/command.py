"""`clientela plugin new`: the scaffold at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, option
from clientela.cli.output import emit_rows

FOLDER = click.Path(file_okay=False, path_type=Path)


@command(
    operator=True,
    params=[
        argument("name", "The plugin's name, as in site_visits."),
        option("title --title", "What people call it."),
        option("about --about", "What it is for, in one sentence."),
        option("entity --entity", "The class of its first record, as in SiteVisit."),
        option("prefix --prefix", "What the ids of these records begin with, as in vis."),
        option("title_ru --title-ru", "What people call it in Russian."),
        option("about_ru --about-ru", "What it is for, in Russian."),
        option("noun_ru --noun-ru", "The record in Russian, in four forms: визит,визиты,визита,визитов."),
        option("place --dir", "Where to write it; here when left out.", type=FOLDER, metavar="DIR"),
        option("single --single-file", "One file without tables, in the deployment's plugins folder.", is_flag=True),
    ],
    example="clientela plugin new visits --title Visits --noun-ru визит,визиты,визита,визитов\n"
    "clientela plugin new last_words --single-file",
)  # fmt: skip
@click.pass_obj
def new(desk: Desk, /, name: str, place: Path | None, *, single: bool, **answers: Any) -> None:
    """Write a plugin that runs, is tested and speaks English and Russian; with --lang ru its README is Russian."""
    from clientela_sdk import scaffold  # noqa: PLC0415 - the rules of names need the kernel

    given = {key: value for key, value in answers.items() if value is not None}
    names = scaffold.name(name, folder=desk.folder, **given)
    if single:
        made = scaffold.write_single_file(names, place or desk.folder / "plugins")
    else:
        made = scaffold.write(names, place or Path(), desk.language)
    if desk.format == "table":
        # A path is not cut as a cell would be.
        click.echo("\n".join(map(str, made)))
    else:
        emit_rows(desk, [{"file": str(path)} for path in made], ["file"])
    if single:
        desk.say(desk.text("Next: clientela plugin list, then start anew what is serving."))
        return
    there = (place or Path()) / names.plugin
    desk.say(desk.text("Next: pip install -e {place}", place=there))
    desk.say(desk.text("Then: clientela plugin check {plugin}", plugin=names.plugin))
