"""Nobody raises anybody, or a role, above themselves: asked before users and roles are written."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clientela.access.entities import Role, User
from clientela.access.principal import RoleRules, rules_of
from clientela.custom.loading import entity_within
from clientela.errors import FieldProblem, Forbidden, Invalid, Refusal, did_you_mean
from clientela.filters import bind, parse
from clientela.hookspecs import hookimpl
from clientela.i18n import _
from clientela.ids import NOBODY

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity


@hookimpl
def record_saving(ctx: Context, record: Entity, before: dict[str, Any], created: bool) -> None:  # noqa: FBT001 - called by name
    """Refuse a user with roles, or a role with permissions, beyond those of who writes it."""
    if isinstance(record, User) and record.roles and (created or "roles" in before):
        check_roles(ctx, record.roles)
    # A wider scope or a shown field of a role is as good as its permissions; a name may be that of another role.
    told = {"permissions", "scopes", "hidden_classes", "name"}
    if isinstance(record, Role) and (created or told & before.keys()):
        _refuse_beyond(ctx, rules_of([{name: record.get(name) for name in told}])[0])
        _check_scopes(ctx, record.scopes, before.get("scopes") or {})


def _check_scopes(ctx: Context, scopes: dict[str, str], before: dict[str, str]) -> None:
    """Refuse a rule for an entity that is not there, which would guard nothing, or that does not fit its entity."""
    for name, rule in scopes.items():
        if before.get(name) == rule:
            continue  # it may be of a plugin that is disabled just now
        try:
            node = parse(rule)
            if node is not None:
                bind(node, entity_within(ctx, name), now=ctx.now, today=ctx.today, me=NOBODY)
        except Refusal as wrong:
            raise Invalid(
                wrong.detail, [FieldProblem("/scopes", "invalid", wrong.detail)]
            ) from None


def check_roles(ctx: Context, names: Iterable[str]) -> None:
    """Refuse roles that are not there, and roles that allow what the principal may not do."""
    table = Role.info.table
    found = ctx.connection.execute(
        select(table.c.name, table.c.permissions, table.c.scopes, table.c.hidden_classes).where(
            table.c.deleted_at.is_(None)
        )
    )
    known = {role.name: role for role in rules_of(dict(row) for row in found.mappings())}
    for name in names:
        if name not in known:
            sentence = _("There is no role {name}.", name=repr(name[:60])) + did_you_mean(
                name, known
            )
            raise Invalid(sentence, [FieldProblem("/roles", "unknown-role", sentence)])
        _refuse_beyond(ctx, known[name])


def _refuse_beyond(ctx: Context, role: RoleRules) -> None:
    beyond = ctx.principal.beyond(role, ctx.app.registry.permissions)
    if beyond is not None:
        raise Forbidden(
            _(
                "The role {name} allows {permission}, which you may not do yourself.",
                name=role.name,
                permission=beyond,
            )
        )


def narrowed(ctx: Context, asked: list[str] | None) -> list[str] | None:
    """Keep a token that was issued with a token within what that one was narrowed to."""
    own = ctx.principal.narrowed
    if own is None or asked is None:
        return asked if own is None else list(own)
    for permission in asked:
        if not any(fnmatchcase(permission, pattern) for pattern in own):
            raise Forbidden(
                _("Your own token does not reach as far as {permission}.", permission=permission)
            )
    return asked
