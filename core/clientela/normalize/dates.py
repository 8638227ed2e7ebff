"""Dates as people write them in files, brought to the one form that the kinds read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from typing import NamedTuple

from clientela.i18n.texts import _

# Two digits of a year from here on belong to the last century, as in POSIX: 69 is 1969, 68 is 2068.
PIVOT = 69
# No date is longer, and patterns with optional parts are slow on what is none.
_LONGEST = 60
_MOST_MONTHS = 12
_NUMBERS = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(?:\s*(?:г|y)\.?)?")
_WORD = re.compile(r"[^\W_]+")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th|го)?")
_FILLERS = {"г", "год", "года", "of"}
_WEEKDAYS = {
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "mon", "tue", "tues", "wed", "thu", "thurs", "fri", "sat", "sun",
    "понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье",
    "пн", "вт", "ср", "чт", "пт", "сб", "вс",
}  # fmt: skip
_TIME = re.compile(
    r"(.*?)(?:T|,?\s+(?:at\s+|в\s+)?)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6})\d*)?)?"
    r"\s*([AaPp])?\.?(?:[Mm]\.?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan январь января янв", "february feb февраль февраля фев февр",
            "march mar март марта мар", "april apr апрель апреля апр", "may май мая",
            "june jun июнь июня июн", "july jul июль июля июл", "august aug август августа авг",
            "september sep sept сентябрь сентября сен сент", "october oct октябрь октября окт",
            "november nov ноябрь ноября ноя нояб", "december dec декабрь декабря дек",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip


class Found(NamedTuple):
    """What the values of a column show; `usual` is what their signs mean where the values fit both."""

    value: str | None
    is_needed: bool
    usual: str | None = None


def read_day(text: str, order: str) -> str | None:
    """Give the ISO form of a date, or nothing where it is none that we know.

    >>> read_day("3/4/26", "mdy"), read_day("3.4.1970", "dmy"), read_day("31 января 2026 г.", "dmy")
    ('2026-03-04', '1970-04-03', '2026-01-31')
    """
    parts = _parts(text, order) if len(text) <= _LONGEST else None
    if parts is None:
        return None
    year, month, day = parts
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise ValueError(_("{day} is not a day of the calendar.", day=text)) from None


def _parts(text: str, order: str) -> tuple[int, int, int] | None:
    found = _NUMBERS.fullmatch(text)
    if found:
        first, _sign, second, third = found.groups()
        if len(first) > 2:  # noqa: PLR2004 - a year in front leaves no question
            return (int(first), int(second), int(third)) if len(third) < 3 else None  # noqa: PLR2004
        if order == "ymd" and len(third) < 3:  # noqa: PLR2004
            return _year(first), int(second), int(third)
        day, month = (second, first) if order == "mdy" else (first, second)
        return _year(third), int(month), int(day)
    words = [w for w in _WORD.findall(text.casefold()) if w not in _FILLERS | _WEEKDAYS]
    return _named(*words) if len(words) == 3 else None  # noqa: PLR2004 - day, month, year


def _named(first: str, second: str, year: str) -> tuple[int, int, int] | None:
    """Read a date whose month is a word, before or behind the day."""
    day, word = (first, second) if first[0].isdigit() else (second, first)
    number, month = _DAY.fullmatch(day), _MONTHS.get(word)
    if number is None or month is None or not re.fullmatch(r"\d\d|\d{4}", year):
        return None
    return _year(year), month, int(number[1])


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:  # noqa: PLR2004 - written in full
        return year
    return year + (1900 if year >= PIVOT else 2000)


def read_moment(text: str, order: str, zone: tzinfo) -> str | None:
    """Give the RFC 3339 form of a moment; one without an offset is one of the deployment's zone.

    >>> from zoneinfo import ZoneInfo
    >>> read_moment("1/31/2026 2:05 PM", "mdy", ZoneInfo("Europe/Moscow"))
    '2026-01-31T14:05:00+03:00'
    """
    found = _TIME.fullmatch(text) if len(text) <= _LONGEST else None
    day = read_day(found[1].strip() if found else text, order)
    if day is None:
        return None
    hour, minute, second, part, half, offset = (
        found.groups()[1:] if found else ("0", "0") + (None,) * 4
    )
    if offset:
        offset = "+00:00" if offset[0].isalpha() else offset
    try:
        moment = datetime.fromisoformat(
            f"{day}T{_hour(int(hour), half):02d}:{int(minute):02d}:{int(second or 0):02d}"
            f".{(part or '0'):0<6}{offset or ''}"
        )
    except ValueError:
        raise ValueError(
            _("{text} is not a moment of the calendar.", text=repr(text[:40]))
        ) from None
    return (moment if offset else moment.replace(tzinfo=zone)).isoformat()


def _hour(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    return hour % 12 + (12 if half in "pP" else 0)


def order_of(texts: Iterable[str]) -> Found:
    """Find the order in which all dates of a column make sense.

    >>> order_of(["1/31/2026", "2/1/2026"]).value, order_of(["1/2/2026"]).value, order_of(["2026-01-31"]).is_needed
    ('mdy', None, False)
    """
    day_first = month_first = year_first = asked = dotted = False
    for text in texts:
        found = _NUMBERS.match(text.strip())
        if not found or len(found[1]) > 2:  # noqa: PLR2004 - a year in front leaves no question
            continue
        asked = True
        dotted |= found[2] == "."
        first, second, third = int(found[1]), int(found[3]), int(found[4])
        day_first |= _MOST_MONTHS < first <= 31  # noqa: PLR2004 - the longest month
        month_first |= second > _MOST_MONTHS
        year_first |= first > 31 or (first == 0 and third > 0)  # noqa: PLR2004
    known = [o for o, has in (("dmy", day_first), ("mdy", month_first), ("ymd", year_first)) if has]
    if year_first:
        known = ["ymd"]
    # Where months come first, no dots stand between them.
    return Found(known[0] if len(known) == 1 else None, asked, "dmy" if dotted else None)


def looks_like_day(text: str) -> bool:
    """Say whether a text is a date in some order."""
    try:
        return read_day(text, "dmy") is not None
    except ValueError:
        return _NUMBERS.fullmatch(text) is not None
