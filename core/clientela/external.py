"""Keys that other systems give to our records, so that a synchronization can say `by/{source}/{key}`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Column, Index, Table, delete, insert, select

from clientela import ids
from clientela.entity import Entity, EntityInfo
from clientela.errors import BadSyntax
from clientela.i18n.texts import _
from clientela.storage.types import Key, plain_text

if TYPE_CHECKING:
    from clientela.context import Context

EXTERNAL = Table(
    "core_external_key",
    Entity.metadata,
    Column("id", Key, primary_key=True),
    Column("entity", plain_text(), nullable=False),
    Column("source", plain_text(), nullable=False),
    Column("key", plain_text(), nullable=False),
    Column("record_id", Key, nullable=False),
    Index("uq_core_external_key", "entity", "source", "key", unique=True),
    Index("ix_core_external_key_record_id", "record_id"),
)

LONGEST = 300


def find_external(ctx: Context, info: EntityInfo, source: str, key: str) -> str | None:
    """Give the key of the record that another system calls so."""
    _check(source, key)
    table = EXTERNAL.c
    return ctx.connection.execute(
        select(table.record_id).where(
            table.entity == info.name, table.source == source, table.key == key
        )
    ).scalar_one_or_none()


def name_external(ctx: Context, info: EntityInfo, source: str, key: str, record_id: str) -> None:
    """Remember how another system calls a record."""
    _check(source, key)
    ctx.connection.execute(
        insert(EXTERNAL).values(
            id=ids.new_key(), entity=info.name, source=source, key=key, record_id=record_id
        )
    )


def names_of(ctx: Context, keys: Sequence[str]) -> dict[str, list[list[str]]]:
    """Give how other systems call some records: source and key pairs, by record."""
    table = EXTERNAL.c
    query = select(table.record_id, table.source, table.key).where(table.record_id.in_(keys))
    found: dict[str, list[list[str]]] = {}
    for record, source, key in ctx.connection.execute(query.order_by(table.source, table.key)):
        found.setdefault(record, []).append([source, key])
    return found


def forget_names(ctx: Context, keys: Sequence[str]) -> None:
    """Forget the names of records that go for good."""
    ctx.connection.execute(delete(EXTERNAL).where(EXTERNAL.c.record_id.in_(keys)))


def _check(source: str, key: str) -> None:
    if not source or not key or len(source) > LONGEST or len(key) > LONGEST:
        raise BadSyntax(_("A source and a key have 1 to {most} characters.", most=LONGEST))
