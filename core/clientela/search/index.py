"""The index of one database: keeping it in the business transaction, and asking it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    any_,
    bindparam,
    cast,
    column,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    table,
    text,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite

from clientela.entity import Entity, EntityInfo
from clientela.kinds.text import contains
from clientela.search import asking
from clientela.search.documents import DOCUMENT, POSTGRES_INDEX, SQLITE_INDEX, marks, words_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from clientela.context import Context

Scope = Callable[[FromClause], ColumnElement[bool]]

_FTS = table("core_search_fts", column("rowid"), column("core_search_fts"))


@dataclass
class Entry:
    """A document that waits to be written."""

    record_id: str
    entity: str
    words: str


class Search:
    """Keeps and asks the index."""

    def __init__(self, *, sqlite: bool) -> None:
        self.sqlite = sqlite

    def create_index(self, connection: Connection) -> None:
        """Create what the metadata cannot say."""
        for statement in SQLITE_INDEX if self.sqlite else POSTGRES_INDEX:
            connection.execute(text(statement))

    # keeping ----------------------------------------------------------------------------------------------------

    def note(
        self, ctx: Context, record: Entity, *, gone: bool, changed: Collection[str] | None = None
    ) -> None:
        """Remember that a record's words changed; `write` does the rest once per transaction.

        `changed` names the fields that did; where none of them is searched, the words are what they were.
        """
        info = ctx.info(record)
        if changed is not None and not any(f.name in changed for f in info.search_fields):
            return
        pending = ctx.__dict__.setdefault("_search", {})
        pending[record.id] = None if gone else Entry(record.id, info.name, words_of(info, record))

    def write(self, ctx: Context) -> None:
        """Write the changed words into the transaction: one statement for the new, one for others, one for the gone."""
        pending = ctx.__dict__.pop("_search", None)
        if not pending:
            return
        changes = ctx.changes.changes if ctx.changes else ()
        created = {c.record_id for c in changes if c.kind == "create"}
        gone = [key for key, entry in pending.items() if entry is None and key not in created]
        if gone:
            ctx.connection.execute(delete(DOCUMENT).where(DOCUMENT.c.record_id.in_(gone)))
        # A new record has no document that could be in the way; one that says the same as before is left alone.
        replacing = _REPLACE_SQLITE if self.sqlite else _REPLACE_POSTGRES
        for is_new, statement in ((True, insert(DOCUMENT)), (False, replacing)):
            rows = [
                {"record_id": e.record_id, "entity": e.entity, "words": e.words}
                for e in pending.values()
                if e is not None and (e.record_id in created) is is_new
            ]
            if rows:
                ctx.connection.execute(statement, rows)

    # asking -----------------------------------------------------------------------------------------------------

    def predicate(
        self,
        info: EntityInfo,
        table: Any,
        query: str,
        *,
        hidden: frozenset[str] = frozenset(),
        visible: Callable[[FromClause], Sequence[ColumnElement[bool]]] = lambda _table: (),
    ) -> ColumnElement[bool]:
        """Give the predicate that a record's words hold every word of the query.

        The words of hidden classes are not looked at. A reading of the query counts where those before find nothing
        among the rows that are `visible`: a row that may not be seen must not show by what is not shown either.
        """
        open_to = marks([info], hidden)
        readings = asking.readings(query)
        if not readings or not open_to:
            return false()  # only signs that no word holds
        parts: list[Select[Any]] = []
        nothing: list[ColumnElement[bool]] = []
        for question in readings:
            found = self._records(info, question, open_to).where(*nothing)
            if question is readings[-1]:
                parts.append(found)
                break
            # Apart and once: a planner that hopes for many hits would rather walk through all records.
            hits = found.cte().prefix_with("MATERIALIZED")
            parts.append(select(hits.c.record_id))
            own = info.table
            seen = select(own.c.id).where(own.c.id == hits.c.record_id, *visible(own))
            nothing.append(~exists(seen.correlate(None)))
        either = union_all(*parts)
        if self.sqlite:
            return table.c.id.in_(either)  # type: ignore[no-any-return]
        return table.c.id == any_(func.array(either.scalar_subquery()))  # type: ignore[no-any-return]

    def _records(
        self, info: EntityInfo, question: asking.Question, marks: tuple[str, ...]
    ) -> Select[Any]:
        found = select(DOCUMENT.c.record_id).where(DOCUMENT.c.entity == info.name)
        match = self.match(question.need(marks))
        if self.sqlite:
            rowids = select(_FTS.c.rowid).where(_FTS.c.core_search_fts.op("MATCH")(match))
            found = found.where(DOCUMENT.c.id.in_(rowids))
        else:
            found = found.where(_matches(match))
        return found.where(*(self._whole(one) for one in question.asked if one.number))

    def _whole(self, one: asking.Word | asking.Either) -> ColumnElement[bool]:
        """Say that a number is there in one; the index knows its parts, which two numbers may add up to."""
        listed = self._listed(DOCUMENT.c.words)
        if isinstance(one, asking.Either):
            return or_(self._whole(one.whole), and_(*(contains(listed, p.text) for p in one.parts)))
        return or_(*(contains(listed, spelling) for spelling in (one.text, *one.spellings)))

    def _listed(self, words: ColumnElement[str]) -> ColumnElement[str]:
        return words if self.sqlite else func.array_to_string(func.tsvector_to_array(words), " ")

    def match(self, need: asking.Need) -> str:
        """Write a need in the language of the database, for the parameter `match` of `candidates`."""
        return asking.for_sqlite(need) if self.sqlite else asking.for_postgres(need)

    def candidates(self, most: int, scope: Scope) -> Select[Any]:
        """Give the statement for the newest documents that answer `match`: record, entity and words."""
        if self.sqlite:
            return (
                select(DOCUMENT.c.record_id, DOCUMENT.c.entity, DOCUMENT.c.words)
                .select_from(_FTS.join(DOCUMENT, DOCUMENT.c.id == _FTS.c.rowid))
                .where(_FTS.c.core_search_fts.op("MATCH")(bindparam("match")), scope(DOCUMENT))
                .order_by(_FTS.c.rowid.desc())
                .limit(most)
            )
        # Apart, or the planner would walk back through all documents in the hope to meet enough of them soon.
        hits = (
            select(DOCUMENT.c.id, DOCUMENT.c.record_id, DOCUMENT.c.entity)
            .where(_matches(bindparam("match")))
            .cte()
            .prefix_with("MATERIALIZED")
        )
        # In the list, not joined: the words are wanted of the few that are left at the end.
        words = (
            select(self._listed(DOCUMENT.c.words))
            .where(DOCUMENT.c.id == hits.c.id)
            .scalar_subquery()
        )
        return (
            select(hits.c.record_id, hits.c.entity, words)
            .where(scope(hits))
            .order_by(hits.c.id.desc())
            .limit(most)
        )


def _matches(asked: Any) -> ColumnElement[bool]:
    return DOCUMENT.c.words.op("@@")(cast(asked, postgresql.TSQUERY))


def _replacing(made: Any) -> Any:
    return made.on_conflict_do_update(
        index_elements=[DOCUMENT.c.record_id],
        set_={"words": made.excluded.words},
        where=DOCUMENT.c.words != made.excluded.words,
    )


_REPLACE_SQLITE = _replacing(sqlite.insert(DOCUMENT))
_REPLACE_POSTGRES = _replacing(postgresql.insert(DOCUMENT))
