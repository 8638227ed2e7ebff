"""Exporting customers as cards: a constant number of statements per page, and nothing that may not be seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from clientela import ids
from clientela.access.scopes import reachable, visible
from clientela.customers.entities import Address, CardDetail, Customer, Identifier
from clientela.entity import EntityInfo
from clientela.errors import Invalid
from clientela.exchange.cards.matching import SOURCE
from clientela.exchange.outputs.tables import Asked
from clientela.exchange.vcards import CardProperty, from_stored, write_card
from clientela.exchange.vcards.model import Unit
from clientela.exchange.vcards.telling import (
    IDENTIFIER_NAMES,
    address_line,
    composed,
    customer_lines,
    identifier_line,
    line,
)
from clientela.exchange.vcards.writing import Version
from clientela.external import EXTERNAL
from clientela.i18n.texts import _
from clientela.query import Question, get_row, readable_names, stream
from clientela.rows import reader
from clientela.values import PostalAddress

if TYPE_CHECKING:
    from clientela.context import Context

PAGE = 200
VERSIONS = ("3.0", "4.0")

Lines = dict[str, list[CardProperty]]


def export_vcards(ctx: Context, question: Question, version: Version = "4.0") -> Iterator[bytes]:
    """Give the file in pieces: a card for every customer that matches, in the order of the question."""
    info = Customer.info
    ctx.require(info.permission("export"))
    ctx.require(info.permission("read"))
    if version not in VERSIONS:
        raise Invalid(_("Cards are written in version 3.0 or 4.0."))
    names = ("id", *(n for n in readable_names(ctx, info) if n != "id"))
    read = reader(info, names, sqlite=ctx.app.db.is_sqlite)
    rows = stream(ctx, info, question, names, size=PAGE)
    return _pages(ctx, (orjson.loads(orjson.dumps(read.render(row))) for row in rows), version)


def write_cards(asked: Asked, version: Version = "4.0") -> Iterator[bytes]:
    """Write an export as cards; only a customer has one, and it has no columns to choose."""
    if asked.info.name != Customer.info.name or asked.columns:
        raise Invalid(_("A business card is of a customer, and has no columns to choose."))
    return _heard(export_vcards(asked.ctx, asked.question, version), asked)


def _heard(pieces: Iterator[bytes], asked: Asked) -> Iterator[bytes]:
    for piece in pieces:
        asked.heard(piece.count(b"BEGIN:VCARD\r\n"))
        yield piece


def write_vcard(ctx: Context, key: str, version: str = "4.0") -> bytes:
    """Give the card of one customer, as far as this principal may read it."""
    if version not in VERSIONS:
        raise Invalid(_("Cards are written in version 3.0 or 4.0."))
    row = orjson.loads(orjson.dumps(get_row(ctx, Customer.info, key)))
    own = row["id"].removeprefix(f"{Customer.info.prefix}_")
    card = _Beside(ctx, [own], verb="read").card(own, row)
    return write_card(card, "3.0" if version == "3.0" else "4.0")


def _pages(ctx: Context, rows: Iterator[dict[str, Any]], version: Version) -> Iterator[bytes]:
    while page := list(islice(rows, PAGE)):
        keys = [row["id"].removeprefix(f"{Customer.info.prefix}_") for row in page]
        beside = _Beside(ctx, keys)
        yield b"".join(
            write_card(beside.card(key, row), version) for key, row in zip(keys, page, strict=True)
        )


class _Beside:
    """What stands beside the customers of a page: one statement each, whatever their number."""

    def __init__(self, ctx: Context, keys: Sequence[str], verb: str = "export") -> None:
        self._ctx = ctx
        self._verb = verb
        self._keys = keys
        self._uids = self._read_uids()
        self._identifiers = self._read_identifiers()
        self._addresses = self._read_addresses()
        self._details = self._read_details()
        self._plugins: Lines = {}
        for answer in ctx.hook.card_lines(ctx=ctx, customers=tuple(keys)):
            for key, lines in answer.items():
                self._plugins.setdefault(key, []).extend(lines)

    def card(self, key: str, values: dict[str, Any]) -> Iterator[CardProperty]:
        """Give the properties of one customer's card."""
        uid = self._uids.get(key) or f"urn:uuid:{ids.uuid_from_key(key)}"
        yield CardProperty("UID", uid)
        if not values.get("name"):
            # Every card has a name; this one may not be seen.
            yield line("FN", values["id"])
        ours = [*customer_lines(values), *self._identifiers.get(key, ()), *self._addresses.get(key, ())]  # fmt: skip
        ours += self._plugins.get(key, ())
        yield from composed(ours, self._details.get(key, ()))
        if values.get("updated_at"):
            moment = values["updated_at"].split(".")[0].rstrip("Z").replace("-", "").replace(":", "")  # fmt: skip
            yield CardProperty("REV", f"{moment}Z")

    def _may(self, info: EntityInfo, *fields: str) -> bool:
        """Say whether this principal may take these fields out of the house."""
        ctx = self._ctx
        hidden = {info.fields[name].field_class for name in fields} & ctx.principal.hidden_classes
        return not hidden and all(ctx.can(info.permission(verb)) for verb in ("read", self._verb))

    def _rows(self, info: EntityInfo, *fields: str) -> Iterator[Any]:
        if not self._may(info, *fields):
            return iter(())
        table = self._ctx.table(info)
        columns = [table.c[c.name] for name in fields for c in info.fields[name].columns]
        query = select(table.c.customer_id, *columns).where(
            table.c.customer_id.in_(self._keys),
            *visible(self._ctx, info, table),
            *reachable(self._ctx, info, table, verb=self._verb),
        )
        return iter(self._ctx.connection.execute(query.order_by(table.c.id)))

    def _read_uids(self) -> dict[str, str]:
        table = EXTERNAL.c
        query = select(table.record_id, table.key).where(
            table.entity == Customer.info.name, table.source == SOURCE,
            table.record_id.in_(self._keys),
        )  # fmt: skip
        # The first name stands: later cards of the same customer may have brought others.
        rows = self._ctx.connection.execute(query.order_by(table.id.desc()))
        return {key: uid for key, uid in rows}  # noqa: C416 - rows are no pairs to the type checker

    def _read_identifiers(self) -> Lines:
        found: Lines = {}
        order = list(IDENTIFIER_NAMES)
        # By kind, because a card that is read again gives them back by kind.
        rows = [row for row in self._rows(Identifier.info, "kind", "value") if row.kind in order]
        for key, kind, value in sorted(rows, key=lambda row: order.index(row.kind)):
            found.setdefault(key, []).append(identifier_line(kind, value))
        return found

    def _read_addresses(self) -> Lines:
        found: Lines = {}
        kind = Address.info.fields["address"].kind
        for key, purpose, stored, primary in self._rows(Address.info, "purpose", "address", "primary"):  # fmt: skip
            address: PostalAddress = kind.from_columns([stored])
            found.setdefault(key, []).append(address_line(purpose, address, primary=primary))
        return found

    def _read_details(self) -> dict[str, list[tuple[str | None, Unit]]]:
        found: dict[str, list[tuple[str | None, Unit]]] = {}
        for key, anchor, text in self._rows(CardDetail.info, "stands_for", "text"):
            found.setdefault(key, []).append((anchor, from_stored(text)))
        return found
