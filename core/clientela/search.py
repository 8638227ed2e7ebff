"""Search: the words of records, kept in the business transaction, found through an index of each database.

On SQLite an FTS5 index of trigrams finds any part of a word; on PostgreSQL a `tsvector` index finds words by their
beginning. Both see the same folded text, so that case, ё and е, and marks make no difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    Table,
    Text,
    and_,
    delete,
    false,
    func,
    insert,
    select,
    text,
)

from clientela.entity import Entity, EntityInfo
from clientela.kinds.text import contains
from clientela.storage.types import Key, plain_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from clientela.context import Context

DOCUMENT = Table(
    "core_search",
    Entity.metadata,
    Column("id", Integer, primary_key=True),
    Column("record_id", Key, nullable=False),
    Column("entity", plain_text(), nullable=False),
    Column("words", Text, nullable=False),
    Index("uq_core_search_record_id", "record_id", unique=True),
)

# SQLite keeps the index beside the table; three triggers keep them in step inside the same transaction.
_FORGET = "INSERT INTO core_search_fts(core_search_fts, rowid, words) VALUES ('delete', old.id, old.words);"
_LEARN = "INSERT INTO core_search_fts(rowid, words) VALUES (new.id, new.words);"
_TABLE = "fts5(words, content='core_search', content_rowid='id', tokenize='trigram')"
SQLITE_INDEX = (
    f"CREATE VIRTUAL TABLE core_search_fts USING {_TABLE}",
    f"CREATE TRIGGER core_search_ai AFTER INSERT ON core_search BEGIN {_LEARN} END",
    f"CREATE TRIGGER core_search_ad AFTER DELETE ON core_search BEGIN {_FORGET} END",
    f"CREATE TRIGGER core_search_au AFTER UPDATE ON core_search BEGIN {_FORGET} {_LEARN} END",
)
POSTGRES_INDEX = (
    "CREATE INDEX ix_core_search_words ON core_search USING gin (to_tsvector('simple', words))",
)
SQLITE_DROP = ("DROP TABLE core_search_fts",)
POSTGRES_DROP = ("DROP INDEX ix_core_search_words",)

MOST_WORDS = 8
TRIGRAM = 3


@dataclass
class _Entry:
    record_id: str
    entity: str
    words: str


class Search:
    """Keeps and asks the index."""

    def __init__(self, *, sqlite: bool) -> None:
        self._sqlite = sqlite

    def create_index(self, connection: Connection) -> None:
        """Create what the metadata cannot say."""
        for statement in SQLITE_INDEX if self._sqlite else POSTGRES_INDEX:
            connection.execute(text(statement))

    def note(self, ctx: Context, record: Entity, *, gone: bool) -> None:
        """Remember that a record's words changed; `write` does the rest once per transaction."""
        pending = ctx.__dict__.setdefault("_search", {})
        pending[record.id] = None if gone else _Entry(record.id, record.info.name, words_of(record))

    def write(self, ctx: Context) -> None:
        """Write the changed words into the transaction."""
        pending = ctx.__dict__.pop("_search", None)
        if not pending:
            return
        created = (
            {c.record_id for c in ctx.changes.changes if c.kind == "create"}
            if ctx.changes
            else set()
        )
        stale = [key for key in pending if key not in created]
        if stale:
            ctx.connection.execute(delete(DOCUMENT).where(DOCUMENT.c.record_id.in_(stale)))
        self.add(ctx.connection, (e for e in pending.values() if e is not None))

    def add(self, connection: Connection, entries: Iterable[_Entry]) -> None:
        """Add documents in bulk."""
        rows = [{"record_id": e.record_id, "entity": e.entity, "words": e.words} for e in entries]
        if rows:
            connection.execute(insert(DOCUMENT), rows)

    def predicate(self, info: EntityInfo, table: Any, query: str) -> ColumnElement[bool]:
        """Give the predicate that a record's words hold every word of the query."""
        words = fold(query).split()[:MOST_WORDS]
        if not words:
            return false()  # only signs that no word holds
        found = select(DOCUMENT.c.record_id).where(DOCUMENT.c.entity == info.name)
        condition = self._sqlite_words(words) if self._sqlite else _postgres_words(words)
        return table.c.id.in_(found.where(condition))  # type: ignore[no-any-return]

    def _sqlite_words(self, words: list[str]) -> ColumnElement[bool]:
        long = [w for w in words if len(w) >= TRIGRAM]
        conditions: list[ColumnElement[bool]] = []
        if long:
            match = " AND ".join('"' + w.replace('"', '""') + '"' for w in long)
            rowids = text(
                "SELECT rowid FROM core_search_fts WHERE core_search_fts MATCH :match"
            ).bindparams(match=match)
            conditions.append(
                DOCUMENT.c.id.in_(rowids.columns(Column("rowid", Integer)).scalar_subquery())
            )
        # Fewer than three letters have no trigram; they narrow what the longer words found.
        conditions += [contains(DOCUMENT.c.words, w) for w in words if len(w) < TRIGRAM]
        return and_(*conditions)


def _postgres_words(words: list[str]) -> ColumnElement[bool]:
    query = " & ".join(_quoted(word) + ":*" for word in words)
    vector = func.to_tsvector(text("'simple'"), DOCUMENT.c.words)
    return vector.op("@@")(func.to_tsquery(text("'simple'"), query))


def _quoted(word: str) -> str:
    return "'" + word.replace("\\", "\\\\").replace("'", "''") + "'"


def fold(words: str) -> str:
    """Give the form in which words are kept and looked for."""
    from clientela.normalize import fold as fold_name  # noqa: PLC0415 - shared with name matching

    return fold_name(words)


def words_of(record: Entity) -> str:
    """Give the folded words of a record."""
    return words_from(
        record.info, {f.name: getattr(record, f.name) for f in record.info.search_fields}
    )


def words_from(info: EntityInfo, values: Mapping[str, Any]) -> str:
    """Give the folded words of a record's values."""
    parts = [
        declared.kind.search_text(values[declared.name])
        for declared in info.search_fields
        if values.get(declared.name) is not None
    ]
    return fold(" ".join(parts))
