"""What a batch of records asks of the database before it is written, whoever writes it; one query each."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, select, tuple_

from clientela.access.scopes import visible
from clientela.entity import EntityInfo

if TYPE_CHECKING:
    from clientela.context import Context


def among(
    columns: Sequence[ColumnElement[Any]], wanted: Iterable[tuple[Any, ...]]
) -> ColumnElement[bool]:
    """Give the predicate that the columns hold one of some combinations."""
    if len(columns) == 1:
        return columns[0].in_([one[0] for one in wanted])
    return tuple_(*columns).in_(list(wanted))


def changeable(ctx: Context, info: EntityInfo, keys: Sequence[str]) -> set[str]:
    """Give those of some records that this principal may change."""
    if ctx.principal.is_system or not keys:
        return set(keys)
    table = info.table
    query = select(table.c.id).where(
        table.c.id.in_(keys), *visible(ctx, info, table, verb="update")
    )
    return set(ctx.connection.execute(query).scalars())


def taken(
    ctx: Context,
    table: Table,
    columns: Sequence[ColumnElement[Any]],
    wanted: Sequence[tuple[Any, ...]],
) -> dict[tuple[Hashable, ...], str]:
    """Give which unique values are taken and by whom; the trash counts, and so do records nobody may see."""
    if not wanted:
        return {}
    query = select(table.c.id, *columns).where(among(columns, wanted))
    return {tuple(row[1:]): row[0] for row in ctx.connection.execute(query)}
