"""A card and its properties, in one form whatever the version they were written in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

Params = tuple[tuple[str, tuple[str, ...]], ...]

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BEFORE_PARTS = re.compile(r"(?<!\\)((?:\\\\)*);")
_BEFORE_ITEMS = re.compile(r"(?<!\\)((?:\\\\)*),")


@dataclass(frozen=True, slots=True)
class CardProperty:
    """One property of a card: `TEL;TYPE=work:+7…`.

    `value` is escaped as RFC 6350 has it, so that texts, structures and addresses of the web need one member only.
    Parameters are sorted by name; the types of every dialect are `TYPE`, a preference is `PREF`, and what only served
    the transport (`ENCODING`, `CHARSET`) is gone. `line` is where it stood, and says nothing of what it is.
    """

    name: str
    value: str
    params: Params = ()
    group: str = ""
    line: int = field(default=0, compare=False)

    @classmethod
    def of(cls, name: str, text: str, **params: str | Iterable[str]) -> CardProperty:
        """Make a property of a plain text.

        >>> CardProperty.of("NOTE", "one, two").text
        'one, two'
        """
        return cls(name, escaped(text), parameters(params))

    @classmethod
    def of_parts(
        cls, name: str, parts: Iterable[str], **params: str | Iterable[str]
    ) -> CardProperty:
        """Make a property of several components, such as a name or an address."""
        return cls(name, ";".join(map(escaped, parts)), parameters(params))

    @property
    def text(self) -> str:
        """Give the value as one text."""
        return plain(self.value)

    @property
    def parts(self) -> list[str]:
        """Give the components of a structured value; a list within one of them is joined by commas."""
        return [plain(part) for part in _split(_BEFORE_PARTS, self.value)]

    @property
    def lists(self) -> list[list[str]]:
        """Give the members of every component."""
        return [
            [plain(item) for item in _split(_BEFORE_ITEMS, part)]
            for part in _split(_BEFORE_PARTS, self.value)
        ]

    @property
    def items(self) -> list[str]:
        """Give the members of a list."""
        return [plain(item) for item in _split(_BEFORE_ITEMS, self.value)]

    def param(self, name: str) -> tuple[str, ...]:
        """Give the values of a parameter; none where it is not there."""
        return next((values for known, values in self.params if known == name), ())

    @property
    def types(self) -> frozenset[str]:
        """Give the types in small letters."""
        return frozenset(self.param("TYPE"))

    @property
    def is_preferred(self) -> bool:
        """Say whether this is the one to use."""
        return self.param("PREF")[:1] == ("1",)

    @property
    def is_empty(self) -> bool:
        """Say whether the value is nothing but separators, as address books write for what they do not know."""
        return not self.value.strip(";, \\n\t")

    def within(self, group: str) -> CardProperty:
        """Give the same property in another group."""
        return replace(self, group=group)


def parameters(params: dict[str, str | Iterable[str]]) -> Params:
    """Give parameters in their one order.

    >>> parameters({"TYPE": "work", "PREF": "1"})
    (('PREF', ('1',)), ('TYPE', ('work',)))
    """
    made = ((n, (v,) if isinstance(v, str) else tuple(v)) for n, v in params.items())
    return tuple(sorted((name, values) for name, values in made if values))


def escaped(text: str) -> str:
    """Escape a text as RFC 6350 has it."""
    text = text.replace("\\", "\\\\").replace(",", "\\,").replace(";", "\\;")
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def plain(value: str) -> str:
    """Give the text of an escaped value; a backslash before anything else only guards it."""
    if "\\" not in value:
        return value
    return _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], value)


def _split(before: re.Pattern[str], value: str) -> list[str]:
    # The first group holds the doubled backslashes before the separator, which belong to the part before it.
    pieces = before.split(value)
    return [
        piece + (pieces[place * 2 + 1] if place * 2 + 1 < len(pieces) else "")
        for place, piece in enumerate(pieces[::2])
    ]


@dataclass
class Card:
    """One card, as it stood in a file."""

    properties: list[CardProperty] = field(default_factory=list)
    version: str = ""
    line: int = 0

    def all(self, name: str) -> list[CardProperty]:
        """Give the properties of one name."""
        return [one for one in self.properties if one.name == name]

    def units(self) -> list[Unit]:
        """Give the properties with what labels them: those of one group belong together."""
        grouped: dict[str, list[CardProperty]] = {}
        units: list[list[CardProperty]] = []
        for one in self.properties:
            known = grouped.get(one.group) if one.group else None
            if known is not None:
                known.append(one)
                continue
            units.append([one])
            if one.group:
                grouped[one.group] = units[-1]
        return [_headed(unit) for unit in units]


Unit = tuple[CardProperty, ...]


def _headed(unit: list[CardProperty]) -> Unit:
    """Put what is labelled before its labels, and forget how the file numbered its groups."""
    ordered = sorted(unit, key=lambda one: one.name.startswith("X-AB"))
    return tuple(one.within("g" if len(unit) > 1 else "") for one in ordered)


@dataclass(frozen=True, kw_only=True)
class CardOptions:
    """How a file of cards is read: its encoding where it does not say, and the most that one card may hold."""

    encoding: str | None = None
    longest_line: int = 4 << 20
    longest_card: int = 16 << 20
