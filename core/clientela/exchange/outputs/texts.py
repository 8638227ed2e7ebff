"""The text of a column's raw values, as `kind.csv` writes it, compiled once per column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite as sqlite_dialect

from clientela.fields import Field
from clientela.kinds.choices import ChoiceKind, ListKind
from clientela.kinds.codes import CodeKind
from clientela.kinds.links import RefKind
from clientela.kinds.numbers import BooleanKind, DecimalKind, IntegerKind, MoneyKind
from clientela.kinds.structured import JsonKind, StructuredKind
from clientela.kinds.text import TextKind
from clientela.kinds.times import DayKind, InstantKind
from clientela.storage.types import from_scaled, write_instant
from clientela.values import Money

Texts = Callable[[Sequence[Sequence[Any]]], list[str]]
Text = Callable[[Any], str]


def texts_of(declared: Field, part: str, *, sqlite: bool) -> Texts:
    """Give the function from the raw columns of a field to the texts of its cells; nothing is an empty text."""
    kind = declared.kind
    if isinstance(kind, MoneyKind):
        return _money_currency if part else _money
    if isinstance(kind, StructuredKind):
        return _each(_part_of(part))
    if _is_text(kind):
        return _plain
    text = _text(declared, sqlite=sqlite)
    return _asked(declared, sqlite=sqlite) if text is None else _each(text)


def _is_text(kind: Any) -> bool:
    return isinstance(kind, TextKind | ChoiceKind | CodeKind) and type(kind).csv in _UNCHANGED


_UNCHANGED = {TextKind.csv, ChoiceKind.csv}


def _plain(raw: Sequence[Sequence[Any]]) -> list[str]:
    return [value or "" for value in raw[0]]


def _each(text: Text) -> Texts:
    def write(raw: Sequence[Sequence[Any]]) -> list[str]:
        return ["" if value is None else text(value) for value in raw[0]]

    return write


def _money(raw: Sequence[Sequence[Any]]) -> list[str]:
    return [
        "" if minor is None else str(Money(minor, code)) for minor, code in zip(*raw, strict=True)
    ]


def _money_currency(raw: Sequence[Sequence[Any]]) -> list[str]:
    return [code or "" for code in raw[1]]


def _text(declared: Field, *, sqlite: bool) -> Text | None:
    """Give the function from one raw value to its text, or None where the kind must be asked itself."""
    kind: Any = declared.kind
    makers: tuple[tuple[type, Callable[[], Text]], ...] = (
        (RefKind, lambda: f"{kind.prefix}_{{}}".format),
        (DayKind, lambda: str if sqlite else date.isoformat),
        (InstantKind, lambda: str if sqlite else _instant),
        (BooleanKind, lambda: _truth),
        (IntegerKind, lambda: str),
        (DecimalKind, lambda: lambda units: str(from_scaled(units, kind.places))),
        (ListKind, lambda: lambda raw: kind.csv(_from_json(raw))),
        (JsonKind, lambda: _json),
    )
    for known, maker in makers:
        if isinstance(kind, known) and type(kind).csv is known.csv:  # type: ignore[attr-defined]
            return maker()
    return None


def _asked(declared: Field, *, sqlite: bool) -> Texts:
    """Ask the kind, which may have several columns."""
    makers: Any = sqlite_dialect if sqlite else postgresql.psycopg
    dialect = makers.dialect()
    stored = [type_.dialect_impl(dialect) for type_ in declared.kind.types()]
    processes = [one.result_processor(dialect, None) or (lambda raw: raw) for one in stored]
    kind = declared.kind

    def text(raw: Sequence[Any]) -> str:
        values = [process(one) for process, one in zip(processes, raw, strict=True)]
        return kind.csv(kind.from_columns(values))

    def write(raw: Sequence[Sequence[Any]]) -> list[str]:
        return ["" if values[0] is None else text(values) for values in zip(*raw, strict=True)]

    return write


def _instant(value: datetime) -> str:
    return write_instant(value)


def _truth(value: object) -> str:
    return "true" if value else "false"


def _from_json(raw: Any) -> Any:
    return orjson.loads(raw) if isinstance(raw, str) else raw


def _json(raw: Any) -> str:
    return raw if isinstance(raw, str) else orjson.dumps(raw).decode()


def _part_of(part: str) -> Text:
    def text(raw: Any) -> str:
        parts = _parsed(raw) if isinstance(raw, str) else raw
        return str(parts.get(part, ""))

    return text


@lru_cache(maxsize=4 * 2_000)
def _parsed(raw: str) -> dict[str, str]:
    # A name has five columns, and all of them read the same text.
    return dict(orjson.loads(raw))
