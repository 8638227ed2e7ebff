"""A crate has a unique code, a rule and a guard: what can stand against a change of many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Mapped

from clientela.actions import Action
from clientela.customers.entities import Customer
from clientela.entity import Entity
from clientela.errors import Conflict, FieldProblem, Invalid
from clientela.fields import integer, ref, text
from clientela.hookspecs import hookimpl
from clientela.plugins.card import Plugin

CRATES = "/api/v1/crates/crates"


class Crate(
    Entity, plugin="crates", label="Crate", prefix="crt", unique_together=[("shelf", "place")]
):
    """Something that stands in a store."""

    code: Mapped[str] = text(max_length=40, unique=True, search=True)
    shelf: Mapped[str | None] = text()
    place: Mapped[int | None] = integer()
    weight: Mapped[int] = integer(default=1)
    price: Mapped[int | None] = integer(field_class="financial")
    customer_id: Mapped[str | None] = ref(Customer)
    made_in: Mapped[str | None] = text(immutable=True)
    pin: Mapped[str | None] = text(field_class="secret")

    def check(self) -> None:
        """Refuse what the floor does not bear."""
        super().check()
        if self.weight > 100 and self.shelf == "top":
            sentence = "The top shelf bears 100."
            raise Invalid(sentence, [FieldProblem("/weight", "too-heavy", sentence)])


class Guard:
    """Keeps the crates of customs where they are."""

    @hookimpl
    def record_saving(self, record: Entity, created: bool) -> None:
        if isinstance(record, Crate) and not created and record.code.startswith("CUSTOMS"):
            raise Conflict("Customs keep this crate.")

    @hookimpl
    def action_running(self, action: Action, record: Entity | None) -> None:
        sealed = isinstance(record, Crate) and record.code.startswith("SEALED")
        if action.name == "crates.crate.update" and sealed:
            raise Conflict("The crate is sealed.")


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin(name="crates", title="Crates", entities=[Crate], hooks=[Guard()])]


@pytest.fixture
def crate() -> type[Crate]:
    return Crate


@pytest.fixture
def edit(client) -> Callable[..., Any]:
    """POST what is to be changed, and give the reply's body."""

    def post(filter_: Any, *, status: int = 200, **more: Any) -> Any:
        at, headers = more.pop("at", CRATES), more.pop("headers", None)
        values = more.pop("set_", None)
        body = {"filter": filter_} | ({"set": values} if values is not None else {}) | more
        reply = client.post(f"{at}:update", json=body, headers=headers)
        assert reply.status_code == status, reply.text
        return reply.json()

    return post


@pytest.fixture
def do(edit) -> Callable[..., Any]:
    """Look first, and then do it."""

    def both(filter_: Any, values: Any, *, status: int = 200, **more: Any) -> Any:
        looked = edit(filter_, set_=values, **more)
        return edit(filter_, set_=values, token=looked["token"], status=status, **more)

    return both


@pytest.fixture
def crates(client) -> Callable[..., Any]:
    """Give a field of all crates by their codes."""

    def give(name: str) -> dict[str, Any]:
        rows = client.get(CRATES, params={"limit": 200}).json()["data"]
        return {row["code"]: row[name] for row in rows}

    return give
