"""Languages: whole messages with English keys, their translations, and the formats of each locale.

Babel is imported when a catalogue is read or a value is formatted, never when this package is.
"""

from clientela.i18n.catalogue import Catalogues, Message, Note, Translator
from clientela.i18n.formats import negotiate
from clientela.i18n.phrases import PHRASES, expected_messages, phrase, pluralize
from clientela.i18n.texts import Text, _

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
