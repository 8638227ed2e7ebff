"""Money: an integer of minor units and a currency, never a float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from clientela.i18n.texts import _
from clientela.values._amounts import MINOR_LIMIT, as_decimal, minor_units, read_amount
from clientela.values.codes import (
    CURRENCIES,
    DEFAULT_EXPONENT,
    EXPONENTS,
    exponent,
    known_currency,
)

__all__ = ["CURRENCIES", "DEFAULT_EXPONENT", "EXPONENTS", "MINOR_LIMIT", "Money", "exponent"]


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in one currency.

    >>> Money.of("1200.50", "EUR") + Money(50, "EUR")
    Money(minor=120100, currency='EUR')
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(
                _("Minor units are an int, not {type}.", type=type(self.minor).__name__)
            )
        known_currency(self.currency)

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> Money:
        """Take an amount in major units, when no digit of it is lost.

        >>> Money.of("1200.5", "EUR").minor
        120050
        """
        return cls(minor_units(as_decimal(amount), currency), currency)

    @classmethod
    def parse(cls, text: str, default_currency: str | None = None) -> Money:
        """Read an amount as people write it, when it can mean one thing only.

        >>> Money.parse("1 200,50 RUB") == Money.parse("RUB 1200.50")
        True
        """
        return cls.of(*read_amount(text, default_currency))

    @property
    def amount(self) -> Decimal:
        """The amount in major units, with as many decimals as the currency has."""
        return Decimal(self._digits())

    def as_dict(self) -> dict[str, str]:
        """Give the JSON form.

        >>> Money(120050, "EUR").as_dict()
        {'amount': '1200.50', 'currency': 'EUR'}
        """
        return {"amount": self._digits(), "currency": self.currency}

    def format(self, locale: str) -> str:
        """Write the amount for a reader of this locale (CLDR patterns, ISO decimals)."""
        # Babel is slow to import, and few processes ever show an amount.
        from babel import Locale, UnknownLocaleError  # noqa: PLC0415
        from babel.numbers import parse_pattern  # noqa: PLC0415

        try:
            known = Locale.parse(locale.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            raise ValueError(
                _(
                    "The locale {locale} is not known; use one such as en or ru_RU.",
                    locale=repr(locale),
                )
            ) from None
        pattern = parse_pattern(known.currency_formats["standard"].pattern)
        digits = exponent(self.currency)
        # CLDR rounds some currencies to whole units (RSD, LBP); no minor unit may be hidden.
        pattern.frac_prec = (digits, digits)
        return str(pattern.apply(self.amount, known, currency=self.currency, currency_digits=False))

    def allocate(self, weights: Sequence[int | Decimal]) -> list[Money]:
        """Share out by weights, losing no minor unit (the largest-remainder method of Hamilton).

        >>> [str(part) for part in Money.of(10, "EUR").allocate([1, 1, 1])]
        ['3.34 EUR', '3.33 EUR', '3.33 EUR']
        """
        whole = [Fraction(weight) for weight in weights if _is_weight(weight)]
        total = sum(whole, Fraction(0))
        if len(whole) < len(weights) or not total:
            raise ValueError(_("Weights are numbers from 0 up, and one at least is above 0."))
        sign, left = (-1, -self.minor) if self.minor < 0 else (1, self.minor)
        exact = [left * weight / total for weight in whole]
        shares = [int(share) for share in exact]
        by_remainder = sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])
        for i in by_remainder[: left - sum(shares)]:
            shares[i] += 1
        return [Money(sign * share, self.currency) for share in shares]

    def __str__(self) -> str:
        return f"{self._digits()} {self.currency}"

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __mul__(self, factor: int | Decimal) -> Money:
        """Multiply, rounding half a minor unit to the even neighbour."""
        if isinstance(factor, Decimal):
            return Money(_times(self.minor, factor), self.currency)
        if type(factor) is int:
            return Money(self.minor * factor, self.currency)
        return NotImplemented

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise ValueError(
                _(
                    "{currency} and {other} are different currencies; convert one of the amounts first.",
                    currency=self.currency,
                    other=other.currency,
                )
            )
        return other.minor

    def _digits(self) -> str:
        digits = exponent(self.currency)
        if not digits:
            return str(self.minor)
        sign = "-" if self.minor < 0 else ""
        text = str(abs(self.minor)).rjust(digits + 1, "0")
        return f"{sign}{text[:-digits]}.{text[-digits:]}"


def _times(minor: int, factor: Decimal) -> int:
    if not factor.is_finite() or factor.adjusted() >= len(str(MINOR_LIMIT)):
        raise ValueError(_("A factor is a finite number below 10^16; use a smaller one."))
    exact = Context(prec=len(str(minor)) + len(factor.as_tuple().digits) + 1)
    return int(exact.multiply(minor, factor).to_integral_value(ROUND_HALF_EVEN))


def _is_weight(weight: Decimal | int) -> bool:
    return Decimal(weight).is_finite() and weight >= 0
