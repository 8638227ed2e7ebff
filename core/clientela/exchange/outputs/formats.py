"""The formats of export, and the one door to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING

from clientela.entity import EntityInfo
from clientela.errors import Invalid, did_you_mean
from clientela.exchange.cards.exporting import write_cards
from clientela.exchange.outputs.parquet import write_parquet
from clientela.exchange.outputs.plain import write_csv, write_jsonl
from clientela.exchange.outputs.tables import Asked, Heard, nobody
from clientela.exchange.outputs.xlsx import write_xlsx
from clientela.i18n.texts import _
from clientela.query import Question

if TYPE_CHECKING:
    from clientela.context import Context

Writer = Callable[[Asked], Iterator[bytes]]


@dataclass(frozen=True)
class WriteFormat:
    """A format that can be exported: how its files are called and what they are, and who writes them."""

    suffixes: tuple[str, ...]
    media: str
    write: Writer


# One more entry is one more format, at the command line and in REST.
FORMATS: dict[str, WriteFormat] = {
    "csv": WriteFormat((".csv",), "text/csv; charset=utf-8", write_csv),
    "jsonl": WriteFormat((".jsonl", ".ndjson"), "application/x-ndjson", write_jsonl),
    "xlsx": WriteFormat(
        (".xlsx",), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_xlsx
    ),
    "parquet": WriteFormat((".parquet",), "application/vnd.apache.parquet", write_parquet),
    "vcard": WriteFormat((".vcf", ".vcard"), "text/vcard; charset=utf-8", write_cards),
    "vcard3": WriteFormat(
        (), "text/vcard; version=3.0; charset=utf-8", partial(write_cards, version="3.0")
    ),
}


def export(  # noqa: PLR0913 - the door of a whole face
    ctx: Context,
    info: EntityInfo,
    question: Question,
    format_: str = "csv",
    columns: tuple[str, ...] = (),
    *,
    excel: bool = False,
    heard: Heard = nobody,
) -> Iterator[bytes]:
    """Give everything that matches a question as a file, in pieces; `heard` is told how many rows were written.

    `excel` is for CSV, and writes what a Russian Excel opens without asking.
    """
    if excel and format_ != "csv":
        raise Invalid(_("Only CSV has a form for Excel; leave it out, or take csv."))
    return known_format(format_).write(Asked(ctx, ctx.info(info), question, columns, excel, heard))


def known_format(name: str) -> WriteFormat:
    """Find a format, or refuse with the nearest."""
    if name not in FORMATS:
        raise Invalid(
            _(
                "There is no format {name}; it is one of {known}.",
                name=repr(name[:40]),
                known=", ".join(FORMATS),
            )
            + did_you_mean(name, FORMATS)
        )
    return FORMATS[name]


def format_of(file: str) -> str | None:
    """Find the format of a file by its name.

    >>> format_of("customers.XLSX"), format_of("customers")
    ('xlsx', None)
    """
    suffix = PurePath(file).suffix.lower()
    return next((name for name, one in FORMATS.items() if suffix in one.suffixes), None)


def media_type(media: str) -> str:
    """Give a media type without its parameters.

    >>> media_type("text/csv; charset=utf-8")
    'text/csv'
    """
    return media.partition(";")[0].strip().lower()
