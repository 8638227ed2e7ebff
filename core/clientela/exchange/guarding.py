"""Formula injection: cells that a spreadsheet would compute get an apostrophe, and lose it when they come back."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SIGNS = "=+\\-@\t\r\n＝＋－＠"
# What spreadsheets skip before they look for a formula: blanks of any kind, marks of byte order, quotes.
_FORMULA = re.compile(rf"[\s\ufeff\u200b\u2060'\"‘’“”«»`]*[{_SIGNS}]")
# A number, and a phone number in E.164, is computed to itself.
_HARMLESS = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")


def is_risky(cell: str) -> bool:
    """Say whether a spreadsheet may take the cell for a formula.

    >>> is_risky(" =1+1"), is_risky("+79261234567"), is_risky("-5.20")
    (True, False, False)
    """
    return _FORMULA.match(cell) is not None and _HARMLESS.fullmatch(cell) is None


def guarded(cells: Iterable[str]) -> list[str]:
    """Put an apostrophe before each risky cell."""
    return [
        cell if not cell or cell[0].isalnum() or not is_risky(cell) else f"'{cell}"
        for cell in cells
    ]


def unguarded(cell: str) -> str:
    """Take the apostrophe off again, from those cells only that would have got one."""
    return cell[1:] if cell[:1] == "'" and is_risky(cell[1:]) else cell
