"""The outbox: facts leave with the commit, and every subscriber hears each of them at least once."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, select, update

from clientela import ids
from clientela.access.principal import system
from clientela.entity import Entity
from clientela.storage.types import Instant, Key, json_type, plain_text

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.context import Context
    from clientela.facts import Fact

log = logging.getLogger("clientela.outbox")

OUTBOX = Table(
    "core_outbox",
    Entity.metadata,
    Column("id", Key, primary_key=True),
    Column("set_id", Key),
    Column("at", Instant, nullable=False),
    Column("actor", plain_text(), nullable=False),
    Column("fact", plain_text(), nullable=False),
    Column("payload", json_type(), nullable=False),
)

# One row per subscriber who has not heard yet; it goes when the subscriber has, and stays as a dead letter when not.
DELIVERY = Table(
    "core_delivery",
    Entity.metadata,
    Column("id", Key, primary_key=True),
    Column("outbox_id", Key, ForeignKey("core_outbox.id"), nullable=False),
    Column("subscriber", plain_text(), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("error", Text),
    Index("ix_core_delivery_due", "dead", "due_at"),
)

ATTEMPTS = 8
BATCH = 100


class Outbox:
    """Writes facts with the change and delivers them after it."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._turn = threading.Lock()

    def write(self, ctx: Context, facts: list[Fact]) -> None:
        """Write facts and what is owed to their subscribers into the transaction."""
        if not facts:
            return
        rows, owed = [], []
        set_id = ctx.changes.id if ctx.changes is not None else None
        for fact in facts:
            row = {
                "id": ids.new_key(), "set_id": set_id, "at": ctx.now, "actor": ctx.principal.id,
                "fact": fact.name, "payload": orjson.loads(fact.model_dump_json()),
            }  # fmt: skip
            rows.append(row)
            owed += [
                _debt(row["id"], s.name, ctx.now) for s in self._app.registry.subscribers(fact.name)
            ]
        ctx.connection.execute(OUTBOX.insert(), rows)
        if owed:
            ctx.connection.execute(DELIVERY.insert(), owed)

    def deliver(self) -> int:
        """Deliver what is due and give how many were heard; one thread of a process at a time."""
        if not self._turn.acquire(blocking=False):
            return 0
        try:
            return sum(self._deliver_one(row) for row in self._due())
        finally:
            self._turn.release()

    def _due(self) -> list[Any]:
        query = (
            select(
                DELIVERY.c.id,
                DELIVERY.c.subscriber,
                DELIVERY.c.attempts,
                OUTBOX.c.fact,
                OUTBOX.c.payload,
                OUTBOX.c.set_id,
            )
            .join_from(DELIVERY, OUTBOX, OUTBOX.c.id == DELIVERY.c.outbox_id)
            .where(
                DELIVERY.c.dead.is_(False),
                DELIVERY.c.due_at <= self._app.clock(),
                # What is owed to a disabled plugin waits, and must not fill the batch.
                DELIVERY.c.subscriber.in_(list(self._app.registry.subscriptions)),
            )
            .order_by(DELIVERY.c.id)
            .limit(BATCH)
        )
        with self._app.db.read() as connection:
            return list(connection.execute(query))

    def _deliver_one(self, row: Any) -> bool:
        subscription = self._app.registry.subscriptions[row.subscriber]
        try:
            with self._app.acting_as(
                system(row.subscriber), face="subscriber", cause=row.set_id
            ) as ctx:
                if not _claim(ctx, row.id):
                    return False
                subscription.handler(
                    ctx, subscription.fact.model_validate_json(orjson.dumps(row.payload))
                )
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # not even an exit may keep the others waiting
            log.exception("subscriber %s failed on %s", row.subscriber, row.fact)
            self._postpone(row, error)
            return False
        return True

    def _postpone(self, row: Any, error: BaseException) -> None:
        """Wait twice as long after each failure; after the last the letter is dead and waits for a person."""
        attempts = row.attempts + 1
        with self._app.db.write() as connection:
            connection.execute(
                update(DELIVERY)
                .where(DELIVERY.c.id == row.id)
                .values(
                    attempts=attempts,
                    dead=attempts >= ATTEMPTS,
                    due_at=self._app.clock() + timedelta(seconds=2**attempts),
                    error=f"{type(error).__name__}: {error}"[:500],
                )
            )


def _debt(outbox_id: str, subscriber: str, now: datetime) -> dict[str, Any]:
    return {
        "id": ids.new_key(), "outbox_id": outbox_id, "subscriber": subscriber,
        "attempts": 0, "due_at": now, "dead": False, "error": None,
    }  # fmt: skip


def _claim(ctx: Context, delivery: str) -> bool:
    """Take the debt off in the subscriber's transaction: what it writes and that it heard stand or fall together."""
    deleted = ctx.connection.execute(DELIVERY.delete().where(DELIVERY.c.id == delivery))
    return deleted.rowcount == 1
