"""Money keeps every minor unit, and never guesses."""

from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.values import CURRENCIES, EXPONENTS, Money, exponent
from clientela.values.money import MINOR_LIMIT

currencies = st.sampled_from(sorted(CURRENCIES))
minors = st.integers(-MINOR_LIMIT + 1, MINOR_LIMIT - 1)
monies = st.builds(Money, minors, currencies)


def test_a_currency_has_its_own_decimals() -> None:
    assert [exponent(code) for code in ("EUR", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]
    assert set(EXPONENTS) <= CURRENCIES
    assert 2 not in EXPONENTS.values()
    with pytest.raises(TypeError):
        EXPONENTS["EUR"] = 3  # type: ignore[index]


def test_an_amount_in_major_units_becomes_minor_units() -> None:
    assert Money.of("1200.50", "EUR") == Money(120050, "EUR")
    assert Money.of(Decimal("-0.05"), "EUR") == Money(-5, "EUR")
    assert Money.of(1200, "JPY") == Money(1200, "JPY")
    assert Money.of("1.234", "KWD") == Money(1234, "KWD")
    assert Money.of(Decimal("12E+3"), "EUR") == Money(1_200_000, "EUR")
    assert Money.of(Decimal("0E+999999"), "EUR") == Money.of(Decimal("-0.0000"), "EUR")


def test_zeros_at_the_end_are_no_further_decimals() -> None:
    """A numeric column of a database gives four decimals to every amount."""
    assert Money.of(Decimal("1200.5000"), "EUR") == Money(120050, "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "sentence"),
    [
        ("1200.505", "EUR", "EUR has 2 decimals; round the amount to that."),
        ("1200.5", "JPY", "JPY has no decimals; round"),
        (Decimal("1E-999999999"), "EUR", "EUR has 2 decimals"),
        (Decimal("NaN"), "EUR", "finite number"),
        (Decimal("-Infinity"), "EUR", "finite number"),
        ("10000000000000", "EUR", "stays below 10000000000000 EUR"),
        (Decimal("1E+999999999"), "EUR", "too large"),
        (-(10**15), "JPY", "too large"),
        ("1e3", "EUR", "cannot be read as an amount"),
        (" 5", "EUR", "cannot be read"),
        ("1_000", "EUR", "cannot be read"),
        ("٣", "EUR", "cannot be read"),
        ("9" * 5000, "EUR", "cannot be read"),
        (0.1, "EUR", "not a float"),
        (True, "EUR", "decimal text"),
        ("5", "EURO", "Did you mean 'EUR'"),
        ("5", "eur", "Did you mean 'EUR'"),
        ("5", "XAU", "'XAU' is no currency code of ISO 4217"),
    ],
)
def test_what_would_lose_something_is_refused(amount: Any, currency: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Money.of(amount, currency)


def test_the_largest_amount_is_one_minor_unit_below_the_limit() -> None:
    assert Money.of("9999999999999.99", "EUR").minor == MINOR_LIMIT - 1


def test_minor_units_are_whole() -> None:
    with pytest.raises(TypeError, match="an int, not float"):
        Money(1.5, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1200.50 EUR", "1200.50 EUR"),
        ("EUR 1200.50", "1200.50 EUR"),
        ("eur1200,5", "1200.50 EUR"),
        ("1 200,50 RUB", "1200.50 RUB"),
        ("1\N{NO-BREAK SPACE}200\N{NARROW NO-BREAK SPACE}300,50 ₽", "1200300.50 RUB"),
        ("1200 руб.", "1200.00 RUB"),
        ("€ 5", "5.00 EUR"),
        ("\N{MINUS SIGN}5 USD", "-5.00 USD"),
        ("+5 USD", "5.00 USD"),
        ("1,200.50 USD", "1200.50 USD"),
        ("1.200,50 EUR", "1200.50 EUR"),
        ("1,234,567 USD", "1234567.00 USD"),
        ("1’200.50 CHF", "1200.50 CHF"),
        ("0,500 KWD", "0.500 KWD"),
        ("1.200 KWD", "1.200 KWD"),
        ("1 200,500 KWD", "1200.500 KWD"),
        ("１２ JPY", "12 JPY"),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, canonical: str) -> None:
    assert str(Money.parse(text)) == canonical


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1,200 EUR", "can mean 1200 or 1.200"),
        ("1.200 EUR", "can mean 1200 or 1.200"),
        ("1,200 KWD", "can mean 1200 or 1.200"),
        ("12,200 JPY", "can mean 12200 or 12.200"),
        ("1200", "no currency; add its code"),
        ("EUR 5 USD", "Both 'EUR' and 'USD'"),
        ("12 XYZ", "'XYZ' is no currency code"),
        ("12,34,567 INR", "cannot be read"),
        ("1 20 EUR", "cannot be read"),
        ("1200. EUR", "cannot be read"),
        (",50 EUR", "cannot be read"),
        ("1e5 EUR", "cannot be read"),
        ("½ EUR", "cannot be read"),
        ("", "cannot be read"),
        ("EUR", "cannot be read"),
        ("1" * 100, "cannot be read"),
        ("12.345 678 EUR", "cannot be read"),
    ],
)
def test_what_can_mean_two_things_or_nothing_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Money.parse(text)


def test_a_currency_in_the_text_wins_over_the_default() -> None:
    assert Money.parse("12,50", "RUB") == Money(1250, "RUB")
    assert Money.parse("12,50 EUR", "RUB") == Money(1250, "EUR")


@given(monies)
def test_what_is_written_is_read_back(money: Money) -> None:
    assert Money.parse(str(money)) == money
    assert Money.of(money.amount, money.currency) == money
    assert Money.of(**money.as_dict()) == money


@given(st.text(alphabet="0123456789.,' -+EUR₽ ", max_size=30))
def test_any_text_gives_money_or_a_sentence(text: str) -> None:
    try:
        told = str(Money.parse(text, "EUR"))
    except ValueError as refusal:
        told = str(refusal)
    assert told.endswith((".", "?", " EUR", " RUB"))


def test_amount_and_json_have_the_decimals_of_the_currency() -> None:
    assert str(Money(120050, "EUR").amount) == "1200.50"
    assert str(Money(5, "JPY").amount) == "5"
    assert Money(-5, "KWD").as_dict() == {"amount": "-0.005", "currency": "KWD"}


def test_sums_may_exceed_what_may_come_in() -> None:
    total = sum([Money(MINOR_LIMIT - 1, "EUR")] * 3, Money(0, "EUR"))

    assert total.minor == 3 * (MINOR_LIMIT - 1)
    assert total.amount * 100 == total.minor


@given(minors, minors, currencies)
def test_adding_and_subtracting_undo_each_other(a: int, b: int, currency: str) -> None:
    first, second = Money(a, currency), Money(b, currency)

    assert first + second - second == first
    assert first - second == -(second - first)
    assert (first < second) is (a < b)
    assert (first <= second) is (a <= b)
    assert (first > second) is (a > b)
    assert (first >= second) is (a >= b)


@pytest.mark.parametrize(
    "operation", ["__add__", "__sub__", "__lt__", "__le__", "__gt__", "__ge__"]
)
def test_different_currencies_do_not_mix(operation: str) -> None:
    with pytest.raises(ValueError, match="EUR and USD are different currencies; convert"):
        getattr(Money(1, "EUR"), operation)(Money(1, "USD"))


def test_different_currencies_are_simply_not_equal() -> None:
    assert Money(1, "EUR") != Money(1, "USD")
    assert len({Money(1, "EUR"), Money(1, "EUR"), Money(1, "USD")}) == 2


def test_a_product_rounds_half_a_minor_unit_to_the_even_one() -> None:
    assert Money(5, "EUR") * Decimal("0.5") == Money(2, "EUR")
    assert Money(15, "EUR") * Decimal("0.1") == Money(2, "EUR")
    assert Money(25, "EUR") * Decimal("0.1") == Money(2, "EUR")
    assert Decimal("0.2") * Money(1999, "EUR") == Money(400, "EUR")
    assert 3 * Money(5, "EUR") == Money(15, "EUR")


@given(minors, st.decimals(-1000, 1000, places=6))
def test_a_product_is_exact_before_it_is_rounded_once(minor: int, factor: Decimal) -> None:
    numerator = minor * int(factor.scaleb(6))
    low, rest = divmod(numerator, 10**6)
    half = 10**6 // 2
    expected = low + (rest > half or (rest == half and low % 2 == 1))

    assert (Money(minor, "EUR") * factor).minor == expected


def test_a_product_is_not_bent_by_the_ambient_decimal_context() -> None:
    factor = Decimal("0.5000000000000000000000000000000000001")

    assert (Money(1, "EUR") * factor).minor == 1
    assert Decimal("0.5").quantize(Decimal(1), ROUND_HALF_EVEN) == 0


@pytest.mark.parametrize("factor", [Decimal("NaN"), Decimal("Infinity"), Decimal("1E+20")])
def test_a_product_without_bounds_is_refused(factor: Decimal) -> None:
    with pytest.raises(ValueError, match="finite number below"):
        Money(1, "EUR") * factor


def test_money_is_not_multiplied_by_floats_or_money() -> None:
    with pytest.raises(TypeError):
        Money(1, "EUR") * 0.5  # type: ignore[operator]
    with pytest.raises(TypeError):
        Money(1, "EUR") * Money(1, "EUR")  # type: ignore[operator]


def test_shares_give_the_odd_cents_to_the_largest_remainders() -> None:
    shares = Money.of("100.00", "EUR").allocate([Decimal("33.3"), Decimal("33.3"), Decimal("33.4")])
    assert [share.minor for share in shares] == [3330, 3330, 3340]

    shares = Money(-10, "EUR").allocate([1, 0, 2])
    assert [share.minor for share in shares] == [-3, 0, -7]


@given(monies, st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_shares_lose_no_minor_unit(money: Money, weights: list[Any]) -> None:
    shares = money.allocate(weights)

    assert sum(shares, Money(0, money.currency)) == money
    for share, weight in zip(shares, weights, strict=True):
        exact = Decimal(money.minor) * weight / sum(weights)
        assert abs(share.minor - exact) < 1 + Decimal("1e-9")


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [Decimal("NaN")], [Decimal("Infinity")]])
def test_shares_need_weights(weights: list[Any]) -> None:
    with pytest.raises(ValueError, match="one at least is above 0"):
        Money(1, "EUR").allocate(weights)


def test_a_reader_sees_the_amount_in_the_way_of_the_locale() -> None:
    assert Money.of("1200.5", "USD").format("en-US") == "$1,200.50"
    assert Money.of("1200.5", "RUB").format("ru") == "1\xa0200,50\xa0₽"
    assert Money.of(1200, "JPY").format("de_DE") == "1.200\xa0¥"


def test_formatting_hides_no_minor_unit() -> None:
    """CLDR would round Serbian dinars and Lebanese pounds to whole ones."""
    assert "1200,50" in Money.of("1200.5", "RSD").format("ru").replace("\xa0", "")


@pytest.mark.parametrize("locale", ["xx", "", "not a locale", "../etc"])
def test_an_unknown_locale_is_a_sentence(locale: str) -> None:
    with pytest.raises(ValueError, match="is not known; use one such as en or ru_RU"):
        Money(1, "EUR").format(locale)
