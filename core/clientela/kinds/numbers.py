"""Kinds that are numbers: integer, decimal, percent, money, boolean, duration."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Boolean, ColumnElement, case, false, literal, or_
from sqlalchemy.types import TypeEngine

from clientela.i18n.texts import _
from clientela.kinds import base
from clientela.kinds.base import EQUALITY, Kind, Render, compare_sql, sentence_for_type
from clientela.storage.types import Scaled, from_scaled, plain_text, to_scaled
from clientela.values import CURRENCIES, EXPONENTS, Money, exponent

BIGGEST = 2**63 - 1
MOST_DIGITS = 40
MAJOR_LIMIT = 10**13
_BLANKS = re.compile(r"[\s\u00a0\u202f']")


def read_decimal(text: str) -> Decimal:
    """Read a number as people write it: `1 200,50`, `1200.50`, `-3`; an ambiguous comma is refused.

    >>> read_decimal("1 200,50")
    Decimal('1200.50')
    """
    squeezed = _BLANKS.sub("", text)
    if (
        "," in squeezed
        and "." not in squeezed
        and re.fullmatch(r"[+-]?\d+,\d{1,2}|[+-]?\d+,\d{4,}", squeezed)
    ):
        squeezed = squeezed.replace(",", ".")
    try:
        number = Decimal(squeezed)
    except InvalidOperation:
        raise ValueError(
            _("{text} is not a number; write it like 1200.50.", text=repr(text[:40]))
        ) from None
    return number


class IntegerKind(Kind):
    """A whole number between two bounds, at most 64 bits."""

    name: ClassVar[str] = "integer"
    python: ClassVar[Any] = int

    def __init__(self, *, at_least: int = -BIGGEST, at_most: int = BIGGEST) -> None:
        self.at_least = max(at_least, -BIGGEST)
        self.at_most = min(at_most, BIGGEST)

    def load(self, raw: object) -> int:
        """Take a whole number; `1.0` is one, as JSON Schema says, `"1"` is not."""
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise sentence_for_type(_("A whole number"), raw)
        if isinstance(raw, float) and not raw.is_integer():
            raise ValueError(_("A whole number is expected here."))
        number = int(raw)
        if not self.at_least <= number <= self.at_most:
            raise ValueError(
                _(
                    "The number must be from {least} to {most}.",
                    least=self.at_least,
                    most=self.at_most,
                )
            )
        return number

    def parse(self, text: str) -> int:
        """Take digits, with blanks between groups."""
        number = read_decimal(text)
        # `1e999999999` is short to write, and its digits fill a gigabyte.
        if not number.is_finite() or not -MOST_DIGITS < number.adjusted() < MOST_DIGITS:
            raise ValueError(
                _("{text} is not a whole number of up to 19 digits.", text=repr(text[:40]))
            )
        if number != number.to_integral_value():
            raise ValueError(_("{text} is not a whole number.", text=repr(text[:40])))
        return self.load(int(number))

    def load_operand(self, op: str, raw: object) -> Any:
        """Compare with any number that fits 64 bits."""
        del op
        return IntegerKind().load(raw)

    def parse_operand(self, op: str, text: str) -> Any:
        """Compare with any number that fits 64 bits."""
        del op
        return IntegerKind().parse(text)

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one 64-bit column."""
        return (BigInteger(),)

    def format(self, value: int, locale: str) -> str:
        """Group the digits as the language does."""
        from clientela.i18n.formats import format_number  # noqa: PLC0415 - babel is slow to import

        return format_number(value, locale)

    def json_schema(self) -> dict[str, Any]:
        """Describe a bounded integer."""
        return {"type": "integer", "minimum": self.at_least, "maximum": self.at_most}

    def sample(self, rng: random.Random) -> int:
        """Make up a small number."""
        return rng.randint(max(self.at_least, 0), min(self.at_most, max(self.at_least, 0) + 1000))


class DurationKind(IntegerKind):
    """A length of time in whole seconds; written `1h30m`, `45m`, `90s` or a number of seconds."""

    name: ClassVar[str] = "duration"

    def __init__(self) -> None:
        super().__init__(at_least=0, at_most=10**10)

    def parse(self, text: str) -> int:
        """Take `2d 3h 15m 10s` in that order, or seconds."""
        match = re.fullmatch(
            r"\s*(?:(\d{1,12})\s*d)?\s*(?:(\d{1,12})\s*h)?\s*(?:(\d{1,12})\s*m)?\s*(?:(\d{1,12})\s*s)?\s*",
            text,
        )
        if match and any(match.groups()):
            d, h, m, s = (int(part or 0) for part in match.groups())
            return self.load(((d * 24 + h) * 60 + m) * 60 + s)
        return super().parse(text)

    def parse_operand(self, op: str, text: str) -> Any:
        """Compare with a length of time."""
        del op
        return self.parse(text)

    def format(self, value: int, locale: str) -> str:
        """Say the length in words."""
        from clientela.i18n.formats import format_duration  # noqa: PLC0415 - babel is slow

        return format_duration(value, locale)


class DecimalKind(Kind):
    """A number with a fixed count of decimal places, exact; JSON carries it as text."""

    name: ClassVar[str] = "decimal"
    python: ClassVar[Any] = Decimal

    def __init__(
        self,
        *,
        places: int = 2,
        at_least: Decimal | int | None = None,
        at_most: Decimal | int | None = None,
    ) -> None:
        self.places = places
        limit = Decimal(10**17 - 1).scaleb(-places)
        self.at_least = Decimal(at_least) if at_least is not None else -limit
        self.at_most = Decimal(at_most) if at_most is not None else limit

    def load(self, raw: object) -> Decimal:
        """Take a decimal as text; a JSON number is refused because it is not exact."""
        if not isinstance(raw, str | Decimal):
            raise sentence_for_type(_('A decimal as text, such as "12.50",'), raw)
        if isinstance(raw, str) and not re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", raw):
            raise ValueError(_('Write a decimal as text, such as "12.50".'))
        return self._checked(Decimal(raw))

    def parse(self, text: str) -> Decimal:
        """Take a number as people write it."""
        return self._checked(read_decimal(text))

    def _checked(self, number: Decimal) -> Decimal:
        if not number.is_finite() or not self.at_least <= number <= self.at_most:
            raise ValueError(
                _(
                    "The number must be from {least} to {most}.",
                    least=self.at_least,
                    most=self.at_most,
                )
            )
        fixed = from_scaled(to_scaled(number, self.places), self.places)
        if fixed != number:
            raise ValueError(
                _("At most {places} decimal places are kept here.", places=self.places)
            )
        return fixed

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one scaled-integer column."""
        return (Scaled(self.places),)

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Turn the stored integer into text."""
        del sqlite
        places = self.places
        # Not `str`, which writes 0.000000001 as 1E-9.
        return lambda units: None if units is None else format(from_scaled(units, places), "f")

    def from_stored(self, raw: Any) -> Decimal:
        """Read the count of smallest units."""
        return from_scaled(IntegerKind().load(raw), self.places)

    def dump(self, value: Decimal) -> str:
        """Give the exact text."""
        return format(value, "f")

    def format(self, value: Decimal, locale: str) -> str:
        """Group the digits as the language does."""
        from clientela.i18n.formats import format_number  # noqa: PLC0415 - babel is slow to import

        return format_number(value, locale)

    def json_schema(self) -> dict[str, Any]:
        """Describe decimal text."""
        places = rf"(\.[0-9]{{1,{self.places}}})?" if self.places else ""
        return {"type": "string", "pattern": rf"^-?[0-9]{{1,{17 - self.places}}}{places}$"}

    def sample(self, rng: random.Random) -> Decimal:
        """Make up a number within the bounds."""
        low, high = max(self.at_least, Decimal(0)), min(self.at_most, Decimal(1000))
        units = rng.randint(to_scaled(low, self.places), to_scaled(max(low, high), self.places))
        return from_scaled(units, self.places)


class PercentKind(DecimalKind):
    """A share in per cent: 63.15 means 63.15 %, two places unless declared otherwise."""

    name: ClassVar[str] = "percent"

    def __init__(
        self,
        *,
        places: int = 2,
        at_least: Decimal | int | None = 0,
        at_most: Decimal | int | None = 100,
    ) -> None:
        super().__init__(places=places, at_least=at_least, at_most=at_most)

    def parse(self, text: str) -> Decimal:
        """Take a number with or without its sign."""
        return super().parse(text.strip().removesuffix("%"))

    def format(self, value: Decimal, locale: str) -> str:
        """Show the sign as the language does."""
        from clientela.i18n.formats import format_percent  # noqa: PLC0415 - babel is slow to import

        return format_percent(value / 100, locale)


class BooleanKind(Kind):
    """Yes or no."""

    name: ClassVar[str] = "boolean"
    python: ClassVar[Any] = bool
    operators = EQUALITY

    _words: ClassVar[dict[str, bool]] = {
        "true": True, "yes": True, "1": True, "on": True, "да": True, "истина": True,
        "false": False, "no": False, "0": False, "off": False, "нет": False, "ложь": False,
    }  # fmt: skip

    def load(self, raw: object) -> bool:
        """Take true or false."""
        if not isinstance(raw, bool):
            raise sentence_for_type(_("true or false"), raw)
        return raw

    def parse(self, text: str) -> bool:
        """Take yes, no, да, нет, true, false, 1, 0."""
        known = self._words.get(text.strip().lower())
        if known is None:
            raise ValueError(_("{text} is neither yes nor no.", text=repr(text[:40])))
        return known

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one boolean column."""
        return (Boolean(),)

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Turn SQLite's 0 and 1 into true and false."""
        return (lambda raw: None if raw is None else bool(raw)) if sqlite else None

    def from_stored(self, raw: Any) -> bool:
        """Read 0 and 1."""
        return bool(raw)

    def csv(self, value: bool) -> str:  # noqa: FBT001 - the value itself
        """Give `true` or `false`."""
        return "true" if value else "false"

    def json_schema(self) -> dict[str, Any]:
        """Describe a boolean."""
        return {"type": "boolean"}

    def sample(self, rng: random.Random) -> bool:
        """Toss a coin."""
        return rng.random() < 0.5  # noqa: PLR2004 - a fair coin


class CurrencyCode(Kind):
    """The currency of an amount, as a part of money; the kind for fields of their own is `currency`."""

    name: ClassVar[str] = "currency_code"
    operators = EQUALITY

    def load(self, raw: object) -> str:
        """Take a known ISO 4217 code."""
        if not isinstance(raw, str):
            raise sentence_for_type(_("A currency code"), raw)
        code = raw.strip().upper()
        if code not in CURRENCIES:
            raise ValueError(
                _(
                    "{code} is not a currency code of ISO 4217, such as EUR or RUB.",
                    code=repr(raw[:10]),
                )
            )
        return code


_CODE = CurrencyCode()


class MoneyKind(Kind):
    """An amount with its currency: integer minor units in one column, the ISO 4217 code in the next.

    A filter compares the amount alone (`amount >= 1000`, in major units, whatever the currency) or the whole
    (`amount = "1000 EUR"`); `amount.currency` looks at the currency.
    """

    name: ClassVar[str] = "money"
    python: ClassVar[Any] = Money
    field_class = "financial"
    suffixes = ("", "_currency")

    def __init__(self, *, currency: str | None = None) -> None:
        self.currency = currency

    def at_home(self, home: base.Home) -> Kind:
        """Read amounts without a currency as those of the deployment's currency."""
        return (
            self if self.currency or home.currency is None else type(self)(currency=home.currency)
        )

    def load(self, raw: object) -> Money:
        """Take `{"amount": "1200.50", "currency": "EUR"}`."""
        if isinstance(raw, Money):
            return _bounded(raw)
        if not isinstance(raw, dict):
            raise sentence_for_type(
                _('Money such as {{"amount": "1200.50", "currency": "EUR"}}'), raw
            )
        if set(raw) - {"amount", "currency"} or not isinstance(raw.get("amount"), str):
            raise ValueError(
                _('Money is {{"amount": "1200.50", "currency": "EUR"}}, nothing else.')
            )
        amount = DecimalKind(places=4).load(raw["amount"])
        return _bounded(Money.of(amount, _CODE.load(raw.get("currency", self.currency))))

    def parse(self, text: str) -> Money:
        """Take `1200.50 EUR`."""
        return _bounded(Money.parse(text, default_currency=self.currency))

    def load_operand(self, op: str, raw: object) -> Any:
        """Compare with money, or with an amount alone."""
        del op
        if isinstance(raw, int | str) and not isinstance(raw, bool):
            return DecimalKind(places=4).load(str(raw))
        return self.load(raw)

    def parse_operand(self, op: str, text: str) -> Any:
        """Compare with money, or with an amount alone."""
        del op
        try:
            return DecimalKind(places=4).parse(text)
        except ValueError:
            return self.parse(text)

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give the column of minor units and the column of the code."""
        return (BigInteger(), plain_text())

    def to_columns(self, value: Money | None) -> tuple[Any, ...]:
        """Spread an amount over its two columns."""
        return (None, None) if value is None else (value.minor, value.currency)

    def from_columns(self, values: Sequence[Any]) -> Money | None:
        """Put an amount together."""
        minor, currency = values
        return None if minor is None else Money(minor, currency)

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Turn the two columns into the JSON of money."""
        del sqlite
        return lambda raw: None if raw[0] is None else Money(raw[0], raw[1]).as_dict()

    def dump(self, value: Money) -> dict[str, str]:
        """Give the JSON of money."""
        return value.as_dict()

    def csv(self, value: Money) -> str:
        """Give `1200.50 EUR`."""
        return str(value)

    def format(self, value: Money, locale: str) -> str:
        """Show the amount as the language does."""
        return value.format(locale)

    def json_schema(self) -> dict[str, Any]:
        """Describe the JSON of money: a currency says how many decimals its amounts have."""
        return {"anyOf": [_money_schema(places) for places in _BY_PLACES]}

    @property
    def parts(self) -> Mapping[str, Kind]:
        """Let a filter look at the currency."""
        return {"currency": _CODE}

    def part_column(self, columns: base.type_of_columns, part: str) -> ColumnElement[Any]:
        """Read the currency."""
        del part
        return columns[1]

    def sort_by(self, columns: base.type_of_columns) -> ColumnElement[Any]:
        """Order by the amount in ten-thousandths, so that yen and dinars stand where they belong."""
        minor, currency = columns
        return minor * case(
            *(
                (currency == code, literal(10 ** (4 - places)))
                for code, places in EXPONENTS.items()
            ),
            else_=literal(100),
        )

    def sql(self, op: str, columns: base.type_of_columns, value: Any) -> ColumnElement[bool]:
        """Compare amounts, or amounts within one currency."""
        if op == "in":
            return or_(false(), *(self.sql("eq", columns, one) for one in value))
        if isinstance(value, Money):
            if op == "ne":
                return (columns[0] != value.minor) | (columns[1] != value.currency)
            return (columns[1] == value.currency) & compare_sql(op, columns[0], value.minor)
        return compare_sql(op, self.sort_by(columns), to_scaled(value, 4))

    def matches(self, op: str, left: Money, right: Any) -> bool:
        """Compare as `sql` does."""
        if op == "in":
            return any(self.matches("eq", left, one) for one in right)
        if isinstance(right, Money):
            if op == "ne":
                return left != right
            return left.currency == right.currency and base.compare(op, left.minor, right.minor)
        return base.compare(op, left.amount, right)

    def sample(self, rng: random.Random) -> Money:
        """Make up an amount."""
        return Money(rng.randint(1, 10_000_000), self.currency or rng.choice(["EUR", "RUB", "USD"]))


def _bounded(value: Money) -> Money:
    """Refuse an amount that could not be compared: lists are ordered by ten-thousandths, which must fit 64 bits."""
    if abs(value.minor) >= MAJOR_LIMIT * 10 ** exponent(value.currency):
        raise ValueError(
            _(
                "The amount is too large; it stays below {most} {currency}.",
                most=MAJOR_LIMIT,
                currency=value.currency,
            )
        )
    return value


_BY_PLACES = {
    places: sorted(code for code in CURRENCIES if exponent(code) == places)
    for places in (2, 0, 3, 4)
}


def _money_schema(places: int) -> dict[str, Any]:
    decimals = rf"(\.[0-9]{{1,{places}}})?" if places else ""
    return {
        "type": "object",
        "properties": {
            "amount": {
                "type": "string",
                "pattern": rf"^-?[0-9]{{1,{min(13, 15 - places)}}}{decimals}$",
            },
            "currency": {"type": "string", "enum": _BY_PLACES[places]},
        },
        "required": ["amount", "currency"],
        "additionalProperties": False,
    }


__all__ = [
    "BooleanKind", "DecimalKind", "DurationKind", "IntegerKind", "MoneyKind", "PercentKind",
]  # fmt: skip
