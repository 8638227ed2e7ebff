"""E-mail addresses: the form that is stored, and the key by which two of them are one mailbox."""

from __future__ import annotations

import unicodedata

from clientela.i18n.texts import Text, _

FREE_MAIL = frozenset({
    "aol.com", "bk.ru", "fastmail.com", "free.fr", "gmail.com", "gmx.com", "gmx.de", "gmx.net",
    "googlemail.com", "hey.com", "hotmail.com", "hotmail.fr", "icloud.com", "inbox.lv",
    "inbox.ru", "internet.ru", "laposte.net", "list.ru", "live.com", "mac.com", "mail.com",
    "mail.ru", "me.com", "msn.com", "narod.ru", "orange.fr", "outlook.com", "outlook.de",
    "pm.me", "proton.me", "protonmail.com", "qq.com", "rambler.ru", "seznam.cz", "t-online.de",
    "tut.by", "tutanota.com", "ukr.net", "vk.com", "web.de", "wp.pl", "xmail.ru", "ya.ru",
    "yahoo.com", "yahoo.fr", "yandex.by", "yandex.com", "yandex.kz", "yandex.ru", "ymail.com",
    "163.com",
})  # fmt: skip
"""Providers where anybody may have an address, so that it says nothing about an organization."""

_USUAL = (
    _("An email address must have an @-sign."),
    _("There must be something before the @-sign."),
    _("There must be something after the @-sign."),
    _("An email address cannot have two periods in a row."),
    _("An email address cannot end with a period."),
    _("An email address cannot start with a period."),
    _("An email address cannot have a period immediately before the @-sign."),
    _("An email address cannot have a period immediately after the @-sign."),
    _("An email address cannot have a hyphen immediately after the @-sign."),
    _("The part after the @-sign is not valid. It should have a period."),
    _("The part after the @-sign is not valid. It is not within a valid top-level domain."),
    _(
        "The part after the @-sign is a special-use or reserved name that cannot be used with email."
    ),
    _("A display name and angle brackets around the email address are not permitted here."),
    _("The email address contains invalid characters before the @-sign: {characters}."),
    _("The part after the @-sign contains invalid characters: {characters}."),
)

_GMAIL = frozenset({"gmail.com", "googlemail.com"})


def normalize_email(text: str) -> str:
    """Give the address in small letters, with its domain as DNS has it (IDNA, RFC 5891).

    >>> normalize_email(" Anna.Petrova@Example.COM ")
    'anna.petrova@example.com'
    >>> normalize_email("анна@пример.рф")
    'анна@xn--e1afmkfd.xn--p1ai'
    """
    # Slow to import, and most commands see no address.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    plain = unicodedata.normalize("NFKC", text).strip()
    try:
        found = validate_email(plain, check_deliverability=False)
    except EmailNotValidError as problem:
        raise ValueError(
            _("{problem} Write an address such as name@example.com.", problem=_said(str(problem)))
        ) from None
    local = unicodedata.normalize("NFKC", found.local_part.lower())
    return f"{local}@{found.ascii_domain.lower()}"


def _said(english: str) -> str:
    """Give what the library says so that its usual sentences can be translated."""
    before, _colon, characters = english.rstrip(".").partition(": ")
    for usual in _USUAL:
        if usual == english:
            return usual
        if characters and usual.key.startswith(f"{before}: "):
            return Text(usual.key, None, {"characters": characters})
    return english


def email_key(text: str) -> str:
    """Give what two spellings of one mailbox have in common: no `+tag`, at Gmail no dots.

    >>> email_key("Anna.Petrova+crm@googlemail.com")
    'annapetrova@gmail.com'
    """
    local, _, domain = normalize_email(text).rpartition("@")
    mailbox = local.partition("+")[0].rstrip(".") or local
    if domain in _GMAIL:
        return f"{mailbox.replace('.', '')}@gmail.com"
    return f"{mailbox}@{domain}"


def is_free_mail(domain: str) -> bool:
    """Tell whether anybody may have an address at this domain.

    >>> is_free_mail("Mail.ru"), is_free_mail("sber.ru")
    (True, False)
    """
    return domain.strip().rstrip(".").lower() in FREE_MAIL
