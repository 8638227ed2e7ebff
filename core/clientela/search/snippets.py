"""What is shown of a hit: pieces of text, each with whether it is what was looked for. No markup anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable

from clientela.search import words
from clientela.search.asking import Question, Word
from clientela.search.stems import sound, stem

Piece = tuple[str, bool]

AROUND = 160
BEFORE = 40
MOST_LETTERS = 20_000

_WORD = re.compile(r"[^\W_]+(?:['`´’‘][^\W_]+)*")
_NUMBER = re.compile(r"\+?\d(?:[ ().\u2011\u2013-]{0,3}\d){3,19}", re.ASCII)
_BLANKS = re.compile(r"\s+")


def pieces(question: Question, text: str) -> list[Piece]:
    """Cut a text into what was looked for and what stands around it; what was not found has no hit."""
    text = _BLANKS.sub(" ", text[:MOST_LETTERS]).strip()
    spans = hits(question, text, AROUND)
    start = max(spans[0][0] - BEFORE, 0) if len(text) > AROUND and spans else 0
    if start:
        start = text.find(" ", start, spans[0][0]) + 1 or start
    end = min(start + AROUND, len(text))
    found: list[Piece] = [("…", False)] if start else []
    place = start
    for begin, stop in spans:
        if begin >= end:
            break
        if begin > place:
            found.append((text[place:begin], False))
        found.append((text[begin : min(stop, end)], True))
        place = min(stop, end)
    if place < end:
        found.append((text[place:end], False))
    return [*found, ("…", False)] if end < len(text) else found


def hits(question: Question, text: str, window: int = MOST_LETTERS) -> list[tuple[int, int]]:
    """Give where the words of a question stand in a text, up to `window` letters behind the first."""
    fits = _fitter(question)
    spans = _numbers(question, text)
    first = spans[0][0] if spans else None
    for found in _WORD.finditer(text):
        begin, stop = found.span()
        if first is not None and begin > first + window:
            break
        if any(begin < b and a < stop for a, b in spans):
            continue
        if fits(found[0]):
            spans.append((begin, stop))
            first = begin if first is None else min(first, begin)
    return sorted(spans)


def _fitter(question: Question) -> Callable[[str], bool]:
    known: dict[str, bool] = {}

    def fits(raw: str) -> bool:
        if raw not in known:
            known[raw] = any(
                _fits(word, part) for part in words.split(raw) for word in question.words
            )
        return known[raw]

    return fits


def _fits(word: Word, folded: str) -> bool:
    for one in (word.text, *word.spellings):
        if folded == one or (word.begins and folded.startswith(one)):
            return True
    root = stem(folded)
    if root == word.text or (word.root and word.root in {root, folded}):
        return True
    if not word.heard:
        return False
    heard = sound(folded)
    return heard == word.heard or (word.begins and heard.startswith(word.heard))


def _numbers(question: Question, text: str) -> list[tuple[int, int]]:
    """Find digits within numbers, whatever signs stand between them."""
    wanted = [
        one
        for word in question.words
        if word.text.isdigit() and len(word.text) >= words.SHORTEST_PART
        for one in (word.text, *word.spellings)
    ]
    spans: list[tuple[int, int]] = []
    for found in _NUMBER.finditer(text) if wanted else ():
        places = [found.start() + n for n, sign in enumerate(found[0]) if sign.isdigit()]
        digits = "".join(text[place] for place in places)
        for candidate in (words.whole_number(digits), digits):
            at = next((at for one in wanted if (at := candidate.find(one)) >= 0), None)
            if at is not None:
                size = next(len(one) for one in wanted if candidate.find(one) == at)
                spans.append((places[at], places[at + size - 1] + 1))
                break
    return spans
