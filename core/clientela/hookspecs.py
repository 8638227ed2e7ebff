"""The questions the core asks its plugins.

Three kinds, never mixed. A *contribute* hook is asked at boot. A *guard* is asked inside the transaction and may refuse
by raising a `Refusal`; when it fails in any other way it counts as a refusal, because a broken guard must close what it
guarded. A *compute* hook gives a part of a whole; a failing one is dropped, traced and counted, and the rest goes on.
What happens after the commit is no hook but a subscription to a fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pluggy

if TYPE_CHECKING:
    from random import Random

    from sqlalchemy import ColumnElement, FromClause

    from clientela.actions import Action
    from clientela.app import App
    from clientela.context import Context
    from clientela.custom.references import Reference
    from clientela.customers.entities import Customer
    from clientela.entity import Entity, EntityInfo
    from clientela.exchange.vcards.model import CardProperty
    from clientela.health import Check

PROJECT = "clientela"

HookKind = Literal["contribute", "guard", "compute"]
F = TypeVar("F", bound=Callable[..., Any])

hookimpl = pluggy.HookimplMarker(PROJECT)
_marker = pluggy.HookspecMarker(PROJECT)


def hookspec(kind: HookKind) -> Callable[[F], F]:
    """Specify a hook of one of the three kinds."""

    def mark(function: F) -> F:
        function.clientela_kind = kind  # type: ignore[attr-defined]
        return _marker(function)

    return mark


@hookspec("guard")
def record_saving(ctx: Context, record: Entity, before: dict[str, Any], created: bool) -> None:  # noqa: FBT001 - called by name
    """Asked before a record is written, inside the transaction, after its own rules have passed.

    `before` holds the old values of the fields that change, as JSON; it is empty for a new record. Raise a `Refusal`
    to refuse; the user sees its sentence. Return nothing. Do not write here: subscribe to `RecordChanged`.
    """


@hookspec("guard")
def record_trashing(ctx: Context, record: Entity) -> None:
    """Asked before a record goes to the trash. Raise a `Refusal` to keep it. Return nothing."""


@hookspec("guard")
def record_purging(ctx: Context, record: Entity) -> None:
    """Asked before a record is deleted for good. Raise a `Refusal` to keep it. Return nothing."""


@hookspec("guard")
def action_running(ctx: Context, action: Action, record: Entity | None, data: Any) -> None:
    """Asked before an action runs, when its permission is checked and its record loaded.

    Raise a `Refusal` to refuse. Return nothing.
    """


@hookspec("guard")
def row_scope(
    ctx: Context, entity: EntityInfo, table: FromClause, verb: str
) -> ColumnElement[bool] | None:
    """Asked while a query is built: return a predicate that every row must pass, or None.

    `table` may be an alias; build the predicate from `table.c`. It is ANDed into lists, counts, searches, exports,
    filters through references and single reads. A failure refuses the whole query.
    """


@hookspec("guard")
def field_references(ctx: Context, entity: str, field: str) -> list[Reference] | None:
    """Asked what names a field, before it is removed, hidden or renamed.

    Give a `Reference` for everything that would break without the field, whoever may see it; or None. A plugin whose
    code reads a field, or that keeps filters of its own, answers here.
    """


@hookspec("compute")
def customer_card_section(ctx: Context, customer: Customer) -> dict[str, Any] | None:
    """Asked when a customer's card is shown: return the plugin's section as JSON-ready values, or None.

    The section appears under the plugin's name. Take at most one or two statements, whatever the customer's size:
    show the newest few and a count, never everything.
    """


@hookspec("guard")
def card_taking(
    ctx: Context, customer: Customer, properties: Sequence[CardProperty]
) -> Mapping[CardProperty, CardProperty] | None:
    """Asked when a business card is taken in, inside the transaction, after the customer is written.

    `properties` are those that no field of the core takes, in the order of the card. Write what is yours through
    `ctx.run`, and answer what you took: each property with the one that `card_lines` will write for it. The core keeps
    the other spelling, and everything that nobody takes. Asked again with the same card, write nothing and answer the
    same. Raise a `Refusal` to refuse the card; where the one who asks may not write your records, take nothing.
    """


@hookspec("compute")
def card_lines(
    ctx: Context, customers: Sequence[str]
) -> Mapping[str, Sequence[CardProperty]] | None:
    """Asked when business cards are written: return what they say besides, by the keys of the customers.

    Take a constant number of statements for all of them, with the row rules, and leave out what may not be seen.
    """


@hookspec("compute")
def health_checks(app: App) -> list[Check] | None:
    """Asked by `clientela doctor` and the health page: return checks that were carried out just now."""


@hookspec("contribute")
def demo_records(ctx: Context, rng: Random, customers: list[str]) -> None:
    """Asked by `clientela demo`: add sample records through `ctx.add` or `ctx.run`; `customers` are their keys."""
