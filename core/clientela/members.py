"""Custom fields in storage: each is one member of the JSON column `custom` that every record has.

The stored form compares correctly on both databases. Numbers, truths and texts are JSON's own; days and instants are
the ISO text that sorts like they do, because PostgreSQL's casts to its own types depend on settings and cannot be
indexed; keys are what the database keeps in its key columns. A kind of several columns is a list of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Integer,
    String,
    TypeDecorator,
    column,
    type_coerce,
)
from sqlalchemy import Text as SqlText
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import NullType, TypeEngine

from clientela import ids
from clientela.errors import Misconfigured
from clientela.fields import Field
from clientela.i18n.texts import _
from clientela.kinds.base import Kind
from clientela.storage.types import Day, Instant, Key, Scaled, from_scaled, to_scaled, write_instant

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause

# How the names of custom fields begin, so that no declared field can ever be in their way.
PREFIX = "x_"


def is_member(name: str) -> bool:
    """Say whether a field of this name is a custom one."""
    return name.startswith(PREFIX)


class Written(TypeDecorator[Any]):
    """A day or a moment as the text that sorts like it, on both databases."""

    impl = SqlText
    cache_ok = True

    def __init__(self, *, moment: bool) -> None:
        super().__init__()
        self.moment = moment

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write it."""
        del dialect
        if value is None or isinstance(value, str):
            return value
        return write_instant(value) if self.moment else str(value.isoformat())

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Read it."""
        del dialect
        if value is None:
            return None
        return datetime.fromisoformat(value) if self.moment else date.fromisoformat(value)


class member(FunctionElement[Any]):  # noqa: N801 - used like an SQL function
    """A member of a JSON column, or an item of a list in it, as a value of a type.

    The path is part of the statement and no parameter: only so is an index over the same expression used.
    """

    inherit_cache = True
    _traverse_internals = [  # noqa: RUF012 - SQLAlchemy's way to say what tells two elements apart
        *FunctionElement._traverse_internals,  # noqa: SLF001 - as its documentation shows
        ("field", InternalTraversal.dp_string),
        ("place", InternalTraversal.dp_string),
        ("type", InternalTraversal.dp_type),
    ]

    def __init__(self, source: ColumnElement[Any], field: str, place: str, type_: Any) -> None:
        # First of all: the base class already asks for the operators of the type.
        self.type = type_
        self.field = field
        self.place = place
        super().__init__(source)


@compiles(member, "sqlite")
def _member_sqlite(element: member, compiler: Any, **kw: Any) -> str:
    source = compiler.process(element.clauses, **kw)
    place = f"[{element.place}]" if element.place else ""
    path = _quoted(f"$.{element.field}{place}", compiler)
    # The arrow gives JSON, in which a text is told from a number; the function gives SQL's values.
    if isinstance(element.type, JSON):
        return f"({source} -> {path})"
    return f"json_extract({source}, {path})"


@compiles(member)
def _member(element: member, compiler: Any, **kw: Any) -> str:
    source, field = compiler.process(element.clauses, **kw), _quoted(element.field, compiler)
    if isinstance(element.type, JSON):
        return f"({source} -> {field})"
    found = f"{source} ->> {field}"
    if element.place:
        found = f"{source} -> {field} ->> {int(element.place)}"
    if isinstance(_impl(element.type), String):
        return f'(({found}) COLLATE "C")'
    return f"CAST(({found}) AS {compiler.dialect.type_compiler_instance.process(element.type)})"


def _quoted(text: str, compiler: Any) -> str:
    return str(compiler.render_literal_value(text, String()))


def _impl(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    return type_.impl_instance if isinstance(type_, Written) else type_


class Codec(NamedTuple):
    """How one column of a kind is kept in JSON, and the type as which it is compared."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]
    compared: TypeEngine[Any]


def codec(type_: TypeEngine[Any], *, sqlite: bool) -> Codec:
    """Give the way of a column type; one that JSON cannot keep so that it compares is refused."""
    if isinstance(type_, Instant):
        return Codec(write_instant, datetime.fromisoformat, Written(moment=True))
    if isinstance(type_, Day):
        return Codec(date.isoformat, date.fromisoformat, Written(moment=False))
    if isinstance(type_, Scaled):
        places = type_.places
        return Codec(lambda v: to_scaled(v, places), lambda v: from_scaled(v, places), type_)
    if isinstance(type_, Key) and not sqlite:
        return Codec(ids.uuid_from_key, ids.key_from_uuid, type_)
    if isinstance(type_, Key | JSON | BigInteger | Integer | Boolean | String):
        return Codec(_same, _same, type_)
    raise Misconfigured(
        _("A value that is stored as {type} cannot be kept in a custom field.", type=repr(type_))
    )


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, kw_only=True)
class MemberField(Field):
    """A custom field: a field like any other, whose value is a member of `custom`."""

    sqlite: bool
    # The definition it was made of: its key, the name of the kind as it is offered, and the options.
    definition: str
    offer: str
    options: Mapping[str, Any] = dataclass_field(compare=False)

    @cached_property
    def _codecs(self) -> tuple[Codec, ...]:
        return tuple(codec(type_, sqlite=self.sqlite) for type_ in self.kind.types())

    @property
    def index_name(self) -> str:
        """Give the name of the index over the field, the same whatever the field is called."""
        return f"{'uq' if self.unique else 'ix'}_{PREFIX}{self.definition.lower()}"

    @property
    def may_be_missing(self) -> bool:
        """Say that a row may have no value: no constraint of the database sees into JSON."""
        return True

    def get(self, record: Any) -> Any:
        """Read the member of a record, or the plain attribute of a draft."""
        own = vars(record)
        if self.name in own:
            return own[self.name]
        return self.read((record.custom or {}).get(self.name))

    def put(self, record: Any, value: Any) -> None:
        """Set the member of a record, or the plain attribute of a draft."""
        if self.name in vars(record):
            setattr(record, self.name, value)
        else:
            put_member(record, self.name, self.logged(value))

    def read(self, raw: Any) -> Any:
        """Give the value of a stored member."""
        if raw is None:
            return None
        parts = raw if self.width > 1 else [raw]
        pairs = zip(self._codecs, parts, strict=True)
        return self.kind.from_columns([None if p is None else c.read(p) for c, p in pairs])

    def logged(self, value: Any) -> Any:
        """Give the member of a value; the log keeps it as it is stored, whatever becomes of the definition."""
        if value is None:
            return None
        pairs = zip(self._codecs, self.kind.to_columns(value), strict=True)
        parts = [None if p is None else c.write(p) for c, p in pairs]
        return parts if self.width > 1 else parts[0]

    def told(self, raw: Any) -> Any:
        """Give the JSON form of a member that the log kept."""
        value = self.read(raw)
        return None if value is None else self.kind.dump(value)

    def stored(self, row: Any) -> Any:
        """Give the value in a row of the whole table."""
        return self.read((row["custom"] or {}).get(self.name))

    def columns_in(self, table: FromClause) -> tuple[ColumnElement[Any], ...]:
        """Give the expressions that compare correctly and can be indexed."""
        return self._members(table.c.custom, [c.compared for c in self._codecs])

    def selected_in(self, table: FromClause) -> tuple[ColumnElement[Any], ...]:
        """Give the expressions whose results are what a column of the kind would give."""
        return self._members(table.c.custom, self.kind.types())

    def raw(self) -> tuple[ColumnElement[Any], ...]:
        """Give the same by the bare name of the column and without a type."""
        found = self._members(column("custom"), self.kind.types())
        return tuple(type_coerce(one, NullType()).label(None) for one in found)

    def compared_raw(self) -> ColumnElement[Any]:
        """Give the value by which a list is ordered, as a cursor keeps it."""
        compared = [c.compared for c in self._codecs]
        return type_coerce(self._members(column("custom"), compared)[0], NullType()).label(None)

    def _members(self, source: Any, types: Any) -> tuple[ColumnElement[Any], ...]:
        wide = self.width > 1
        return tuple(
            member(source, self.name, str(place) if wide else "", type_)
            for place, type_ in enumerate(types)
        )


def put_member(record: Any, name: str, raw: Any) -> None:
    """Set a stored member of a record, or take it away."""
    kept = {n: v for n, v in (record.custom or {}).items() if n != name}
    record.custom = kept if raw is None else {**kept, name: raw}


def members_before(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, Any]:
    """Give the old members of those that differ."""
    old, new = old or {}, new or {}
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in names}


def with_members(custom: Mapping[str, Any] | None, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Give `custom` with these members in place of those it had; None takes one away."""
    merged = {**(custom or {}), **raw}
    return {name: value for name, value in merged.items() if value is not None}


def could_be_kept(kind: Kind) -> None:
    """Refuse a kind whose columns JSON cannot keep so that they compare."""
    for type_ in kind.types():
        codec(type_, sqlite=True)
