"""Reading a value that is a handful of named texts: a person's name, a postal address."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from clientela.errors import did_you_mean
from clientela.i18n.texts import _


def tidy(text: str) -> str:
    """Compose the letters (NFC) and leave single blanks only.

    >>> tidy("  Anna   Maria ")
    'Anna Maria'
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def read_parts(mapping: Mapping[str, object], most: Mapping[str, int], noun: str) -> dict[str, str]:
    """Give the tidied texts of a mapping that may hold the keys of `most` and nothing else."""
    for key in mapping:
        if key not in most:
            allowed = ", ".join(most)
            hint = did_you_mean(key, most)
            raise ValueError(
                _(
                    "{noun} has no part named {key}; its parts are {allowed}.",
                    noun=noun,
                    key=repr(key),
                    allowed=allowed,
                )
                + hint
            )
    parts = {key: _text(key, value, most[key]) for key, value in mapping.items()}
    if not any(parts.values()):
        raise ValueError(_("{noun} needs at least one part that is not empty.", noun=noun))
    return parts


def _text(key: str, value: object, most: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        # A ValueError, because what was sent is wrong, not the program.
        kind = type(value).__name__
        raise ValueError(  # noqa: TRY004
            _("The part {key} is text, not {kind}; write it in quotes.", key=repr(key), kind=kind)
        )
    text = tidy(value)
    if len(text) > most:
        raise ValueError(
            _(
                "The part {key} has {count} characters; shorten it to {most} at most.",
                key=repr(key),
                count=len(text),
                most=most,
            )
        )
    return text
