"""Entities: SQLAlchemy declarative classes whose columns carry a field declaration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import ColumnElement, ForeignKey, FromClause, Index, MetaData, Table
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from clientela import ids
from clientela.errors import Misconfigured
from clientela.fields import Field, instant, integer, json, text
from clientela.i18n.texts import Text, _
from clientela.kinds.base import Kind
from clientela.kinds.links import RecordKind, RefKind
from clientela.kinds.structured import FileKind
from clientela.members import is_member

if TYPE_CHECKING:
    from clientela.registry import Registry

if TYPE_CHECKING:
    from clientela.context import Context

# Named constraints: SQLite's batch migrations cannot drop an unnamed one.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# What may be done with any record. `read` and `export` look, the others change.
VERBS = frozenset({"read", "export", "create", "import", "update", "trash", "restore", "purge"})

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PREFIX = re.compile(r"[a-z]{2,6}")


@dataclass(eq=False)
class EntityInfo:
    """All that is declared of one entity; every face reads from here.

    `name` is how the entity is addressed everywhere (`core.customer`), `collection` its REST folder, `prefix` the
    start of its ids, `phrase` the noun that sentences use.
    """

    cls: type[Entity]
    plugin: str
    singular: str
    label: str
    phrase: str
    plural: str
    prefix: str
    collection: str
    about: str
    unique_together: tuple[tuple[str, ...], ...] = ()
    verbs: frozenset[str] = VERBS
    # Only the owner sees a record, or whom `own_rows` says, and whoever has the permission `supervise`.
    private: bool = False
    # Records of what was done, not of what is so: a total export keeps them apart, as it does the change log.
    journal: bool = False
    fields: dict[str, Field] = field(default_factory=dict)
    # What this deployment's integrators added; these are in `fields` too.
    custom: tuple[Field, ...] = ()
    registry: Registry | None = field(default=None, repr=False)

    def of_deployment(self, registry: Registry, custom: Iterable[Field]) -> EntityInfo:
        """Give the same entity as one deployment has it: with custom fields, and references that know theirs."""
        own = {
            n: f if f.references is None else replace(f, registry=registry)
            for n, f in self.cls.info.fields.items()
        }
        added = tuple(replace(f, registry=registry) for f in custom)
        return replace(
            self.cls.info, fields=own | {f.name: f for f in added}, custom=added, registry=registry
        )

    @cached_property
    def name(self) -> str:
        """Give `plugin.entity`."""
        return f"{self.plugin}.{self.singular}"

    @cached_property
    def noun(self) -> Text:
        """Give the noun as sentences use it, to be translated where the sentence is shown."""
        return Text(self.phrase, f"entity:{self.name}")

    @cached_property
    def nouns(self) -> Text:
        """Give the plural of the noun the same way."""
        return Text(self.plural, f"entity:{self.name}")

    @cached_property
    def heading(self) -> Text:
        """Give the plural with a capital, as it begins a sentence or stands above a list."""
        return Text(self.plural.capitalize(), f"entity:{self.name}")

    def right(self, verb: str) -> Text:
        """Give what the permission for a verb allows: `Read customers`."""
        return Text(f"{verb.capitalize()} {self.plural}", f"entity:{self.name}")

    @property
    def table(self) -> Table:
        """Give the table."""
        return self.cls.__table__  # type: ignore[return-value]

    def permission(self, verb: str) -> str:
        """Give the name of the permission for a verb."""
        return f"{self.name}.{verb}"

    @cached_property
    def writable(self) -> dict[str, Field]:
        """Give the fields that input may set."""
        return {n: f for n, f in self.fields.items() if not f.read_only and not f.hidden}

    @cached_property
    def visible(self) -> dict[str, Field]:
        """Give the fields that may leave through a face."""
        return {n: f for n, f in self.fields.items() if not f.hidden}

    @cached_property
    def parents(self) -> tuple[EntityInfo, ...]:
        """Give the entities whose records this one's belong to, other than itself."""
        found = (f.target for f in self.fields.values() if f.parent)
        return tuple(target for target in found if target is not None and target.name != self.name)

    @cached_property
    def subjects(self) -> tuple[Field, ...]:
        """Give the fields that name the record, of whatever entity, that this one's records belong to."""
        return tuple(f for f in self.fields.values() if isinstance(f.kind, RecordKind))

    @cached_property
    def file_fields(self) -> tuple[Field, ...]:
        """Give the fields that hold a file."""
        return tuple(f for f in self.fields.values() if isinstance(f.kind, FileKind))

    @cached_property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """Give the sets of fields that tell one record from another."""
        singles = tuple((n,) for n, f in self.fields.items() if f.unique and n != "id")
        return singles + self.unique_together

    @cached_property
    def search_fields(self) -> tuple[Field, ...]:
        """Give the fields under whose words a record is found."""
        return tuple(f for f in self.fields.values() if f.search)

    def columns_by_priority(self, most: int = 6) -> list[str]:
        """Give the fields a short table shows: the declared priorities, else the first few."""
        ranked = sorted((f.priority, n) for n, f in self.fields.items() if f.priority is not None)
        names = [n for _, n in ranked] or list(self.writable)[: most - 1]
        return names[:most]

    # what the filter grammar asks for ----------------------------------------------------------------------------

    def filter_field(self, name: str) -> Field | None:
        """Find a field by its name, or by its name without `_id` or `_at`."""
        for candidate in (name, f"{name}_id", f"{name}_at"):
            found = self.fields.get(candidate)
            if found is not None and not found.hidden:
                return found
        return None

    def filter_names(self) -> list[str]:
        """List the names a filter may use."""
        return [n for n, f in self.fields.items() if f.filterable]

    def public_id(self, key: str) -> str:
        """Put the prefix before a key."""
        return f"{self.prefix}_{key}"

    def __repr__(self) -> str:
        return f"<entity {self.name}>"


class _IdKind(RefKind):
    """A record's own key."""

    name = "id"
    sortable = True


class Composed:
    """The attribute of a field whose value is put together from columns."""

    def __init__(self, declared: Field) -> None:
        self.kind = declared.kind
        self.slots = tuple(f"{declared.name}{suffix}_" for suffix in declared.kind.suffixes)

    def __get__(self, record: Any, owner: Any = None) -> Any:
        if record is None:
            return self
        return self.kind.from_columns([getattr(record, slot) for slot in self.slots])

    def __set__(self, record: Any, value: Any) -> None:
        for slot, part in zip(self.slots, self.kind.to_columns(value), strict=True):
            setattr(record, slot, part)


class Entity(DeclarativeBase):
    """The base of every record: a key, a revision, who and when, the trash, and the integrator's own fields.

    Derive with `plugin`, and mostly with `label` and `prefix`; the table is `<plugin>_<entity>`, the REST folder the
    plural. The docstring's first sentence is what help pages say of the entity.
    """

    metadata = MetaData(naming_convention=NAMES)
    info: ClassVar[EntityInfo]

    id: Any
    rev: Any
    created_at: Any
    created_by: Any
    updated_at: Any
    updated_by: Any
    deleted_at: Any
    custom: Any

    def __init_subclass__(  # noqa: PLR0913 - the words of a declaration
        cls,
        *,
        plugin: str = "",
        label: str = "",
        phrase: str = "",
        plural: str = "",
        prefix: str = "",
        name: str = "",
        collection: str = "",
        unique_together: Iterable[tuple[str, ...]] = (),
        verbs: Iterable[str] = VERBS,
        private: bool = False,
        journal: bool = False,
        **options: Any,
    ) -> None:
        if not plugin:
            raise Misconfigured(
                _(
                    "{type} must say whose it is: class {type}(Entity, plugin='…').",
                    type=cls.__name__,
                )
            )
        singular = name or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
        phrase = phrase or singular.replace("_", " ")
        plural = plural or _plural(phrase)
        cls.info = EntityInfo(
            cls=cls,
            plugin=plugin,
            singular=singular,
            label=label or phrase.capitalize(),
            phrase=phrase,
            plural=plural,
            prefix=prefix or singular.replace("_", "")[:3],
            collection=collection or plural.replace(" ", "-"),
            about=(cls.__doc__ or "").strip().split("\n")[0],
            unique_together=tuple(unique_together),
            verbs=frozenset(verbs),
            private=private,
            journal=journal,
        )
        _check_names(cls.info)
        cls.__tablename__ = f"{plugin}_{singular}"
        cls.info.fields = _declared_fields(cls)
        if private and "owner_id" not in cls.info.fields:
            raise Misconfigured(
                _(
                    "{type} is private, so it must say whose it is: owner_id: Mapped[str | None] = owner().",
                    type=cls.__name__,
                )
            )
        for declared in cls.info.fields.values():
            _map(cls, declared)
        cls.__table_args__ = (*_indexes(cls.info), *cls.__dict__.get("__table_args__", ()))
        # The UPDATE itself compares the revision, so that a lost update is impossible, not just unlikely.
        cls.__mapper_args__ = {"version_id_col": cls.__dict__["rev"], "version_id_generator": False}
        super().__init_subclass__(**options)
        _remember_columns(cls.info)

    def __repr__(self) -> str:
        return f"<{self.info.name} {self.public_id if self.id else 'new'}>"

    @property
    def public_id(self) -> str:
        """Give the id that people and programs see."""
        return self.info.public_id(self.id)

    def get(self, name: str) -> Any:
        """Read a declared field."""
        return getattr(self, name)

    @classmethod
    def own_rows(cls, ctx: Context, table: FromClause, verb: str) -> ColumnElement[bool]:
        """Give the rows of a private entity that a person may reach with a verb: those they own, unless overridden."""
        del verb
        return table.c.owner_id == (ctx.principal.user or ids.NOBODY)

    def check(self) -> None:
        """Refuse a state that breaks the record's own rules; entities override it and raise `Invalid` or `Conflict`."""


_BASE = frozenset(
    {"id", "rev", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "custom"}
)


def _base_fields(info: EntityInfo) -> dict[str, Field]:
    stamp: dict[str, Any] = {"read_only": True}
    declared = {
        "id": Field(
            kind=_IdKind(info.prefix),
            read_only=True,
            sort=True,
            unique=True,
            default_factory=ids.new_key,
        ),
        "rev": integer(at_least=1, default=1, **stamp),
        "created_at": instant(sort=True, **stamp),
        "created_by": text(max_length=60, **stamp),
        "updated_at": instant(sort=True, **stamp),
        "updated_by": text(max_length=60, **stamp),
        "deleted_at": instant(**stamp),
    }
    named = {n: f.named(n, optional=n == "deleted_at") for n, f in declared.items()}
    return named | {"custom": json(hidden=True, default_factory=dict, filter=False).named("custom")}


def _declared_fields(cls: type[Entity]) -> dict[str, Field]:
    """Read the class body: the base fields first, then its own in their order."""
    info = cls.info
    # The mapping must not see them again, so they are taken out of the class itself.
    notes = cls.__dict__.get("__annotations__", {})  # noqa: RUF063
    own = {}
    for name, declared in list(cls.__dict__.items()):
        if not isinstance(declared, Field):
            continue
        if is_member(name):
            raise Misconfigured(
                _(
                    "{type}.{name}: names that begin with x_ belong to custom fields.",
                    type=cls.__name__,
                    name=name,
                )
            )
        note = str(notes.pop(name, ""))
        changes: dict[str, Any] = {"optional": "None" in note or "Optional[" in note}
        if declared.references == "self":
            changes |= {"references": cls, "kind": RefKind(info.prefix)}
        elif declared.kind.name == "owner":
            changes |= {"references": _owner_class()}
        own[name] = declared.named(name, **changes)
    return _base_fields(info) | own


def _owner_class() -> type[Entity]:
    from clientela.access.entities import User  # noqa: PLC0415 - users are entities themselves

    return User


def _map(cls: type[Entity], declared: Field) -> None:
    """Give the class the columns of a field."""
    kind = declared.kind
    # An entity's own columns in their order, then what every record has.
    own = [n for n in cls.info.fields if n not in _BASE]
    place = own.index(declared.name) if declared.name in own else len(own)
    columns = [
        _column(declared, f"{declared.name}{suffix}", type_, place)
        for suffix, type_ in zip(kind.suffixes, kind.types(), strict=True)
    ]
    if type(kind).to_columns is Kind.to_columns:
        setattr(cls, declared.name, columns[0])
        return
    composed = Composed(declared)
    for slot, column in zip(composed.slots, columns, strict=True):
        setattr(cls, slot, column)
    setattr(cls, declared.name, composed)


def _column(declared: Field, name: str, type_: Any, place: int) -> MappedColumn[Any]:
    arguments: list[Any] = []
    if declared.references is not None:
        target = declared.references.__tablename__  # type: ignore[union-attr]
        # No ON DELETE: what a purge takes along goes through the rules and the change log (see verbs.purge).
        arguments.append(ForeignKey(f"{target}.id"))
    extra: dict[str, Any] = {"nullable": declared.optional, "sort_order": place}
    if declared.name == "id":
        extra |= {"primary_key": True, "default": ids.new_key}
    return mapped_column(name, type_, *arguments, **extra)


def _indexes(info: EntityInfo) -> list[Index]:
    """Index what is unique, referred to, or sorted by; the key follows so that pages stay stable."""
    table = f"{info.plugin}_{info.singular}"
    made = []
    for name, declared in info.fields.items():
        if name == "id":
            continue
        if declared.unique:
            made.append(Index(f"uq_{table}_{name}", name, unique=True))
        elif declared.sort and len(declared.kind.suffixes) == 1:
            made.append(Index(f"ix_{table}_{name}", name, "id"))
        elif declared.index:
            made.append(Index(f"ix_{table}_{name}", name))
        for suffix in declared.kind.indexed:
            made.append(Index(f"ix_{table}_{name}{suffix}", f"{name}{suffix}"))  # noqa: PERF401 - beside the others
    made += [
        Index(f"uq_{table}_{'_'.join(names)}"[:60], *names, unique=True)
        for names in info.unique_together
    ]
    return made


def _remember_columns(info: EntityInfo) -> None:
    """Let each field know the columns it got."""
    for name, declared in info.fields.items():
        columns = tuple(info.table.c[f"{name}{suffix}"] for suffix in declared.kind.suffixes)
        info.fields[name] = replace(declared, columns=columns)


def _check_names(info: EntityInfo) -> None:
    for what, word, shape in (
        ("plugin", info.plugin, _NAME),
        ("entity", info.singular, _NAME),
        ("prefix", info.prefix, _PREFIX),
    ):
        if not shape.fullmatch(word):
            raise Misconfigured(
                _(
                    "{word} cannot be the {what} of {type}: it must match {pattern}.",
                    word=repr(word),
                    what=what,
                    type=info.cls.__name__,
                    pattern=shape.pattern,
                )
            )


def _plural(noun: str) -> str:
    from clientela.i18n.phrases import pluralize  # noqa: PLC0415 - the rules of the language live there

    return pluralize(noun)
