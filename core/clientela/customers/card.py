"""The customer card: one call, the full picture, a section from every plugin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, func, select

from clientela.access.scopes import in_trash, visible
from clientela.changes import history_of
from clientela.customers.entities import (
    Address,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.hookspecs import hookimpl
from clientela.query import readable_names, related
from clientela.rows import reader, record_dict

if TYPE_CHECKING:
    from sqlalchemy import Select

    from clientela.context import Context

NEWEST = 20
# A section that is larger than this is no longer looked at by anybody.
MOST_BYTES = 1_000_000


def customer_card(ctx: Context, key: str) -> dict[str, Any]:
    """Give the card of a customer: `{"customer": …, "sections": {PLUGIN: …}}`.

    A plugin that is not installed is a section that is not there; one that fails is left out and named in the log.
    """
    ctx.require(Customer.info.permission("read"))
    customer = ctx.get(Customer, key)
    sections = dict(
        ctx.app.hooks.ask_sound("customer_card_section", _is_section, ctx=ctx, customer=customer)
    )
    return {"customer": record_dict(ctx, customer), "sections": sections}


def _is_section(answer: Any) -> bool:
    """Say whether an answer can be shown: JSON, and not a book."""
    try:
        return isinstance(answer, dict) and len(orjson.dumps(answer)) <= MOST_BYTES
    except TypeError:
        return False


@hookimpl
def customer_card_section(ctx: Context, customer: Customer) -> dict[str, Any]:
    """Show what the core itself keeps of a customer."""
    parts: dict[str, Any] = {"history": history_of(ctx, customer, NEWEST)["data"]}
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
        parts["consents"] = standing_consents(ctx, customer.id)
    return parts


def count_interactions(ctx: Context, key: str) -> int:
    """Count the interactions of a customer that this principal may see."""
    table = ctx.table(Interaction.info)
    query = ctx.statement(
        ("count_interactions",),
        visible(ctx, Interaction.info, table, trashed=None),
        lambda rules: select(func.count()).where(
            table.c.customer_id == bindparam("key"), *in_trash(table, trashed=False), *rules
        ),
    )
    return int(ctx.connection.execute(query, {"key": key}).scalar_one())


def standing_consents(ctx: Context, key: str) -> list[dict[str, Any]]:
    """Give what holds now: the newest line of each purpose and channel, however long the ledger is."""
    info, table = Consent.info, ctx.table(Consent.info)
    allowed = readable_names(ctx, info)
    names = tuple(n for n in ("purpose", "channel", "state", "at", "source") if n in allowed)
    read = reader(info, names, sqlite=ctx.app.db.is_sqlite)

    def build(rules: Sequence[Any]) -> Select[Any]:
        place = func.row_number().over(
            partition_by=(table.c.purpose, table.c.channel),
            order_by=(table.c.at.desc(), table.c.id.desc()),
        )
        lines = (
            select(*(table.c[name] for name in names), place.label("place"))
            .where(table.c.customer_id == bindparam("key"), *in_trash(table, trashed=False), *rules)
            .subquery()
        )
        newest = read.select_from(lines).where(lines.c.place == 1)
        return newest.order_by(lines.c.purpose, lines.c.channel)

    rules = visible(ctx, info, table, trashed=None)
    query = ctx.statement(("standing consents", names), rules, build)
    return [read.render(row) for row in ctx.connection.execute(query, {"key": key})]
