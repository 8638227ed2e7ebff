"""What is exported, as a table: a header, and chunks of rows as columns of texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from clientela.entity import EntityInfo
from clientela.errors import Invalid, did_you_mean
from clientela.exchange.outputs.texts import Texts, texts_of
from clientela.fields import Field
from clientela.i18n.texts import _
from clientela.kinds.numbers import MoneyKind
from clientela.kinds.structured import StructuredKind
from clientela.query import Question, readable_names, shape_of, stream

if TYPE_CHECKING:
    from clientela.context import Context

CHUNK = 2_000
PAGE = 10_000

Heard = Callable[[int], None]


def nobody(_count: int) -> None:
    """Hear nothing."""


@dataclass(frozen=True)
class Asked:
    """An export: which records, which columns; `heard` is told of every chunk how many rows it had."""

    ctx: Context
    info: EntityInfo
    question: Question
    columns: tuple[str, ...] = ()
    excel: bool = False
    heard: Heard = nobody


@dataclass(frozen=True)
class Column:
    """A column of the file: a field, or a part of one."""

    field: Field
    part: str
    place: slice
    texts: Texts

    @property
    def name(self) -> str:
        """Give the name by which an import knows it again."""
        return f"{self.field.name}.{self.part}" if self.part else self.field.name


@dataclass(frozen=True)
class Table:
    """The columns of a file and its rows, which can be read once."""

    columns: list[Column]
    rows: Iterator[Any]
    heard: Heard

    @property
    def header(self) -> list[str]:
        """Name the columns."""
        return [column.name for column in self.columns]

    def chunks(self, size: int) -> Iterator[list[list[str]]]:
        """Give the texts of so many rows at once, by column."""
        while chunk := list(islice(self.rows, size)):
            raw = list(zip(*chunk, strict=True))
            yield [column.texts(raw[column.place]) for column in self.columns]
            self.heard(len(chunk))


def table_of(asked: Asked, *, split_money: bool = False) -> Table:
    """Give the table of an export; `split_money` puts a currency beside its amount instead of behind it."""
    ctx, info = asked.ctx, asked.info
    wanted = wanted_columns(ctx, info, asked.columns, split_money=split_money)
    names = tuple(dict.fromkeys(name for name, _ in wanted))
    places = _places(info, names)
    columns = [
        Column(
            info.fields[name], part, places[name],
            texts_of(info.fields[name], part, sqlite=ctx.app.db.is_sqlite),
        )
        for name, part in wanted
    ]  # fmt: skip
    return Table(columns, stream(ctx, info, asked.question, names, size=PAGE), asked.heard)


def _places(info: EntityInfo, names: Sequence[str]) -> dict[str, slice]:
    """Give where the raw columns of each field stand in a row."""
    places, start = {}, 0
    for name in names:
        width = info.fields[name].width
        places[name] = slice(start, start + width)
        start += width
    return places


def wanted_columns(
    ctx: Context, info: EntityInfo, columns: tuple[str, ...], *, split_money: bool = False
) -> list[tuple[str, str]]:
    """Give the fields, and their parts, that a file holds; all that may be seen when none are named."""
    ctx.require(info.permission("export"))
    ctx.require(info.permission("read"))
    wanted: list[tuple[str, str]] = []
    for word in columns or readable_names(ctx, info):
        name, _dot, part = word.partition(".")
        shape_of(ctx, info, (name,), ())
        declared = info.fields[name]
        wanted += [(name, one) for one in _parts(declared, part, split_money=split_money)]
    return list(dict.fromkeys(wanted))


def _parts(declared: Field, part: str, *, split_money: bool) -> list[str]:
    parts = list(declared.kind.parts)
    if part and part not in parts:
        raise Invalid(
            _("{field} has no part {part}.", field=declared.name, part=repr(part[:40]))
            + did_you_mean(part, parts)
        )
    if part:
        return [part]
    if split_money and isinstance(declared.kind, MoneyKind):
        return ["", *parts]
    # One cell could not hold a name without somebody having to guess its parts again.
    return parts if isinstance(declared.kind, StructuredKind) else [""]
