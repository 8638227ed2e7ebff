"""A postal address, by part or as one text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace

from clientela.i18n.texts import _
from clientela.values._parts import read_parts
from clientela.values.codes import known_country

MOST_CHARACTERS = 100
MOST_CHARACTERS_OF_TEXT = 500

# Who write an address from the large to the small.
_LARGE_FIRST = frozenset({"be", "kk", "ru", "uk"})


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """An address; each part may be empty, and `text` is for what cannot be split.

    >>> PostalAddress(city="London", street="Downing Street", house="10").one_line()
    '10 Downing Street, London'
    """

    country: str = ""
    region: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    house: str = ""
    unit: str = ""
    postal_code: str = ""
    text: str = ""

    @classmethod
    def from_dict(cls, mapping: Mapping[str, object]) -> PostalAddress:
        """Take the parts by name, refusing what is unknown, too long or empty altogether."""
        address = cls(**read_parts(mapping, _MOST, _("An address")))
        if address.country:
            return replace(address, country=known_country(address.country))
        return address

    def as_dict(self) -> dict[str, str]:
        """Give the parts that are not empty.

        >>> PostalAddress(country="RU", city="Казань").as_dict()
        {'country': 'RU', 'city': 'Казань'}
        """
        return {part: text for part in _MOST if (text := getattr(self, part))}

    def one_line(self, locale: str = "en") -> str:
        """Give the address in the order of the locale, the country by its name there.

        >>> PostalAddress(city="Казань", street="ул. Баумана", house="д. 5").one_line("ru")
        'Казань, ул. Баумана, д. 5'
        """
        country = _country_name(self.country, locale) if self.country else ""
        language = locale.replace("_", "-").split("-")[0].lower()
        if language in _LARGE_FIRST:
            parts = [self.postal_code, country, self.region, self.city, self.district]
            parts += [self.street, self.house, self.unit]
        else:
            parts = [_spaced(self.house, self.street), self.unit, self.district, self.city]
            parts += [_spaced(self.region, self.postal_code), country]
        # Whoever gave the parts too has said the same again in the text.
        is_split = any(self.as_dict().keys() - {"country", "text"})
        return ", ".join(_once(parts)) if is_split else ", ".join(_once([self.text, country]))


_MOST = {field.name: MOST_CHARACTERS for field in fields(PostalAddress)}
_MOST["text"] = MOST_CHARACTERS_OF_TEXT


def _spaced(first: str, second: str) -> str:
    return f"{first} {second}".strip()


def _once(parts: list[str]) -> Iterator[str]:
    """Leave out what is empty or repeats its neighbour: Moscow is a city and a region."""
    before = ""
    for part in parts:
        if part and part != before:
            yield part
            before = part


def _country_name(code: str, locale: str) -> str:
    # Babel is slow to import, and few processes ever show an address.
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415

    try:
        names = Locale.parse(locale.replace("-", "_")).territories
    except (UnknownLocaleError, ValueError):
        return code
    return str(names.get(code, code))
