"""The text form of a filter: `stage in (won, lost) and not tags has "test" and created > now-30d`.

    filter      = all { "or" all }                 an empty text is no filter
    all         = one { "and" one }
    one         = "not" one | "(" filter ")" | comparison
    comparison  = path symbol value                = == != <> < <= > >=
                | path ("contains" | "starts" | "ends" | "has") value
                | path ["not"] "in" "(" value { "," value } ")"
                | path "is" ["not"] "null"         also: path = null, path != null
    value       = "text" | 'text' | true | false | null | me | now | today | now-30d | word
    offset unit = s, min (minutes), h              after now only
                | d, w, m or mon (months), y       after now and today

A word is made of letters, digits and `_ - . : @ +`; anything else goes in quotes. Words and quoted texts stay text, so
a number loses nothing. Keywords may be written in any case. In a URL write `%2B` for `+`, or it becomes a space.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Final, Literal, NamedTuple, NoReturn, TypeAlias, cast

from clientela.errors import BadSyntax, FieldProblem, did_you_mean, sentence_of
from clientela.filters.nodes import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    MAX_TEXT,
    MAX_VALUES,
    SPELLINGS,
    SYMBOLS,
    UNITS,
    UNSTORABLE,
    And,
    Compare,
    Me,
    Node,
    Not,
    Null,
    Or,
    Raw,
    Relative,
    Scalar,
    Word,
    depth,
)
from clientela.i18n.texts import _

_TOKEN = re.compile(
    r"""(?P<word>[\w\-.:@+]+)
    | (?P<text>"[^"\\]*(?:\\.[^"\\]*)*" | '[^'\\]*(?:\\.[^'\\]*)*')
    | (?P<symbol><>|[=!<>]=|[=<>])
    | (?P<mark>[(),])
    | (?P<end>\Z)""",
    re.VERBOSE | re.DOTALL,
)
_BARE = re.compile(r"[\w\-.:@+]+")
_SPACE = re.compile(r"\s*")
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_PATH = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "t": "\t"}
_UNESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t"})
_UNIT_NAMES: Final = {"mon": "m"}
_RELATIVE = re.compile(r"(now|today)([+-][0-9].*)?", re.DOTALL)
_OFFSET = re.compile(r"([+-][0-9]{1,9})([a-z]+)")
_WORD_OPERATORS: Final = ("contains", "starts", "ends", "has")
_OPERATORS: Final = (*SYMBOLS, *_WORD_OPERATORS, "in", "not in", "is null", "is not null")
_LITERALS: Final[Mapping[str, Raw]] = {
    "true": Scalar(value=True),
    "false": Scalar(value=False),
    "null": Null(),
    "me": Me(),
}
_GLUE: Final = frozenset({"and", "or", "not", "in", "is"})
_NO_FIELD: Final = _GLUE | {"null", "true", "false"}
_NOT_BARE: Final = _GLUE | _LITERALS.keys()
_SHOWN: Final = 40

Base: TypeAlias = Literal["now", "today"]


def parse(text: str) -> Node | None:
    """Read a filter; None when the text is empty. `BadSyntax` tells the column, what stands there and what should."""
    if len(text) > MAX_TEXT:
        raise bad_text(
            MAX_TEXT + 1, _("The filter is longer than {most} characters.", most=f"{MAX_TEXT:,}")
        )
    parser = _Parser(_tokens(text))
    return None if parser.here.kind == "end" else parser.whole()


def unparse(node: Node) -> str:
    """Write a filter so that `parse` gives the same tree; equal trees give equal texts."""
    match node:
        case And(parts):
            return " and ".join(_grouped(part, And | Or) for part in parts)
        case Or(parts):
            return " or ".join(_grouped(part, Or) for part in parts)
        case Not(Compare(op="in") as listed):
            return _comparison(listed, "not in")
        case Not(part):
            return f"not {_grouped(part, And | Or)}"
        case Compare():
            return _comparison(node, SPELLINGS[node.op])


def read_path(text: str) -> tuple[str, ...] | None:
    """Read `company.country`; None when it is not a path of names."""
    is_path = _PATH.fullmatch(text) and text.lower() not in _NO_FIELD
    return tuple(text.split(".")) if is_path else None


def read_relative(base: Base, offset: str) -> Relative:
    """Read `-30d` as counted from `now` or `today`; a ValueError says how offsets are written."""
    found = _OFFSET.fullmatch(offset)
    unit = _UNIT_NAMES.get(found[2], found[2]) if found else ""
    if found is None or unit not in UNITS[base]:
        raise ValueError(
            _(
                "{text} is no offset: write {base}-30d; {base2} counts in {units}.",
                text=repr(base + offset[:20]),
                base=base,
                base2=repr(base),
                units=", ".join(UNITS[base]),
            ),
        )
    return Relative(base, int(found[1]), unit)


def bad_text(position: int, sentence: str) -> BadSyntax:
    """Make the refusal of a text, telling the column."""
    detail = _("Column {position}: {sentence}", position=position, sentence=sentence)
    return BadSyntax(
        detail,
        errors=[FieldProblem("/filter", "bad-filter", detail)],
        extra={"position": position},
    )


class _Token(NamedTuple):
    kind: str
    text: str
    at: int

    @property
    def shown(self) -> str:
        if self.kind == "end":
            return _("the end")
        return repr(self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}…")

    def says(self, word: str) -> bool:
        return self.kind in ("word", "mark") and self.text.lower() == word


def _tokens(text: str) -> Iterator[_Token]:
    if bad := UNSTORABLE.search(text):
        raise bad_text(
            bad.start() + 1, _("found {character}, which no text may hold.", character=repr(bad[0]))
        )
    place = 0
    while True:
        place += len(cast("re.Match[str]", _SPACE.match(text, place))[0])
        found = _TOKEN.match(text, place)
        if found is None:
            raise _strange(text[place], place + 1)
        yield _Token(found.lastgroup or "end", found[0], place + 1)
        place = found.end()


def _strange(character: str, at: int) -> BadSyntax:
    if character in "\"'":
        return bad_text(
            at,
            _(
                "found {character} that opens a text, expected the same to close it.",
                character=character,
            ),
        )
    expected = _("expected a name, a value or an operator; other characters go in straight quotes.")
    return bad_text(
        at, _("found {character}, {expected}", character=repr(character), expected=expected)
    )


class _Parser:
    """Recursive descent with one token in sight; the depth is bounded before Python's stack is."""

    def __init__(self, tokens: Iterator[_Token]) -> None:
        self.tokens = tokens
        self.here = next(tokens)
        self.level = 0
        self.seen = 0

    def whole(self) -> Node:
        node = self.either()
        if self.here.kind != "end":
            self.refuse(_("'and', 'or' or the end"))
        if depth(node) > MAX_DEPTH:
            raise bad_text(1, _("The filter is nested deeper than {most} levels.", most=MAX_DEPTH))
        return node

    def either(self) -> Node:
        parts = self.joined("or", self.all)
        return parts[0] if len(parts) == 1 else Or(parts)

    def all(self) -> Node:
        parts = self.joined("and", self.one)
        return parts[0] if len(parts) == 1 else And(parts)

    def joined(self, word: str, part: Callable[[], Node]) -> tuple[Node, ...]:
        parts = [part()]
        while self.took(word):
            parts.append(part())
        return tuple(parts)

    def one(self) -> Node:
        at = self.here.at
        if self.took("not"):
            return self.deeper(at, lambda: Not(self.one()))
        if self.took("("):
            return self.deeper(at, self.group)
        return self.comparison()

    def group(self) -> Node:
        node = self.either()
        self.need(")", _("'and', 'or' or ')'"))
        return node

    def deeper(self, at: int, rest: Callable[[], Node]) -> Node:
        self.level += 1
        if self.level > MAX_DEPTH:
            raise bad_text(at, _("The filter is nested deeper than {most} levels.", most=MAX_DEPTH))
        node = rest()
        self.level -= 1
        return node

    def comparison(self) -> Node:
        at, path = self.here.at, self.path()
        self.seen += 1
        if self.seen > MAX_COMPARISONS:
            raise bad_text(
                at, _("The filter has more than {most} comparisons.", most=MAX_COMPARISONS)
            )
        if self.took("is"):
            missing = not self.took("not")
            self.need("null", "'null'" if not missing else _("'null' or 'not null'"))
            return Compare(path, "null", missing, at)
        if self.took("not"):
            self.need("in", _("'in' after 'not'"))
            return Not(Compare(path, "in", self.values(), at))
        if self.took("in"):
            return Compare(path, "in", self.values(), at)
        return self.compared(at, path, self.operator())

    def path(self) -> tuple[str, ...]:
        path = read_path(self.here.text) if self.here.kind == "word" else None
        if path is None:
            self.refuse(_("a field, such as name or company.country"))
        self.step()
        return path

    def operator(self) -> str:
        word = self.here.text.lower()
        op = SYMBOLS.get(word) or (word if word in _WORD_OPERATORS else None)
        if op is None or self.here.kind not in ("symbol", "word"):
            hint = did_you_mean(word, (*_WORD_OPERATORS, "in"))
            self.refuse(_("an operator ({operators})", operators=", ".join(_OPERATORS)), hint)
        self.step()
        return op

    def compared(self, at: int, path: tuple[str, ...], op: str) -> Compare:
        token = self.here
        value = self.value()
        if not isinstance(value, Null):
            return Compare(path, op, value, at)
        if op not in ("eq", "ne"):
            self.refuse(
                _(
                    "a value; only = and != go with null, not {operator}",
                    operator=repr(SPELLINGS[op]),
                ),
                at=token,
            )
        return Compare(path, "null", op == "eq", at)

    def values(self) -> tuple[Raw, ...]:
        self.need("(", _("'(' and a list of values"))
        values = [self.listed()]
        while self.took(","):
            if len(values) == MAX_VALUES:
                raise bad_text(
                    self.here.at,
                    _("The list is longer than {most} values.", most=f"{MAX_VALUES:,}"),
                )
            values.append(self.listed())
        self.need(")", _("',' or ')'"))
        return tuple(values)

    def listed(self) -> Raw:
        token = self.here
        value = self.value()
        if isinstance(value, Null):
            self.refuse(_("a value; ask 'or … is null' beside the list"), at=token)
        return value

    def value(self) -> Raw:
        token = self.here
        if token.kind == "text":
            self.step()
            return Word(_unquoted(token), quoted=True)
        if token.kind != "word" or token.text.lower() in _GLUE:
            self.refuse(_("a value; a text with other characters or a keyword goes in quotes"))
        self.step()
        try:
            return _value(token.text)
        except ValueError as error:
            raise bad_text(token.at, sentence_of(error)) from None

    def took(self, word: str) -> bool:
        found = self.here.says(word)
        if found:
            self.step()
        return found

    def need(self, word: str, expected: str) -> None:
        if not self.took(word):
            self.refuse(expected)

    def step(self) -> None:
        self.here = next(self.tokens)

    def refuse(self, expected: str, hint: str = "", *, at: _Token | None = None) -> NoReturn:
        token = at or self.here
        raise bad_text(
            token.at,
            _("found {found}, expected {expected}.", found=token.shown, expected=expected) + hint,
        )


def _unquoted(token: _Token) -> str:
    def plain(found: re.Match[str]) -> str:
        if found[1] not in _ESCAPED:
            at = token.at + 1 + found.start()
            raise bad_text(
                at, _("found {found}, expected one of \\\\ \\\" \\' \\n \\t.", found=repr(found[0]))
            )
        return _ESCAPED[found[1]]

    return _ESCAPE.sub(plain, token.text[1:-1])


def _value(text: str) -> Raw:
    """Read an unquoted word: a literal, a relative moment, or just the word."""
    word = text.lower()
    if word in _LITERALS:
        return _LITERALS[word]
    found = _RELATIVE.fullmatch(word)
    if found is None:
        return Word(text)
    base: Base = "now" if found[1] == "now" else "today"
    return read_relative(base, found[2]) if found[2] else Relative(base)


def _grouped(node: Node, kinds: type | UnionType) -> str:
    return f"({unparse(node)})" if isinstance(node, kinds) else unparse(node)


def _comparison(node: Compare, operator: str) -> str:
    match node.value:
        case bool(missing):
            return f"{node.dotted} is {'null' if missing else 'not null'}"
        case tuple(values):
            return f"{node.dotted} {operator} ({', '.join(map(_written, values))})"
        case value:
            return f"{node.dotted} {operator} {_written(value)}"


def _written(raw: Raw) -> str:
    match raw:
        case Me():
            return "me"
        case Null():
            return "null"
        case Relative(base, amount, unit):
            return base if (amount, unit) == (0, "d") else base + raw.offset
        case Scalar(bool(value)):
            return str(value).lower()
        case Scalar(value):
            return _spelled(str(value))
        case Word(text):
            return _spelled(text)


def _spelled(text: str) -> str:
    """Write a text bare where it reads back as itself, else in quotes."""
    is_bare = _BARE.fullmatch(text) and text.lower() not in _NOT_BARE
    if is_bare and not _RELATIVE.fullmatch(text.lower()):
        return text
    return f'"{text.translate(_UNESCAPED)}"'
