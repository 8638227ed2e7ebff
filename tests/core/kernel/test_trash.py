"""The trash takes along what belongs to a record, and gives it back."""

from __future__ import annotations

import pytest

from clientela.access.principal import SYSTEM
from clientela.changes import Wanted, list_sets, undo
from clientela.customers.entities import Address, Customer, Interaction
from clientela.query import Question, list_page
from clientela.values import PostalAddress


@pytest.fixture
def act(app):
    def acted(verb, key):
        action = app.registry.action(f"core.{verb}")
        with app.acting_as(SYSTEM, face="test") as ctx:
            ctx.run(action, key)

    return acted


def shown(app, entity):
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        return [row["id"] for row in list_page(ctx, entity.info, Question(sort="id")).rows]


@pytest.fixture
def anna(make, clock):
    made = make(Customer, name="Anna")
    for _ in range(3):
        make(Interaction, customer_id=made.id, channel="phone", at=clock())
    make(Address, customer_id=made.id, address=PostalAddress(city="Kazan"))
    return made


def test_what_belongs_to_a_record_goes_with_it_and_comes_back(app, act, anna, make, clock):
    other = make(Interaction, customer_id=make(Customer).id, channel="phone", at=clock())
    calls, addresses = shown(app, Interaction), shown(app, Address)

    act("customer.trash", anna.id)
    assert shown(app, Interaction) == [other.public_id]
    assert shown(app, Address) == []

    clock.forward(days=3)
    act("customer.restore", anna.id)
    assert (shown(app, Interaction), shown(app, Address)) == (calls, addresses)


def test_what_was_in_the_trash_before_stays_there(app, act, anna, clock):
    first, *rest = shown(app, Interaction)
    act("interaction.trash", first)
    clock.forward(seconds=1)

    act("customer.trash", anna.id)
    act("customer.restore", anna.id)

    assert shown(app, Interaction) == rest


def test_it_is_one_change_set(app, act, anna):
    act("customer.trash", anna.id)
    with app.acting_as(SYSTEM, face="test") as ctx:
        [newest] = list_sets(ctx, Wanted(limit=1))
        assert newest["rows"] == 5
        undo(ctx, newest["id"])

    assert len(shown(app, Interaction)) == 3
    assert shown(app, Customer) == [anna.public_id]


def test_a_record_of_which_nothing_belongs_costs_one_more_statement(app, make, act):
    from clientela.storage.database import count_statements

    alone = make(Customer)
    counter = count_statements(app.db.engine)
    act("customer.trash", alone.id)

    assert sum("UNION ALL" in statement for statement in counter.statements) == 1
    assert not any("UPDATE core_interaction" in statement for statement in counter.statements)
