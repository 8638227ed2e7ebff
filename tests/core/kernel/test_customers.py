"""The customer at the centre: what the core keeps of one, by which rules, and the card that shows it all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clientela import ids
from clientela.access.principal import SYSTEM, Principal
from clientela.app import App
from clientela.customers.card import NEWEST, customer_card, standing_consents
from clientela.customers.entities import (
    APPEND_ONLY,
    Address,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.errors import Conflict, Invalid, NotFound
from clientela.history import CHANGE
from clientela.hookspecs import hookimpl
from clientela.plugins.card import Plugin
from clientela.query import Question, list_page
from clientela.schemas import load, patch_schema
from clientela.storage.database import count_statements
from clientela.values import PersonName, PostalAddress
from clientela_sdk.testing.factory import Make

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
Card = Callable[..., dict[str, Any]]


class Visits:
    """A plugin with a section of its own."""

    @hookimpl
    def customer_card_section(self, customer: Customer) -> dict[str, Any]:
        return {"name": customer.name}


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin(name="kcust", title="Visits", hooks=[Visits()])]


@pytest.fixture
def anna(make: Make) -> Customer:
    """Give Anna."""
    return make(Customer, name="Anna", country="RU", email="anna@example.com")


@pytest.fixture
def card(app: App) -> Card:
    """Show the card of a customer to somebody."""

    def show(customer: Customer, by: Principal = SYSTEM) -> dict[str, Any]:
        with app.acting_as(by, face="test", writing=False) as ctx:
            return customer_card(ctx, customer.public_id)

    return show


def problem(refused: Any) -> tuple[str, str]:
    return refused.value.errors[0].pointer, refused.value.errors[0].detail


# customers ------------------------------------------------------------------------------------------------------------


def test_a_customer_needs_a_name(make: Make) -> None:
    with pytest.raises(Invalid) as refused:
        make(Customer, name="")
    assert problem(refused) == ("/name", "A customer needs a name, or a person's name by part.")


@pytest.mark.parametrize(
    ("parts", "language", "name"),
    [
        (PersonName("Иванова", "Анна", "Петровна"), None, "Иванова Анна Петровна"),
        (PersonName("Иванова", "Анна", "Петровна"), "ru", "Иванова Анна Петровна"),
        (PersonName("Smith", "John", prefix="Dr."), None, "Dr. John Smith"),
        (PersonName("Ivanova", "Anna"), "en", "Anna Ivanova"),
        (PersonName(given="Anna"), None, "Anna"),
    ],
)
def test_a_person_is_called_by_the_parts_of_the_name(
    make: Make, parts: PersonName, language: str | None, name: str
) -> None:
    assert make(Customer, name="", person=parts, language=language).name == name


def test_a_name_that_was_given_stays(make: Make) -> None:
    assert make(Customer, name="Anya", person=PersonName("Иванова", "Анна")).name == "Anya"


def test_an_organization_has_no_name_by_part(make: Make) -> None:
    with pytest.raises(Invalid) as refused:
        make(Customer, kind="organization", name="Roof & Sons", person=PersonName("Smith"))
    assert problem(refused)[0] == "/person"
    assert make(Customer, kind="organization", name="Roof & Sons").name == "Roof & Sons"


def test_a_person_never_becomes_an_organization() -> None:
    with pytest.raises(Invalid, match="no field 'kind'"):
        load(patch_schema(Customer.info), {"kind": "organization"})


def test_a_customer_keeps_the_name_when_it_is_emptied(anna: Customer, act: Any) -> None:
    with pytest.raises(Invalid, match="needs a name"):
        act("core.customer.update", anna.id, {"name": ""})


def test_contacts_are_kept_in_their_normal_form(make: Make) -> None:
    anna = make(Customer, email=" ANNA@Example.COM", phone="+7 (926) 123-45-67")

    assert (anna.email, anna.phone) == ("anna@example.com", "+79261234567")


# identifiers ----------------------------------------------------------------------------------------------------------


NORMAL = [
    ("email", " Anna@Example.COM ", "anna@example.com"), ("phone", "+7 (926) 123-45-67", "+79261234567"),
    ("inn", "7707 083 893", "7707083893"), ("inn", "500100732259", "500100732259"), ("kpp", "7736 01 001", "773601001"),
    ("ogrn", "1027700132195", "1027700132195"), ("ogrn", "304500116000157", "304500116000157"),
    ("vat", "DE 136 695 976", "DE136695976"), ("messenger", " @anna ", "@anna"), ("external", " A-17 ", "A-17"),
    ("other", "x", "x"),
]  # fmt: skip


def test_an_identifier_is_kept_in_the_normal_form_of_its_kind(make: Make, anna: Customer) -> None:
    for kind, written, kept in NORMAL:
        assert make(Identifier, customer_id=anna, kind=kind, value=written).value == kept


def test_a_wrong_digit_of_an_identifier_is_noticed(
    anna: Customer, act: Any, dump: Callable[[], Any]
) -> None:
    before = dump()
    for kind, wrong in (
        ("email", "anna"), ("phone", "926 123"), ("inn", "7707083894"), ("inn", "770708389"), ("inn", "500100732258"),
        ("kpp", "77360100"), ("ogrn", "1027700132196"), ("vat", "DE136695977"), ("vat", "XX1"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            act(
                "core.identifier.create",
                data={"customer_id": anna.id, "kind": kind, "value": wrong},
            )
        assert problem(refused)[0] == "/value"
        assert problem(refused)[1].endswith(".")
    assert dump() == before


def test_an_identifier_is_checked_when_it_changes_too(make: Make, anna: Customer, act: Any) -> None:
    inn = make(Identifier, customer_id=anna, kind="inn", value="7707083893")
    with pytest.raises(Invalid, match="INN"):
        act("core.identifier.update", inn.id, {"value": "7707083894"})
    assert (
        act("core.identifier.update", inn.id, {"value": "5001 0073 2259"}).value == "500100732259"
    )


def test_a_customer_has_an_identifier_once_however_it_is_spelt(
    make: Make, anna: Customer, act: Any
) -> None:
    make(Identifier, customer_id=anna, kind="inn", value="7707083893")

    with pytest.raises(Conflict) as refused:
        act(
            "core.identifier.create",
            data={"customer_id": anna.id, "kind": "inn", "value": "7707 083 893"},
        )
    assert [p.pointer for p in refused.value.errors] == ["/customer_id", "/kind", "/value"]
    bob = make(Customer, name="Bob")
    assert make(Identifier, customer_id=bob, kind="inn", value="7707083893").customer_id == bob.id


@pytest.mark.parametrize("entity", [Identifier, Address])
def test_a_period_does_not_end_before_it_begins(make: Make, entity: Any) -> None:
    with pytest.raises(Invalid) as refused:
        make(entity, valid_from=date(2026, 2, 1), valid_to=date(2026, 1, 31))
    assert problem(refused) == ("/valid_to", "The end must not lie before the beginning.")
    for start, end in (
        (date(2026, 1, 1), date(2026, 1, 1)),
        (None, date(2026, 1, 1)),
        (date(2026, 1, 1), None),
    ):
        assert make(entity, valid_from=start, valid_to=end).valid_to == end


def test_an_address_is_kept_by_part_and_found_by_part(app: App, make: Make, anna: Customer) -> None:
    from clientela.filters import parse

    make(
        Address,
        customer_id=anna,
        address=PostalAddress(country="RU", city="Казань", street="Баумана"),
    )
    make(Address, customer_id=anna, address=PostalAddress(text="somewhere"), purpose="billing")

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        question = Question(filter=parse('address.city = "Казань" and customer.name = Anna'))
        assert len(list_page(ctx, Address.info, question).rows) == 1


# consents -------------------------------------------------------------------------------------------------------------


def test_a_consent_is_added_and_never_changed(
    app: App, make: Make, anna: Customer, act: Any
) -> None:
    consent = make(
        Consent, customer_id=anna, purpose="marketing", state="given", at=NOON, source="form"
    )

    assert Consent.info.verbs == APPEND_ONLY
    for verb in ("update", "trash", "restore", "purge"):
        with pytest.raises(NotFound, match="There is no action"):
            act(f"core.consent.{verb}", consent.id, {})
    assert act("core.consent.create", data={
        "customer_id": anna.id, "purpose": "marketing", "state": "withdrawn", "at": NOON, "source": "call",
    }).state == "withdrawn"  # fmt: skip


def test_what_holds_is_the_newest_line_of_a_purpose_and_channel(
    make: Make, anna: Customer, card: Card
) -> None:
    def line(purpose: str, channel: str, state: str, hours: int) -> None:
        make(
            Consent, customer_id=anna, purpose=purpose, channel=channel, state=state, source="form",
            at=NOON + timedelta(hours=hours),
        )  # fmt: skip

    line("marketing", "email", "given", 0)
    line("marketing", "email", "withdrawn", 2)
    line("marketing", "email", "given", 1)
    line("marketing", "sms", "given", 0)
    line("service", "email", "withdrawn", 0)
    line("service", "email", "given", 0)

    standing = card(anna)["sections"]["core"]["consents"]
    assert sorted((c["purpose"], c["channel"], c["state"]) for c in standing) == [
        ("marketing", "email", "withdrawn"), ("marketing", "sms", "given"), ("service", "email", "given"),
    ]  # fmt: skip
    assert set(standing[0]) == {"purpose", "channel", "state", "at", "source"}


def test_standing_consents_are_the_fold_of_the_ledger(app: App, anna: Customer, make: Make) -> None:
    """Read from the oldest line to the newest, each replaces the one before of its purpose and channel."""
    line = st.fixed_dictionaries({
        "purpose": st.sampled_from("ab"), "channel": st.sampled_from(["email", "sms"]),
        "state": st.sampled_from(["given", "withdrawn"]), "at": st.integers(0, 3).map(lambda n: NOON + timedelta(n)),
    })  # fmt: skip

    @given(st.lists(line, max_size=10))
    @settings(max_examples=25, deadline=None)
    def holds(ledger: list[dict[str, Any]]) -> None:
        with app.acting_as(SYSTEM, face="test", dry_run=True) as ctx:
            for one in ledger:
                ctx.add(Consent(customer_id=anna.id, source="form", **one))
                ctx.flush()
            oldest_first = sorted(ledger, key=lambda one: one["at"])
            standing = {
                (c["purpose"], c["channel"]): c["state"] for c in standing_consents(ctx, anna.id)
            }
            assert standing == {
                (one["purpose"], one["channel"]): one["state"] for one in oldest_first
            }

    holds()


def test_a_long_ledger_hides_no_withdrawal(app: App, anna: Customer, card: Card) -> None:
    """A form that was sent three hundred times must not push a withdrawal off the card."""
    stamp = {
        "rev": 1,
        "created_at": NOON,
        "updated_at": NOON,
        "created_by": "x",
        "updated_by": "x",
        "custom": {},
    }
    line = {"customer_id": anna.id, "channel": "email", "source": "form", **stamp}
    lines = [
        {
            "id": ids.new_key(),
            "purpose": "calls",
            "state": "withdrawn",
            "at": NOON - timedelta(days=1),
            **line,
        },
        *(
            {
                "id": ids.new_key(),
                "purpose": "news",
                "state": "given",
                "at": NOON + timedelta(minutes=n),
                **line,
            }
            for n in range(300)
        ),
    ]
    with app.db.write() as connection:
        connection.execute(Consent.info.table.insert(), lines)

    standing = {c["purpose"]: c["state"] for c in card(anna)["sections"]["core"]["consents"]}
    assert standing == {"news": "given", "calls": "withdrawn"}


# interactions and decisions -------------------------------------------------------------------------------------------


def test_what_a_provider_delivers_twice_is_taken_once(make: Make, anna: Customer, act: Any) -> None:
    mail = {
        "customer_id": anna.id,
        "channel": "email",
        "at": NOON,
        "provider": "imap",
        "provider_id": "<1@x>",
    }
    act("core.interaction.create", data=mail)

    with pytest.raises(Conflict) as refused:
        act("core.interaction.create", data=mail | {"subject": "again"})
    assert [p.pointer for p in refused.value.errors] == ["/provider", "/provider_id"]
    act("core.interaction.create", data=mail | {"provider_id": "<2@x>"})
    act("core.interaction.create", data=mail | {"provider": "other"})
    for _ in range(2):
        act("core.interaction.create", data=mail | {"provider": None, "provider_id": None})


def test_a_decision_is_one_of_its_options(make: Make, anna: Customer) -> None:
    options = ["discount", "none"]
    assert make(Decision, customer_id=anna, options=options, chosen="none").chosen == "none"
    assert make(Decision, customer_id=anna, options=[], chosen="anything").chosen == "anything"
    for wrong, pointer in (({"options": options, "chosen": "x"}, "/chosen"), ({"options": "none"}, "/options"),
                           ({"options": [1]}, "/options"), ({"options": {"a": 1}}, "/options")):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            make(Decision, customer_id=anna, **wrong)
        assert problem(refused)[0] == pointer


def test_an_outcome_follows_its_decision_and_the_decision_stays(
    make: Make, anna: Customer, act: Any
) -> None:
    decision = make(Decision, customer_id=anna, decided_at=NOON)
    with pytest.raises(Invalid, match="older than its decision"):
        act("core.decision.update", decision.id, {"outcome_at": NOON - timedelta(seconds=1)})
    assert (
        act("core.decision.update", decision.id, {"outcome": "paid", "outcome_at": NOON}).outcome
        == "paid"
    )

    for name in (
        "question",
        "options",
        "chosen",
        "reason",
        "evidence",
        "decided_at",
        "decided_by",
        "customer_id",
    ):
        with pytest.raises(Invalid, match="no field"):
            load(patch_schema(Decision.info), {name: "x"})


def test_a_purged_customer_takes_everything_along_and_the_log_keeps_it(
    make: Make, anna: Customer, act: Any, rows: Callable[..., list[Any]]
) -> None:
    bob = make(Customer, name="Bob")
    kept = [make(Consent, customer_id=bob), make(Interaction, customer_id=bob)]
    gone = [
        make(e, customer_id=anna) for e in (Identifier, Address, Consent, Interaction, Decision)
    ]

    act("core.customer.purge", anna.id)

    for record in (*kept, *gone):
        left = {row["id"] for row in rows(type(record).info.table)}
        assert (record.id in left) == (record in kept)
    purged = {c["record_id"]: c["before"] for c in rows(CHANGE, kind="purge")}
    assert purged.keys() == {anna.id, *(record.id for record in gone)}
    assert purged[anna.id]["email"] == "anna@example.com"


# the card -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def full(make: Make, anna: Customer) -> SimpleNamespace:
    """Give Anna with one of everything, and Bob with one of everything too."""
    bob = make(Customer, name="Bob", country="US")
    for customer in (anna, bob):
        make(Identifier, customer_id=customer)
        make(Address, customer_id=customer)
        make(Consent, customer_id=customer)
        make(Interaction, customer_id=customer, channel="phone", subject=f"call {customer.name}")
        make(Decision, customer_id=customer, question=f"what about {customer.name}")
    return SimpleNamespace(anna=anna, bob=bob)


PARTS = {
    "history", "identifiers", "addresses", "interactions", "interaction_count", "decisions", "consents",
}  # fmt: skip


def test_the_card_shows_the_customer_and_a_section_of_every_plugin(
    full: SimpleNamespace, card: Card
) -> None:
    shown = card(full.anna)

    assert shown["customer"]["id"] == full.anna.public_id
    assert set(shown["sections"]) == {"core", "kcust"}
    assert shown["sections"]["kcust"] == {"name": "Anna"}
    core = shown["sections"]["core"]
    assert set(core) == PARTS
    assert [i["subject"] for i in core["interactions"]] == ["call Anna"]
    assert [d["question"] for d in core["decisions"]] == ["what about Anna"]
    assert core["interaction_count"] == 1


def test_the_card_shows_the_newest_interactions_and_counts_them_all(
    app: App, make: Make, anna: Customer, card: Card
) -> None:
    for number in range(NEWEST + 5):
        make(
            Interaction, customer_id=anna, subject=str(number), at=NOON + timedelta(minutes=number)
        )

    core = card(anna)["sections"]["core"]
    assert [i["subject"] for i in core["interactions"]] == [
        str(n) for n in range(NEWEST + 4, 4, -1)
    ]
    assert core["interaction_count"] == NEWEST + 5


def test_the_card_costs_as_many_statements_however_much_there_is(
    app: App, full: SimpleNamespace, card: Card
) -> None:
    counter = count_statements(app.db.engine)

    def cost() -> int:
        counter.statements.clear()
        card(full.anna)
        return len(counter.statements)

    first = cost()
    stamp = {
        "rev": 1,
        "created_at": NOON,
        "updated_at": NOON,
        "created_by": "x",
        "updated_by": "x",
        "custom": {},
    }
    some = {
        "customer_id": full.anna.id,
        "channel": "note",
        "direction": "in",
        "subject": "",
        "parties": [],
        "data": {},
    }
    many = [
        {"id": ids.new_key(), "at": NOON + timedelta(minutes=n), **some, **stamp}
        for n in range(500)
    ]
    with app.db.write() as connection:
        connection.execute(Interaction.info.table.insert(), many)

    assert cost() == first
    assert first <= 8
    assert card(full.anna)["sections"]["core"]["interaction_count"] == 501


@pytest.mark.parametrize(
    ("permissions", "parts"),
    [
        (["core.customer.read"], {"history"}),
        (
            ["core.customer.read", "core.interaction.read"],
            {"history", "interactions", "interaction_count"},
        ),
        (["core.customer.read", "core.consent.read"], {"history", "consents"}),
        (["*.read", "-core.decision.read"], PARTS - {"decisions"}),
        (["core.*"], PARTS),
    ],
)
def test_the_card_shows_the_parts_somebody_may_see(
    full: SimpleNamespace, card: Card, as_role: Callable[..., Principal],
    permissions: list[str], parts: set[str],
) -> None:  # fmt: skip
    assert set(card(full.anna, as_role(*permissions))["sections"]["core"]) == parts


def test_the_card_shows_the_rows_and_fields_somebody_may_see(
    make: Make, full: SimpleNamespace, card: Card, as_role: Callable[..., Principal]
) -> None:
    make(Interaction, customer_id=full.anna, channel="visit", subject="secret visit", body="secret")
    clerk = as_role(
        "core.*", hidden_classes=["pii"],
        scopes={"core.customer": 'country = "RU"', "core.interaction": "channel != visit"},
    )  # fmt: skip

    shown = card(full.anna, clerk)
    assert "email" not in shown["customer"]
    core = shown["sections"]["core"]
    assert [i["subject"] for i in core["interactions"]] == ["call Anna"]
    assert core["interaction_count"] == 1
    assert all("body" not in i for i in core["interactions"])
    assert all("value" not in i for i in core["identifiers"])
    with pytest.raises(NotFound):
        card(full.bob, clerk)


def test_what_lies_in_the_trash_is_on_no_card(
    full: SimpleNamespace, card: Card, act: Any, app: App
) -> None:
    [call] = card(full.anna)["sections"]["core"]["interactions"]
    act("core.interaction.trash", call["id"])

    core = card(full.anna)["sections"]["core"]
    assert (core["interactions"], core["interaction_count"]) == ([], 0)
    act("core.customer.trash", full.anna.id)
    with pytest.raises(NotFound):
        card(full.anna)
