"""From the texts of a column to values, with everything that can be decided per column decided once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from clientela.entity import EntityInfo
from clientela.errors import FieldProblem, Invalid, sentence_of
from clientela.exchange.conventions import reading
from clientela.exchange.guarding import unguarded
from clientela.exchange.mapping import Columns, Target
from clientela.exchange.quick import quick_parser
from clientela.fields import Field
from clientela.i18n.texts import Text, _
from clientela.kinds.base import Home, Kind
from clientela.kinds.choices import ListKind
from clientela.kinds.codes import CountryKind
from clientela.kinds.numbers import MoneyKind
from clientela.kinds.structured import JsonKind
from clientela.kinds.text import TextKind

# Values of these kinds can be changed in place, so two rows must never share one.
_CHANGEABLE = (ListKind, JsonKind)
_LONGEST_REMEMBERED = 100
_MOST_REMEMBERED = 20_000
_COUNTRY = CountryKind()


_MOST_QUOTED = 60


def sentence_without(sample: str, wrong: ValueError) -> str:
    """Give the sentence with the value left out, so that the same mistake is one group, whatever the values.

    >>> sentence_without("19371233", ValueError("1937-12-33 is not a day of the calendar."))
    '… is not a day of the calendar.'
    """
    sentence = sentence_of(wrong)
    signs = [re.escape(sign) for sign in sample if sign.isalnum()]
    if not signs or len(signs) > _MOST_QUOTED:
        return sentence
    quoted = re.compile(
        r"(?<!\w)['\"]?[+-]?" + r"\W{0,3}".join(signs) + r"(?!\w)['\"]?", re.IGNORECASE
    )
    return _without(quoted, sentence)


def _without(quoted: re.Pattern[str], sentence: str) -> str:
    """Leave the value out of a text, or of the values that a marked text remembers."""
    if not isinstance(sentence, Text):
        return quoted.sub("…", sentence, count=1)
    values = {
        name: _without(quoted, value) if isinstance(value, str) else value
        for name, value in sentence.values.items()
    }
    return Text(sentence.key, sentence.context, values)


class Blank:
    """The cell was empty: a new record gets the default, a known one keeps what it has."""

    def __repr__(self) -> str:
        return "blank"


BLANK = Blank()


@dataclass(frozen=True, slots=True)
class Bad:
    """The cell cannot be taken; says why."""

    column: str
    code: str
    sentence: str
    sample: str = ""


Parse = Callable[[str], Any]


class Memory(dict[str, Any]):
    """Remembers what a text of one column means; a text that means nothing is remembered as `Bad`."""

    def __init__(self, column: str, parse: Parse, quick: Parse | None, *, sharing: bool) -> None:
        super().__init__({"": BLANK})
        self._column = column
        self._parse, self._quick = parse, quick
        self._sharing = sharing
        self.has_bad = False

    def __missing__(self, text: str) -> Any:
        if self._quick is not None:
            value = self._quick(text)
            if value:
                return value
        value = self._read(unguarded(text.strip()))
        if type(value) is Bad:
            self.has_bad = True
        elif self._sharing and len(text) <= _LONGEST_REMEMBERED:
            self[text] = value
        return value

    def _read(self, text: str) -> Any:
        if not text:
            return BLANK
        try:
            value = self._parse(text)
        except ValueError as wrong:
            return Bad(self._column, "value-error", sentence_without(text, wrong), text[:200])
        return BLANK if value == "" else value

    def column(self, cells: Iterable[str]) -> list[Any]:
        """Read the cells of a batch."""
        if len(self) > _MOST_REMEMBERED:
            self.clear()
            self[""] = BLANK
        return [self[cell] for cell in cells]


def memory_of(column: str, kind: Kind, parse: Parse | None = None) -> Memory:
    """Give the reader of a column of one kind, in the convention of the column where it has one."""
    sharing = not isinstance(kind, _CHANGEABLE)
    return Memory(column, parse or kind.parse, _safe_quick(kind), sharing=sharing)


def _safe_quick(kind: Kind) -> Parse | None:
    """Let no text take the fast way that may carry the apostrophe of a guarded formula."""
    quick = quick_parser(kind)
    if quick is None or type(kind) is not TextKind:
        return quick
    return lambda text: None if text[0] in "' " else quick(text)


@dataclass
class FieldColumn:
    """All that the file says of one field: one column, or several for its parts."""

    field: Field
    names: list[str]
    read: Callable[[Sequence[Sequence[str]]], list[Any]]
    has_bad: Callable[[], bool]
    by: Field | None = None


def field_columns(header: Sequence[str], columns: Columns, home: Home) -> list[FieldColumn]:
    """Compile how each mapped field is read from the columns of a batch."""
    grouped: dict[str, list[tuple[int | None, Target, str]]] = {}
    for place, target in columns.targets.items():
        here = replace(target, field=target.field.at_home(home))
        grouped.setdefault(target.field.name, []).append((place, here, header[place]))
    for target, text in columns.constants.values():
        here = replace(target, field=target.field.at_home(home))
        grouped.setdefault(target.field.name, []).append((None, here, text))
    return [_compiled(members, columns) for members in grouped.values()]


def whole_fields(info: EntityInfo) -> frozenset[str]:
    """Name the fields whose values are objects of any members."""
    return frozenset(n for n, f in info.writable.items() if isinstance(f.kind, JsonKind))


Member = tuple[int | None, Target, str]


def _compiled(members: list[Member], columns: Columns) -> FieldColumn:
    declared = members[0][1].field
    names = [name if place is not None else target.word for place, target, name in members]
    if len(members) == 1 and not members[0][1].part:
        place, target, text = members[0]
        kind = target.by.kind if target.by is not None else declared.kind
        memory = memory_of(names[0], kind, _reading(kind, place, columns))
        read = _constant(memory, text) if place is None else _plain(memory, place)
        return FieldColumn(declared, names, read, lambda: memory.has_bad, target.by)
    amount = next((place for place, target, _ in members if not target.part), None)
    together = Together(declared, members, names, _reading(declared.kind, amount, columns))
    return FieldColumn(declared, names, together.read, lambda: together.has_bad)


def _reading(kind: Kind, place: int | None, columns: Columns) -> Parse:
    """Give the reading of a column; a constant is written as we write it, whatever the file does."""
    convention = columns.conventions.get(place) if place is not None else None
    return reading(kind, convention, columns.zone)


def _plain(memory: Memory, place: int) -> Callable[[Sequence[Sequence[str]]], list[Any]]:
    def read(table: Sequence[Sequence[str]]) -> list[Any]:
        memory.has_bad = False
        return memory.column(table[place])

    return read


def _constant(memory: Memory, text: str) -> Callable[[Sequence[Sequence[str]]], list[Any]]:
    value = memory[text]
    if isinstance(value, Bad):
        raise Invalid(
            _(
                "The constant {column} cannot be taken: {reason}",
                column=value.column,
                reason=value.sentence,
            ),
            [FieldProblem("/constants", value.code, value.sentence)],
        )

    def read(table: Sequence[Sequence[str]]) -> list[Any]:
        memory.has_bad = False
        return [memory[text] for _ in table[0]]

    return read


class Together:
    """A field whose parts stand in several columns, such as a name, an address, an amount and its currency."""

    def __init__(
        self, declared: Field, members: list[Member], names: list[str], parse: Parse
    ) -> None:
        self._field = declared
        self._parse = parse
        self._members = members
        self._names = names
        self._name = " + ".join(names)
        # A constant, or a currency without an amount, says nothing by itself.
        self._deciding = {t.part for place, t, _ in members if place is not None}
        if isinstance(declared.kind, MoneyKind):
            self._deciding = {""}
        self.has_bad = False

    def read(self, table: Sequence[Sequence[str]]) -> list[Any]:
        """Put the parts of each row together."""
        self.has_bad = False
        height = len(table[0])
        parts = [target.part for _, target, _ in self._members]
        cells = [
            table[place] if place is not None else [text] * height
            for place, _, text in self._members
        ]
        return [self._value(parts, row) for row in zip(*cells, strict=True)]

    def _value(self, parts: list[str], row: tuple[str, ...]) -> Any:
        texts = {
            part: text
            for part, cell in zip(parts, row, strict=True)
            if (text := unguarded(cell.strip()))
        }
        if self._deciding.isdisjoint(texts):
            return BLANK
        try:
            return self._whole(texts)
        except ValueError as wrong:
            self.has_bad = True
            return Bad(
                self._name, "value-error", sentence_of(wrong), " | ".join(texts.values())[:200]
            )

    def _whole(self, texts: dict[str, str]) -> Any:
        kind = self._field.kind
        if isinstance(kind, MoneyKind):
            amount, currency = texts[""], texts.get("currency", "")
            return self._parse(f"{amount} {currency}".strip())
        if "country" in texts and "country" in kind.parts:
            texts["country"] = _COUNTRY.parse(texts["country"])
        return kind.load(texts)
