"""Column types: one Python value, stored the best way each database knows.

The stored forms are chosen so that a list page converts almost nothing: on SQLite keys and instants are stored as the
very text that JSON shows; decimals are scaled integers on both databases, so sums and comparisons are exact.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, Text, TypeDecorator
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import TypeEngine

from clientela import ids
from clientela.i18n.texts import _


def is_sqlite(dialect: Dialect) -> bool:
    """Say whether the statement goes to SQLite."""
    return dialect.name == "sqlite"


class Key(TypeDecorator[str]):
    """A UUIDv7 as 26 letters: text on SQLite, native `uuid` on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored form."""
        if is_sqlite(dialect):
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(postgresql.UUID(as_uuid=False))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Turn the letters into what the database stores."""
        if value is None or is_sqlite(dialect):
            return value
        return ids.uuid_from_key(value)

    # The way back needs nothing: the psycopg connection loads `uuid` as letters (storage.postgres).


def write_instant(value: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC with microseconds.

    >>> write_instant(datetime(2026, 1, 31, 10, 0, tzinfo=UTC))
    '2026-01-31T10:00:00.000000Z'
    """
    return value.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: RFC 3339 text on SQLite, `timestamptz` on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored form."""
        if is_sqlite(dialect):
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | datetime | None:
        """Refuse a naive moment, store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(_("An instant needs a time zone."))
        return write_instant(value) if is_sqlite(dialect) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give an aware datetime in UTC."""
        if value is None:
            return None
        return datetime.fromisoformat(value) if is_sqlite(dialect) else value.astimezone(UTC)


class Day(TypeDecorator[date]):
    """A calendar day: ISO text on SQLite, `date` on PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the stored form."""
        return dialect.type_descriptor(Text() if is_sqlite(dialect) else Date())

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | date | None:
        """Write the day the way the database stores it."""
        if value is None:
            return None
        return value.isoformat() if is_sqlite(dialect) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:
        """Give a date."""
        return date.fromisoformat(value) if value is not None and is_sqlite(dialect) else value


class Scaled(TypeDecorator[Decimal]):
    """A decimal with a fixed number of places, stored as an integer of its smallest unit."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, places: int = 2) -> None:
        super().__init__()
        self.places = places

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        """Give the integer of the smallest units."""
        del dialect
        return None if value is None else to_scaled(Decimal(value), self.places)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Give the decimal with all its places."""
        del dialect
        return None if value is None else from_scaled(value, self.places)


def to_scaled(value: Decimal, places: int) -> int:
    """Count the smallest units of a decimal."""
    return int(value.scaleb(places).to_integral_value(ROUND_HALF_EVEN))


def from_scaled(units: int, places: int) -> Decimal:
    """Give the decimal of a count of smallest units."""
    return Decimal(units).scaleb(-places)


class Json(JSON):
    """JSON that SQLite keeps as text: a column declared JSON has numeric affinity and would turn `0` into a number."""


@compiles(Json, "sqlite")
def _json_ddl(_type: Any, _compiler: Any, **_options: Any) -> str:
    return "TEXT"


def json_type() -> JSON:
    """Give the JSON type of both databases: text on SQLite, `jsonb` on PostgreSQL."""
    return Json(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def plain_text() -> Text:
    """Give text that compares by code point on both databases, whatever the server's locale is."""
    return Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def word_list() -> Text:
    """Give words with blanks between: text on SQLite, on PostgreSQL a `tsvector`, which its index takes as it is."""
    return Text().with_variant(postgresql.TSVECTOR(), "postgresql")
