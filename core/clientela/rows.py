"""From stored rows to JSON, without an object between: what lists, cards, exports and feeds read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, type_coerce
from sqlalchemy.types import NullType

from clientela.entity import EntityInfo
from clientela.fields import Field
from clientela.kinds.base import Render

Row = Sequence[Any]


class Reader:
    """Selects the raw columns of some fields and turns a raw row into a JSON-ready dict.

    Result processors are left out on purpose: SQLite stores keys, instants and JSON as the text that is shown, so
    most values pass through untouched.
    """

    def __init__(self, info: EntityInfo, names: tuple[str, ...], *, sqlite: bool) -> None:
        self.info = info
        self.names = names
        self._fields = [info.fields[name] for name in names]
        self._columns = [column.name for f in self._fields for column in f.columns]
        self._plain = all(len(f.columns) == 1 for f in self._fields)
        self._renders = _renders(self._fields, sqlite=sqlite)
        self.width = len(self._columns)

    def columns(self, table: FromClause) -> list[ColumnElement[Any]]:
        """Give the columns to select, raw."""
        return [type_coerce(table.c[name], NullType()).label(None) for name in self._columns]

    def render(self, row: Row) -> dict[str, Any]:
        """Give the JSON-ready dict of a raw row."""
        if self._plain:
            values = dict(zip(self.names, row, strict=False))
            for name, render in self._renders:
                values[name] = render(values[name])
            return values
        return self._render_wide(row)

    def _render_wide(self, row: Row) -> dict[str, Any]:
        renders = dict(self._renders)
        values: dict[str, Any] = {}
        place = 0
        for declared in self._fields:
            width = len(declared.columns)
            raw = row[place] if width == 1 else tuple(row[place : place + width])
            place += width
            render = renders.get(declared.name)
            values[declared.name] = render(raw) if render else raw
        return values


def _renders(fields: Sequence[Field], *, sqlite: bool) -> list[tuple[str, Render]]:
    found: list[tuple[str, Callable[[Any], Any] | None]] = [
        (f.name, f.kind.renderer(sqlite=sqlite)) for f in fields
    ]
    return [(name, render) for name, render in found if render is not None]


@lru_cache(maxsize=4096)
def reader(info: EntityInfo, names: tuple[str, ...], *, sqlite: bool) -> Reader:
    """Give the reader of some fields; the same question has the same reader."""
    return Reader(info, names, sqlite=sqlite)
