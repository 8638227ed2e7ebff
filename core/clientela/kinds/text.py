"""Kinds that are text: plain, rich, e-mail, phone, URL."""

from __future__ import annotations

import random
import re
import unicodedata
from typing import Any, ClassVar
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Text, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from clientela.i18n.texts import _
from clientela.kinds import base
from clientela.kinds.base import COMPARISONS, EQUALITY, Kind, compare_sql, sentence_for_type
from clientela.storage.types import plain_text

WORDS = frozenset({"contains", "starts", "ends"})

# Control characters other than tab, line feed and carriage return; half a surrogate pair cannot be encoded at all.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BREAKS = re.compile(r"[\t\n\r]+")
# What no text of a database can hold.
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


class lowered(FunctionElement[str]):  # noqa: N801 - used like an SQL function
    """Lower case that knows every alphabet: SQLite's own `lower` and PostgreSQL's collation "C" know only ASCII."""

    inherit_cache = True
    type = Text()


@compiles(lowered, "sqlite")
def _lowered_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"clientela_lower({compiler.process(element.clauses, **kw)})"


@compiles(lowered)
def _lowered(element: Any, compiler: Any, **kw: Any) -> str:
    return f'lower(({compiler.process(element.clauses, **kw)}) COLLATE "default")'


def lower(text: str) -> str:
    """Lower each letter by itself, as databases do: `str.lower` also looks at the neighbours and may grow."""
    low = text.lower()
    if len(low) == len(text) and "ς" not in low:
        return low
    return "".join(one if len(one := letter.lower()) == 1 else letter for letter in text)


class contains(FunctionElement[bool]):  # noqa: N801 - used like an SQL function
    """Whether the first text holds the second."""

    inherit_cache = True


@compiles(contains, "sqlite")
def _contains_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    return f"instr({compiler.process(element.clauses, **kw)}) > 0"


@compiles(contains)
def _contains(element: Any, compiler: Any, **kw: Any) -> str:
    return f"strpos({compiler.process(element.clauses, **kw)}) > 0"


def word_sql(op: str, column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    """Look for a word without regard to case."""
    low = lower(value)
    if op == "contains":
        return contains(lowered(column), low)
    size = len(low)
    cut = func.substr(lowered(column), 1, size)
    if op == "ends":
        # A short value has no such end; without the length test `substr(…, -n)` would give all of it.
        cut = func.substr(lowered(column), func.length(column) - size + 1, size)
        return (func.length(column) >= size) & (cut == low)
    return cut == low


def word_matches(op: str, left: str, right: str) -> bool:
    """Look for a word without regard to case, as `word_sql` does."""
    left, right = lower(left), lower(right)
    if op == "contains":
        return right in left
    return left.startswith(right) if op == "starts" else left.endswith(right)


class TextKind(Kind):
    """Text of a bounded length; one line unless declared otherwise."""

    name: ClassVar[str] = "text"
    operators = COMPARISONS | WORDS

    def __init__(self, *, max_length: int = 255, lines: bool = False) -> None:
        self.max_length = max_length
        self.lines = lines

    def load(self, raw: object) -> str:
        """Take text: composed (NFC), trimmed, without control characters, not too long."""
        if not isinstance(raw, str):
            raise sentence_for_type("Text", raw)
        if _CONTROL.search(raw):
            raise ValueError(_("Text must not hold control characters such as NUL."))
        text = unicodedata.normalize("NFC", raw).strip()
        if not self.lines:
            text = _BREAKS.sub(" ", text)
        if max(len(raw), len(text)) > self.max_length:
            raise ValueError(
                _(
                    "Text may have {most} characters here, this has {count}.",
                    most=self.max_length,
                    count=len(text),
                )
            )
        return text

    def load_operand(self, op: str, raw: object) -> str:
        """Compare with any text, however it is spelt."""
        del op
        if not isinstance(raw, str):
            raise sentence_for_type("Text", raw)
        if UNSTORABLE.search(raw):
            raise ValueError(_("Text must not hold control characters such as NUL."))
        return unicodedata.normalize("NFC", raw)

    def parse_operand(self, op: str, text: str) -> str:
        """Compare with any text, however it is spelt."""
        return self.load_operand(op, text)

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one text column."""
        return (plain_text(),)

    def from_stored(self, raw: Any) -> str:
        """Read the text as it stands, even where it was stored in another spelling than `load` gives."""
        if not isinstance(raw, str) or UNSTORABLE.search(raw):
            raise sentence_for_type("Text", raw)
        return raw

    def csv(self, value: str) -> str:
        """Give the text as it is."""
        return value

    def json_schema(self) -> dict[str, Any]:
        """Describe a bounded string."""
        return {"type": "string", "maxLength": self.max_length}

    def sql(self, op: str, columns: base.type_of_columns, value: Any) -> ColumnElement[bool]:
        """Compare exactly, or look for a word without regard to case."""
        if op in WORDS:
            return word_sql(op, columns[0], value)
        return compare_sql(op, columns[0], value)

    def matches(self, op: str, left: Any, right: Any) -> bool:
        """Compare exactly, or look for a word without regard to case."""
        if op in WORDS:
            return word_matches(op, left, right)
        return base.compare(op, left, right)

    def sample(self, rng: random.Random) -> str:
        """Make up a few words."""
        words = ["roof", "письмо", "market", "заказ", "north", "север", "review", "договор"]
        return " ".join(rng.choice(words) for _ in range(rng.randint(1, 4)))[: self.max_length]


class RichTextKind(TextKind):
    """Text with simple markup, kept as HTML that was sanitized when it came in."""

    name: ClassVar[str] = "rich_text"
    operators = WORDS
    sortable = False

    def __init__(self, *, max_length: int = 100_000) -> None:
        super().__init__(max_length=max_length, lines=True)

    def load(self, raw: object) -> str:
        """Take HTML and keep only harmless markup; a script never reaches the database."""
        import nh3  # noqa: PLC0415 - needed only where rich text is written

        text = nh3.clean(super().load(raw), url_schemes={"http", "https", "mailto", "tel"})
        # Once more, because markup grows, and a character may have been written as an entity.
        return super().load(text)

    def json_schema(self) -> dict[str, Any]:
        """Describe a bounded string of HTML."""
        return super().json_schema() | {"contentMediaType": "text/html"}

    def search_text(self, value: str) -> str:
        """Give the words without the markup."""
        return re.sub(r"<[^>]*>", " ", value)

    def sample(self, rng: random.Random) -> str:
        """Make up a paragraph."""
        return f"<p>{super().sample(rng)}</p>"


class EmailKind(TextKind):
    """An e-mail address, normalized."""

    name: ClassVar[str] = "email"
    field_class = "pii"

    def __init__(self) -> None:
        super().__init__(max_length=254)

    def load(self, raw: object) -> str:
        """Take an address and give its normal form."""
        from clientela.normalize import normalize_email  # noqa: PLC0415 - a slow import

        return normalize_email(super().load(raw))

    def json_schema(self) -> dict[str, Any]:
        """Describe an address."""
        return super().json_schema() | {"format": "email"}

    def sample(self, rng: random.Random) -> str:
        """Make up an address that leads nowhere."""
        return f"{rng.choice(['anna', 'ivan', 'olga', 'peter'])}{rng.randint(1, 99999)}@example.com"


class PhoneKind(TextKind):
    """A phone number in E.164; `region` is the country of numbers written without one."""

    name: ClassVar[str] = "phone"
    field_class = "pii"
    operators = COMPARISONS | WORDS

    def __init__(self, *, region: str | None = None) -> None:
        super().__init__(max_length=40)
        self.region = region

    def at_home(self, home: base.Home) -> Kind:
        """Read numbers without a country code as those of the deployment's country."""
        return self if self.region or home.country is None else type(self)(region=home.country)

    def load(self, raw: object) -> str:
        """Take a number as it is written and give E.164."""
        from clientela.normalize import normalize_phone  # noqa: PLC0415 - a slow import

        return normalize_phone(super().load(raw), self.region)

    def json_schema(self) -> dict[str, Any]:
        """Describe a number."""
        return super().json_schema() | {"examples": ["+79261234567"]}

    def format(self, value: str, locale: str) -> str:
        """Give the number grouped as people read it."""
        from clientela.normalize import format_phone  # noqa: PLC0415 - a slow import

        return format_phone(value, locale)

    def sample(self, rng: random.Random) -> str:
        """Make up a Russian mobile number of the 900 range."""
        return f"+7900{rng.randint(1_000_000, 9_999_999)}"


class UrlKind(TextKind):
    """An absolute web address; only `http` and `https`, so that a link can never be a script."""

    name: ClassVar[str] = "url"
    operators = EQUALITY | WORDS

    def __init__(self) -> None:
        super().__init__(max_length=2_000)

    def load(self, raw: object) -> str:
        """Take an address with its scheme."""
        text = super().load(raw)
        try:
            parts = urlsplit(text)
            host = parts.hostname
        except ValueError:
            parts, host = None, None
        if parts is None or parts.scheme not in {"http", "https"} or not host or " " in text:
            raise ValueError(
                _(
                    "{text} is not a web address; write https://example.com/page.",
                    text=repr(text[:60]),
                )
            )
        return text

    def parse(self, text: str) -> str:
        """Take an address as people write it: `example.com` becomes `https://example.com`."""
        text = text.strip()
        if "://" not in text and re.match(r"[\w-]+(\.[\w-]+)+(/|$)", text):
            text = f"https://{text}"
        return self.load(text)

    def json_schema(self) -> dict[str, Any]:
        """Describe an address."""
        return super().json_schema() | {"format": "uri"}

    def sample(self, rng: random.Random) -> str:
        """Make up an address."""
        return f"https://example.com/{rng.randint(1, 9999)}"
