"""The JSON form: what it takes, what it writes, and where it points when it refuses."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clientela.errors import BadSyntax
from clientela.filters import (
    And,
    Compare,
    Me,
    Node,
    Not,
    Null,
    Or,
    Relative,
    Scalar,
    Word,
    depth,
    from_json,
    parse,
    to_json,
)


def said(op: object, value: object, field: object = "a") -> dict[str, object]:
    return {"field": field, "op": op, "value": value}


A = said("eq", "x")


def refused(obj: object) -> BadSyntax:
    with pytest.raises(BadSyntax) as caught:
        from_json(obj)
    return caught.value


@pytest.mark.parametrize(
    ("obj", "node"),
    [
        (said("eq", "RU", "company.country"), Compare(("company", "country"), "eq", Scalar("RU"))),
        (said(">=", 1000), Compare(("a",), "ge", Scalar(1000))),
        (said("ge", 1.5), Compare(("a",), "ge", Scalar(1.5))),
        (said("ge", Decimal("1.50")), Compare(("a",), "ge", Scalar(Decimal("1.50")))),
        (said("<>", True), Compare(("a",), "ne", Scalar(value=True))),
        (said("in", ["x", 1]), Compare(("a",), "in", (Scalar("x"), Scalar(1)))),
        (said("not in", ["x"]), Not(Compare(("a",), "in", (Scalar("x"),)))),
        (said("null", True), Compare(("a",), "null", True)),
        (said("=", None), Compare(("a",), "null", True)),
        (said("ne", None), Compare(("a",), "null", False)),
        (said("gt", {"now": "-30d"}), Compare(("a",), "gt", Relative("now", -30, "d"))),
        (said("gt", {"today": "+1mon"}), Compare(("a",), "gt", Relative("today", 1, "m"))),
        (said("eq", {"me": True}), Compare(("a",), "eq", Me())),
        ({"not": A}, Not(Compare(("a",), "eq", Scalar("x")))),
        ({"and": [A, {"or": [A, A]}]}, And((from_json(A), Or((from_json(A), from_json(A)))))),
        ({"or": [A]}, from_json(A)),
    ],
)
def test_every_construct(obj: object, node: Node) -> None:
    assert from_json(obj) == node


@pytest.mark.parametrize(
    ("text", "obj"),
    [
        ("a in (won, 1000)", said("in", ["won", "1000"])),
        ("a != null", said("null", False)),
        ("a > now-30d", said("gt", {"now": "-30d"})),
        ("a = today", said("eq", {"today": "+0d"})),
        ("a = me", said("eq", {"me": True})),
        ("a = true", said("eq", True)),
        ("a.b not in (x)", {"not": said("in", ["x"], "a.b")}),
        ("a = x and not a = x", {"and": [A, {"not": A}]}),
        ("a = x or a = x", {"or": [A, A]}),
    ],
)
def test_the_text_form_as_json(text: str, obj: object) -> None:
    node = parse(text)
    assert node is not None

    written = to_json(node)

    assert written == obj
    assert json.loads(json.dumps(written)) == obj


def test_trees_made_by_hand_are_written_too() -> None:
    assert to_json(Compare(("a",), "eq", Scalar(Decimal("1.50")))) == said("eq", "1.50")
    assert to_json(Compare(("a",), "eq", Null())) == said("eq", None)
    assert to_json(Compare(("a",), "lt", Word("5"))) == said("lt", "5")


@pytest.mark.parametrize(
    ("obj", "pointer", "sentence"),
    [
        (None, "/filter", "null is no filter; a filter is an object."),
        ("a = 1", "/filter", "'a = 1' is no filter"),
        ([A], "/filter", "a list is no filter"),
        ({}, "/filter", "'field' is missing; a comparison has 'field', 'op', 'value'."),
        ({"field": "a", "op": "eq"}, "/filter", "'value' is missing"),
        (A | {"vlaue": 1}, "/filter/vlaue", "Did you mean 'value'?"),
        ({"and": [A], "or": [A]}, "/filter/or", "'or' is not known beside 'and'"),
        ({"and": [A, A | {"a/b~c": 1}]}, "/filter/and/1/a~1b~0c", "is not known beside"),
        ({"not": A, "field": "a"}, "/filter/field", "'field' is not known beside 'not'"),
        ({"and": []}, "/filter/and", "a list is no list of filters; give at least one."),
        ({"or": A}, "/filter/or", "an object is no list of filters"),
        ({"not": {"and": [1]}}, "/filter/not/and/0", "this number is no filter"),
        (said("eq", 1, "a b"), "/filter/field", "'a b' is no field"),
        (said("eq", 1, "not"), "/filter/field", "'not' is no field"),
        (said("eq", 1, 5), "/filter/field", "this number is no field"),
        (said("contians", 1), "/filter/op", "Did you mean 'contains'?"),
        (said(["eq"], 1), "/filter/op", "a list is no operator"),
        (said("is null", True), "/filter/op", "'is null' is no operator"),
        (said("null", 1), "/filter/value", "give true or false"),
        (said("lt", None), "/filter/value", "null is no value here"),
        (said("eq", ["x"]), "/filter/value", "a list is no value here"),
        (said("eq", {"tomorrow": 1}), "/filter/value", "an object with 'tomorrow' is no value"),
        (said("eq", {"me": False}), "/filter/value", "an object with 'me' is no value"),
        (said("eq", {"me": True, "now": "-1d"}), "/filter/value", "an object is no value here"),
        (said("eq", {"now": "30"}), "/filter/value/now", "'now30' is no offset"),
        (said("eq", {"today": "-3h"}), "/filter/value/today", "'today' counts in d, w, m, y"),
        (said("eq", float("nan")), "/filter/value", "this number is no value"),
        (said("eq", Decimal("sNaN")), "/filter/value", "this number is no value"),
        (said("eq", Decimal("1e999")), "/filter/value", "this number is no value"),
        (said("eq", 2**63), "/filter/value", "this number is no value"),
        (said("eq", 10**9999), "/filter/value", "this number is no value"),
        (said("eq", "a\0"), "/filter/value", r"holds '\x00', which no text may hold"),
        (said("eq", b"x"), "/filter/value", "bytes is no value"),
        (said("in", "x"), "/filter/value", "'x' is no list of values"),
        (said("in", []), "/filter/value", "a list is no list of values; give at least one."),
        (said("in", ["x", None]), "/filter/value/1", "null is no value here"),
        (said("in", ["x"] * 1001), "/filter/value", "longer than 1,000 values"),
        ({"and": [A] * 101}, "/filter/and", "more than 100 comparisons"),
        ({"and": [{"or": [A] * 51}] * 2}, "/filter", "more than 100 comparisons"),
        (said("x" * 99, 1), "/filter/op", "…' is no operator"),
    ],
)
def test_every_refusal_points_at_what_is_wrong(obj: object, pointer: str, sentence: str) -> None:
    refusal = refused(obj)

    assert refusal.errors[0].pointer == pointer
    assert sentence in refusal.errors[0].detail
    assert refusal.detail == f"{pointer}: {refusal.errors[0].detail}"


def nested(levels: int, inner: dict[str, object]) -> dict[str, object]:
    for _ in range(levels):
        inner = {"not": inner}
    return inner


def test_depth_is_bounded_as_in_the_text() -> None:
    assert depth(from_json(nested(32, A))) == 32
    assert "deeper than 32" in refused(nested(33, A)).detail
    assert "deeper than 32" in refused(nested(32, said("not in", ["x"]))).detail
    assert "deeper than 32" in refused(nested(50_000, A)).detail


def test_an_unknown_operator_is_told_all_there_are() -> None:
    assert {"eq", "=", "<>", "not in", "null"} <= set(refused(said("like", 1)).errors[0].allowed)


KEYS = st.sampled_from(["and", "or", "not", "field", "op", "value", "now", "today", "me", "x", ""])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
WORDS = st.sampled_from(["a", "a.b", "eq", "in", "null", "-30d"])
ANY_JSON = st.recursive(
    LEAVES | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)


@given(ANY_JSON)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_json_is_read_or_refused(obj: object) -> None:
    with contextlib.suppress(BadSyntax):
        node = from_json(obj)
        assert from_json(to_json(node)) == node
