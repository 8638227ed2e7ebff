"""The input gate: what passes here can be stored by both databases and means one thing only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela import gate
from clientela.errors import BadSyntax, TooLarge

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-gate.BIGGEST, gate.BIGGEST)
    | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(values, st.booleans())
def test_good_json_is_read_as_it_was_meant(value: Any, ascii_only: bool) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only).encode()

    assert gate.read_json(body) == value


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "is not JSON"), (b"{", "is not JSON: .* at line 1, column 2"), (b"{'a': 1}", "is not JSON"),
        (b"[1,]", "is not JSON"), (b"1 2", "is not JSON"), (b"\xff", "is not UTF-8: byte 0"),
        (b'"a\xc3', "is not UTF-8: byte 2"), (b'"\xed\xa0\x80"', "is not UTF-8"), (b"\xef\xbb\xbf1", "is not JSON"),
        (b"NaN", "NaN is not a JSON number"), (b"[-Infinity]", "-Infinity is not a JSON number"),
        (b"1e999", "is too large"), (b"-1e999", "is too large"),
        (b"9223372036854775808", "more than 64 bits"), (b"-9223372036854775808", "more than 64 bits"),
        (b"9" * 5_000, "more than 64 bits"), (b'{"a": 1, "b": 2, "a": 3}', "key 'a' stands twice"),
        (b'{"x": [{"a": 1, "\\u0061": 3}]}', "key 'a' stands twice"),
        (b'"\\u0000"', "NUL"), (b'{"\\u0000": 1}', "NUL"), (b'[["a\\u0000"]]', "NUL"), (b'"a\x00b"', "is not JSON"),
        (b'"\\ud800"', "half a surrogate pair"), (b'{"\\udfff": 1}', "half a surrogate pair"),
        (b'"\\udc00\\ud800"', "half a surrogate pair"), (b"[" * 65 + b"]" * 65, "deeper than 64"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "deeper than 64"), (b"[" * 100_000, "not JSON|deeper than 64"),
        (b"[" * 100_000 + b"]" * 100_000, "deeper than 64"),
    ],
    ids=lambda case: f"{case[:20]!r}, {len(case)} bytes" if isinstance(case, bytes) else "",
)  # fmt: skip
def test_what_means_two_things_or_breaks_a_database_is_refused(body: bytes, sentence: str) -> None:
    with pytest.raises(BadSyntax, match=sentence):
        gate.read_json(body)


def test_what_is_at_the_edge_passes() -> None:
    assert gate.read_json(b"9223372036854775807") == 2**63 - 1
    assert gate.read_json(b"[" * 64 + b"]" * 64)
    assert gate.read_json(b'"\\ud83d\\ude00"') == "😀"
    assert gate.read_json(b'"\\\\u0000"') == "\\u0000"
    assert gate.read_json(b"1.7976931348623157e308") > 1e308
    assert gate.read_json(b"[" + b"[]," * 200 + b"[]]") == [[]] * 201


def test_a_body_has_a_bound() -> None:
    assert gate.read_json(b'"' + b"x" * 8 + b'"', most=10) == "x" * 8
    with pytest.raises(TooLarge, match="may have 10 bytes here, this has 11"):
        gate.read_json(b'"' + b"x" * 9 + b'"', most=10)


def test_a_parameter_passes_the_same_gate() -> None:
    assert gate.check_text("я 😀") == "я 😀"
    for wrong in ("a\x00", "\ud800"):
        with pytest.raises(BadSyntax):
            gate.check_text(wrong)


@given(
    st.binary(max_size=40)
    | st.text(alphabet='[]{}",:0159eE+-.\\ud8nulltrfas ', max_size=30).map(str.encode)
)
def test_whatever_comes_is_read_or_refused(body: bytes) -> None:
    """And what is read can be written again, without anything that JSON does not know."""
    try:
        value = gate.read_json(body)
    except BadSyntax as refused:
        assert refused.detail.endswith(".")
    else:
        assert json.loads(json.dumps(value, allow_nan=False)) == value
