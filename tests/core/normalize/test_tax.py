"""Tax and registration numbers: canonical, or the rule that failed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.eu.vat import MEMBER_STATES

from clientela.normalize import normalize_inn, normalize_kpp, normalize_ogrn, normalize_vat


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7707083893", "7707083893"),
        (" 77 07 083893 ", "7707083893"),
        ("7707\N{NO-BREAK SPACE}083-893", "7707083893"),
        ("500100732259", "500100732259"),
        ("７７０７０８３８９３", "7707083893"),
    ],
)
def test_an_inn(text: str, number: str) -> None:
    assert normalize_inn(text) == number


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("7707083894", "check digit of this INN does not fit"),
        ("500100732258", "check digit of this INN does not fit"),
        ("500100732249", "check digit of this INN does not fit"),
        ("770708389", "10 digits for an organization or 12 for a person, and this has 9"),
        ("77070838930", "this has 11"),
        ("77O7083893", "An INN has digits only"),
        ("٧٧٠٧٠٨٣٨٩٣", "An INN has digits only"),
        ("ИНН 7707083893", "An INN has digits only"),
        ("", "An INN has digits only"),
        ("0000000000", "never 00"),
    ],
)
def test_a_wrong_inn(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        normalize_inn(text)


@given(st.integers(10**8, 10**9 - 1), st.integers(0, 9))
def test_one_check_digit_in_ten_fits(head: int, digit: int) -> None:
    fitting = []
    for last in range(10):
        try:
            fitting.append(normalize_inn(f"{head}{last}"))
        except ValueError:
            continue
    assert len(fitting) == 1
    assert normalize_inn(fitting[0]) == fitting[0]
    assert (f"{head}{digit}" in fitting) is (fitting[0][-1] == str(digit))


def test_a_kpp_has_digits_and_two_signs_of_the_reason() -> None:
    assert normalize_kpp("7736 01 001") == "773601001"
    assert normalize_kpp("7736ab001") == "7736AB001"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("77360100", "A KPP has 9 characters, and this has 8"),
        ("7736АВ001", "Latin letters"),
        ("A73601001", "4 digits, 2 digits or Latin letters, and 3 digits"),
        ("77360100X", "and 3 digits"),
    ],
)
def test_a_wrong_kpp(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        normalize_kpp(text)


@pytest.mark.parametrize("number", ["1027700132195", "1037739010891", "304500116000157"])
def test_an_ogrn(number: str) -> None:
    assert normalize_ogrn(number) == number
    assert normalize_ogrn(f" {number[:3]} {number[3:]}") == number


@pytest.mark.parametrize("remainder", range(13))
def test_an_ogrnip_ends_in_the_last_digit_of_the_remainder(remainder: int) -> None:
    """python-stdnum 2.2 compares the whole remainder, so that 10, 11 and 12 never fit."""
    base = 30450011600000
    head = next(n for n in range(base, base + 13) if n % 13 == remainder)

    assert normalize_ogrn(f"{head}{remainder % 10}") == f"{head}{remainder % 10}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1027700132196", "check digit of this OGRN does not fit"),
        ("304500116000158", "check digit"),
        ("104500116000157", "An OGRNIP begins with 3 or 4"),
        ("0027700132195", "never begins with 0"),
        ("10277001321", "13 digits and an OGRNIP has 15, and this has 11"),
        ("ОГРН", "digits only"),
    ],
)
def test_a_wrong_ogrn(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        normalize_ogrn(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("DE136695976", "DE136695976"),
        ("de 136.695.976", "DE136695976"),
        ("ATU57194903", "ATU57194903"),
        ("BE697449992", "BE0697449992"),
        ("FR 61 954 506 077", "FR61954506077"),
        ("EL094259216", "EL094259216"),
        ("GR094259216", "EL094259216"),
        ("XI432525179", "XI432525179"),
        ("RO 18547290", "RO18547290"),
        ("NL4495445B01", "NL004495445B01"),
    ],
)
def test_a_vat_number(text: str, number: str) -> None:
    assert normalize_vat(text) == number
    assert normalize_vat(number) == number


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("DE136695977", "check digit of this VAT number of DE does not fit"),
        ("DE13669597", "not have as many characters as a VAT number of DE"),
        ("DEABCDEFGHI", "not have the digits and letters of a VAT number of DE"),
        ("NL", "not have the digits and letters of a VAT number of NL"),
        ("136695976", "begins with the two letters of a country of the EU"),
        ("GB432525179", "begins with the two letters"),
        ("RU7707083893", "begins with the two letters"),
        ("", "begins with the two letters"),
    ],
)
def test_a_wrong_vat_number(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        normalize_vat(text)


states = st.sampled_from(sorted({*map(str.upper, MEMBER_STATES), "EL"}))


@given(states, st.text("0123456789ABUX .-²Й", max_size=14))
def test_any_vat_text_gives_a_number_or_our_own_sentence(state: str, rest: str) -> None:
    try:
        number = normalize_vat(state + rest)
    except ValueError as refusal:
        told = str(refusal)
    else:
        told = "VAT number " + normalize_vat(number)
        assert told.endswith(number)
    assert "VAT number" in told
