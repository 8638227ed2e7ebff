"""Cursors: where a page ended, as the values of its sort keys; valid for the same sort only."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import ColumnElement, FromClause, and_, literal, or_, type_coerce
from sqlalchemy.types import NullType

from clientela.errors import BadSyntax, FieldProblem
from clientela.i18n.texts import _
from clientela.storage.types import write_instant

if TYPE_CHECKING:
    from clientela.entity import EntityInfo
    from clientela.fields import Field

LONGEST = 4_000


@dataclass(frozen=True)
class SortKey:
    """One field a list is ordered by; missing values come last in both directions."""

    field: Field
    descending: bool

    @property
    def word(self) -> str:
        """Give the key as it is written."""
        return f"-{self.field.name}" if self.descending else self.field.name

    @property
    def composed(self) -> bool:
        """Say whether the list is ordered by an expression of several columns."""
        return self.field.width > 1


class Keyset:
    """The order of a list and the predicates that continue it."""

    def __init__(
        self, info: EntityInfo, keys: tuple[SortKey, ...], table: FromClause, *, backwards: bool
    ) -> None:
        self.info = info
        self.keys = keys
        self.backwards = backwards
        self._expressions = [key.field.kind.sort_by(key.field.columns_in(table)) for key in keys]

    @property
    def signature(self) -> str:
        """Name the order, so that a cursor of another order is refused."""
        return f"{self.info.name}:{','.join(key.word for key in self.keys)}"

    def columns(self) -> list[ColumnElement[Any]]:
        """Give the raw sort values to select beside the row."""
        return [
            type_coerce(e, NullType()).label(None) if key.composed else key.field.compared_raw()
            for key, e in zip(self.keys, self._expressions, strict=True)
        ]

    def order(self) -> list[ColumnElement[Any]]:
        """Give the ORDER BY."""
        clauses: list[ColumnElement[Any]] = []
        for key, expression in zip(self.keys, self._expressions, strict=True):
            if key.field.may_be_missing:
                missing = expression.is_(None)
                clauses.append(missing.desc() if self.backwards else missing.asc())
            down = key.descending != self.backwards
            clauses.append(expression.desc() if down else expression.asc())
        return clauses

    def beyond(self, values: Sequence[Any]) -> ColumnElement[bool]:
        """Give the predicate of the rows after these values, in the direction of the keyset."""
        equal: list[ColumnElement[bool]] = []
        choices: list[ColumnElement[bool]] = []
        values = [
            # SQLAlchemy compares a bare True for equality only.
            literal(value, expression.type) if isinstance(value, bool) else value
            for expression, value in zip(self._expressions, values, strict=True)
        ]
        for key, expression, value in zip(self.keys, self._expressions, values, strict=True):
            further = self._further(key, expression, value)
            if further is not None:
                choices.append(and_(*equal, further))
            equal.append(expression.is_(None) if value is None else expression == value)
        condition = or_(*choices)
        first = self.keys[0]
        if not first.field.may_be_missing and len(self.keys) > 1:
            # The same condition once more, in the form an index range understands.
            expression, value = self._expressions[0], values[0]
            down = first.descending != self.backwards
            condition = and_(expression <= value if down else expression >= value, condition)
        return condition

    def _further(
        self, key: SortKey, expression: ColumnElement[Any], value: Any
    ) -> ColumnElement[bool] | None:
        """Give what comes strictly after a value of one key; None where nothing can."""
        if value is None:
            return expression.is_not(None) if self.backwards else None
        down = key.descending != self.backwards
        strictly: ColumnElement[bool] = expression < value if down else expression > value
        if key.field.may_be_missing and not self.backwards:
            return or_(strictly, expression.is_(None))
        return strictly


def write_cursor(keyset: Keyset, raw: Sequence[Any]) -> str:
    """Give the opaque text of a place in a list."""
    values = [write_instant(v) if hasattr(v, "astimezone") else v for v in raw]
    return base64.urlsafe_b64encode(orjson.dumps([keyset.signature, *values])).decode().rstrip("=")


def read_cursor(text: str, keyset: Keyset) -> list[Any]:
    """Read a cursor back; one that was changed, or belongs to another order, is refused."""
    try:
        if len(text) > LONGEST:
            raise ValueError  # noqa: TRY301 - all bad cursors have one answer
        padded = text + "=" * (-len(text) % 4)
        signature, *values = orjson.loads(base64.urlsafe_b64decode(padded.encode("ascii")))
        if signature != keyset.signature or len(values) != len(keyset.keys):
            raise ValueError  # noqa: TRY301 - all bad cursors have one answer
        return [_value(key, raw) for key, raw in zip(keyset.keys, values, strict=True)]
    except (ValueError, TypeError, binascii.Error):
        sentence = _("This cursor does not belong to this list and order; start again without it.")
        raise BadSyntax(sentence, [FieldProblem("/after", "bad-cursor", sentence)]) from None


def _value(key: SortKey, raw: Any) -> Any:
    """Read one sort value; the stored form of a kind is not always its JSON form."""
    if raw is None:
        if not key.field.may_be_missing:
            raise ValueError
        return None
    if key.composed or isinstance(raw, bool):
        if (isinstance(raw, bool) and key.field.kind.name != "boolean") or not isinstance(raw, int):
            raise ValueError
        if not -(2**63) <= raw < 2**63:
            raise ValueError
        return raw
    return key.field.kind.from_stored(raw)
