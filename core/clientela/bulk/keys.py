"""Many keys at once: one drawn as all keys are, the others a random step after it."""

from __future__ import annotations

import os
from itertools import accumulate

from clientela import ids

_STEP = 5
_P = [a + b for a in ids.ALPHABET for b in ids.ALPHABET]


def new_keys(count: int) -> list[int]:
    """Give keys as numbers, in order, all before the next `ids.new_key()`.

    RFC 9562, 6.2, method 2: the random tail of the first is counted up by random steps.
    """
    first = ids.int_from_key(ids.new_key())
    # The highest bit of the tail is cleared, so that no step can carry into the time before it.
    first &= ~(1 << 59)
    noise = os.urandom(_STEP * count)
    steps = [
        int.from_bytes(noise[at : at + _STEP], "big") + 1 for at in range(0, len(noise), _STEP)
    ]
    return [first + step for step in accumulate(steps)]


def letters(numbers: list[int]) -> list[str]:
    """Write keys in their 26 letters; they share all but the last twelve."""
    if not numbers:
        return []
    head = ids.key_from_int(numbers[0])[:14]
    p = _P
    return [
        head + p[n >> 50 & 1023] + p[n >> 40 & 1023] + p[n >> 30 & 1023]
        + p[n >> 20 & 1023] + p[n >> 10 & 1023] + p[n & 1023]
        for n in numbers
    ]  # fmt: skip


def hexadecimal(numbers: list[int]) -> list[str]:
    """Write keys as PostgreSQL reads them."""
    return [f"{n:032x}" for n in numbers]
