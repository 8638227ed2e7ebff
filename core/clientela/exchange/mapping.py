"""Which column fills which field: told by the importer, or guessed from the header."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING

from clientela.entity import EntityInfo
from clientela.errors import FieldProblem, Forbidden, Invalid, did_you_mean
from clientela.exchange.conventions import Convention, conventions_of
from clientela.exchange.options import ImportOptions
from clientela.exchange.suggesting import Suggestion, suggestions_of
from clientela.exchange.synonyms import SYNONYMS, plain
from clientela.fields import Field
from clientela.i18n.texts import Text, _
from clientela.kinds.base import Kind
from clientela.kinds.text import TextKind

if TYPE_CHECKING:
    from clientela.app import App


@dataclass(frozen=True)
class Target:
    """What a column fills: a field, a part of one, or a reference by a field of its target."""

    field: Field
    part: str = ""
    by: Field | None = None

    @property
    def word(self) -> str:
        """Give the target as it is written."""
        ending = f".{self.part}" if self.part else f":{self.by.name}" if self.by else ""
        return self.field.name + ending


@dataclass
class Columns:
    """The targets of a file's columns, by place, and the columns that have none."""

    targets: dict[int, Target] = field(default_factory=dict)
    constants: dict[str, tuple[Target, str]] = field(default_factory=dict)
    unmapped: list[int] = field(default_factory=list)
    extra_into: Field | None = None
    conventions: dict[int, Convention] = field(default_factory=dict)
    suggestions: list[Suggestion] = field(default_factory=list)
    zone: tzinfo = UTC

    @property
    def fields(self) -> set[str]:
        """Name the fields that every row sets."""
        named = [*self.targets.values(), *(target for target, _ in self.constants.values())]
        extra = {self.extra_into.name} if self.extra_into and self.unmapped else set()
        return {target.field.name for target in named} | extra


def map_columns(
    app: App,
    info: EntityInfo,
    header: Sequence[str],
    options: ImportOptions,
    sample: Sequence[Sequence[str]] = (),
) -> Columns:
    """Find the target of each column, and how it is written; what is named explicitly must exist."""
    made = Columns(zone=app.settings.zone)
    told = _told(info, header, options.mapping)
    for word, text in options.constants.items():
        target = find_target(info, word)
        _refuse_twice(made, target, "constants")
        made.constants[target.word] = (target, text)
    for place, wanted in told.items():
        if wanted is not None:
            _refuse_twice(made, wanted, header[place])
            made.targets[place] = wanted
    guesses = Guesser(app, info)
    for place, name in enumerate(header):
        if place in told:
            continue
        guess = guesses.target(name)
        if guess is None or _is_taken(made, guess):
            made.unmapped.append(place)
        else:
            made.targets[place] = guess
    made.targets = dict(sorted(made.targets.items()))
    made.extra_into = _extra(info, options.extra_into)
    if made.extra_into is not None and made.extra_into.name in made.constants:
        raise Invalid(
            _(
                "{field} takes the unmapped columns; it cannot be a constant too.",
                field=made.extra_into.name,
            )
        )
    made.suggestions = suggestions_of(header, _free(info, made), made.unmapped, sample)
    _require_known(info, made, options)
    kinds = {place: _kind_of(target) for place, target in made.targets.items()}
    made.conventions = conventions_of(app, header, kinds, sample, options)
    return made


def _free(info: EntityInfo, made: Columns) -> list[Field]:
    """Give the fields that nothing fills yet."""
    return [declared for name, declared in info.writable.items() if name not in made.fields]


def _kind_of(target: Target) -> Kind:
    if target.by is not None:
        return target.by.kind
    return target.field.kind.parts[target.part] if target.part else target.field.kind


def _told(
    info: EntityInfo, header: Sequence[str], mapping: Mapping[str, str]
) -> dict[int, Target | None]:
    places = {plain(name): place for place, name in enumerate(header)}
    found: dict[int, Target | None] = {}
    for column, word in mapping.items():
        place = header.index(column) if column in header else places.get(plain(column))
        if place is None:
            raise Invalid(
                _("The file has no column {column}.", column=repr(column[:60]))
                + did_you_mean(column, header),
                [
                    FieldProblem(
                        "/mapping",
                        "unknown-column",
                        _("There is no column {column}.", column=repr(column[:60])),
                    )
                ],
            )
        found[place] = find_target(info, word) if word else None
    return found


def find_target(info: EntityInfo, word: str) -> Target:
    """Read `email`, `person.family` or `customer:email`; a field that input may not set is refused."""
    name, _dot, part = word.partition(".")
    name, _colon, by = name.partition(":")
    declared = info.filter_field(name.strip())
    if declared is None or declared.name not in info.writable:
        raise _unknown(info, name, declared)
    if part:
        if part not in declared.kind.parts:
            raise Invalid(
                _("{field} has no part {part}.", field=declared.name, part=repr(part[:40]))
                + did_you_mean(part, declared.kind.parts)
            )
        return Target(declared, part)
    return Target(declared, by=_by(declared, by.strip())) if by else Target(declared)


def _unknown(info: EntityInfo, name: str, declared: Field | None) -> Invalid:
    if declared is not None or name in info.fields:
        sentence = _("{name} is written by the system and cannot be imported.", name=name)
        return Invalid(sentence, [FieldProblem("/mapping", "read-only", sentence)])
    sentence = _("{label} has no field {field}.", label=Text(info.label), field=repr(name[:60]))
    return Invalid(
        sentence + did_you_mean(name, info.writable),
        [FieldProblem("/mapping", "unknown-field", sentence)],
    )


def _by(declared: Field, name: str) -> Field:
    """Find the field of the target by which a reference is looked up."""
    target = declared.target
    if target is None:
        raise Invalid(
            _(
                "{field} is no reference, so it cannot be found by {name}.",
                field=declared.name,
                name=repr(name[:40]),
            )
        )
    found = target.filter_field(name)
    if found is None or not found.filterable or found.width != 1 or not found.kind.operators:
        names = [n for n, f in target.visible.items() if f.filterable]
        raise Invalid(
            _("{nouns} cannot be found by {name}.", nouns=target.heading, name=repr(name[:40]))
            + did_you_mean(name, names)
        )
    return found


def _refuse_twice(made: Columns, target: Target, name: str) -> None:
    if _is_taken(made, target):
        sentence = _(
            "{word} is filled twice; the second time by {field}.",
            word=target.word,
            field=repr(name[:60]),
        )
        raise Invalid(sentence, [FieldProblem("/mapping", "mapped-twice", sentence)])


def _is_taken(made: Columns, target: Target) -> bool:
    others = [*made.targets.values(), *(other for other, _ in made.constants.values())]
    return any(
        other.field.name == target.field.name and _same_place(other, target) for other in others
    )


def _same_place(one: Target, other: Target) -> bool:
    # An amount and its currency may stand in two columns; a name and its parts may not.
    if one.field.kind.name == "money":
        return one.part == other.part
    return not one.part or not other.part or one.part == other.part


def _extra(info: EntityInfo, name: str | None) -> Field | None:
    if name is None:
        return None
    target = find_target(info, name)
    kind = target.field.kind
    if target.part or type(kind) is not TextKind or not kind.lines:
        raise Invalid(
            _(
                "{field} is no text of several lines; unmapped columns need one.",
                field=repr(name[:60]),
            )
        )
    return target.field


def _require_known(info: EntityInfo, made: Columns, options: ImportOptions) -> None:
    if not made.targets:
        raise Invalid(
            _(
                "No column of the file fits a field of {nouns}; name them in the mapping. Its fields are {fields}.",
                nouns=info.nouns,
                fields=", ".join(info.writable),
            )
        )
    for name in options.key:
        declared = find_target(info, name).field
        if declared.name not in made.fields:
            raise Invalid(
                _(
                    "The key {field} is filled by no column, so no row can be matched.",
                    field=declared.name,
                )
            )
        if declared.width != 1 or not declared.kind.operators:
            raise Invalid(
                _(
                    "{field} cannot be a key; take one that has a single plain value.",
                    field=declared.name,
                )
            )


def default_key(info: EntityInfo, made: Columns) -> tuple[str, ...]:
    """Give the first unique key of the entity that the file fills."""
    for names in info.unique_keys:
        if made.fields.issuperset(names):
            return names
    keys = [" + ".join(names) for names in info.unique_keys]
    raise Invalid(
        _(
            "To match rows with {nouns}, name the fields that tell them apart as the key.",
            nouns=info.nouns,
        )
        + (_(" Its unique ones are {keys}.", keys=", ".join(keys)) if keys else "")
    )


def refuse_hidden(
    info: EntityInfo, made: Columns, hidden: frozenset[str], key: tuple[str, ...]
) -> None:
    """Refuse to look records up by what the importer may not read: it would answer letter by letter."""
    looked_up = [find_target(info, name).field for name in key]
    looked_up += [target.by for target in made.targets.values() if target.by is not None]
    for declared in looked_up:
        if declared.field_class in hidden:
            raise Forbidden(
                _(
                    "{field} is hidden from your roles, so nothing can be found by it.",
                    field=declared.name,
                )
            )


class Guesser:
    """Guesses targets from headers: field names first, then labels in all languages, then synonyms."""

    def __init__(self, app: App, info: EntityInfo) -> None:
        self._known: dict[str, Target] = {}
        for word, target in _words(app, info):
            self._known.setdefault(plain(word), target)

    def target(self, header: str) -> Target | None:
        """Give the most likely target of a column."""
        return self._known.get(plain(header))


def _words(app: App, info: EntityInfo) -> Iterator[tuple[str, Target]]:
    fields = info.writable.values()
    yield from ((f.name, Target(f)) for f in fields)
    parts = [(f"{f.name}.{part}", Target(f, part)) for f in fields for part in f.kind.parts]
    yield from parts
    yield from ((f.name.removesuffix("_id").removesuffix("_at"), Target(f)) for f in fields)
    yield from ((label, Target(f)) for f in fields for label in _labels(app, f))
    known = {f.name: Target(f) for f in fields}
    for _label, target in parts:
        if target.field.kind.name != "money":
            known.setdefault(target.part, target)
    yield from ((name, target) for name, target in known.items())
    for name, words in SYNONYMS.items():
        # Beside a reference to a customer, `company` is that customer and not the record's own name.
        if name in known and not (name == "name" and "customer_id" in known):
            yield from ((word, known[name]) for word in words)


def _labels(app: App, declared: Field) -> Iterator[str]:
    yield declared.label
    for language in app.catalogues.languages:
        yield app.catalogues.translator(language).text(declared.label)
