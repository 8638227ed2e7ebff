"""Taking cards in: one customer each, through the ordinary actions, so that rules, guards and history hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clientela.bulk.lookups import changeable
from clientela.customers.entities import CardDetail, Customer
from clientela.errors import Conflict, Forbidden, NotFound, Refusal
from clientela.exchange.cards.matching import Known, Matcher, Wanted
from clientela.exchange.making import CREATED
from clientela.exchange.merging import UNCHANGED, UPDATED
from clientela.exchange.options import Mode
from clientela.exchange.report import Problem
from clientela.exchange.vcards import Card, to_stored
from clientela.exchange.vcards.model import Unit
from clientela.exchange.vcards.stored import anchor_of
from clientela.exchange.vcards.telling import address_line
from clientela.exchange.vcards.understanding import Understood, understand
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.context import Context

# A card says these once, so that what it says takes the place of what an earlier one did.
_SAID_ONCE = frozenset(
    {"PHOTO", "LOGO", "SOUND", "N", "FN", "BDAY", "ANNIVERSARY", "DEATHDATE", "GENDER", "GEO", "TZ", "ROLE", "TITLE"}
)  # fmt: skip


@dataclass
class Taken:
    """What became of some cards, by their numbers."""

    outcomes: dict[int, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    set_id: str | None = None


class CardTaker:
    """Takes cards in. `create` leaves known customers alone, `update` makes no new ones, `fill-blanks` only adds."""

    def __init__(self, mode: Mode = "upsert") -> None:
        self.mode = mode

    def take(self, ctx: Context, cards: Sequence[tuple[int, Card]]) -> Taken:
        """Take some cards in one change set; one that is refused costs itself alone."""
        if ctx.changes is None:
            ctx.change_set().action = Customer.info.permission("import")
        wanted = [Wanted.of(number, card, understand(card, ctx.app.home)) for number, card in cards]
        return _Batch(ctx, self.mode, Matcher(ctx, wanted)).take(wanted)


class _Batch:
    """The cards of one transaction."""

    def __init__(self, ctx: Context, mode: Mode, matcher: Matcher) -> None:
        self._ctx = ctx
        self._mode = mode
        self._matcher = matcher
        self._taken = Taken()

    def take(self, wanted: Sequence[Wanted]) -> Taken:
        for one in wanted:
            self._taken.problems += [
                Problem(one.number, w.property.name, w.code, w.sentence, f"{w.property.line}: {w.property.text[:60]}")
                for w in one.told.wrong
            ]  # fmt: skip
            self._one(one)
        changes = self._ctx.changes
        self._taken.set_id = changes.id if changes is not None and changes.changes else None
        return self._taken

    def _one(self, one: Wanted) -> None:
        known: Known | None = None
        try:
            with self._ctx.savepoint():
                known = self._matcher.find(one)
                outcome = self._write(one, known)
        except Refusal as refused:
            pointer = refused.errors[0].pointer.strip("/") if refused.errors else ""
            self._taken.problems.append(
                Problem(one.number, pointer, refused.code, refused.detail, one.told.name[:60])
            )
            self._taken.failed.add(one.number)
            if known is not None:
                self._matcher.forget(known.customer.id)
        else:
            self._taken.outcomes[one.number] = outcome

    def _write(self, one: Wanted, known: Known | None) -> str:
        if known is None:
            if self._mode == "update":
                raise NotFound(_("There is no customer of this card, and the mode makes no new ones."))  # fmt: skip
            known = Known(self._create(one.told))
            self._add(one, known)
            return CREATED
        if self._mode == "create":
            return UNCHANGED
        if not changeable(self._ctx, Customer.info, [known.customer.id]):
            raise Forbidden(
                _("Your roles let you see this {noun}, but not change it.", noun=Customer.info.noun)
            )
        before = self._written()
        self._update(one.told, known)
        self._add(one, known)
        return UPDATED if self._written() > before else UNCHANGED

    def _written(self) -> int:
        self._ctx.flush()
        return len(self._ctx.changes.changes) if self._ctx.changes is not None else 0

    def _run(self, name: str, record: Any = None, /, **data: Any) -> Any:
        return self._ctx.run(self._ctx.app.registry.action(f"core.{name}"), record, data)

    # the customer ---------------------------------------------------------------------------------------------------

    def _create(self, told: Understood) -> Customer:
        values = {n: v for n, v in told.values.items() if v}
        if not values.get("name") and "person" not in values:
            values["name"] = told.fallback
        for kind in ("email", "phone"):
            values[kind] = next(iter(told_of(told, kind)), None)
        made: Customer = self._run("customer.create", kind=told.kind, **values)
        return made

    def _update(self, told: Understood, known: Known) -> None:
        customer = known.customer
        if told.kind != customer.kind:
            raise Conflict(
                _(
                    "The card is of another kind than the customer: a person or an "
                    "organization. Mend its KIND or its name."
                )
            )
        blank = {n for n in (*told.values, "email", "phone") if not customer.get(n)}
        only_blank = self._mode == "fill-blanks"
        values = {n: v for n, v in told.values.items() if v and (n in blank or not only_blank)}
        if told.values.get("tags"):
            values["tags"] = list(dict.fromkeys([*customer.tags, *told.values["tags"]]))
        for kind in ("email", "phone"):
            if kind in blank:
                free = [v for v in told_of(told, kind) if (kind, v) not in known.identifiers]
                values[kind] = next(iter(free), None)
        changed = {n: v for n, v in values.items() if v != customer.get(n)}
        if changed:
            self._run("customer.update", customer.id, **changed)

    # what belongs to it ---------------------------------------------------------------------------------------------

    def _add(self, one: Wanted, known: Known) -> None:
        customer, told = known.customer, one.told
        main = {("email", customer.email), ("phone", customer.phone)}
        for kind, value in told.identifiers:
            if (kind, value) not in known.identifiers | main:
                self._run("identifier.create", customer_id=customer.id, kind=kind, value=value)
                known.identifiers.add((kind, value))
        self._add_addresses(told, known)
        details = [*told.details, *self._ask_plugins(told, customer)]
        self._keep(details, known)
        # What may still be refused is refused here, before the matcher knows of it.
        self._ctx.flush()
        self._matcher.remember(one, known)

    def _add_addresses(self, told: Understood, known: Known) -> None:
        there = {
            anchor_of(address_line(a.purpose, a.address, primary=a.primary))
            for a in known.addresses
        }
        for purpose, address, primary in told.addresses:
            anchor = anchor_of(address_line(purpose, address, primary=primary))
            if anchor not in there:
                there.add(anchor)
                known.addresses.append(
                    self._run(
                        "address.create", customer_id=known.customer.id,
                        purpose=purpose, address=address, primary=primary,
                    )
                )  # fmt: skip

    def _ask_plugins(self, told: Understood, customer: Customer) -> list[tuple[str | None, Unit]]:
        """Let plugins take what the core has no field for; what nobody takes is kept as it stands."""
        heads = tuple(unit[0] for unit in told.left)
        answers = self._ctx.hook.card_taking(ctx=self._ctx, customer=customer, properties=heads)
        ours = {taken: written for answer in answers for taken, written in answer.items()}
        details: list[tuple[str | None, Unit]] = []
        for unit in told.left:
            written = ours.get(unit[0])
            if written is None:
                details.append((None, unit))
            elif unit != (written,):
                details.append((anchor_of(written), unit))
        return details

    def _keep(self, details: Sequence[tuple[str | None, Unit]], known: Known) -> None:
        """Keep lines; of what is said once, and of another spelling, the newest card's take the place of older ones."""
        given: dict[str, dict[str, tuple[str | None, str]]] = {}
        for anchor, unit in details:
            place = anchor or unit[0].name
            given.setdefault(place, {})[to_stored(unit)] = (anchor, unit[0].name)
        for place, lines in given.items():
            there = {d.text: d for d in known.details if (d.stands_for or d.name) == place}
            replaces = place in _SAID_ONCE or any(anchor for anchor, _name in lines.values())
            if there and self._mode == "fill-blanks" and replaces:
                continue
            if replaces and there.keys() != lines.keys():
                for old in there.values():
                    self._ctx.delete(old)
                    known.details.remove(old)
                there = {}
            for text in [text for text in lines if text not in there]:
                anchor, name = lines[text]
                made = CardDetail(
                    customer_id=known.customer.id, name=name[:100], stands_for=anchor, text=text
                )
                known.details.append(self._ctx.add(made))


def told_of(told: Understood, kind: str) -> list[str]:
    """Give what a card says of one kind of identifier."""
    return [value for one, value in told.identifiers if one == kind]
