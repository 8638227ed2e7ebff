"""Columns that fit no field, kept as lines of a text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from clientela.exchange.mapping import Columns, Target
from clientela.exchange.report import Problem
from clientela.exchange.sources.opening import Row, Sheet


def keep_extra(sheet: Sheet, columns: Columns) -> Sheet:
    """Put `column: value` lines of the unmapped columns into one more column, and map that."""
    if columns.extra_into is None or not columns.unmapped:
        return sheet
    target = Target(columns.extra_into)
    own = next((place for place, t in columns.targets.items() if t == target), None)
    if own is not None:
        del columns.targets[own]
    columns.targets[len(sheet.header)] = target
    rows = _extended(sheet, own, columns.unmapped)
    name = sheet.header[own] if own is not None else target.word
    return replace(sheet, header=[*sheet.header, name], rows=rows)


def _extended(sheet: Sheet, own: int | None, places: list[int]) -> Iterator[Row | Problem]:
    header = sheet.header
    for row in sheet.rows:
        if isinstance(row, Problem):
            yield row
            continue
        number, cells = row
        lines = [cells[own]] if own is not None and cells[own].strip() else []
        lines += [f"{header[place]}: {cells[place]}" for place in places if cells[place].strip()]
        yield number, [*cells, "\n".join(lines)]
