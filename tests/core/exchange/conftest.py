"""A parcel has a field of every kind, a rule of its own and a guard; everything about files is tried on it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from sqlalchemy.orm import Mapped

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.entity import Entity
from clientela.errors import Conflict, FieldProblem, Invalid
from clientela.exchange import ImportOptions, ImportReport, import_file
from clientela.fields import (
    address,
    boolean,
    choice,
    choices,
    day,
    decimal,
    duration,
    instant,
    integer,
    json,
    money,
    percent,
    person_name,
    ref,
    rich_text,
    tags,
    text,
    url,
)
from clientela.hookspecs import hookimpl
from clientela.plugins.card import Plugin
from clientela.query import Question, list_page
from clientela.values import Money, PersonName, PostalAddress


class Parcel(Entity, plugin="parcels", label="Parcel", prefix="par"):
    """Something that is sent."""

    code: Mapped[str] = text(max_length=40, unique=True, search=True)
    stage: Mapped[str] = choice({"new": "New", "sent": "On its way"}, default="new")
    customer_id: Mapped[str | None] = ref(Customer)
    addressee: Mapped[PersonName | None] = person_name()
    address: Mapped[PostalAddress | None] = address()
    price: Mapped[Money | None] = money()
    weight: Mapped[Decimal | None] = decimal(places=3)
    discount: Mapped[Decimal | None] = percent()
    pieces: Mapped[int] = integer(at_least=0, default=1)
    fragile: Mapped[bool] = boolean(default=False)
    due: Mapped[date | None] = day()
    picked_at: Mapped[datetime | None] = instant()
    travel: Mapped[int | None] = duration()
    options: Mapped[list[str]] = choices({"gift": "Gift", "fast": "Fast"})
    tags: Mapped[list[str]] = tags()
    link: Mapped[str | None] = url()
    data: Mapped[dict[str, Any] | None] = json()
    label_text: Mapped[str | None] = rich_text()
    note: Mapped[str | None] = text(max_length=5_000, lines=True, search=True)
    wrapped_by: Mapped[str | None] = text(immutable=True)
    secret: Mapped[str | None] = text(field_class="secret")
    scanned: Mapped[int] = integer(read_only=True, default=0)

    def check(self) -> None:
        """Refuse what cannot be carried, and spell codes in capitals."""
        super().check()
        self.code = self.code.upper()
        if self.weight is not None and self.weight > 1000:
            sentence = "Nobody can carry this."
            raise Invalid(sentence, [FieldProblem("/weight", "too-heavy", sentence)])


class Guard:
    """Refuses what customs refuse; `asked` remembers the questions."""

    asked: list[tuple[str, dict[str, Any], bool]]

    def __init__(self) -> None:
        self.asked = []

    @hookimpl
    def record_saving(self, record: Entity, before: dict[str, Any], created: bool) -> None:
        if not isinstance(record, Parcel):
            return
        self.asked.append((record.code, before, created))
        if record.code == "GOLD":
            raise Conflict("Customs keep gold.")


@pytest.fixture
def guard() -> Guard:
    return Guard()


@pytest.fixture
def plugins(guard: Guard) -> list[Plugin]:
    return [Plugin(name="parcels", title="Parcels", entities=[Parcel], hooks=[guard])]


@pytest.fixture
def parcel() -> type[Parcel]:
    return Parcel


Take = Callable[..., ImportReport]


@pytest.fixture
def take(app: App) -> Take:
    """Import a text: `take(Customer, "name\\nAnna")`."""

    def taken(entity: type[Entity], file: str | bytes, /, **how: Any) -> ImportReport:
        data = file if isinstance(file, bytes) else file.encode()
        principal = how.pop("principal", SYSTEM)
        dry_run, progress = how.pop("dry_run", False), how.pop("progress", None)
        report = import_file(
            app, principal, entity.info, io.BytesIO(data),
            options=ImportOptions(**how), dry_run=dry_run, progress=progress,
        )  # fmt: skip
        outcomes = report.created + report.updated + report.unchanged
        assert report.read == outcomes + report.failed + report.held_back
        return report

    return taken


Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def rows(app: App) -> Rows:
    """Give what is stored, in the order of creation, without what the kernel writes."""

    def stored(entity: type[Entity], *names: str) -> list[dict[str, Any]]:
        with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
            question = Question(sort="id", limit=200, fields=names)
            found = orjson.loads(orjson.dumps(list_page(ctx, entity.info, question).rows))
        return [{n: v for n, v in row.items() if n in entity.info.writable} for row in found]

    return stored
