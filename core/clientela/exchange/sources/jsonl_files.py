"""Reading JSON lines: an object per line, whose members are the columns."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

import orjson

from clientela import gate
from clientela.errors import BadSyntax, Refusal
from clientela.exchange.guarding import guarded
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import Problem
from clientela.exchange.sources.csv_files import LONGEST_LINE, lines_of
from clientela.exchange.sources.sheets import Row, Sheet, Source, checked_header
from clientela.i18n.texts import _

# The members of so many objects are the columns; a member that turns up later is told with its row.
HEADER_ROWS = 1_000
HEADER_SIGNS = 1 << 22
_MONEY = {"amount", "currency"}

Found = tuple[int, "dict[str, str] | Problem"]


@contextmanager
def opened_jsonl(source: Source, options: ImportOptions) -> Iterator[Sheet]:
    """Read the first objects, whose members together are the header."""
    encoding = "utf-8-sig" if source.head.startswith(b"\xef\xbb\xbf") else "utf-8"
    if options.encoding is not None and options.encoding.lower().replace("-", "") not in {
        "utf8",
        "utf8sig",
    }:
        raise BadSyntax(_("JSON lines are UTF-8; leave the encoding out."))
    # Only a line feed ends a line of JSON, and nothing is translated: RFC 8259 and jsonlines.org.
    text = io.TextIOWrapper(source.stream(), encoding=encoding, newline="\n")
    objects = _objects(lines_of(text, encoding), source.whole)
    first = _first(objects)
    names: dict[str, None] = {}
    for _number, found in first:
        names |= dict.fromkeys({} if isinstance(found, Problem) else found)
    if not names:
        problem = next((found for _, found in first if isinstance(found, Problem)), None)
        raise BadSyntax(
            problem.sentence
            if problem
            else _("The file is empty; each of its lines should be an object.")
        )
    header = checked_header(list(names))
    yield Sheet(encoding, "", header, _rows(chain(first, objects), header))


def _first(objects: Iterator[Found]) -> list[Found]:
    first: list[Found] = []
    signs = 0
    for number, found in islice(objects, HEADER_ROWS):
        first.append((number, found))
        signs += 0 if isinstance(found, Problem) else sum(map(len, found.values()))
        if signs > HEADER_SIGNS:
            break
    return first


def _objects(lines: Iterator[str], whole: frozenset[str]) -> Iterator[Found]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = gate.read_json(line.encode("utf-8"), most=4 * LONGEST_LINE)
        except Refusal as wrong:
            yield number, Problem(number, "", "bad-json", wrong.detail, line[:80])
            continue
        if isinstance(value, dict):
            yield number, flat(value, whole)
        else:
            yield number, Problem(number, "", "bad-json", _("A line holds one object."), line[:80])


def _rows(objects: Iterator[Found], header: list[str]) -> Iterator[Row | Problem]:
    known = set(header)
    for number, found in objects:
        if isinstance(found, Problem):
            yield found
        elif found.keys() <= known:
            yield number, guarded([found.get(name, "") for name in header])
        else:
            name = next(iter(found.keys() - known))
            sentence = _(
                "No line at the beginning of the file has the member {name}; put one there.",
                name=repr(name[:60]),
            )
            yield Problem(number, "", "unknown-member", sentence, name)


def flat(value: dict[str, Any], whole: frozenset[str] = frozenset()) -> dict[str, str]:
    """Give the texts of an object; members of objects by path, unless the object is a value as a `whole`.

    >>> flat({"name": "Anna", "person": {"family": "Kern"}, "price": {"amount": "1.50", "currency": "EUR"}})
    {'name': 'Anna', 'person.family': 'Kern', 'price': '1.50 EUR'}
    """
    made: dict[str, str] = {}
    for name, part in value.items():
        if not isinstance(part, dict) or not part or name in whole:
            made[name] = _text(part, is_whole=name in whole)
        elif part.keys() == _MONEY:
            made[name] = f"{_text(part['amount'])} {_text(part['currency'])}".strip()
        else:
            made |= {f"{name}.{inner}": text for inner, text in flat(part).items()}
    return made


def _text(value: Any, *, is_whole: bool = False) -> str:
    """Write a value as its kind reads it."""
    if value is None:
        return ""
    if isinstance(value, str) and not is_whole:
        return value
    if isinstance(value, list) and all(isinstance(one, str) for one in value) and not is_whole:
        return "; ".join(value)
    # Numbers and truths are written as JSON does, and the kinds read them so.
    return orjson.dumps(value).decode()
