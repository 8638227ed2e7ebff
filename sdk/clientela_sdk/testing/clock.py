"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# A Monday, long enough after New Year that "last month" lies in the same year.
BEGINNING = datetime(2026, 6, 15, 9, 0, tzinfo=UTC)


class HeldClock:
    """Gives the same moment whenever it is asked; an app takes it as its clock.

    >>> clock = HeldClock()
    >>> clock.forward(days=1, hours=2).isoformat()
    '2026-06-16T11:00:00+00:00'
    """

    def __init__(self, moment: datetime = BEGINNING) -> None:
        self.now = _in_utc(moment)

    def __call__(self) -> datetime:
        """Give the moment."""
        return self.now

    def at(self, moment: datetime) -> datetime:
        """Set the clock to a moment, which must know its zone."""
        self.now = _in_utc(moment)
        return self.now

    def forward(self, **lengths: float) -> datetime:
        """Move the clock by what `timedelta` takes: `clock.forward(days=1)`."""
        self.now += timedelta(**lengths)
        return self.now


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("The clock needs a moment with a time zone.")
    return moment.astimezone(UTC)
