"""The same answers as the kinds give, faster, for the plain cases that fill most files.

Each function here gives exactly what its kind gives, or None where it is not sure; a property test compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from clientela.kinds.text import EmailKind, PhoneKind, TextKind
from clientela.normalize import normalize_email

Quick = Callable[[str], Any]

_LOCAL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST_LOCAL, _LONGEST_ADDRESS, _LONGEST_CODE = 64, 240, 3


def quick_text(kind: TextKind) -> Quick:
    """Take printable ASCII: nothing to compose, no control characters, only blanks at the ends."""
    most = kind.max_length

    def take(text: str) -> str | None:
        if text.isascii() and text.isprintable():
            text = text.strip()
            return text if len(text) <= most else None
        return None

    return take


def quick_email(_kind: EmailKind) -> Quick:
    """Take a plain local part before a domain that was found sound once."""

    def take(text: str) -> str | None:
        local, _, domain = text.partition("@")
        if (
            len(local) > _LONGEST_LOCAL
            or len(text) > _LONGEST_ADDRESS
            or not _LOCAL.fullmatch(local)
        ):
            return None
        sound = _sound_domain(domain)
        return f"{local.lower()}@{sound}" if sound else None

    return take


@lru_cache(maxsize=10_000)
def _sound_domain(domain: str) -> str | None:
    if not _DOMAIN.fullmatch(domain):
        return None
    try:
        return normalize_email(f"x@{domain}").removeprefix("x@")
    except ValueError:
        return None


def quick_phone(_kind: PhoneKind) -> Quick:
    """Take a number in E.164 that one pattern of its country takes."""

    def take(text: str) -> str | None:
        if not _E164.fullmatch(text):
            return None
        for digits in range(1, _LONGEST_CODE + 1):
            plan = _plan(int(text[1 : 1 + digits]))
            if plan is not None:
                return text if plan(text[1 + digits :]) else None
        return None

    return take


@cache
def _plan(code: int) -> Callable[[str], bool] | None:
    """Compile the numbering plan of a country that has its code for itself; the others go the long way."""
    import phonenumbers  # noqa: PLC0415 - slow to import
    from phonenumbers import PhoneMetadata  # noqa: PLC0415

    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code)
    if regions is None:
        return None
    region = regions[0]
    plan: Any = PhoneMetadata.metadata_for_region(region, None)
    if plan is None or (len(regions) > 1 and code != _RUSSIA):
        return _never
    kinds = [
        plan.mobile, plan.fixed_line, plan.voip, plan.toll_free, plan.premium_rate,
        plan.shared_cost, plan.personal_number, plan.pager, plan.uan, plan.voicemail,
    ]  # fmt: skip
    general = re.compile(plan.general_desc.national_number_pattern)
    patterns = [
        (frozenset(k.possible_length), re.compile(k.national_number_pattern))
        for k in kinds
        if k is not None and k.national_number_pattern
    ]
    stripped = re.compile(plan.national_prefix_for_parsing or r"(?!)")
    others = _leading(regions[1:])

    def fits(number: str) -> bool:
        if number[0] == "0" or stripped.match(number) or others(number):
            return False
        return general.fullmatch(number) is not None and any(
            (not lengths or len(number) in lengths) and pattern.fullmatch(number)
            for lengths, pattern in patterns
        )

    return fits


# Russia and Kazakhstan share a code, and Kazakhstan's numbers are told by their first digits.
_RUSSIA = 7


def _never(_number: str) -> bool:
    return False


def _leading(regions: tuple[str, ...]) -> Callable[[str], bool]:
    from phonenumbers import PhoneMetadata  # noqa: PLC0415 - slow to import

    plans: list[Any] = [PhoneMetadata.metadata_for_region(region, None) for region in regions]
    patterns = [re.compile(plan.leading_digits) for plan in plans if plan and plan.leading_digits]
    return lambda number: any(pattern.match(number) for pattern in patterns)


def quick_parser(kind: Any) -> Quick | None:
    """Give the fast way of a kind, if it has one."""
    made: dict[type, Callable[[Any], Quick]] = {
        TextKind: quick_text,
        EmailKind: quick_email,
        PhoneKind: quick_phone,
    }
    maker = made.get(type(kind))
    return maker(kind) if maker else None
