"""What earlier batches would have written, so that a dry run counts what the run will count.

A run finds the records of its earlier batches in the database; a dry run writes none, so it keeps their keys, and their
values where rows are matched, in a scratch file that goes with it. Memory stays bounded, whatever the file's length.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from clientela.bulk.values import Values
from clientela.entity import EntityInfo

_TABLES = (
    "CREATE TABLE record (id TEXT PRIMARY KEY, data BLOB) WITHOUT ROWID",
    "CREATE TABLE place (names TEXT, held TEXT, id TEXT, PRIMARY KEY (names, held, id)) WITHOUT ROWID",
)
_FIND = "SELECT held, id FROM place WHERE names = ? AND held IN (SELECT value FROM json_each(?))"

Held = tuple[Any, ...]


class Seen:
    """The records that a dry run would have written so far, found by some sets of fields."""

    def __init__(self, info: EntityInfo, places: Iterable[tuple[str, ...]], *, whole: bool) -> None:
        self._info = info
        self._places = tuple(dict.fromkeys(places))
        self._whole = whole
        # An empty name is a file that SQLite deletes when the connection closes.
        self._scratch = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for statement in ("PRAGMA synchronous=OFF", "PRAGMA journal_mode=OFF", *_TABLES):
            self._scratch.execute(statement)

    def close(self) -> None:
        """Let the scratch file go."""
        self._scratch.close()

    def note(self, records: Sequence[Values]) -> None:
        """Remember records as they would be after a batch."""
        if not self._places:
            return
        self._scratch.execute("BEGIN")
        if self._whole:
            rows = [(values["id"], self._packed(values)) for values in records]
            self._scratch.executemany("INSERT OR REPLACE INTO record VALUES (?, ?)", rows)
        for names in self._places:
            held = [(_named(names), self._key(names, values), values["id"]) for values in records]
            self._scratch.executemany("INSERT OR IGNORE INTO place VALUES (?, ?, ?)", held)
        self._scratch.execute("COMMIT")

    def find(self, names: Sequence[str], wanted: Iterable[Held]) -> dict[Held, list[str]]:
        """Give the keys of the records that hold some values in these fields."""
        if tuple(names) not in self._places:
            return {}
        asked = {self._packed_key(names, one): one for one in wanted if None not in one}
        found: dict[Held, list[str]] = {}
        rows = self._scratch.execute(_FIND, (_named(names), orjson.dumps(list(asked)).decode()))
        for held, key in rows:
            found.setdefault(asked[held], []).append(key)
        return found

    def values(self, keys: Iterable[str]) -> dict[str, Values]:
        """Give the values of remembered records."""
        found = {}
        for key in keys:
            row = self._scratch.execute("SELECT data FROM record WHERE id = ?", (key,)).fetchone()
            if row is not None:
                found[key] = self._unpacked(row[0])
        return found

    def _key(self, names: Sequence[str], values: Values) -> str:
        return self._packed_key(names, [values[name] for name in names])

    def _packed_key(self, names: Sequence[str], held: Sequence[Any]) -> str:
        fields = self._info.fields
        told = zip(names, held, strict=True)
        return orjson.dumps(
            [None if v is None else fields[n].kind.dump(v) for n, v in told]
        ).decode()

    def _packed(self, values: Values) -> bytes:
        fields = self._info.fields
        return orjson.dumps(
            {n: None if values[n] is None else f.kind.dump(values[n]) for n, f in fields.items()}
        )

    def _unpacked(self, data: bytes) -> Values:
        raw = orjson.loads(data)
        return {
            name: None if raw[name] is None else declared.kind.revive(raw[name])
            for name, declared in self._info.fields.items()
        }


def _named(names: Sequence[str]) -> str:
    return ",".join(names)
