"""Properties as the database keeps them: a line each, in the one form of all versions."""

from __future__ import annotations

import hashlib

from clientela.exchange.vcards.lines import read_line
from clientela.exchange.vcards.model import CardProperty, Unit
from clientela.exchange.vcards.writing import content_line


def to_stored(unit: Unit) -> str:
    """Write a property with its labels.

    >>> to_stored((CardProperty("TEL", "123", (("TYPE", ("work",)),)),))
    'TEL;TYPE=work:123'
    """
    return "\n".join(map(content_line, unit))


def from_stored(text: str) -> Unit:
    """Read what `to_stored` wrote."""
    return tuple(read_line(line.encode(), "4.0", "utf-8", 0).made for line in text.split("\n"))


def anchor_of(one: CardProperty) -> str:
    """Give a short name of exactly this property, under which another spelling of it is kept."""
    return hashlib.blake2b(content_line(one).encode(), digest_size=16).hexdigest()
