"""Binding a filter to an entity: names become fields, words become values, nonsense becomes sentences.

All that may be refused is refused here, so that SQL and the matcher need not ask again.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeVar, runtime_checkable

from clientela.errors import FieldProblem, Invalid, did_you_mean, nearest, sentence_of
from clientela.filters.nodes import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    MAX_REFS,
    MAX_VALUES,
    SPELLINGS,
    And,
    Bound,
    BoundAnd,
    BoundCompare,
    BoundNot,
    BoundOr,
    Compare,
    FilterField,
    FilterKind,
    FilterTarget,
    Me,
    Node,
    Not,
    Null,
    Or,
    Raw,
    Relative,
    Scalar,
    Value,
    Word,
    comparisons,
    depth,
)
from clientela.i18n.texts import _

__all__ = [
    "Bound",
    "BoundAnd",
    "BoundCompare",
    "BoundNot",
    "BoundOr",
    "FilterField",
    "FilterKind",
    "FilterTarget",
    "OperandKind",
    "bind",
]

_SPANS: Final = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_MONTHS: Final = {"m": 1, "y": 12}

Day = TypeVar("Day", date, datetime)


@runtime_checkable
class OperandKind(Protocol):
    """What a kind offers beside `parse` and `load` when it is compared with something else than its own values.

    Tags are a list, but `tags has "vip"` asks for one of them; money may be compared with an amount alone.
    """

    def parse_operand(self, op: str, text: str) -> object:
        """Read the right side of a comparison as people write it."""

    def load_operand(self, op: str, raw: object) -> object:
        """Take the right side of a comparison from JSON, or a datetime or a date."""


def bind(
    node: Node,
    target: FilterTarget,
    *,
    now: datetime,
    today: date,
    me: str | None,
) -> Bound:
    """Resolve a filter against an entity; `Invalid` says which field, operator or value it does not have.

    `now` is aware and in UTC, `today` the day of the one who asks, `me` their key or None when nobody asks.
    """
    _check_size(node)
    return _Binder(target, now, today, me).bound(node)


def _check_size(node: Node) -> None:
    if depth(node) > MAX_DEPTH:
        raise _invalid(
            "too-deep", _("The filter is nested deeper than {most} levels.", most=MAX_DEPTH)
        )
    for count, compare in enumerate(comparisons(node), start=1):
        if count > MAX_COMPARISONS:
            sentence = _("The filter has more than {most} comparisons.", most=MAX_COMPARISONS)
            raise _invalid("too-many-comparisons", sentence)
        if isinstance(compare.value, tuple) and len(compare.value) > MAX_VALUES:
            sentence = _(
                "The list for {field} is longer than {most} values.",
                field=repr(compare.dotted),
                most=f"{MAX_VALUES:,}",
            )
            raise _invalid("too-many-values", sentence, compare)


class _Place(NamedTuple):
    steps: tuple[FilterField, ...]
    field: FilterField
    part: str | None
    kind: FilterKind


class _Operand(NamedTuple):
    """The two ways to read what a comparison compares with."""

    parse: Callable[[str], object]
    load: Callable[[object], object]

    def take(self, value: object) -> object:
        """Load a JSON value; a string that is none of the kind's own is read as people write it.

        So `"1000"` in JSON means what `1000` means in text, and the two forms can be turned into each other.
        """
        try:
            return self.load(value)
        except ValueError:
            if not isinstance(value, str):
                raise
            return self.parse(value)


def _operand(kind: FilterKind, op: str) -> _Operand:
    if isinstance(kind, OperandKind):
        return _Operand(partial(kind.parse_operand, op), partial(kind.load_operand, op))
    return _Operand(kind.parse, kind.load)


@dataclass(frozen=True, slots=True)
class _Binder:
    target: FilterTarget
    now: datetime
    today: date
    me: str | None

    def bound(self, node: Node) -> Bound:
        match node:
            case And(parts):
                return BoundAnd(tuple(map(self.bound, parts)))
            case Or(parts):
                return BoundOr(tuple(map(self.bound, parts)))
            case Not(part):
                return BoundNot(self.bound(part))
            case Compare():
                return self.compared(_without_null(node))

    def compared(self, compare: Compare) -> BoundCompare:
        steps, field, part, kind = _walk(compare, self.target, compare.path, ())
        _check_operator(compare, kind)
        try:
            value = self.value(compare.value, _operand(kind, compare.op))
        except ValueError as error:
            raise _invalid(
                "bad-value",
                _("{field}: {reason}", field=repr(compare.dotted), reason=sentence_of(error)),
                compare,
            ) from error
        return BoundCompare(steps, field, part, compare.op, value)

    def value(self, value: Value, operand: _Operand) -> object:
        if isinstance(value, bool):
            return value
        if isinstance(value, tuple):
            return tuple(self.read(each, operand) for each in value)
        return self.read(value, operand)

    def read(self, raw: Raw, operand: _Operand) -> object:
        match raw:
            case Word(text):
                return operand.parse(text)
            case Scalar(value):
                return operand.take(value)
            case Relative():
                return operand.load(_moment(raw, self.now, self.today))
            case Me():
                if self.me is None:
                    raise ValueError(_("'me' means nobody here; name a person."))
                return operand.load(self.me)
            case Null():
                raise ValueError(_("null goes only with = and !=; ask 'is null'."))


def _without_null(compare: Compare) -> Compare:
    """Say `= null` and `!= null` of a tree made by hand the way the two forms do."""
    if isinstance(compare.value, Null) and compare.op in ("eq", "ne"):
        return Compare(compare.path, "null", compare.op == "eq", compare.at)
    return compare


def _walk(
    compare: Compare,
    target: FilterTarget,
    path: tuple[str, ...],
    steps: tuple[FilterField, ...],
) -> _Place:
    name, rest = path[0], path[1:]
    field = _field(compare, target, name)
    if not rest:
        return _Place(steps, field, None, field.kind)
    if field.target is None:
        return _Place(steps, field, rest[0], _part(compare, field, name, rest))
    if len(steps) == MAX_REFS:
        sentence = _(
            "{field} follows more than {most} references.",
            field=repr(compare.dotted),
            most=MAX_REFS,
        )
        raise _invalid("too-deep", sentence, compare)
    return _walk(compare, field.target, rest, (*steps, field))


def _field(compare: Compare, target: FilterTarget, name: str) -> FilterField:
    field = target.filter_field(name) or _reference(target, name)
    if field is None:
        words = [_short(target, word) for word in target.filter_names()]
        sentence = _(
            "{entity} has no field {field}.", entity=target.name, field=repr(name)
        ) + did_you_mean(name, words)
        raise _invalid("unknown-field", sentence, compare, nearest(name, words))
    if not field.filterable:
        sentence = _(
            "{entity} cannot be filtered by {field}.", entity=target.name, field=repr(name)
        )
        raise _invalid("not-filterable", sentence, compare)
    return field


def _reference(target: FilterTarget, name: str) -> FilterField | None:
    """Find the reference `customer_id` by the name of what it refers to, `customer`."""
    field = target.filter_field(f"{name}_id")
    return field if field is not None and field.target is not None else None


def _short(target: FilterTarget, name: str) -> str:
    """Give the name by which people should call a field: `customer` for the reference `customer_id`."""
    short = name.removesuffix("_id")
    found = target.filter_field(short) or _reference(target, short)
    return short if found is not None and found.target and found.name == name else name


def _part(compare: Compare, field: FilterField, name: str, rest: tuple[str, ...]) -> FilterKind:
    kind = field.kind.parts.get(rest[0])
    if kind is not None and len(rest) == 1:
        return kind
    wrong = ".".join(rest) if kind is not None else rest[0]
    near = did_you_mean(wrong, field.kind.parts)
    sentence = (
        _(
            "{field} ({kind}) has no part {part}.",
            field=repr(name),
            kind=field.kind.name,
            part=repr(wrong),
        )
        + near
    )
    raise _invalid("unknown-field", sentence, compare, tuple(field.kind.parts))


def _check_operator(compare: Compare, kind: FilterKind) -> None:
    if compare.op == "null" or compare.op in kind.operators:
        return
    taken = tuple(word for op, word in SPELLINGS.items() if op in kind.operators or op == "null")
    used = SPELLINGS.get(compare.op, compare.op)
    sentence = _(
        "{field} ({kind}) does not take {used}, only {taken}.",
        field=repr(compare.dotted),
        kind=kind.name,
        used=repr(used),
        taken=", ".join(taken),
    )
    raise _invalid("unknown-operator", sentence, compare, taken)


def _moment(relative: Relative, now: datetime, today: date) -> date:
    """Give the datetime or, counted from today, the date that is meant."""
    try:
        if relative.base == "now":
            return _shifted(now, relative)
        return _shifted(today, relative)
    except (ValueError, OverflowError):
        outside = _(
            "{base}{offset} lies outside the calendar.", base=relative.base, offset=relative.offset
        )
        raise ValueError(outside) from None


def _shifted(day: Day, relative: Relative) -> Day:
    if relative.unit in _SPANS:
        return day + _SPANS[relative.unit] * relative.amount
    months = day.year * 12 + day.month - 1 + _MONTHS[relative.unit] * relative.amount
    year, month = divmod(months, 12)
    # The 31st becomes the last day of a shorter month, as people mean it.
    last = calendar.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def _invalid(
    code: str,
    sentence: str,
    compare: Compare | None = None,
    allowed: tuple[str, ...] = (),
) -> Invalid:
    problem = FieldProblem("/filter", code, sentence, allowed=allowed)
    extra: dict[str, object] = {"position": compare.at} if compare and compare.at else {}
    return Invalid(sentence, errors=[problem], extra=extra)
