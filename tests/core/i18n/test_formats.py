"""Values are written as a locale writes them, whatever it is called."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.errors import Invalid
from clientela.i18n import formats

DAY = date(2026, 11, 5)
MOMENT = datetime(2026, 11, 5, 21, 5, 33, tzinfo=UTC)


def plain(text: str) -> str:
    """Write every space alike: CLDR changes its mind about which is narrow and which is not."""
    return " ".join(text.split())


def test_days() -> None:
    assert formats.format_date(DAY, "en") == "Nov 5, 2026"
    assert plain(formats.format_date(DAY, "ru")) == "5 нояб. 2026 г."
    assert formats.format_date(DAY, "ru", "short") == "05.11.2026"


def test_moments_are_those_of_the_time_zone() -> None:
    shown = formats.format_instant(MOMENT, "ru", "Europe/Moscow")

    assert plain(shown) == "6 нояб. 2026 г., 00:05"
    assert formats.format_instant(MOMENT.replace(tzinfo=None), "ru", "Europe/Moscow") == shown
    assert formats.format_instant(MOMENT, "ru", UTC).endswith("21:05")


@pytest.mark.parametrize("zone", ["../../etc/passwd", "", "Nope/Nope", "\0", "Europe"])
def test_an_unknown_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(Invalid, match="is not known"):
        formats.format_instant(MOMENT, "en", zone)


def test_numbers() -> None:
    amount = Decimal("1234567.5")

    assert formats.format_number(amount, "en") == "1,234,567.5"
    assert plain(formats.format_number(amount, "ru")) == "1 234 567,5"


@pytest.mark.parametrize(
    "value", [10**24, 10**500, 1e308, float("nan"), float("inf"), Decimal("sNaN")]
)
def test_a_number_may_be_anything(value: float | Decimal) -> None:
    assert formats.format_number(value, "ru")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1 + 0.2, "30%"), (Decimal("0.12555"), "12.56%"), (2, "200%"), (0.125, "12.5%")],
)
def test_percentages(value: float | Decimal, shown: str) -> None:
    assert formats.format_percent(value, "en") == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5730, "1 час 35 минут"),
        (timedelta(days=3, seconds=61), "3 дня"),
        (0, "0 секунд"),
        (59.6, "1 минута"),
        (-90, "-1 минута 30 секунд"),
    ],
)
def test_durations(value: float | timedelta, shown: str) -> None:
    assert plain(formats.format_duration(value, "ru")) == shown


def test_names() -> None:
    assert formats.country_name("ru", "en") == "Russia"
    assert formats.language_name("de", "ru") == "немецкий"
    assert formats.language_name("pt-BR", "en") == "Brazilian Portuguese"
    assert formats.currency_name("RUB", "ru") == "российский рубль"
    assert [formats.country_name("??", "en"), formats.language_name("??", "en")] == ["??", "??"]
    assert formats.currency_name("??", "en") == "??"


@given(locale=st.text())
def test_no_locale_makes_a_format_raise(locale: str) -> None:
    assert formats.format_number(1.5, locale)


@pytest.mark.parametrize(
    ("locale", "like"),
    [("ru_RU.UTF-8", "ru"), ("ru-XX", "ru"), ("xx", "en"), ("../../etc/passwd", "en"), ("", "en")],
)
def test_an_unknown_locale_is_its_nearest_parent(locale: str, like: str) -> None:
    assert formats.format_number(1.5, locale) == formats.format_number(1.5, like)


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en-US;q=0.8,en;q=0.7", "ru"),
        ("en;q=0.5, ru;q=0.8", "ru"),
        ("en ; q=0.5 ,\tru;Q=0.8", "ru"),
        ("de, pt;q=0.5", "pt_BR"),
        ("PT-br", "pt_BR"),
        ("de", "en"),
        ("*", "en"),
        ("*;q=0.1, ru", "ru"),
        ("*, en;q=0.1", "ru"),
        ("en;q=0, *", "ru"),
        ("ru;q=0, ru;q=0.0, de", "en"),
        ("ru-RU, *;q=0", "ru"),
        ("en-GB, en;q=0, ru;q=0.1", "ru"),
        ("", "en"),
        (None, "en"),
        ("ru;q=2, pt-BR", "pt_BR"),
        ("ru;q=-1", "en"),
        ("ru;q=0.1234, pt-BR;q=0.1", "pt_BR"),
        (";;;,,,=q;*;q, ru", "ru"),
        ("ru\0", "en"),
        ("x" * 100_000 + ", ru", "en"),
    ],
)
def test_the_language_of_a_visitor(header: str | None, chosen: str) -> None:
    assert formats.negotiate(header, ["en", "ru", "pt_BR"], "en") == chosen


def test_a_default_that_is_not_available_is_still_the_last_resort() -> None:
    assert formats.negotiate("de", [], "en") == "en"
    assert formats.negotiate("*", ["ru"], "en") == "ru"


@given(st.one_of(st.text(), st.text(alphabet="enru-*;q=0.1, \t", max_size=60)))
def test_negotiation_gives_something_available(header: str) -> None:
    assert formats.negotiate(header, ["en", "ru", "pt-BR"], "en") in {"en", "ru", "pt-BR"}
