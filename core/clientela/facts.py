"""Facts: what happened, past tense, frozen; written with the change, told after the commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from clientela.errors import Misconfigured
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.context import Context


class Fact(BaseModel):
    """Something that happened; carries ids and words, never records.

    Derive with the plugin's name: `class QuoteAccepted(Fact, plugin="sales")` is told as `sales.quote_accepted`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ClassVar[str] = ""

    def __init_subclass__(cls, plugin: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if not plugin:
            raise Misconfigured(
                _(
                    "{type} must say whose fact it is: class {type}(Fact, plugin='…').",
                    type=cls.__name__,
                )
            )
        words = "".join(f"_{c.lower()}" if c.isupper() else c for c in cls.__name__).lstrip("_")
        cls.name = f"{plugin}.{words}"


class RecordCreated(Fact, plugin="core"):
    """A record was created, by whatever face."""

    entity: str
    record: str


class RecordChanged(Fact, plugin="core"):
    """Fields of a record were changed."""

    entity: str
    record: str
    fields: tuple[str, ...]


class RecordTrashed(Fact, plugin="core"):
    """A record was put into the trash."""

    entity: str
    record: str


class RecordRestored(Fact, plugin="core"):
    """A record was taken out of the trash."""

    entity: str
    record: str


class RecordPurged(Fact, plugin="core"):
    """A record was deleted for good."""

    entity: str
    record: str


class RecordsChanged(Fact, plugin="core"):
    """Very many records got the same values at once; told for each part of the edit instead of a fact for each."""

    entity: str
    fields: tuple[str, ...]
    records: int
    set_id: str


class ChangesUndone(Fact, plugin="core"):
    """A change set was taken back by another; for very many records this is told instead of a fact for each."""

    set_id: str
    undoes: str
    records: int


Handler = Callable[["Context", Any], None]


@dataclass(frozen=True)
class Subscription:
    """Who wants to hear of a fact; `name` is stable, because retries are remembered under it."""

    fact: type[Fact]
    handler: Handler
    name: str


def on(fact: type[Fact]) -> Callable[[Handler], Subscription]:
    """Subscribe a function to a fact; it runs after the commit, in a transaction of its own, at least once."""

    def subscribe(handler: Handler) -> Subscription:
        return Subscription(
            fact, handler, f"{handler.__module__}.{getattr(handler, '__qualname__', 'handler')}"
        )

    return subscribe
