"""The roles a new deployment begins with; they are plain data afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clientela.access.entities import EVERYTHING, Role
from clientela.access.principal import system
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.app import App

# Nobody raises their own rights: who may do what, and which fields there are, is decided by an administrator. Deny
# wins over every other role, so an administrator is not an employee as well.
_NO_ACCESS_CONTROL = (
    "-core.user.create", "-core.user.update", "-core.user.trash", "-core.user.restore", "-core.user.set_password",
    "-core.role.*", "-core.token.*", "-core.custom_field.create", "-core.custom_field.update",
    "-core.custom_field.trash", "-core.custom_field.restore",
)  # fmt: skip

ROLES: tuple[dict[str, Any], ...] = (
    {"name": "administrator", "about": _("May do everything."), "permissions": [EVERYTHING]},
    {
        "name": "employee",
        "about": _("Works with all records; does not decide who may do what."),
        "permissions": [
            "*.read", "*.export", "*.create", "*.import", "*.update", "*.trash", "*.restore", *_NO_ACCESS_CONTROL,
        ],
    },
    {
        "name": "reader",
        "about": _("Looks at all records and changes none."),
        "permissions": ["*.read", "-core.role.*", "-core.token.*"],
    },
)  # fmt: skip


def seed_roles(app: App) -> None:
    """Create the roles that are missing; one that is there, even in the trash, stays as it is."""
    with app.acting_as(system("init"), face="init") as ctx:
        there = set(ctx.connection.scalars(select(Role.info.table.c.name)))
        create = app.registry.action(Role.info.permission("create"))
        for role in ROLES:
            if role["name"] not in there:
                ctx.run(create, data=role | {"about": ctx.show(role["about"])})
