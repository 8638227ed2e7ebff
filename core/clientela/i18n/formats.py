"""Dates, numbers, money, lists and names as a locale writes them, and the choice of a language.

A locale that nobody knows is treated as its nearest known parent, in the end as English: showing a
value never fails because of the language of the one who looks.
"""
# Babel is imported on first use: it costs 60 ms, which most processes never need.

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from babel import Locale

DateStyle = Literal["short", "medium", "long", "full"]
Number = int | float | Decimal

# A browser sends about 40 characters; what is longer than this is not a wish for a language.
_LONGEST_HEADER = 400
# Every float fits; with the usual 28 Babel fails from 1e25 on.
_DIGITS = 400
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_RANGE = re.compile(
    r"(?P<tag>\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)"
    r"(?:[ \t]*;[ \t]*[qQ]=(?P<quality>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
)
_STEPS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def format_date(value: date, locale: str, style: DateStyle = "medium") -> str:
    """Write a day."""
    from babel.dates import format_date as write  # noqa: PLC0415

    return write(value, style, locale=_locale(locale))


def format_instant(
    value: datetime, locale: str, time_zone: str | tzinfo, style: DateStyle = "medium"
) -> str:
    """Write a moment as the clock of a time zone shows it, to the minute; a naive value is UTC."""
    from babel.dates import format_date, format_time, get_datetime_format  # noqa: PLC0415

    known, zone = _locale(locale), _zone(time_zone)
    day = format_date(_in_zone(value, zone), style, locale=known)
    clock = format_time(value, "short", tzinfo=zone, locale=known)
    pattern = str(get_datetime_format(style, locale=known)).replace("'", "")
    return pattern.replace("{0}", clock).replace("{1}", day)


def format_number(value: Number, locale: str) -> str:
    """Write a number with the separators of the locale and at most three decimals."""
    from babel.numbers import format_decimal  # noqa: PLC0415

    try:
        with localcontext(prec=_DIGITS):
            return format_decimal(value, locale=_locale(locale))
    except ArithmeticError:
        return str(value)


def format_percent(value: Number, locale: str) -> str:
    """Write a share of one as a percentage with at most two decimals.

    >>> format_percent(0.125, "en")
    '12.5%'
    """
    from babel.numbers import format_percent as write  # noqa: PLC0415

    share = Decimal(str(value))
    with localcontext(prec=_DIGITS):
        if share.is_finite():
            share = share.quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
        return write(share, locale=_locale(locale), decimal_quantization=False)


def format_duration(value: timedelta | float, locale: str, most: int = 2) -> str:
    """Write a span, given as such or in seconds, in its largest units.

    >>> format_duration(5730, "en")
    '1 hour, 35 minutes'
    """
    from babel.lists import format_list  # noqa: PLC0415
    from babel.units import format_unit  # noqa: PLC0415

    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    parts = _largest(round(abs(seconds)), most)
    if seconds < 0:
        parts[0] = (-parts[0][0], parts[0][1])
    known = _locale(locale)
    pieces = [format_unit(amount, f"duration-{unit}", locale=known) for amount, unit in parts]
    return format_list(pieces, "unit", locale=known)


def country_name(code: str, locale: str) -> str:
    """Give the name of a country, or its code when it is not known."""
    return str(_locale(locale).territories.get(code.upper(), code))


def language_name(code: str, locale: str) -> str:
    """Give the name of a language, or its code when it is not known."""
    return str(_locale(locale).languages.get(code.replace("-", "_"), code))


def currency_name(code: str, locale: str) -> str:
    """Give the name of a currency, or its code when it is not known."""
    return str(_locale(locale).currencies.get(code.upper(), code))


def negotiate(accept_language: str | None, available: Sequence[str], default: str) -> str:
    """Choose a language for an `Accept-Language` header (RFC 9110); what cannot be read is ignored.

    >>> negotiate("ru-RU, en;q=0.5", ["en", "ru"], "en")
    'ru'
    """
    wishes, refused = _wishes((accept_language or "")[:_LONGEST_HEADER])
    allowed = [name for name in available if not _is_refused(name, wishes, refused)]
    for wish in wishes:
        found = _match(wish, allowed) if wish != "*" else _any(allowed, wishes, default)
        if found is not None:
            return found
    return default


def clean_tag(language: str) -> str | None:
    """Give a language as a tag with hyphens, from whatever spelling; None when it is none.

    >>> clean_tag("ru_RU.UTF-8")
    'ru-RU'
    """
    tag = re.split(r"[.@]", language, maxsplit=1)[0].replace("_", "-")
    return tag if _TAG.fullmatch(tag) else None


def tag_and_parents(tag: str) -> list[str]:
    """Give a tag and the wider ones that it belongs to, nearest first.

    >>> tag_and_parents("zh-Hant-TW")
    ['zh-Hant-TW', 'zh-Hant', 'zh']
    """
    parts = tag.split("-")
    return ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]


@lru_cache(maxsize=256)
def _locale(name: str) -> Locale:
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415

    for tag in tag_and_parents(clean_tag(name) or "en"):
        try:
            return Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse("en")


def _zone(name: str | tzinfo) -> tzinfo:
    from babel.dates import get_timezone  # noqa: PLC0415

    try:
        return get_timezone(name)
    except (LookupError, ValueError, OSError) as error:
        known = "write one like Europe/Moscow"
        from clientela.errors import Invalid  # noqa: PLC0415 - errors speak through this package

        raise Invalid(f"The time zone {name!r} is not known; {known}.") from error


def _in_zone(value: datetime, zone: tzinfo) -> datetime:
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(zone)


def _largest(seconds: int, most: int) -> list[tuple[int, str]]:
    parts = []
    for unit, size in _STEPS:
        amount, seconds = divmod(seconds, size)
        parts.append((amount, unit))
    first = next((place for place, (amount, _) in enumerate(parts) if amount), len(parts) - 1)
    head, *tail = parts[first : first + most]
    return [head, *(part for part in tail if part[0])]


def _wishes(header: str) -> tuple[list[str], set[str]]:
    wanted: list[tuple[float, str]] = []
    for item in header.split(","):
        match = _RANGE.fullmatch(item.strip(" \t"))
        if match:
            quality = match["quality"]
            wanted.append((float(quality) if quality else 1.0, match["tag"].lower()))
    wanted.sort(key=lambda wish: -wish[0])
    return [tag for quality, tag in wanted if quality], {tag for q, tag in wanted if not q}


def _is_refused(name: str, wishes: list[str], refused: set[str]) -> bool:
    for tag in tag_and_parents(_plain(name)):
        if tag in refused or tag in wishes:
            return tag in refused
    return "*" in refused and not _is_named(name, wishes)


def _is_named(name: str, wishes: list[str]) -> bool:
    return any(wish != "*" and _match(wish, [name]) for wish in wishes)


def _any(allowed: list[str], wishes: list[str], default: str) -> str | None:
    others = [name for name in allowed if not _is_named(name, wishes)]
    return default if default in others else next(iter(others), None)


def _match(wish: str, available: Sequence[str]) -> str | None:
    by_tag = {_plain(name): name for name in reversed(available)}
    for tag in tag_and_parents(wish):
        if tag in by_tag:
            return by_tag[tag]
    return next((name for tag, name in by_tag.items() if tag.startswith(f"{wish}-")), None)


def _plain(name: str) -> str:
    return name.replace("_", "-").lower()


@lru_cache(maxsize=1)
def _countries_by_name() -> dict[str, str]:
    found: dict[str, str] = {}
    for language in ("en", "ru"):
        for code, name in _locale(language).territories.items():
            if len(code) == 2 and code.isalpha():  # noqa: PLR2004 - a country, not a continent
                found.setdefault(name.casefold(), code)
    america = {"usa": "US", "united states of america": "US", "сша": "US"}
    return found | america | {"uk": "GB", "рф": "RU"}


def country_code(name: str) -> str | None:
    """Give the code of a country by its name in English or Russian."""
    return _countries_by_name().get(name.strip().casefold())
