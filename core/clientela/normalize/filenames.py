"""Names of files as they are kept and given out: a name, never a path, and nothing that a screen would show wrongly."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
FALLBACK = "file"

# Windows takes these for devices, with whatever ending.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)", re.IGNORECASE)
_RESERVED = re.compile(r'[<>:"|?*]')


def safe_file_name(name: str) -> str:
    r"""Give the nearest name that every system can keep and nobody is misled by.

    What stands before the last slash goes, as does what is no visible character (controls, line ends, marks that turn
    the direction of writing); a long name is cut before its ending.

    >>> safe_file_name("../../etc/passwd")
    'passwd'
    >>> safe_file_name("invoice\u202efdp.exe")
    'invoicefdp.exe'
    >>> safe_file_name("nul.txt")
    '_nul.txt'
    """
    last = re.split(r"[/\\]", name)[-1]
    shown = "".join(_shown(letter) for letter in unicodedata.normalize("NFC", last))
    clean = _RESERVED.sub("_", " ".join(shown.split())).strip(" .")
    if _DEVICES.match(clean):
        clean = f"_{clean}"
    return _cut(clean) or FALLBACK


def is_safe_file_name(name: str) -> bool:
    """Say whether a name may be kept as it is."""
    return name == safe_file_name(name)


def ending(name: str) -> str:
    """Give the last ending of a name in small letters, with its dot, or nothing.

    >>> ending("Invoice.PDF.exe")
    '.exe'
    """
    _stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot else ""


def _shown(letter: str) -> str:
    """Give the letter, a blank where the text was separated, and nothing for what nobody sees."""
    category = unicodedata.category(letter)
    if category in {"Zs", "Zl", "Zp"} or letter in "\t\n\r":
        return " "
    return "" if category.startswith("C") and letter != "\u200d" else letter


def _cut(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    last = ending(name)
    last = last if len(last) <= 20 else ""  # noqa: PLR2004 - longer, it is no ending
    return name[: LONGEST - len(last)].rstrip(" .") + last
