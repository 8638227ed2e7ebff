"""Filled databases to measure on, the same at every run."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from bench._raw import ACTOR
from sqlalchemy import insert, text
from sqlalchemy.engine import make_url

from clientela import ids
from clientela.access.entities import Token
from clientela.access.seed import seed_roles
from clientela.access.tokens import SHOWN, digest, new_token
from clientela.app import App
from clientela.customers.entities import (
    Address,
    Consent,
    Customer,
    Decision,
    Identifier,
    Interaction,
)
from clientela.plugins.card import Plugin
from clientela.search import DOCUMENT, words_from
from clientela_sdk.testing.postgres import (
    create_database,
    drop_database,
    postgres_url,
    why_no_postgres,
)

COUNTRIES = ("DE", "FR", "RU", "US", "BR", "IN", "IT", "PL")
RICH = 300  # customers with a history, whose cards are asked for
HISTORY = 20
CHUNK = 5_000
SAME_NAME = 25
BEGAN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

_SYLLABLES = tuple(a + b for a in "bdfghjklmnprstvz" for b in "aeiou")
_FIRST = [
    "Anna",
    "Boris",
    "Clara",
    "Dmitri",
    "Elena",
    "Farid",
    "Greta",
    "Hugo",
    "Irina",
    "Jonas",
    "Katya",
    "Lena",
    "Mira",
    "Nils",
    "Olga",
    "Pavel",
]


@dataclass(frozen=True)
class Filled:
    """A database, a token of an administrator, and what may be asked for."""

    url: str
    token: str
    customers: list[str]
    rich: list[str]
    families: tuple[str, ...]

    @property
    def sqlite(self) -> bool:
        """Say which of the two it is."""
        return self.url.startswith("sqlite")

    def backends(self) -> list[int]:
        """List the processes that PostgreSQL has for this database."""
        if self.sqlite:
            return []
        with psycopg.connect(plain(self.url), autocommit=True) as connection:
            found = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                "AND backend_type IN ('client backend', 'parallel worker') AND pid <> pg_backend_pid()"
            )
            return [pid for (pid,) in found]


class Store:
    """Makes databases of one sort and drops them at the end."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self._folder = folder
        self._made: list[str] = []
        self._admin = postgres_url() if kind == "postgresql" else None
        if kind == "postgresql" and self._admin is None:
            raise SystemExit(f"no PostgreSQL: {why_no_postgres()}")

    def empty(self) -> str:
        """Make a database without tables."""
        name = f"bench_{uuid4().hex[:12]}"
        self._made.append(name)
        if self._admin is None:
            return f"sqlite:///{self._folder / name}.sqlite3"
        return create_database(self._admin, name)

    def filled(self, customers: int, plugins: Sequence[Plugin] | None = None) -> Filled:
        """Make a database with customers."""
        return fill(self.empty(), customers, plugins)

    def drop(self, url: str) -> None:
        """Drop one database early."""
        self._drop(next(name for name in self._made if name in url))

    def close(self) -> None:
        """Drop what was made."""
        for name in list(self._made):
            self._drop(name)

    def _drop(self, name: str) -> None:
        self._made.remove(name)
        if self._admin is None:
            for left in self._folder.glob(f"{name}.sqlite3*"):
                left.unlink()
        else:
            drop_database(self._admin, name)


def plain(url: str) -> str:
    """Give the address the way psycopg wants it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def prepare(url: str, plugins: Sequence[Plugin] | None = None) -> tuple[App, str]:
    """Create the tables and the roles; give the app and a token."""
    app = App(url, plugins=plugins)
    app.create_all()
    seed_roles(app)
    return app, _token(app)


def _token(app: App) -> str:
    secret = new_token()
    row = {
        **_stamps(0), "name": "bench", "start": secret[:SHOWN], "digest": digest(secret), "roles": ["administrator"],
    }  # fmt: skip
    with app.db.write() as connection:
        connection.execute(insert(Token.info.table), row)
    return secret


def fill(url: str, customers: int, plugins: Sequence[Plugin] | None = None) -> Filled:
    """Fill a database with customers, some of them with a history."""
    app, token = prepare(url, plugins)
    rng = random.Random(20260101)
    families = family_names(customers)
    keys: list[str] = []
    search = 0
    for start in range(0, customers, CHUNK):
        rows = [customer(rng, n, families) for n in range(start, min(start + CHUNK, customers))]
        words = []
        for row in rows:
            search += 1
            found = words_from(Customer.info, row)
            words.append({"record_id": row["id"], "entity": "core.customer", "words": found})
        with app.db.write() as connection:
            connection.execute(insert(Customer.info.table), rows)
            connection.execute(insert(DOCUMENT), words)
        keys += [row["id"] for row in rows]
    rich = keys[:: max(1, customers // RICH)][:RICH]
    _histories(app, rng, rich, keys)
    _settle(app)
    app.close()
    return Filled(url, token, keys, rich, families)


def _settle(app: App) -> None:
    """Let PostgreSQL know its tables, as autovacuum does elsewhere."""
    if app.db.is_sqlite:
        return
    with app.db.read() as connection:
        connection.execute(text("VACUUM ANALYZE"))


def customer(rng: random.Random, number: int, families: Sequence[str]) -> dict[str, Any]:
    """Make up a person."""
    first, family = rng.choice(_FIRST), rng.choice(families)
    return {
        **_stamps(number), "kind": "person", "name": f"{first} {family.capitalize()}", "legal_name": None,
        "email": f"{first}.{family}{number}@example.com".lower(), "phone": f"+4930{1_000_000 + number}",
        "country": rng.choice(COUNTRIES), "birth_date": None, "language": "de", "time_zone": None, "website": None,
        "source": "trade fair", "tags": ["newsletter"], "note": None, "owner_id": None, "person": None,
    }  # fmt: skip


def family_names(customers: int) -> tuple[str, ...]:
    """Make up so many family names that a search finds some 25 customers, however many there are."""
    rng = random.Random(4)
    wanted = max(8, customers // SAME_NAME)
    return tuple("".join(rng.choices(_SYLLABLES, k=4)) for _ in range(wanted))


def _stamps(number: int) -> dict[str, Any]:
    at = BEGAN + timedelta(seconds=number, microseconds=number % 997)
    return {
        "id": ids.new_key(), "rev": 1, "created_at": at, "created_by": ACTOR, "updated_at": at, "updated_by": ACTOR,
        "deleted_at": None, "custom": {},
    }  # fmt: skip


def _histories(app: App, rng: random.Random, rich: list[str], keys: list[str]) -> None:
    made: dict[Any, list[dict[str, Any]]] = {}
    tables = {name: info.table for name, info in app.registry.entities.items()}
    for number, key in enumerate(rich):
        for table, row in _history(rng, number, key, tables, keys):
            made.setdefault(table, []).append(row)
    with app.db.write() as connection:
        if "contacts.group" in tables:
            connection.execute(insert(tables["contacts.group"]), list(_groups()))
        for table, rows in made.items():
            connection.execute(insert(table), rows)


_GROUP_KEYS = tuple(ids.new_key() for _ in range(3))


def _groups() -> Iterator[dict[str, Any]]:
    for key, name in zip(_GROUP_KEYS, ("Guests", "Press", "Readers"), strict=True):
        yield {**_stamps(1), "id": key, "name": name, "about": None, "owner_id": None}


def _history(
    rng: random.Random, number: int, key: str, tables: dict[str, Any], keys: list[str]
) -> Iterator[tuple[Any, dict[str, Any]]]:
    mine = {"customer_id": key}
    for place in range(HISTORY):
        at = BEGAN + timedelta(hours=number + place, seconds=place)
        yield Interaction.info.table, {
            **_stamps(number), **mine, "channel": rng.choice(["phone", "email", "meeting"]), "direction": "in",
            "at": at, "subject": f"Talk {place} about the offer", "body": "They asked about prices. " * 6,
            "parties": [{"name": "Anna"}], "duration": 300 + place, "outcome": "call back", "data": {},
            "provider": None, "provider_id": None, "employee_id": None,
        }  # fmt: skip
    for kind, value in (("email", f"second{number}@example.com"), ("external", f"erp-{number}")):
        yield Identifier.info.table, {
            **_stamps(number), **mine, "kind": kind, "value": value, "source": "erp", "verified_at": None,
            "valid_from": None, "valid_to": None,
        }  # fmt: skip
    yield Address.info.table, {
        **_stamps(number), **mine, "purpose": "postal", "primary": True, "valid_from": None, "valid_to": None,
        "address": {"street": "Lindenallee", "house": str(number), "city": "Berlin", "country": "DE"},
    }  # fmt: skip
    yield Decision.info.table, {
        **_stamps(number), **mine, "question": "Which discount?", "options": ["none", "five"], "chosen": "five",
        "reason": "They have been with us for years.", "evidence": [], "decided_at": BEGAN, "decided_by": "Anna",
        "reversible_until": None, "outcome": None, "outcome_at": None,
    }  # fmt: skip
    for purpose in ("marketing", "service"):
        yield Consent.info.table, {
            **_stamps(number), **mine, "purpose": purpose, "channel": "email", "state": "given", "at": BEGAN,
            "source": "form", "wording": None, "proof": None,
        }  # fmt: skip
    if "contacts.employment" in tables:
        yield tables["contacts.employment"], {
            **_stamps(number), "person_id": key, "organization_id": keys[-1 - number], "title": "Buyer",
            "department": "Purchasing", "role": "decision_maker", "started_on": BEGAN.date(), "ended_on": None,
            "primary": True,
        }  # fmt: skip
        for group in _GROUP_KEYS[:2]:
            yield tables["contacts.membership"], {
                **_stamps(number), "group_id": group, **mine,
            }  # fmt: skip
