"""PostgreSQL through psycopg 3."""

from __future__ import annotations

from typing import Any

from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format
from sqlalchemy import Engine, event

from clientela.ids import key_from_int

# A wait without a deadline is a hang: each of these ends one.
CONNECT: dict[str, Any] = {
    "connect_timeout": 3,
    "prepare_threshold": 2,
    "options": "-c timezone=UTC -c statement_timeout=30000 -c lock_timeout=10000"
    " -c idle_in_transaction_session_timeout=60000",
}


class KeyLoader(Loader):
    """Load a `uuid` as the 26 letters that the rest of the code knows."""

    format = Format.TEXT

    def load(self, data: Buffer) -> str:
        """Read the hexadecimal text."""
        return key_from_int(int(bytes(data).replace(b"-", b""), 16))


class BinaryKeyLoader(Loader):
    """Load a binary `uuid` likewise."""

    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        """Read the sixteen bytes."""
        return key_from_int(int.from_bytes(data, "big"))


def prepare(engine: Engine) -> None:
    """Teach each new connection our keys."""

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.adapters.register_loader("uuid", KeyLoader)
        connection.adapters.register_loader("uuid", BinaryKeyLoader)
