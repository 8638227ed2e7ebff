"""The trees of a filter: as it was said, and as it was bound to an entity.

The raw tree (`Node`) knows words only and comes from the text form or the JSON form. The bound tree (`Bound`) knows
fields and ready values; SQL and the matcher are made from it. The protocols say what a filter must know of a field.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Literal, Protocol, TypeAlias

from clientela.i18n.texts import _

MAX_TEXT: Final = 8_000
MAX_DEPTH: Final = 32
MAX_COMPARISONS: Final = 100
MAX_VALUES: Final = 1_000
MAX_REFS: Final = 3

SPELLINGS: Final[Mapping[str, str]] = {
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "le": "<=",
    "gt": ">",
    "ge": ">=",
    "in": "in",
    "contains": "contains",
    "starts": "starts",
    "ends": "ends",
    "has": "has",
    "null": "is null",
}
"""Each canonical operator, in the order in which people are told of them, as the text form spells it."""

SYMBOLS: Final[Mapping[str, str]] = {
    "=": "eq",
    "==": "eq",
    "!=": "ne",
    "<>": "ne",
    "<": "lt",
    "<=": "le",
    ">": "gt",
    ">=": "ge",
}

CLOCK_UNITS: Final = ("s", "min", "h")
CALENDAR_UNITS: Final = ("d", "w", "m", "y")
UNITS: Final[Mapping[str, tuple[str, ...]]] = {
    "now": CLOCK_UNITS + CALENDAR_UNITS,
    "today": CALENDAR_UNITS,
}
"""What an offset may count in: `min` is minutes, `m` is months; a day has no hours to count."""

UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
"""What no text of a database can hold: NUL and half a surrogate pair."""


@dataclass(frozen=True, slots=True)
class Word:
    """A value as it was written; its field will read it. Quotes are spelling, not meaning."""

    text: str
    quoted: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Relative:
    """A moment counted from now, or a day counted from today."""

    base: Literal["now", "today"]
    amount: int = 0
    unit: str = "d"

    def __post_init__(self) -> None:
        if self.unit not in UNITS[self.base]:
            raise ValueError(
                _(
                    "{base} counts in {units}.",
                    base=repr(self.base),
                    units=", ".join(UNITS[self.base]),
                )
            )
        if abs(self.amount) >= 10**9:
            raise ValueError(_("An offset has at most nine digits."))

    @property
    def offset(self) -> str:
        """Give the offset as it is written: `-30d`."""
        return f"{self.amount:+d}{self.unit}"


@dataclass(frozen=True, slots=True)
class Me:
    """The person who asks."""


@dataclass(frozen=True, slots=True)
class Null:
    """Nothing; the forms turn a comparison with it into the operator `null`."""


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """A value that came with a JSON type of its own."""

    value: str | int | float | bool | Decimal

    def __eq__(self, other: object) -> bool:
        # Python has 1 == True == 1.0, a filter has not; trees are keys of caches.
        return isinstance(other, Scalar) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[type, object]:
        return type(self.value), self.value


Raw: TypeAlias = Word | Relative | Me | Null | Scalar
Value: TypeAlias = Raw | tuple[Raw, ...] | bool


@dataclass(frozen=True, slots=True)
class And:
    """All of these hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of these holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class Compare:
    """One comparison: a path of names, a canonical operator and what it is compared with.

    The value is a tuple for `in`, and for `null` a bool: True for `is null`, False for `is not null`.
    `at` is the column in the text (from 1), or 0 when there was no text.
    """

    path: tuple[str, ...]
    op: str
    value: Value
    at: int = field(default=0, compare=False)

    @property
    def dotted(self) -> str:
        """Give the path as people write it."""
        return ".".join(self.path)


Node: TypeAlias = And | Or | Not | Compare


def depth(node: Node) -> int:
    """Count how many `and`, `or` and `not` lie above the deepest comparison."""
    level, count = [node], -1
    while level:
        count += 1
        level = [child for parent in level for child in _children(parent)]
    return count


def comparisons(node: Node) -> Iterator[Compare]:
    """Give every comparison of the tree."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Compare):
            yield node
        waiting.extend(_children(node))


def _children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, And | Or):
        return node.parts
    return (node.part,) if isinstance(node, Not) else ()


class FilterKind(Protocol):
    """What a filter must know of the type of a field."""

    @property
    def name(self) -> str:
        """The word for it: `money`."""

    @property
    def operators(self) -> frozenset[str]:
        """The canonical operators it takes; `null` is always taken."""

    @property
    def parts(self) -> Mapping[str, FilterKind]:
        """What may follow the field after a dot: `currency` of a money. May be empty."""

    def parse(self, text: str) -> object:
        """Read a value as people write it, leniently; a ValueError says what is wrong in a sentence."""

    def load(self, raw: object) -> object:
        """Take a JSON value, a datetime or a date; a ValueError says what is wrong in a sentence."""

    def matches(self, op: str, left: object, right: object) -> bool:
        """Compare two values. `left` is never None, `op` never `null`; for `in`, `right` is a tuple."""


class FilterField(Protocol):
    """What a filter must know of a field."""

    @property
    def name(self) -> str:
        """The name of the column: `customer_id`."""

    @property
    def kind(self) -> FilterKind:
        """The type of its values."""

    @property
    def filterable(self) -> bool:
        """Whether a filter may touch it."""

    @property
    def target(self) -> FilterTarget | None:
        """The entity it refers to, if it is a reference."""


class FilterTarget(Protocol):
    """What a filter must know of an entity."""

    @property
    def name(self) -> str:
        """The full name: `core.customer`."""

    def filter_field(self, name: str) -> FilterField | None:
        """Find the field of exactly this name."""

    def filter_names(self) -> list[str]:
        """Give the names that may be filtered by, to suggest the nearest."""


@dataclass(frozen=True, slots=True)
class BoundAnd:
    """All of these hold."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class BoundOr:
    """At least one of these holds."""

    parts: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class BoundNot:
    """The part does not hold."""

    part: Bound


@dataclass(frozen=True, slots=True)
class BoundCompare:
    """One comparison of a field, reached over the references `steps`, with a ready value.

    With a `part`, that part of the field's value is compared, by the part's own kind.
    """

    steps: tuple[FilterField, ...]
    field: FilterField
    part: str | None
    op: str
    value: object

    @property
    def kind(self) -> FilterKind:
        """The kind that compares: the part's, or the field's own."""
        return self.field.kind if self.part is None else self.field.kind.parts[self.part]


Bound: TypeAlias = BoundAnd | BoundOr | BoundNot | BoundCompare
