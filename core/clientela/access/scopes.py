"""Row rules as predicates: every query of every face asks here which rows it may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, or_

from clientela.errors import Forbidden, Refusal
from clientela.filters import bind, parse
from clientela.filters.sql import Guard, to_sql
from clientela.i18n.texts import _
from clientela.ids import NOBODY

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo
    from clientela.fields import Field

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
    asked = {"ctx": ctx, "entity": info, "table": table, "verb": verb}
    predicates += [rule for _, rule in ctx.app.hooks.ask_sound("row_scope", _is_predicate, **asked)]
    if depth:
        predicates += _parents(ctx, info, table, depth)
    predicates += [_of_subject(ctx, declared, table, verb, depth) for declared in info.subjects]
    return predicates


def _own(ctx: Context, info: EntityInfo, table: FromClause, verb: str) -> list[ColumnElement[bool]]:
    """Keep to one's own records where an entity is private, as the entity itself says what that is."""
    if not info.private or ctx.can(info.permission("supervise")):
        return []
    return [info.cls.own_rows(ctx, table, verb)]


def _is_predicate(answer: object) -> bool:
    return isinstance(answer, ColumnElement)


def _is_open(ctx: Context, info: EntityInfo) -> bool:
    """Say at once that no rule can apply: no role has scopes, no plugin guards rows, all parents may be read."""
    return (
        not ctx.principal.has_scopes
        and not (info.private and not ctx.can(info.permission("supervise")))
        and not info.subjects
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
            here = declared.columns_in(table)[0]
            found = exists().where(other.c.id == here, *rules)
            predicates.append(or_(here.is_(None), found) if declared.optional else found)
    return predicates


def subject_verb(target: EntityInfo, verb: str) -> str:
    """Give what one must be able to do with a subject, to do this with what belongs to it.

    A ledger whose lines never change takes what belongs to them from whoever may write a line.
    """
    if verb in {"read", "export"}:
        return "read"
    return "create" if "update" not in target.verbs and "create" in target.verbs else "update"


def sees_all_subjects(ctx: Context, info: EntityInfo) -> bool:
    """Say whether this person may read all that this entity's records may belong to, whichever record it is."""
    if not info.subjects or ctx.principal.is_system:
        return False
    targets = (one for one in ctx.app.registry.entities.values() if not one.subjects)
    return all(ctx.can(one.permission("read")) and _is_open(ctx, one) for one in targets)


def _of_subject(
    ctx: Context, declared: Field, table: FromClause, verb: str, depth: int
) -> ColumnElement[bool]:
    """Show what belongs to records that may be reached, and nothing of an entity that is not there."""
    prefix, key = (table.c[column.name] for column in declared.columns)
    free: list[str] = []
    closed: list[ColumnElement[bool]] = []
    for target in ctx.app.registry.entities.values():
        wanted = subject_verb(target, verb)
        if target.subjects or not depth or not ctx.principal.can(target.permission(wanted)):
            continue
        rules: list[ColumnElement[bool]] = []
        if not _is_open(ctx, target):
            other = ctx.table(target).alias()
            rules = reachable(ctx, target, other, verb=wanted, depth=depth - 1)
        if rules:
            closed.append(and_(prefix == target.prefix, exists().where(other.c.id == key, *rules)))
        else:
            free.append(target.prefix)
    nothing = [prefix.is_(None)] if declared.optional else []
    return or_(prefix.in_(free), *closed, *nothing)


def _rule(ctx: Context, info: EntityInfo, table: FromClause, rule: str) -> ColumnElement[bool]:
    """Compile one rule of a role; a rule that cannot be read closes what it guarded."""
    try:
        node = parse(rule)
        if node is None:
            return false()
        bound = bind(
            node, ctx.info(info), now=ctx.now, today=ctx.today, me=ctx.principal.user or NOBODY
        )
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
