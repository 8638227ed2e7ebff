"""Doing the declared steps, row by row, on their way from the file to the mapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from clientela.errors import FieldProblem, Invalid, did_you_mean
from clientela.exchange.guarding import guarded, unguarded
from clientela.exchange.report import Problem
from clientela.exchange.sources.sheets import Row, Sheet
from clientela.exchange.sources.steps import Step
from clientela.i18n.texts import _

# Says how a column is written and changes no cell; the mapping asks for it.
SAYING = ("dates", "decimal")
Change = Callable[[str], "str | None"]
Doing = Callable[[list[str]], "str | None"]


def transformed(sheet: Sheet, steps: Sequence[Step]) -> Sheet:
    """Give the sheet with the steps done; a column that one fills is there for the next."""
    header = list(sheet.header)
    done: list[tuple[Step, Doing]] = []
    for number, step in enumerate(steps, 1):
        places = [_place(header, name, number, step) for name in step.columns]
        header += [name for name in step.into if name not in header]
        if step.verb not in SAYING:
            done.append((step, _doing(step, places, [header.index(name) for name in step.into])))
    if not done:
        return sheet
    return replace(
        sheet, header=header, rows=_rows(sheet.rows, done, len(header) - len(sheet.header))
    )


def _place(header: list[str], name: str, number: int, step: Step) -> int:
    if name in header:
        return header.index(name)
    sentence = _(
        "Step {number}, {verb}: the file has no column {column}.",
        number=number,
        verb=step.verb,
        column=repr(name[:60]),
    ) + did_you_mean(name, header)
    raise Invalid(sentence, [FieldProblem("/transforms", "unknown-column", sentence)])


def _rows(
    rows: Iterator[Row | Problem], done: list[tuple[Step, Doing]], more: int
) -> Iterator[Row | Problem]:
    room = [""] * more
    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        cells = [unguarded(cell) for cell in row[1]] + room
        problem = next((p for step, do in done if (p := _problem(row[0], step, do(cells)))), None)
        yield problem or (row[0], guarded(cells))


def _problem(number: int, step: Step, lacking: str | None) -> Problem | None:
    if lacking is None:
        return None
    sentence = _("The table of the step {verb} lacks this value.", verb=step.verb)
    return Problem(number, step.columns[0], "not-in-table", sentence, lacking)


def _doing(step: Step, places: list[int], into: list[int]) -> Doing:
    if step.verb == "split":
        return _split(step.value, places[0], into)
    if step.verb == "join":
        return _join(step.value, places, into[0])
    change, place = _CHANGES[step.verb](step.value), places[0]

    def do(cells: list[str]) -> str | None:
        changed = change(cells[place])
        if changed is None:
            return cells[place]
        cells[place] = changed
        return None

    return do


def _split(at: str, place: int, into: list[int]) -> Doing:
    # Words are split at any number of blanks, as people type them.
    sign = at if at.strip() else None

    def do(cells: list[str]) -> None:
        parts = cells[place].strip().split(sign, len(into) - 1)
        for number, target in enumerate(into):
            cells[target] = parts[number].strip() if number < len(parts) else ""

    return do


def _join(between: str, places: list[int], into: int) -> Doing:
    def do(cells: list[str]) -> None:
        cells[into] = between.join(part for p in places if (part := cells[p].strip()))

    return do


def _translated(table: dict[str, str]) -> Change:
    return lambda text: "" if not text.strip() else table.get(text.strip())


def _trimmed(signs: Any) -> Change:
    return (lambda text: text.strip()) if signs is True else (lambda text: text.strip(signs + " "))


def _without_end(end: str) -> Change:
    return lambda text: text.strip().removesuffix(end).rstrip()


_CASED: dict[str, Change] = {
    "lower": str.lower,
    "upper": str.upper,
    "title": str.title,
    "sentence": str.capitalize,
}
_CHANGES: dict[str, Callable[[Any], Change]] = {
    "replace": lambda table: lambda text: table.get(text.strip(), text),
    "translate": _translated,
    "trim": _trimmed,
    "case": lambda case: _CASED[case],
    "prefix": lambda begin: lambda text: text.strip().removeprefix(begin).lstrip(),
    "suffix": _without_end,
    "default": lambda filling: lambda text: text if text.strip() else filling,
    "constant": lambda text: lambda _cell: text,
}
