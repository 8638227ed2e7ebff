"""Commands that other distributions bring for a group of ours, as the sdk does for those who write plugins.

They are entry points in the group `clientela.commands.GROUP`: the core imports neither the sdk nor a plugin, and a
deployment may do without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PREFIX = "clientela.commands."


def tools(group: str = "") -> list[EntryPoint]:
    """List the commands for a group, or for all; none is imported."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - help must be quick

    return [
        point
        for found in sorted(entry_points().groups)
        if found.startswith(PREFIX) and group in ("", found.removeprefix(PREFIX))
        for point in entry_points(group=found)
    ]


def packages() -> list[str]:
    """List the packages that bring commands, and so words."""
    return sorted({point.module.partition(".")[0] for point in tools()})
