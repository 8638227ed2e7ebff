"""Finding the customers that the cards of a batch speak of; a constant number of statements per batch."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, select

from clientela import ids
from clientela.access.scopes import visible
from clientela.customers.entities import Address, CardDetail, Customer, Identifier
from clientela.errors import Conflict, Forbidden
from clientela.exchange.vcards import Card, to_stored
from clientela.exchange.vcards.understanding import Understood
from clientela.external import EXTERNAL, name_external
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.context import Context

# The systems under whose names a card is known: by its UID, and by its very words where it has none.
SOURCE, CONTENT = "vcard", "vcard-content"
OURS = re.compile(r"urn:uuid:([0-9a-f-]{36})", re.IGNORECASE)


@dataclass
class Known:
    """A customer that is there, with what a card may add to."""

    customer: Customer
    identifiers: set[tuple[str, str]] = field(default_factory=set)
    addresses: list[Address] = field(default_factory=list)
    details: list[CardDetail] = field(default_factory=list)


@dataclass
class Wanted:
    """A card that is to be taken: its number, what it says, and the key under which it is known."""

    number: int
    told: Understood
    source: str
    key: str

    @classmethod
    def of(cls, number: int, card: Card, told: Understood) -> Wanted:
        """Give a card its key; one without a UID is known by its words."""
        if told.uid:
            return cls(number, told, SOURCE, told.uid)
        words = "\n".join(sorted(to_stored((one,)) for one in card.properties if one.name != "REV"))
        return cls(number, told, CONTENT, hashlib.blake2b(words.encode(), digest_size=20).hexdigest())  # fmt: skip

    @property
    def marks(self) -> list[tuple[str, str]]:
        """Give the e-mails by which the customer may be known together with the name; without one, the phones."""
        for kind in ("email", "phone"):
            found = [one for one in self.told.identifiers if one[0] == kind]
            if found:
                return found
        return []


class Matcher:
    """Knows the customers of one batch; later cards of the batch see what earlier ones did."""

    def __init__(self, ctx: Context, wanted: Sequence[Wanted]) -> None:
        self._ctx = ctx
        self._by_key: dict[tuple[str, str], str] = {}
        self._by_mark: dict[tuple[str, str, str], set[str]] = {}
        self._known: dict[str, Known] = {}
        self._load_keys(wanted)
        self._load_marks({mark for one in wanted for mark in one.marks})
        found = {*self._by_key.values(), *(key for keys in self._by_mark.values() for key in keys)}
        self.load(found | {key for one in wanted if (key := _own_key(one))})

    def find(self, one: Wanted) -> Known | None:
        """Find the customer of a card, by UID, by our own key, then by e-mail and name; None when it is new."""
        named = self._by_key.get((one.source, one.key))
        if named is not None and named in self._known:
            return self._known[named]
        if named is not None and one.source == SOURCE and self._is_there(named):
            raise Forbidden(
                _(
                    "The customer with this UID is in the trash, or not shown to your roles. "
                    "Restore it, or take the UID out of the card."
                )
            )
        own = self._known.get(_own_key(one))
        if own is not None:
            return own
        name = one.told.name.casefold()
        keys = {k for kind, value in one.marks for k in self._by_mark.get((kind, value, name), ())}
        keys &= self._known.keys()
        if len(keys) > 1:
            raise Conflict(_("Several customers have this name and e-mail or phone; merge them first."))  # fmt: skip
        return self._known[keys.pop()] if keys else self._find_firm(one)

    def _find_firm(self, one: Wanted) -> Known | None:
        """Find the organization of which only the name is known so far, as the card of somebody there has told it."""
        if one.told.kind != "organization":
            return None
        table = Customer.info.table
        named_by_cards = exists().where(
            EXTERNAL.c.record_id == table.c.id, EXTERNAL.c.source == SOURCE
        )
        query = select(table.c.id, table.c.email, table.c.phone).where(
            table.c.kind == "organization",
            table.c.name == one.told.name,
            ~named_by_cards,
            *visible(self._ctx, Customer.info, table),
        )
        rows = self._ctx.connection.execute(query.limit(2)).all()
        if len(rows) != 1 or (one.marks and (rows[0].email or rows[0].phone)):
            return None
        self.load([rows[0].id])
        return self._known.get(rows[0].id)

    def remember(self, one: Wanted, known: Known) -> None:
        """Remember under which key and marks a customer is found from now on."""
        key = known.customer.id
        self._known[key] = known
        before = self._by_key.get((one.source, one.key))
        if before is not None and before != key and not self._is_there(before):
            self._forget(one)
            before = None
        if before is None and not self._is_own_name(one, key):
            name_external(self._ctx, Customer.info, one.source, one.key, key)
            self._by_key[one.source, one.key] = key
        name = known.customer.name.casefold()
        for mark in one.marks:
            self._by_mark.setdefault((*mark, name), set()).add(key)

    def _is_own_name(self, one: Wanted, key: str) -> bool:
        return _own_key(one) == key

    def forget(self, key: str) -> None:
        """Read a customer again, of whom a card was refused half-way."""
        self._known.pop(key, None)
        self.load([key])

    def _forget(self, one: Wanted) -> None:
        self._ctx.connection.execute(
            delete(EXTERNAL).where(
                EXTERNAL.c.entity == Customer.info.name,
                EXTERNAL.c.source == one.source,
                EXTERNAL.c.key == one.key,
            )
        )

    def _is_there(self, key: str) -> bool:
        query = select(Customer.id).where(Customer.id == key)
        return self._ctx.connection.execute(query).first() is not None

    # one query each -------------------------------------------------------------------------------------------------

    def _load_keys(self, wanted: Sequence[Wanted]) -> None:
        table = EXTERNAL.c
        for source in (SOURCE, CONTENT):
            keys = [one.key for one in wanted if one.source == source]
            query = select(table.key, table.record_id).where(
                table.entity == Customer.info.name, table.source == source, table.key.in_(keys)
            )
            for key, record in self._ctx.connection.execute(query) if keys else ():
                self._by_key[source, key] = record

    def _load_marks(self, marks: set[tuple[str, str]]) -> None:
        customer, identifier = Customer.info.table, Identifier.info.table
        rules = visible(self._ctx, Customer.info, customer)
        for kind in ("email", "phone"):
            values = [value for one, value in marks if one == kind]
            if not values:
                continue
            column = customer.c[kind]
            direct = select(customer.c.id, customer.c.name, column).where(column.in_(values), *rules)  # fmt: skip
            further = (
                select(customer.c.id, customer.c.name, identifier.c.value)
                .join_from(customer, identifier, identifier.c.customer_id == customer.c.id)
                .where(
                    identifier.c.kind == kind,
                    identifier.c.value.in_(values),
                    *visible(self._ctx, Identifier.info, identifier),
                    *rules,
                )
            )
            for query in (direct, further):
                for key, name, value in self._ctx.connection.execute(query):
                    self._by_mark.setdefault((kind, value, name.casefold()), set()).add(key)

    def load(self, keys: Iterable[str]) -> None:
        """Load customers with all that a card may add to, those that this principal may see."""
        wanted = sorted(keys)
        if not wanted:
            return
        for customer in self._rows(Customer, Customer.id.in_(wanted)):
            self._known[customer.id] = Known(customer)
        for one in self._rows(Identifier, Identifier.customer_id.in_(wanted)):
            if one.customer_id in self._known:
                self._known[one.customer_id].identifiers.add((one.kind, one.value))
        for one in self._rows(Address, Address.customer_id.in_(wanted)):
            if one.customer_id in self._known:
                self._known[one.customer_id].addresses.append(one)
        # Whoever may change a customer by a card may change what earlier cards have left with it.
        query = select(CardDetail).where(CardDetail.customer_id.in_(self._known))
        for one in self._ctx.session.execute(query.order_by(CardDetail.id)).scalars():
            self._known[one.customer_id].details.append(one)

    def _rows(self, entity: Any, condition: Any) -> Any:
        rules = visible(self._ctx, entity.info, entity.info.table)
        query = select(entity).where(condition, *rules).order_by(entity.id)
        return self._ctx.session.execute(query).scalars()


def _own_key(one: Wanted) -> str:
    """Give the key of the customer whom we ourselves have written this UID for."""
    match = OURS.fullmatch(one.key) if one.source == SOURCE else None
    try:
        return ids.key_from_uuid(match[1]) if match else ""
    except (ValueError, IndexError):
        return ""
