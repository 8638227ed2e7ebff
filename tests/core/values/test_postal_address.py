"""Addresses by part, in the order of their readers."""

import pytest

from clientela.values import COUNTRIES, CURRENCIES, LANGUAGES, PostalAddress
from clientela.values.codes import known_country

MOSCOW = PostalAddress(
    country="RU",
    region="Москва",
    city="Москва",
    street="ул. Мясницкая",
    house="д. 26",
    unit="кв. 5",
    postal_code="101000",
)
CUPERTINO = PostalAddress(
    country="US",
    region="CA",
    city="Cupertino",
    street="Infinite Loop",
    house="1",
    postal_code="95014",
)


def test_russian_goes_from_the_large_to_the_small() -> None:
    line = "101000, Россия, Москва, ул. Мясницкая, д. 26, кв. 5"
    assert MOSCOW.one_line("ru") == line
    assert MOSCOW.one_line("ru-RU") == line


def test_english_goes_from_the_small_to_the_large() -> None:
    line = "1 Infinite Loop, Cupertino, CA 95014, United States"
    assert CUPERTINO.one_line() == line
    assert CUPERTINO.one_line("en_GB") == line


def test_an_unsplit_address_is_given_as_it_is() -> None:
    address = PostalAddress(country="RU", text="Казань, ул. Баумана 5")

    assert address.one_line("ru") == "Казань, ул. Баумана 5, Россия"
    assert PostalAddress(text="at the harbour").one_line() == "at the harbour"
    assert PostalAddress(city="Казань", text="г. Казань").one_line("ru") == "Казань"
    assert PostalAddress().one_line() == ""


def test_an_unknown_locale_shows_the_code_of_the_country() -> None:
    assert PostalAddress(country="RU").one_line("xx") == "RU"


def test_the_json_form_comes_back() -> None:
    assert PostalAddress.from_dict(MOSCOW.as_dict()) == MOSCOW
    assert CUPERTINO.as_dict() == {
        "country": "US",
        "region": "CA",
        "city": "Cupertino",
        "street": "Infinite Loop",
        "house": "1",
        "postal_code": "95014",
    }
    assert PostalAddress.from_dict({"country": "ru"}).country == "RU"
    assert len(PostalAddress.from_dict({"text": "x" * 500}).text) == 500


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"town": "Kazan"}, "An address has no part named 'town'; its parts are country, region"),
        ({"country": "XX"}, "'XX' is no country code of ISO 3166-1"),
        ({"country": "UK"}, "Did you mean 'GB'"),
        ({"country": "Russia"}, "two letters.*Did you mean 'RU'"),
        ({"street": "x" * 101}, "has 101 characters; shorten it to 100"),
        ({"text": "x" * 501}, "shorten it to 500"),
        ({"house": 5}, "'house' is text, not int; write it in quotes"),
        ({"city": None}, "An address needs at least one part"),
    ],
)
def test_the_json_form_is_strict(mapping: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        PostalAddress.from_dict(mapping)


def test_the_code_lists_are_whole() -> None:
    assert len(COUNTRIES) == 249
    assert {"RU", "US", "GB", "KZ"} <= COUNTRIES
    assert len(LANGUAGES) == 183
    assert {"ru", "en"} <= LANGUAGES
    assert {"RUB", "EUR", "USD", "KZT"} <= CURRENCIES
    assert not {"RUR", "XXX", "XTS", "DEM"} & CURRENCIES


def test_babel_knows_a_name_for_every_code() -> None:
    from babel import Locale

    english = Locale("en")
    assert set(english.territories) >= COUNTRIES
    assert set(english.languages) >= LANGUAGES
    assert set(english.currencies) >= CURRENCIES


def test_a_country_is_told_in_capitals() -> None:
    assert known_country("de") == "DE"
