"""What a column may be whose header says nothing, told by what its cells look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from clientela.errors import Show
from clientela.fields import Field
from clientela.i18n.texts import _
from clientela.kinds.text import EmailKind, PhoneKind, UrlKind
from clientela.kinds.times import DayKind, InstantKind
from clientela.normalize.dates import looks_like_day

_ENOUGH = 0.8
_LONGEST = 200
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,120}\.[^@\s.]{2,}")
_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_PHONE = re.compile(r"(?:\+|8|00|\()[\d\s()./-]{8,20}")


@dataclass(frozen=True)
class Suggestion:
    """A field that a column may fill; it is shown, and taken by nobody but the importer."""

    column: str
    field: str
    confidence: float
    reason: str

    def as_dict(self, show: Show = str) -> dict[str, Any]:
        """Give the JSON form in the language of `show`."""
        return {
            "column": self.column, "field": self.field, "confidence": self.confidence,
            "reason": show(self.reason),
        }  # fmt: skip


# Dates last, because a phone number with points may look like one.
_LOOKS: tuple[tuple[type[Any] | tuple[type[Any], ...], Callable[[str], bool], str], ...] = (
    (EmailKind, lambda text: _EMAIL.fullmatch(text) is not None, _("its values look like e-mail addresses")),
    (UrlKind, lambda text: _URL.fullmatch(text) is not None, _("its values look like web addresses")),
    (PhoneKind, lambda text: _PHONE.fullmatch(text) is not None, _("its values look like phone numbers")),
    ((DayKind, InstantKind), looks_like_day, _("its values look like dates")),
)  # fmt: skip


def suggestions_of(
    header: Sequence[str],
    free: Sequence[Field],
    unmapped: Sequence[int],
    sample: Sequence[Sequence[str]],
) -> list[Suggestion]:
    """Suggest a free field for each column that nothing reads."""
    found = (_suggestion(header[p], free, [row[p].strip() for row in sample]) for p in unmapped)
    return [one for one in found if one is not None]


def _suggestion(name: str, free: Sequence[Field], cells: Sequence[str]) -> Suggestion | None:
    filled = [cell[:_LONGEST] for cell in cells if cell]
    for kinds, looks, reason in _LOOKS if filled else ():
        share = sum(map(looks, filled)) / len(filled)
        fits = [declared for declared in free if isinstance(declared.kind, kinds)]
        if share >= _ENOUGH and fits:
            # Several fields of the kind make each of them less likely.
            return Suggestion(name, fits[0].name, round(share / len(fits), 2), reason)
    return None
