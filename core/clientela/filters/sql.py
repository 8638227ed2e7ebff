"""The filter tree as SQL, with the same answer as `matching` gives in Python.

The logic is two-valued: a comparison on a missing value is false, and `not` turns false into true. SQL's third value
does no harm where a row must pass; only below a `not` each leaf is brought back to true or false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, func, not_, or_

from clientela.filters.bind import BoundAnd, BoundCompare, BoundNot, BoundOr

Bound = BoundAnd | BoundOr | BoundNot | BoundCompare

# Adds what must hold of a row on the way through a reference: that it may be seen and is not in the trash.
Guard = Callable[[Any, FromClause], list[ColumnElement[bool]]]


def no_guard(_target: Any, _table: FromClause) -> list[ColumnElement[bool]]:
    """Guard nothing; for the rules of scopes themselves."""
    return []


def to_sql(bound: Bound, table: FromClause, guard: Guard = no_guard) -> ColumnElement[bool]:
    """Give the predicate of a bound filter over a table or an alias of it."""
    return _node(bound, table, guard, strict=False)


def _node(node: Bound, table: FromClause, guard: Guard, *, strict: bool) -> ColumnElement[bool]:
    if isinstance(node, BoundAnd):
        return and_(*(_node(part, table, guard, strict=strict) for part in node.parts))
    if isinstance(node, BoundOr):
        return or_(*(_node(part, table, guard, strict=strict) for part in node.parts))
    if isinstance(node, BoundNot):
        return not_(_node(node.part, table, guard, strict=True))
    if node.steps:
        return _through(node, node.steps, table, guard)
    leaf = _leaf(node, table)
    return func.coalesce(leaf, false()) if strict and node.op != "null" else leaf


def _through(
    node: BoundCompare, steps: tuple[Any, ...], table: FromClause, guard: Guard
) -> ColumnElement[bool]:
    """Ask the referenced record; EXISTS is never null, so this is two-valued by itself."""
    step, *rest = steps
    target = step.target
    other = target.table.alias()
    here = _columns(step, table)[0]
    # `x.y is null` is also true where there is no x: ask for the opposite and negate.
    negated = node.op == "null" and node.value is True
    inner = replace(node, value=False) if negated else node
    condition = _through(inner, tuple(rest), other, guard) if rest else _leaf(inner, other)
    found = exists().where(other.c.id == here, *guard(target, other), condition)
    return not_(found) if negated else found


def _leaf(node: BoundCompare, table: FromClause) -> ColumnElement[bool]:
    columns = _columns(node.field, table)
    kind: Any = node.field.kind
    if node.part is not None:
        columns = (kind.part_column(columns, node.part),)
        kind = kind.parts[node.part]
    if node.op == "null":
        return columns[0].is_(None) if node.value else columns[0].is_not(None)
    result: ColumnElement[bool] = kind.sql(node.op, columns, node.value)
    return result


def _columns(field: Any, table: FromClause) -> tuple[ColumnElement[Any], ...]:
    return tuple(table.c[column.name] for column in field.columns)
