"""Nobody raises anybody, or a role, above themselves: asked before users and roles are written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clientela.access.entities import Role, User
from clientela.errors import FieldProblem, Forbidden, Invalid, did_you_mean
from clientela.hookspecs import hookimpl
from clientela.i18n import _

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity


@hookimpl
def record_saving(ctx: Context, record: Entity, before: dict[str, Any], created: bool) -> None:  # noqa: FBT001 - called by name
    """Refuse a user with roles, or a role with permissions, beyond those of who writes it."""
    if isinstance(record, User) and record.roles and (created or "roles" in before):
        check_roles(ctx, record.roles)
    if isinstance(record, Role) and (created or "permissions" in before):
        _refuse_beyond(ctx, record.name, record.permissions)
    if (
        isinstance(record, Role)
        and not created
        and {"scopes", "hidden_classes", "name"} & set(before)
    ):
        # A wider scope on a role one could not have written is as good as its permissions.
        _refuse_beyond(ctx, record.name, record.permissions)


def check_roles(ctx: Context, names: Iterable[str]) -> None:
    """Refuse roles that are not there, and roles that allow what the principal may not do."""
    table = Role.info.table
    known = {
        row.name: row.permissions
        for row in ctx.connection.execute(
            select(table.c.name, table.c.permissions).where(table.c.deleted_at.is_(None))
        )
    }
    for name in names:
        if name not in known:
            sentence = _("There is no role {name}.", name=repr(name[:60])) + did_you_mean(
                name, known
            )
            raise Invalid(sentence, [FieldProblem("/roles", "unknown-role", sentence)])
        _refuse_beyond(ctx, name, known[name])


def _refuse_beyond(ctx: Context, name: str, permissions: Iterable[str]) -> None:
    beyond = [p for p in permissions if not p.startswith("-") and not ctx.can(p)]
    if beyond:
        raise Forbidden(
            _(
                "The role {name} allows {permission}, which you may not do yourself.",
                name=name,
                permission=beyond[0],
            )
        )
