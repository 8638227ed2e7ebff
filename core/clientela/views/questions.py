"""From a saved view to the question it asks, with the rights of whoever looks through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, select

from clientela import ids
from clientela.access.principal import SYSTEM
from clientela.access.scopes import require_readable, visible
from clientela.context import Context
from clientela.custom.loading import entity_within
from clientela.errors import (
    BadSyntax,
    Conflict,
    FieldProblem,
    Forbidden,
    Invalid,
    NotFound,
    Refusal,
    did_you_mean,
)
from clientela.filters import And, bind, parse
from clientela.i18n.texts import _
from clientela.query import Question, shape_of, sort_keys, words
from clientela.views.entities import SavedView
from clientela.views.layouts import named_fields

if TYPE_CHECKING:
    from clientela.entity import EntityInfo

_TIMES = frozenset({"day", "instant"})


class ViewBroken(Conflict):
    """A saved view names what is no longer there."""

    code = "view-broken"
    title = _("This view is broken")


def find_view(ctx: Context, name: str, entity: str = "") -> Any:
    """Find a view by its id or name: one's own come first, then those of one's roles, then those for everybody."""
    info, table = SavedView.info, SavedView.info.table
    ctx.require(info.permission("read"))
    key = ids.parse_key(name, info.prefix) if "_" in name else None
    mine = [table.c.id == key] if key else [table.c.name == name]
    if entity and not key:
        mine.append(table.c.entity == entity)
    nearness = case(
        (table.c.owner_id == (ctx.principal.user or ids.NOBODY), 0),
        (table.c.sharing == "team", 1),
        (table.c.sharing == "shared", 2),
        else_=3,
    )
    query = select(table).where(*mine, *visible(ctx, info, table))
    rows = ctx.connection.execute(query.order_by(nearness, table.c.position, table.c.id)).all()
    if not rows:
        raise NotFound(
            _("There is no saved view {name}.", name=repr(name[:60])) + _nearest(ctx, name, entity)
        )
    if len({row.entity for row in rows}) > 1:
        several = ", ".join(f"{row.entity} {info.public_id(row.id)}" for row in rows[:5])
        raise Conflict(_("Several views are called {name}: {views}.", name=name, views=several))
    return rows[0]


def _nearest(ctx: Context, name: str, entity: str) -> str:
    table = SavedView.info.table
    mine = [table.c.entity == entity] if entity else []
    query = select(table.c.name).where(*mine, *visible(ctx, SavedView.info, table))
    return did_you_mean(name, ctx.connection.scalars(query.limit(1_000)))


def over_view(ctx: Context, info: EntityInfo, question: Question, name: str) -> Question:
    """Put a question over that of a saved view.

    Both filters hold: what is typed narrows what the view shows, as a search does, and the view's own rule never
    vanishes unseen. Order, fields and references are those of the question where it names any.
    """
    view = find_view(ctx, name, info.name)
    if view.entity != info.name:
        sentence = _("{name} is a view of {entity}.", name=name, entity=view.entity)
        raise BadSyntax(sentence, [FieldProblem("/view", "bad-parameter", sentence)])
    kept = question_of(ctx, view)
    both = tuple(node for node in (kept.filter, question.filter) if node is not None)
    return replace(
        question,
        filter=And(both) if len(both) > 1 else next(iter(both), None),
        sort=question.sort or kept.sort,
        fields=question.fields or kept.fields,
        expand=question.expand or kept.expand,
    )


def question_of(ctx: Context, view: Any) -> Question:
    """Give the question of a view; one that names what is gone is refused with how to mend it.

    Columns and references that are hidden from the reader are left out. Filter and order are kept as they are, so that
    the list refuses what the reader could not have asked.
    """
    broken = problems_of(ctx, view)
    if broken:
        public = SavedView.info.public_id(view.id)
        reasons = " ".join(str(problem.detail) for problem in broken[:3])
        raise ViewBroken(
            _("The view {name} is broken: {reasons}", name=repr(view.name), reasons=reasons),
            broken,
            extra={"view": public, "fix": f"clientela view edit {public} --help"},
        )
    info = ctx.app.registry.entity(view.entity)
    columns, expand = words(view.columns or ""), words(view.expand or "")
    seen = tuple(path for path in columns if _may_see(ctx, info, (path,), ()))
    return Question(
        filter=parse(view.filter or ""),
        sort=view.sort or "",
        # A view of nothing but hidden columns must not turn into one of all columns.
        fields=seen or (("id",) if columns else ()),
        expand=tuple(path for path in expand if _may_see(ctx, info, (), (path,))),
    )


def _may_see(
    ctx: Context, info: EntityInfo, fields: tuple[str, ...], expand: tuple[str, ...]
) -> bool:
    try:
        shape_of(ctx, info, fields, expand)
    except Refusal:
        return False
    return True


# what a view names --------------------------------------------------------------------------------------------------


def problems_of(ctx: Context, view: Any) -> list[FieldProblem]:
    """Say what of a view is not there, whoever asks: hidden is not broken."""
    try:
        info = ctx.app.registry.entity(view.entity)
    except NotFound as unknown:
        return [FieldProblem("/entity", "unknown-entity", unknown.detail)]
    everything = Context(ctx.app, SYSTEM, ctx.connection, face=ctx.face, writing=False)
    return [problem for name in CHECKS for problem in _problems(everything, info, view, name)]


def _problems(ctx: Context, info: EntityInfo, view: Any, name: str) -> Iterator[FieldProblem]:
    try:
        CHECKS[name](ctx, info, view)
    except Forbidden:
        raise
    except Refusal as wrong:
        first = wrong.errors[0] if wrong.errors else None
        allowed = first.allowed if first else ()
        pointer = first.pointer if first and first.pointer.startswith("/options") else f"/{name}"
        yield FieldProblem(
            pointer, first.code if first else wrong.code, wrong.detail, None, allowed
        )


def refuse_unfit(ctx: Context, view: SavedView) -> None:
    """Refuse a view that its entity does not answer, or that its author could not ask."""
    try:
        info = entity_within(ctx, view.entity)
    except NotFound as unknown:
        problem = FieldProblem("/entity", "unknown-entity", unknown.detail)
        raise Invalid(unknown.detail, [problem]) from None
    ctx.require(info.permission("read"))
    problems = [problem for name in CHECKS for problem in _problems(ctx, info, view, name)]
    if problems:
        raise Invalid(problems[0].detail, problems)


def _filter(ctx: Context, info: EntityInfo, view: Any) -> None:
    node = parse(view.filter or "")
    if node is not None:
        require_readable(ctx, bind(node, info, now=ctx.now, today=ctx.today, me=ids.NOBODY))


def _sort(ctx: Context, info: EntityInfo, view: Any) -> None:
    sort_keys(ctx, info, view.sort or "")


def _columns(ctx: Context, info: EntityInfo, view: Any) -> None:
    shape_of(ctx, info, words(view.columns or ""), ())


def _expand(ctx: Context, info: EntityInfo, view: Any) -> None:
    shape_of(ctx, info, (), words(view.expand or ""))


def _options(ctx: Context, info: EntityInfo, view: Any) -> None:
    named = named_fields(view.layout, view.options)
    try:
        shape_of(ctx, info, tuple(named), ())
    except Invalid as wrong:
        raise Invalid(
            wrong.detail, [replace(one, pointer="/options") for one in wrong.errors]
        ) from None
    if view.layout == "calendar" and info.fields[named[0]].kind.name not in _TIMES:
        sentence = _("{field} is neither a day nor a moment.", field=named[0])
        raise Invalid(sentence, [FieldProblem("/options/on", "invalid", sentence)])


CHECKS: dict[str, Callable[[Context, EntityInfo, Any], None]] = {
    "filter": _filter,
    "sort": _sort,
    "columns": _columns,
    "expand": _expand,
    "options": _options,
}
