"""A neighbour that does everything wrong costs its own part, and is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from clientela.access.principal import SYSTEM
from clientela.customers.entities import Customer
from clientela.errors import Conflict
from clientela.facts import Fact, RecordCreated, on
from clientela.health import Check
from clientela.hookspecs import hookimpl
from clientela.plugins.card import Plugin
from clientela.plugins.loading import installed_cards


class Shouted(Fact, plugin="hostile"):
    """Somebody shouted."""


def cyclic() -> dict[str, Any]:
    """Give what contains itself."""
    made: dict[str, Any] = {}
    made["me"] = made
    return made


JUNK: dict[str, Any] = {
    "an object": lambda: {"x": object()},
    "no object": lambda: ["a", "list"],
    "a whole book": lambda: {"x": "y" * 2_000_000},
    "itself": cyclic,
    "a number JSON has none for": lambda: {"x": 1 << 80},
}
ERRORS: dict[str, BaseException] = {
    "raises": RuntimeError("boom"),
    "exits": SystemExit(3),
    "recurses": RecursionError(),
    "runs out of memory": MemoryError(),
}


def raising(error: BaseException) -> Any:
    def fail() -> Any:
        raise error

    return fail


DOES: dict[str, Any] = {
    **JUNK,
    **{name: raising(error) for name, error in ERRORS.items()},
    "a text": lambda: "1 = 1",
    "a bare truth": lambda: True,
    "no checks": lambda: [3],
}


class Hostile:
    """Does what a test tells it to do."""

    def __init__(self) -> None:
        self.card: Any = dict
        self.scope: Any = None
        self.checks: Any = list

    @hookimpl
    def customer_card_section(self, ctx: Any) -> Any:
        return self.card()

    @hookimpl
    def row_scope(self, ctx: Any, entity: Any) -> Any:
        return self.scope() if self.scope and entity.name == "core.customer" else None

    @hookimpl
    def health_checks(self, app: Any) -> Any:
        return self.checks()


@on(RecordCreated)
def shout(ctx: Any, fact: RecordCreated) -> None:
    """Tell more than anybody wants to hear."""
    for _ in range(20_000):
        ctx.tell(Shouted())


@pytest.fixture
def hostile() -> Hostile:
    return Hostile()


@pytest.fixture
def plugins(hostile: Hostile) -> Sequence[Plugin]:
    card = Plugin(
        name="hostile", title="Hostile", hooks=[hostile], facts=[Shouted], subscriptions=[shout]
    )
    return [*installed_cards(), card]


@pytest.mark.parametrize("does", [*JUNK, *ERRORS])
def test_a_card_is_shown_without_its_section(app, hostile, client, make, does: str) -> None:
    hostile.card = DOES[does]
    ann = make(Customer, name="Ann")

    reply = client.get(f"/api/v1/core/customers/{ann.public_id}/card")

    assert reply.status_code == 200
    assert set(reply.json()["sections"]) == {"core", "contacts"}
    assert {one.plugin for one in app.hooks.failures} == {"hostile"}


@pytest.mark.parametrize("does", [*ERRORS, "a text", "a bare truth"])
def test_a_guard_that_breaks_closes_and_says_who_it_was(hostile, client, does: str) -> None:
    hostile.scope = DOES[does]

    refused = client.get("/api/v1/core/customers")

    assert refused.status_code == 500
    assert "The plugin hostile failed while it was asked row_scope" in refused.json()["detail"]
    assert client.get("/api/v1/core/roles").status_code == 200


@pytest.mark.parametrize("does", [*ERRORS, "a text", "no checks"])
def test_the_doctor_is_not_infected(hostile, cli, does: str) -> None:
    hostile.checks = DOES[does]

    done = cli("doctor", "-o", "json")

    assert "Traceback" not in done.stdout
    assert '"section": "disk"' in done.stdout


def test_its_sound_checks_are_shown(hostile, cli) -> None:
    hostile.checks = lambda: [Check("mood", "warn", "Not in the mood.")]

    assert "Not in the mood." in cli("doctor", "-o", "json").stdout


def test_a_flood_of_facts_is_refused_and_named(app) -> None:
    with pytest.raises(Conflict, match=r"facts such as hostile\.shouted"):  # noqa: SIM117 - one story
        with app.acting_as(SYSTEM, face="test") as ctx:
            shout.handler(ctx, RecordCreated(entity="core.customer", record="x"))


def test_a_subscriber_that_floods_owes_its_own_debt_alone(app, make, client) -> None:
    make(Customer, name="Ann")

    app.outbox.deliver()

    with app.db.read() as connection:
        from clientela.outbox import DELIVERY

        debts = connection.execute(DELIVERY.select()).mappings().all()
    assert {one["subscriber"] for one in debts} == {shout.name}
    assert all("hostile.shouted" in one["error"] for one in debts)
    assert client.get("/api/v1/core/customers").status_code == 200


def test_one_that_fails_three_times_is_not_asked_again_at_once(app, hostile, client, make) -> None:
    asked: list[int] = []

    def fail() -> Any:
        asked.append(1)
        raise RuntimeError("boom")

    hostile.card = fail
    ann = make(Customer, name="Ann")
    for _ in range(5):
        client.get(f"/api/v1/core/customers/{ann.public_id}/card")

    assert len(asked) == 3
