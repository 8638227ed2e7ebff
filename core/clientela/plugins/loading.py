"""Importing the card of a plugin, and saying in a sentence why that was not possible."""

from __future__ import annotations

import sys
import traceback
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from clientela.errors import Misconfigured, Refusal
from clientela.i18n.texts import _
from clientela.plugins.card import Plugin
from clientela.plugins.discovery import GROUP, Found, found


def installed_cards() -> list[Plugin]:
    """Import the cards of all installed plugins; one that cannot be imported is an error."""
    return [load(one) for one in found()]


def load(one: Found) -> Plugin:
    """Import a plugin's card."""
    card = getattr(_module(one), "plugin", None) if one.file else _entry(one)
    if not isinstance(card, Plugin):
        raise Misconfigured(
            _(
                "{place} does not lead to a Plugin(…): {target}.",
                place=one.place,
                target=one.target,
            )
        )
    if card.name != one.name:
        raise Misconfigured(
            _(
                "The plugin {plugin} is installed under the name {point}; they must be equal.",
                plugin=card.name,
                point=one.name,
            )
        )
    return card


def _entry(one: Found) -> object:
    points = entry_points(group=GROUP, name=one.name)
    return next(point for point in points if point.value == one.target).load()


def _module(one: Found) -> ModuleType:
    """Import a file under the name its package will have on the day it becomes one."""
    path = one.file
    assert path is not None  # noqa: S101 - told to the type checker
    name = one.target.partition(":")[0]
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    is_package = path.name == "__init__.py"
    spec = spec_from_file_location(
        name, path, submodule_search_locations=[str(path.parent)] if is_package else None
    )
    assert spec is not None  # noqa: S101 - a .py file always has one
    assert spec.loader is not None  # noqa: S101 - the same
    made = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[name]
        raise
    return made


def why_not(plugin: str, broken: BaseException) -> str:
    """Say why a plugin could not be imported, with the file and the line."""
    place = _place(broken)
    what = broken.detail if isinstance(broken, Refusal) else _said(broken)
    if not place:
        return _("The plugin {plugin} cannot be imported: {reason}.", plugin=plugin, reason=what)
    return _(
        "The plugin {plugin} cannot be imported: {reason} ({file}, line {line}).",
        plugin=plugin,
        reason=what.rstrip("."),
        file=place[0],
        line=str(place[1]),
    )


def _said(broken: BaseException) -> str:
    words = broken.msg if isinstance(broken, SyntaxError) else str(broken)
    return f"{type(broken).__name__}: {words}".removesuffix(": ")[:500]


def _place(broken: BaseException) -> tuple[str, int] | None:
    if isinstance(broken, SyntaxError) and broken.filename:
        return broken.filename, broken.lineno or 0
    steps = traceback.extract_tb(broken.__traceback__)
    own = str(Path(__file__).parents[1])
    outside = [s for s in steps if not s.filename.startswith((own, "<frozen", sys.base_prefix))]
    return (outside[-1].filename, outside[-1].lineno or 0) if outside else None
