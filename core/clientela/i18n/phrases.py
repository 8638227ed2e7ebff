"""The phrases that every entity needs: "New customer", "Customer deleted", "5 customers".

English is made from the noun of the entity. Every other language writes them out in its catalogue,
under the context `entity:<plugin>.<entity>`, because no rule could decline a Russian noun.
"""

from __future__ import annotations

from typing import Final

from clientela.i18n.catalogue import Count, Message, Translator
from clientela.i18n.texts import parse

_COUNT: Final = "count"
_SENTENCES: Final = {
    "new": "New {one}",
    "create": "Create {one}",
    "edit": "Edit {one}",
    "delete": "Delete {one}",
    "trash": "Move {one} to trash",
    "restore": "Restore {one}",
    "purge": "Delete {one} forever",
    "created": "{One} created",
    "updated": "{One} updated",
    "trashed": "{One} moved to trash",
    "restored": "{One} restored",
    "purged": "{One} deleted forever",
    "delete_confirm": "Delete this {one}?",
    "in": "in {many}",
    "of": "of the {one}",
    "none": "No {many} yet",
    "not_found": "{One} not found",
}
PHRASES: Final = (*_SENTENCES, _COUNT)

_IRREGULAR: Final = {
    "person": "people",
    "child": "children",
    "man": "men",
    "woman": "women",
    "foot": "feet",
    "tooth": "teeth",
    "mouse": "mice",
    "hero": "heroes",
    "quiz": "quizzes",
    "leaf": "leaves",
    "shelf": "shelves",
    "half": "halves",
    "life": "lives",
    "analysis": "analyses",
    "basis": "bases",
    "hypothesis": "hypotheses",
    "criterion": "criteria",
    "datum": "data",
}
_UNCOUNTABLE: Final = frozenset(
    ("advice", "data", "equipment", "feedback", "information", "news", "series", "software")
)


def phrase(
    translator: Translator,
    entity_name: str,
    noun: str,
    plural_noun: str | None,
    which: str,
    *,
    n: Count | None = None,
    **values: object,
) -> str:
    """Give one phrase of an entity in the language of the translator; "count" wants `n`."""
    message = _message(entity_name, noun, plural_noun or pluralize(noun), which)
    if message.plural is None:
        return translator.text(message.key, context=message.context, **values)
    if n is None:
        from clientela.errors import Misconfigured  # noqa: PLC0415 - errors speak through this package

        raise Misconfigured(f"The phrase {which!r} of {entity_name} wants the number n.")
    return translator.plural(message.key, message.plural, n, context=message.context, **values)


def expected_messages(entity_name: str, noun: str, plural: str | None = None) -> list[Message]:
    """Give the (context, msgid, msgid_plural) that a catalogue must have for an entity."""
    return [_message(entity_name, noun, plural or pluralize(noun), which) for which in PHRASES]


def a_noun(noun: str) -> str:
    """Give an English noun with its article.

    >>> a_noun("import"), a_noun("user"), a_noun("customer")
    ('an import', 'a user', 'a customer')
    """
    vowel = noun[:1].lower() in "aeio" or noun[:2].lower() == "un"
    return f"an {noun}" if vowel else f"a {noun}"


def pluralize(noun: str) -> str:
    """Give the likely English plural of a noun; an entity with another one says so itself.

    >>> [pluralize(noun) for noun in ("price list", "company", "contact person", "point of sale")]
    ['price lists', 'companies', 'contact people', 'points of sale']
    """
    head, of, rest = noun.partition(" of ")
    before, space, word = head.rpartition(" ")
    return before + space + _plural_word(word) + of + rest


def _message(entity_name: str, noun: str, plural: str, which: str) -> Message:
    context = f"entity:{entity_name}"
    one, many = _literal(noun), _literal(plural)
    if which == _COUNT:
        return Message(context, f"{{n}} {one}", f"{{n}} {many}")
    if which not in _SENTENCES:
        from clientela.errors import Misconfigured, did_you_mean  # noqa: PLC0415 - the same

        hint = did_you_mean(which, PHRASES)
        raise Misconfigured(f"An entity has no phrase {which!r}.{hint}")
    nouns = {"one": one, "One": one[:1].upper() + one[1:], "many": many}
    return Message(context, parse(_SENTENCES[which]).fill(nouns), None)


def _literal(noun: str) -> str:
    return noun.replace("{", "{{").replace("}", "}}")


def _plural_word(word: str) -> str:
    lower = word.lower()
    if lower in _UNCOUNTABLE:
        return word
    if lower in _IRREGULAR:
        return word[:1] + _IRREGULAR[lower][1:]
    if lower.endswith("y") and lower[-2:-1] not in ("", *"aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}es" if lower.endswith(("s", "x", "z", "ch", "sh")) else f"{word}s"
