"""The global search: over every kind of record that the principal may read, the best first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, FromClause, Select, bindparam, or_, select

from clientela.access.principal import Principal
from clientela.access.scopes import sees_all_subjects, visible
from clientela.entity import Entity, EntityInfo
from clientela.errors import BadSyntax, FieldProblem
from clientela.fields import Field
from clientela.i18n.texts import _
from clientela.search import asking, ranking, snippets
from clientela.search.documents import marks, names_of, sources, values_in
from clientela.search.snippets import Piece
from clientela.search.words import CLASSES

if TYPE_CHECKING:
    from clientela.context import Context

DEFAULT_LIMIT = 20
MOST_HITS = 200


@dataclass(frozen=True)
class Hit:
    """A record that was found: `snippet` is the text of `field` around the words, each piece with whether it is one."""

    entity: str
    id: str
    title: str
    field: str
    snippet: list[Piece]
    score: float

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "entity": self.entity, "id": self.id, "title": self.title, "field": self.field,
            "snippet": [{"text": text, "hit": hit} for text, hit in self.snippet], "score": self.score,
        }  # fmt: skip


class _Found(NamedTuple):
    score: float
    key: str
    info: EntityInfo


def find(
    ctx: Context,
    query: str,
    *,
    entities: Sequence[EntityInfo | type[Entity] | str] | None = None,
    limit: int = DEFAULT_LIMIT,
) -> list[Hit]:
    """Find records by their words and give the best hits: of the entities named, or of all that may be read.

    What stands in fields of a class that is hidden from the principal neither finds a record nor is shown of it.
    Each reading of the words (see `asking.readings`) is tried when those before found nothing. That is one statement
    for a reading, two more where it answers with too much, and one for each kind of record that is shown.
    """
    if not 1 <= limit <= MOST_HITS:
        sentence = _("limit is a number from 1 to {most}.", most=MOST_HITS)
        raise BadSyntax(sentence, [FieldProblem("/limit", "bad-parameter", sentence)])
    if ctx.past is not None:
        sentence = _("A search looks at the present; leave out as_of.")
        raise BadSyntax(sentence, [FieldProblem("/as_of", "bad-parameter", sentence)])
    infos = _searched(ctx, entities)
    for question in asking.readings(query) if infos else ():
        found = _ranked(ctx, infos, question)
        if found:
            return _shown(ctx, question, found, limit)
    return []


def _searched(
    ctx: Context, entities: Sequence[EntityInfo | type[Entity] | str] | None
) -> list[EntityInfo]:
    registry = ctx.app.registry
    if entities is None:
        return [
            i for i in registry.entities.values() if sources(i) and ctx.can(i.permission("read"))
        ]
    infos = [
        registry.entity(one)
        if isinstance(one, str)
        else one
        if isinstance(one, EntityInfo)
        else one.info
        for one in entities
    ]
    for info in infos:
        ctx.require(info.permission("read"))
        if not sources(info):
            sentence = _("{nouns} have no fields to search in; use a filter.", nouns=info.heading)
            raise BadSyntax(sentence, [FieldProblem("/entity", "bad-parameter", sentence)])
    return list(dict.fromkeys(infos))


# finding --------------------------------------------------------------------------------------------------------------

_Row = tuple[str, str, str]


def _ranked(ctx: Context, infos: list[EntityInfo], question: asking.Question) -> list[_Found]:
    """Give the records that answer, the best first and of equals the newest."""
    seen = marks(infos, ctx.principal.hidden_classes)
    if not seen:
        return []
    rows = _candidates(ctx, infos, question, seen)
    by_name = {info.name: info for info in infos}
    found = [
        _Found(score, key, by_name[entity])
        for key, entity, document in rows
        if (score := ranking.score(question, document, seen))
    ]
    return sorted(found, key=lambda one: one[:2], reverse=True)


def _candidates(
    ctx: Context, infos: list[EntityInfo], question: asking.Question, seen: tuple[str, ...]
) -> Iterable[_Row]:
    """Give the newest documents that answer; of very many, those first that answer in their name."""
    search = ctx.app.search
    # Whoever may read all that they can belong to has the same rules for them at all times.
    standing = [info for info in infos if sees_all_subjects(ctx, info)]
    others = [info for info in infos if info not in standing]
    closed = {info: rules for info in others if (rules := _rules(ctx, info))}
    free = tuple(info.name for info in others if info not in closed)

    def build(more: Sequence[Any]) -> Select[Any]:
        always = [(info, _rules(ctx, info)) for info in standing]
        return search.candidates(MOST_HITS + 1, partial(_scope, free, [*always, *more]))

    key = ("search", free, tuple(info.name for info in standing))
    statement = ctx.app.statement(key, list(closed.items()), build)

    def ask(need: asking.Need) -> dict[str, _Row]:
        rows = ctx.connection.execute(statement, {"match": search.match(need)}).fetchall()
        return {row[0]: (row[0], row[1], row[2]) for row in rows}

    found = ask(question.need(seen))
    if len(found) > MOST_HITS:
        for begins in (True, False):
            found |= ask(question.need_in_names(seen, begins=begins))
    return found.values()


def _rules(ctx: Context, info: EntityInfo) -> list[ColumnElement[bool]]:
    """Give the row rules of an entity; what is in the trash has no document."""
    if not ctx.app.hooks.anybody("row_scope") and _is_open(ctx.principal, info):
        return []
    return visible(ctx, info, info.table, trashed=None)


_open: WeakKeyDictionary[Principal, dict[EntityInfo, bool]] = WeakKeyDictionary()


def _is_open(principal: Principal, info: EntityInfo) -> bool:
    """Say whether every row may be read by this principal, as `visible` would find out at some cost."""
    known = _open.setdefault(principal, {})
    if info not in known:
        known[info] = False  # of a parent that is met again on the way
        known[info] = (
            principal.can(info.permission("read"))
            and principal.scope_rules(info.name, "read") is None
            and not info.subjects
            and all(
                _is_open(principal, f.target)
                for f in info.fields.values()
                if f.parent and f.target is not None
            )
        )
    return known[info]


def _scope(
    free: tuple[str, ...],
    closed: Sequence[tuple[EntityInfo, list[ColumnElement[bool]]]],
    documents: FromClause,
) -> ColumnElement[bool]:
    """Give what must hold of a document: it is of a kind that may be read, and its record is within the row rules."""
    entity, key = documents.c.entity, documents.c.record_id
    return or_(
        entity.in_(free),
        *((entity == info.name) & _is_within(info, key, rules) for info, rules in closed),
    )


def _is_within(info: EntityInfo, key: Any, rules: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    # No EXISTS: PostgreSQL would look through the whole table for the few hits there are.
    own = info.table.c.id
    return select(own).where(own == key, *rules).limit(1).scalar_subquery().is_not(None)


# showing --------------------------------------------------------------------------------------------------------------


def _shown(ctx: Context, question: asking.Question, found: list[_Found], limit: int) -> list[Hit]:
    shown: list[Hit] = []
    place = 0
    # A document may outlive its row for a moment; then the next one moves up, without another statement as a rule.
    while len(shown) < limit and place < len(found):
        part = found[place : place + limit - len(shown)]
        place += len(part)
        texts = _texts(ctx, part)
        shown += [_hit(ctx, question, one, texts[one.key]) for one in part if one.key in texts]
    return shown


def _texts(ctx: Context, found: list[_Found]) -> dict[str, dict[Field, Any]]:
    """Load what is shown of some records: one statement for each kind, with the row rules once more."""
    texts: dict[str, dict[Field, Any]] = {}
    for info in dict.fromkeys(one.info for one in found):
        fields = _fields(info, ctx.principal.hidden_classes)
        query = ctx.app.statement(
            ("search", info, tuple(f.name for f in fields)),
            _rules(ctx, info),
            partial(_loading, info, fields),
        )
        keys = [one.key for one in found if one.info is info]
        for row in ctx.connection.execute(query, {"keys": keys}):
            texts[row[0]] = {
                declared: value
                for declared, value in values_in(fields, row[1:])
                if value not in (None, "", [])
            }
    return texts


def _loading(
    info: EntityInfo, fields: list[Field], rules: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    table = info.table
    columns = [column for declared in fields for column in declared.selected_in(table)]
    these = table.c.id.in_(bindparam("keys", expanding=True))
    return select(table.c.id, *columns).where(these, table.c.deleted_at.is_(None), *rules)


def _fields(info: EntityInfo, hidden: frozenset[str]) -> list[Field]:
    """Give the searched fields that may be shown, first those that say what the record is called."""
    ordered = dict.fromkeys([*names_of(info), *(source.field for source in sources(info))])
    return [f for f in ordered if f.field_class in CLASSES and f.field_class not in hidden]


def _hit(ctx: Context, question: asking.Question, found: _Found, texts: dict[Field, Any]) -> Hit:
    public = found.info.public_id(found.key)
    title = next((f.kind.format(value, ctx.language) for f, value in texts.items()), "")
    best: tuple[int, str, list[Piece]] = (-1, "", [])
    for declared, value in texts.items():
        cut = snippets.pieces(question, declared.kind.search_text(value))
        hits = sum(hit for _text, hit in cut)
        if hits > best[0]:
            best = (hits, declared.name, cut)
        if hits >= len(question.asked):
            break
    return Hit(found.info.name, public, title[:200] or public, best[1], best[2], found.score)
