"""Customers come into groups and leave them, many at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from clientela.access.principal import SYSTEM
from clientela_contacts.api import (
    Group,
    Members,
    MembersAdded,
    Membership,
    MembersRemoved,
    add_members,
    find_group,
    remove_members,
)
from clientela_sdk import (
    App,
    Conflict,
    Context,
    Customer,
    Forbidden,
    Invalid,
    Principal,
    RecordCreated,
)
from clientela_sdk.testing.factory import Make
from clientela_sdk.testing.told import Facts


@pytest.fixture
def letter(make: Make) -> Group:
    return make(Group, name="Newsletter")


def members(app: App, group: Group) -> int:
    table = Membership.info.table
    with app.db.read() as connection:
        return len(connection.execute(table.select().where(table.c.group_id == group.id)).all())


def test_a_group_is_found_by_its_name(ctx: Context, letter: Group) -> None:
    assert find_group(ctx, "Newsletter") is letter
    assert find_group(ctx, "Oldsletter") is None


def test_two_groups_do_not_share_a_name(make: Make, letter: Group) -> None:
    with pytest.raises(Conflict, match="same name"):
        make(Group, name="Newsletter")


def test_customers_join_a_group(
    ctx: Context, make: Make, letter: Group, anna: Customer, facts: Facts
) -> None:
    bob = make(Customer, name="Bob")

    add_members(ctx, letter, Members(customers=[anna.public_id, bob.id]))

    assert facts(MembersAdded) == [
        MembersAdded(group_id=letter.public_id, customer_ids=(anna.public_id, bob.public_id))
    ]


def test_who_belongs_to_it_already_stays(
    ctx: Context, letter: Group, anna: Customer, roof: Customer, facts: Facts
) -> None:
    add_members(ctx, letter, Members(customers=[anna.id]))
    add_members(ctx, letter, Members(customers=[anna.id, roof.id, roof.id]))
    add_members(ctx, letter, Members(customers=[roof.id]))

    assert [len(fact.customer_ids) for fact in facts(MembersAdded)] == [1, 1]


def test_one_who_is_not_there_keeps_all_out(
    ctx: Context, letter: Group, anna: Customer, facts: Facts
) -> None:
    with pytest.raises(Invalid, match="1 of these 2 customers") as refused:
        add_members(ctx, letter, Members(customers=[anna.id, letter.id]))

    assert [problem.pointer for problem in refused.value.errors] == ["/customers/1"]
    assert facts(MembersAdded) == []


def test_who_leaves_may_come_back(
    ctx: Context, letter: Group, anna: Customer, roof: Customer, facts: Facts
) -> None:
    both = Members(customers=[anna.id, roof.id])
    add_members(ctx, letter, both)

    remove_members(ctx, letter, Members(customers=[anna.id]))
    remove_members(ctx, letter, both)
    remove_members(ctx, letter, both)
    add_members(ctx, letter, both)

    assert [fact.customer_ids for fact in facts(MembersRemoved)] == [
        (anna.public_id,),
        (roof.public_id,),
    ]


def test_a_thousand_join_at_once(app: App, make: Make, letter: Group) -> None:
    keys = app.perform(
        SYSTEM,
        lambda ctx: [ctx.add(Customer(name=f"Customer {n}")).id for n in range(1_000)],
        face="test",
    )

    app.perform(
        SYSTEM, lambda ctx: add_members(ctx, letter.id, Members(customers=keys)), face="test"
    )

    assert members(app, letter) == 1_000


@pytest.mark.parametrize("number", [0, 1_001])
@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_nobody_and_too_many_are_refused(anna: Customer, number: int) -> None:
    with pytest.raises(ValidationError, match=r"1 item|1000 items"):
        Members(customers=[anna.id] * number)


def test_what_may_not_be_seen_cannot_be_added(
    app: App, letter: Group, anna: Customer, roof: Customer, as_role: Callable[..., Principal]
) -> None:
    clerk = as_role("core.customer.read", "contacts.*", scopes={"core.customer": 'kind = "person"'})

    with app.acting_as(clerk, face="test") as ctx:
        add_members(ctx, letter.id, Members(customers=[anna.id]))
        with pytest.raises(Invalid, match="are not there"):
            add_members(ctx, letter.id, Members(customers=[roof.id]))


def test_who_may_only_read_adds_nobody(
    app: App, letter: Group, anna: Customer, as_role: Callable[..., Principal]
) -> None:
    reader = as_role("*.read")

    with (
        pytest.raises(Forbidden, match=r"contacts\.group\.add_members"),
        app.acting_as(reader, face="test") as ctx,
    ):
        add_members(ctx, letter.id, Members(customers=[anna.id]))


def test_a_membership_is_told_like_every_record(
    make: Make, anna: Customer, letter: Group, facts: Facts
) -> None:
    make(Membership, group_id=letter, customer_id=anna)

    assert facts(RecordCreated)[-1].entity == "contacts.membership"


def test_rest_adds_and_removes(client: Any, letter: Group, anna: Customer, app: App) -> None:
    path = f"/api/v1/contacts/groups/{letter.public_id}"

    added = client.post(f"{path}:add_members", json={"customers": [anna.public_id]})
    assert added.status_code == 200, added.text
    assert members(app, letter) == 1

    client.post(f"{path}:remove_members", json={"customers": [anna.public_id]})
    assert members(app, letter) == 0


def test_rest_points_at_the_id_that_is_none(client: Any, letter: Group) -> None:
    path = f"/api/v1/contacts/groups/{letter.public_id}:add_members"

    reply = client.post(path, json={"customers": ["Anna"]})

    assert reply.status_code == 422
    assert reply.json()["errors"][0]["pointer"] == "/customers/0"
