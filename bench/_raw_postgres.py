"""A connection to PostgreSQL that gives keys and instants the way JSON shows them, without an object between."""

from __future__ import annotations

from typing import Any

import orjson
import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.json import set_json_loads

from clientela.ids import key_from_int


class _KeyLoader(Loader):
    """Turn the text of a `uuid` into our letters."""

    def load(self, data: Buffer) -> str:
        """Read the hexadecimal text."""
        return key_from_int(int(bytes(data).replace(b"-", b""), 16))


class _InstantLoader(Loader):
    """Turn the text of an instant into ours."""

    def load(self, data: Buffer) -> str:
        """Write `2026-01-05 08:00:00.5+00` as RFC 3339."""
        text = bytes(data).decode()[:-3]
        return f"{text[:10]}T{text[11:] if '.' in text else text[11:] + '.':0<15}Z"


def connect(url: str) -> Any:
    """Connect, with every statement prepared at once."""
    plain = url.replace("+psycopg", "", 1)
    made = psycopg.connect(plain, autocommit=True, prepare_threshold=0, options="-c timezone=UTC")
    made.adapters.register_loader("uuid", _KeyLoader)
    made.adapters.register_loader("timestamptz", _InstantLoader)
    set_json_loads(orjson.loads, made)
    return made
