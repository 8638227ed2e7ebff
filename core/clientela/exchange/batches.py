"""One batch of rows: what was read of it, and what it will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clientela.bulk.values import Known, Values
from clientela.entity import EntityInfo
from clientela.exchange.cells import Bad, FieldColumn
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import Problem


@dataclass
class Parsed:
    """The rows of a batch, read by column; what could not be read is already in `problems`."""

    numbers: list[int]
    columns: list[list[Any]]
    problems: list[Problem] = field(default_factory=list)


@dataclass
class Batch:
    """What a batch will do; `outcomes` says of each row that did not fail what becomes of it."""

    created: list[Values] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    outcomes: dict[int, str] = field(default_factory=dict)
    # The drawn keys as numbers, from which both databases' forms are written.
    numbers: dict[str, int] = field(default_factory=dict)
    # Several rows of one batch may fill one record; only those that share one are listed.
    sharing: dict[str, list[int]] = field(default_factory=dict)

    def fail(self, problems: Sequence[Problem]) -> None:
        """Count rows out, and remember why."""
        self.problems += problems
        for problem in problems:
            self.failed.add(problem.row)
            self.outcomes.pop(problem.row, None)

    def count(self, word: str) -> int:
        """Count the rows with one outcome."""
        return sum(1 for outcome in self.outcomes.values() if outcome == word)


@dataclass(frozen=True)
class Plan:
    """What all batches of an import share."""

    info: EntityInfo
    options: ImportOptions
    columns: list[FieldColumn]
    asks_hooks: bool

    @property
    def names(self) -> list[str]:
        """Name the fields that the file fills."""
        return [column.field.name for column in self.columns]

    @property
    def own_places(self) -> list[tuple[str, ...]]:
        """Give the fields by which rows refer to records of their own entity, perhaps to earlier rows."""
        own = (
            c
            for c in self.columns
            if c.by is not None
            and c.field.target is not None
            and c.field.target.name == self.info.name
        )
        return [(column.by.name,) for column in own if column.by is not None]

    def parse(self, rows: Sequence[tuple[int, list[str]]], lost: Sequence[Problem]) -> Parsed:
        """Read the cells of a batch, column by column."""
        numbers = [number for number, _ in rows]
        table = list(zip(*(cells for _, cells in rows), strict=True))
        problems = list(lost)
        columns = []
        for column in self.columns:
            values = column.read(table) if rows else []
            if column.has_bad():
                problems += bad_ones(numbers, values)
            columns.append(values)
        return Parsed(numbers, columns, problems)


def bad_ones(numbers: Sequence[int], values: Sequence[Any]) -> list[Problem]:
    """Give the problems among the values of a column."""
    return [
        Problem(number, bad.column, bad.code, bad.sentence, bad.sample)
        for number, bad in zip(numbers, values, strict=True)
        if type(bad) is Bad
    ]
