"""Who may work where, since when, and where letters go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from clientela.access.principal import SYSTEM
from clientela_contacts.api import (
    Employment,
    EmploymentEnded,
    EndEmployment,
    current_employments,
    end,
)
from clientela_contacts.entities import EmploymentEndedBefore, PrimaryEmploymentExists, WrongSide
from clientela_sdk import App, Context, Customer, Interaction, Invalid, NotFound, Principal
from clientela_sdk.testing.clock import HeldClock
from clientela_sdk.testing.factory import Make
from clientela_sdk.testing.told import Facts, Post


def test_a_person_works_for_an_organization(
    ctx: Context, anna: Customer, roof: Customer, make: Make
) -> None:
    job = make(Employment, person_id=anna, organization_id=roof, title="Roofer")

    assert [one.title for one in current_employments(ctx, anna.id)] == ["Roofer"]
    assert job.primary is False


def test_an_organization_works_for_nobody(roof: Customer, make: Make) -> None:
    with pytest.raises(WrongSide, match="choose a person") as refused:
        make(Employment, person_id=roof)

    assert refused.value.errors[0].pointer == "/person_id"


def test_nobody_works_for_a_person(anna: Customer, make: Make) -> None:
    with pytest.raises(WrongSide, match="choose an organization"):
        make(Employment, organization_id=anna)


def test_the_sides_are_known_before_they_are_written(ctx: Context) -> None:
    """An import brings a person, a firm and the employment in one go."""
    firm = ctx.add(Customer(kind="organization", name="Roof & Sons"))
    ctx.add(Employment(person_id=firm.id, organization_id=firm.id))

    with pytest.raises(WrongSide):
        ctx.flush()


def test_an_employment_does_not_end_before_it_began(make: Make) -> None:
    with pytest.raises(Invalid, match="before it began"):
        make(Employment, started_on=date(2026, 3, 2), ended_on=date(2026, 3, 1))


# the primary one ------------------------------------------------------------------------------------------------------


def test_a_second_primary_employment_is_refused(anna: Customer, roof: Customer, make: Make) -> None:
    make(Employment, person_id=anna, organization_id=roof, primary=True)

    with pytest.raises(PrimaryEmploymentExists, match="at Roof & Sons; end it or make it second"):
        make(Employment, person_id=anna, primary=True)


def test_two_primary_employments_at_once_are_refused(
    ctx: Context, anna: Customer, roof: Customer
) -> None:
    for _ in range(2):
        ctx.add(Employment(person_id=anna.id, organization_id=roof.id, primary=True))

    with pytest.raises(PrimaryEmploymentExists):
        ctx.flush()


def test_the_primary_employment_moves_in_one_transaction(
    ctx: Context, anna: Customer, make: Make
) -> None:
    old = make(Employment, person_id=anna, primary=True)
    new = make(Employment, person_id=anna)

    old.primary, new.primary = False, True
    ctx.flush()

    assert current_employments(ctx, anna.id)[0] is new


def test_after_the_last_day_another_one_may_be_primary(
    anna: Customer, clock: HeldClock, make: Make
) -> None:
    make(Employment, person_id=anna, primary=True, ended_on=clock().date())

    with pytest.raises(PrimaryEmploymentExists):
        make(Employment, person_id=anna, primary=True)
    clock.forward(days=1)
    make(Employment, person_id=anna, primary=True)


def test_another_person_has_a_primary_employment_too(roof: Customer, make: Make) -> None:
    for _ in range(2):
        make(Employment, organization_id=roof, primary=True)


def test_what_comes_back_from_the_trash_is_no_second_primary_one(
    app: App, ctx: Context, anna: Customer, make: Make
) -> None:
    trashed = make(Employment, person_id=anna, primary=True)
    ctx.run(app.registry.action("contacts.employment.trash"), trashed)
    make(Employment, person_id=anna, primary=True)

    with pytest.raises(PrimaryEmploymentExists):
        ctx.run(app.registry.action("contacts.employment.restore"), trashed.id)


def test_the_refusal_does_not_name_what_may_not_be_known(
    app: App, anna: Customer, roof: Customer, make: Make, as_role: Callable[..., Principal]
) -> None:
    make(Employment, person_id=anna, organization_id=roof, primary=True)
    other = make(Customer, kind="organization", name="Brick & Co", country="DE")
    clerk = as_role(
        "core.customer.*", "contacts.*",
        scopes={"core.customer": 'kind = "person" or country = "DE"'},
    )  # fmt: skip

    with (
        pytest.raises(PrimaryEmploymentExists, match="at another organization"),
        app.acting_as(clerk, face="test") as ctx,
    ):
        ctx.add(Employment(person_id=anna.id, organization_id=other.id, primary=True))


# the end --------------------------------------------------------------------------------------------------------------


def test_an_employment_ends_today_unless_a_day_is_named(
    ctx: Context, clock: HeldClock, make: Make, facts: Facts
) -> None:
    job = make(Employment)

    end(ctx, job, EndEmployment())

    assert job.ended_on == clock().date()
    assert [fact.ended_on for fact in facts(EmploymentEnded)] == [job.ended_on]
    assert current_employments(ctx, job.person_id) == [job]


def test_an_employment_ends_once(ctx: Context, make: Make) -> None:
    job = make(Employment, ended_on=date(2026, 1, 31))

    with pytest.raises(EmploymentEndedBefore, match="2026-01-31"):
        end(ctx, job, EndEmployment())


def test_who_left_is_noted_in_the_history_once(
    app: App, anna: Customer, roof: Customer, make: Make, outbox: Post
) -> None:
    """The first subscription of the house: what is told as a fact becomes a line of the customer's history."""
    job = make(Employment, person_id=anna, organization_id=roof)
    app.perform(
        SYSTEM, lambda ctx: end(ctx, job.id, EndEmployment(ended_on=date(2026, 6, 30))), face="test"
    )

    assert outbox.deliver() == 1
    assert outbox.deliver() == 0
    assert notes(app, anna) == ["Anna left Roof & Sons"]


def test_who_is_gone_altogether_gets_no_note(
    app: App, anna: Customer, roof: Customer, make: Make, outbox: Post
) -> None:
    job = make(Employment, person_id=anna, organization_id=roof)
    app.perform(SYSTEM, lambda ctx: end(ctx, job.id, EndEmployment()), face="test")
    purge = app.registry.action("core.customer.purge")
    app.perform(SYSTEM, lambda ctx: ctx.run(purge, roof.id), face="test")

    outbox.deliver()

    assert notes(app, anna) == []


def notes(app: App, person: Customer) -> list[str]:
    table = Interaction.info.table
    query = table.select().where(table.c.customer_id == person.id, table.c.channel == "note")
    with app.db.read() as connection:
        return [row.subject for row in connection.execute(query)]


# through the faces ----------------------------------------------------------------------------------------------------


def test_rest_ends_an_employment(client: Any, make: Make) -> None:
    job = make(Employment)
    path = f"/api/v1/contacts/employments/{job.public_id}"

    reply = client.post(f"{path}:end", json={"ended_on": "2026-06-30"})

    assert reply.status_code == 200, reply.text
    assert client.get(path).json()["ended_on"] == "2026-06-30"
    assert client.post(f"{path}:end", json={}).status_code == 409


def test_rest_does_not_change_the_last_day_by_the_way(client: Any, make: Make) -> None:
    """Ending is told; a plain change of the day would not be."""
    job = make(Employment)
    path = f"/api/v1/contacts/employments/{job.public_id}"

    assert client.patch(path, json={"ended_on": "2026-06-30"}).status_code == 422


def test_who_may_not_see_the_organization_does_not_see_the_employment(
    app: App, anna: Customer, make: Make, as_role: Callable[..., Principal]
) -> None:
    job = make(Employment, person_id=anna)
    clerk = as_role("core.customer.*", "contacts.*", scopes={"core.customer": 'kind = "person"'})

    with app.acting_as(clerk, face="test", writing=False) as ctx:
        assert current_employments(ctx, anna.id) == []
        with pytest.raises(NotFound):
            ctx.get(Employment, job.id)
