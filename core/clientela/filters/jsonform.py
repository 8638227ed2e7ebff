"""The JSON form of a filter, for programs: the same tree as the text form.

    {"and": [filter, …]}   {"or": [filter, …]}   {"not": filter}
    {"field": "company.country", "op": "eq", "value": "RU"}

Operators go by their canonical name or as the text form spells them (`"ge"`, `">="`). A value is text, a number,
true, false, `{"now": "-30d"}`, `{"today": "+1w"}` or `{"me": true}`; for `in` a list of these; for `eq` and `ne` also
null; for `null` true or false. Nothing else is taken, and a refusal points at what was wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from clientela.errors import BadSyntax, FieldProblem, did_you_mean, sentence_of
from clientela.filters.nodes import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    MAX_VALUES,
    SPELLINGS,
    SYMBOLS,
    UNSTORABLE,
    And,
    Compare,
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
from clientela.filters.text import read_path, read_relative
from clientela.i18n.texts import _

_OPERATORS: Final[Mapping[str, str]] = {**{name: name for name in SPELLINGS}, **SYMBOLS}
_KEYS: Final = ("field", "op", "value")
_JOINS: Final[Mapping[str, type[And | Or]]] = {"and": And, "or": Or}
_WIDEST: Final = 2**63
_SHOWN: Final = 40
_A_VALUE: Final = _(
    'text, a number, true, false, {{"now": "-30d"}}, {{"today": "+1w"}} or {{"me": true}}'
)


def from_json(obj: object) -> Node:
    """Read a filter from decoded JSON; `BadSyntax` holds a JSON pointer to what cannot be read."""
    node = _node(obj, "/filter", 0)
    if depth(node) > MAX_DEPTH:
        raise _bad("/filter", _("nested deeper than {most} levels.", most=MAX_DEPTH))
    if sum(1 for _ in comparisons(node)) > MAX_COMPARISONS:
        raise _bad("/filter", _("more than {most} comparisons.", most=MAX_COMPARISONS))
    return node


def to_json(node: Node) -> dict[str, object]:
    """Write a filter as plain JSON; texts and exact decimals become strings, which lose nothing."""
    match node:
        case And(parts):
            return {"and": [to_json(part) for part in parts]}
        case Or(parts):
            return {"or": [to_json(part) for part in parts]}
        case Not(part):
            return {"not": to_json(part)}
        case Compare():
            return {"field": node.dotted, "op": node.op, "value": _plain(node.value)}


def _plain(value: Value) -> object:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    match value:
        case Word(text):
            return text
        case Relative(base):
            return {base: value.offset}
        case Me():
            return {"me": True}
        case Scalar(scalar):
            return str(scalar) if isinstance(scalar, Decimal) else scalar
    return None if isinstance(value, Null) else value


def _node(obj: object, pointer: str, level: int) -> Node:
    if not isinstance(obj, Mapping):
        raise _bad(pointer, _("{found} is no filter; a filter is an object.", found=_shown(obj)))
    if level > MAX_DEPTH:
        raise _bad(pointer, _("nested deeper than {most} levels.", most=MAX_DEPTH))
    for key, join in _JOINS.items():
        if key in obj:
            _only(obj, (key,), pointer)
            return _joined(obj[key], join, f"{pointer}/{key}", level)
    if "not" in obj:
        _only(obj, ("not",), pointer)
        return Not(_node(obj["not"], f"{pointer}/not", level + 1))
    return _comparison(obj, pointer)


def _joined(obj: object, join: type[And | Or], pointer: str, level: int) -> Node:
    if not isinstance(obj, list) or not obj:
        raise _bad(
            pointer, _("{found} is no list of filters; give at least one.", found=_shown(obj))
        )
    if len(obj) > MAX_COMPARISONS:
        raise _bad(pointer, _("more than {most} comparisons.", most=MAX_COMPARISONS))
    parts = tuple(_node(each, f"{pointer}/{index}", level + 1) for index, each in enumerate(obj))
    return parts[0] if len(parts) == 1 else join(parts)


def _comparison(obj: Mapping[object, object], pointer: str) -> Node:
    _only(obj, _KEYS, pointer)
    for key in _KEYS:
        if key not in obj:
            raise _bad(
                pointer,
                _("{key} is missing; a comparison has {keys}.", key=repr(key), keys=_listed(_KEYS)),
            )
    path = _path(obj["field"], f"{pointer}/field")
    op, value, place = obj["op"], obj["value"], f"{pointer}/value"
    if op == "not in":
        return Not(Compare(path, "in", _values(value, place)))
    op = _operator(op, f"{pointer}/op")
    if op == "null":
        if not isinstance(value, bool):
            raise _bad(
                place,
                _("{found} does not go with 'null'; give true or false.", found=_shown(value)),
            )
        return Compare(path, "null", value)
    if value is None and op in ("eq", "ne"):
        return Compare(path, "null", op == "eq")
    return Compare(path, op, _values(value, place) if op == "in" else _value(value, place))


def _path(obj: object, pointer: str) -> tuple[str, ...]:
    path = read_path(obj) if isinstance(obj, str) else None
    if path is None:
        raise _bad(
            pointer, _("{found} is no field, such as name or company.country.", found=_shown(obj))
        )
    return path


def _operator(obj: object, pointer: str) -> str:
    if isinstance(obj, str) and obj in _OPERATORS:
        return _OPERATORS[obj]
    words = (*_OPERATORS, "not in")
    hint = did_you_mean(obj[:_SHOWN], words) if isinstance(obj, str) else ""
    raise _bad(pointer, _("{found} is no operator.", found=_shown(obj)) + hint, allowed=words)


def _values(obj: object, pointer: str) -> tuple[Raw, ...]:
    if not isinstance(obj, list) or not obj:
        raise _bad(
            pointer, _("{found} is no list of values; give at least one.", found=_shown(obj))
        )
    if len(obj) > MAX_VALUES:
        raise _bad(pointer, _("longer than {most} values.", most=f"{MAX_VALUES:,}"))
    return tuple(_value(each, f"{pointer}/{index}") for index, each in enumerate(obj))


def _value(obj: object, pointer: str) -> Raw:
    match obj:
        case str():
            if bad := UNSTORABLE.search(obj):
                raise _bad(
                    pointer, _("holds {character}, which no text may hold.", character=repr(bad[0]))
                )
            return Scalar(obj)
        case bool():
            return Scalar(obj)
        case int() if -_WIDEST <= obj < _WIDEST:
            return Scalar(obj)
        case float() if math.isfinite(obj):
            return Scalar(obj)
        case Decimal() if not obj.is_nan() and math.isfinite(obj):
            return Scalar(obj)
        case {**parts} if len(parts) == 1:
            return _special(*next(iter(parts.items())), pointer)
    raise _bad(
        pointer, _("{found} is no value here; give {values}.", found=_shown(obj), values=_A_VALUE)
    )


def _special(key: object, value: object, pointer: str) -> Raw:
    if key == "me" and value is True:
        return Me()
    if key in ("now", "today") and isinstance(value, str):
        try:
            return read_relative("now" if key == "now" else "today", value)
        except ValueError as error:
            raise _bad(f"{pointer}/{key}", sentence_of(error)) from None
    raise _bad(
        pointer,
        _(
            "an object with {found} is no value here; give {values}.",
            found=_shown(key),
            values=_A_VALUE,
        ),
    )


def _only(obj: Mapping[object, object], known: tuple[str, ...], pointer: str) -> None:
    for key in obj:
        if key not in known:
            step = str(key).replace("~", "~0").replace("/", "~1")
            sentence = _(
                "{found} is not known beside {known}.", found=_shown(key), known=_listed(known)
            )
            raise _bad(f"{pointer}/{step}", sentence + did_you_mean(str(key)[:_SHOWN], known))


def _listed(words: Iterable[str]) -> str:
    return ", ".join(map(repr, words))


def _shown(obj: object) -> str:
    """Name what was sent, without writing out anything long or deep."""
    match obj:
        case None | bool():
            return {None: "null", True: "true", False: "false"}[obj]
        case str():
            return repr(obj if len(obj) <= _SHOWN else f"{obj[:_SHOWN]}…")
        case Mapping():
            return _("an object")
        case list():
            return _("a list")
    return _("this number") if isinstance(obj, int | float | Decimal) else type(obj).__name__


def _bad(pointer: str, sentence: str, *, allowed: tuple[str, ...] = ()) -> BadSyntax:
    problem = FieldProblem(pointer, "bad-filter", sentence, allowed=allowed)
    return BadSyntax(
        _("{pointer}: {sentence}", pointer=pointer, sentence=sentence), errors=[problem]
    )
