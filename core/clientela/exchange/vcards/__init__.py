"""The vCard format: cards from bytes and bytes from cards, in versions 2.1, 3.0 and 4.0; no database, no customer."""

from clientela.exchange.vcards.model import Card, CardOptions, CardProperty
from clientela.exchange.vcards.reading import read_cards
from clientela.exchange.vcards.stored import from_stored, to_stored
from clientela.exchange.vcards.writing import write_card

__all__ = [
    "Card",
    "CardOptions",
    "CardProperty",
    "from_stored",
    "read_cards",
    "to_stored",
    "write_card",
]
