"""From text to words: folding, and the words of a document with the marks that tell what they are.

A document is a line of words with blanks between. Each word may begin with marks:

    ~  the word stands in a field of class `pii`, `$` in one of class `financial`; no mark, in one that all may see
    ^  the word stands in what the record is called; it is there once more without this mark
    =  the word does not stand there itself: it is a stem, how a name sounds in Latin letters, or part of a number

So one index answers all questions: who may not see a class is never asked for its words, and a hit in the name can be
told from one in a note. Of a number every four digits in a row are there, so that any of its parts finds it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from clientela.search.stems import CACHED, sound, stem

CLASSES = {None: "", "pii": "~", "financial": "$"}
NAME, DERIVED = "^", "="

# What a database can index of one word, and of one field; who looks for more looks for its beginning.
LONGEST_WORD = 60
MOST_LETTERS = 50_000
MOST_KEPT = 200_000  # letters of a document: a `tsvector` has room for a megabyte

SHORTEST_PART = 4  # digits in a row that find a number
LONGEST_NUMBER = 20
_WHOLE_NUMBER = 11  # digits of a Russian number, written with 7 or 8 in front

_NUMBER = re.compile(r"\d(?:[ ().\u2011\u2013-]{0,3}\d){6,19}", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
ADDRESS = re.compile(r"[^\s@<>(),;:\"]{1,64}@[^\s@<>(),;:\"]{1,250}")
_ACCENTED = re.compile(r"[\u00c0-\u024f\u0300-\u036f\u0370-\u03ff\u1e00-\u1fff]")
_ACCENTS = re.compile(r"(?<=[a-zα-ω])[\u0300-\u036f]+")

_SIGNLESS = {ord(sign): None for sign in "'`´’‘ʼʹ′＇"}
_LETTERS = {
    "ё": "е", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i",
}  # fmt: skip
_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)} | {
    ord(sign): "" for sign in "'`"
}


class _Folding(dict[int, "int | str | None"]):
    """What becomes of each character, worked out when it is first met."""

    def __missing__(self, code: int) -> int | str | None:
        sign = chr(code)
        category = unicodedata.category(sign)
        if sign in _LETTERS:
            self[code] = _LETTERS[sign]
        elif category == "Cf":
            self[code] = None
        else:
            self[code] = code if category[0] in "LMN" else " "
        return self[code]


_FOLDING = _Folding(_SIGNLESS)


def fold(text: str) -> str:
    """Give the words of a text as they are kept and looked for, without case, ё, accents and signs.

    >>> fold("  Пётр О’Нил–Смит, CAFÉ №5!")
    'петр онил смит cafe 5'
    """
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    low = unicodedata.normalize("NFKC", text.replace("№", " ")).casefold()
    if _ACCENTED.search(low):
        low = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", low)))
    return " ".join(unicodedata.normalize("NFKC", low).translate(_FOLDING).split())


def split(text: str) -> list[str]:
    """Give the folded words of a text, the longest of them cut."""
    words = fold(text).split()
    if len(text) > LONGEST_WORD:
        return [word[:LONGEST_WORD] for word in words]
    return words


# the words of a document ----------------------------------------------------------------------------------------------

Learn = Callable[[str, str], str]


def of_name(text: str, mark: str) -> str:
    """Give the words of what a record is called."""
    text = text[:MOST_LETTERS]
    return " ".join([_named(word, mark) for word in split(text)]) + _wholes(text, mark)


def of_text(text: str, mark: str) -> str:
    """Give the words of any other text."""
    text = text[:MOST_LETTERS]
    return " ".join([_plain(word, mark) for word in split(text)]) + _wholes(text, mark)


def of_address(text: str, mark: str) -> str:
    """Give the parts of an e-mail or web address, and the whole in one word."""
    words = split(text.removeprefix("https://").removeprefix("http://"))
    return mark + f" {mark}".join([*words, in_one(words)]) if words else ""


def in_one(words: list[str]) -> str:
    """Write the parts of an address as one word."""
    return "".join(words)[:LONGEST_WORD]


def of_phone(text: str, mark: str) -> str:
    """Give a number and its parts."""
    digits = text.removeprefix("+")
    return _parts(digits if digits.isdecimal() else "".join(_DIGITS.findall(text)), mark)


@lru_cache(maxsize=CACHED)
def _named(word: str, mark: str) -> str:
    found = f"{_plain(word, mark)} {mark}{NAME}{word}"
    heard = sound(word)
    return found if heard in {"", word} else f"{found} {mark}{DERIVED}{heard}"


@lru_cache(maxsize=CACHED)
def _plain(word: str, mark: str) -> str:
    root = stem(word)
    return f"{mark}{word}" if root == word else f"{mark}{word} {mark}{DERIVED}{root}"


def _wholes(text: str, mark: str) -> str:
    """Give the numbers and addresses that stand in a text, whole."""
    found = ""
    for run in _NUMBER.findall(text):
        found += " " + _parts("".join(_DIGITS.findall(run)), mark)
    if "@" in text:
        for address in ADDRESS.findall(text):
            found += f" {mark}{in_one(split(address))}"
    return found


def _parts(digits: str, mark: str) -> str:
    digits = whole_number(digits)[:LONGEST_NUMBER]
    return f" {mark}{DERIVED}".join([mark + digits, *quads(digits)]) if digits else ""


def quads(digits: str) -> list[str]:
    """Give each four digits in a row: few distinct words, so that they cost an index little."""
    return [digits[n : n + SHORTEST_PART] for n in range(len(digits) - SHORTEST_PART + 1)]


def whole_number(digits: str) -> str:
    """Write a Russian number with its country code: 8 926… is +7 926…."""
    if len(digits) == _WHOLE_NUMBER and digits[0] == "8":
        return f"7{digits[1:]}"
    return digits


def document(parts: list[str]) -> str:
    """Put the words together, each once, as many as a database can index."""
    made = " ".join(dict.fromkeys(" ".join(parts).split()))
    return made if len(made) <= MOST_KEPT else made[:MOST_KEPT].rpartition(" ")[0]
