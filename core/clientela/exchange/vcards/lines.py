"""From one content line to a property, in any of the three dialects."""

from __future__ import annotations

import base64
import binascii
import quopri
import re
from dataclasses import dataclass, field

from clientela.exchange.vcards.model import CardProperty, escaped, parameters
from clientela.i18n.texts import _

_NAME = re.compile(r"(?:([A-Za-z0-9_-]+)\.)?([A-Za-z0-9_-]+)")
_BARE_ENCODINGS = {"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"}
_BARE_VALUES = {"URL", "URI", "INLINE", "CONTENT-ID", "CID"}
_CARETS = re.compile(r"\^([n'^])")
_CARET_SIGNS = {"n": "\n", "'": '"', "^": "^"}
# What no text may hold; the gate of every face refuses the same.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029]")

STRUCTURED = frozenset({"N", "ADR", "ORG", "GENDER", "CLIENTPIDMAP"})
LISTS = frozenset({"CATEGORIES", "NICKNAME"})
BINARY = {"PHOTO": "image", "LOGO": "image", "SOUND": "audio", "KEY": "application"}
ADDRESSES = frozenset(
    {"URL", "IMPP", "UID", "SOURCE", "FBURL", "CALURI", "CALADRURI", "MEMBER", "SOCIALPROFILE", "X-SOCIALPROFILE"}
    | BINARY.keys()
)  # fmt: skip
DAYS = frozenset({"BDAY", "ANNIVERSARY", "DEATHDATE"})
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)")
_DATA = re.compile(r"data:([A-Za-z0-9.+/-]*);base64,", re.IGNORECASE)
_PLACES = frozenset({"home", "work", "pref"})


class Unreadable(ValueError):
    """A line that cannot be read: a stable word and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass
class Head:
    """What stands before the colon."""

    name: str
    group: str
    params: dict[str, list[str]] = field(default_factory=dict)

    def take(self, name: str) -> str:
        """Take a parameter out and give its first value."""
        return (self.params.pop(name, None) or [""])[0]


@dataclass
class Reading:
    """What was read of a line, with what was changed to read it."""

    made: CardProperty
    charset: str = ""
    was_cleaned: bool = False


def read_line(data: bytes, version: str, encoding: str | None, line: int) -> Reading:
    """Read a content line, or say in an `Unreadable` why it is none."""
    before, colon, after = _divided(data)
    text, guessed = decoded(before, encoding)
    if not colon:
        raise Unreadable(
            "no-property",
            _("This is no property: a colon is missing. Mend the line, or take it out."),
        )
    head = _head(text, version)
    coding = head.take("ENCODING").upper()
    charset = head.take("CHARSET")
    if coding == "QUOTED-PRINTABLE":
        after = quopri.decodestring(after.replace(b"\r\n", b"\n"))
    value, guess = _declared(after, charset) if charset else decoded(after, encoding)
    cleaned = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    was_cleaned = cleaned != value.replace("\r\n", "\n").replace("\r", "\n")
    if coding in ("BASE64", "B"):
        cleaned = _data(head, cleaned)
    elif version.startswith("2"):
        cleaned = _from_two(head.name, cleaned, quoted=coding == "QUOTED-PRINTABLE")
    else:
        cleaned = cleaned.replace("\n", "\\n")
    return Reading(_made(head, cleaned, line), guess or guessed, was_cleaned)


def _divided(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Cut at the first colon outside of quotes; where quotes are broken, at the first colon."""
    quoted = False
    for place, sign in enumerate(data):
        if sign == 0x22:  # noqa: PLR2004 - a double quote
            quoted = not quoted
        elif sign == 0x3A and not quoted:  # noqa: PLR2004 - a colon
            return data[:place], b":", data[place + 1 :]
    return data.partition(b":")


def decoded(data: bytes, encoding: str | None) -> tuple[str, str]:
    """Decode bytes, and give the encoding where it had to be guessed.

    >>> decoded("Иван".encode("cp1251"), None)[1], decoded("Müller".encode("latin-1"), None)
    ('windows-1251', ('Müller', 'windows-1252'))
    """
    try:
        return data.decode(encoding or "utf-8"), ""
    except UnicodeDecodeError:
        pass
    if not encoding or encoding.lower() in ("utf-8", "utf8"):
        # Cyrillic words are high letters throughout, the words of western languages have one now and then.
        runs = re.search(rb"[\xa8\xb8\xc0-\xff]{3}", data)
        guess = "windows-1251" if runs else "windows-1252"
    else:
        guess = "utf-8"
    return data.decode(guess, "replace"), guess


def _declared(data: bytes, charset: str) -> tuple[str, str]:
    """Decode what names its own encoding; where that is wrong, what cannot be read is marked."""
    try:
        return data.decode(charset), ""
    except UnicodeDecodeError:
        return data.decode(charset, "replace"), charset
    except LookupError:
        text, guess = decoded(data, None)
        return text, guess or "utf-8"


def _head(text: str, version: str) -> Head:
    first, *rest = _pieces(text, ";")
    match = _NAME.fullmatch(first.strip())
    if match is None:
        raise Unreadable(
            "no-property",
            _(
                "This is no property: a name has letters, digits and hyphens only. Mend the line, or take it out."
            ),
        )
    head = Head(match[2].upper(), match[1] or "")
    for piece in rest:
        name, equals, value = piece.partition("=")
        name = name.strip().upper() if equals else ""
        if not equals:
            name, value = _bare(piece.strip())
        if name and value:
            _add(head, name, value, version)
    return head


def _bare(word: str) -> tuple[str, str]:
    """Name a parameter that version 2.1 writes without its name."""
    if word.upper() in _BARE_ENCODINGS:
        return "ENCODING", word
    return ("VALUE" if word.upper() in _BARE_VALUES else "TYPE"), word


def _add(head: Head, name: str, text: str, version: str) -> None:
    values = [_unquoted(one, version) for one in _pieces(text, ",")]
    if name == "TYPE":
        # Many write TYPE="work,voice" and mean two types.
        for value in (part.strip().lower() for one in values for part in one.split(",")):
            if value == "pref":
                head.params["PREF"] = ["1"]
            elif value and value not in head.params.setdefault("TYPE", []):
                head.params["TYPE"].append(value)
        return
    head.params.setdefault(name, []).extend(_CONTROL.sub("", one) for one in values)


def _unquoted(value: str, version: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    value = value.replace('"', "")
    return value if version.startswith("2") else _CARETS.sub(lambda m: _CARET_SIGNS[m[1]], value)


def _pieces(text: str, separator: str) -> list[str]:
    """Split outside of quotes."""
    if '"' not in text:
        return text.split(separator)
    pieces, start, quoted = [], 0, False
    for place, sign in enumerate(text):
        if sign == '"':
            quoted = not quoted
        elif sign == separator and not quoted:
            pieces.append(text[start:place])
            start = place + 1
    return [*pieces, text[start:]]


def _data(head: Head, text: str) -> str:
    """Give base64 as an address of its data, as version 4.0 has it."""
    packed = "".join(text.split())
    packed += "=" * (-len(packed) % 4)
    try:
        base64.b64decode(packed, validate=True)
    except binascii.Error:
        raise Unreadable(
            "broken-base64",
            _(
                "The base64 of this property is broken, so its picture, sound or key is lost. "
                "Export the card again where it came from."
            ),
        ) from None
    if not packed:
        return ""
    types = head.params.get("TYPE", [])
    subtype = next((one for one in types if one not in _PLACES), "")
    if subtype:
        head.params["TYPE"] = [one for one in types if one != subtype]
    family = BINARY.get(head.name, "application")
    return f"data:{f'{family}/{subtype}' if subtype else ''};base64,{packed}"


def _from_two(name: str, text: str, *, quoted: bool) -> str:
    """Escape a value of version 2.1, where only the semicolon of a component is escaped."""
    if not quoted:
        # Careless writers of 2.1 escape as 3.0 does; in quoted-printable there is no need, and a path stays a path.
        text = text.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",")
    parts = [escaped(part.replace("\\;", ";")) for part in re.split(r"(?<!\\);", text)]
    if name in LISTS:
        return "".join(";".join(parts).replace("\\,", ","))
    opaque = name in STRUCTURED or name.startswith("X-")
    return (";" if opaque else "\\;").join(parts)


def _made(head: Head, value: str, line: int) -> CardProperty:
    params = head.params
    if head.name == "X-ABSHOWAS" and value.upper() == "COMPANY":
        return CardProperty("KIND", "org", (), head.group, line)
    if head.name in ADDRESSES:
        value = re.sub(r"\\([:,;])", r"\1", value)
        if params.get("VALUE", [""])[0].lower() in ("uri", "url"):
            del params["VALUE"]
    if head.name in DAYS and params.get("VALUE", [""])[0].lower() in ("date", "date-time"):
        del params["VALUE"]
    if head.name in DAYS and "VALUE" not in params:
        value = _DAY.sub(r"\1-\2-\3", value, count=1) if _DAY.match(value) else value
    if head.name == "EMAIL" and "internet" in params.get("TYPE", ()):
        # It says that an address of the net is one.
        params["TYPE"] = [one for one in params["TYPE"] if one != "internet"]
    return CardProperty(head.name, value, parameters(dict(params)), head.group, line)


def data_parts(name: str, value: str) -> tuple[str, str] | None:
    """Give the type and the base64 of an address that holds its data; None for other values."""
    match = _DATA.match(value) if name in BINARY or name.startswith("X-") else None
    if match is None:
        return None
    return match[1].partition("/")[2], value[match.end() :]
