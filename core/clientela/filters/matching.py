"""A bound filter as a Python function over one record.

Logic is two-valued, as in the SQL that is made of the same tree: every comparison with a missing value or over a
missing reference is False, `!=` too; `is null` is then True; `not` turns True and False around, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from clientela.filters.nodes import Bound, BoundAnd, BoundCompare, BoundNot, BoundOr, FilterField

Record = TypeVar("Record")


def matcher(
    bound: Bound,
    *,
    get: Callable[[Record, FilterField], object],
    follow: Callable[[Record, FilterField], Record | None],
) -> Callable[[Record], bool]:
    """Make the question whether a record passes the filter.

    `get` gives the value of a field or None; `follow` gives the record that a reference leads to, or None.
    """

    def made(node: Bound) -> Callable[[Record], bool]:
        match node:
            case BoundAnd(parts):
                return _all([made(part) for part in parts])
            case BoundOr(parts):
                return _any([made(part) for part in parts])
            case BoundNot(part):
                return _not(made(part))
            case BoundCompare():
                return _compare(node, _reader(node, get, follow))

    return made(bound)


def _all(questions: list[Callable[[Record], bool]]) -> Callable[[Record], bool]:
    return lambda record: all(question(record) for question in questions)


def _any(questions: list[Callable[[Record], bool]]) -> Callable[[Record], bool]:
    return lambda record: any(question(record) for question in questions)


def _not(question: Callable[[Record], bool]) -> Callable[[Record], bool]:
    return lambda record: not question(record)


def _compare(node: BoundCompare, read: Callable[[Record], object]) -> Callable[[Record], bool]:
    op, right, matches = node.op, node.value, node.kind.matches
    if op == "null":
        return lambda record: (read(record) is None) is right

    def compares(record: Record) -> bool:
        left = read(record)
        return left is not None and matches(op, left, right)

    return compares


def _reader(
    node: BoundCompare,
    get: Callable[[Record, FilterField], object],
    follow: Callable[[Record, FilterField], Record | None],
) -> Callable[[Record], object]:
    steps, field, part = node.steps, node.field, node.part

    def read(record: Record) -> object:
        for step in steps:
            linked = follow(record, step)
            if linked is None:
                return None
            record = linked
        value = get(record, field)
        return value if part is None else _part(value, part)

    return read


def _part(value: object, part: str) -> object:
    """Read a part of a value; an empty part is a missing one."""
    found = getattr(value, part, None)
    return None if found == "" else found
