"""Commands that other distributions bring for a group of ours, as the sdk does for those who write plugins.

They are entry points in the group `clientela.commands.GROUP`: the core imports neither the sdk nor a plugin, and a
deployment may do without them.
"""

from __future__ import annotations

import ast
from pathlib import Path
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


def about(point: EntryPoint) -> str:
    """Give the docstring of a command, read from its file: what it needs may be slow to import, and help is quick."""
    from importlib.util import find_spec  # noqa: PLC0415 - help must be quick

    top, *rest = point.module.split(".")
    spec = find_spec(top)
    for place in (spec and spec.submodule_search_locations) or ():
        file = Path(place, *rest).with_suffix(".py")
        if rest and file.is_file():
            return _docstring(file.read_text("utf-8"), point.attr)
    return ""


def _docstring(source: str, name: str) -> str:
    r"""Find what a function says of itself.

    >>> _docstring('def greet():\n    "Say hello."', "greet")
    'Say hello.'
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return ast.get_docstring(node) or ""
    return ""


def packages() -> list[str]:
    """List the packages that bring commands, and so words."""
    return sorted({point.module.partition(".")[0] for point in tools()})
