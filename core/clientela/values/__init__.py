"""The value types of the kernel: pure, frozen, without a database and without `ctx`."""

from __future__ import annotations

from clientela.values.codes import COUNTRIES, CURRENCIES, EXPONENTS, LANGUAGES
from clientela.values.money import Money, exponent
from clientela.values.person_name import PersonName
from clientela.values.postal_address import PostalAddress

__all__ = [
    "COUNTRIES",
    "CURRENCIES",
    "EXPONENTS",
    "LANGUAGES",
    "Money",
    "PersonName",
    "PostalAddress",
    "exponent",
]
