"""What was told, and who has heard it."""

from __future__ import annotations

from typing import Any, TypeVar, overload

import orjson
from sqlalchemy import select

from clientela.app import App
from clientela.context import Context
from clientela.facts import Fact
from clientela.outbox import DELIVERY, OUTBOX

F = TypeVar("F", bound=Fact)


class Facts:
    """Gives the facts that were told so far, in their order: all of them, or those of one class."""

    def __init__(self, app: App, ctx: Context | None) -> None:
        self._app = app
        self._ctx = ctx

    @overload
    def __call__(self) -> list[Fact]: ...
    @overload
    def __call__(self, wanted: type[F]) -> list[F]: ...
    def __call__(self, wanted: type[F] | None = None) -> list[F] | list[Fact]:
        """Give the facts, of one class if one is named."""
        told = self._written() + self._waiting()
        return told if wanted is None else [fact for fact in told if isinstance(fact, wanted)]

    def _written(self) -> list[Fact]:
        query = select(OUTBOX.c.fact, OUTBOX.c.payload).order_by(OUTBOX.c.id)
        with self._app.db.read() as connection:
            return [self._read(*row) for row in connection.execute(query)]

    def _read(self, name: str, payload: Any) -> Fact:
        found = self._app.registry.facts.get(name)
        if found is None:
            raise AssertionError(f"The fact {name} was told, but stands on no card.")
        return found.model_validate_json(orjson.dumps(payload))

    def _waiting(self) -> list[Fact]:
        """Give what the test's own transaction will tell when it ends."""
        if self._ctx is None:
            return []
        self._ctx.flush()
        return list(self._ctx.facts)


class Post:
    """Delivers facts to their subscribers, at once and aloud."""

    def __init__(self, app: App) -> None:
        self._app = app

    def deliver(self) -> int:
        """Deliver what is due, and what that leads to; a subscriber that fails fails the test."""
        heard = 0
        while step := self._app.outbox.deliver():
            heard += step
        failed = [f"{row.subscriber}: {row.error}" for row in self.owed() if row.error]
        assert not failed, f"Subscribers failed: {'; '.join(failed)}"  # noqa: S101 - it is the test's
        return heard

    def owed(self) -> list[Any]:
        """List who has not heard yet: rows with `subscriber`, `attempts`, `due_at`, `dead` and `error`."""
        with self._app.db.read() as connection:
            return list(connection.execute(select(DELIVERY).order_by(DELIVERY.c.id)))
