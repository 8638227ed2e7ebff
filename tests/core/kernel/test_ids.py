"""Keys: they sort as they were made, and are read in every form people send them in."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela import ids

BITS = st.integers(min_value=0, max_value=2**128 - 1)
KEY = "01JD0000000000000000000000"


def test_two_hundred_thousand_keys_are_different_and_sort_as_they_were_made() -> None:
    keys = [ids.new_key() for _ in range(200_000)]

    assert len(set(keys)) == len(keys)
    assert sorted(keys) == keys


def test_threads_get_no_key_twice_and_each_sees_its_own_grow() -> None:
    made: list[list[str]] = []

    def many() -> None:
        made.append([ids.new_key() for _ in range(5_000)])

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({key for keys in made for key in keys}) == 20_000
    assert all(sorted(keys) == keys for keys in made)


def test_a_clock_that_stands_still_or_goes_back_makes_no_key_smaller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An operating system sets its clock back now and then; lists by id must not notice."""
    before = ids.new_key()
    moments: Iterator[int] = iter([time.time_ns(), 5, 5, 4, 10**9])

    with monkeypatch.context() as clock:
        clock.setattr("clientela.ids.time.time_ns", lambda: next(moments))
        keys = [before, *(ids.new_key() for _ in range(5))]

    assert sorted(set(keys)) == keys


def test_a_key_is_a_uuid_of_version_seven() -> None:
    made = uuid.UUID(ids.uuid_from_key(ids.new_key()))

    assert made.version == 7
    assert made.variant == uuid.RFC_4122


@given(BITS)
def test_letters_and_bits_are_the_same_thing(number: int) -> None:
    key = ids.key_from_int(number)

    assert len(key) == ids.LENGTH
    assert ids.int_from_key(key) == number
    assert ids.key_from_uuid(uuid.UUID(int=number)) == key
    assert ids.uuid_from_key(key) == str(uuid.UUID(int=number))


@given(BITS, BITS)
def test_letters_sort_like_the_bits(one: int, other: int) -> None:
    assert (one < other) == (ids.key_from_int(one) < ids.key_from_int(other))


@given(BITS)
def test_each_form_is_read_as_the_same_key(number: int) -> None:
    key = ids.key_from_int(number)
    as_uuid = uuid.UUID(int=number)
    forms = [
        key, key.lower(), f"cus_{key}", f"cus_{key.lower()}",
        str(as_uuid), str(as_uuid).upper(), as_uuid.hex,
    ]  # fmt: skip

    assert {ids.parse_key(form, "cus") for form in forms} == {key}


@pytest.mark.parametrize(
    "form",
    [
        "", "cus_", KEY[:-1], f"{KEY}0", f"opp_{KEY}", f"CUS_{KEY}", f"cus_{KEY} ", f"cus-{KEY}", f" {KEY}",
        KEY.replace("D", "U"), KEY.replace("D", "I"), KEY.replace("D", "l"), "8" + KEY[1:], f"{KEY}\n",
        "00000000-0000-0000-0000-00000000000g", "1" * 31, "١" * 32, f"cus_cus_{KEY}", "null", "1",
    ],
)  # fmt: skip
def test_what_is_no_key_of_this_entity_is_none(form: str) -> None:
    assert ids.parse_key(form, "cus") is None
