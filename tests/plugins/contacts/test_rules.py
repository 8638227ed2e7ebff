"""What holds of periods, whatever the days are."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from clientela_contacts.rules import is_current, is_in_order

DAYS = st.dates(min_value=date(1950, 1, 1), max_value=date(2100, 1, 1))


@given(DAYS)
def test_the_last_day_is_a_working_day(day: date) -> None:
    assert is_current(day, day)
    assert not is_current(day, day + timedelta(days=1))
    assert is_current(None, day)


@given(DAYS, DAYS)
def test_one_of_two_orders_holds(one: date, other: date) -> None:
    assert is_in_order(one, other) or is_in_order(other, one)
    assert is_in_order(one, one)


@given(st.none() | DAYS)
def test_what_is_not_known_is_in_order(day: date | None) -> None:
    assert is_in_order(day, None)
    assert is_in_order(None, day)
