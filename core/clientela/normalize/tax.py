"""Tax and registration numbers with their check digits, by python-stdnum.

The rules are those of the FNS order ММВ-7-6/435@ (INN, KPP), of the order 165n of the Russian
Ministry of Finance (OGRN, OGRNIP) and of the member states of the EU (VAT).
"""

from __future__ import annotations

import re
import unicodedata

from clientela.i18n.texts import _

_KPP = re.compile(r"[0-9]{4}[0-9A-Z]{2}[0-9]{3}")
_SEPARATORS = re.compile(r"[\s\-\N{EN DASH}\N{NON-BREAKING HYPHEN}]+")
_INN_LENGTHS = (10, 12)
_KPP_LENGTH = 9
_OGRN_LENGTH, _OGRNIP_LENGTH = 13, 15
# Northern Ireland keeps the British rules, Greece has a prefix of its own.
_VAT_RULES = {"EL": "gr", "XI": "gb"}


def normalize_inn(text: str) -> str:
    """Give an INN of 10 digits (an organization) or 12 (a person).

    >>> normalize_inn("7707 083893")
    '7707083893'
    """
    from stdnum.exceptions import ValidationError  # noqa: PLC0415
    from stdnum.ru import inn  # noqa: PLC0415

    number = _digits(_("An INN"), text)
    if len(number) not in _INN_LENGTHS:
        raise ValueError(
            _(
                "An INN has 10 digits for an organization or 12 for a person, and this has {count}; "
                "write all of them, with the zeros at the front.",
                count=len(number),
            )
        )
    if number.startswith("00"):
        raise ValueError(
            _("An INN begins with a region, which is never 00; check the first digits.")
        )
    try:
        return inn.validate(number)
    except ValidationError:
        raise ValueError(_wrong_check_digit(_("INN"))) from None


def normalize_kpp(text: str) -> str:
    """Give a KPP: 4 digits of the tax office, 2 digits or letters of the reason, 3 digits.

    >>> normalize_kpp("7736 01 001")
    '773601001'
    """
    number = _compact(text).upper()
    if len(number) != _KPP_LENGTH:
        raise ValueError(
            _("A KPP has 9 characters, and this has {count}; write all of them.", count=len(number))
        )
    if not _KPP.fullmatch(number):
        raise ValueError(
            _(
                "A KPP is 4 digits, 2 digits or Latin letters, and 3 digits; write it such as 773601001."
            )
        )
    return number


def normalize_ogrn(text: str) -> str:
    """Give an OGRN of 13 digits (an organization) or an OGRNIP of 15 (an entrepreneur).

    >>> normalize_ogrn("1027700132195")
    '1027700132195'
    """
    number = _digits(_("An OGRN"), text)
    if len(number) not in {_OGRN_LENGTH, _OGRNIP_LENGTH}:
        raise ValueError(
            _(
                "An OGRN has 13 digits and an OGRNIP has 15, and this has {count}; write all of them.",
                count=len(number),
            )
        )
    if len(number) == _OGRNIP_LENGTH and number[0] not in "34":
        raise ValueError(_("An OGRNIP begins with 3 or 4; check the first digit."))
    if number[0] == "0":
        raise ValueError(_("An OGRN never begins with 0; check the first digit."))
    # stdnum 2.2 takes the whole remainder by 13, not its last digit, and so refuses valid OGRNIP.
    divisor = 11 if len(number) == _OGRN_LENGTH else 13
    if int(number[:-1]) % divisor % 10 != int(number[-1]):
        raise ValueError(_wrong_check_digit(_("OGRN")))
    return number


def normalize_vat(text: str) -> str:
    """Give a VAT number of the EU with the prefix of its country.

    >>> normalize_vat("DE 136 695 976")
    'DE136695976'
    """
    from stdnum import exceptions  # noqa: PLC0415
    from stdnum.eu.vat import MEMBER_STATES  # noqa: PLC0415
    from stdnum.util import get_cc_module  # noqa: PLC0415

    number = re.sub(r"[.,/]", "", _compact(text)).upper()
    country = "EL" if number[:2] == "GR" else number[:2]
    state = _VAT_RULES.get(country, country.lower())
    rules = get_cc_module(state, "vat") if {state, country.lower()} & MEMBER_STATES else None
    if rules is None:
        raise ValueError(
            _(
                "A VAT number begins with the two letters of a country of the EU; write it such as DE136695976."
            )
        )
    try:
        # The rules of every state give the number without its prefix, only those of Romania with it.
        return country + rules.validate(country + number[2:]).removeprefix("RO")
    except exceptions.InvalidLength:
        sentence = _(
            "This does not have as many characters as a VAT number of {country}; "
            "check it against an invoice.",
            country=country,
        )
    except exceptions.InvalidChecksum:
        raise ValueError(
            _wrong_check_digit(_("VAT number of {country}", country=country))
        ) from None
    except (exceptions.ValidationError, ValueError, IndexError):
        sentence = _(
            "This does not have the digits and letters of a VAT number of {country}; "
            "check it against an invoice.",
            country=country,
        )
    raise ValueError(sentence)


def _compact(text: str) -> str:
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))


def _digits(noun: str, text: str) -> str:
    number = _compact(text)
    if not (number.isascii() and number.isdigit()):
        raise ValueError(_("{noun} has digits only; leave out every other character.", noun=noun))
    return number


def _wrong_check_digit(noun: str) -> str:
    return _(
        "The check digit of this {noun} does not fit the others; look for a mistyped digit.",
        noun=noun,
    )
