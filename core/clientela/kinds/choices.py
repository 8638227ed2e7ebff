"""Kinds that choose: one of a list, several of a list, free tags."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import orjson
from sqlalchemy import ColumnElement, Text, cast, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from clientela.errors import did_you_mean
from clientela.i18n.texts import Spoken, _
from clientela.kinds import base
from clientela.kinds.base import EQUALITY, Kind, Render, sentence_for_type
from clientela.kinds.text import TextKind
from clientela.storage.types import json_type, plain_text
from clientela.values.frozen import frozen

Options = Mapping[str, str]


class ChoiceKind(Kind):
    """One of declared options: the key is stored, the label is shown."""

    name: ClassVar[str] = "choice"
    operators = EQUALITY

    def __init__(self, options: Options) -> None:
        self.options = dict(options)

    def load(self, raw: object) -> str:
        """Take a declared key."""
        if not isinstance(raw, str):
            raise sentence_for_type(_("One of the choices"), raw)
        if raw not in self.options:
            raise ValueError(
                _(
                    "{word} is not one of {options}.",
                    word=repr(raw[:40]),
                    options=", ".join(self.options),
                )
                + did_you_mean(raw, self.options)
            )
        return raw

    def parse(self, text: str) -> str:
        """Take a key or a label, in any case; a key as it is declared is stronger than a label."""
        if text.strip() in self.options:
            return text.strip()
        wanted = text.strip().casefold()
        for key, label in self.options.items():
            if wanted in (one.casefold() for one in (key, *_spellings(label))):
                return key
        return self.load(text.strip())

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one text column."""
        return (plain_text(),)

    def json_schema(self) -> dict[str, Any]:
        """List the keys."""
        return {"type": "string", "enum": list(self.options)}

    def search_text(self, value: str) -> str:
        """Give nothing: a choice is filtered, not searched."""
        del value
        return ""

    def sample(self, rng: random.Random) -> str:
        """Pick one."""
        return rng.choice(list(self.options))


def _spellings(label: str) -> tuple[str, ...]:
    """Give a label in all languages in which an integrator gave it."""
    return (label, *label.languages.values()) if isinstance(label, Spoken) else (label,)


class has_item(FunctionElement[bool]):  # noqa: N801 - used like an SQL function
    """Whether a JSON list of texts holds a text."""

    inherit_cache = True


@compiles(has_item, "sqlite")
def _has_item_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    # Compiled clauses: columns by name and bound parameters, never a value.
    column, item = (compiler.process(part, **kw) for part in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = {item})"  # noqa: S608


@compiles(has_item)
def _has_item(element: Any, compiler: Any, **kw: Any) -> str:
    column, item = element.clauses
    return f"jsonb_exists({compiler.process(column, **kw)}, {compiler.process(item, **kw)})"


class ListKind(Kind):
    """A list of distinct texts, kept in the order given."""

    python: ClassVar[Any] = list
    operators = frozenset({"has"})
    sortable = False
    most = 100

    def item(self) -> Kind:
        """Give the kind of one member."""
        raise NotImplementedError

    def load(self, raw: object) -> list[str]:
        """Take a list; a member named twice counts once."""
        if not isinstance(raw, list | tuple):
            raise sentence_for_type(_("A list"), raw)
        if len(raw) > self.most:
            raise ValueError(_("At most {most} may be chosen here.", most=self.most))
        item = self.item()
        return list(dict.fromkeys(item.load(one) for one in raw))

    def parse(self, text: str) -> list[str]:
        """Take members with semicolons or commas between them."""
        item = self.item()
        parts = text.replace(";", ",").split(",")
        return self.load([item.parse(part) for part in parts if part.strip()])

    def load_operand(self, op: str, raw: object) -> str:
        """Ask for one member."""
        del op
        return str(self.item().load(raw))

    def parse_operand(self, op: str, text: str) -> str:
        """Ask for one member."""
        del op
        return str(self.item().parse(text))

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one JSON column."""
        return (json_type(),)

    def to_columns(self, value: Any) -> tuple[Any, ...]:
        """Store the value as it is."""
        return (value,)

    def from_columns(self, values: Sequence[Any]) -> Any:
        """Give the value so that nobody changes it in place."""
        return frozen(values[0])

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Pass SQLite's JSON text through unread."""
        return (lambda raw: None if raw is None else orjson.Fragment(raw)) if sqlite else None

    def csv(self, value: Sequence[str]) -> str:
        """Give the members with semicolons between them."""
        return "; ".join(value)

    def json_schema(self) -> dict[str, Any]:
        """Describe a list of members."""
        return {"type": "array", "items": self.item().json_schema(), "maxItems": self.most}

    def sql(self, op: str, columns: base.type_of_columns, value: Any) -> ColumnElement[bool]:
        """Look for a member."""
        del op
        return has_item(columns[0], cast(literal(value), Text))

    def matches(self, op: str, left: Any, right: Any) -> bool:
        """Look for a member."""
        del op
        return right in left

    def sample(self, rng: random.Random) -> list[str]:
        """Pick a few."""
        item = self.item()
        return self.load([item.sample(rng) for _ in range(rng.randint(0, 3))])


class MultiChoiceKind(ListKind):
    """Several of declared options."""

    name: ClassVar[str] = "multi_choice"

    def __init__(self, options: Options) -> None:
        self.options = dict(options)
        self._item = ChoiceKind(options)

    def item(self) -> Kind:
        """Give the choice."""
        return self._item

    def search_text(self, value: Sequence[str]) -> str:
        """Give nothing: a choice is filtered, not searched."""
        del value
        return ""


class _TagText(TextKind):
    """One tag: short, without the signs that separate tags."""

    name: ClassVar[str] = "tag"

    def load(self, raw: object) -> str:
        text = super().load(raw)
        if not text or "," in text or ";" in text:
            raise ValueError(_("A tag is a word or two without commas and semicolons."))
        return text


_TAG = _TagText(max_length=60)


class TagsKind(ListKind):
    """Words that people give as they like."""

    name: ClassVar[str] = "tags"

    def item(self) -> Kind:
        """Give the kind of one tag."""
        return _TAG

    def sample(self, rng: random.Random) -> list[str]:
        """Pick a few common tags."""
        return rng.sample(["vip", "press", "north", "опт", "розница"], rng.randint(0, 2))
