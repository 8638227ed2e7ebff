"""Reading a value that is a handful of named texts: a person's name, a postal address."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from clientela.errors import did_you_mean


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
            raise ValueError(f"{noun} has no part named {key!r}; its parts are {allowed}.{hint}")
    parts = {key: _text(key, value, most[key]) for key, value in mapping.items()}
    if not any(parts.values()):
        raise ValueError(f"{noun} needs at least one part that is not empty.")
    return parts


def _text(key: str, value: object, most: int) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        # A ValueError, because what was sent is wrong, not the program.
        kind = type(value).__name__
        raise ValueError(f"The part {key!r} is text, not {kind}; write it in quotes.")  # noqa: TRY004
    text = tidy(value)
    if len(text) > most:
        raise ValueError(
            f"The part {key!r} has {len(text)} characters; shorten it to {most} at most."
        )
    return text
