"""What is done with a view beyond the plain verbs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from clientela.actions import action
from clientela.context import Context
from clientela.schemas import Input
from clientela.views.entities import SavedView
from clientela.views.guards import SHARE


class Sharing(Input):
    """Who is to see a view."""

    sharing: Literal["mine", "team", "shared"] = Field(description="Who sees it.")
    team: list[str] = Field(
        default_factory=list, max_length=50, description="The roles of a team view."
    )


@action(SHARE, on=SavedView)
def share(ctx: Context, view: SavedView, data: Sharing) -> SavedView:
    """Show a view to everybody, to some roles, or to its owner alone."""
    del ctx
    view.sharing, view.team = data.sharing, data.team
    return view
