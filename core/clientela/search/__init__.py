"""Search: the words of records, kept in the business transaction, found through an index of each database.

The app folds, stems and transliterates; the databases only keep words and look them up (FTS5 on SQLite, `tsvector` on
PostgreSQL), and hits are ranked here, so that the same query finds the same records in the same order on both.
"""

from __future__ import annotations

from clientela.search.documents import (
    DOCUMENT,
    POSTGRES_DROP,
    POSTGRES_INDEX,
    SQLITE_DROP,
    SQLITE_INDEX,
    words_from,
    words_of,
)
from clientela.search.index import Entry, Search
from clientela.search.words import fold

__all__ = [
    "DOCUMENT",
    "POSTGRES_DROP",
    "POSTGRES_INDEX",
    "SQLITE_DROP",
    "SQLITE_INDEX",
    "Entry",
    "Search",
    "fold",
    "words_from",
    "words_of",
]
