"""The requests that are measured, and the limits that are measured with them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import orjson
from bench._client import request
from bench._data import COUNTRIES, Filled, customer
from bench._raw import Raw

BASE = "/api/v1/core/customers"
FIELDS = ("kind", "name", "email", "phone", "country", "source", "tags")

Work = Callable[[Raw], bytes]


@dataclass(frozen=True)
class Piece:
    """One request, and the same by hand."""

    method: str
    path: str
    raw: Work
    body: object = None

    def bytes_for(self, token: str) -> bytes:
        """Write the request."""
        return request(self.method, self.path, token, self.body)


@dataclass(frozen=True)
class Item:
    """A kind of work with its budgets in CPU milliseconds."""

    name: str
    title: str
    status: int
    requests: int
    sqlite: float
    postgresql: float
    make: Callable[[Filled, random.Random], Piece]

    def budget(self, *, sqlite: bool) -> float:
        """Give what it may cost."""
        return self.sqlite if sqlite else self.postgresql

    def pieces(self, filled: Filled, rng: random.Random, count: int = 0) -> Sequence[Piece]:
        """Make up requests."""
        return [self.make(filled, rng) for _ in range(count or self.requests)]


def _get(filled: Filled, rng: random.Random) -> Piece:
    key = f"cus_{rng.choice(filled.customers)}"
    return Piece("GET", f"{BASE}/{key}", lambda raw: raw.get(key))


def _list(_filled: Filled, rng: random.Random) -> Piece:
    country = rng.choice(COUNTRIES)
    where = f'country = "{country}"'  # quoted: IN is a country and a word of the grammar
    path = f"{BASE}?filter={quote(where)}&sort=name"
    return Piece("GET", path, lambda raw: raw.list(country))


def _search(filled: Filled, rng: random.Random) -> Piece:
    word = rng.choice(filled.families)
    return Piece("GET", f"{BASE}?q={word}", lambda raw: raw.search(word))


def _create(filled: Filled, rng: random.Random) -> Piece:
    made = customer(rng, len(filled.customers) + rng.randrange(100_000), filled.families)
    body = {name: made[name] for name in FIELDS}
    sent = orjson.dumps(body)
    return Piece("POST", BASE, lambda raw: raw.create(sent), body)


def _patch(filled: Filled, rng: random.Random) -> Piece:
    key = f"cus_{rng.choice(filled.customers)}"
    body = {
        "note": f"Call back on day {rng.randrange(1000)}",
        "source": f"fair {rng.randrange(1000)}",
    }
    sent = orjson.dumps(body)
    return Piece("PATCH", f"{BASE}/{key}", lambda raw: raw.patch(key, sent), body)


def _card(filled: Filled, rng: random.Random) -> Piece:
    key = f"cus_{rng.choice(filled.rich)}"
    return Piece("GET", f"{BASE}/{key}/card", lambda raw: raw.card(key))


ITEMS = {
    item.name: item
    for item in (
        Item("get", "get by id", 200, 400, 0.7, 1.2, _get),
        Item("list", "list 50, filtered and sorted", 200, 240, 1.2, 1.8, _list),
        Item("search", "search in names", 200, 240, 2.0, 3.0, _search),
        Item("create", "create (change log, outbox)", 201, 160, 2.5, 3.5, _create),
        Item("patch", "update (likewise)", 200, 160, 2.5, 3.5, _patch),
        Item("card", "customer card, one call", 200, 160, 4.0, 5.0, _card),
    )
}

READS = frozenset({"get", "list", "search", "card"})


def differences(item: Item, piece: Piece, ours: bytes, by_hand: bytes) -> str:
    """Say how the limit's answer differs from ours, if it does: a limit that answers less is none."""
    if item.name in READS:
        return "" if ours == by_hand else f"{piece.path}: the limit gives other bytes"
    same = orjson.loads(ours).keys() == orjson.loads(by_hand).keys()
    return "" if same else f"{piece.path}: the limit gives other fields"
