"""Numbers as people write them in files: which sign stands before the decimals, and which between the groups."""

from __future__ import annotations

import re
from collections.abc import Iterable

from clientela.normalize.dates import Found

# A number within a text, such as an amount beside its currency.
_RUN = re.compile(r"[0-9](?:[0-9.,'’`´٬\s\u00a0\u2009\u202f]*[0-9])?")
_BLANK = re.compile(r"[\s\u00a0\u2009\u202f'’`´٬]")
_MINUS = re.compile(r"[\u2010-\u2015\u2212\ufe63\uff0d](?=\s*[0-9])")
_GROUP = 3
_LONGEST = 100


def read_number(text: str, decimal: str) -> str:
    """Write the number in a text with a point before its decimals and nothing between its groups.

    >>> read_number("1.234,56 €", ","), read_number("−1'234.50", "."), read_number("1,234", ".")
    ('1234.56 €', '-1234.50', '1234')
    """
    if text.isdigit() or len(text) > _LONGEST:
        return text
    return _RUN.sub(lambda run: _plain(run[0], decimal), _MINUS.sub("-", text))


def _plain(run: str, decimal: str) -> str:
    group = "." if decimal == "," else ","
    squeezed = _BLANK.sub("", run)
    whole, point, rest = squeezed.partition(decimal)
    if not _is_grouped(whole, group) or group in rest or decimal in rest:
        # Not written in this convention; the kind says so in its own words.
        return run
    return whole.replace(group, "") + ("." if point else "") + rest


def _is_grouped(whole: str, group: str) -> bool:
    first, *others = whole.split(group)
    # India groups by two above the last three.
    return not others or (
        len(first) <= _GROUP
        and len(others[-1]) == _GROUP
        and all(1 < len(o) <= _GROUP for o in others)
    )


def sign_of(texts: Iterable[str]) -> Found:
    """Find the sign before the decimals of a column.

    >>> [sign_of([text]).value for text in ("1.234,56", "12,5", "1,234", "12")]
    [',', ',', None, None]
    """
    found: set[str] = set()
    asked = pointed = False
    for text in texts:
        for run in _RUN.findall(text):
            squeezed = _BLANK.sub("", run)
            if "," in squeezed or "." in squeezed:
                asked = True
                pointed |= "." in squeezed
                found |= _signs(squeezed)
    # Our own files have a point before decimals, whatever is usual in the country.
    return Found(found.pop() if len(found) == 1 else None, asked, "." if pointed else None)


def _signs(number: str) -> set[str]:
    comma, point = number.rfind(","), number.rfind(".")
    if comma >= 0 and point >= 0:
        return {"," if comma > point else "."}
    sign, other = (",", ".") if comma >= 0 else (".", ",")
    if number.count(sign) > 1:
        return {other}
    whole, _sign, rest = number.partition(sign)
    # Three digits behind it may be a group or decimals; a group has one to three before it, and no zero in front.
    ambiguous = len(rest) == _GROUP and 1 <= len(whole) <= _GROUP and not whole.startswith("0")
    return set() if ambiguous else {sign}


def looks_like_number(text: str) -> bool:
    """Say whether a text is a number in some convention."""
    return re.fullmatch(r"[+-]?\s*" + _RUN.pattern + r"\s*%?", _MINUS.sub("-", text)) is not None
