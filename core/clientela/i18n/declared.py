"""What a plugin shows without marking it in code: the words of its entities, fields, choices, actions and permissions.

They are read from its card, so that a label that was made from a name is translated like one that was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from clientela.i18n.catalogue import Message
from clientela.i18n.phrases import expected_messages
from clientela.i18n.texts import Text

if TYPE_CHECKING:
    from clientela.actions import Action
    from clientela.entity import EntityInfo
    from clientela.fields import Field
    from clientela.plugins.card import Plugin


def declared_messages(plugin: Plugin) -> list[Message]:
    """Give the messages that a catalogue must have for what is on the card of a plugin, sorted and each once."""
    found = set(_of_texts((plugin.title, plugin.about, *plugin.permissions.values())))
    for entity in plugin.entities:
        found |= set(_of_entity(entity.info))
    for action in plugin.actions:
        found |= set(_of_texts(_words_of_action(action)))
    return sorted(found, key=lambda m: (m.key, m.context or "", m.plural or ""))


def _of_entity(info: EntityInfo) -> Iterator[Message]:
    from clientela.verbs import verbs_of  # noqa: PLC0415 - entities know nothing of actions

    yield from expected_messages(info.name, info.phrase, info.plural)
    yield from _of_texts((info.label, info.about, info.noun, info.nouns, info.heading))
    rights = {*info.verbs, *(["supervise"] if info.private else [])}
    yield from _of_texts(info.right(verb) for verb in rights)
    for declared in info.visible.values():
        yield from _of_texts(_words_of_field(declared))
    # The labels of the plain verbs are the core's own and stand in its catalogue.
    yield from _of_texts(action.about for action in verbs_of(info))


def _words_of_field(declared: Field) -> Iterator[str]:
    yield from (declared.label, declared.help)
    options = getattr(declared.kind, "options", None)
    yield from options.values() if isinstance(options, dict) else ()


def _words_of_action(action: Action) -> Iterator[str]:
    yield from (action.label, action.about)
    if isinstance(action.undo, str):
        yield action.undo
    if action.takes is not None:
        yield from (str(field.description or "") for field in action.takes.model_fields.values())


def _of_texts(texts: Iterable[str]) -> Iterator[Message]:
    for text in texts:
        if isinstance(text, Text):
            yield Message(text.context, text.key, None)
        elif text:
            # A label is shown as it is written, so its braces are braces.
            yield Message(None, text, None)
