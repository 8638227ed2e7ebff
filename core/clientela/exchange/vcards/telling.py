"""From what we know of a customer to the properties of a card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from clientela.exchange.vcards.model import CardProperty, Unit, escaped
from clientela.exchange.vcards.stored import anchor_of
from clientela.i18n.formats import country_name
from clientela.values import PersonName, PostalAddress

IDENTIFIER_NAMES = {
    "email": "EMAIL", "phone": "TEL", "messenger": "IMPP", "social": "X-SOCIALPROFILE",
    "inn": "X-INN", "kpp": "X-KPP", "ogrn": "X-OGRN", "vat": "X-VAT",
}  # fmt: skip
PURPOSE_TYPES = {"legal": "x-legal", "billing": "billing", "delivery": "delivery", "visit": "x-visit"}  # fmt: skip

_PLAIN = (
    ("website", "URL"),
    ("birth_date", "BDAY"),
    ("language", "LANG"),
    ("time_zone", "TZ"),
    ("note", "NOTE"),
)
_RAW = frozenset({"URL", "IMPP", "X-SOCIALPROFILE"})


def customer_lines(values: Mapping[str, Any]) -> Iterator[CardProperty]:
    """Give what the fields of a customer say, those that are known and may be seen."""
    if values.get("kind") == "organization":
        yield CardProperty("KIND", "org")
    name = values.get("name")
    if name:
        yield line("FN", name)
    if values.get("person"):
        yield person_line(PersonName.from_dict(values["person"]))
    if name and values.get("kind") == "organization":
        yield CardProperty.of_parts("ORG", [name])
    for field, kind in (("email", "email"), ("phone", "phone")):
        if values.get(field):
            yield identifier_line(kind, values[field])
    for field, word in _PLAIN:
        if values.get(field):
            yield line(word, values[field])
    if values.get("tags"):
        yield tags_line(values["tags"])


def line(name: str, text: str) -> CardProperty:
    """Give a property of one text; an address of the web is not escaped."""
    return CardProperty(name, " ".join(text.split())) if name in _RAW else CardProperty.of(name, text)  # fmt: skip


def person_line(person: PersonName) -> CardProperty:
    """Give a name by part; the patronymic is the additional name."""
    parts = (person.family, person.given, person.patronymic, person.prefix, person.suffix)
    return CardProperty.of_parts("N", parts)


def tags_line(tags: Iterable[str]) -> CardProperty:
    """Give the tags."""
    return CardProperty("CATEGORIES", ",".join(map(escaped, tags)))


def identifier_line(kind: str, value: str) -> CardProperty:
    """Give an identifier of a kind that a card has a place for."""
    return line(IDENTIFIER_NAMES[kind], value)


def address_line(purpose: str, address: PostalAddress, *, primary: bool) -> CardProperty:
    """Give an address; what cannot be split stands where the street does."""
    extended = ", ".join(filter(None, (address.unit, address.district)))
    street = f"{address.street} {address.house}".strip()
    if not (extended or street or address.city or address.region or address.postal_code):
        street = address.text
    country = country_name(address.country, "en") if address.country else ""
    parts = ("", extended, street, address.city, address.region, address.postal_code, country)
    params = {"TYPE": PURPOSE_TYPES.get(purpose, ()), "PREF": "1" if primary else ()}
    return CardProperty.of_parts("ADR", parts, **params)


def composed(
    lines: Iterable[CardProperty], details: Sequence[tuple[str | None, Unit]]
) -> Iterator[CardProperty]:
    """Put a card together: our own lines, each as it was spelled where it came from, then what no field takes."""
    spelled: dict[str, list[Unit]] = {}
    for anchor, unit in details:
        if anchor:
            spelled.setdefault(anchor, []).append(unit)
    ours = dict.fromkeys(lines)
    units = [unit for one in ours for unit in spelled.get(anchor_of(one), [(one,)])]
    units += [unit for anchor, unit in details if not anchor]
    labelled = 0
    for unit in units:
        labelled += len(unit) > 1
        yield from (one.within(f"item{labelled}" if len(unit) > 1 else "") for one in unit)
