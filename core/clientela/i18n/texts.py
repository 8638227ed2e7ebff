"""Texts that remember their message: marked where they are written, translated where they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

_PLACE: Final = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")

# One sentence after another: it has no words of its own to translate.
FOLLOWED: Final = "{first}{second}"


@dataclass(frozen=True, slots=True)
class Template:
    """A message with places like `{name}`: plain names only, `{{` and `}}` are braces."""

    pieces: tuple[tuple[str, str | None], ...]
    names: frozenset[str]
    is_sound: bool

    def fits(self, values: Mapping[str, str]) -> bool:
        """Say whether every place can be filled."""
        return self.is_sound and self.names <= values.keys()

    def fill(self, values: Mapping[str, str]) -> str:
        """Give the text; a place without a value and a stray brace stay as they are written."""
        return "".join(
            literal if name is None else values.get(name, literal) for literal, name in self.pieces
        )


@lru_cache(maxsize=8192)
def parse(message: str) -> Template:
    """Read a message once. `str.format` would let a translation reach into attributes.

    >>> parse("{name}, {name.__class__} {0}").fill({"name": "Ann"})
    'Ann, {name.__class__} {0}'
    """
    pieces: list[tuple[str, str | None]] = []
    is_sound, end = True, 0
    for match in _PLACE.finditer(message):
        found, name = match[0], match[1]
        is_brace = found in ("{{", "}}")
        pieces.append((message[end : match.start()], None))
        pieces.append((found[0] if is_brace else found, name))
        is_sound, end = is_sound and (is_brace or name is not None), match.end()
    pieces.append((message[end:], None))
    names = frozenset(name for _, name in pieces if name is not None)
    return Template(tuple(piece for piece in pieces if piece[0]), names, is_sound)


class Text(str):
    """An English text that remembers its key, so that it can be shown in another language later."""

    __slots__ = ("context", "key", "values")

    key: str
    context: str | None
    values: Mapping[str, object]

    def __new__(
        cls, key: str, context: str | None = None, values: Mapping[str, object] | None = None
    ) -> Self:
        """Give the English text, with its values filled in."""
        kept = dict(values or {})
        english = {name: str(value) for name, value in kept.items()}
        self = super().__new__(cls, parse(key).fill(english))
        self.key, self.context, self.values = key, context, kept
        return self

    def __add__(self, more: str) -> Text:
        """Let another whole sentence follow, so that each is translated by itself."""
        return Text(FOLLOWED, None, {"first": self, "second": more})

    def __reduce__(self) -> tuple[type[Text], tuple[object, ...]]:
        return type(self), (self.key, self.context, self.values)


class Spoken(Text):
    """A text that an integrator gave in several languages; no catalogue is asked for it."""

    __slots__ = ("languages",)

    languages: Mapping[str, str]

    def __new__(cls, english: str, languages: Mapping[str, str]) -> Self:
        """Give the English text as it is written: its braces are braces."""
        self = str.__new__(cls, english)
        self.key, self.context, self.values = english, None, {}
        self.languages = languages
        return self

    def said_in(self, language: str) -> str:
        """Give the text in a language, else in English."""
        return self.languages.get(language.partition("_")[0].partition("-")[0]) or str(self)

    def __reduce__(self) -> tuple[type[Text], tuple[object, ...]]:
        return type(self), (str(self), self.languages)


def _(key: str, /, *, context: str | None = None, **values: object) -> Text:
    """Mark a text in a declaration or an error; whoever shows it translates it."""
    return Text(key, context, values)


def pack(text: str) -> Any:
    """Give a JSON form of a text from which `unpack` makes the same text, still translatable."""
    if not isinstance(text, Text):
        return text
    values = {n: pack(v) if isinstance(v, str) else str(v) for n, v in text.values.items()}
    return [text.key, text.context, values]


def unpack(packed: Any) -> str:
    """Read what `pack` gave."""
    if isinstance(packed, str):
        return packed
    key, context, values = packed
    return Text(key, context, {name: unpack(value) for name, value in values.items()})
