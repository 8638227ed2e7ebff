"""Phone numbers are stored in E.164 and shown as people dial them."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.normalize import format_phone, normalize_phone, phone_digits


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("8 (926) 123-45-67", "RU", "+79261234567"),
        ("8 (926) 123-45-67", "ru", "+79261234567"),
        ("79261234567", "RU", "+79261234567"),
        ("+7 926 123-45-67", None, "+79261234567"),
        ("+7 926 123-45-67", "DE", "+79261234567"),
        ("＋７ 926 123–45–67", None, "+79261234567"),
        ("tel:+7-926-123-45-67", None, "+79261234567"),
        ("8 10 49 30 1234567", "RU", "+49301234567"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("+39 06 698 12345", None, "+390669812345"),
    ],
)
def test_a_number_has_one_form(text: str, region: str | None, number: str) -> None:
    assert normalize_phone(text, region) == number


@pytest.mark.parametrize(
    ("text", "region", "sentence"),
    [
        ("8 (926) 123-45-67", None, "no country code; begin it with .* or set the country"),
        ("+7 926 123-45-67 доб. 12", None, "without an extension; move '12' to another field"),
        ("+7 926 123-45-67 ext. 5", None, "without an extension"),
        ("+7 926 123-45-67 Мария", None, "digits only; move the words"),
        ("1-800-FLOWERS", "US", "digits only"),
        ("+8 926 123 45 67", None, "No country has the code after the"),
        ("+7 926 123", None, "too few digits"),
        ("+7 926 123-45-67 89012345", None, "too many digits"),
        ("+1 555 555 0100", None, "No such phone number is in use"),
        ("+7 926 123-45-67, +7 495 123-45-67", None, "not one phone number"),
        ("8 926 123-45-67 / 8 495 123-45-67", "RU", "write one number"),
        ("", None, "not one phone number"),
        ("anna@example.com", "RU", "not one phone number"),
        ("8 926 123-45-67", "ZZ", "'ZZ' is no country with phone numbers"),
    ],
)
def test_what_is_no_number_is_told_so(text: str, region: str | None, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        normalize_phone(text, region)


@given(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)), st.booleans())
def test_normalizing_twice_changes_nothing(region: str, mobile: bool) -> None:
    kind = (
        phonenumbers.PhoneNumberType.MOBILE if mobile else phonenumbers.PhoneNumberType.FIXED_LINE
    )
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return
    shown = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    once = normalize_phone(shown)

    assert normalize_phone(once) == once
    assert normalize_phone(format_phone(once)) == once


@given(st.text(max_size=30), st.sampled_from([None, "RU", "US"]))
def test_any_text_gives_a_number_or_a_sentence(text: str, region: str | None) -> None:
    try:
        told = normalize_phone(text, region)
    except ValueError as refusal:
        told = str(refusal)
    assert told.endswith(".") or normalize_phone(told) == told


def test_a_number_is_shown_as_at_home_only_at_home() -> None:
    assert format_phone("+79261234567") == "+7 926 123-45-67"
    assert format_phone("+79261234567", "ru") == "+7 926 123-45-67"
    assert format_phone("+79261234567", "ru_RU") == "8 (926) 123-45-67"
    assert format_phone("+12025550123", "ru-RU") == "+1 202-555-0123"
    assert format_phone("+12025550123", "en-US") == "(202) 555-0123"


def test_only_a_stored_number_is_shown() -> None:
    with pytest.raises(ValueError, match="does not begin with"):
        format_phone("89261234567")


def test_a_search_needs_the_digits_alone() -> None:
    assert phone_digits("+7 (926) 123-45-67") == "79261234567"
    assert phone_digits("٩٢٦ 1²3") == "92613"
    assert phone_digits("none") == ""
