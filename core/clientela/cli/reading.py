"""`list` and `show` of every entity, and the views that plugins give of a record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from clientela.cli.desk import Desk
from clientela.cli.groups import Command, argument, option
from clientela.cli.output import Cell, Row, emit_record, emit_rows, plain_cell
from clientela.entity import EntityInfo
from clientela.errors import BadSyntax, FieldProblem, sentence_of
from clientela.filters import parse
from clientela.i18n import _
from clientela.kinds.structured import AddressKind, FileKind
from clientela.kinds.times import InstantKind
from clientela.query import MOST_ROWS, Page, Question, get_row, list_page, words
from clientela.views import questions

if TYPE_CHECKING:
    from clientela.plugins.card import View


AS_OF = "As it was at this moment: 2026-01-31T10:00:00Z, or a day."


def list_command(desk: Desk, info: EntityInfo) -> Command:
    """Make `list`."""

    def run(as_of: str | None, **options: Any) -> None:
        desk.as_of = moment(as_of)
        emit_list(desk, info, over_view(desk, info, question_of(options), options["view"]), options)

    return Command(
        "list",
        callback=run,
        params=list_options(),
        help=_("List the records, or count them."),
        example=f"clientela {info.plugin} {info.singular.replace('_', '-')} list --sort -created_at -o json",
    )


def emit_list(desk: Desk, info: EntityInfo, question: Question, options: dict[str, Any]) -> None:
    """Print what a list is asked for, or how many there are."""
    if options["count"]:
        emit_count(desk, info, question)
        return
    columns = question.fields or ("id", *(n for n in info.columns_by_priority() if n != "id"))
    shown = question if wants_all_fields(desk, question) else replace(question, fields=columns)
    rows = all_rows(desk, info, shown) if options["all_"] else first_rows(desk, info, shown)
    wide = columns if not question.expand else (*columns, *question.expand)
    emit_rows(desk, rows, wide, cell=cell_of(info))


def over_view(desk: Desk, info: EntityInfo, question: Question, name: str) -> Question:
    """Put a question over that of the saved view it names."""
    if not name:
        return question
    return desk.do(lambda ctx: questions.over_view(ctx, info, question, name))


def list_options() -> list[click.Parameter]:
    """Give the options of a list."""
    return [
        option("filter_ --filter", "Which records; see clientela help filters.", default="", metavar="TEXT"),
        option("--sort", "Fields with commas between; a leading minus turns the order.", default="", metavar="FIELDS"),
        option("fields --columns --fields", "Which fields; `owner.name` opens one.", default="", metavar="FIELDS"),
        option("--expand", "References to be opened.", default="", metavar="REFERENCES"),
        option("search -q --search", "Records that hold all these words.", default="", metavar="WORDS"),
        option("--view", "A saved view; --filter narrows it, the rest goes before it.", default="", metavar="VIEW"),
        option("--limit", "At most so many, up to 200.", type=int, default=50, show_default=True),
        option("all_ --all", "Everything, page by page.", is_flag=True),
        option("--after", "Go on after a page.", metavar="CURSOR"),
        option("--count", "Print how many there are, and no records.", is_flag=True),
        option("--trashed", "What lies in the trash.", is_flag=True),
        option("--as-of", AS_OF, metavar="MOMENT"),
    ]  # fmt: skip


def question_of(options: dict[str, Any]) -> Question:
    """Read the options of a list."""
    return Question(
        filter=parse(options["filter_"]),
        sort=options["sort"],
        fields=words(options["fields"]),
        expand=words(options["expand"]),
        search=options["search"],
        limit=options["limit"],
        after=options["after"],
        trashed=options["trashed"],
    )


def wants_all_fields(desk: Desk, question: Question) -> bool:
    """Say whether programs get the whole record: where nobody chose columns and the form has room."""
    return bool(question.fields or question.expand) or desk.format in ("json", "jsonl")


def first_rows(desk: Desk, info: EntityInfo, question: Question) -> list[Row]:
    """Give one page, and say how to get the next."""
    page = a_page(desk, info, question)
    if not page.rows and desk.format == "table":
        desk.say(_("Nothing was found."))
    if page.has_more:
        desk.say(_("There are more: --all, or --after {cursor}", cursor=page.after))
    return page.rows


def all_rows(desk: Desk, info: EntityInfo, question: Question) -> Iterator[Row]:
    """Give everything, page by page, in bounded memory."""
    question = replace(question, limit=MOST_ROWS)
    while True:
        page = a_page(desk, info, question)
        yield from page.rows
        if not page.has_more:
            return
        question = replace(question, after=page.after)


def emit_all(desk: Desk, info: EntityInfo, columns: tuple[str, ...]) -> None:
    """Print everything there is of an entity that has few records."""
    emit_rows(desk, all_rows(desk, info, Question(fields=columns)), columns, cell=cell_of(info))


def a_page(desk: Desk, info: EntityInfo, question: Question) -> Page:
    """Ask for one page."""
    return desk.do(lambda ctx: list_page(ctx, info, question))


def emit_count(desk: Desk, info: EntityInfo, question: Question) -> None:
    """Print how many records match."""
    page = a_page(desk, info, replace(question, limit=1, fields=("id",), expand=(), count="exact"))
    if desk.format in ("json", "jsonl"):
        emit_record(desk, {"count": page.count})
    else:
        click.echo(page.count)


def show_command(desk: Desk, info: EntityInfo, view: View | None) -> Command:
    """Make `show`: the card where there is one, else the record."""

    def run(key: str, fields: str, expand: str, trashed: bool, as_of: str | None) -> None:  # noqa: FBT001 - click's
        desk.as_of = moment(as_of)
        plain = view is None or fields or expand or trashed or desk.format not in ("table", "json")
        if plain:
            found = desk.do(
                lambda ctx: get_row(
                    ctx,
                    info,
                    key,
                    fields=words(fields),
                    expand=words(expand),
                    trashed=None if trashed else False,
                )
            )
        else:
            found = looked_at(desk, view, key)
        emit_record(desk, found, cell=cell_of(info))

    about = _("Show one record with its card.") if view else _("Show one record.")
    return Command("show", callback=run, params=show_options(), help=about)


def show_options() -> list[click.Parameter]:
    """Give the arguments of a look at one record."""
    return [
        argument("key", "The record.", metavar="ID"),
        option("fields --columns --fields", "Which fields.", default="", metavar="FIELDS"),
        option("--expand", "References to be opened.", default="", metavar="REFERENCES"),
        option("--trashed", "Look in the trash too.", is_flag=True),
        option("--as-of", AS_OF, metavar="MOMENT"),
    ]


def view_command(desk: Desk, info: EntityInfo, name: str, view: View) -> Command:
    """Make the command of a view."""

    def run(key: str, as_of: str | None) -> None:
        desk.as_of = moment(as_of)
        emit_record(desk, looked_at(desk, view, key), cell=cell_of(info))

    about = desk.text("Show this view of one record: {name}.", name=name.replace("_", " "))
    options = show_options()
    return Command(
        name.replace("_", "-"), callback=run, params=[options[0], options[-1]], help=about
    )


def moment(text: str | None) -> datetime | None:
    """Read the moment to look back to: RFC 3339, or a day, which means its first moment in UTC."""
    if text is None:
        return None
    try:
        read: datetime = InstantKind().parse(text)
    except ValueError as wrong:
        raise BadSyntax(
            sentence_of(wrong), [FieldProblem("/as_of", "bad-parameter", sentence_of(wrong))]
        ) from None
    return read


def looked_at(desk: Desk, view: Any, key: str) -> Row:
    """Ask a view."""
    found = desk.do(lambda ctx: view(ctx, key))
    if not isinstance(found, dict):
        raise BadSyntax(_("This view gives no object."))
    return found


def cell_of(info: EntityInfo) -> Cell:
    """Give the function that writes the values of an entity into cells, as its kinds write them into CSV."""

    def cell(name: str, value: Any) -> str:
        declared = info.visible.get(name)
        if declared is None or not isinstance(value, dict) or "id" in value:
            return plain_cell(name, value)
        try:
            loaded = declared.kind.load(value)
        except ValueError:
            return plain_cell(name, value)
        kind = declared.kind
        return (
            kind.format(loaded, "en")
            if isinstance(kind, AddressKind | FileKind)
            else kind.csv(loaded)
        )

    return cell
