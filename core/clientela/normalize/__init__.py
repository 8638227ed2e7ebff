"""What people write, brought to the one form that is stored and compared: pure functions."""

from __future__ import annotations

from clientela.normalize.email import email_key, is_free_mail, normalize_email
from clientela.normalize.filenames import is_safe_file_name, safe_file_name
from clientela.normalize.names import (
    fold,
    keyboard_swap,
    normalize_organization,
    transliterate,
)
from clientela.normalize.phone import format_phone, normalize_phone, phone_digits
from clientela.normalize.tax import normalize_inn, normalize_kpp, normalize_ogrn, normalize_vat

__all__ = [
    "email_key",
    "fold",
    "format_phone",
    "is_free_mail",
    "is_safe_file_name",
    "keyboard_swap",
    "normalize_email",
    "normalize_inn",
    "normalize_kpp",
    "normalize_ogrn",
    "normalize_organization",
    "normalize_phone",
    "normalize_vat",
    "phone_digits",
    "safe_file_name",
    "transliterate",
]
