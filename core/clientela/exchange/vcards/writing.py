"""From cards to bytes, in version 3.0 or 4.0, folded at 75 octets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from clientela.exchange.vcards.lines import BINARY, DAYS, data_parts
from clientela.exchange.vcards.model import CardProperty, parameters

Version = Literal["3.0", "4.0"]

WIDTH = 75
_NEEDS_QUOTES = re.compile(r'[:;,]|^\s|\s$|^"')
_CARETS = str.maketrans({"^": "^^", "\n": "^n", '"': "^'"})
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")


def write_card(properties: Iterable[CardProperty], version: Version) -> bytes:
    """Write a card."""
    lines = [content_line(_as_of(one, version)) for one in _required(properties, version)]
    return b"".join(folded(line) for line in ("BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD"))  # fmt: skip


def _required(properties: Iterable[CardProperty], version: Version) -> Iterator[CardProperty]:
    """Add the name by part where version 3.0 must have one and none is known."""
    has_name = False
    for one in properties:
        has_name = has_name or one.name == "N"
        yield one
    if version == "3.0" and not has_name:
        yield CardProperty("N", ";;;;")


def content_line(one: CardProperty) -> str:
    """Write a property as one line, not folded."""
    params = "".join(f";{name}={','.join(map(_param, values))}" for name, values in one.params)
    return f"{one.group and f'{one.group}.'}{one.name}{params}:{one.value}"


def _param(value: str) -> str:
    """Write the value of a parameter by RFC 6868."""
    value = value.translate(_CARETS)
    return f'"{value}"' if _NEEDS_QUOTES.search(value) else value


def folded(line: str) -> bytes:
    """Fold a line without cutting a sign in two.

    >>> [len(part) for part in folded("NOTE:" + "ж" * 60).splitlines()]
    [75, 53]
    """
    data = line.encode()
    if len(data) <= WIDTH:
        return data + b"\r\n"
    pieces, start, room = [], 0, WIDTH
    while len(data) - start > room:
        end = start + room
        while data[end] & 0xC0 == 0x80:  # noqa: PLR2004 - the second or a later octet of a sign
            end -= 1
        pieces.append(data[start:end])
        start, room = end, WIDTH - 1
    return b"\r\n ".join([*pieces, data[start:]]) + b"\r\n"


def _as_of(one: CardProperty, version: Version) -> CardProperty:
    """Give a property as a version writes it."""
    if version == "4.0":
        if one.name in DAYS and "VALUE" not in dict(one.params):
            return replace(one, value=_DAY.sub(r"\1\2\3", one.value, count=1))
        return one
    if (one.name, one.value) == ("KIND", "org"):
        # Apple's word for it, which every reader of version 3.0 knows that knows companies at all.
        return CardProperty("X-ABShowAs", "COMPANY")
    params = {name: list(values) for name, values in one.params}
    packed = data_parts(one.name, one.value)
    if packed is not None:
        subtype, value = packed
        params["ENCODING"] = ["b"]
        if subtype:
            params["TYPE"] = [subtype, *params.get("TYPE", [])]
        one = replace(one, value=value)
    elif one.name in BINARY and "VALUE" not in params:
        params["VALUE"] = ["uri"]
    if params.get("PREF") == ["1"]:
        del params["PREF"]
        params["TYPE"] = [*params.get("TYPE", []), "pref"]
    return replace(one, params=parameters(dict(params)))
