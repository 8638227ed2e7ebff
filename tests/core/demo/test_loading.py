"""Sample data looks like the data of a real business, and belongs to nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from clientela import normalize
from clientela.access.entities import User
from clientela.customers.entities import Consent, Customer, Decision, Identifier, Interaction
from clientela.demo import REASON, load, people
from clientela.demo.stories import tell
from clientela.entity import Entity
from clientela.errors import Conflict
from clientela.history import CHANGE_SET
from clientela_sdk import App
from clientela_sdk.testing.clock import HeldClock

NOW = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)
MANY = 400


def stories() -> list[list[Entity]]:
    rng, owner = Random(7), User(id="0" * 26, name="Grace")
    return [tell(rng, number, NOW, [owner]) for number in range(1, MANY + 1)]


STORIES = stories()


def told(entity: type[Any]) -> list[Any]:
    return [record for story in STORIES for record in story if isinstance(record, entity)]


# the stories ----------------------------------------------------------------------------------------------------------


def test_two_thirds_are_persons_and_half_speak_russian() -> None:
    customers = told(Customer)

    assert 0.6 < sum(c.kind == "person" for c in customers) / MANY < 0.8
    assert 0.4 < sum(c.language == "ru" for c in customers) / MANY < 0.6


def test_the_parts_of_a_russian_name_agree() -> None:
    for customer in told(Customer):
        if customer.kind == "person" and customer.language == "ru":
            woman = customer.person.patronymic.endswith("на")
            assert customer.name == customer.person.full("ru")
            assert not (customer.person.family.endswith(("ова", "ева", "ая")) and not woman)
            assert not (customer.person.family.endswith(("ов", "ев", "ий")) and woman)


def test_no_number_and_no_address_leads_to_anybody() -> None:
    customers = told(Customer)

    for customer in customers:
        assert normalize.normalize_phone(customer.phone) == customer.phone
        assert customer.phone.startswith("+79000") or customer.phone[5:10] == "55501"
        assert normalize.normalize_email(customer.email) == customer.email
        assert customer.email.endswith(("@example.com", "@example.org"))
    assert len({c.phone for c in customers}) == len({c.email for c in customers}) == MANY


def test_organizations_of_russia_have_tax_numbers_that_fit() -> None:
    numbers = [one.value for one in told(Identifier) if one.kind == "inn"]

    assert len(numbers) > 20
    assert all(normalize.normalize_inn(number) == number for number in numbers)
    assert all(normalize.normalize_inn(people.inn(n)) for n in range(1, 2_000, 7))


def test_something_happened_with_everybody_in_the_last_eighteen_months() -> None:
    for story in STORIES:
        assert 3 <= sum(isinstance(one, Interaction) for one in story) <= 8
    moments = [one.at for one in told(Interaction)]
    assert NOW - timedelta(days=549) < min(moments) < NOW - timedelta(days=500)
    assert NOW - timedelta(days=7) < max(moments) <= NOW
    assert len({one.channel for one in told(Interaction)}) == 8
    assert not any("{" in f"{one.subject}{one.body}" for one in told(Interaction))


def test_people_are_addressed_in_their_language() -> None:
    for story in STORIES:
        customer = story[0]
        assert isinstance(customer, Customer)
        cyrillic = [
            any("а" <= letter <= "я" for letter in one.subject.lower())
            for one in story
            if isinstance(one, Interaction)
        ]
        assert all(cyrillic) if customer.language == "ru" else not any(cyrillic)


def test_decisions_have_reasons_and_some_have_outcomes() -> None:
    decisions = told(Decision)

    for decision in decisions:
        decision.check()
        assert decision.reason
        assert decision.decided_at <= NOW
    assert 0 < sum(d.outcome is not None for d in decisions) < len(decisions)


def test_some_withdrew_their_consent() -> None:
    states = [consent.state for consent in told(Consent)]

    assert {"given", "withdrawn"} == set(states)
    assert all(consent.at <= NOW for consent in told(Consent))


def test_the_same_seed_tells_the_same() -> None:
    def shown(found: list[list[Entity]]) -> list[Any]:
        return [
            [
                {n: r.get(n) for n in r.info.writable if not n.endswith("_id") and n != "evidence"}
                for r in story
            ]
            for story in found
        ]

    assert shown(stories()) == shown(STORIES)


# the load -------------------------------------------------------------------------------------------------------------


def test_a_load_counts_what_it_made(app: App) -> None:
    seen: list[tuple[int, int]] = []

    counts = load(app, customers=30, progress=lambda done, of: seen.append((done, of)))

    assert seen == [(30, 30)]
    assert counts["core.customer"] == 30
    assert counts["core.user"] == 4
    with app.db.read() as connection:
        for name, count in counts.items():
            table = app.registry.entity(name).table
            assert connection.execute(select(func.count()).select_from(table)).scalar() == count


def test_sample_data_is_found_by_its_reason(app: App) -> None:
    load(app, customers=3)

    with app.db.read() as connection:
        sets = connection.execute(select(CHANGE_SET).where(CHANGE_SET.c.face == "demo")).all()
    assert sets
    assert {one.reason for one in sets} == {REASON}


def test_a_second_load_is_refused(app: App) -> None:
    load(app, customers=1)

    with pytest.raises(Conflict, match="sample data here already"):
        load(app, customers=1)


def test_the_colleagues_can_be_chosen_but_not_signed_in_as(app: App) -> None:
    load(app, customers=1)

    with app.db.read() as connection:
        rows = connection.execute(select(User.info.table)).all()
    assert len(rows) == 4
    assert all(
        row.roles == ["employee"] and row.password_hash.startswith("$argon2") for row in rows
    )


def test_plugins_are_asked_for_their_demo_records(app: App) -> None:
    """The hook is `demo_records`; contacts answers with employments and groups."""
    counts = load(app, customers=40)

    assert counts["contacts.employment"] > 5
    assert counts["contacts.group"] == 3
    assert counts["contacts.membership"] == 24


@pytest.mark.parametrize("plugins", [[]])
def test_the_core_alone_has_sample_data_too(app: App) -> None:
    assert load(app, customers=1)["core.customer"] == 1


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_nothing_lies_in_the_future_of_the_apps_clock(app: App, clock: HeldClock) -> None:
    clock.at(datetime(2030, 1, 1, tzinfo=UTC))

    load(app, customers=5)

    table = Interaction.info.table
    with app.db.read() as connection:
        newest = connection.execute(select(func.max(table.c.at))).scalar()
    assert newest is not None
    assert datetime(2028, 6, 1, tzinfo=UTC) < newest < clock()
