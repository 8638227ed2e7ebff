"""What a deployment remembers of itself beside its records: one value per key, such as the ledger of plugins."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Table, delete, insert, select

from clientela.entity import Entity
from clientela.storage.types import json_type, plain_text

META = Table(
    "core_meta",
    Entity.metadata,
    Column("key", plain_text(), primary_key=True),
    Column("value", json_type(), nullable=False),
)


def remember(connection: Connection, key: str, value: Any) -> None:
    """Keep a JSON value under a key, in place of the one before."""
    forget(connection, key)
    connection.execute(insert(META).values(key=key, value=value))


def recall(connection: Connection, prefix: str) -> dict[str, Any]:
    """Give the values whose keys begin with the prefix, by the rest of the key."""
    rows = connection.execute(select(META.c.key, META.c.value).order_by(META.c.key))
    return {key.removeprefix(prefix): value for key, value in rows if key.startswith(prefix)}


def forget(connection: Connection, key: str) -> None:
    """Forget the value under a key."""
    connection.execute(delete(META).where(META.c.key == key))
