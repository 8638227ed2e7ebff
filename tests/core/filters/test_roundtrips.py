"""Text, tree and JSON are three spellings of one thing: random trees come back from every trip."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from clientela.filters import (
    And,
    Compare,
    Me,
    Node,
    Not,
    Or,
    Raw,
    Relative,
    Scalar,
    Word,
    comparisons,
    from_json,
    parse,
    to_json,
    unparse,
)
from clientela.filters.nodes import UNITS

RESERVED = {"and", "or", "not", "in", "is", "null", "true", "false"}
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True) | st.sampled_from(
    ["has", "me"]
)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map(tuple)
FREE_PATHS = PATHS.filter(lambda path: ".".join(path).lower() not in RESERVED)

TRICKY = [
    "and",
    "NOT",
    "Null",
    "me",
    "now",
    "now-1d",
    "today+x",
    "is",
    "true",
    "-5",
    "a.b",
    '"',
    "\\",
]
TEXTS = st.sampled_from(TRICKY) | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12
)
RELATIVES = st.sampled_from(
    [(base, unit) for base in ("now", "today") for unit in UNITS[base]]
).flatmap(
    lambda pair: st.integers(1 - 10**9, 10**9 - 1).map(
        lambda amount: Relative("now" if pair[0] == "now" else "today", amount, pair[1])
    )
)
SHARED = RELATIVES | st.just(Me()) | st.booleans().map(Scalar)
WORDS: st.SearchStrategy[Raw] = SHARED | TEXTS.map(Word)
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS: st.SearchStrategy[Raw] = SHARED | (TEXTS | NUMBERS).map(Scalar)

SINGLE = st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge", "contains", "starts", "ends", "has"])


def trees(values: st.SearchStrategy[Raw]) -> st.SearchStrategy[Node]:
    lists = st.lists(values, min_size=1, max_size=4).map(tuple)
    leaves: st.SearchStrategy[Node] = st.one_of(
        st.builds(Compare, FREE_PATHS, SINGLE, values),
        st.builds(Compare, FREE_PATHS, st.just("in"), lists),
        st.builds(Compare, FREE_PATHS, st.just("null"), st.booleans()),
    )
    return st.recursive(leaves, branches, max_leaves=10)


def branches(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    parts = st.lists(inner, min_size=2, max_size=4).map(tuple)
    return st.one_of(st.builds(And, parts), st.builds(Or, parts), st.builds(Not, inner))


@given(trees(WORDS))
def test_from_tree_to_text_and_back(node: Node) -> None:
    assert parse(unparse(node)) == node


@given(trees(SCALARS))
def test_from_tree_to_json_and_back(node: Node) -> None:
    assert from_json(json.loads(json.dumps(to_json(node)))) == node


@given(trees(WORDS))
def test_a_text_comes_back_from_json_to_the_letter(node: Node) -> None:
    text = unparse(node)

    assert unparse(from_json(to_json(node))) == text
    assert parse(unparse(from_json(to_json(node)))) == node


@given(trees(SCALARS))
def test_json_keeps_its_form_in_the_text_only_its_types_become_words(node: Node) -> None:
    text = unparse(node)
    again = parse(text)

    assert again is not None
    assert unparse(again) == text
    assert unparse(from_json(to_json(again))) == text
    assert len(list(comparisons(again))) == len(list(comparisons(node)))


@given(trees(WORDS), st.sampled_from(["  ", "\n", "\t", "\u00a0"]))
def test_spaces_around_a_text_mean_nothing(node: Node, space: str) -> None:
    assert parse(f"{space}({unparse(node)}{space}){space}") == node
