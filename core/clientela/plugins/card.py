"""The card: all that a plugin brings, on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clientela.actions import Action
from clientela.entity import Entity
from clientela.errors import Misconfigured
from clientela.facts import Fact, Subscription
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from sqlalchemy import Table

    from clientela.context import Context
    from clientela.customizing.parts import Part


# A way to look at one record: from its key to JSON-ready values.
View = Callable[["Context", str], Any]


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A plugin introduces itself with this value in its `__init__`; nothing else happens at import.

    `tables` are those of its own that hold no records, `hooks` are objects or modules with hook implementations,
    `hookspecs` a module of its own specifications,
    `views` are looks at single records beside the plain one: `{"core.customer": {"card": …}}` answers at
    `/api/v1/core/customers/{id}/card`. `migrations` says that the package has a folder `migrations/versions`,
    `parts` are kinds of configuration that `clientela custom export` moves,
    `needs` names the plugins whose `api` it uses (the same as its distribution depends on).
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
    parts: Sequence[Part] = ()
    commands: Any = None
    migrations: bool = True

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

    @property
    def import_name(self) -> str:
        """Give the package that holds the plugin's catalogues and migrations."""
        return self.package or f"clientela_{self.name}"
