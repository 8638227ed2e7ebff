"""Indexes over custom fields, made on demand from one template, under names that are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Index, MetaData
from sqlalchemy.schema import CreateIndex, DropIndex

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo
    from clientela.members import MemberField


def create_index(ctx: Context, info: EntityInfo, field: MemberField) -> None:
    """Create the index of a field; the key follows in one that is not unique, so that pages stay stable."""
    ctx.connection.execute(CreateIndex(_index(info, field)))


def drop_index(ctx: Context, info: EntityInfo, field: MemberField) -> None:
    """Drop the index of a field, if it is there."""
    ctx.connection.execute(DropIndex(_index(info, field), if_exists=True))


def _index(info: EntityInfo, field: MemberField) -> Index:
    # A table of its own: what one deployment indexes must not stick to the declaration, which all share.
    table = info.table.to_metadata(MetaData())
    columns = [*field.columns_in(table), *([] if field.unique else [table.c.id])]
    return Index(field.index_name, *columns, unique=field.unique, _table=table)
