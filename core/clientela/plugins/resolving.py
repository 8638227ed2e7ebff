"""Who can be there together: versions, needs, and circles of needs."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from clientela.errors import did_you_mean
from clientela.i18n.texts import _
from clientela.plugins.discovery import GROUND, Found, version_of
from clientela.plugins.fates import Fate

Needs = Mapping[str, tuple[str, ...]]


def unmet(one: Found) -> str | None:
    """Say which version a package asks for is not the one that is there; who is missing altogether is asked later."""
    for distribution, requirement in one.requirements.items():
        if one.plugin_of(distribution) is None and distribution not in GROUND:
            continue
        there = version_of(distribution)
        if there and not requirement.specifier.contains(there, prereleases=True):
            return _(
                "{plugin} {version} needs {requirement}, and {there} is installed.",
                plugin=one.name,
                version=one.version,
                requirement=str(requirement),
                there=there,
            )
    return None


def leave_out_circles(fates: Mapping[str, Fate], needs: Needs) -> None:
    """Leave out those that need each other in a circle, until there is none."""
    while True:
        well = {name for name, fate in fates.items() if fate.is_well}
        graph = {name: [need for need in needs.get(name, ()) if need in well] for name in well}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as found:
            names = list(reversed(found.args[1]))
            circle = " → ".join(names)
            sentence = _("Plugins need each other in a circle: {circle}.", circle=circle)
            for name in names:
                fates[name].fall("incompatible", sentence)
        else:
            return


def leave_out_dependents(fates: Mapping[str, Fate], needs: Needs) -> None:
    """Leave out who needs somebody that is left out, until nobody does."""
    fallen = True
    while fallen:
        fallen = False
        for name, fate in fates.items():
            missing = [n for n in needs.get(name, ()) if n not in fates or not fates[n].is_well]
            if fate.is_well and missing:
                fate.fall("incompatible", *_why_missing(fates, name, missing[0]))
                fallen = True


def _why_missing(fates: Mapping[str, Fate], name: str, need: str) -> tuple[str, str]:
    if need not in fates:
        sentence = _("{plugin} needs {needed}, which is not installed.", plugin=name, needed=need)
        others = fates.keys() - {name}
        return sentence + did_you_mean(need, others), f"pip install clientela-{need}"
    sentence = _(
        "{plugin} needs {needed}, which is {state}.",
        plugin=name,
        needed=need,
        state=fates[need].state,
    )
    return sentence, f"clientela plugin why {need}"
