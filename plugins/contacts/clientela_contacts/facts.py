"""What happens to employments and groups."""

from __future__ import annotations

from datetime import date

from clientela_sdk import Fact


class EmploymentEnded(Fact, plugin="contacts"):
    """A person left, or will leave, an organization."""

    employment_id: str
    person_id: str
    organization_id: str
    ended_on: date


class MembersAdded(Fact, plugin="contacts"):
    """Customers were taken into a group."""

    group_id: str
    customer_ids: tuple[str, ...]


class MembersRemoved(Fact, plugin="contacts"):
    """Customers were taken out of a group."""

    group_id: str
    customer_ids: tuple[str, ...]
