"""The clock, passed in so that a test can hold it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Give the present moment in UTC."""
    return datetime.now(UTC)
