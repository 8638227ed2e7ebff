"""Records that no session knows: light enough for a million rows, whole enough for rules and guarding hooks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from clientela.bulk.values import Values
from clientela.entity import Entity, EntityInfo

if TYPE_CHECKING:
    from clientela.context import Context


@lru_cache(maxsize=512)
def draft_class(info: EntityInfo) -> type[Any]:
    """Make the class of an entity's drafts: its methods and properties, with plain attributes for the fields.

    `isinstance(draft, Customer)` is true and `super()` works, because a draft says that its class is the entity's.
    """
    cls = info.cls
    body: dict[str, Any] = {}
    for base in reversed(cls.__mro__[: cls.__mro__.index(Entity) + 1]):
        body |= {name: value for name, value in vars(base).items() if _is_behaviour(name, value)}
    body |= dict.fromkeys(info.fields)
    body |= {"info": info, "__class__": property(lambda _draft: cls)}
    return type(f"{cls.__name__}Draft", (), body)


def draft(info: EntityInfo, values: dict[str, Any]) -> Any:
    """Give the draft over some values; what a rule sets in the one is seen in the other."""
    made = object.__new__(draft_class(info))
    made.__dict__ = values
    return made


def ask(ctx: Context, info: EntityInfo, values: Values, before: Values, *, created: bool) -> None:
    """Let the record's own rules and the guarding hooks look at what it will be."""
    record = draft(info, values)
    record.check()
    if ctx.app.hooks.anybody("record_saving"):
        ctx.hook.record_saving(ctx=ctx, record=record, before=before, created=created)


def _is_behaviour(name: str, value: Any) -> bool:
    if name == "__repr__":
        return True
    if name.startswith(("__", "_sa_")) or name in {"metadata", "registry"}:
        return False
    if isinstance(value, property | cached_property | staticmethod | classmethod) or callable(
        value
    ):
        return True
    return isinstance(value, str | int | float | tuple | frozenset | dict | set | list)


class Blueprint:
    """What a new record of one entity has before a row says anything."""

    def __init__(self, ctx: Context, info: EntityInfo) -> None:
        self.info = info
        self.has_rules = info.cls.check is not Entity.check
        stamps = {"rev": 1, "created_at": ctx.now, "updated_at": ctx.now, "deleted_at": None}
        stamps |= {"created_by": ctx.principal.id, "updated_by": ctx.principal.id}
        self.factories = {
            name: declared.default_factory
            for name, declared in info.fields.items()
            if declared.default_factory is not None and name != "id"
        }
        self._template = {
            name: declared.initial() for name, declared in info.fields.items() if name != "id"
        }
        self._template |= stamps
        if "owner_id" in info.fields and ctx.principal.user:
            self._template["owner_id"] = ctx.principal.user

    def values(self) -> dict[str, Any]:
        """Give the values of a new record; what can be changed in place belongs to it alone."""
        made = self._template.copy()
        for name, factory in self.factories.items():
            made[name] = factory()
        return made

    def default(self, name: str) -> Callable[[], Any]:
        """Give what fills a blank cell of a new record."""
        factory = self.factories.get(name)
        value = self._template.get(name)
        return factory or (lambda: value)
