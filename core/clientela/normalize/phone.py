"""Phone numbers in E.164, by the numbering plans of libphonenumber."""

from __future__ import annotations

import re
import unicodedata

from clientela.i18n.texts import _

_EXAMPLE = _("such as +7 926 123-45-67")
_TEL = re.compile(r"tel:", re.IGNORECASE)


def normalize_phone(text: str, region: str | None = None) -> str:
    """Give the number in E.164; the region says how to read one without its country code.

    >>> normalize_phone("8 (926) 123-45-67", "RU")
    '+79261234567'
    """
    # The numbering plans take long to import, and most commands see no number.
    import phonenumbers  # noqa: PLC0415

    plain = _TEL.sub("", unicodedata.normalize("NFKC", text).strip(), count=1)
    region = region.upper() if region else None
    _check_region(plain, region, phonenumbers.SUPPORTED_REGIONS)
    try:
        number = phonenumbers.parse(plain, region)
    except phonenumbers.NumberParseException as problem:
        _check_words(plain)
        raise ValueError(_unreadable(problem.error_type)) from None
    if number.extension:
        raise ValueError(
            _(
                "A phone number is stored without an extension; move {extension} to another field.",
                extension=repr(number.extension),
            )
        )
    _check_words(plain)
    if not phonenumbers.is_valid_number(number):
        raise ValueError(_unfit(phonenumbers.is_possible_number_with_reason(number)))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def format_phone(e164: str, locale: str = "en") -> str:
    """Write a stored number for people: as it is dialled at home, if the locale names that country.

    >>> format_phone("+79261234567"), format_phone("+79261234567", "ru_RU")
    ('+7 926 123-45-67', '8 (926) 123-45-67')
    """
    import phonenumbers  # noqa: PLC0415

    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        raise ValueError(
            _(
                "The stored number does not begin with + and a country code; write it {example}.",
                example=_EXAMPLE,
            )
        ) from None
    home = locale.replace("_", "-").upper().split("-")[1:]
    if phonenumbers.region_code_for_number(number) in home:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def phone_digits(text: str) -> str:
    """Give the digits alone, for a search by any part of a number.

    >>> phone_digits("(926) 123-45")
    '92612345'
    """
    return "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())


def _check_region(text: str, region: str | None, known: set[str]) -> None:
    if region is None and phone_digits(text) and not text.startswith("+"):
        raise ValueError(
            _(
                "The number has no country code; begin it with + and the code, {example}, "
                "or set the country of the deployment.",
                example=_EXAMPLE,
            )
        )
    if region is not None and region not in known:
        raise ValueError(
            _(
                "{region} is no country with phone numbers; use a code such as RU.",
                region=repr(region),
            )
        )


def _check_words(text: str) -> None:
    if phone_digits(text) and any(letter.isalpha() for letter in text):
        raise ValueError(_("A phone number has digits only; move the words to another field."))


def _unreadable(kind: int) -> str:
    from phonenumbers import NumberParseException as Problem  # noqa: PLC0415

    if kind == Problem.INVALID_COUNTRY_CODE:
        return _(
            "No country has the code after the +; write the number {example}.", example=_EXAMPLE
        )
    if kind in {Problem.TOO_SHORT_NSN, Problem.TOO_SHORT_AFTER_IDD}:
        return _(
            "The phone number has too few digits; write all of them, {example}.", example=_EXAMPLE
        )
    if kind == Problem.TOO_LONG:
        return _(
            "The phone number has too many digits; write one number, {example}.", example=_EXAMPLE
        )
    return _("This is not one phone number; write one, {example}.", example=_EXAMPLE)


def _unfit(reason: int) -> str:
    from phonenumbers import ValidationResult  # noqa: PLC0415

    if reason == ValidationResult.TOO_SHORT:
        return _("The phone number has too few digits for its country; write all of them.")
    if reason == ValidationResult.TOO_LONG:
        return _("The phone number has too many digits for its country; leave out the extra ones.")
    return _("No such phone number is in use in its country; check the area code and the digits.")
