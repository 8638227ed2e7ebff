"""Loading sample data: through the same door as everything else, and marked so that it can be found again."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select

from clientela.access.entities import User
from clientela.access.passwords import hash_password
from clientela.access.principal import system
from clientela.access.seed import seed_roles
from clientela.demo.stories import tell
from clientela.demo.words import LANGUAGES, words_of
from clientela.errors import Conflict
from clientela.history import CHANGE_SET

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.context import Context

T = TypeVar("T")

# Every change set of the sample data has it; so it can be told from what people entered.
REASON = "demo data"
# Customers of one transaction.
BATCH = 200

Progress = Callable[[int, int], None]


def load(
    app: App, *, customers: int = 300, seed: int = 7, progress: Progress | None = None
) -> dict[str, int]:
    """Fill an empty deployment with sample data and give how many records of each entity were made.

    The same seed gives the same customers on any machine, up to keys and the present moment, to which all dates are
    relative. `progress` is told after each batch how many customers are in, and of how many. A deployment takes
    sample data once: a second load would double every customer.
    """
    _refuse_second(app)
    seed_roles(app)
    rng = Random(seed)  # noqa: S311 - sample data, no secret
    made: Counter[str] = Counter()
    owners = _do(app, made, _users)
    keys: list[str] = []
    while len(keys) < customers:
        numbers = range(len(keys) + 1, min(len(keys) + BATCH, customers) + 1)
        keys += _do(app, made, lambda ctx, ns=numbers: _customers(ctx, rng, ns, owners))  # type: ignore[misc]
        if progress is not None:
            progress(len(keys), customers)
    own = Random(f"{seed}/plugins")  # noqa: S311 - sample data, no secret
    _do(app, made, lambda ctx: ctx.hook.demo_records(ctx=ctx, rng=own, customers=keys))
    return dict(sorted(made.items()))


def _refuse_second(app: App) -> None:
    with app.db.read() as connection:
        query = select(CHANGE_SET.c.id).where(CHANGE_SET.c.reason == REASON).limit(1)
        if connection.execute(query).first() is not None:
            raise Conflict(
                f"There is sample data here already: its change sets have the reason {REASON!r}. "
                "Load into another database."
            )


def _do(app: App, made: Counter[str], work: Callable[[Context], T]) -> T:
    """Do a part of the work in one transaction, and count what it made."""
    with app.acting_as(system("demo"), face="demo", reason=REASON) as ctx:
        result = work(ctx)
        ctx.flush()
        if ctx.changes is not None:
            made.update(one.entity for one in ctx.changes.changes if one.kind == "create")
    return result


def _users(ctx: Context) -> list[User]:
    """Make the colleagues who own the customers; their passwords are known to nobody."""
    users: list[User] = []
    password = hash_password(secrets.token_urlsafe(32))
    for language in LANGUAGES:
        for name in words_of(language).users["names"]:
            number = len(users) + 1
            user = User(
                name=name, email=f"colleague{number}@example.com", language=language, roles=["employee"],
                password_hash=password,
            )  # fmt: skip
            users.append(ctx.add(user))
    return users


def _customers(ctx: Context, rng: Random, numbers: range, owners: list[User]) -> list[str]:
    keys = []
    for number in numbers:
        records = tell(rng, number, ctx.now, owners)
        for record in records:
            ctx.add(record)
        keys.append(records[0].id)
    return keys
