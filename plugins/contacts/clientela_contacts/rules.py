"""What holds of employments, without a database."""

from __future__ import annotations

from datetime import date


def is_current(ended_on: date | None, today: date) -> bool:
    """Say whether somebody still works there: the last day counts.

    >>> is_current(date(2026, 1, 31), date(2026, 1, 31)), is_current(None, date(2026, 1, 31))
    (True, True)
    """
    return ended_on is None or ended_on >= today


def is_in_order(started_on: date | None, ended_on: date | None) -> bool:
    """Say whether a period does not end before it begins; what is not known is in order."""
    return started_on is None or ended_on is None or started_on <= ended_on
