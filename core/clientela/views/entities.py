"""A saved view: which records, in which order, with which columns, laid out how, and for whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, FromClause, and_, false, or_
from sqlalchemy.orm import Mapped

from clientela.entity import Entity
from clientela.errors import FieldProblem, Invalid
from clientela.fields import boolean, choice, integer, json, owner, tags, text
from clientela.i18n.texts import _
from clientela.views.layouts import LAYOUTS, read_options

if TYPE_CHECKING:
    from clientela.context import Context

SHARING = {"mine": "Mine", "team": "Team", "shared": "Shared"}

# Small letters of any script: the name stands in addresses and on command lines.
NAME = re.compile(r"[^\W_]+(-[^\W_]+)*")


class SavedView(
    Entity,
    plugin="core",
    label="Saved view",
    phrase="saved view",
    prefix="svw",
    private=True,
):
    """A list that is kept under a name."""

    entity: Mapped[str] = text(
        max_length=120, priority=1, sort=True, immutable=True, help="Such as core.customer."
    )
    name: Mapped[str] = text(
        max_length=80, priority=2, sort=True, help="Small letters and digits, such as hot-leads."
    )
    label: Mapped[str | None] = text(max_length=120, help="What people read.")
    description: Mapped[str | None] = text(max_length=500, help="What the view is for.")
    filter: Mapped[str | None] = text(
        max_length=8_000, priority=3, filter=False, help="Which records: country = RU."
    )
    sort: Mapped[str | None] = text(
        max_length=400, priority=4, filter=False, help="In which order: -created_at,name."
    )
    columns: Mapped[str | None] = text(
        max_length=4_000, filter=False, help="Which fields: name,owner.name."
    )
    expand: Mapped[str | None] = text(
        max_length=400, filter=False, help="Which references are opened: owner."
    )
    layout: Mapped[str] = choice({one: one.capitalize() for one in LAYOUTS}, default="list")
    options: Mapped[Any] = json(
        default_factory=dict, help=_('What the layout takes: {{"by": "kind"}}.')
    )
    sharing: Mapped[str] = choice(SHARING, default="mine", priority=5, help="Who sees it.")
    team: Mapped[list[str]] = tags(help="The roles that see it, where it is for a team.")
    position: Mapped[int] = integer(
        at_least=0, at_most=10_000, default=1_000, sort=True, help="Its place among the others."
    )
    pinned: Mapped[bool] = boolean(default=False, help="It comes before the others.")
    owner_id: Mapped[str | None] = owner(read_only=True)

    def check(self) -> None:
        """Refuse a name that no address could hold, options of another layout, and a team without roles."""
        if not NAME.fullmatch(self.name) or self.name != self.name.lower():
            raise _bad(
                "name",
                _("The name of a view has small letters, digits and single dashes: hot-leads."),
            )
        if (self.sharing == "team") != bool(self.team):
            raise _bad("team", _("A view for a team names its roles, and no other view does."))
        read_options(self.layout, self.options)

    @classmethod
    def own_rows(cls, ctx: Context, table: FromClause, verb: str) -> ColumnElement[bool]:
        """Show what is shared, what is for one's roles, and one's own; only one's own may be changed.

        Whoever may share views may also change those that others shared.
        """
        own = super().own_rows(ctx, table, verb)
        if verb not in {"read", "export"} and not ctx.can("core.saved_view.share"):
            return own
        team = cls.info.fields["team"].kind
        roles = [team.sql("has", [table.c.team], role.name) for role in ctx.principal.roles]
        return or_(
            own, table.c.sharing == "shared", and_(table.c.sharing == "team", or_(false(), *roles))
        )


def _bad(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, [FieldProblem(f"/{name}", "invalid", sentence)])
