"""What the tests of the kernel share: acting by the name of an action, and looking at everything a database holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest
from sqlalchemy import MetaData, select

from clientela.access.principal import SYSTEM, Principal
from clientela.app import App

Dump = dict[str, list[tuple[Any, ...]]]


class Act(Protocol):
    """Runs an action in a transaction of its own and gives what it gave."""

    def __call__(
        self, name: str, record: Any = None, data: Any = None, *, by: Principal = SYSTEM, **how: Any
    ) -> Any: ...


@pytest.fixture
def act(app: App) -> Act:
    """Run an action by its name: `act("core.customer.update", anna.id, {"name": "Anna"}, by=rep)`."""

    def run(
        name: str, record: Any = None, data: Any = None, *, by: Principal = SYSTEM, **how: Any
    ) -> Any:
        action = app.registry.action(name)
        base_rev = how.pop("base_rev", None)
        return app.perform(
            by,
            lambda ctx: ctx.run(action, record, data, base_rev=base_rev),
            **({"face": "test"} | how),
        )

    return run


@pytest.fixture
def dump(app: App) -> Callable[[], Dump]:
    """Give every row of every table, so that two moments can be compared."""

    def give() -> Dump:
        tables = MetaData()
        tables.reflect(app.db.engine)
        with app.db.read() as connection:
            return {
                name: sorted(
                    (tuple(row) for row in connection.execute(select(table))),
                    key=repr,
                )
                for name, table in tables.tables.items()
            }

    return give


@pytest.fixture
def rows(app: App) -> Callable[..., list[dict[str, Any]]]:
    """Give the rows of a table as dicts: `rows(CHANGE, entity="core.customer")`."""

    def give(table: Any, **having: Any) -> list[dict[str, Any]]:
        query = select(table).where(*(table.c[name] == value for name, value in having.items()))
        with app.db.read() as connection:
            return [dict(row) for row in connection.execute(query.order_by(table.c.id)).mappings()]

    return give
