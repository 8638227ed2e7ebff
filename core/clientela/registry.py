"""All that the plugins of one app declare, by the names that faces use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from clientela.actions import Action
from clientela.entity import Entity, EntityInfo
from clientela.errors import Misconfigured, NotFound, did_you_mean
from clientela.facts import Fact, Subscription
from clientela.fields import Field
from clientela.i18n.texts import _
from clientela.plugins.card import Plugin, View
from clientela.verbs import verbs_of

if TYPE_CHECKING:
    from clientela.custom.kinds import Offer
    from clientela.customizing.parts import ConfigPart


class Registry:
    """The entities, actions, facts and permissions of one app; built once, then only read, but for custom fields."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self.plugins: dict[str, Plugin] = {}
        self.entities: dict[str, EntityInfo] = {}
        self.by_collection: dict[tuple[str, str], EntityInfo] = {}
        self.by_table: dict[str, EntityInfo] = {}
        self.by_prefix: dict[str, EntityInfo] = {}
        self.actions: dict[str, Action] = {}
        self.facts: dict[str, type[Fact]] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.permissions: dict[str, str] = {}
        self.views: dict[tuple[str, str], View] = {}
        self.kinds: dict[str, Offer] = {}
        self.parts: dict[str, ConfigPart] = {}
        for plugin in plugins:
            self._add(plugin)
        self._check_references()

    def _add(self, plugin: Plugin) -> None:
        if plugin.name in self.plugins:
            raise Misconfigured(_("Two plugins are named {name}.", name=plugin.name))
        self.plugins[plugin.name] = plugin
        for cls in plugin.entities:
            self._add_entity(cls.info)
        for action in plugin.actions:
            self._add_action(action)
        for fact in plugin.facts:
            self.facts[fact.name] = fact
        for subscription in plugin.subscriptions:
            self._add_subscription(subscription)
        for offer in plugin.custom_kinds:
            self._add_kind(offer)
        for part in plugin.parts:
            self._add_part(part)
        self.permissions |= plugin.permissions
        for entity, views in plugin.views.items():
            self.views |= {(entity, name): view for name, view in views.items()}

    def _add_entity(self, info: EntityInfo) -> None:
        if info.name in self.entities:
            raise Misconfigured(_("Two entities are named {entity}.", entity=info.name))
        taken = self.by_prefix.get(info.prefix)
        if taken is not None:
            raise Misconfigured(
                _(
                    "{entity} and {other} both begin their ids with {prefix}_; give one of them a prefix=.",
                    entity=info.name,
                    other=taken.name,
                    prefix=info.prefix,
                )
            )
        self.entities[info.name] = info
        self.by_collection[info.plugin, info.collection] = info
        self.by_table[info.table.name] = info
        self.by_prefix[info.prefix] = info
        for verb in sorted(info.verbs):
            self.permissions[info.permission(verb)] = info.right(verb)
        if info.private:
            self.permissions[info.permission("supervise")] = info.right("supervise")
        for action in verbs_of(info):
            self._add_action(action)

    def _add_action(self, action: Action) -> None:
        if action.name in self.actions:
            raise Misconfigured(_("Two actions are named {name}.", name=action.name))
        self.actions[action.name] = action
        self.permissions.setdefault(action.permission, action.label)

    def _add_subscription(self, subscription: Subscription) -> None:
        if subscription.name in self.subscriptions:
            raise Misconfigured(
                _(
                    "Two subscriptions are named {name}; give each fact a handler of its own.",
                    name=subscription.name,
                )
            )
        self.subscriptions[subscription.name] = subscription

    def _add_kind(self, offer: Offer) -> None:
        if offer.name in self.kinds:
            raise Misconfigured(_("Two plugins offer a kind named {name}.", name=offer.name))
        self.kinds[offer.name] = offer

    def _add_part(self, part: ConfigPart) -> None:
        if part.name in self.parts:
            raise Misconfigured(_("Two plugins bring a part named {name}.", name=part.name))
        self.parts[part.name] = part

    def _check_references(self) -> None:
        """Refuse a composition in which a record points at an entity that is not there."""
        for info in self.entities.values():
            for declared in info.fields.values():
                if declared.target is not None and declared.target.name not in self.entities:
                    raise Misconfigured(
                        _(
                            "{entity}.{field} refers to {target}, whose plugin is not installed.",
                            entity=info.name,
                            field=declared.name,
                            target=declared.target.name,
                        )
                    )

    def customize(self, custom: Mapping[str, Sequence[Field]]) -> None:
        """Give entities these custom fields in place of those they had; a reader sees the old ones or the new."""
        entities = {
            name: info
            if info.registry is self and info.custom == tuple(custom.get(name, ()))
            else info.of_deployment(self, custom.get(name, ()))
            for name, info in self.entities.items()
        }
        self.by_collection = {(i.plugin, i.collection): i for i in entities.values()}
        self.by_table = {i.table.name: i for i in entities.values()}
        self.entities = entities

    def of(self, what: EntityInfo | type[Entity]) -> EntityInfo:
        """Give an entity as this deployment has it, with its custom fields."""
        declared = what if isinstance(what, EntityInfo) else what.info
        return self.entities.get(declared.name, declared)

    def searched(self) -> dict[str, tuple[str, ...]]:
        """Name the custom fields of each entity under whose words its records are found."""
        return {
            name: tuple(f.name for f in info.custom if f.search and not f.hidden)
            for name, info in self.entities.items()
        }

    def entity(self, name: str) -> EntityInfo:
        """Get an entity by `plugin.entity`."""
        found = self.entities.get(name)
        if found is None:
            raise NotFound(
                _("There is no entity {name}.", name=repr(name[:60]))
                + did_you_mean(name, self.entities)
            )
        return found

    def action(self, name: str) -> Action:
        """Get an action by its name."""
        found = self.actions.get(name)
        if found is None:
            raise NotFound(
                _("There is no action {name}.", name=repr(name[:60]))
                + did_you_mean(name, self.actions)
            )
        return found

    def actions_on(self, info: EntityInfo) -> list[Action]:
        """List the declared actions of an entity's records, beyond the plain verbs."""
        return [
            a for a in self.actions.values()
            if a.on is info.cls and a.verb not in {"create", "update", "trash", "restore", "purge"}
        ]  # fmt: skip

    def subscribers(self, fact: str) -> Iterable[Subscription]:
        """List who wants to hear of a fact."""
        return [s for s in self.subscriptions.values() if s.fact.name == fact]

    def referring(self, info: EntityInfo) -> list[tuple[EntityInfo, str]]:
        """List the fields of all entities that point at one."""
        return [
            (other, name)
            for other in self.entities.values()
            for name, declared in other.fields.items()
            if declared.target is not None and declared.target.name == info.name
        ]

    def belonging(self, info: EntityInfo) -> list[tuple[EntityInfo, str]]:
        """List the fields by which records of all entities may belong to a record of this one."""
        if info.subjects:
            return []  # what belongs to something has nothing that belongs to it in turn
        return [(other, f.name) for other in self.entities.values() for f in other.subjects]

    def with_files(self) -> list[tuple[EntityInfo, Field]]:
        """List the fields of all entities that hold a file."""
        return [(info, f) for info in self.entities.values() for f in info.file_fields]
