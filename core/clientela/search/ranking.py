"""How well a document answers: the same numbers on every database, because they are counted here.

A word in what the record is called counts more than one in its other fields; the word itself more than a beginning,
that more than a stem or a name in the other alphabet. All words count alike, and a short name more than a long one.
"""

from __future__ import annotations

from clientela.search import words
from clientela.search.asking import Either, Question, Word

CALLED, CALLED_BEGINNING, STANDS, BEGINS, HEARD, RELATED = 1.0, 0.7, 0.5, 0.35, 0.25, 0.2
SHORT_NAME = 0.1
OTHER_LAYOUT = 0.5


def score(question: Question, document: str, marks: tuple[str, ...]) -> float:
    """Give a number between 0 and 1; 0 where it does not answer after all."""
    text = f" {document} "
    each = [_of(one, text, marks) for one in question.asked]
    if 0 in each:
        return 0.0
    found = sum(each) / len(each)
    called = sum(text.count(f" {mark}{words.NAME}") for mark in marks)
    share = min(len(question.asked) / called, 1.0) if called else 0.0
    whole = (found + SHORT_NAME * share) / (1 + SHORT_NAME)
    return round(whole * OTHER_LAYOUT if question.swapped else whole, 4)


def _of(one: Word | Either, text: str, marks: tuple[str, ...]) -> float:
    if isinstance(one, Either):
        parts = sum(_word(part, text, marks) for part in one.parts) / len(one.parts)
        return max(_word(one.whole, text, marks), parts * 0.9)
    return _word(one, text, marks)


def _word(word: Word, text: str, marks: tuple[str, ...]) -> float:
    best = 0.0
    for mark in marks:
        for spelling in (word.text, *word.spellings):
            best = max(
                best, _as_it_stands(f" {mark}{words.NAME}{spelling}", f" {mark}{spelling}", text)
            )
    return best or _derived(word, text, marks)


def _as_it_stands(called: str, plain: str, text: str) -> float:
    if called in text:
        return CALLED if f"{called} " in text else CALLED_BEGINNING
    if plain in text:
        return STANDS if f"{plain} " in text else BEGINS
    return 0.0


def _derived(word: Word, text: str, marks: tuple[str, ...]) -> float:
    if word.number:
        # The parts of two numbers may add up to a third.
        return BEGINS if any(one in text for one in (word.text, *word.spellings)) else 0.0
    for mark in marks:
        heard = (
            (f" {mark}{word.heard} ", f" {mark}{words.DERIVED}{word.heard} ") if word.heard else ()
        )
        if any(one in text for one in heard):
            return HEARD
    return RELATED
