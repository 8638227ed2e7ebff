"""The name of a person, by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from clientela.i18n.texts import _
from clientela.values._name_reading import read_name
from clientela.values._parts import read_parts

MOST_CHARACTERS = 100
"""The longest part that is taken."""

# Who write the family name first, as documents and lists have it.
FAMILY_FIRST = frozenset({"be", "hu", "ja", "kk", "km", "ko", "ru", "uk", "vi", "zh"})


@dataclass(frozen=True, slots=True)
class PersonName:
    """A name by part; each part may be empty.

    >>> PersonName("Иванов", "Иван", "Иванович").full("ru")
    'Иванов Иван Иванович'
    """

    family: str = ""
    given: str = ""
    patronymic: str = ""
    prefix: str = ""
    suffix: str = ""

    @classmethod
    def parse(cls, text: str, locale: str | None = None) -> PersonName:
        """Split a full name: Russian order, "Family, Given", or else given names first.

        The locale decides only where the words do not: "Смит Джон" in ru, "John Smith" in en.

        >>> PersonName.parse("Иванова Анна Петровна").given
        'Анна'
        """
        language = _language(locale or "")
        return cls.from_dict(
            read_name(text, language=language, family_first=language in FAMILY_FIRST)
        )

    @classmethod
    def from_dict(cls, mapping: Mapping[str, object]) -> PersonName:
        """Take the parts by name, refusing what is unknown, too long or empty altogether."""
        return cls(**read_parts(mapping, _MOST, _("A person's name")))

    def as_dict(self) -> dict[str, str]:
        """Give the parts that are not empty.

        >>> PersonName("Smith", "John").as_dict()
        {'family': 'Smith', 'given': 'John'}
        """
        return {part: text for part in _MOST if (text := getattr(self, part))}

    def full(self, locale: str = "en") -> str:
        """Give the whole name in the order of the locale.

        >>> PersonName("Smith", "John", prefix="Dr.").full()
        'Dr. John Smith'
        """
        inner = [self.given, self.patronymic]
        inner.insert(0 if _language(locale) in FAMILY_FIRST else len(inner), self.family)
        return _joined(self.prefix, *inner, self.suffix)

    def initials(self) -> str:
        """Give the family name and the first letters of the others.

        >>> PersonName("Иванов", "Иван", "Иванович").initials()
        'Иванов И. И.'
        """
        if not self.family:
            return _joined(self.given, self.patronymic)
        return _joined(self.family, _initials(self.given), _initials(self.patronymic))


_MOST = {field.name: MOST_CHARACTERS for field in fields(PersonName)}


def _language(locale: str) -> str:
    return locale.replace("_", "-").split("-")[0].lower()


def _initials(words: str) -> str:
    """Shorten every word, keeping the hyphen of a double name: `Анна-Мария` gives `А.-М.`."""
    return " ".join(
        "-".join(f"{piece[0]}." for piece in word.split("-") if piece) for word in words.split()
    )


def _joined(*parts: str) -> str:
    return " ".join(filter(None, parts))
