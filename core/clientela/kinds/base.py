"""What every field kind knows, and the defaults most of them share."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from sqlalchemy import ColumnElement
from sqlalchemy.types import TypeEngine

from clientela.i18n.texts import _

type_of_columns = Sequence[ColumnElement[Any]]

COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "in"})
EQUALITY = frozenset({"eq", "ne", "in"})

Render = Callable[[Any], Any]


@dataclass(frozen=True)
class Home:
    """Where a deployment is at home: what is meant where a phone number or an amount does not say."""

    country: str | None = None
    currency: str | None = None


NOWHERE = Home()


class Kind:
    """One sort of value: how it is read, checked, stored, compared, shown, written and made up.

    A kind is a value: two fields may share one, and it is never changed after it was made. A plugin adds a kind by
    deriving from this class and declaring a field with `field(kind=MyKind(), …)`; nothing needs registering.

    Values come in from two sides: `load` takes what JSON or Python gives and is strict about the type; `parse` takes
    text as people write it in a CSV cell, a form, a filter or a shell, and is lenient about spelling. Both raise
    `ValueError` with a whole sentence, and both give the same Python value.
    """

    name: ClassVar[str]
    python: ClassVar[Any] = str
    operators: frozenset[str] = COMPARISONS
    field_class: str | None = None
    sortable: bool = True
    suffixes: tuple[str, ...] = ("",)
    # Those of the columns by which records are looked up, however the field is declared.
    indexed: tuple[str, ...] = ()

    def at_home(self, home: Home) -> Kind:
        """Give the same kind as a deployment reads it; most kinds are the same everywhere."""
        del home
        return self

    # reading ----------------------------------------------------------------------------------------------------

    def load(self, raw: object) -> Any:
        """Take a JSON or Python value, strictly."""
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """Take text as people write it."""
        return self.load(text)

    # storing ----------------------------------------------------------------------------------------------------

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one column type per suffix."""
        raise NotImplementedError

    def to_columns(self, value: Any) -> tuple[Any, ...]:
        """Spread a value over the kind's columns."""
        return (value,)

    def from_columns(self, values: Sequence[Any]) -> Any:
        """Put a value together from the kind's columns."""
        return values[0]

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Give the function from raw stored values to JSON, or None where they are the same.

        The function gets the raw value of the one column, or a tuple where the kind has several.
        """
        del sqlite
        return None

    def from_stored(self, raw: Any) -> Any:
        """Read a stored value that went through JSON, as a cursor carries it."""
        return self.load(raw)

    def revive(self, raw: Any) -> Any:
        """Read a value of the change log, which was valid when it was written, whatever is declared today."""
        try:
            return self.load(raw)
        except ValueError:
            return raw

    # showing ----------------------------------------------------------------------------------------------------

    def dump(self, value: Any) -> Any:
        """Give the JSON form of a value."""
        return value

    def csv(self, value: Any) -> str:
        """Give the text of a CSV cell; `parse` reads it back to an equal value."""
        return str(self.dump(value))

    def format(self, value: Any, locale: str) -> str:
        """Give the text a person reads in that language."""
        del locale
        return self.csv(value)

    def json_schema(self) -> dict[str, Any]:
        """Describe the JSON form."""
        raise NotImplementedError

    def search_text(self, value: Any) -> str:
        """Give the words under which the value should be found."""
        return self.csv(value)

    # comparing --------------------------------------------------------------------------------------------------

    @property
    def parts(self) -> Mapping[str, Kind]:
        """Name the parts a filter may look into (`amount.currency`)."""
        return {}

    def load_operand(self, op: str, raw: object) -> Any:
        """Take the right side of a comparison from JSON; most kinds compare with their own values."""
        del op
        return self.load(raw)

    def parse_operand(self, op: str, text: str) -> Any:
        """Take the right side of a comparison from text."""
        del op
        return self.parse(text)

    def part_column(self, columns: type_of_columns, part: str) -> ColumnElement[Any]:
        """Give the expression that reads one part."""
        raise NotImplementedError(part)

    def sql(self, op: str, columns: type_of_columns, value: Any) -> ColumnElement[bool]:
        """Compare in the database; never called with `null`, which is the same for all kinds."""
        return compare_sql(op, columns[0], value)

    def matches(self, op: str, left: Any, right: Any) -> bool:
        """Compare in Python, with the same answer as `sql`."""
        return compare(op, left, right)

    def sort_by(self, columns: type_of_columns) -> ColumnElement[Any]:
        """Give the expression that a list is ordered by."""
        return columns[0]

    # making up --------------------------------------------------------------------------------------------------

    def sample(self, rng: random.Random) -> Any:
        """Make up a valid value."""
        raise NotImplementedError

    # pydantic ---------------------------------------------------------------------------------------------------

    def annotation(self) -> Any:
        """Give the type that a pydantic model declares for this kind."""
        return Annotated[
            self.python,
            PlainValidator(self.load),
            PlainSerializer(self.dump),
            WithJsonSchema(self.json_schema()),
        ]


def compare(op: str, left: Any, right: Any) -> bool:
    """Compare two present values."""
    if op == "in":
        return left in right
    return bool(_PYTHON[op](left, right))


_PYTHON: dict[str, Callable[[Any, Any], Any]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}

_SQL: dict[str, Callable[[ColumnElement[Any], Any], ColumnElement[bool]]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def compare_sql(op: str, column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    """Compare a column with a value or a list of values."""
    if op == "in":
        return column.in_(list(value))
    return _SQL[op](column, value)


def sentence_for_type(expected: str, raw: object) -> ValueError:
    """Say that a value of another type was sent."""
    sent = {
        "str": _("text"), "int": _("a whole number"), "float": _("a number"), "bool": _("true or false"),
        "NoneType": "null", "list": _("a list"), "dict": _("an object"),
    }.get(type(raw).__name__, type(raw).__name__)  # fmt: skip
    return ValueError(
        _("{expected} is expected here, {sent} was sent.", expected=expected, sent=sent)
    )
