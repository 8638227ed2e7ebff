"""The roles a deployment begins with."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from clientela.access.entities import Role
from clientela.access.principal import Principal, rules_of
from clientela.access.seed import seed_roles
from clientela.app import App
from clientela.storage import migrations


@pytest.fixture
def seeded(open_app: Any) -> App:
    app: App = open_app()
    migrations.upgrade(app)
    seed_roles(app)
    return app


def someone(app: App, *roles: str) -> Principal:
    table = Role.info.table
    with app.db.read() as connection:
        rows = connection.execute(select(table).where(table.c.name.in_(roles)))
        rules = rules_of(dict(row._mapping) for row in rows)
    return Principal(kind="user", id="usr_x", name="Anna", roles=rules)


ALLOWED = {
    "administrator": "core.user.create core.role.update core.token.issue core.customer.purge core.system.operate",
    "employee": "core.customer.read core.customer.export core.customer.create core.customer.import "
    "core.customer.update core.customer.trash core.customer.restore core.user.read sales.order.update",
    "reader": "core.customer.read core.user.read sales.order.read",
}
DENIED = {
    "administrator": "",
    "employee": "core.user.create core.user.update core.user.trash core.user.restore core.user.set_password "
    "core.role.read core.role.update core.token.read core.token.issue core.customer.purge core.system.operate",
    "reader": "core.customer.export core.customer.update core.role.read core.token.read core.token.issue",
}


@pytest.mark.parametrize("role", ["administrator", "employee", "reader"])
def test_a_role_allows_its_work_and_no_more(seeded: App, role: str) -> None:
    anna = someone(seeded, role)
    assert [p for p in ALLOWED[role].split() if not anna.can(p)] == []
    assert [p for p in DENIED[role].split() if anna.can(p)] == []


def test_only_the_administrator_touches_who_may_do_what(seeded: App) -> None:
    """Every permission there is, so that a new one is not given away unseen."""
    access = {
        p
        for p in seeded.registry.permissions
        if p.startswith(("core.user.", "core.role.", "core.token."))
    }
    assert {p for p in access if someone(seeded, "employee").can(p)} == {"core.user.read"}
    assert {p for p in access if someone(seeded, "reader").can(p)} == {"core.user.read"}


def test_seeding_again_changes_nothing_and_revives_nothing(seeded: App) -> None:
    from clientela.access.principal import SYSTEM

    def work(ctx: Any) -> None:
        key = ctx.connection.scalar(
            select(Role.info.table.c.id).where(Role.info.table.c.name == "reader")
        )
        ctx.run(seeded.registry.action("core.role.trash"), key)

    seeded.perform(SYSTEM, work, face="test")
    seed_roles(seeded)
    table = Role.info.table
    with seeded.db.read() as connection:
        assert connection.scalar(select(func.count()).select_from(table)) == 3
        assert (
            connection.scalar(select(table.c.deleted_at).where(table.c.name == "reader"))
            is not None
        )
        assert connection.scalar(select(table.c.created_by).limit(1)) == "system:init"
