"""The text form: what each construct means, and what is said about what cannot be read."""

from __future__ import annotations

import pytest
from hypothesis import example, given
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
    Raw,
    Relative,
    Scalar,
    Word,
    depth,
    parse,
    unparse,
)

A = Compare(("a",), "eq", Word("1"))
B = Compare(("b",), "eq", Word("2"))
C = Compare(("c",), "eq", Word("3"))


def read(text: str) -> Node:
    node = parse(text)
    assert node is not None
    return node


def refused(text: str) -> BadSyntax:
    with pytest.raises(BadSyntax) as caught:
        parse(text)
    return caught.value


def test_the_example_of_the_handbook() -> None:
    text = (
        'stage in (won,lost) and amount >= 1000 and company.country = "RU" '
        'and created > now-30d and not tags has "test"'
    )

    assert parse(text) == And(
        (
            Compare(("stage",), "in", (Word("won"), Word("lost"))),
            Compare(("amount",), "ge", Word("1000")),
            Compare(("company", "country"), "eq", Word("RU")),
            Compare(("created",), "gt", Relative("now", -30, "d")),
            Not(Compare(("tags",), "has", Word("test"))),
        )
    )


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u00a0"])
def test_nothing_is_no_filter(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("operator", "op"),
    [
        ("=", "eq"),
        ("==", "eq"),
        ("!=", "ne"),
        ("<>", "ne"),
        ("<", "lt"),
        ("<=", "le"),
        (">", "gt"),
        (">=", "ge"),
        (" contains ", "contains"),
        (" STARTS ", "starts"),
        (" Ends ", "ends"),
        (" has ", "has"),
    ],
)
def test_every_operator_with_one_value(operator: str, op: str) -> None:
    assert parse(f"a{operator}-5") == Compare(("a",), op, Word("-5"))


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("a in (x)", Compare(("a",), "in", (Word("x"),))),
        ("a in(x,'y z', 3)", Compare(("a",), "in", (Word("x"), Word("y z"), Word("3")))),
        ("a not in (x)", Not(Compare(("a",), "in", (Word("x"),)))),
        ("not a in (x)", Not(Compare(("a",), "in", (Word("x"),)))),
        ("a is null", Compare(("a",), "null", True)),
        ("a = null", Compare(("a",), "null", True)),
        ("a IS NOT NULL", Compare(("a",), "null", False)),
        ("a <> Null", Compare(("a",), "null", False)),
        ("not a is null", Not(Compare(("a",), "null", True))),
        ("a=1 or b=2 and c=3", Or((A, And((B, C))))),
        ("(a=1 or b=2) and c=3", And((Or((A, B)), C))),
        ("a=1 and (b=2 and c=3)", And((A, And((B, C))))),
        ("not a=1 and b=2", And((Not(A), B))),
        ("not(a=1 and b=2)", Not(And((A, B)))),
        ("NOT not a=1", Not(Not(A))),
        ("((a=1))", A),
    ],
)
def test_what_binds_how(text: str, node: Node) -> None:
    assert parse(text) == node
    assert parse(unparse(node)) == node


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"x y"', Word("x y")),
        ("'it'", Word("it")),
        (r'"\\ \" \' \n \t"', Word("\\ \" ' \n \t")),
        ('""', Word("")),
        ("12345678901234567890.10", Word("12345678901234567890.10")),
        ("2026-01-31T10:00:00Z", Word("2026-01-31T10:00:00Z")),
        ("+79261234567", Word("+79261234567")),
        ("a@b.ru", Word("a@b.ru")),
        ("Москва", Word("Москва")),
        ("true", Scalar(value=True)),
        ("FALSE", Scalar(value=False)),
        ('"true"', Word("true")),
        ("me", Me()),
        ("'me'", Word("me")),
        ("now", Relative("now")),
        ("Today+2W", Relative("today", 2, "w")),
        ("now-5min", Relative("now", -5, "min")),
        ("now-5m", Relative("now", -5, "m")),
        ("now-5mon", Relative("now", -5, "m")),
        ("today-1y", Relative("today", -1, "y")),
        ("'now-30d'", Word("now-30d")),
        ("nowhere", Word("nowhere")),
        ("today-special", Word("today-special")),
        ("has", Word("has")),
    ],
)
def test_every_literal(text: str, value: Raw) -> None:
    assert parse(f"a = {text}") == Compare(("a",), "eq", value)


def test_it_remembers_the_quotes_and_the_column_without_minding_them() -> None:
    plain, quoted = read("  a = x"), read("a = 'x'")

    assert plain == quoted
    assert isinstance(plain, Compare)
    assert plain.at == 3
    assert isinstance(quoted, Compare)
    assert isinstance(quoted.value, Word)
    assert quoted.value.quoted


def test_one_is_not_true() -> None:
    """Python says 1 == True; trees are the keys of caches and must not."""
    assert Scalar(1) != Scalar(value=True)
    assert len({Scalar(1), Scalar(value=True), Scalar(1.0), Scalar(1)}) == 3


@pytest.mark.parametrize("word", ["starts", "ends", "has", "contains", "me", "now", "today"])
def test_a_field_may_have_the_name_of_an_operator_or_a_moment(word: str) -> None:
    assert parse(f"{word} > 1") == Compare((word,), "gt", Word("1"))


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Compare(("a",), "eq", Word("won", quoted=True)), "a = won"),
        (Compare(("a",), "eq", Word("not")), 'a = "not"'),
        (Compare(("a",), "eq", Word("Me")), 'a = "Me"'),
        (Compare(("a",), "eq", Word("now-1d")), 'a = "now-1d"'),
        (Compare(("a",), "eq", Word('"\\\n\t')), r'a = "\"\\\n\t"'),
        (Compare(("a",), "eq", Scalar("x y")), 'a = "x y"'),
        (Compare(("a",), "eq", Scalar(-1.5)), "a = -1.5"),
        (Compare(("a",), "eq", Scalar(value=False)), "a = false"),
        (Compare(("a",), "eq", Null()), "a = null"),
        (Compare(("a",), "eq", Me()), "a = me"),
        (Compare(("a",), "gt", Relative("today")), "a > today"),
        (Compare(("a",), "gt", Relative("now", 0, "h")), "a > now+0h"),
        (Not(Compare(("a", "b"), "in", (Word("x"), Word("y")))), "a.b not in (x, y)"),
        (Compare(("a",), "null", False), "a is not null"),
        (Not(Or((A, B))), "not (a = 1 or b = 2)"),
        (Or((And((A, B)), C)), "a = 1 and b = 2 or c = 3"),
        (Or((Or((A, B)), C)), "(a = 1 or b = 2) or c = 3"),
    ],
)
def test_the_canonical_text(node: Node, text: str) -> None:
    assert unparse(node) == text


@pytest.mark.parametrize(
    ("text", "column", "found", "expected"),
    [
        ("and a=1", 1, "found 'and'", "a field, such as name"),
        ("'a' = 1", 1, """found "'a'\"""", "a field"),
        ("1a = 1", 1, "found '1a'", "a field"),
        ("a..b = 1", 1, "found 'a..b'", "a field"),
        ("страна = 1", 1, "found 'страна'", "a field"),
        ("not", 4, "found the end", "a field"),
        ("()", 2, "found ')'", "a field"),
        ("a", 2, "found the end", "an operator (=, ==, !="),
        ("a (1)", 3, "found '('", "an operator"),
        ("a contians x", 3, "found 'contians'", "Did you mean 'contains'?"),
        ("a ! b", 3, "found '!'", "an operator"),
        ("a =", 4, "found the end", "expected a value"),
        ("a = )", 5, "found ')'", "expected a value"),
        ("a = in", 5, "found 'in'", "a keyword goes in quotes"),
        ("a = “x”", 5, "found '“'", "straight quotes"),
        ("a = 5%", 6, "found '%'", "straight quotes"),
        ("a = 'x", 5, "found '", "to close it"),
        ('a = "x\\"', 5, 'found "', "to close it"),
        (r'a = "x\z"', 7, r"found '\\z'", "expected one of"),
        ("a = 1 b = 2", 7, "found 'b'", "'and', 'or' or the end"),
        ("a = 1)", 6, "found ')'", "'and', 'or' or the end"),
        ("(a = 1", 7, "found the end", "'and', 'or' or ')'"),
        ("a < null", 5, "found 'null'", "only = and != go with null, not '<'"),
        ("a is 5", 6, "found '5'", "'null' or 'not null'"),
        ("a is not 5", 10, "found '5'", "'null'"),
        ("a not = 5", 7, "found '='", "'in' after 'not'"),
        ("a in won", 6, "found 'won'", "'(' and a list"),
        ("a in ()", 7, "found ')'", "a value"),
        ("a in (x y)", 9, "found 'y'", "',' or ')'"),
        ("a in (x,", 9, "found the end", "a value"),
        ("a in (x, null)", 10, "found 'null'", "is null' beside the list"),
        ("a > now-30", 5, "'now-30' is no offset", "'now' counts in s, min, h, d, w, m, y"),
        ("a > today-3h", 5, "'today-3h' is no offset", "'today' counts in d, w, m, y"),
        ("a > now+1234567890d", 5, "'now+1234567890d' is no offset", "write now-30d"),
        ("a = \0", 5, r"found '\x00'", "which no text may hold"),
        ("a = '\ud800'", 6, r"found '\ud800'", "which no text may hold"),
        ("a = " + "x" * 60 + " " + "y" * 60, 66, f"found '{'y' * 40}…'", "'and'"),
    ],
)
def test_every_refusal_tells_the_column_what_is_there_and_what_should_be(
    text: str, column: int, found: str, expected: str
) -> None:
    refusal = refused(text)

    assert refusal.detail.startswith(f"Column {column}: {found}")
    assert expected in refusal.detail
    assert refusal.extra == {"position": column}
    assert [(p.pointer, p.code) for p in refusal.errors] == [("/filter", "bad-filter")]


def test_limits() -> None:
    assert parse("a=1" + " " * 7_997) == A
    assert "longer than 8,000" in refused("a=1" + " " * 7_998).detail

    assert parse("(" * 32 + "a=1" + ")" * 32) == A
    assert refused("(" * 33 + "a=1" + ")" * 33).extra == {"position": 33}
    assert depth(read("not " * 32 + "a=1")) == 32
    assert "deeper than 32" in refused("not " * 33 + "a=1").detail
    assert depth(read(" and ".join(["(not a=1)"] * 50))) == 2
    zigzag = "a=1 or b=2 and (" * 20 + "a=1" + ")" * 20
    assert "deeper than 32" in refused(zigzag).detail

    assert parse(" and ".join(["a=1"] * 100)) is not None
    assert "more than 100 comparisons" in refused(" and ".join(["a=1"] * 101)).detail

    listed = read(f"a in ({','.join(['x'] * 1000)})")
    assert isinstance(listed, Compare)
    assert isinstance(listed.value, tuple)
    assert len(listed.value) == 1000
    assert "longer than 1,000 values" in refused(f"a in ({','.join(['x'] * 1001)})").detail


@pytest.mark.parametrize("text", ["(" * 7_999, "(" * 10_000, "not " * 2_000, "a in (" * 1_000])
def test_depth_never_reaches_the_stack_of_python(text: str) -> None:
    assert refused(text).status == 400


KEYWORDS = ["and", "or", "not", "in", "is", "null", "has", "me", "true", "now-1d", "today+"]
MARKS = ["(", ")", ",", "=", "<>", "!", '"', "\\", "\0", "\ud800", "\n", "“", "😀"]
PIECES = st.sampled_from([*KEYWORDS, *MARKS, "a", "b.c", "'x'", "1.5", "é", "й"])


@given(st.text(max_size=60) | st.lists(PIECES, max_size=25).map(" ".join))
@example("a = '\\")
@example('a = "\\\n"')
@example("a = İ")
@example("a = now+٣d")
def test_any_text_is_read_or_refused_and_what_is_read_can_be_written(text: str) -> None:
    try:
        node = parse(text)
    except BadSyntax as refusal:
        position = refusal.extra["position"]
        assert isinstance(position, int)
        assert 1 <= position <= len(text) + 1
    else:
        assert node is None or parse(unparse(node)) == node
