"""Bytes as they come and go, in pieces of a bounded size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

# Small pieces are put together: each costs a hop to a thread.
PIECE = 1024 * 1024


class Gone(Exception):
    """Whoever called has hung up in the middle of a sentence."""


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """Give the body in pieces of about a MiB; the next is asked for when the one before was dealt with."""
    waiting = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        waiting += message.get("body", b"")
        more = message.get("more_body", False)
        if waiting and (len(waiting) >= PIECE or not more):
            yield bytes(waiting)
            waiting.clear()


@asynccontextmanager
async def listening(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """Give a task that is done as soon as the caller has hung up."""

    async def wait() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(wait())
    try:
        yield task
    finally:
        task.cancel()
