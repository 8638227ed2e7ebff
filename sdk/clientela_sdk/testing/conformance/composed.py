"""Rules about living with others: partners that are absent, odd questions, and a neighbour that raises."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from sqlalchemy import ColumnElement, select

from clientela.access.principal import SYSTEM
from clientela.health import are_checks
from clientela_sdk import (
    App,
    CardProperty,
    Context,
    Customer,
    Entity,
    Plugin,
    Refusal,
    _,
    hookimpl,
)
from clientela_sdk.testing.conformance.kit import rule
from clientela_sdk.testing.conformance.subject import CUSTOMERS, Subject
from clientela_sdk.testing.conformance.visitor import address, visitor
from clientela_sdk.testing.factory import CORE_RECIPES, Make

HUGE = "Я" * 100_000
NOBODY = "0" * 26


@rule("partners", "silver", _("It comes up without its optional partners."))
def partners(subject: Subject) -> Iterator[str]:
    """Start with the plugins it needs and no other."""
    with subject.empty() as url, subject.app(url) as app:
        if subject.name not in app.registry.plugins:
            yield _("It does not come up alone.")
    for need in subject.card.needs:
        if need in subject.card.partners:
            yield _("{plugin} is needed and a partner at once.", plugin=need)


@rule("hooks", "silver", _("Its hooks bear empty, unknown and huge questions."))
def hooks(subject: Subject) -> Iterator[str]:
    """Ask every hook that it answers about nothing, about what is not there, and about far too much."""
    with subject.filled() as app, _quiet():
        asked = set(app.hooks.hooks_of(subject.name))
        for name, question in QUESTIONS.items():
            if name in asked:
                yield from _asked(subject, app, name, question)


Answers = Iterator[tuple[dict[str, Any], Callable[[Any], bool]]]


def _asked(
    subject: Subject, app: App, name: str, question: Callable[[Context], Answers]
) -> Iterator[str]:
    """Ask one hook all its questions, in a transaction that is rolled back."""
    with app.acting_as(SYSTEM, face="check", dry_run=True) as ctx:
        for given, is_sound in question(ctx):
            for answer in _answers(subject, app, name, given):
                if isinstance(answer, BaseException):
                    yield _(
                        "{hook} raises {reason}.",
                        hook=name,
                        reason=f"{type(answer).__name__}: {answer}"[:200],
                    )
                elif answer is not None and not is_sound(answer):
                    yield _(
                        "{hook} answers with something else than it should: {answer}.",
                        hook=name,
                        answer=repr(answer)[:100],
                    )


def _answers(subject: Subject, app: App, name: str, given: dict[str, Any]) -> Iterator[Any]:
    """Ask the plugin's own implementations, past the fence that would hide what they raise."""
    for one in app.hooks._implementations[name]:  # noqa: SLF001 - the fence is what is to be passed
        if one.plugin == subject.name:
            try:
                yield one.ask(given)
            except Refusal as refusal:
                # A guard may refuse; a computed part may not.
                yield None if app.hooks.kinds()[name] == "guard" else refusal
            except Exception as error:  # noqa: BLE001 - the finding
                yield error


def _customers(ctx: Context) -> Answers:
    """Ask about a customer without anything, one with a huge name, and each of those that have records."""
    make = Make(ctx.app, CORE_RECIPES, ctx)
    nameless = make(Customer, name="Я" * 200)
    known = ctx.session.scalars(select(Customer).order_by(Customer.id).limit(CUSTOMERS))
    yield from (({"ctx": ctx, "customer": one}, _is_section) for one in (nameless, *known))


def _is_section(answer: Any) -> bool:
    return isinstance(answer, dict)


def _cards_taken(ctx: Context) -> Answers:
    """Hand over a card without properties, one with a huge one, and one of a name that nobody knows."""
    customer = Make(ctx.app, CORE_RECIPES, ctx)(Customer, name="Anna")
    for properties in (
        [],
        [_property("ORG", HUGE)],
        [_property("X-NOBODY", "")],
        [_property("TITLE", "")],
    ):
        yield {"ctx": ctx, "customer": customer, "properties": properties}, _is_mapping


def _property(name: str, value: str) -> CardProperty:
    return CardProperty(name=name, value=value)


def _is_mapping(answer: Any) -> bool:
    return hasattr(answer, "items")


def _lines(ctx: Context) -> Answers:
    for customers in ([], [NOBODY], [NOBODY] * 2_000):
        yield {"ctx": ctx, "customers": customers}, _is_mapping


def _scopes(ctx: Context) -> Answers:
    """Ask about every entity there is, with every verb and one that nobody knows."""
    for info in ctx.app.registry.entities.values():
        for verb in (*sorted(info.verbs), "nonsense"):
            yield {"ctx": ctx, "entity": info, "table": info.table, "verb": verb}, _is_predicate


def _is_predicate(answer: Any) -> bool:
    return isinstance(answer, ColumnElement)


def _references(ctx: Context) -> Answers:
    names = [
        (name, field) for name, info in ctx.app.registry.entities.items() for field in info.fields
    ]
    for entity, field in (*names[:50], ("no.body", "nothing"), ("", ""), (HUGE, HUGE)):
        yield (
            {"ctx": ctx, "entity": entity, "field": field},
            lambda answer: isinstance(answer, list),
        )


def _checks(ctx: Context) -> Answers:
    yield {"app": ctx.app}, are_checks


def _demo(ctx: Context) -> Answers:
    yield {"ctx": ctx, "rng": Random(1), "customers": []}, lambda answer: answer is None  # noqa: S311 - sample data


def _saved(ctx: Context) -> Answers:
    """Save a new record and an unchanged one of the core."""
    customer = Make(ctx.app, CORE_RECIPES, ctx)(Customer, name="Anna")
    record: Entity = customer
    for created in (True, False):
        yield (
            {"ctx": ctx, "record": record, "before": {}, "created": created},
            lambda answer: answer is None,
        )


QUESTIONS: dict[str, Callable[[Context], Answers]] = {
    "customer_card_section": _customers,
    "card_taking": _cards_taken,
    "card_lines": _lines,
    "row_scope": _scopes,
    "field_references": _references,
    "health_checks": _checks,
    "demo_records": _demo,
    "record_saving": _saved,
}


class _Raising:
    """A neighbour that raises whatever it is asked."""

    @hookimpl
    def customer_card_section(self) -> Any:
        """Raise."""
        raise RuntimeError("boom")

    @hookimpl
    def card_lines(self) -> Any:
        """Raise."""
        raise RuntimeError("boom")

    @hookimpl
    def health_checks(self) -> Any:
        """Raise."""
        raise RuntimeError("boom")


@rule("neighbour", "silver", _("A neighbour that raises takes nothing of it away."))
def neighbour(subject: Subject) -> Iterator[str]:
    """Show the cards of customers beside a plugin that raises, and compare the sections."""
    raising = Plugin(
        name="raising", title="Raising", hooks=[_Raising()], migrations=False, guards=[]
    )
    with subject.filled() as app:
        url = app.db.url.render_as_string(hide_password=False)
        alone = _sections(subject, app)
        with subject.app(url, [*subject.cards, raising]) as beside, _quiet():
            if _sections(subject, beside) != alone:
                yield _(
                    "Its section on the customer's card is another beside a plugin that raises."
                )
            blamed = {one.plugin for one in beside.hooks.failures} - {"raising"}
            yield from (
                _("{plugin} is blamed for what its neighbour did.", plugin=name) for name in blamed
            )


def _sections(subject: Subject, app: App) -> list[Any]:
    keys = subject.rows(app, Customer.info)[:CUSTOMERS]
    with visitor(app, "*") as one:
        cards = [one.get(f"{address(Customer.info, key)}/card").json() for key in keys]
    return [card.get("sections", {}).get(subject.name) for card in cards]


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log of failures that are wanted from the terminal."""
    log = logging.getLogger("clientela.hooks")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before
