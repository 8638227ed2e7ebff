"""What an import did: exact numbers, and what went wrong in groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from clientela.errors import Show
from clientela.exchange.suggesting import Suggestion
from clientela.i18n.texts import _, pack, unpack

if TYPE_CHECKING:
    # The conventions read the options of an import, which know nothing of reports.
    from clientela.exchange.conventions import Convention

_TOLD = ("conventions", "suggestions")

ROWS_SHOWN = 20
SAMPLES_SHOWN = 5
SAMPLE_LENGTH = 80
# Sentences quote values, so a file of rubbish would have as many groups as rows.
MOST_GROUPS = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with one row; `row` counts as a spreadsheet does, the header being row 1."""

    row: int
    column: str
    code: str
    sentence: str
    sample: str = ""


@dataclass
class ErrorGroup:
    """The same thing wrong in a column, with the rows where it was met."""

    column: str
    code: str
    sentence: str
    count: int = 0
    rows: list[int] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        """Count one more row, and remember the first of them."""
        self.count += 1
        if len(self.rows) < ROWS_SHOWN:
            self.rows.append(problem.row)
        sample = problem.sample[:SAMPLE_LENGTH]
        if sample and len(self.samples) < SAMPLES_SHOWN and sample not in self.samples:
            self.samples.append(sample)

    def packed(self) -> dict[str, Any]:
        """Give the form in which the group is kept: its sentence can still be shown in any language."""
        return vars(self) | {"sentence": pack(self.sentence)}

    def as_dict(self, show: Show = str) -> dict[str, Any]:
        """Give the JSON form in the language of `show`."""
        return {
            "column": self.column, "code": self.code, "sentence": show(self.sentence),
            "count": self.count, "rows": self.rows, "samples": self.samples,
        }  # fmt: skip


@dataclass
class ImportReport:
    """What became of every row: `read` is the sum of the other five."""

    entity: str
    file: str
    dry_run: bool
    encoding: str = ""
    delimiter: str = ""
    mapping: dict[str, str] = field(default_factory=dict)
    unmapped: list[str] = field(default_factory=list)
    mode: str = "create"
    key: list[str] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    format: str = "csv"
    sheet: str = ""
    conventions: list[Convention] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    held_back: int = 0
    sets: list[str] = field(default_factory=list)
    _groups: dict[tuple[str, str, str], ErrorGroup] = field(default_factory=dict, repr=False)

    @property
    def is_clean(self) -> bool:
        """Say whether every row was taken."""
        return not self.failed and not self.held_back

    @property
    def groups(self) -> list[ErrorGroup]:
        """Give what went wrong, the most frequent first."""
        return sorted(self._groups.values(), key=lambda g: (-g.count, g.rows[:1]))

    def held(self) -> ImportReport:
        """Give the same report where nothing was written: the good rows are held back."""
        good = self.created + self.updated + self.unchanged
        return replace(self, dry_run=False, created=0, updated=0, unchanged=0, held_back=good)

    def copy(self) -> ImportReport:
        """Give a report that can be counted on apart from this one."""
        groups = {
            key: replace(group, rows=[*group.rows], samples=[*group.samples])
            for key, group in self._groups.items()
        }
        return replace(self, sets=[*self.sets], _groups=groups)

    def become(self, other: ImportReport) -> None:
        """Take over what another report has counted."""
        self.__dict__ |= other.__dict__

    def packed(self) -> dict[str, Any]:
        """Give the form in which the report is kept between batches."""
        kept = {name: value for name, value in vars(self).items() if name != "_groups"}
        told = {n: [vars(one) | {"reason": pack(one.reason)} for one in kept[n]] for n in _TOLD}
        return kept | told | {"groups": [group.packed() for group in self._groups.values()]}

    @classmethod
    def unpacked(cls, kept: dict[str, Any]) -> ImportReport:
        """Read a kept report."""
        from clientela.exchange.conventions import Convention  # noqa: PLC0415 - it reads the options, which know no reports

        told = [one | {"sentence": unpack(one["sentence"])} for one in kept["groups"]]
        groups = [ErrorGroup(**one) for one in told]
        made = cls(**{name: value for name, value in kept.items() if name != "groups"})
        for name, kind in zip(_TOLD, (Convention, Suggestion), strict=True):
            told_of = [kind(**one | {"reason": unpack(one["reason"])}) for one in kept[name]]
            setattr(made, name, told_of)
        made._groups = {(g.column, g.code, g.sentence): g for g in groups}
        return made

    def note(self, problems: Iterable[Problem]) -> None:
        """Put problems into their groups."""
        for problem in problems:
            self._group(problem).add(problem)

    def _group(self, problem: Problem) -> ErrorGroup:
        key = (problem.column, problem.code, problem.sentence)
        known = self._groups.get(key)
        if known is None and len(self._groups) >= MOST_GROUPS:
            key = (problem.column, problem.code, _("More values of this column cannot be taken."))
            known = self._groups.get(key)
        if known is None:
            known = self._groups[key] = ErrorGroup(*key)
        return known

    def as_dict(self, show: Show = str) -> dict[str, Any]:
        """Give the JSON form in the language of `show`."""
        return {
            "entity": self.entity, "file": self.file, "dry_run": self.dry_run,
            "format": self.format, "sheet": self.sheet,
            "encoding": self.encoding, "delimiter": self.delimiter,
            "mapping": self.mapping, "unmapped": self.unmapped, "mode": self.mode, "key": self.key,
            "conventions": [one.as_dict(show) for one in self.conventions],
            "suggestions": [one.as_dict(show) for one in self.suggestions],
            "read": self.read, "created": self.created, "updated": self.updated,
            "unchanged": self.unchanged, "failed": self.failed, "held_back": self.held_back,
            "sets": self.sets, "errors": [group.as_dict(show) for group in self.groups],
        }  # fmt: skip
