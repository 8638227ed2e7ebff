"""SQL statements per request, counted in process: the server that is timed carries no counter."""

from __future__ import annotations

import random
from collections.abc import Iterable

import orjson
from bench._data import Filled
from bench._items import BASE, Item, Piece

from clientela.app import App
from clientela.rest.call import Call, Reply
from clientela.rest.dispatch import Dispatcher
from clientela.storage.database import count_statements


def call_of(piece: Piece, token: str) -> Call:
    """Give the call that the rim would make of a request."""
    path, _, query = piece.path.partition("?")
    headers = {b"authorization": f"Bearer {token}".encode(), b"content-type": b"application/json"}
    body = b"" if piece.body is None else orjson.dumps(piece.body)
    return Call(piece.method, path or BASE, query.encode(), headers, body, "bench")


def answer(dispatcher: Dispatcher, item: Item, call: Call) -> Reply:
    """Answer in process; a wrong status ends the measurement."""
    reply = dispatcher.answer(call)
    if reply.status != item.status:
        raise SystemExit(f"{item.name}: {reply.status} {reply.body[:300]!r}")
    return reply


def statements(filled: Filled, items: Iterable[Item]) -> dict[str, int]:
    """Count the statements of one request of each item, when the caller is known already."""
    app = App(filled.url)
    counter = count_statements(app.db.engine)
    dispatcher = Dispatcher(app)
    rng = random.Random(5)
    found = {}
    for item in items:
        first, second = (call_of(piece, filled.token) for piece in item.pieces(filled, rng, 2))
        answer(dispatcher, item, first)
        counter.statements.clear()
        answer(dispatcher, item, second)
        begins = {"BEGIN", "BEGIN IMMEDIATE"}
        found[item.name] = sum(1 for one in counter.statements if one not in begins)
    app.close()
    return found
