"""Putting cards together: one order, one registry, one set of hooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module

from clientela import hookspecs
from clientela.errors import Misconfigured
from clientela.hooks import Hooks
from clientela.i18n.texts import _
from clientela.plugins.card import Part, Plugin
from clientela.plugins.core import CORE
from clientela.plugins.fates import Fate
from clientela.plugins.order import in_order
from clientela.registry import Registry


@dataclass(frozen=True)
class Composition:
    """What an app is made of."""

    plugins: tuple[Plugin, ...]
    registry: Registry
    hooks: Hooks


def compose(cards: Sequence[Plugin]) -> Composition:
    """Put the core and the cards together; whatever does not fit is refused with a sentence."""
    plugins = (CORE, *in_order(cards))
    return Composition(plugins, Registry(plugins), _hooks(plugins))


def _hooks(plugins: Sequence[Plugin]) -> Hooks:
    hooks = Hooks()
    hooks.specify(hookspecs)
    for plugin in plugins:
        if plugin.hookspecs is not None:
            hooks.specify(plugin.hookspecs)
    for plugin in plugins:
        for implementation in plugin.hooks:
            hooks.register(plugin.name, implementation)
    hooks.seal([plugin.name for plugin in plugins])
    return hooks


def with_partners(cards: Sequence[Plugin]) -> list[Plugin]:
    """Give the cards with what each brings for those of the others that are there."""
    names = {card.name for card in cards}
    return [_with_all(card, wanted_partners(card, names)) for card in cards]


def _with_all(card: Plugin, partners: Iterable[str]) -> Plugin:
    for partner in partners:
        card = with_partner(card, partner)
    return card


def wanted_partners(card: Plugin, names: set[str]) -> list[str]:
    """List the partners of a card that are there."""
    return sorted(names & card.partners.keys())


def with_partner(card: Plugin, partner: str) -> Plugin:
    """Import what a plugin brings for a partner, and add it to the card."""
    module = import_module(card.partners[partner])
    part = getattr(module, "part", Part())
    if not isinstance(part, Part):
        raise Misconfigured(
            _("`part` of {module} is not a Part(…).", module=card.partners[partner])
        )
    views = {
        entity: {**card.views.get(entity, {}), **part.views.get(entity, {})}
        for entity in card.views.keys() | part.views.keys()
    }
    return replace(
        card, hooks=[*card.hooks, module], actions=[*card.actions, *part.actions],
        facts=[*card.facts, *part.facts], subscriptions=[*card.subscriptions, *part.subscriptions],
        permissions={**card.permissions, **part.permissions}, views=views,
    )  # fmt: skip


def describe(composition: Composition, fates: dict[str, Fate]) -> None:
    """Write down what the plugins of a composition bring; they are active."""
    for card in composition.plugins[1:]:
        fate = fates.setdefault(card.name, Fate(card.name, needs=list(card.needs)))
        fate.state = "active"
        fate.entities = [cls.info.name for cls in card.entities]
        fate.hooks = composition.hooks.hooks_of(card.name)
