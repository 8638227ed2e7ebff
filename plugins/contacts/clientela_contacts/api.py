"""What neighbours may use of contacts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from clientela_contacts.actions import add_members, end, remove_members
from clientela_contacts.entities import Employment, Group, Membership
from clientela_contacts.facts import EmploymentEnded, MembersAdded, MembersRemoved
from clientela_contacts.schemas import EndEmployment, Members
from clientela_sdk import Context, visible

__all__ = [
    "Employment",
    "EmploymentEnded",
    "EndEmployment",
    "Group",
    "Members",
    "MembersAdded",
    "MembersRemoved",
    "Membership",
    "add_members",
    "current_employments",
    "end",
    "find_group",
    "remove_members",
]


def current_employments(ctx: Context, person_id: str) -> Sequence[Employment]:
    """List where a person works today, the primary employment first."""
    query = select(Employment).where(
        Employment.person_id == person_id,
        *visible(ctx, Employment.info, Employment.info.table),
    )
    found = [one for one in ctx.session.execute(query).scalars() if one.is_current(ctx.today)]
    return sorted(found, key=lambda one: (not one.primary, one.id))


def find_group(ctx: Context, name: str) -> Group | None:
    """Find a group by its name."""
    query = select(Group).where(Group.name == name, *visible(ctx, Group.info, Group.info.table))
    return ctx.session.execute(query).scalar_one_or_none()
