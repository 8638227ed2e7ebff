"""What contacts says on a customer's card. The hook is `customer_card_section`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from clientela.access.principal import SYSTEM
from clientela.customers.card import customer_card
from clientela.storage.database import count_statements
from clientela_contacts import hooks
from clientela_contacts.api import Employment, Group, Membership
from clientela_sdk import App, Customer, Principal
from clientela_sdk.testing.factory import Make


def section(app: App, customer: Customer, who: Principal = SYSTEM) -> Any:
    with app.acting_as(who, face="test", writing=False) as ctx:
        return customer_card(ctx, customer.id)["sections"].get("contacts")


def test_a_person_is_shown_with_employments_and_groups(
    app: App, anna: Customer, roof: Customer, make: Make
) -> None:
    job = make(
        Employment, person_id=anna, organization_id=roof, title="Roofer", department="North",
        role="user", started_on=date(2025, 1, 1), primary=True,
    )  # fmt: skip
    letter = make(Group, name="Newsletter")
    make(Membership, group_id=letter, customer_id=anna)

    assert section(app, anna) == {
        "employments": [
            {
                "id": job.public_id,
                "with": {"id": roof.public_id, "name": "Roof & Sons"},
                "title": "Roofer",
                "department": "North",
                "role": "user",
                "started_on": "2025-01-01",
                "ended_on": None,
                "primary": True,
            }
        ],
        "employment_count": 1,
        "groups": [{"id": letter.public_id, "name": "Newsletter"}],
        "group_count": 1,
    }


def test_an_organization_is_shown_with_its_people(
    app: App, anna: Customer, roof: Customer, make: Make
) -> None:
    make(Employment, person_id=anna, organization_id=roof)

    assert [one["with"]["name"] for one in section(app, roof)["employments"]] == ["Anna"]


def test_a_customer_without_either_has_empty_lists(app: App, anna: Customer) -> None:
    assert section(app, anna) == {
        "employments": [],
        "employment_count": 0,
        "groups": [],
        "group_count": 0,
    }


def test_the_primary_one_comes_first_and_the_past_last(
    app: App, anna: Customer, make: Make
) -> None:
    make(Employment, person_id=anna, title="primary", primary=True)
    make(Employment, person_id=anna, title="past", ended_on=date(2020, 1, 1))
    make(Employment, person_id=anna, title="second")

    titles = [one["title"] for one in section(app, anna)["employments"]]
    assert titles == ["primary", "second", "past"]


def test_many_people_are_counted_and_not_all_shown(app: App, roof: Customer, make: Make) -> None:
    for _ in range(hooks.NEWEST + 3):
        make(Employment, organization_id=roof)

    shown = section(app, roof)
    assert len(shown["employments"]) == hooks.NEWEST
    assert shown["employment_count"] == hooks.NEWEST + 3


def test_the_section_takes_two_statements(app: App, anna: Customer, make: Make) -> None:
    """However many employments and groups there are."""
    for n in range(3):
        make(Employment, person_id=anna)
        make(Membership, group_id=make(Group, name=f"Group {n}"), customer_id=anna)

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        customer = ctx.get(Customer, anna.id)
        counter = count_statements(app.db.engine)
        hooks.customer_card_section(ctx, customer)

    assert len(counter.statements) == 2


def test_what_is_in_the_trash_is_not_shown(
    app: App, anna: Customer, roof: Customer, make: Make
) -> None:
    make(Employment, person_id=anna, organization_id=roof)
    trash = app.registry.action("core.customer.trash")
    app.perform(SYSTEM, lambda ctx: ctx.run(trash, roof.id), face="test")

    assert section(app, anna)["employments"] == []


@pytest.mark.parametrize(
    ("permissions", "parts"),
    [
        (["core.customer.read"], None),
        (
            ["core.customer.read", "contacts.employment.read"],
            {"employments", "employment_count"},
        ),
        (
            ["core.customer.read", "contacts.group.read", "contacts.membership.read"],
            {"groups", "group_count"},
        ),
    ],
)
def test_each_part_needs_its_permission(
    app: App,
    anna: Customer,
    as_role: Callable[..., Principal],
    permissions: list[str],
    parts: set[str] | None,
) -> None:
    shown = section(app, anna, as_role(*permissions))

    assert (set(shown) if shown is not None else None) == parts


def test_a_masked_name_is_masked_here_too(
    app: App, anna: Customer, make: Make, as_role: Callable[..., Principal]
) -> None:
    make(Employment, person_id=anna)

    shown = section(app, anna, as_role("*.read", hidden_classes=["pii"]))

    assert [one["with"]["name"] for one in shown["employments"]] == [None]


def test_rows_out_of_scope_are_neither_shown_nor_counted(
    app: App, anna: Customer, make: Make, as_role: Callable[..., Principal]
) -> None:
    make(Employment, person_id=anna)
    near = make(Customer, kind="organization", name="Near", country="RU")
    make(Employment, person_id=anna, organization_id=near)
    clerk = as_role("*.read", scopes={"core.customer": 'kind = "person" or country = "RU"'})

    shown = section(app, anna, clerk)

    assert [one["with"]["name"] for one in shown["employments"]] == ["Near"]
    assert shown["employment_count"] == 1
