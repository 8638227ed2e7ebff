"""From stored rows to JSON, without an object between: what lists, cards, exports and feeds read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, Select, select

from clientela.entity import EntityInfo
from clientela.fields import Field
from clientela.kinds.base import Render

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity

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
        self._plain = all(f.width == 1 for f in self._fields)
        self._renders = _renders(self._fields, sqlite=sqlite)
        self._raw: list[ColumnElement[Any]] = [one for f in self._fields for one in f.raw()]
        self.width = len(self._raw)

    def select_from(self, table: FromClause, *more: ColumnElement[Any]) -> Select[Any]:
        """Begin a statement that selects the raw columns, and more behind them."""
        return select(*self._raw, *more).select_from(table)

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
            width = declared.width
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


def record_dict(ctx: Context, record: Entity) -> dict[str, Any]:
    """Give the JSON-ready dict of a record object, without what this principal may not see."""
    masked = ctx.principal.hidden_classes
    made: dict[str, Any] = {}
    for name, declared in ctx.info(record).visible.items():
        if declared.field_class in masked and masked:
            continue
        value = declared.get(record)
        made[name] = None if value is None else declared.kind.dump(value)
    return made
