"""The matcher: two-valued logic over records with holes in them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.filters import (
    Bound,
    BoundAnd,
    BoundCompare,
    BoundNot,
    BoundOr,
    FilterField,
    FilterKind,
    matcher,
)

COMPARES: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "in": lambda left, right: left in right,
}


@dataclass(frozen=True)
class Plain:
    """Compares as Python does, and insists on what it was promised."""

    name: str = "plain"
    operators: frozenset[str] = frozenset(COMPARES)
    parts: Mapping[str, FilterKind] = field(default_factory=dict)

    def parse(self, text: str) -> object:
        return text

    def load(self, raw: object) -> object:
        return raw

    def matches(self, op: str, left: object, right: object) -> bool:
        assert left is not None
        assert op != "in" or isinstance(right, tuple)
        return COMPARES[op](left, right)


@dataclass(frozen=True)
class Column:
    name: str
    kind: FilterKind = field(default_factory=Plain)
    filterable: bool = True
    target: None = None


@dataclass(frozen=True)
class Money:
    amount: int
    currency: str | None


Row = dict[str, Any]
A, B, NEXT = Column("a"), Column("b"), Column("next_id")
PRICE = Column("price", Plain("money", parts={"currency": Plain("code")}))


def get(row: Row, column: FilterField) -> object:
    return row.get(column.name)


def follow(row: Row, column: FilterField) -> Row | None:
    return row.get(column.name)


def passes(bound: Bound, row: Row) -> bool:
    return matcher(bound, get=get, follow=follow)(row)


def said(
    op: str, value: object, column: Column = A, *, steps: int = 0, part: str | None = None
) -> BoundCompare:
    return BoundCompare((NEXT,) * steps, column, part, op, value)


@pytest.mark.parametrize("op", list(COMPARES))
def test_a_missing_value_passes_no_comparison_and_fails_none(op: str) -> None:
    compare = said(op, (1,) if op == "in" else 1)

    assert not passes(compare, {"a": None})
    assert not passes(compare, {})
    assert passes(BoundNot(compare), {})


@pytest.mark.parametrize("op", list(COMPARES))
def test_a_missing_reference_is_a_missing_value(op: str) -> None:
    compare = said(op, (1,) if op == "in" else 1, steps=2)

    assert not passes(compare, {"a": 1})
    assert not passes(compare, {"next_id": {"a": 1}})
    assert passes(BoundNot(compare), {"next_id": {"a": 1}})


@pytest.mark.parametrize("row", [{}, {"a": None}, {"next_id": None}, {"next_id": {"a": None}}])
def test_is_null_is_true_wherever_the_way_ends(row: Row) -> None:
    missing, present = said("null", True, steps=1), said("null", False, steps=1)

    assert passes(missing, row)
    assert not passes(present, row)
    assert not passes(missing, {"next_id": {"a": 0}})
    assert passes(present, {"next_id": {"a": 0}})


def test_empty_text_and_zero_are_values() -> None:
    assert passes(said("eq", ""), {"a": ""})
    assert passes(said("lt", 1), {"a": 0})
    assert not passes(said("null", True), {"a": ""})


@pytest.mark.parametrize(
    ("price", "currency"),
    [
        (Money(5, "RUB"), "RUB"),
        (Money(5, ""), None),
        (Money(5, None), None),
        (None, None),
        ("no money", None),
    ],
)
def test_an_empty_part_is_a_missing_one(price: object, currency: str | None) -> None:
    row = {"price": price}

    assert passes(said("eq", "RUB", PRICE, part="currency"), row) is (currency == "RUB")
    assert passes(said("ne", "EUR", PRICE, part="currency"), row) is (currency is not None)
    assert passes(said("null", True, PRICE, part="currency"), row) is (currency is None)


def test_a_part_is_compared_by_its_own_kind() -> None:
    class Shouting(Plain):
        def matches(self, op: str, left: object, right: object) -> bool:
            return op == "eq" and str(left).upper() == right

    price = Column("price", Plain(parts={"currency": Shouting()}))

    assert passes(said("eq", "RUB", price, part="currency"), {"price": Money(1, "rub")})


def test_one_matcher_serves_many_records() -> None:
    question = matcher(said("ge", 2), get=get, follow=follow)

    assert [question({"a": number}) for number in (1, 2, None, 3)] == [False, True, False, True]


NUMBERS = st.integers(0, 3)
ROWS: st.SearchStrategy[Row] = st.recursive(
    st.fixed_dictionaries({"a": st.none() | NUMBERS, "b": st.none() | NUMBERS}),
    lambda inner: st.builds(
        lambda row, linked: row | {"next_id": linked}, inner, st.none() | inner
    ),
    max_leaves=4,
)
STEPS = st.integers(0, 2).map(lambda count: (NEXT,) * count)
COLUMNS = st.sampled_from([A, B])
SINGLE = st.sampled_from([op for op in COMPARES if op != "in"])
LEAVES: st.SearchStrategy[Bound] = st.one_of(
    st.builds(BoundCompare, STEPS, COLUMNS, st.none(), SINGLE, NUMBERS),
    st.builds(BoundCompare, STEPS, COLUMNS, st.none(), st.just("in"), st.tuples(NUMBERS, NUMBERS)),
    st.builds(BoundCompare, STEPS, COLUMNS, st.none(), st.just("null"), st.booleans()),
)


def branches(inner: st.SearchStrategy[Bound]) -> st.SearchStrategy[Bound]:
    parts = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(BoundAnd, parts), st.builds(BoundOr, parts), st.builds(BoundNot, inner)
    )


TREES: st.SearchStrategy[Bound] = st.recursive(LEAVES, branches, max_leaves=8)


def plainly(node: Bound, row: Row | None) -> bool:
    """Say the rule once more, as slowly as can be."""
    if isinstance(node, BoundAnd):
        return False not in [plainly(part, row) for part in node.parts]
    if isinstance(node, BoundOr):
        return True in [plainly(part, row) for part in node.parts]
    if isinstance(node, BoundNot):
        return not plainly(node.part, row)
    for step in node.steps:
        row = None if row is None else row.get(step.name)
    left = None if row is None else row.get(node.field.name)
    if node.op == "null":
        return (left is None) == node.value
    return False if left is None else COMPARES[node.op](left, node.value)


@given(TREES, ROWS)
def test_it_says_what_the_rule_says(node: Bound, row: Row) -> None:
    assert passes(node, row) is plainly(node, row)


@given(TREES, ROWS)
def test_there_is_no_third_value(p: Bound, row: Row) -> None:
    assert passes(BoundOr((p, BoundNot(p))), row)
    assert not passes(BoundAnd((p, BoundNot(p))), row)
    assert passes(BoundNot(BoundNot(p)), row) is passes(p, row)


@given(TREES, TREES, ROWS)
def test_de_morgan(p: Bound, q: Bound, row: Row) -> None:
    neither = BoundAnd((BoundNot(p), BoundNot(q)))
    not_both = BoundOr((BoundNot(p), BoundNot(q)))

    assert passes(BoundNot(BoundOr((p, q))), row) is passes(neither, row)
    assert passes(BoundNot(BoundAnd((p, q))), row) is passes(not_both, row)


@given(TREES, TREES, TREES, ROWS)
def test_and_and_or_do_not_mind_order_and_distribute(
    p: Bound, q: Bound, r: Bound, row: Row
) -> None:
    spread = BoundOr((BoundAnd((p, q)), BoundAnd((p, r))))

    assert passes(BoundAnd((p, BoundOr((q, r)))), row) is passes(spread, row)
    assert passes(BoundAnd((p, q)), row) is passes(BoundAnd((q, p)), row)
    assert passes(BoundOr((p, q)), row) is passes(BoundOr((q, p)), row)
