"""The customer card: one call, the full picture, a section from every plugin."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from clientela.access.scopes import visible
from clientela.customers.entities import (
    Address,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.hookspecs import hookimpl
from clientela.query import get_row, related

if TYPE_CHECKING:
    from clientela.context import Context

NEWEST = 20


def customer_card(ctx: Context, key: str) -> dict[str, Any]:
    """Give the card of a customer: `{"customer": …, "sections": {PLUGIN: …}}`.

    A plugin that is not installed is a section that is not there; one that fails is left out and named in the log.
    """
    row = get_row(ctx, Customer.info, key)
    customer = ctx.get(Customer, key)
    sections = dict(ctx.app.hooks.ask_each("customer_card_section", ctx=ctx, customer=customer))
    return {"customer": row, "sections": sections}


@hookimpl
def customer_card_section(ctx: Context, customer: Customer) -> dict[str, Any]:
    """Show what the core itself keeps of a customer."""
    parts: dict[str, Any] = {}
    for name, entity, order in (
        ("identifiers", Identifier, "id"),
        ("addresses", Address, "id"),
        ("interactions", Interaction, "-at"),
        ("decisions", Decision, "-decided_at"),
    ):
        if ctx.can(entity.info.permission("read")):
            parts[name] = related(
                ctx, entity.info, "customer_id", customer.id, sort=order, limit=NEWEST
            )
    if ctx.can(Interaction.info.permission("read")):
        parts["interaction_count"] = count_interactions(ctx, customer.id)
    if ctx.can(Consent.info.permission("read")):
        ledger = related(ctx, Consent.info, "customer_id", customer.id, sort="-at", limit=200)
        parts["consents"] = standing_consents(ledger)
    return parts


def count_interactions(ctx: Context, key: str) -> int:
    """Count the interactions of a customer that this principal may see."""
    table = ctx.table(Interaction.info)
    query = select(func.count()).where(
        table.c.customer_id == key, *visible(ctx, Interaction.info, table)
    )
    return int(ctx.connection.execute(query).scalar_one())


def standing_consents(newest_first: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fold the ledger into what holds now: the newest line of each purpose and channel."""
    standing: dict[tuple[str, str], dict[str, Any]] = {}
    for line in newest_first:
        standing.setdefault((line["purpose"], line["channel"]), line)
    return [
        {k: line[k] for k in ("purpose", "channel", "state", "at", "source") if k in line}
        for line in standing.values()
    ]
