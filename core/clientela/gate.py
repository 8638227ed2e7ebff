"""The one input gate: what passes here can be stored by both databases and shown by every face."""

from __future__ import annotations

import json
from typing import Any

from clientela.errors import BadSyntax, TooLarge
from clientela.i18n.texts import _

MOST_BYTES = 1_048_576
DEEPEST = 64
BIGGEST = 2**63 - 1


def read_json(body: bytes, *, most: int = MOST_BYTES) -> Any:
    """Read JSON strictly.

    Refused are bodies over the limit, wrong UTF-8, NaN and infinities, duplicate keys, integers beyond 64 bits, NUL
    and lone surrogates in text, and nesting deeper than 64: each either breaks a database, or means two different
    things to two parsers.
    """
    if len(body) > most:
        raise TooLarge(
            _("A body may have {most} bytes here, this has {count}.", most=most, count=len(body))
        )
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_pairs,
            parse_constant=_constant,
            parse_int=_integer,
            parse_float=_float,
        )
    except UnicodeDecodeError as wrong:
        raise BadSyntax(
            _("The body is not UTF-8: byte {place} cannot be read.", place=wrong.start)
        ) from None
    except json.JSONDecodeError as wrong:
        raise BadSyntax(
            _(
                "The body is not JSON: {reason} at line {line}, column {column}.",
                reason=wrong.msg,
                line=wrong.lineno,
                column=wrong.colno,
            )
        ) from None
    except RecursionError:
        raise BadSyntax(_("The JSON is nested deeper than {most} levels.", most=DEEPEST)) from None
    if body.count(b"[") + body.count(b"{") > DEEPEST:
        _check_depth(value, DEEPEST)
    if b"\\u" in body:
        _check_texts(value)
    return value


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadSyntax(_("The key {key} stands twice in one object.", key=repr(twice[:60])))
    return made


def _constant(word: str) -> Any:
    raise BadSyntax(_("{word} is not a JSON number.", word=word))


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(number := int(digits)) > BIGGEST:  # noqa: PLR2004 - digits of 2**63
        raise BadSyntax(_("The number {number} has more than 64 bits.", number=digits[:25]))
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise BadSyntax(_("The number {number} is too large.", number=digits[:25]))
    return number


def _check_depth(value: Any, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if not left:
        raise BadSyntax(_("The JSON is nested deeper than {most} levels.", most=DEEPEST))
    for part in value.values() if isinstance(value, dict) else value:
        _check_depth(part, left - 1)


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for name, part in value.items():
            check_text(name)
            _check_texts(part)
    elif isinstance(value, list):
        for part in value:
            _check_texts(part)


def check_text(text: str) -> str:
    """Refuse text that no database and no encoding can carry."""
    if "\x00" in text:
        raise BadSyntax(_("Text must not hold NUL."))
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise BadSyntax(_("Text must not hold half a surrogate pair.")) from None
    return text
