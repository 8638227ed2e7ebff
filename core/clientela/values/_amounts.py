"""Amounts as people and programs write them, turned into minor units without losing a digit."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from clientela.i18n.texts import _
from clientela.values.codes import exponent, known_currency

MINOR_LIMIT = 10**15
"""What comes in stays below this many minor units; a sum over many records may exceed it."""

_MOST_CHARACTERS = 60
_MACHINE = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_AROUND = re.compile(
    r"(?P<before>[^\d\s.,+-]*)\s*(?P<number>[-+]?\d[\d\s.,'’]*?)\s*(?P<after>(?:[^\d\s.,+-]\D*)?)"
)
_SIMPLE = re.compile(r"(?P<whole>\d+)(?:[.,](?P<decimals>\d+))?")
# Thousands in groups of three behind one kind of separator, then decimals behind another kind.
_GROUPED = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?P<group>[ .,'])\d{3}(?:(?P=group)\d{3})*)"
    r"(?:(?!(?P=group))[.,](?P<decimals>\d+))?"
)
_ONE_GROUP = re.compile(r"[1-9]\d{0,2}(?P<separator>[.,])\d{3}")
_SIGNS = {"€": "EUR", "₽": "RUB", "РУБ": "RUB", "РУБ.": "RUB"}


def read_amount(text: str, default_currency: str | None) -> tuple[str, str]:
    """Give the plain digits and the currency of an amount that can mean one thing only.

    >>> read_amount("1 200,50 ₽", None)
    ('1200.50', 'RUB')
    """
    if len(text) > _MOST_CHARACTERS:
        raise _unreadable(text)
    # NFKC turns every kind of blank and of digit into the plain one.
    plain = unicodedata.normalize("NFKC", text).strip().replace("\N{MINUS SIGN}", "-")
    match = _AROUND.fullmatch(plain)
    if match is None:
        raise _unreadable(text)
    currency = _currency(match["before"], match["after"].strip(), default_currency)
    return _plain(match["number"], currency), currency


def as_decimal(amount: Decimal | str | int) -> Decimal:
    """Take an amount as programs write it: a decimal, a whole number, plain decimal text."""
    if isinstance(amount, str):
        if len(amount) > _MOST_CHARACTERS or not _MACHINE.fullmatch(amount):
            raise _unreadable(amount)
    elif isinstance(amount, bool | float):
        raise ValueError(  # noqa: TRY004 - what was sent is wrong, not the program
            _(
                "An amount is decimal text, not a float, which cannot hold it exactly; "
                'write it in quotes, such as "1200.50".'
            )
        )
    return Decimal(amount)


def minor_units(amount: Decimal, currency: str) -> int:
    """Shift the decimal point on the digits, because a decimal context would round silently."""
    if not amount.is_finite():
        raise ValueError(_("An amount is a finite number; write digits such as 1200.50."))
    digits = exponent(currency)
    if not amount:
        return 0
    if amount.adjusted() + digits >= len(str(MINOR_LIMIT)) - 1:
        raise ValueError(
            _(
                "The amount is too large; it stays below {most} {currency}.",
                most=MINOR_LIMIT // 10**digits,
                currency=currency,
            )
        )
    sign, figures, power = amount.as_tuple()
    point = max(len(figures) + int(power) + digits, 0)
    if any(figures[point:]):
        if not digits:
            raise ValueError(
                _("{currency} has no decimals; round the amount to that.", currency=currency)
            )
        raise ValueError(
            _(
                "{currency} has {digits} decimals; round the amount to that.",
                currency=currency,
                digits=digits,
            )
        )
    whole = int("".join(map(str, figures[:point])).ljust(point, "0"))
    return -whole if sign else whole


def _currency(before: str, after: str, default: str | None) -> str:
    if before and after:
        raise ValueError(
            _(
                "Both {before} and {after} stand for a currency; leave one of them out.",
                before=repr(before),
                after=repr(after),
            )
        )
    word = (before or after).upper()
    if word:
        return known_currency(_SIGNS.get(word, word))
    if default is None:
        raise ValueError(_("The amount has no currency; add its code, such as 1200.50 EUR."))
    return known_currency(default)


def _plain(number: str, currency: str) -> str:
    """Rewrite a number with blanks, dots and commas as plain digits with a decimal point."""
    sign, body = ("-", number[1:]) if number[0] == "-" else ("", number.removeprefix("+"))
    body = body.replace("’", "'")
    match = _SIMPLE.fullmatch(body) or _GROUPED.fullmatch(body)
    if match is None:
        raise _unreadable(number)
    if _is_ambiguous(body, currency):
        thousands, decimal = re.sub(r"[.,]", "", body), body.replace(",", ".")
        raise ValueError(
            _(
                "{number} can mean {thousands} or {decimal}; write it without a separator of "
                "thousands and with the decimals behind a dot, such as {thousands}.00.",
                number=repr(number),
                thousands=thousands,
                decimal=decimal,
            )
        )
    whole, decimals = re.sub(r"\D", "", match["whole"]), match["decimals"]
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def _is_ambiguous(body: str, currency: str) -> bool:
    """Tell whether the only separator may stand for thousands as well as for decimals."""
    match = _ONE_GROUP.fullmatch(body)
    if match is None:
        return False
    # "1.200 KWD" is how an amount with three decimals is always written by `Money`.
    three_decimals = 3
    return not (match["separator"] == "." and exponent(currency) == three_decimals)


def _unreadable(text: str) -> ValueError:
    return ValueError(
        _(
            "{text} cannot be read as an amount; write it such as 1200.50 EUR.",
            text=repr(text[:_MOST_CHARACTERS]),
        )
    )
