"""The card: all that a plugin brings, on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from clientela.actions import Action
from clientela.entity import Entity
from clientela.errors import Misconfigured
from clientela.facts import Fact, Subscription
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from sqlalchemy import Table

    from clientela.context import Context
    from clientela.custom.kinds import Offer
    from clientela.customizing.parts import ConfigPart


# A way to look at one record: from its key to JSON-ready values.
View = Callable[["Context", str], Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a plugin brings only where a partner is there too. It holds no entities: tables do not come and go."""

    actions: Sequence[Action] = ()
    facts: Sequence[type[Fact]] = ()
    subscriptions: Sequence[Subscription] = ()
    views: Mapping[str, Mapping[str, View]] = field(default_factory=dict)
    permissions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plugin introduces itself with this value in its `__init__`; nothing else happens at import.

    `tables` are those of its own that hold no records, `hooks` are objects or modules with hook implementations,
    `hookspecs` a module of its own specifications,
    `views` are looks at single records beside the plain one: `{"core.customer": {"card": …}}` answers at
    `/api/v1/core/customers/{id}/card`. `migrations` says that the package has a folder `migrations/versions`,
    `custom_kinds` are kinds that integrators may give to custom fields,
    `parts` are kinds of configuration that `clientela custom export` moves,
    `needs` names the plugins whose `api` it uses (the same as its distribution depends on).

    `settings` is a pydantic model of what an administrator decides, read from `[plugins.NAME] config` and given by
    `ctx.settings_of(Model)`. `guards` names the entities and actions its guard hooks watch, `*` and other patterns
    included; when the plugin is missing, those are closed. `partners` names a module for each plugin that is welcome
    but not needed: `{"sales": "clientela_visits.with_sales"}` is imported when both are there, and its hooks, and the
    `Part` it may have under the name `part`, are the plugin's own.
    """

    name: str
    title: str
    about: str = ""
    package: str = ""
    entities: Sequence[type[Entity]] = ()
    tables: Sequence[Table] = ()
    actions: Sequence[Action] = ()
    facts: Sequence[type[Fact]] = ()
    subscriptions: Sequence[Subscription] = ()
    hooks: Sequence[object] = ()
    hookspecs: object | None = None
    permissions: Mapping[str, str] = field(default_factory=dict)
    needs: Sequence[str] = ()
    views: Mapping[str, Mapping[str, View]] = field(default_factory=dict)
    parts: Sequence[ConfigPart] = ()
    commands: Any = None
    custom_kinds: Sequence[Offer] = ()
    migrations: bool = True
    settings: type[BaseModel] | None = None
    guards: Sequence[str] = ("*",)
    partners: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for entity in self.entities:
            if entity.info.plugin != self.name:
                raise Misconfigured(
                    _(
                        "{entity} is on the card of {plugin}, but says plugin={other}.",
                        entity=entity.info.name,
                        plugin=self.name,
                        other=repr(entity.info.plugin),
                    )
                )
        for action in self.actions:
            if action.plugin != self.name:
                raise Misconfigured(
                    _(
                        "The action {action} is on the card of {plugin}; its name must begin with {plugin}.",
                        action=action.name,
                        plugin=self.name,
                    )
                )
        for given in (self.needs, self.guards):
            if isinstance(given, str) or not all(isinstance(one, str) for one in given):
                raise Misconfigured(
                    _("needs and guards of {plugin} are lists of names.", plugin=self.name)
                )
        for name, setting in (self.settings.model_fields if self.settings else {}).items():
            if not setting.description:
                raise Misconfigured(
                    _(
                        "The setting {name} of {plugin} has no description; an administrator reads it.",
                        name=name,
                        plugin=self.name,
                    )
                )

    @property
    def import_name(self) -> str:
        """Give the package that holds the plugin's catalogues and migrations."""
        return self.package or f"clientela_{self.name}"
