"""Values of many records are moved in bounded batches, and every batch is in the change log."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from clientela import history
from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.custom import stored
from clientela.customers.entities import Customer
from clientela.history import CHANGE, CHANGE_SET

CUSTOMERS = "/api/v1/core/customers"
MANY = 25


@pytest.fixture
def small_batches(monkeypatch) -> None:
    monkeypatch.setattr(stored, "BATCH", 10)
    monkeypatch.setattr(history, "MOST_HELD", 10)


def logged(app: App, set_id: str) -> tuple[int, int]:
    """Give how many changes a set says it has, and how many it has."""
    key = set_id.removeprefix("chs_")
    with app.db.read() as connection:
        said = connection.execute(
            select(CHANGE_SET.c.rows).where(CHANGE_SET.c.id == key)
        ).scalar_one()
        found = connection.execute(
            select(func.count()).select_from(CHANGE).where(CHANGE.c.set_id == key)
        ).scalar_one()
    return said, found


@pytest.mark.usefixtures("small_batches")
def test_a_purge_of_many_values_is_one_change_set_and_can_be_undone(
    define, act, make, client, app: App, names
) -> None:
    field = define("x_size", "integer")
    for number in range(MANY):
        make(Customer, name=f"Customer {number:02}", x_size=number)
    act(field, "purge", status=204)
    newest = client.get("/api/v1/core/changes", params={"action": "core.custom_field.purge"}).json()
    purged = newest["data"][0]["id"]
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        table = Customer.info.table
        left = ctx.connection.execute(select(table.c.custom).distinct()).scalars().all()
    client.post(f"/api/v1/core/changes/{purged}:undo").raise_for_status()

    assert left == [{}]
    assert logged(app, purged) == (MANY + 1, MANY + 1)
    assert names(filter="x_size >= 20") == [f"Customer {number}" for number in range(20, MANY)]


@pytest.mark.usefixtures("small_batches")
def test_a_default_fills_every_record_there_is(define, make, client) -> None:
    for number in range(MANY):
        make(Customer, name=f"Customer {number:02}")
    define("x_size", "integer", required=True, default=3)

    page = client.get(CUSTOMERS, params={"filter": "x_size = 3", "count": "exact", "limit": "1"})
    assert page.json()["count"]["value"] == MANY


def test_a_record_that_is_purged_is_forgotten_by_custom_references(
    define, customer, client
) -> None:
    define("x_friend_id", "ref", options={"target": "core.customer"})
    anna = customer("Anna")
    boris = customer("Boris", x_friend_id=anna["id"])
    client.post(f"{CUSTOMERS}/{anna['id']}:purge").raise_for_status()

    assert client.get(f"{CUSTOMERS}/{boris['id']}").json()["x_friend_id"] is None


def test_a_custom_reference_may_keep_a_record_from_being_purged(define, customer, client) -> None:
    define("x_friend_id", "ref", options={"target": "core.customer", "on_delete": "restrict"})
    anna = customer("Anna")
    customer("Boris", x_friend_id=anna["id"])

    assert client.post(f"{CUSTOMERS}/{anna['id']}:purge").status_code == 409
