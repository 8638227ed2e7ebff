"""Languages: whole messages with English keys, their translations, and the formats of each locale.

Babel is imported when a catalogue is read or a value is formatted, never when this package is.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from clientela.i18n.texts import Text, _

if TYPE_CHECKING:
    from clientela.i18n.catalogue import Catalogues, Message, Note, Translator
    from clientela.i18n.formats import negotiate
    from clientela.i18n.phrases import PHRASES, expected_messages, phrase, pluralize

# Errors speak through this package, so the help page imports it too: the rest waits until it is asked for.
_WHERE = {
    "Catalogues": "catalogue",
    "Message": "catalogue",
    "Note": "catalogue",
    "Translator": "catalogue",
    "negotiate": "formats",
    "PHRASES": "phrases",
    "expected_messages": "phrases",
    "phrase": "phrases",
    "pluralize": "phrases",
}

__all__ = [
    "PHRASES",
    "Catalogues",
    "Message",
    "Note",
    "Text",
    "Translator",
    "_",
    "expected_messages",
    "negotiate",
    "phrase",
    "pluralize",
]


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
