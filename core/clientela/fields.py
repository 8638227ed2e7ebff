"""The vocabulary of declarations: one function per field kind.

    class Opportunity(Entity, plugin="sales", label="Opportunity", prefix="opp"):
        name: Mapped[str] = text(max_length=200, search=True, priority=1)
        amount: Mapped[Money | None] = money(sort=True)

Each function gives a `Field`; the entity turns it into columns. An annotation with `| None` makes the field optional.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from sqlalchemy import column

from clientela.kinds.base import Home, Kind
from clientela.kinds.choices import ChoiceKind, MultiChoiceKind, TagsKind
from clientela.kinds.codes import CountryKind, CurrencyKind, LanguageKind
from clientela.kinds.links import OwnerKind, RecordKind, RefKind
from clientela.kinds.numbers import (
    BooleanKind,
    DecimalKind,
    DurationKind,
    IntegerKind,
    MoneyKind,
    PercentKind,
)
from clientela.kinds.structured import AddressKind, FileKind, JsonKind, PersonNameKind
from clientela.kinds.text import EmailKind, PhoneKind, RichTextKind, TextKind, UrlKind
from clientela.kinds.times import DayKind, InstantKind

if TYPE_CHECKING:
    from sqlalchemy import Column, ColumnElement, FromClause

    from clientela.entity import Entity, EntityInfo
    from clientela.registry import Registry

OnDelete = Literal["restrict", "cascade", "set_null"]
FieldClass = Literal["pii", "financial", "secret"]


class _Unset:
    """No default was declared; `None` may be one."""

    def __repr__(self) -> str:
        return "unset"


UNSET: Any = _Unset()


class Options(TypedDict, total=False):
    """What may be said of any field."""

    label: str
    help: str
    default: Any
    default_factory: Callable[[], Any]
    unique: bool
    index: bool
    filter: bool
    sort: bool
    search: bool
    priority: int
    field_class: FieldClass | None
    read_only: bool
    immutable: bool
    hidden: bool


@dataclass(frozen=True, kw_only=True)
class Field:
    """One declared field of an entity.

    `read_only` is written by the kernel or by actions, never bound from input; `immutable` may be given at creation
    and not changed later; `hidden` never leaves through a face; `field_class` names the mask a role may put on it.
    """

    kind: Kind
    name: str = ""
    label: str = ""
    help: str = ""
    default: Any = UNSET
    default_factory: Callable[[], Any] | None = None
    optional: bool = False
    unique: bool = False
    index: bool = False
    filter: bool = True
    sort: bool = False
    search: bool = False
    priority: int | None = None
    field_class: str | None = None
    read_only: bool = False
    immutable: bool = False
    hidden: bool = False
    references: type[Entity] | Literal["self"] | None = None
    on_delete: OnDelete = "restrict"
    parent: bool = False
    columns: tuple[Column[Any], ...] = dataclass_field(default=(), compare=False)
    # Where the entities of a deployment are looked up once it has custom fields.
    registry: Registry | None = dataclass_field(default=None, compare=False, repr=False)

    def named(self, name: str, **changes: Any) -> Field:
        """Give the same field under its name, with a label made from it when none was declared."""
        label = self.label or name.removesuffix("_id").replace("_", " ").capitalize()
        return replace(self, name=name, label=label, **changes)

    def at_home(self, home: Home) -> Field:
        """Give the same field as a deployment reads it."""
        kind = self.kind.at_home(home)
        return self if kind is self.kind else replace(self, kind=kind)

    # where the value is -----------------------------------------------------------------------------------------------

    @property
    def width(self) -> int:
        """Count the columns of the field."""
        return len(self.kind.suffixes)

    @property
    def may_be_missing(self) -> bool:
        """Say whether a row may have no value, whatever input must name."""
        return self.optional

    def get(self, record: Any) -> Any:
        """Read the field of a record."""
        return getattr(record, self.name)

    def put(self, record: Any, value: Any) -> None:
        """Set the field of a record."""
        setattr(record, self.name, value)

    def columns_in(self, table: FromClause) -> tuple[ColumnElement[Any], ...]:
        """Give the expressions over a table, or an alias of it, that are compared, ordered by and indexed."""
        return tuple(table.c[column.name] for column in self.columns)

    def selected_in(self, table: FromClause) -> tuple[ColumnElement[Any], ...]:
        """Give the expressions that are selected: what they give is what the kind stores."""
        return self.columns_in(table)

    def raw(self) -> tuple[ColumnElement[Any], ...]:
        """Give the same by bare names and without a type: nothing to convert, and little to hash at each call."""
        return tuple(column(one.name) for one in self.columns)

    def compared_raw(self) -> ColumnElement[Any]:
        """Give the value by which a list is ordered, by its bare name, as a cursor keeps it."""
        return self.raw()[0]

    def stored(self, row: Any) -> Any:
        """Give the value in a row of the whole table."""
        return self.kind.from_columns([row[column.name] for column in self.columns])

    def logged(self, value: Any) -> Any:
        """Give the form in which the change log keeps a value."""
        return None if value is None else self.kind.dump(value)

    def told(self, raw: Any) -> Any:
        """Give the JSON form of what the change log kept."""
        return raw

    # what may be said of it -------------------------------------------------------------------------------------------

    @property
    def has_default(self) -> bool:
        """Say whether a record may be created without naming the field."""
        return self.optional or self.default is not UNSET or self.default_factory is not None

    @property
    def required(self) -> bool:
        """Say whether a creation must name the field."""
        return not self.has_default and not self.read_only

    @property
    def filterable(self) -> bool:
        """Say whether a filter may name the field."""
        # A secret must not be read one letter at a time by asking whether it starts with `a`.
        return self.filter and not self.hidden and self.field_class != "secret"

    @property
    def target(self) -> EntityInfo | None:
        """Give the entity that a reference points at."""
        if self.references is None or self.references == "self":
            return None
        declared: EntityInfo = self.references.info
        return declared if self.registry is None else self.registry.of(declared)

    def initial(self) -> Any:
        """Give the value of a new record that did not name the field."""
        if self.default_factory is not None:
            return self.default_factory()
        return None if self.default is UNSET else self.default


def field(kind: Kind, **options: Unpack[Options]) -> Any:
    """Declare a field of any kind; plugins use it for kinds of their own."""
    return Field(kind=kind, **({"field_class": kind.field_class} | options))  # type: ignore[arg-type]


def text(*, max_length: int = 255, lines: bool = False, **options: Unpack[Options]) -> Any:
    """Declare text; `lines` lets it have several."""
    return field(TextKind(max_length=max_length, lines=lines), **options)


def rich_text(*, max_length: int = 100_000, **options: Unpack[Options]) -> Any:
    """Declare text with simple, sanitized markup."""
    return field(RichTextKind(max_length=max_length), **options)


def integer(
    *, at_least: int = -(2**63) + 1, at_most: int = 2**63 - 1, **options: Unpack[Options]
) -> Any:
    """Declare a whole number within bounds."""
    return field(IntegerKind(at_least=at_least, at_most=at_most), **options)


def decimal(
    *,
    places: int = 2,
    at_least: Decimal | int | None = None,
    at_most: Decimal | int | None = None,
    **options: Unpack[Options],
) -> Any:
    """Declare an exact number with so many decimal places."""
    return field(DecimalKind(places=places, at_least=at_least, at_most=at_most), **options)


def money(*, currency: str | None = None, **options: Unpack[Options]) -> Any:
    """Declare an amount with its currency; `currency` is taken where none is given."""
    return field(MoneyKind(currency=currency), **options)


def percent(
    *,
    places: int = 2,
    at_least: Decimal | int | None = 0,
    at_most: Decimal | int | None = 100,
    **options: Unpack[Options],
) -> Any:
    """Declare a share in per cent."""
    return field(PercentKind(places=places, at_least=at_least, at_most=at_most), **options)


def boolean(**options: Unpack[Options]) -> Any:
    """Declare yes or no."""
    return field(BooleanKind(), **options)


def day(**options: Unpack[Options]) -> Any:
    """Declare a calendar day."""
    return field(DayKind(), **options)


def instant(**options: Unpack[Options]) -> Any:
    """Declare a moment in UTC."""
    return field(InstantKind(), **options)


def duration(**options: Unpack[Options]) -> Any:
    """Declare a length of time in seconds."""
    return field(DurationKind(), **options)


def choice(options_: Mapping[str, str], **options: Unpack[Options]) -> Any:
    """Declare one of several keys, each with its label."""
    return field(ChoiceKind(options_), **options)


def choices(options_: Mapping[str, str], **options: Unpack[Options]) -> Any:
    """Declare several of a list of keys."""
    return field(MultiChoiceKind(options_), **({"default_factory": list} | options))


def tags(**options: Unpack[Options]) -> Any:
    """Declare free tags."""
    return field(TagsKind(), **({"default_factory": list} | options))


def email(**options: Unpack[Options]) -> Any:
    """Declare an e-mail address."""
    return field(EmailKind(), **options)


def phone(*, region: str | None = None, **options: Unpack[Options]) -> Any:
    """Declare a phone number, kept in E.164."""
    return field(PhoneKind(region=region), **options)


def url(**options: Unpack[Options]) -> Any:
    """Declare a web address."""
    return field(UrlKind(), **options)


def address(**options: Unpack[Options]) -> Any:
    """Declare a postal address by part."""
    return field(AddressKind(), **options)


def person_name(**options: Unpack[Options]) -> Any:
    """Declare a person's name by part."""
    return field(PersonNameKind(), **options)


def country(**options: Unpack[Options]) -> Any:
    """Declare a country."""
    return field(CountryKind(), **options)


def language(**options: Unpack[Options]) -> Any:
    """Declare a language."""
    return field(LanguageKind(), **options)


def currency(**options: Unpack[Options]) -> Any:
    """Declare a currency."""
    return field(CurrencyKind(), **options)


def json(**options: Unpack[Options]) -> Any:
    """Declare a JSON value."""
    return field(JsonKind(), **options)


def file(
    *, most_bytes: int = 25 * 2**20, types: tuple[str, ...] = (), **options: Unpack[Options]
) -> Any:
    """Declare a stored file."""
    return field(FileKind(most_bytes=most_bytes, types=types), **options)


def ref(
    target: type[Entity] | Literal["self"],
    *,
    on_delete: OnDelete = "restrict",
    parent: bool = False,
    **options: Unpack[Options],
) -> Any:
    """Declare a reference to a record; `on_delete` is what the purge of that record does here.

    `parent=True` says that this record belongs to that one: who may not see the parent does not see this either.
    """
    prefix = "self" if target == "self" else target.info.prefix
    declared = field(RefKind(prefix), **({"index": True} | options))
    return replace(declared, references=target, on_delete=on_delete, parent=parent)


def owner(**options: Unpack[Options]) -> Any:
    """Declare the user who answers for the record."""
    declared = field(OwnerKind(), **({"index": True} | options))
    return replace(declared, on_delete="set_null")


def subject(**options: Unpack[Options]) -> Any:
    """Declare the record, of any entity, that this one belongs to.

    Who may see the subject may see this record, who may change it may change this one, and a purge takes both.
    """
    return replace(field(RecordKind(), **({"immutable": True} | options)), parent=True)
