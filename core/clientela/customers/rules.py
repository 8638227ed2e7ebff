"""The vocabulary of customers, and the normal forms of what they are known by."""

from __future__ import annotations

from collections.abc import Callable

from clientela import normalize

IDENTIFIER_KINDS = {
    "email": "E-mail",
    "phone": "Phone",
    "inn": "INN",
    "kpp": "KPP",
    "ogrn": "OGRN",
    "vat": "VAT number",
    "messenger": "Messenger",
    "social": "Social network",
    "external": "Key in another system",
    "other": "Other",
}

ADDRESS_PURPOSES = {
    "postal": "Postal",
    "legal": "Legal",
    "billing": "Billing",
    "delivery": "Delivery",
    "visit": "Visit",
}

CHANNELS = {
    "visit": "Visit",
    "phone": "Phone call",
    "email": "E-mail",
    "letter": "Letter",
    "fax": "Fax",
    "chat": "Chat",
    "sms": "SMS",
    "web": "Website",
    "meeting": "Meeting",
    "order": "Order",
    "note": "Note",
    "other": "Other",
}

CONSENT_CHANNELS = {
    "any": "Any channel",
    "email": "E-mail",
    "phone": "Phone",
    "sms": "SMS",
    "letter": "Letter",
    "chat": "Chat",
}

_NORMAL: dict[str, Callable[[str], str]] = {
    "email": normalize.normalize_email,
    "phone": normalize.normalize_phone,
    "inn": normalize.normalize_inn,
    "kpp": normalize.normalize_kpp,
    "ogrn": normalize.normalize_ogrn,
    "vat": normalize.normalize_vat,
}


def normal_identifier(kind: str, value: str) -> str:
    """Give the normal form of an identifier; a wrong check digit is a `ValueError`.

    >>> normal_identifier("inn", "7707 083 893")
    '7707083893'
    """
    rule = _NORMAL.get(kind)
    return rule(value) if rule else value.strip()
