"""What holds of employments, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

LONGEST = 200


@dataclass(frozen=True)
class Job:
    """What a business card says of where somebody works."""

    organization: str
    department: str
    title: str


def job_of(organization: str, units: Sequence[str], title: str) -> Job | None:
    """Make a job of what a card says; None when it names no organization, or says more than we have room for.

    >>> job_of("Roof & Sons", ["Sales", "North"], "Manager").department
    'Sales / North'
    """
    parts = (organization, " / ".join(filter(None, (" ".join(one.split()) for one in units))), title)  # fmt: skip
    job = Job(*(" ".join(part.split()) for part in parts))
    fits = max(map(len, (job.organization, job.department, job.title))) <= LONGEST
    return job if job.organization and fits else None


def org_parts(organization: str, department: str) -> list[str]:
    """Give the components by which a card names an organization."""
    return [organization, department] if department else [organization]


def is_current(ended_on: date | None, today: date) -> bool:
    """Say whether somebody still works there: the last day counts.

    >>> is_current(date(2026, 1, 31), date(2026, 1, 31)), is_current(None, date(2026, 1, 31))
    (True, True)
    """
    return ended_on is None or ended_on >= today


def is_in_order(started_on: date | None, ended_on: date | None) -> bool:
    """Say whether a period does not end before it begins; what is not known is in order."""
    return started_on is None or ended_on is None or started_on <= ended_on
