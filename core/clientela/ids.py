"""Keys: UUIDv7 written in 26 letters, shown with the prefix of their entity.

Inside Python a key is the 26-letter Crockford base32 form of the 128 bits, because that is what every face shows and
what sorts like time. SQLite stores those letters; PostgreSQL stores the same bits as its native `uuid`.
"""

from __future__ import annotations

import os
import re
import threading
import time
import uuid

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26

# A key that belongs to no one: `owner = me` of a token without a user shows no rows.
NOBODY = "0" * LENGTH

_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]
_KEY = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_SHAPE = re.compile(
    r"(?:(?P<prefix>[a-z][a-z0-9]*)_)?(?P<key>[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25})"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_VALUES = {letter: number for number, letter in enumerate(ALPHABET)}

_lock = threading.Lock()
_last = 0


def new_key() -> str:
    """Give a fresh UUIDv7 (RFC 9562): later calls of one process sort later."""
    global _last  # noqa: PLW0603 - the monotonic counter of the process is one on purpose
    with _lock:
        # 48 bits of milliseconds, 12 bits of the millisecond's fraction: RFC 9562, 6.2, method 3.
        now = time.time_ns()
        tick = (now // 1_000_000 << 12) | ((now % 1_000_000) * 4096 // 1_000_000)
        tick = max(tick, _last + 1)
        _last = tick
    millis, fraction = tick >> 12, tick & 0xFFF
    tail = int.from_bytes(os.urandom(8), "big") & ((1 << 62) - 1)
    return key_from_int(
        (millis & ((1 << 48) - 1)) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | tail
    )


def key_from_int(number: int) -> str:
    """Write 128 bits in 26 letters."""
    p = _PAIRS
    return (
        p[number >> 120] + p[number >> 110 & 1023] + p[number >> 100 & 1023] + p[number >> 90 & 1023]
        + p[number >> 80 & 1023] + p[number >> 70 & 1023] + p[number >> 60 & 1023]
        + p[number >> 50 & 1023] + p[number >> 40 & 1023] + p[number >> 30 & 1023]
        + p[number >> 20 & 1023] + p[number >> 10 & 1023] + p[number & 1023]
    )  # fmt: skip


def int_from_key(key: str) -> int:
    """Read the 128 bits back from 26 letters."""
    number = 0
    for letter in key:
        number = number << 5 | _VALUES[letter]
    return number


def key_from_uuid(value: uuid.UUID | str) -> str:
    """Give the letters of a UUID, whether it comes as an object or as hexadecimal text."""
    if isinstance(value, str):
        return key_from_int(int(value.replace("-", ""), 16))
    return key_from_int(value.int)


def uuid_from_key(key: str) -> str:
    """Give the usual hexadecimal text of a key, as PostgreSQL wants it."""
    text = f"{int_from_key(key):032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def parse_id(text: str) -> tuple[str, str] | None:
    """Read a prefixed id of whatever entity as its prefix and its key; None when it is none.

    >>> parse_id("cus_01jd0000000000000000000000")
    ('cus', '01JD0000000000000000000000')
    """
    match = _SHAPE.fullmatch(text)
    return (match["prefix"], match["key"].upper()) if match and match["prefix"] else None


def parse_key(text: str, prefix: str) -> str | None:
    """Read a key as people send it: `cus_01J…`, the bare letters, or a UUID; None when it is none of these.

    >>> parse_key("cus_01JD0000000000000000000000", "cus")
    '01JD0000000000000000000000'
    >>> parse_key("opp_01JD0000000000000000000000", "cus") is None
    True
    """
    if _KEY.fullmatch(text):
        return text
    match = _SHAPE.fullmatch(text)
    if match:
        return match["key"].upper() if match["prefix"] in (None, prefix) else None
    return key_from_uuid(text) if _UUID.fullmatch(text) else None
