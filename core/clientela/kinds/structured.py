"""Kinds with an inside: person name, postal address, JSON, file."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar

import orjson
from sqlalchemy import ColumnElement, func
from sqlalchemy.types import TypeEngine

from clientela.i18n.texts import _
from clientela.kinds import base
from clientela.kinds.base import Kind, Render, sentence_for_type
from clientela.kinds.text import TextKind
from clientela.normalize.filenames import LONGEST, is_safe_file_name, safe_file_name
from clientela.storage.types import json_type, plain_text
from clientela.values import PersonName, PostalAddress
from clientela.values.frozen import frozen

MOST_JSON = 65_536


class StructuredKind(Kind):
    """A value of named text parts, stored as one JSON object."""

    operators = frozenset()
    sortable = False
    field_class = "pii"
    value: ClassVar[Any]
    example: ClassVar[str]

    def load(self, raw: object) -> Any:
        """Take the object of parts."""
        if isinstance(raw, self.value):
            return raw
        if not isinstance(raw, dict):
            raise sentence_for_type(_("An object such as {example}", example=self.example), raw)
        for key, part in raw.items():
            TextKind(max_length=500).load(key)
            if part is not None:
                TextKind(max_length=500).load(part)
        return self.value.from_dict({k: v for k, v in raw.items() if v is not None})

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one JSON column."""
        return (json_type(),)

    def to_columns(self, value: Any) -> tuple[Any, ...]:
        """Store the parts."""
        return (None if value is None else value.as_dict(),)

    def from_columns(self, values: Any) -> Any:
        """Put the value together."""
        return None if values[0] is None else self.value.from_dict(values[0])

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Pass SQLite's JSON text through unread."""
        return (lambda raw: None if raw is None else orjson.Fragment(raw)) if sqlite else None

    def dump(self, value: Any) -> dict[str, str]:
        """Give the parts."""
        return dict(value.as_dict())

    @property
    def parts(self) -> Mapping[str, Kind]:
        """Let a filter look at each part."""
        return {part.name: TextKind(max_length=500) for part in fields(self.value)}

    def part_column(self, columns: base.type_of_columns, part: str) -> ColumnElement[Any]:
        """Read one part out of the JSON."""
        return func.nullif(columns[0][part].as_string(), "")

    def json_schema(self) -> dict[str, Any]:
        """Describe the parts."""
        return {
            "type": "object",
            "properties": {name: {"type": "string", "maxLength": 100} for name in self.parts},
            "additionalProperties": False,
        }


class PersonNameKind(StructuredKind):
    """A person's name by part, with patronymic."""

    name: ClassVar[str] = "person_name"
    python: ClassVar[Any] = PersonName
    value: ClassVar[Any] = PersonName
    example: ClassVar[str] = '{"family": "Иванова", "given": "Анна", "patronymic": "Петровна"}'

    def parse(self, text: str) -> PersonName:
        """Take a full name in one of the usual orders, or the JSON that `csv` writes."""
        text = TextKind(max_length=1_000).load(text)
        if text.startswith("{"):
            return self.load(read_json(text))  # type: ignore[no-any-return]
        return PersonName.parse(text)

    def csv(self, value: PersonName) -> str:
        """Give `Family, Given Patronymic`; the parts as JSON where that would not be read as the same name."""
        rest = " ".join(part for part in (value.given, value.patronymic) if part)
        line = f"{value.family}, {rest}" if value.family else rest
        try:
            if self.parse(line) == value:
                return line
        except ValueError:
            pass
        return orjson.dumps(value.as_dict()).decode()

    def format(self, value: PersonName, locale: str) -> str:
        """Give the full name in the order of the language."""
        return value.full(locale)

    def search_text(self, value: PersonName) -> str:
        """Give all parts."""
        return " ".join(value.as_dict().values())

    def sample(self, rng: random.Random) -> PersonName:
        """Make up a name."""
        family = rng.choice(["Ivanova", "Petrova", "Smith", "Иванова", "Смирнова"])
        return PersonName(family=family, given=rng.choice(["Anna", "Olga", "Анна", "Ольга"]))


class AddressKind(StructuredKind):
    """A postal address by part."""

    name: ClassVar[str] = "address"
    python: ClassVar[Any] = PostalAddress
    value: ClassVar[Any] = PostalAddress
    example: ClassVar[str] = (
        '{"country": "RU", "city": "Казань", "street": "Баумана", "house": "1"}'
    )

    def parse(self, text: str) -> PostalAddress:
        """Keep an address written in one line as its text, or read the JSON that `csv` writes."""
        text = text.strip()
        if text.startswith("{"):
            return self.load(read_json(text))  # type: ignore[no-any-return]
        return PostalAddress.from_dict({"text": TextKind(max_length=500).load(text)})

    def csv(self, value: PostalAddress) -> str:
        """Give the parts as JSON, so that nothing is lost."""
        return orjson.dumps(value.as_dict()).decode()

    def format(self, value: PostalAddress, locale: str) -> str:
        """Give one line in the order of the language."""
        return value.one_line(locale)

    def search_text(self, value: PostalAddress) -> str:
        """Give all parts."""
        return " ".join(value.as_dict().values())

    def sample(self, rng: random.Random) -> PostalAddress:
        """Make up an address."""
        city = rng.choice(["Kazan", "Berlin", "Казань"])
        return PostalAddress(country="RU", city=city, street="Main", house=str(rng.randint(1, 99)))


def read_json(text: str) -> Any:
    """Read JSON out of a cell."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as wrong:
        raise ValueError(_("This is not JSON: {reason}.", reason=wrong)) from None


# A date or a dataclass is no JSON, although the library would write it.
_AS_IT_IS = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)


def _holds_unstorable(value: object) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, float):
        return not math.isfinite(value)
    if isinstance(value, dict):
        return any(map(_holds_unstorable, (*value, *value.values())))
    return isinstance(value, list | tuple) and any(map(_holds_unstorable, value))


class JsonKind(Kind):
    """Any JSON value up to 64 KiB."""

    name: ClassVar[str] = "json"
    python: ClassVar[Any] = object
    operators = frozenset()
    sortable = False

    def load(self, raw: object) -> Any:
        """Take a JSON value that is not too large, and give what will be read back."""
        if raw is None:
            raise ValueError(_("A JSON value other than null is expected here."))
        try:
            stored = orjson.dumps(raw, option=_AS_IT_IS)
        except orjson.JSONEncodeError:
            raise ValueError(_("This is not a JSON value.")) from None
        if len(stored) > MOST_JSON:
            raise ValueError(
                _(
                    "JSON may have {most} bytes here, this has {count}.",
                    most=MOST_JSON,
                    count=len(stored),
                )
            )
        if (b"null" in stored or b"\\u0000" in stored) and _holds_unstorable(raw):
            raise ValueError(_("JSON must hold neither NUL, which PostgreSQL refuses, nor NaN."))
        return orjson.loads(stored)

    def parse(self, text: str) -> Any:
        """Read JSON."""
        return self.load(read_json(text))

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

    def csv(self, value: Any) -> str:
        """Write JSON."""
        return orjson.dumps(value).decode()

    def json_schema(self) -> dict[str, Any]:
        """Describe anything but null."""
        return {"type": ["object", "array", "string", "number", "boolean"]}

    def sample(self, rng: random.Random) -> Any:
        """Make up an object."""
        return {"n": rng.randint(0, 9)}


class FileKind(Kind):
    """A file that is kept beside the database: its name, type, size and SHA-256.

    The hash has a column of its own, because by it the bytes are found, and by their hash all who refer to them.
    """

    name: ClassVar[str] = "file"
    python: ClassVar[Any] = dict
    operators = frozenset()
    sortable = False
    suffixes = ("", "_sha256")
    indexed = ("_sha256",)

    def __init__(self, *, most_bytes: int = 25 * 2**20, types: tuple[str, ...] = ()) -> None:
        self.most_bytes = most_bytes
        self.media_types = types

    def load(self, raw: object) -> dict[str, Any]:
        """Take the description of a stored file."""
        if not isinstance(raw, dict) or set(raw) != {"name", "type", "size", "sha256"}:
            raise ValueError(_("A file is described by its name, type, size and sha256."))
        name = TextKind(max_length=LONGEST).load(raw["name"])
        media = TextKind(max_length=100).load(raw["type"])
        digest = TextKind(max_length=64).load(raw["sha256"])
        if not is_safe_file_name(name):
            raise ValueError(
                _("This cannot name a file; {name} could.", name=repr(safe_file_name(name)))
            )
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise ValueError(_("sha256 is 64 hexadecimal digits."))
        if not re.fullmatch(r"[\w.+-]+/[\w.+-]+", media, re.ASCII) or (
            self.media_types and media not in self.media_types
        ):
            raise ValueError(
                _("Files of the type {media} are not taken here.", media=repr(media[:60]))
            )
        size = raw["size"]
        if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= self.most_bytes:
            raise ValueError(_("A file may have {most} bytes here.", most=self.most_bytes))
        return frozen({"name": name, "type": media, "size": size, "sha256": digest})  # type: ignore[no-any-return]

    def parse(self, text: str) -> Any:
        """Read the description as JSON."""
        return self.load(read_json(text))

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give a column for the description and one for the hash."""
        return (json_type(), plain_text())

    def to_columns(self, value: dict[str, Any] | None) -> tuple[Any, ...]:
        """Store the description, and the hash beside it."""
        return (None, None) if value is None else (value, value.get("sha256"))

    def from_columns(self, values: Sequence[Any]) -> Any:
        """Give the description so that nobody changes it in place."""
        return frozen(values[0])

    def renderer(self, *, sqlite: bool) -> Render | None:
        """Pass SQLite's JSON text through unread."""
        if sqlite:
            return lambda raw: None if raw[0] is None else orjson.Fragment(raw[0])
        return lambda raw: raw[0]

    def csv(self, value: Any) -> str:
        """Write the description as JSON."""
        return orjson.dumps(value).decode()

    def format(self, value: Any, locale: str) -> str:
        """Give the name."""
        del locale
        return str(value["name"])

    def search_text(self, value: Any) -> str:
        """Give the name: the file is found by it."""
        return str(value["name"])

    def json_schema(self) -> dict[str, Any]:
        """Describe the description."""
        return {
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1, "maxLength": LONGEST},
                "type": {"type": "string", "maxLength": 100},
                "size": {"type": "integer", "minimum": 0, "maximum": self.most_bytes},
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            },
            "required": ["name", "type", "size", "sha256"],
            "additionalProperties": False,
        }

    def sample(self, rng: random.Random) -> dict[str, Any]:
        """Make up the description of an empty text."""
        digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        return {
            "name": f"note-{rng.randint(1, 99)}.txt",
            "type": "text/plain",
            "size": 0,
            "sha256": digest,
        }
