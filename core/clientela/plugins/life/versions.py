"""Whether what is installed fits: the versions that a distribution asks for, and those the database has seen."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from clientela.i18n.texts import _


def unmet(distribution: str) -> list[str]:
    """Say which of the packages a distribution needs are missing, or are there in another version."""
    try:
        said = [Requirement(one) for one in requires(distribution) or ()]
    except PackageNotFoundError:
        return []
    wanted = [one for one in said if one.marker is None or one.marker.evaluate({"extra": ""})]
    return [sentence for one in wanted if (sentence := _problem(distribution, one))]


def _problem(distribution: str, wanted: Requirement) -> str:
    try:
        there = version(wanted.name)
    except PackageNotFoundError:
        return _(
            "{distribution} needs {wanted}, which is not installed.",
            distribution=distribution,
            wanted=wanted,
        )
    if wanted.specifier.contains(there, prereleases=True):
        return ""
    return _(
        "{distribution} needs {wanted}, but {there} is installed.",
        distribution=distribution,
        wanted=wanted,
        there=f"{wanted.name} {there}",
    )


def is_older(there: str, seen: str) -> bool:
    """Say whether an installed version is older than the one that the database has seen.

    >>> is_older("1.9", "1.10"), is_older("2.0", "1.10"), is_older("", "1.0")
    (True, False, False)
    """
    try:
        return Version(there) < Version(seen)
    except InvalidVersion:
        return False
