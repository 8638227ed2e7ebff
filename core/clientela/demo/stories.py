"""One made-up customer with all that hangs on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from clientela import ids
from clientela.access.entities import User
from clientela.customers.entities import (
    Address,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.demo import people
from clientela.demo.words import LANGUAGES, Words, words_of
from clientela.entity import Entity

DAYS = 548  # eighteen months
# How many of a hundred customers.
PERSONS, WITH_MESSENGER, WITH_ADDRESS, WITH_OFFICE, WITH_CONSENT, WITH_DECISION = (
    70,
    30,
    80,
    40,
    75,
    40,
)
WITHDRAWN, WITH_OUTCOME, WITH_NOTE, WITH_BIRTHDAY = 15, 70, 25, 60

# How often each channel comes up, and who speaks first there; None is either.
CHANNELS: dict[str, tuple[int, str | None]] = {
    "phone": (6, None), "email": (6, None), "chat": (3, "in"), "meeting": (2, "out"),
    "visit": (2, "in"), "web": (2, "in"), "order": (3, "in"), "note": (1, "internal"),
}  # fmt: skip
NAMES = list(CHANNELS)
WEIGHTS = [weight for weight, _ in CHANNELS.values()]
SPOKEN = {"phone", "meeting"}


def tell(rng: Random, number: int, now: datetime, owners: Sequence[User]) -> list[Entity]:
    """Make up the nth customer and what hangs on it, the customer first."""
    language = rng.choice(LANGUAGES)
    return list(_Story(rng, number, now, rng.choice(owners), language, words_of(language)).told())


@dataclass(frozen=True)
class _Story:
    rng: Random
    number: int
    now: datetime
    owner: User
    language: str
    words: Words

    def told(self) -> Iterator[Entity]:
        customer = self.person() if self.happens(PERSONS) else self.organization()
        yield customer
        yield from self.identifiers(customer)
        yield from self.addresses(customer)
        if self.happens(WITH_CONSENT):
            yield from self.consents(customer)
        interactions = [self.interaction(customer) for _ in range(self.rng.randint(3, 8))]
        yield from interactions
        if self.happens(WITH_DECISION):
            yield self.decision(customer, interactions)

    # the customer -----------------------------------------------------------------------------------------------

    def person(self) -> Customer:
        name = people.person_name(self.rng, self.words)
        return self.customer(
            kind="person", person=name, name=name.full(self.language),
            email=people.email(f"{name.given} {name.family}", self.number),
            birth_date=self.day(20 * 365, 75 * 365) if self.happens(WITH_BIRTHDAY) else None,
        )  # fmt: skip

    def organization(self) -> Customer:
        name = people.company_name(self.rng, self.words)
        return self.customer(
            kind="organization", name=name, legal_name=name, email=people.email("office", self.number),
            website=f"https://example.com/{self.number}",
        )  # fmt: skip

    def customer(self, **known: Any) -> Customer:
        words = self.words
        return Customer(
            id=ids.new_key(), language=self.language, country="RU" if self.language == "ru" else "US",
            phone=people.phone(self.language, self.number), source=self.rng.choice(words.sources),
            tags=self.rng.sample(words.tags, self.rng.randint(0, 2)), owner_id=self.owner.id,
            note=self.rng.choice(words.notes) if self.happens(WITH_NOTE) else None, **known,
        )  # fmt: skip

    # what hangs on it -------------------------------------------------------------------------------------------

    def identifiers(self, customer: Customer) -> Iterator[Identifier]:
        found = [("external", f"C-{self.number:06}")]
        if customer.kind == "person":
            if self.happens(WITH_MESSENGER):
                found.append(("messenger", f"@customer{self.number}"))
        elif self.language == "ru":
            found.append(("inn", people.inn(self.number)))
        for kind, value in found:
            source = "old card file" if kind == "external" else None
            yield Identifier(customer_id=customer.id, kind=kind, value=value, source=source)

    def addresses(self, customer: Customer) -> Iterator[Address]:
        purposes = ["postal"] if self.happens(WITH_ADDRESS) else []
        if customer.kind == "organization":
            purposes = ["legal", "delivery"] if self.happens(WITH_OFFICE) else ["legal"]
        for purpose in purposes:
            yield Address(
                customer_id=customer.id, purpose=purpose, address=people.address(self.rng, self.language),
                primary=purpose == purposes[0],
            )  # fmt: skip

    def consents(self, customer: Customer) -> Iterator[Consent]:
        given = self.moment(60, DAYS)
        lines = [("marketing", "email", "given", given), ("service", "any", "given", given)]
        if self.happens(WITHDRAWN):
            withdrawn = given + timedelta(days=self.rng.randint(1, 59))
            lines.append(("marketing", "email", "withdrawn", withdrawn))
        for purpose, channel, state, at in lines:
            yield Consent(
                customer_id=customer.id, purpose=purpose, channel=channel, state=state, at=at,
                source=self.rng.choice(self.words.consent_sources),
                wording=self.words.wording if state == "given" else None,
            )  # fmt: skip

    def interaction(self, customer: Customer) -> Interaction:
        channel = self.rng.choices(NAMES, WEIGHTS)[0]
        words, good = self.words.interactions[channel], self.rng.choice(self.words.goods)
        said = self.rng.sample(words["bodies"], min(self.rng.randint(1, 3), len(words["bodies"])))
        return Interaction(
            id=ids.new_key(), customer_id=customer.id, channel=channel, at=self.moment(0, DAYS),
            direction=CHANNELS[channel][1] or self.rng.choice(("in", "out")),
            subject=self.rng.choice(words["subjects"]).format(good=good),
            body=" ".join(said).format(good=good), employee_id=self.owner.id,
            duration=self.rng.randint(2, 90) * 60 if channel in SPOKEN else None,
            outcome=self.rng.choice(words["outcomes"]) if words["outcomes"] else None,
        )  # fmt: skip

    def decision(self, customer: Customer, interactions: list[Interaction]) -> Decision:
        case = self.rng.choice(self.words.decisions)
        place, seen = self.rng.randrange(len(case["options"])), self.rng.choice(interactions)
        decided = min(seen.at + timedelta(hours=self.rng.randint(1, 72)), self.now)
        outcome_at = decided + timedelta(days=self.rng.randint(5, 40))
        known = outcome_at <= self.now and self.happens(WITH_OUTCOME)
        return Decision(
            customer_id=customer.id, question=case["question"], options=case["options"],
            chosen=case["options"][place], reason=case["reasons"][place], decided_at=decided,
            decided_by=self.owner.name, reversible_until=decided + timedelta(days=14),
            evidence=[{"record": seen.public_id, "as_of": decided.isoformat()}],
            outcome=case["outcomes"][place] if known else None, outcome_at=outcome_at if known else None,
        )  # fmt: skip

    # chance -----------------------------------------------------------------------------------------------------

    def happens(self, percent: int) -> bool:
        return self.rng.random() * 100 < percent

    def moment(self, least: int, most: int) -> datetime:
        """Give a moment so many days ago, in working hours of UTC."""
        then = self.now - timedelta(days=self.rng.randint(least + 1, most))
        return then.replace(
            hour=self.rng.randint(6, 16), minute=self.rng.randrange(60), second=0, microsecond=0
        )

    def day(self, least: int, most: int) -> Any:
        return self.moment(least, most).date()
