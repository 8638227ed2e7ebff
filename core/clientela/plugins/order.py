"""The order of plugins: those that are needed come before those that need them."""

from __future__ import annotations

from collections.abc import Sequence

from clientela.errors import Misconfigured, did_you_mean
from clientela.i18n.texts import _
from clientela.plugins.card import Plugin


def in_order(plugins: Sequence[Plugin]) -> list[Plugin]:
    """Sort by need and then by name; a missing need or a circle is refused with its names."""
    by_name = {plugin.name: plugin for plugin in sorted(plugins, key=lambda p: p.name)}
    if len(by_name) < len(plugins):
        names = [plugin.name for plugin in plugins]
        twice = next(name for name in names if names.count(name) > 1)
        raise Misconfigured(_("Two plugins are named {name}.", name=twice))
    ordered: dict[str, Plugin] = {}

    def place(name: str, wanted_by: tuple[str, ...]) -> None:
        if name in ordered:
            return
        if name in wanted_by:
            circle = " → ".join((*wanted_by[wanted_by.index(name) :], name))
            raise Misconfigured(_("Plugins need each other in a circle: {circle}.", circle=circle))
        plugin = by_name.get(name)
        if plugin is None:
            raise Misconfigured(
                _(
                    "The plugin {plugin} needs {needed}, which is not installed or is disabled.",
                    plugin=wanted_by[-1],
                    needed=name,
                )
                + did_you_mean(name, by_name)
            )
        for need in plugin.needs:
            place(need, (*wanted_by, name))
        ordered[name] = plugin

    for name in by_name:
        place(name, ())
    return list(ordered.values())
