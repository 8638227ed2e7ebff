"""Records made for a test: valid ones, of which the test states only what matters to it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from clientela.access.entities import User
from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.context import Context
from clientela.customers.entities import Customer, Identifier
from clientela.entity import Entity
from clientela.errors import did_you_mean
from clientela.fields import Field
from clientela.files.entities import Attachment

E = TypeVar("E", bound=Entity)

STAMPED = frozenset({"created_at", "created_by", "updated_at", "updated_by"})
TRIES = 1_000


class Make:
    """Makes records: `make(Customer, name="Anna")`; what is missing and required is made up.

    A value may be a record where its id is meant, `make(Address, customer_id=anna)`, and the name of a reference may
    be left out altogether: the record it needs is then made as well. Two runs make up the same values.
    """

    def __init__(self, app: App, recipes: Recipes, ctx: Context | None = None) -> None:
        self.rng = random.Random(7)  # noqa: S311 - sample data, no secret
        self._app = app
        self._recipes = recipes
        self._ctx = ctx
        self._used: set[tuple[str, str, object]] = set()

    def __call__(self, entity: type[E], **values: Any) -> E:
        """Make a record with these values, and write it."""
        with self._transaction() as ctx:
            record = ctx.add(self._build(entity, values))
            ctx.flush()
            return record

    @contextmanager
    def _transaction(self) -> Iterator[Context]:
        """Join the test's own transaction, or that of the record that needs this one, or begin one."""
        if self._ctx is not None:
            yield self._ctx
            return
        with self._app.acting_as(SYSTEM, face="test") as ctx:
            self._ctx = ctx
            try:
                yield ctx
            finally:
                self._ctx = None

    def _build(self, entity: type[E], given: Mapping[str, Any]) -> E:
        fields = self._app.registry.of(entity).fields
        for name in given:
            if name not in fields:
                raise TypeError(
                    f"{entity.info.label} has no field {name!r}." + did_you_mean(name, fields)
                )
        record = entity()
        values = {**self._recipes.get(entity, {}), **given}
        for name, declared in fields.items():
            if name in values:
                declared.put(record, self._loaded(declared, values[name]))
            elif not declared.has_default and name not in STAMPED:
                declared.put(record, self._made_up(entity, declared))
        return record

    def _loaded(self, declared: Field, value: Any) -> Any:
        """Bring a value into its kind's normal form, as a face would."""
        if callable(value):
            value = value(self)
        if isinstance(value, Entity):
            value = value.id
        return None if value is None else declared.kind.load(value)

    def _made_up(self, entity: type[Entity], declared: Field) -> Any:
        if declared.target is not None:
            return self(declared.target.cls).id
        for _ in range(TRIES):
            value = declared.kind.sample(self.rng)
            key = (entity.info.name, declared.name, value)
            if not declared.unique or key not in self._used:
                if declared.unique:
                    self._used.add(key)
                return value
        raise ValueError(f"{declared.name} has no unused sample left; give a value.")


# Field by field what `make` should take where no sample would do: a value, or a function that is given `make`.
Recipes = dict[type[Entity], Mapping[str, Any | Callable[[Make], Any]]]


def _number(make: Make) -> int:
    return make.rng.randint(1_000, 9_999_999)


CORE_RECIPES: Recipes = {
    Customer: {"name": lambda make: f"Customer {_number(make)}"},
    Identifier: {"kind": "email", "value": lambda make: f"anna{_number(make)}@example.com"},
    Attachment: {"subject": lambda make: make(Customer).public_id},
    User: {"name": lambda make: f"User {_number(make)}"},
}
