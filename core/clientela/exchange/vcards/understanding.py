"""What a card says of a customer: values for fields, identifiers, addresses, and the lines that none of them takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from clientela.customers.entities import Customer
from clientela.customers.rules import normal_identifier
from clientela.errors import sentence_of
from clientela.exchange.vcards import telling
from clientela.exchange.vcards.model import Card, CardProperty, Unit
from clientela.exchange.vcards.stored import anchor_of
from clientela.i18n.texts import _
from clientela.kinds.base import Home
from clientela.kinds.codes import CountryKind
from clientela.values import PersonName, PostalAddress

# Numbers that nobody answers are no phone to call.
_NO_CALLS = frozenset({"fax", "pager", "modem", "bbs"})
_SERVICES = {
    "X-AIM": "aim", "X-ICQ": "icq", "X-JABBER": "xmpp", "X-GTALK": "xmpp", "X-GOOGLE-TALK": "xmpp",
    "X-MSN": "msnim", "X-YAHOO": "ymsgr", "X-SKYPE": "skype", "X-SKYPE-USERNAME": "skype", "X-QQ": "qq",
    "X-TELEGRAM": "tg", "X-GADUGADU": "gg",
}  # fmt: skip
_NUMBERS = {"X-INN": "inn", "X-KPP": "kpp", "X-OGRN": "ogrn", "X-VAT": "vat"}
_ORGANIZATIONS = frozenset({"org", "group", "location"})
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ].*)?")
_PART_OF_DAY = re.compile(r"-{1,3}\d[\d-]*|\d{4}(-\d\d)?")
# They speak of the file or its writer, and are written anew.
_OF_THE_FILE = frozenset({"PRODID", "REV"})
_COUNTRY = CountryKind()
LONGEST_UID = 300
_LONGEST_VALUE = 300


@dataclass
class Wrong:
    """A property that could not be taken as what it says it is; it is kept as it stands."""

    property: CardProperty
    code: str
    sentence: str


@dataclass
class Understood:
    """What a card says. `details` are lines with the one of ours that each spells in another way, if any."""

    kind: str = "person"
    uid: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    fallback: str = ""
    identifiers: list[tuple[str, str]] = field(default_factory=list)
    addresses: list[tuple[str, PostalAddress, bool]] = field(default_factory=list)
    details: list[tuple[str | None, Unit]] = field(default_factory=list)
    left: list[Unit] = field(default_factory=list)
    wrong: list[Wrong] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Give how the customer is called, as far as the card knows."""
        person: PersonName | None = self.values.get("person")
        return self.values.get("name") or (person.full() if person else "") or self.fallback

    def spelled(self, unit: Unit, ours: CardProperty) -> None:
        """Keep how a line was spelled where ours would say less."""
        if unit != (ours,):
            self.details.append((anchor_of(ours), unit))


def understand(card: Card, home: Home) -> Understood:
    """Say what a card means; `home` says of which country a phone number is that does not say so itself."""
    units = [u for u in card.units() if not all(one.is_empty for one in u)]
    by_name: dict[str, list[Unit]] = {}
    for unit in units:
        by_name.setdefault(unit[0].name, []).append(unit)
    told = Understood(kind=_kind(card))
    reader = _Reader(told, home)
    for name, found in by_name.items():
        if name not in _OF_THE_FILE:
            reader.read(name, found)
    # An address book's order is kept, whatever was read first.
    told.left.sort(key=lambda unit: unit[0].line)
    told.fallback = _fallback(card, told)
    return told


def _kind(card: Card) -> str:
    said = [one.text.lower() for one in card.all("KIND")]
    if said:
        return "organization" if said[0] in _ORGANIZATIONS else "person"
    if any(not one.is_empty for one in card.all("N")):
        return "person"
    names = {one.text.strip() for one in card.all("FN")} - {""}
    firms = {one.parts[0].strip() for one in card.all("ORG")} - {""}
    return "organization" if firms and (not names or names <= firms) else "person"


def _fallback(card: Card, told: Understood) -> str:
    """Give a name to a card without one: what else is said of whom it is."""
    for name in ("NICKNAME", "ORG", "EMAIL", "TEL"):
        for one in card.all(name):
            text = (one.items if name == "NICKNAME" else one.parts)[0].strip()
            if text:
                return text[:200]
    return told.identifiers[0][1] if told.identifiers else ""


class _Reader:
    """Reads the units of one card, name by name."""

    def __init__(self, told: Understood, home: Home) -> None:
        self._told = told
        self._home = home
        self._fields = {name: f.at_home(home) for name, f in Customer.info.fields.items()}
        self._by_name: dict[str, Callable[[Sequence[Unit]], None]] = {
            "UID": self._uid, "KIND": self._kind, "FN": self._full_name, "N": self._name, "ORG": self._firm,
            "TEL": self._phones, "ADR": self._addresses, "BDAY": self._birthday, "NOTE": self._notes,
            "CATEGORIES": self._tags, "LANG": self._language, "TZ": self._zone, "URL": self._website,
        }  # fmt: skip

    def read(self, name: str, units: Sequence[Unit]) -> None:
        """Read all units of one name."""
        read = self._by_name.get(name)
        if read is not None:
            read(units)
        elif name in _SERVICES:
            self._each(units, "messenger", lambda one: f"{_SERVICES[name]}:{one.text.strip()}")
        elif name in ("IMPP", "X-SOCIALPROFILE", "SOCIALPROFILE"):
            kind = "messenger" if name == "IMPP" else "social"
            self._each(units, kind, lambda one: " ".join(one.value.split()))
        elif name == "EMAIL" or name in _NUMBERS:
            self._each(units, _NUMBERS.get(name, "email"), lambda one: one.text.strip())
        else:
            self._told.left += units

    def _leave(self, unit: Unit, wrong: ValueError | None = None) -> None:
        self._told.left.append(unit)
        if wrong is not None:
            self._told.wrong.append(Wrong(unit[0], "value-error", sentence_of(wrong)))

    # who ------------------------------------------------------------------------------------------------------------

    def _uid(self, units: Sequence[Unit]) -> None:
        self._told.uid = " ".join(units[0][0].value.split())
        if len(self._told.uid) > LONGEST_UID:
            self._told.uid = ""
            sentence = _(
                "A UID of more than {most} characters is not taken; the customer is found by name and e-mail instead.",
                most=LONGEST_UID,
            )
            self._told.wrong.append(Wrong(units[0][0], "uid-too-long", sentence))

    def _kind(self, units: Sequence[Unit]) -> None:
        if self._told.kind == "organization":
            self._told.spelled(units[0], CardProperty("KIND", "org"))
        elif units[0][0].text.lower() != "individual":
            self._told.left += units

    def _full_name(self, units: Sequence[Unit]) -> None:
        longest = 200
        name = " ".join(units[0][0].text.split())[:longest].strip()
        self._told.values["name"] = name
        self._told.spelled(units[0], telling.line("FN", name))
        self._told.left += units[1:]

    def _name(self, units: Sequence[Unit]) -> None:
        parts = [" ".join(" ".join(items).split()) for items in units[0][0].lists]
        named = dict(
            zip(("family", "given", "patronymic", "prefix", "suffix"), parts, strict=False)
        )
        if self._told.kind != "person":
            self._told.left += units
            return
        try:
            person = PersonName.from_dict(named)
        except ValueError as wrong:
            self._leave(units[0], wrong)
        else:
            self._told.values["person"] = person
            self._told.spelled(units[0], telling.person_line(person))
        self._told.left += units[1:]

    def _firm(self, units: Sequence[Unit]) -> None:
        first = " ".join(units[0][0].parts[0].split())[:200]
        if self._told.kind != "organization":
            self._told.left += units
            return
        name = self._told.values.setdefault("name", first)
        if first == name:
            self._told.spelled(units[0], CardProperty.of_parts("ORG", [name]))
            units = units[1:]
        self._told.left += units

    # how to reach ---------------------------------------------------------------------------------------------------

    def _phones(self, units: Sequence[Unit]) -> None:
        self._told.left += [unit for unit in units if unit[0].types & _NO_CALLS]
        kind = self._fields["phone"].kind
        self._each(
            [unit for unit in units if not unit[0].types & _NO_CALLS],
            "phone",
            lambda one: str(kind.parse(one.text.strip().removeprefix("tel:"))),
        )

    def _each(
        self, units: Sequence[Unit], kind: str, value_of: Callable[[CardProperty], str]
    ) -> None:
        """Take identifiers of a kind, the preferred one first."""
        for unit in sorted(units, key=lambda unit: not unit[0].is_preferred):
            try:
                value = normal_identifier(kind, value_of(unit[0]))
            except ValueError as wrong:
                self._leave(unit, wrong)
                continue
            if len(value) > _LONGEST_VALUE:
                self._leave(unit)
                continue
            if (kind, value) not in self._told.identifiers:
                self._told.identifiers.append((kind, value))
            self._told.spelled(unit, telling.identifier_line(kind, value))

    def _addresses(self, units: Sequence[Unit]) -> None:
        for unit in units:
            try:
                address = self._address(unit[0])
            except ValueError:
                # Nothing of it has a place with us; a line of its own keeps it.
                self._leave(unit)
                continue
            purpose = next((p for p, t in telling.PURPOSE_TYPES.items() if t in unit[0].types), "postal")  # fmt: skip
            primary = unit[0].is_preferred
            self._told.addresses.append((purpose, address, primary))
            self._told.spelled(unit, telling.address_line(purpose, address, primary=primary))

    def _address(self, one: CardProperty) -> PostalAddress:
        parts = [_one_line(items) for items in one.lists]
        _box, extended, street, city, region, code, country = [*parts, *[""] * 7][:7]
        known = {"unit": extended, "street": street, "city": city, "region": region, "postal_code": code}  # fmt: skip
        try:
            where = {"country": _COUNTRY.parse(country.replace(".", ""))} if country else {}
        except ValueError as wrong:
            where = {}
            self._told.wrong.append(Wrong(one, "country", sentence_of(wrong)))
        try:
            return PostalAddress.from_dict(known | where)
        except ValueError:
            text = ", ".join(filter(None, (extended, street, city, region, code)))
            return PostalAddress.from_dict({"text": text} | where)

    def _website(self, units: Sequence[Unit]) -> None:
        longest = 300
        for unit in sorted(units, key=lambda unit: not unit[0].is_preferred):
            value = " ".join(unit[0].value.split())
            if len(value) > longest or "website" in self._told.values:
                self._leave(unit)
            else:
                self._told.values["website"] = value
                self._told.spelled(unit, telling.line("URL", value))

    # what else is known ---------------------------------------------------------------------------------------------

    def _birthday(self, units: Sequence[Unit]) -> None:
        first = units[0][0]
        day = _DAY.fullmatch(first.text.strip())
        # Apple writes 1604 where the year is not known.
        if first.param("VALUE") or first.param("X-APPLE-OMIT-YEAR") or first.text.startswith("1604"):  # fmt: skip
            self._told.left += units
            return
        try:
            if day is None:
                _check_part(first.text)
            value = self._fields["birth_date"].kind.load(day[1]) if day else None
        except ValueError as wrong:
            self._leave(units[0], wrong)
        else:
            if value is None:
                self._leave(units[0])
            else:
                self._told.values["birth_date"] = value
                self._told.spelled(units[0], telling.line("BDAY", value.isoformat()))
        self._told.left += units[1:]

    def _notes(self, units: Sequence[Unit]) -> None:
        texts = list(dict.fromkeys(unit[0].text.strip() for unit in units))
        try:
            note = self._fields["note"].kind.load("\n\n".join(texts))
        except ValueError as wrong:
            self._told.left += units
            self._told.wrong.append(Wrong(units[0][0], "value-error", sentence_of(wrong)))
            return
        self._told.values["note"] = note
        ours = telling.line("NOTE", note)
        if len(texts) > 1:
            self._told.details += [(anchor_of(ours), unit) for unit in units]
        else:
            self._told.spelled(units[0], ours)

    def _tags(self, units: Sequence[Unit]) -> None:
        kind, tags = self._fields["tags"].kind, []
        for unit in units:
            # Many escape the commas between tags, and no tag of ours has one.
            for item in filter(None, map(str.strip, re.split("[,;]", unit[0].text))):
                try:
                    tags += kind.load([item])
                except ValueError as wrong:
                    self._leave((telling.tags_line([item]),), wrong)
        self._told.values["tags"] = list(dict.fromkeys(tags))

    def _language(self, units: Sequence[Unit]) -> None:
        for unit in sorted(units, key=lambda unit: not unit[0].is_preferred):
            try:
                value = self._fields["language"].kind.parse(unit[0].text.strip().split("-")[0])
            except ValueError as wrong:
                self._leave(unit, wrong)
                continue
            if self._told.values.setdefault("language", value) == value:
                self._told.spelled(unit, telling.line("LANG", value))
            else:
                self._leave(unit)

    def _zone(self, units: Sequence[Unit]) -> None:
        name = units[0][0].text.strip()
        try:
            known = "/" in name and bool(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            known = False
        if known:
            self._told.values["time_zone"] = name
            self._told.spelled(units[0], telling.line("TZ", name))
            units = units[1:]
        self._told.left += units


def _one_line(items: list[str]) -> str:
    lines = [line.strip() for item in items for line in item.splitlines()]
    return ", ".join(filter(None, lines))


def _check_part(text: str) -> None:
    """Pass a day without its year, or a year alone: no field takes it, and it is none the worse."""
    if not _PART_OF_DAY.fullmatch(text.strip()):
        raise ValueError(_("This is no day; write it as 1980-05-17, or --05-17 without the year."))
