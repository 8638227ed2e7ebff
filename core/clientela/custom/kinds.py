"""The kinds that are offered to integrators, each with the options it takes.

A plugin offers a kind of its own by putting an `Offer` on its card.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, BaseModel, StringConstraints, ValidationError
from pydantic import Field as PydanticField

from clientela.errors import FieldProblem, Invalid, did_you_mean
from clientela.fields import OnDelete
from clientela.i18n.texts import Spoken, _
from clientela.kinds.base import Kind
from clientela.kinds.choices import ChoiceKind, MultiChoiceKind, TagsKind
from clientela.kinds.codes import CountryKind, CurrencyKind, LanguageKind
from clientela.kinds.links import RefKind
from clientela.kinds.numbers import (
    BIGGEST,
    BooleanKind,
    DecimalKind,
    DurationKind,
    IntegerKind,
    MoneyKind,
    PercentKind,
)
from clientela.kinds.structured import AddressKind, JsonKind, PersonNameKind
from clientela.kinds.text import EmailKind, PhoneKind, RichTextKind, TextKind, UrlKind
from clientela.kinds.times import DayKind, InstantKind
from clientela.schemas import Input, invalid
from clientela.values import COUNTRIES, CURRENCIES

if TYPE_CHECKING:
    from clientela.entity import EntityInfo
    from clientela.registry import Registry


class Plain(Input):
    """A kind without options."""


class TextOptions(Input):
    """How long a text may be."""

    max_length: int = PydanticField(default=255, ge=1, le=10_000)


class LongTextOptions(Input):
    """How long a text of several lines may be."""

    max_length: int = PydanticField(default=10_000, ge=1, le=100_000)


class IntegerOptions(Input):
    """Between which numbers a whole number lies."""

    at_least: int = PydanticField(default=-BIGGEST, ge=-BIGGEST, le=BIGGEST)
    at_most: int = PydanticField(default=BIGGEST, ge=-BIGGEST, le=BIGGEST)


Amount = Annotated[str, StringConstraints(pattern=r"^-?\d{1,17}(\.\d{1,9})?$")]


class DecimalOptions(Input):
    """How many decimals a number has, and between which it lies, as text: "0.05"."""

    places: int = PydanticField(default=2, ge=0, le=9)
    at_least: Amount | None = None
    at_most: Amount | None = None


class PercentOptions(Input):
    """The same for a share, which lies between nothing and all unless it is said otherwise."""

    places: int = PydanticField(default=2, ge=0, le=9)
    at_least: Amount | None = "0"
    at_most: Amount | None = "100"


def _known(codes: frozenset[str], standard: str) -> AfterValidator:
    def check(code: str) -> str:
        if code not in codes:
            raise ValueError(
                _("{code} is not a code of {standard}.", code=repr(code[:20]), standard=standard)
            )
        return code

    return AfterValidator(check)


class MoneyOptions(Input):
    """The currency of amounts that name none."""

    currency: Annotated[str, _known(CURRENCIES, "ISO 4217")] | None = None


class PhoneOptions(Input):
    """The country of numbers that name none."""

    region: Annotated[str, _known(COUNTRIES, "ISO 3166-1")] | None = None


class Option(Input):
    """One choice: the key is stored, the label is shown."""

    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
    label: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    label_ru: Annotated[str, StringConstraints(max_length=120)] = ""

    @property
    def said(self) -> Spoken:
        """Give the label in both languages."""
        return Spoken(self.label, {"ru": self.label_ru})


def _different(found: list[Option]) -> list[Option]:
    keys = [one.key for one in found]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice is not None:
        raise ValueError(_("The choice {key} is there twice.", key=repr(twice)))
    return found


class ChoiceOptions(Input):
    """What may be chosen, in the order in which it is offered."""

    options: Annotated[
        list[Option], PydanticField(min_length=1, max_length=500), AfterValidator(_different)
    ]

    @property
    def labels(self) -> dict[str, str]:
        """Give the labels by key."""
        return {one.key: one.said for one in self.options}


class RefOptions(Input):
    """Whose records a reference points at, and what happens here when the record is purged."""

    target: str
    on_delete: Literal["restrict", "set_null"] = "set_null"


@dataclass(frozen=True)
class Offer:
    """A kind as integrators get it: `make` gives the kind of some options.

    `fixed` names the options that say how values are stored; they stay as they are while there are any.
    """

    name: str
    options: type[BaseModel]
    make: Callable[[Any], Kind]
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Shape:
    """A kind with its options, and what a reference points at."""

    kind: Kind
    target: EntityInfo | None = None
    on_delete: OnDelete = "set_null"


def _bound(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _number(made: type[DecimalKind]) -> Callable[[Any], Kind]:
    return lambda o: made(places=o.places, at_least=_bound(o.at_least), at_most=_bound(o.at_most))


def _plain(made: type[Kind]) -> Callable[[Any], Kind]:
    return lambda _options: made()


_PLAIN: dict[str, type[Kind]] = {
    "boolean": BooleanKind, "day": DayKind, "instant": InstantKind, "duration": DurationKind, "tags": TagsKind,
    "email": EmailKind, "url": UrlKind, "address": AddressKind, "person_name": PersonNameKind,
    "country": CountryKind, "language": LanguageKind, "currency": CurrencyKind, "json": JsonKind,
}  # fmt: skip

OFFERS: Mapping[str, Offer] = {
    offer.name: offer
    for offer in (
        Offer("text", TextOptions, lambda o: TextKind(max_length=o.max_length)),
        Offer(
            "long_text", LongTextOptions, lambda o: TextKind(max_length=o.max_length, lines=True)
        ),
        Offer("rich_text", LongTextOptions, lambda o: RichTextKind(max_length=o.max_length)),
        Offer(
            "integer",
            IntegerOptions,
            lambda o: IntegerKind(at_least=o.at_least, at_most=o.at_most),
        ),
        Offer("decimal", DecimalOptions, _number(DecimalKind), frozenset({"places"})),
        Offer("percent", PercentOptions, _number(PercentKind), frozenset({"places"})),
        Offer("money", MoneyOptions, lambda o: MoneyKind(currency=o.currency)),
        Offer("choice", ChoiceOptions, lambda o: ChoiceKind(o.labels)),
        Offer("choices", ChoiceOptions, lambda o: MultiChoiceKind(o.labels)),
        Offer("phone", PhoneOptions, lambda o: PhoneKind(region=o.region)),
        Offer("ref", RefOptions, lambda o: RefKind(o.target), frozenset({"target"})),
        *(Offer(name, Plain, _plain(made)) for name, made in _PLAIN.items()),
    )
}


def shape_of(registry: Registry, name: str, options: Mapping[str, Any]) -> Shape:
    """Make a kind of its name and options; `Invalid` says what is wrong with them."""
    offer = registry.kinds.get(name)
    if offer is None:
        sentence = _("There is no kind {name}.", name=repr(name[:60]))
        sentence += did_you_mean(name, registry.kinds)
        raise Invalid(sentence, [FieldProblem("/kind", "unknown-kind", sentence)])
    read = read_options(offer, options)
    if isinstance(read, RefOptions):
        target = registry.entities.get(read.target)
        if target is None:
            sentence = _("There is no entity {name}.", name=repr(read.target[:60]))
            sentence += did_you_mean(read.target, registry.entities)
            raise Invalid(sentence, [FieldProblem("/options/target", "unknown-entity", sentence)])
        return Shape(RefKind(target.prefix), target, read.on_delete)
    return Shape(offer.make(read))


def read_options(offer: Offer, options: Mapping[str, Any]) -> BaseModel:
    """Read the options of a kind."""
    try:
        # JSON mode: lists and numbers come as JSON has them.
        read = offer.options.model_validate_json(orjson.dumps(dict(options)))
    except ValidationError as wrong:
        raise invalid(wrong, offer.options.model_fields, at="/options") from None
    least, most = getattr(read, "at_least", None), getattr(read, "at_most", None)
    if least is not None and most is not None and Decimal(least) > Decimal(most):
        sentence = _("{least} is more than {most}, so nothing would fit.", least=least, most=most)
        raise Invalid(sentence, [FieldProblem("/options/at_least", "invalid", sentence)])
    return read
