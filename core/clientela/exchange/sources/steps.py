"""What is done to columns before they are mapped: declared as data, as JSON or as a line of the command line."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clientela.errors import FieldProblem, Invalid, did_you_mean
from clientela.i18n.texts import _

ORDERS = ("dmy", "mdy", "ymd")
DECIMALS = (",", ".")
CASES = ("lower", "upper", "title", "sentence")
_MOST_STEPS = 200


@dataclass(frozen=True)
class Step:
    """One change of one column, or of several that are joined.

    `split` cuts at a text, the last part taking the rest; `join` puts columns together with a text between; `replace`
    exchanges whole values; `translate` does too, and a value that its table lacks is an error; `trim` takes blanks or
    the given signs off both ends; `case` is lower, upper, title or sentence; `prefix` and `suffix` take a text off;
    `default` fills blanks; `constant` fills all; `dates` and `decimal` say how this column is written.
    """

    columns: tuple[str, ...]
    verb: str
    value: Any
    into: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        wrong = _wrong(self)
        if wrong:
            sentence = _(
                "The step {verb} of {column} cannot be done: {reason}",
                verb=self.verb[:40],
                column=repr(" + ".join(self.columns)[:60]),
                reason=wrong,
            )
            raise Invalid(sentence, [FieldProblem("/transforms", "bad-step", sentence)])


def _wrong(step: Step) -> str:
    """Say what does not fit, or nothing."""
    check = CHECKS.get(step.verb)
    if check is None:
        return _("there is no such step.") + did_you_mean(step.verb, CHECKS)
    if not step.columns or not all(step.columns):
        return _("it names no column.")
    if len(step.columns) > 1 and step.verb != "join":
        return _("only join takes several columns.")
    if step.verb in ("split", "join") and not step.into:
        return _("it does not say into which columns.")
    if step.verb not in ("split", "join") and step.into:
        return _("only split and join fill other columns.")
    return "" if check(step.value) else _SHOULD_BE.get(step.verb, _("it needs a text."))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_some(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(one, str) for pair in value.items() for one in pair
    )


CHECKS: dict[str, Callable[[Any], bool]] = {
    "split": _is_some, "join": _is_text, "replace": _is_table, "translate": _is_table,
    "trim": lambda value: value is True or _is_some(value), "case": lambda value: value in CASES,
    "prefix": _is_some, "suffix": _is_some, "default": _is_some, "constant": _is_text,
    "dates": lambda value: value in ORDERS, "decimal": lambda value: value in DECIMALS,
}  # fmt: skip
_SHOULD_BE: dict[str, str] = {
    "replace": _("it needs a table of texts."),
    "translate": _("it needs a table of texts."),
    "case": _("it is one of {known}.", known=", ".join(CASES)),
    "dates": _("it is one of {known}.", known=", ".join(ORDERS)),
    "decimal": _("it is a comma or a point."),
}


def steps_from_json(raw: Any) -> tuple[Step, ...]:
    """Read `[{"column": "City", "replace": {"Msk": "Moscow"}}, …]`."""
    if not isinstance(raw, list) or len(raw) > _MOST_STEPS:
        raise _unreadable(_("a list of at most {most} steps", most=_MOST_STEPS))
    return tuple(_from_object(one) for one in raw)


def steps_to_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Give what `steps_from_json` reads.

    >>> steps_to_json(steps_from_json([{"column": "City", "replace": {"Msk": "Moscow"}}]))
    [{'columns': ['City'], 'replace': {'Msk': 'Moscow'}}]
    """
    return [
        {"columns": list(step.columns), step.verb: step.value}
        | ({"into": list(step.into)} if step.into else {})
        for step in steps
    ]


def _from_object(raw: Any) -> Step:
    verbs = (
        [name for name in raw if name not in ("column", "columns", "into")]
        if isinstance(raw, dict)
        else []
    )
    if len(verbs) != 1:
        raise _unreadable('{"column": "City", "replace": {"Msk": "Moscow"}}')
    columns = raw.get("columns", [raw.get("column", "")])
    into = raw.get("into", [])
    into = [into] if isinstance(into, str) else into
    if not all(isinstance(some, list) and all(map(_is_text, some)) for some in (columns, into)):
        raise _unreadable('{"columns": ["Street", "House"], "join": ", ", "into": "Address"}')
    return Step(tuple(columns), verbs[0], raw[verbs[0]], tuple(into))


def _unreadable(shape: str) -> Invalid:
    sentence = _("A step cannot be read; write it like {shape}.", shape=shape)
    return Invalid(sentence, [FieldProblem("/transforms", "bad-step", sentence)])


def steps_from_line(line: str) -> tuple[Step, ...]:
    """Read `COLUMN: step | step`.

    >>> [step.verb for step in steps_from_line("Phone: prefix tel: | trim")]
    ['prefix', 'trim']
    >>> steps_from_line('Full name: split " " -> person.given, person.family')[0].into
    ('person.given', 'person.family')
    """
    name, colon, rest = line.partition(": ")
    if not colon:
        raise _unreadable('City: replace Msk=Moscow "St P=Petersburg"')
    columns = tuple(one.strip().strip('"') for one in name.split(" + "))
    return tuple(_from_words(columns, words) for words in _pieces(rest))


def _pieces(text: str) -> Iterator[list[str]]:
    """Cut at bars that stand alone; what is quoted is one word."""
    try:
        words = shlex.split(text)
    except ValueError:
        raise _unreadable('Full name: split " " -> person.given, person.family') from None
    piece: list[str] = []
    for word in [*words, "|"]:
        if word != "|":
            piece.append(word)
        elif piece:
            yield piece
            piece = []


def _from_words(columns: tuple[str, ...], words: list[str]) -> Step:
    verb, *values = words
    into: tuple[str, ...] = ()
    if "->" in values:
        at = values.index("->")
        targets = " ".join(values[at + 1 :])
        into = tuple(one.strip() for one in targets.split(",") if one.strip())
        values = values[:at]
    return Step(columns, verb, _value(verb, values), into)


def _value(verb: str, values: list[str]) -> Any:
    if verb in ("replace", "translate"):
        pairs = [one.partition("=") for one in values]
        return {old: new for old, _equals, new in pairs} if all(p[1] for p in pairs) else None
    if verb == "trim" and not values:
        return True
    return " ".join(values) if values else None


__all__ = ["DECIMALS", "ORDERS", "Step", "steps_from_json", "steps_from_line", "steps_to_json"]
