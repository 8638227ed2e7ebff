"""The limit: the leanest code written by hand that reads and writes the same rows and gives the same bytes.

No permissions, no hooks, no validation: the driver, prepared statements, orjson.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

import orjson

from clientela import ids

ACTOR = "system:bench"
# What storage.sqlite says, written once more: the bare server must not import SQLAlchemy.
PRAGMAS = (
    "journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON", "temp_store=MEMORY",
    "cache_size=-16000", "mmap_size=268435456",
)  # fmt: skip
_BASE = "id rev created_at created_by updated_at updated_by deleted_at"
COLUMNS = {
    "customer": f"{_BASE} kind name person legal_name email phone country birth_date language time_zone website"
    " source tags note owner_id",
    "identifier": f"{_BASE} customer_id kind value source verified_at valid_from valid_to",
    "address": f"{_BASE} customer_id purpose address primary valid_from valid_to",
    "interaction": f"{_BASE} customer_id channel direction at subject body parties duration outcome data provider"
    " provider_id employee_id",
    "decision": f"{_BASE} customer_id question options chosen reason evidence decided_at decided_by"
    " reversible_until outcome outcome_at",
}
_PREFIXES = {
    "customer": "cus_",
    "identifier": "idn_",
    "address": "adr_",
    "interaction": "int_",
    "decision": "dec_",
}
_JSON = {"person", "tags", "parties", "data", "options", "evidence", "address"}
_FLAGS = {"primary"}
_NEWEST = {
    "identifier": "id",
    "address": "id",
    "interaction": '"at" DESC, id DESC',
    "decision": "decided_at DESC, id DESC",
}
_EMPLOYED = (
    'SELECT e.id, c.id, c.name, e.title, e.department, e.role, e.started_on, e.ended_on, e."primary", count(*) OVER ()'
    " FROM contacts_employment e JOIN core_customer c ON c.id = e.organization_id WHERE e.person_id = ?"
    " AND e.deleted_at IS NULL AND c.deleted_at IS NULL"
    ' ORDER BY e.ended_on IS NOT NULL, e."primary" DESC, e.id DESC LIMIT 20'
)
_GROUPED = (
    "SELECT g.id, g.name, count(*) OVER () FROM contacts_membership m JOIN contacts_group g ON g.id = m.group_id"
    " WHERE m.customer_id = ? AND m.deleted_at IS NULL AND g.deleted_at IS NULL ORDER BY g.name, g.id LIMIT 20"
)

Fetch = Callable[[str, Sequence[Any]], list[Any]]


class _Shape:
    """How rows of one table become JSON."""

    def __init__(self, name: str, *, sqlite: bool) -> None:
        self.names = COLUMNS[name].split()
        self.columns = ", ".join(f'"{column}"' for column in self.names)
        prefix = _PREFIXES[name]
        self._links = [
            (n, p) for n, p in (("id", prefix), ("customer_id", "cus_")) if n in self.names
        ]
        self._texts = [n for n in self.names if n in _JSON] if sqlite else []
        self._flags = [n for n in self.names if n in _FLAGS] if sqlite else []

    def row(self, values: Sequence[Any]) -> dict[str, Any]:
        """Give the JSON-ready dict."""
        made = dict(zip(self.names, values, strict=False))
        for name, prefix in self._links:
            made[name] = prefix + made[name]
        for name in self._texts:
            if made[name] is not None:
                made[name] = orjson.Fragment(made[name])
        for name in self._flags:
            made[name] = bool(made[name])
        return made


class Raw:
    """One connection and the items on it."""

    def __init__(self, url: str) -> None:
        self.sqlite = url.startswith("sqlite")
        self._shapes = {name: _Shape(name, sqlite=self.sqlite) for name in COLUMNS}
        self._customer = self._shapes["customer"]
        self._open: Any = _sqlite(url) if self.sqlite else _postgres(url)
        self._fetch: Fetch = self._fetch_sqlite if self.sqlite else self._fetch_postgres

    def _fetch_sqlite(self, query: str, values: Sequence[Any]) -> list[Any]:
        return self._open.execute(query, values).fetchall()  # type: ignore[no-any-return]

    def _fetch_postgres(self, query: str, values: Sequence[Any]) -> list[Any]:
        return self._open.execute(query.replace("?", "%s"), values, prepare=True).fetchall()  # type: ignore[no-any-return]

    def backend(self) -> list[int]:
        """Give the process of PostgreSQL that serves this connection."""
        return [] if self.sqlite else [self._open.info.backend_pid]

    def close(self) -> None:
        """Hang up."""
        self._open.close()

    # reading ----------------------------------------------------------------------------------------------------

    def _key(self, public: str) -> str:
        letters = public.rsplit("_", 1)[1]
        return letters if self.sqlite else ids.uuid_from_key(letters)

    def get(self, public: str) -> bytes:
        """Give one customer."""
        query = f"SELECT {self._customer.columns} FROM core_customer WHERE id = ? AND deleted_at IS NULL"
        (row,) = self._fetch(query, (self._key(public),))
        return orjson.dumps(self._customer.row(row))

    def list(self, country: str) -> bytes:
        """Give the first page of a country's customers by name."""
        query = (
            f"SELECT {self._customer.columns} FROM core_customer WHERE deleted_at IS NULL AND country = ?"
            " ORDER BY name, id LIMIT 51"
        )
        return self._page(self._fetch(query, (country,)), "core.customer:name,id", ("name", "id"))

    def search(self, word: str) -> bytes:
        """Give the newest customers with a word."""
        # The mark of a name's words is `~`: see clientela.search.words.
        found = "c.id IN (SELECT record_id FROM core_search WHERE entity = 'core.customer' AND "
        if self.sqlite:
            found += "id IN (SELECT rowid FROM core_search_fts WHERE core_search_fts MATCH ?))"
            asked = f'"~{word}"*'
        else:
            found = f"c.id IN (WITH h AS MATERIALIZED ({found[9:]}words @@ CAST(? AS tsquery)) SELECT record_id FROM h)"
            asked = f"'~{word}':*"
        query = f"SELECT {self._customer.columns} FROM core_customer c WHERE deleted_at IS NULL AND {found}"
        return self._page(
            self._fetch(query + " ORDER BY id DESC LIMIT 51", (asked,)),
            "core.customer:-id",
            ("id",),
        )

    def _page(self, rows: Sequence[Any], signature: str, keys: Sequence[str]) -> bytes:
        after = None
        data = [self._customer.row(row) for row in rows[:50]]
        if len(rows) > 50:
            last = dict(zip(self._customer.names, rows[49], strict=False))
            place = orjson.dumps([signature, *(last[key] for key in keys)])
            after = base64.urlsafe_b64encode(place).decode().rstrip("=")
        page = {"after": after, "before": None, "has_more": len(rows) > 50}
        return orjson.dumps({"data": data, "page": page})

    def card(self, public: str) -> bytes:
        """Give all that is known of a customer."""
        key = self._key(public)
        query = f"SELECT {self._customer.columns} FROM core_customer WHERE id = ? AND deleted_at IS NULL"
        (row,) = self._fetch(query, (key,))
        core: dict[str, Any] = {}
        for name, order in _NEWEST.items():
            shape = self._shapes[name]
            query = (
                f"SELECT {shape.columns} FROM core_{name} WHERE customer_id = ? AND deleted_at IS NULL"
                f" ORDER BY {order} LIMIT 20"
            )
            core[f"{name}es" if name == "address" else f"{name}s"] = [
                shape.row(one) for one in self._fetch(query, (key,))
            ]
        query = "SELECT count(*) FROM core_interaction WHERE customer_id = ? AND deleted_at IS NULL"
        core["interaction_count"] = self._fetch(query, (key,))[0][0]
        query = (
            'SELECT purpose, channel, state, "at", source FROM core_consent WHERE customer_id = ?'
        )
        names = ("purpose", "channel", "state", "at", "source")
        standing: dict[Any, dict[str, Any]] = {}
        for line in self._fetch(
            f'{query} AND deleted_at IS NULL ORDER BY "at" DESC, id DESC LIMIT 200', (key,)
        ):
            standing.setdefault(line[:2], dict(zip(names, line, strict=True)))
        core["consents"] = [standing[place] for place in sorted(standing)]
        sections = {"core": core, "contacts": self._contacts(key)}
        return orjson.dumps({"customer": self._customer.row(row), "sections": sections})

    def _contacts(self, key: str) -> dict[str, Any]:
        jobs, groups = self._fetch(_EMPLOYED, (key,)), self._fetch(_GROUPED, (key,))
        return {
            "employments": [
                {
                    "id": f"emp_{one[0]}", "with": {"id": f"cus_{one[1]}", "name": one[2]}, "title": one[3],
                    "department": one[4], "role": one[5], "started_on": one[6], "ended_on": one[7],
                    "primary": bool(one[8]),
                }
                for one in jobs
            ],
            "employment_count": jobs[0][9] if jobs else 0,
            "groups": [{"id": f"grp_{one[0]}", "name": one[1]} for one in groups],
            "group_count": groups[0][2] if groups else 0,
        }  # fmt: skip

    # writing ----------------------------------------------------------------------------------------------------

    def create(self, body: bytes) -> bytes:
        """Insert a customer with its words, its change and its fact."""
        sent = orjson.loads(body)
        key, now = ids.new_key(), _now()
        row = dict.fromkeys(self._customer.names) | sent
        row |= {"id": key, "rev": 1, "created_at": now, "updated_at": now, "deleted_at": None}
        row |= {"created_by": ACTOR, "updated_by": ACTOR}
        names = [*self._customer.names, "custom"]
        stored = [
            orjson.dumps(row[n]).decode() if n in _JSON and row[n] is not None else row[n]
            for n in self._customer.names
        ]
        stored[0] = self._stored(key)
        marks = ", ".join("?" * len(names))
        query = f"INSERT INTO core_customer ({', '.join(names)}) VALUES ({marks})"
        with self._write() as execute:
            execute(query, (*stored, "{}"))
            self._trace(execute, key, now, ("create", 1, None), "core.record_created", {})
            self._learn(execute, key, row)
        row["id"] = f"cus_{key}"
        return orjson.dumps(row)

    def patch(self, public: str, body: bytes) -> bytes:
        """Change a note and a source, with their words, their change and their fact."""
        sent = orjson.loads(body)
        key, now = public.rsplit("_", 1)[1], _now()
        query = f"SELECT {self._customer.columns} FROM core_customer WHERE id = ? AND deleted_at IS NULL"
        with self._write(pipeline=False) as execute:
            lock = "" if self.sqlite else " FOR UPDATE"
            (found,) = self._fetch(query + lock, (self._stored(key),))
            old = dict(zip(self._customer.names, found, strict=True))
            before = orjson.dumps({name: old[name] for name in sent}).decode()
            rev = old["rev"] + 1
            with nullcontext() if self.sqlite else self._open.pipeline():
                execute(
                    "UPDATE core_customer SET note = ?, source = ?, rev = ?, updated_at = ?, updated_by = ?"
                    " WHERE id = ? AND rev = ?",
                    (
                        sent["note"],
                        sent["source"],
                        rev,
                        now,
                        ACTOR,
                        self._stored(key),
                        rev - 1,
                    ),
                )
                trace = ("update", rev, before)
                self._trace(
                    execute, key, now, trace, "core.record_changed", {"fields": ["note", "source"]}
                )
                new = old | sent | {"rev": rev, "updated_at": now, "updated_by": ACTOR}
                tags = orjson.loads(old["tags"]) if self.sqlite else old["tags"]
                self._learn(execute, key, new | {"tags": tags})
        return orjson.dumps(self._customer.row([new[name] for name in self._customer.names]))

    def _stored(self, key: str) -> str:
        return key if self.sqlite else ids.uuid_from_key(key)

    def _trace(
        self,
        execute: Callable[[str, Sequence[Any]], Any],
        key: str,
        now: str,
        change: tuple[str, int, str | None],
        fact: str,
        payload: dict[str, Any],
    ) -> None:
        kind, rev, before = change
        set_id = self._stored(ids.new_key())
        execute(
            'INSERT INTO core_change_set (id, at, actor, face, action, request_id, "rows")'
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (set_id, now, ACTOR, "rest", f"core.customer.{kind}", key, 1),
        )
        execute(
            "INSERT INTO core_change (id, set_id, entity, record_id, kind, rev, before) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                self._stored(ids.new_key()),
                set_id,
                "core.customer",
                self._stored(key),
                kind,
                rev,
                before,
            ),
        )
        told = orjson.dumps({"entity": "core.customer", "record": f"cus_{key}", **payload}).decode()
        execute(
            "INSERT INTO core_outbox (id, set_id, at, actor, fact, payload) VALUES (?, ?, ?, ?, ?, ?)",
            (self._stored(ids.new_key()), set_id, now, ACTOR, fact, told),
        )

    def _learn(
        self, execute: Callable[[str, Sequence[Any]], Any], key: str, row: dict[str, Any]
    ) -> None:
        said = (row["name"], row["email"], row["phone"], *row["tags"], row["note"])
        words = " ".join(f"~{word}" for text in said if text for word in text.lower().split())
        made = "?" if self.sqlite else "array_to_tsvector(string_to_array(?, ' '))"
        execute(
            f"INSERT INTO core_search (record_id, entity, words) VALUES (?, ?, {made})"
            " ON CONFLICT (record_id) DO UPDATE SET words = excluded.words",
            (self._stored(key), "core.customer", words),
        )

    def _write(
        self, *, pipeline: bool = True
    ) -> AbstractContextManager[Callable[[str, Sequence[Any]], Any]]:
        return _Sqlite(self._open) if self.sqlite else _Postgres(self._open, pipeline=pipeline)


class _Sqlite:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._open = connection

    def __enter__(self) -> Callable[[str, Sequence[Any]], Any]:
        self._open.execute("BEGIN IMMEDIATE")
        return self._open.execute

    def __exit__(self, kind: object, *_: object) -> None:
        self._open.execute("COMMIT" if kind is None else "ROLLBACK")


class _Postgres:
    def __init__(self, connection: Any, *, pipeline: bool) -> None:
        self._open = connection
        self._parts = [connection.pipeline()] if pipeline else []
        self._parts.append(connection.transaction())

    def __enter__(self) -> Callable[[str, Sequence[Any]], Any]:
        for part in self._parts:
            part.__enter__()
        return lambda query, values: self._open.execute(
            query.replace("?", "%s"), values, prepare=True
        )

    def __exit__(self, *how: object) -> None:
        for part in reversed(self._parts):
            part.__exit__(*how)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def _sqlite(url: str) -> sqlite3.Connection:
    path = url.removeprefix("sqlite:///")
    made = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in PRAGMAS:
        made.execute(f"PRAGMA {pragma}")
    return made


def _postgres(url: str) -> Any:
    from bench._raw_postgres import connect  # noqa: PLC0415 - a start on SQLite must not pay for psycopg

    return connect(url)
