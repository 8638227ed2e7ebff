"""The filter tree as SQL, with the same answer as `matching` gives in Python.

The logic is two-valued: a comparison on a missing value is false, and `not` turns false into true. SQL's third value
does no harm where a row must pass; only below a `not` each leaf is brought back to true or false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, func, not_, or_

from clientela.filters.bind import BoundAnd, BoundCompare, BoundNot, BoundOr

Bound = BoundAnd | BoundOr | BoundNot | BoundCompare

# Adds what must hold of a row on the way through a reference: that it may be seen and is not in the trash.
Guard = Callable[[Any, FromClause], list[ColumnElement[bool]]]

# Gives what to select an entity's records from.
TableOf = Callable[[Any], FromClause]


def no_guard(_target: Any, _table: FromClause) -> list[ColumnElement[bool]]:
    """Guard nothing; for the rules of scopes themselves."""
    return []


def own_table(target: Any) -> FromClause:
    """Give the table an entity lives in; a context that looks at the past has another answer."""
    table: FromClause = target.table
    return table


def to_sql(
    bound: Bound, table: FromClause, guard: Guard = no_guard, table_of: TableOf = own_table
) -> ColumnElement[bool]:
    """Give the predicate of a bound filter over a table or an alias of it."""
    return _node(bound, _Walk(table, guard, table_of), strict=False)


@dataclass(frozen=True)
class _Walk:
    """Where a filter stands, and how it goes on through references."""

    table: FromClause
    guard: Guard
    table_of: TableOf

    def at(self, table: FromClause) -> _Walk:
        return replace(self, table=table)


def _node(node: Bound, walk: _Walk, *, strict: bool) -> ColumnElement[bool]:
    if isinstance(node, BoundAnd):
        return and_(*(_node(part, walk, strict=strict) for part in node.parts))
    if isinstance(node, BoundOr):
        return or_(*(_node(part, walk, strict=strict) for part in node.parts))
    if isinstance(node, BoundNot):
        return not_(_node(node.part, walk, strict=True))
    if node.steps:
        return _through(node, node.steps, walk)
    leaf = _leaf(node, walk.table)
    return func.coalesce(leaf, false()) if strict and node.op != "null" else leaf


def _through(node: BoundCompare, steps: tuple[Any, ...], walk: _Walk) -> ColumnElement[bool]:
    """Ask the referenced record; EXISTS is never null, so this is two-valued by itself."""
    step, *rest = steps
    target = step.target
    other = walk.table_of(target).alias()
    here = _columns(step, walk.table)[0]
    # `x.y is null` is also true where there is no x: ask for the opposite and negate.
    negated = node.op == "null" and node.value is True
    inner = replace(node, value=False) if negated else node
    condition = _through(inner, tuple(rest), walk.at(other)) if rest else _leaf(inner, other)
    found = exists().where(other.c.id == here, *walk.guard(target, other), condition)
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
    found: tuple[ColumnElement[Any], ...] = field.columns_in(table)
    return found
