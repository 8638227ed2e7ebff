"""What is kept of a record, so that it is found: the words of its declared search fields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, Integer, Table

from clientela.entity import Entity, EntityInfo
from clientela.fields import Field
from clientela.kinds.text import EmailKind, PhoneKind, TextKind, UrlKind
from clientela.search import words
from clientela.storage.types import Key, plain_text, word_list

DOCUMENT = Table(
    "core_search",
    Entity.metadata,
    Column("id", Integer, primary_key=True),
    Column("record_id", Key, nullable=False),
    Column("entity", plain_text(), nullable=False),
    Column("words", word_list(), nullable=False),
    Index("uq_core_search_record_id", "record_id", unique=True),
)

# SQLite keeps the index beside the table; three triggers keep them in step inside the same transaction. The words are
# folded already, so that `ascii` only has to cut at the blanks; where in a document a word stands, nobody asks.
_FORGET = "INSERT INTO core_search_fts(core_search_fts, rowid, words) VALUES ('delete', old.id, old.words);"
_LEARN = "INSERT INTO core_search_fts(rowid, words) VALUES (new.id, new.words);"
_TOKENS = "tokenize=\"ascii tokenchars '~$^='\""
_TABLE = (
    f"fts5(words, content='core_search', content_rowid='id', {_TOKENS}, detail=none, columnsize=0)"
)
SQLITE_INDEX = (
    f"CREATE VIRTUAL TABLE core_search_fts USING {_TABLE}",
    f"CREATE TRIGGER core_search_ai AFTER INSERT ON core_search BEGIN {_LEARN} END",
    f"CREATE TRIGGER core_search_ad AFTER DELETE ON core_search BEGIN {_FORGET} END",
    f"CREATE TRIGGER core_search_au AFTER UPDATE ON core_search BEGIN {_FORGET} {_LEARN} END",
)
POSTGRES_INDEX = ("CREATE INDEX ix_core_search_words ON core_search USING gin (words)",)
SQLITE_DROP = ("DROP TABLE core_search_fts",)
POSTGRES_DROP = ("DROP INDEX ix_core_search_words",)


class Source(NamedTuple):
    """One search field: the mark of its class, how its text is read, if it is not text itself, and cut into words."""

    name: str
    field: Field
    mark: str
    read: Callable[[Any], str] | None
    learn: words.Learn


@lru_cache(maxsize=4096)
def sources(info: EntityInfo) -> tuple[Source, ...]:
    """Give the fields that are searched; a secret is not, nor a class that no mark keeps apart."""
    named = names_of(info)
    return tuple(
        Source(
            one.name,
            one,
            words.CLASSES[one.field_class],
            None if type(one.kind) in _PLAIN else one.kind.search_text,
            _learner(one, named=one in named),
        )
        for one in info.search_fields
        if one.field_class in words.CLASSES and not one.hidden
    )


# Kinds whose values are their own words.
_PLAIN = {TextKind, EmailKind, PhoneKind, UrlKind}


@lru_cache(maxsize=4096)
def names_of(info: EntityInfo) -> tuple[Field, ...]:
    """Give the fields that say what a record is called: a person's name, and the first of the searched fields."""
    fields = [f for f in info.search_fields if not f.hidden]
    ranked = sorted((f for f in fields if f.priority is not None), key=lambda f: f.priority or 0)
    first = (ranked or fields)[:1]
    people = [f for f in fields if f.kind.name == "person_name"]
    return tuple(dict.fromkeys([*first, *people, *(f for f in ranked if f.priority == 1)]))


def _learner(declared: Field, *, named: bool) -> words.Learn:
    if isinstance(declared.kind, PhoneKind):
        return words.of_phone
    if isinstance(declared.kind, EmailKind | UrlKind):
        return words.of_address
    return words.of_name if named else words.of_text


def words_from(info: EntityInfo, values: Mapping[str, Any]) -> str:
    """Give the document of a record's values."""
    found = []
    for source in sources(info):
        value = values.get(source.name)
        if value is not None and value != []:
            text = value if source.read is None else source.read(value)
            if text:
                found.append(source.learn(text, source.mark))
    return words.document(found)


def values_in(fields: Iterable[Field], row: Sequence[Any]) -> Iterator[tuple[Field, Any]]:
    """Give the values of fields out of a row that has their columns one behind the other."""
    place = 0
    for declared in fields:
        width = declared.width
        yield declared, declared.kind.from_columns(row[place : place + width])
        place += width


def words_of(info: EntityInfo, record: Entity) -> str:
    """Give the document of a record."""
    return words_from(info, {s.name: s.field.get(record) for s in sources(info)})


def marks(infos: Iterable[EntityInfo], hidden: frozenset[str]) -> tuple[str, ...]:
    """Give the marks of the classes that these entities have and that are not hidden."""
    used = {source.field.field_class for info in infos for source in sources(info)}
    return tuple(
        mark for name, mark in words.CLASSES.items() if name in used and name not in hidden
    )
