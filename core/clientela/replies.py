"""Replies kept for a while, so that a retried call gets the same answer and has no second effect."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table

from clientela.entity import Entity
from clientela.storage.types import Instant, json_type, plain_text

REPLY = Table(
    "core_idempotency",
    Entity.metadata,
    Column("id", plain_text(), primary_key=True),
    Column("fingerprint", plain_text(), nullable=False),
    Column("at", Instant, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", json_type(), nullable=False),
    Column("media", plain_text(), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("ix_core_idempotency_at", "at"),
)
