"""What the actions take."""

from __future__ import annotations

from pydantic import Field

from clientela_sdk import CustomerId, Day, Input

MOST_MEMBERS = 1_000


class EndEmployment(Input):
    """When an employment ends."""

    ended_on: Day | None = Field(default=None, description="The last day; today when left out.")


class Members(Input):
    """Which customers."""

    customers: list[CustomerId] = Field(
        min_length=1, max_length=MOST_MEMBERS, description="Up to 1,000 ids of customers."
    )
