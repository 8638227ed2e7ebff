"""Kinds that are times: a day and an instant."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from clientela.i18n.texts import _
from clientela.kinds.base import Kind, Render, sentence_for_type
from clientela.storage.types import Day, Instant, write_instant

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DOTTED = re.compile(r"(\d{1,2})[.](\d{1,2})[.](\d{4})")


class DayKind(Kind):
    """A calendar day without a time."""

    name: ClassVar[str] = "date"
    python: ClassVar[Any] = date

    def load(self, raw: object) -> date:
        """Take `2026-01-31`."""
        if isinstance(raw, datetime):
            return raw.date()
        if isinstance(raw, date):
            return raw
        if not isinstance(raw, str):
            raise sentence_for_type(_("A date such as 2026-01-31"), raw)
        if not _ISO_DAY.fullmatch(raw):
            raise ValueError(
                _("{text} is not a date; write it like 2026-01-31.", text=repr(raw[:40]))
            )
        try:
            return date.fromisoformat(raw)
        except ValueError:
            raise ValueError(_("{day} is not a day of the calendar.", day=raw)) from None

    def parse(self, text: str) -> date:
        """Take `2026-01-31`, `31.01.2026` or `20260131`."""
        text = text.strip()
        dotted = _DOTTED.fullmatch(text)
        if dotted:
            day, month, year = dotted.groups()
            text = f"{year}-{int(month):02d}-{int(day):02d}"
        elif re.fullmatch(r"\d{8}", text):
            text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
        return self.load(text)

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one column of days."""
        return (Day(),)

    def dump(self, value: date) -> str:
        """Give the ISO form."""
        return value.isoformat()

    def format(self, value: date, locale: str) -> str:
        """Write the day as the language does."""
        from clientela.i18n.formats import format_date  # noqa: PLC0415 - babel is slow to import

        return format_date(value, locale)

    def json_schema(self) -> dict[str, Any]:
        """Describe an ISO date."""
        return {"type": "string", "format": "date"}

    def sample(self, rng: random.Random) -> date:
        """Make up a day of the years 2024 to 2026."""
        return date(2024, 1, 1) + timedelta(days=rng.randint(0, 1000))


class InstantKind(Kind):
    """A moment, kept in UTC to the microsecond."""

    name: ClassVar[str] = "instant"
    python: ClassVar[Any] = datetime

    def load(self, raw: object) -> datetime:
        """Take RFC 3339 with an offset; a moment without one is refused, because nobody knows when it was."""
        if isinstance(raw, str):
            raw = self._read(raw)
        if isinstance(raw, date) and not isinstance(raw, datetime):
            return datetime(raw.year, raw.month, raw.day, tzinfo=UTC)
        if not isinstance(raw, datetime):
            raise sentence_for_type(_("An instant such as 2026-01-31T10:00:00Z"), raw)
        if raw.tzinfo is None:
            raise ValueError(_("An instant needs its offset: 2026-01-31T10:00:00Z or …+03:00."))
        try:
            return raw.astimezone(UTC)
        except OverflowError:
            raise ValueError(_("This instant lies outside the years 1 to 9999.")) from None

    @staticmethod
    def _read(text: str) -> datetime:
        if not re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text):
            raise ValueError(
                _("{text} is not an instant; write 2026-01-31T10:00:00Z.", text=repr(text[:40]))
            )
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(
                _("{text} is not a moment of the calendar.", text=repr(text[:40]))
            ) from None

    def parse(self, text: str) -> datetime:
        """Take RFC 3339, or a day, which means its first moment in UTC."""
        text = text.strip()
        if len(text) <= len("31.01.2026"):
            return self.load(DayKind().parse(text))
        return self.load(text)

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one column of instants."""
        return (Instant(),)

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Write PostgreSQL's datetimes; SQLite stores the very text that is shown."""
        return None if sqlite else (lambda raw: None if raw is None else write_instant(raw))

    def dump(self, value: datetime) -> str:
        """Give RFC 3339 in UTC."""
        return write_instant(value)

    def format(self, value: datetime, locale: str) -> str:
        """Write the moment as the language does, in UTC."""
        from clientela.i18n.formats import format_instant  # noqa: PLC0415 - babel is slow

        return format_instant(value, locale, "UTC")

    def json_schema(self) -> dict[str, Any]:
        """Describe RFC 3339."""
        return {"type": "string", "format": "date-time"}

    def sample(self, rng: random.Random) -> datetime:
        """Make up a moment of the years 2024 to 2026."""
        return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=rng.randint(0, 86_400_000))
