"""Row rules as predicates: every query of every face asks here which rows it may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, exists, false, or_

from clientela.errors import Forbidden, Refusal
from clientela.filters import bind, parse
from clientela.filters.sql import Guard, to_sql
from clientela.i18n.texts import _
from clientela.ids import NOBODY

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo

# How far a record's parents are followed; a deeper chain of ownership would be a cycle.
DEPTH = 4


def visible(
    ctx: Context,
    info: EntityInfo,
    table: FromClause,
    *,
    verb: str = "read",
    trashed: bool | None = False,
) -> list[ColumnElement[bool]]:
    """Give what must hold of each row that this principal may reach with this verb.

    `trashed` False leaves the trash out, True shows only the trash, None shows both. A principal without the
    permission at all sees nothing; callers who want a refusal instead ask `ctx.require` first.
    """
    return [*in_trash(table, trashed=trashed), *reachable(ctx, info, table, verb=verb)]


def in_trash(table: FromClause, *, trashed: bool | None) -> list[ColumnElement[bool]]:
    """Give what holds outside the trash, in it, or nothing at all."""
    if trashed is None:
        return []
    return [table.c.deleted_at.is_not(None) if trashed else table.c.deleted_at.is_(None)]


def reachable(
    ctx: Context, info: EntityInfo, table: FromClause, *, verb: str, depth: int = DEPTH
) -> list[ColumnElement[bool]]:
    """Give the row rules alone: the scopes of roles, what guarding plugins add, and the parents' rules."""
    if ctx.principal.is_system:
        return []
    if not ctx.principal.can(info.permission(verb)):
        return [false()]
    if _is_open(ctx, info):
        return []
    predicates = _own(ctx, info, table, verb)
    rules = ctx.principal.scope_rules(info.name, verb)
    if rules is not None:
        predicates.append(or_(false(), *(_rule(ctx, info, table, rule) for rule in rules)))
    predicates += [
        p for p in ctx.hook.row_scope(ctx=ctx, entity=info, table=table, verb=verb) if p is not None
    ]
    if depth:
        predicates += _parents(ctx, info, table, depth)
    return predicates


def _own(ctx: Context, info: EntityInfo, table: FromClause, verb: str) -> list[ColumnElement[bool]]:
    """Keep to one's own records where an entity is private, as the entity itself says what that is."""
    if not info.private or ctx.can(info.permission("supervise")):
        return []
    return [info.cls.own_rows(ctx, table, verb)]


def _is_open(ctx: Context, info: EntityInfo) -> bool:
    """Say at once that no rule can apply: no role has scopes, no plugin guards rows, all parents may be read."""
    return (
        not ctx.principal.has_scopes
        and not (info.private and not ctx.can(info.permission("supervise")))
        and not ctx.app.hooks.anybody("row_scope")
        and all(
            ctx.principal.can(parent.permission("read")) and _is_open(ctx, parent)
            for parent in info.parents
        )
    )


def _parents(
    ctx: Context, info: EntityInfo, table: FromClause, depth: int
) -> list[ColumnElement[bool]]:
    """Hide what belongs to a record that is hidden."""
    predicates: list[ColumnElement[bool]] = []
    for declared in info.fields.values():
        target = declared.target
        if not declared.parent or target is None:
            continue
        other = ctx.table(target).alias()
        rules = reachable(ctx, target, other, verb="read", depth=depth - 1)
        if rules:
            here = table.c[declared.columns[0].name]
            found = exists().where(other.c.id == here, *rules)
            predicates.append(or_(here.is_(None), found) if declared.optional else found)
    return predicates


def _rule(ctx: Context, info: EntityInfo, table: FromClause, rule: str) -> ColumnElement[bool]:
    """Compile one rule of a role; a rule that cannot be read closes what it guarded."""
    try:
        node = parse(rule)
        if node is None:
            return false()
        bound = bind(node, info, now=ctx.now, today=ctx.today, me=ctx.principal.user or NOBODY)
    except Refusal as wrong:
        ctx.app.note(
            _(
                "A role's scope of {entity} cannot be read, so it shows no rows: {reason}",
                entity=info.name,
                reason=wrong.detail,
            )
        )
        return false()
    return to_sql(bound, table, table_of=ctx.table)


def guard(ctx: Context) -> Guard:
    """Give the guard for filters that walk through references."""

    def guarded(target: EntityInfo, table: FromClause) -> list[ColumnElement[bool]]:
        return visible(ctx, target, table)

    return guarded


def require_readable(ctx: Context, bound: Any) -> None:
    """Refuse a filter that looks at what this principal may not read: it would answer letter by letter."""
    for compare in _leaves(bound):
        for step in compare.steps:
            ctx.require(step.target.permission("read"))
        for looked_at in (*compare.steps, compare.field):
            if looked_at.field_class in ctx.principal.hidden_classes:
                raise Forbidden(
                    _(
                        "{field} is hidden from your roles, so it cannot be filtered or sorted by.",
                        field=looked_at.name,
                    )
                )


def _leaves(node: Any) -> list[Any]:
    parts = getattr(node, "parts", None)
    if parts is not None:
        return [leaf for part in parts for leaf in _leaves(part)]
    part = getattr(node, "part", None)
    if part is not None and not isinstance(part, str):
        return _leaves(part)
    return [node]
