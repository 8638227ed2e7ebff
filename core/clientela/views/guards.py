"""What must hold before a view is kept: it can be asked, its name is free, and its author may share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select

from clientela.access.entities import Role
from clientela.errors import Conflict, FieldProblem, Invalid, did_you_mean
from clientela.hookspecs import hookimpl
from clientela.i18n.texts import _
from clientela.views.entities import SavedView
from clientela.views.questions import CHECKS, refuse_unfit

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity

SHARE = "core.saved_view.share"
ASKED = frozenset({"entity", "layout", *CHECKS})


@hookimpl
def record_saving(ctx: Context, record: Entity, before: dict[str, Any], created: bool) -> None:  # noqa: FBT001 - called by name
    """Check a view against its entity, the other views and the roles there are."""
    if not isinstance(record, SavedView) or record.deleted_at is not None:
        return
    if record.sharing == "mine" and (created or "sharing" in before):
        _refuse_nobodys(ctx, record)
    if created or ASKED & before.keys():
        refuse_unfit(ctx, record)
    if created or {"name", "sharing", "deleted_at"} & before.keys():
        _refuse_taken(ctx, record)
    if record.sharing != "mine" and (created or {"sharing", "team"} & before.keys()):
        ctx.require(SHARE)
        _refuse_unknown_roles(ctx, record.team)


def _refuse_nobodys(ctx: Context, view: SavedView) -> None:
    """Refuse a view that not even its author would see: a program has no views of its own."""
    if view.owner_id is None and not ctx.can(SavedView.info.permission("supervise")):
        sentence = _("Only a person has views of their own; share this one.")
        raise Invalid(sentence, [FieldProblem("/sharing", "invalid", sentence)])


def _refuse_taken(ctx: Context, view: SavedView) -> None:
    """Refuse a name that its readers would find twice: among one's own, or among what others see."""
    table = SavedView.info.table
    mine = and_(table.c.owner_id == view.owner_id, table.c.owner_id.is_not(None))
    clash = mine if view.sharing == "mine" else or_(mine, table.c.sharing != "mine")
    query = select(table.c.id).where(
        table.c.entity == view.entity, table.c.name == view.name, table.c.id != view.id,
        table.c.deleted_at.is_(None), clash,
    )  # fmt: skip
    if ctx.connection.execute(query).first() is not None:
        sentence = _(
            "{entity} has a view {name} already.", entity=view.entity, name=repr(view.name)
        )
        raise Conflict(sentence, [FieldProblem("/name", "taken", sentence)])


def _refuse_unknown_roles(ctx: Context, names: list[str]) -> None:
    table = Role.info.table
    known = set(ctx.connection.scalars(select(table.c.name).where(table.c.deleted_at.is_(None))))
    for name in names:
        if name not in known:
            sentence = _("There is no role {name}.", name=repr(name[:60])) + did_you_mean(
                name, known
            )
            raise Invalid(sentence, [FieldProblem("/team", "unknown-role", sentence)])
