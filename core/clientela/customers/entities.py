"""The customer and what the core keeps of one: identifiers, addresses, consents, interactions, decisions."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped

from clientela.customers import rules
from clientela.entity import Entity
from clientela.errors import FieldProblem, Invalid, sentence_of
from clientela.fields import (
    address,
    boolean,
    choice,
    country,
    day,
    duration,
    email,
    instant,
    json,
    language,
    owner,
    person_name,
    phone,
    ref,
    tags,
    text,
)
from clientela.i18n.texts import _
from clientela.values import PersonName, PostalAddress

APPEND_ONLY = frozenset({"read", "export", "create", "import"})


class Customer(Entity, plugin="core", label="Customer", prefix="cus"):
    """A person or an organization that we deal with, or may deal with."""

    kind: Mapped[str] = choice(
        {"person": "Person", "organization": "Organization"},
        default="person",
        priority=2,
        immutable=True,
    )
    name: Mapped[str] = text(
        max_length=200, default="", search=True, sort=True, priority=1, field_class="pii", label="Display name",
        help="How the customer is called in lists; made from the parts of a person's name when left out.",
    )  # fmt: skip
    person: Mapped[PersonName | None] = person_name(search=True, label="Name by part")
    legal_name: Mapped[str | None] = text(max_length=300, search=True)
    email: Mapped[str | None] = email(search=True, index=True, priority=3, label="E-mail")
    phone: Mapped[str | None] = phone(search=True, index=True, priority=4)
    country: Mapped[str | None] = country(priority=5)
    birth_date: Mapped[date | None] = day(field_class="pii")
    language: Mapped[str | None] = language(
        help="The language to write and speak to this customer."
    )
    time_zone: Mapped[str | None] = text(max_length=60)
    website: Mapped[str | None] = text(max_length=300)
    source: Mapped[str | None] = text(max_length=120, help="Where the customer came from.")
    tags: Mapped[list[str]] = tags(search=True)
    note: Mapped[str | None] = text(max_length=10_000, lines=True, search=True)
    owner_id: Mapped[str | None] = owner(priority=6)

    def check(self) -> None:
        """Refuse a customer without a name, or an organization with a person's name by part."""
        if self.person is not None and self.kind != "person":
            raise _bad(
                "person",
                _("Only a person has a name by part; put the name of an organization into name."),
            )
        if not self.name and self.person is not None:
            self.name = self.person.full(self.language or _script_language(self.person.family))
        if not self.name:
            raise _bad("name", _("A customer needs a name, or a person's name by part."))


def _script_language(family: str) -> str:
    """Give the order of names that goes with an alphabet, where no language is known."""
    return "ru" if re.search("[а-яё]", family, re.IGNORECASE) else "en"


class Identifier(
    Entity,
    plugin="core",
    label="Identifier",
    prefix="idn",
    unique_together=[("customer_id", "kind", "value")],
):
    """One more thing a customer is known by: an address, a number, a key in another system."""

    customer_id: Mapped[str] = ref(Customer, on_delete="cascade", parent=True, immutable=True)
    kind: Mapped[str] = choice(rules.IDENTIFIER_KINDS, priority=1, immutable=True)
    value: Mapped[str] = text(
        max_length=300, priority=2, search=True, index=True, field_class="pii"
    )
    source: Mapped[str | None] = text(max_length=120, help="The system that gave an external key.")
    verified_at: Mapped[datetime | None] = instant()
    valid_from: Mapped[date | None] = day()
    valid_to: Mapped[date | None] = day()

    def check(self) -> None:
        """Keep the value in the normal form of its kind and its dates in order."""
        try:
            self.value = rules.normal_identifier(self.kind, self.value)
        except ValueError as wrong:
            raise _bad("value", sentence_of(wrong)) from None
        _check_period(self.valid_from, self.valid_to)


class Address(Entity, plugin="core", label="Address", prefix="adr", plural="addresses"):
    """Where a customer is found, by purpose and time."""

    customer_id: Mapped[str] = ref(Customer, on_delete="cascade", parent=True, immutable=True)
    purpose: Mapped[str] = choice(rules.ADDRESS_PURPOSES, default="postal", priority=1)
    address: Mapped[PostalAddress] = address(search=True, priority=2)
    primary: Mapped[bool] = boolean(default=False, priority=3)
    valid_from: Mapped[date | None] = day()
    valid_to: Mapped[date | None] = day()

    def check(self) -> None:
        """Keep the dates in order."""
        _check_period(self.valid_from, self.valid_to)


class CardDetail(
    Entity,
    plugin="core",
    label="Card detail",
    prefix="cdt",
    # It is written by taking in a card, and a second one stands beside it instead of in its place.
    verbs={"read", "export", "purge"},
):
    """What a customer's business card says and no field takes: a picture, a label, another spelling."""

    customer_id: Mapped[str] = ref(Customer, on_delete="cascade", parent=True, immutable=True)
    name: Mapped[str] = text(max_length=100, priority=1, immutable=True)
    stands_for: Mapped[str | None] = text(
        max_length=32, immutable=True, hidden=True,
        help="The line of our own card that is written in this other way.",
    )  # fmt: skip
    text: Mapped[str] = text(
        max_length=20_000_000, lines=True, immutable=True, hidden=True, filter=False, field_class="pii"
    )  # fmt: skip


class Consent(Entity, plugin="core", label="Consent", prefix="con", verbs=APPEND_ONLY):
    """One line of the consent ledger: given or withdrawn, for a purpose on a channel, with its proof.

    Lines are never changed; what holds is the newest line of a purpose and channel.
    """

    customer_id: Mapped[str] = ref(Customer, on_delete="cascade", parent=True)
    purpose: Mapped[str] = text(
        max_length=60, priority=1, help="What for: marketing, service, profiling …"
    )
    channel: Mapped[str] = choice(rules.CONSENT_CHANNELS, default="any", priority=2)
    state: Mapped[str] = choice({"given": "Given", "withdrawn": "Withdrawn"}, priority=3)
    at: Mapped[datetime] = instant(sort=True, priority=4)
    source: Mapped[str] = text(max_length=120, help="Where it was said: a form, a call, a paper.")
    wording: Mapped[str | None] = text(
        max_length=4_000, lines=True, help="The text that was agreed to."
    )
    proof: Mapped[Any | None] = json(
        default=None, help="What proves it: a form id, an address, a file."
    )


class Interaction(
    Entity,
    plugin="core",
    label="Interaction",
    prefix="int",
    unique_together=[("provider", "provider_id")],
):
    """One contact with a customer, over any channel, in either direction."""

    customer_id: Mapped[str] = ref(Customer, on_delete="cascade", parent=True, priority=1)
    channel: Mapped[str] = choice(rules.CHANNELS, priority=2)
    direction: Mapped[str] = choice(
        {"in": "Incoming", "out": "Outgoing", "internal": "Internal"}, default="in", priority=3
    )
    at: Mapped[datetime] = instant(sort=True, priority=4)
    subject: Mapped[str] = text(max_length=300, default="", search=True, priority=5)
    body: Mapped[str | None] = text(max_length=100_000, lines=True, search=True, field_class="pii")
    parties: Mapped[Any] = json(
        default_factory=list, help="Who took part, as the channel names them."
    )
    duration: Mapped[int | None] = duration()
    outcome: Mapped[str | None] = text(max_length=120, priority=6)
    data: Mapped[Any] = json(default_factory=dict, help="What only this channel knows.")
    provider: Mapped[str | None] = text(max_length=60, help="The system that delivered it.")
    provider_id: Mapped[str | None] = text(
        max_length=300, help="Its id there; the same id is taken once, however often it comes."
    )
    employee_id: Mapped[str | None] = owner()

    __table_args__ = (Index("ix_core_interaction_customer_at", "customer_id", "at"),)


class Decision(Entity, plugin="core", label="Decision", prefix="dec"):
    """What was decided about a customer, by whom or what, on which evidence, and how it turned out."""

    customer_id: Mapped[str] = ref(Customer, on_delete="cascade", parent=True, immutable=True)
    question: Mapped[str] = text(max_length=300, search=True, priority=1, immutable=True)
    options: Mapped[Any] = json(
        default_factory=list, immutable=True, help="What could have been chosen."
    )
    chosen: Mapped[str] = text(max_length=300, priority=2, immutable=True)
    reason: Mapped[str] = text(
        max_length=4_000, lines=True, search=True, priority=3, immutable=True
    )
    evidence: Mapped[Any] = json(
        default_factory=list, immutable=True, help="What was seen: ids with as-of times."
    )
    decided_at: Mapped[datetime] = instant(sort=True, priority=4, immutable=True)
    decided_by: Mapped[str] = text(
        max_length=120, default="", immutable=True, help="A person, rule, model or agent."
    )
    reversible_until: Mapped[datetime | None] = instant()
    outcome: Mapped[str | None] = text(max_length=4_000, lines=True)
    outcome_at: Mapped[datetime | None] = instant()

    def check(self) -> None:
        """Refuse a choice that was no option, and an outcome older than the decision."""
        if not isinstance(self.options, list) or not all(isinstance(o, str) for o in self.options):
            raise _bad("options", _("Options are a list of texts."))
        if self.options and self.chosen not in self.options:
            raise _bad(
                "chosen", _("{chosen} was not one of the options.", chosen=repr(self.chosen[:60]))
            )
        if self.outcome_at is not None and self.outcome_at < self.decided_at:
            raise _bad("outcome_at", _("An outcome cannot be older than its decision."))


def _check_period(start: date | None, end: date | None) -> None:
    if start is not None and end is not None and end < start:
        raise _bad("valid_to", _("The end must not lie before the beginning."))


def _bad(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, [FieldProblem(f"/{name}", "invalid", sentence)])
