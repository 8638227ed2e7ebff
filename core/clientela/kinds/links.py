"""Kinds that point at a record: a reference, the owner, a record of any entity."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, and_, false, not_, or_
from sqlalchemy.types import TypeEngine

from clientela import ids
from clientela.i18n.texts import _
from clientela.kinds.base import EQUALITY, Kind, Render, sentence_for_type, type_of_columns
from clientela.storage.types import Key, plain_text


class RefKind(Kind):
    """The key of a record of one entity; `on_delete` says what a purge of that record does to this one."""

    name: ClassVar[str] = "ref"
    operators = EQUALITY
    sortable = False

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def load(self, raw: object) -> str:
        """Take the prefixed id, the bare letters or a UUID."""
        if not isinstance(raw, str):
            raise sentence_for_type(_("An id such as {prefix}_01J…", prefix=self.prefix), raw)
        key = ids.parse_key(raw, self.prefix)
        if key is None:
            raise ValueError(
                _(
                    "{id} is not an id; ids here look like {prefix}_01J….",
                    id=repr(raw[:60]),
                    prefix=self.prefix,
                )
            )
        return key

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one key column."""
        return (Key(),)

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Put the prefix before the letters."""
        del sqlite
        prefix = f"{self.prefix}_"
        return lambda raw: None if raw is None else prefix + raw

    def dump(self, value: str) -> str:
        """Put the prefix before the letters."""
        return f"{self.prefix}_{value}"

    def json_schema(self) -> dict[str, Any]:
        """Describe a prefixed id."""
        letters = "[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}"
        hexes = "[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}"
        return {"type": "string", "pattern": f"^(({self.prefix}_)?{letters}|{hexes})$"}

    def search_text(self, value: str) -> str:
        """Give nothing: an id is looked up, not searched."""
        del value
        return ""

    def sample(self, rng: random.Random) -> str:
        """Make up a key that belongs to nothing."""
        return ids.key_from_int(rng.getrandbits(128))


class OwnerKind(RefKind):
    """The user who answers for the record; `me` in a filter is the one who asks."""

    name: ClassVar[str] = "owner"

    def __init__(self) -> None:
        super().__init__("usr")


class RecordKind(Kind):
    """The id of a record of any entity. Its prefix says of which, so that no table of names is needed to read it."""

    name: ClassVar[str] = "record"
    operators = EQUALITY
    sortable = False
    suffixes = ("_prefix", "_id")
    indexed = ("_id",)

    def load(self, raw: object) -> str:
        """Take a prefixed id."""
        if not isinstance(raw, str):
            raise sentence_for_type(_("An id such as {prefix}_01J…", prefix="cus"), raw)
        found = ids.parse_id(raw)
        if found is None:
            raise ValueError(
                _("{id} is not the id of a record, such as cus_01J….", id=repr(raw[:60]))
            )
        return "_".join(found)

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give a column for the prefix and one for the key."""
        return (plain_text(), Key())

    def to_columns(self, value: str | None) -> tuple[Any, ...]:
        """Part the prefix from the key."""
        return (None, None) if value is None else tuple(value.split("_"))

    def from_columns(self, values: Sequence[Any]) -> str | None:
        """Put the id together."""
        return None if values[0] is None else "_".join(values)

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Put the id together."""
        del sqlite
        return self.from_columns

    def sql(self, op: str, columns: type_of_columns, value: Any) -> ColumnElement[bool]:
        """Compare both columns."""
        prefix, key = columns
        wanted = [self.to_columns(one) for one in (value if op == "in" else [value])]
        same = or_(false(), *(and_(key == k, prefix == p) for p, k in wanted))
        return not_(same) if op == "ne" else same

    def json_schema(self) -> dict[str, Any]:
        """Describe a prefixed id."""
        letters = "[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}"
        return {"type": "string", "pattern": f"^[a-z]{{2,6}}_{letters}$"}

    def search_text(self, value: str) -> str:
        """Give nothing: an id is looked up, not searched."""
        del value
        return ""

    def sample(self, rng: random.Random) -> str:
        """Make up the id of a customer who is not there."""
        return f"cus_{ids.key_from_int(rng.getrandbits(128))}"
