"""Indexes over custom fields, made on demand from one template, under names that are ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Index, MetaData
from sqlalchemy.schema import CreateIndex, DropIndex

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.entity import EntityInfo
    from clientela.members import MemberField


def create_index(connection: Connection, info: EntityInfo, field: MemberField) -> None:
    """Create the index of a field, if it is not there."""
    if connection.dialect.name == "postgresql":
        # Reading a large table takes longer than any request may.
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    connection.execute(CreateIndex(_index(info, field), if_not_exists=True))


def drop_index(connection: Connection, info: EntityInfo, field: MemberField) -> None:
    """Drop the index of a field, if it is there."""
    connection.execute(DropIndex(_index(info, field), if_exists=True))


def put_back_indexes(app: App) -> None:
    """Create the indexes that are missing: a revision that copies a table of SQLite loses them."""
    with app.db.write() as connection:
        app.definitions.load(connection)
        for info in app.registry.entities.values():
            for field in app.definitions.of(info):
                if field.unique or field.index:
                    create_index(connection, info, field)


def _index(info: EntityInfo, field: MemberField) -> Index:
    # A table of its own: what one deployment indexes must not stick to the declaration, which all share.
    table = info.table.to_metadata(MetaData())
    # The key follows where values repeat, so that pages stay stable.
    columns = [*field.columns_in(table), *([] if field.unique else [table.c.id])]
    return Index(field.index_name, *columns, unique=field.unique, _table=table)
