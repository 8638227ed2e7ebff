"""What is asked for: the words of a query, each with its spellings, and what each database is asked.

Every word must be found, in one of its spellings: as it stands, as the beginning of a word, by its stem, or as a name
sounds in the other alphabet. Numbers and addresses are looked for as a whole, or by their parts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from clientela.normalize import keyboard_swap
from clientela.search import words
from clientela.search.stems import sound, stem

MOST_WORDS = 8
MOST_LETTERS = 400
SHORTEST_BEGINNING = 2  # of a word that is not the last one

_NUMBER = re.compile(r"\+?\d[\d ().\u2011\u2013-]*\d", re.ASCII)
_DIGITS = re.compile(r"\D+")
_SHORTEST_NUMBER = 5


@dataclass(frozen=True)
class Token:
    """A word of the index, or with `begins` every word that begins so."""

    text: str
    begins: bool = False


@dataclass(frozen=True)
class AllOf:
    """Every part must be found."""

    parts: tuple[Need, ...]


@dataclass(frozen=True)
class AnyOf:
    """One part must be found."""

    parts: tuple[Need, ...]


Need = Token | AllOf | AnyOf


@dataclass(frozen=True)
class Word:
    """A word of a query with its other spellings; `begins` says whether the beginning of a word is enough."""

    text: str
    begins: bool
    spellings: tuple[str, ...] = ()  # as good as the word itself
    heard: str = ""  # as a name
    root: str = ""
    number: bool = False  # of enough digits to be found by its parts

    def need(self, marks: tuple[str, ...]) -> Need:
        """Say what of the index shows the word."""
        found: list[Need] = []
        for mark in marks:
            standing = dict.fromkeys(
                [self.text, *self.spellings, *([self.heard] if self.heard else [])]
            )
            found += [Token(mark + one, self.begins) for one in standing]
            if self.heard:
                found.append(Token(mark + words.DERIVED + self.heard, self.begins))
            if self.number:
                found += [AllOf(_within(one, mark)) for one in standing]
            if self.root:
                found += [Token(mark + self.root), Token(mark + words.DERIVED + self.root)]
        return AnyOf(tuple(dict.fromkeys(found)))

    def need_in_names(self, marks: tuple[str, ...], *, begins: bool) -> Need:
        """Say what shows the word in what records are called, as it stands or as a beginning."""
        whole = [mark + words.NAME + one for mark in marks for one in (self.text, *self.spellings)]
        return AnyOf(tuple(Token(one, begins and self.begins) for one in whole))


def _within(digits: str, mark: str) -> tuple[Token, ...]:
    quads = words.quads(digits)
    return tuple(Token(mark + words.DERIVED + one) for one in [*quads[:-1:2], quads[-1]])


@dataclass(frozen=True)
class Either:
    """A number, written in one or by its parts."""

    whole: Word
    parts: tuple[Word, ...]
    number: bool = True

    def need(self, marks: tuple[str, ...]) -> Need:
        """Say what of the index shows it."""
        return AnyOf((self.whole.need(marks), AllOf(tuple(p.need(marks) for p in self.parts))))

    def need_in_names(self, marks: tuple[str, ...], *, begins: bool) -> Need:
        """Say what shows it in what records are called."""
        return self.whole.need_in_names(marks, begins=begins)


@dataclass(frozen=True)
class Question:
    """The words of a query; `swapped` when they were typed in the other keyboard layout."""

    asked: tuple[Word | Either, ...]
    swapped: bool = False
    words: tuple[Word, ...] = field(default=(), compare=False)

    def need(self, marks: tuple[str, ...]) -> Need:
        """Say what of the index shows all of them."""
        return AllOf(tuple(one.need(marks) for one in self.asked))

    def need_in_names(self, marks: tuple[str, ...], *, begins: bool) -> Need:
        """Say what shows all of them in what records are called."""
        return AllOf(tuple(one.need_in_names(marks, begins=begins) for one in self.asked))


def readings(query: str) -> list[Question]:
    """Read a query: one reading after the other, each for when those before found nothing; none of mere signs.

    The last word may be the beginning of one, it may still be being typed; then all of them may be; then all was
    typed in the other keyboard layout.
    """
    query = query[:MOST_LETTERS]
    found = [
        _question(query, loose=False),
        _question(query, loose=True),
        _question(keyboard_swap(query), loose=False, swapped=True),
    ]
    if found[0] is None:
        return []
    return list({one.asked: one for one in reversed(found) if one is not None}.values())[::-1]


def _question(query: str, *, loose: bool, swapped: bool = False) -> Question | None:
    asked: list[Word | Either] = []
    rest = words.ADDRESS.sub(lambda found: _apart(asked, _address(found[0])), query)
    rest = _NUMBER.sub(
        lambda found: _apart(asked, _number(found[0])) if _is_number(found[0]) else found[0], rest
    )
    texts = words.split(rest)
    asked += [
        _word(text, begins=n == len(texts) or (loose and len(text) >= SHORTEST_BEGINNING))
        for n, text in enumerate(texts, start=1)
    ]
    asked = list(dict.fromkeys(asked))[:MOST_WORDS]
    if not asked:
        return None
    each = [
        part
        for one in asked
        for part in ((one.whole, *one.parts) if isinstance(one, Either) else (one,))
    ]
    return Question(tuple(asked), swapped, tuple(each))


def _apart(asked: list[Word | Either], found: Word | Either | None) -> str:
    if found is not None:
        asked.append(found)
    return " "


def _address(text: str) -> Word | None:
    whole = words.in_one(words.split(text))
    return Word(whole, begins=True) if whole else None


def _is_number(text: str) -> bool:
    digits = _DIGITS.sub("", text)
    return len(digits) >= _SHORTEST_NUMBER or (
        text[0] == "+" and len(digits) >= words.SHORTEST_PART
    )


def _number(text: str) -> Word | Either:
    digits = _DIGITS.sub("", text)[: words.LONGEST_NUMBER]
    parts = words.split(text)[:MOST_WORDS]
    if len(parts) < 2:  # noqa: PLR2004 - nothing to part
        return _digits(digits)
    # Short parts must stand alone: every number begins with some digit.
    each = (Word(part, begins=len(part) >= words.SHORTEST_PART) for part in parts)
    return Either(_digits(digits), tuple(each))


def _digits(digits: str) -> Word:
    if len(digits) < words.SHORTEST_PART:
        return Word(digits, begins=True)
    spellings = []
    if digits[0] == "8":  # 8 926… is how Russians write +7 926… at home
        spellings.append(f"7{digits[1:]}")
    bare = digits.lstrip("0")  # as others write +49 171… at home
    if bare != digits and len(digits) >= _SHORTEST_NUMBER and len(bare) >= words.SHORTEST_PART:
        spellings.append(bare)
    return Word(digits, begins=True, spellings=tuple(spellings), number=True)


def _word(text: str, *, begins: bool) -> Word:
    if text.isascii() and text.isdigit():
        return _digits(text)
    root = stem(text)
    return Word(text, begins=begins, heard=sound(text), root="" if root == text else root)


# the languages of the databases ---------------------------------------------------------------------------------------
# A token is letters, digits and marks of ours: there is nothing in it that would need escaping, and it is quoted all
# the same.


def for_sqlite(need: Need) -> str:
    """Write it as FTS5 wants it."""
    if isinstance(need, Token):
        quoted = '"' + need.text.replace('"', '""') + '"'
        return f"{quoted}*" if need.begins else quoted
    joined = (" AND " if isinstance(need, AllOf) else " OR ").join(map(for_sqlite, need.parts))
    return f"({joined})" if len(need.parts) > 1 else joined


def for_postgres(need: Need) -> str:
    """Write it as a `tsquery`."""
    if isinstance(need, Token):
        quoted = "'" + need.text.replace("\\", "\\\\").replace("'", "''") + "'"
        return f"{quoted}:*" if need.begins else quoted
    joined = (" & " if isinstance(need, AllOf) else " | ").join(map(for_postgres, need.parts))
    return f"({joined})" if len(need.parts) > 1 else joined
