"""Importing rows: read, map, then batch by batch; first to look, then to write."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sqlalchemy.exc import IntegrityError

from clientela.access.directory import ACCESS_ENTITIES
from clientela.bulk.seen import Seen
from clientela.entity import EntityInfo
from clientela.errors import BadSyntax, Conflict, Invalid, Stale
from clientela.exchange.batches import Batch, Parsed, Plan
from clientela.exchange.cells import field_columns, whole_fields
from clientela.exchange.extras import keep_extra
from clientela.exchange.making import CREATED, Maker
from clientela.exchange.mapping import Columns, default_key, map_columns, refuse_hidden
from clientela.exchange.merging import UNCHANGED, UPDATED, Merger
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import ImportReport, Problem
from clientela.exchange.sources.opening import Row, Sheet, opened
from clientela.exchange.writing import write
from clientela.i18n.texts import _
from clientela.storage.violations import as_refusal

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App
    from clientela.context import Context

# Hears the report so far and which share of the file is read.
Progress = Callable[[ImportReport, float], None]

# A batch that met somebody else's change is made again from what is there now.
TRIES = 3


class RowsRefused(Conflict):
    """Rows of a file that was found clean cannot be taken any more: somebody changed what they meet."""

    code = "rows-refused"
    title = _("Some rows cannot be taken any more")


@dataclass(frozen=True)
class FailedRow:
    """A row that cannot be taken: its cells, as far as they could be read, and what is wrong."""

    number: int
    cells: Sequence[str]
    problems: Sequence[Problem]


class Keeper(Protocol):
    """What lasts of an import beside its rows: where it stands, and the rows that failed."""

    # Whether `keep` writes, and so needs a transaction even where the rows themselves are only looked at.
    writes: bool

    def resume(self) -> ImportReport | None:
        """Give the report of the rows that were taken already, or None at the beginning."""

    def keep(self, ctx: Context, report: ImportReport, failed: Sequence[FailedRow]) -> None:
        """Keep the report inside the transaction of the batch; raises when another process is at it."""


class NoKeeper:
    """Keeps nothing: the import lives as long as the call."""

    writes = False

    def resume(self) -> ImportReport | None:
        """Begin at the beginning."""
        return None

    def keep(self, ctx: Context, report: ImportReport, failed: Sequence[FailedRow]) -> None:
        """Keep nothing."""


NOBODY = NoKeeper()


@contextmanager
def seekable(source: Path | BinaryIO) -> Iterator[BinaryIO]:
    """Give a stream that can be read twice; a pipe is kept in a scratch file."""
    if isinstance(source, Path):
        try:
            stream = source.open("rb")
        except OSError as wrong:
            raise BadSyntax(
                _("{source} cannot be read: {reason}.", source=source, reason=wrong.strerror)
            ) from wrong
        with stream:
            yield stream
    elif source.seekable():
        yield source
    else:
        with tempfile.TemporaryFile() as scratch:
            shutil.copyfileobj(source, scratch)
            yield scratch


@dataclass(frozen=True)
class Work:
    """The import of one file by one principal: to be looked at, and to be done."""

    app: App
    principal: Principal
    info: EntityInfo
    options: ImportOptions
    face: str = "import"
    progress: Progress | None = None

    @property
    def is_strict(self) -> bool:
        """Say whether one bad row keeps all others back."""
        return not self.options.skip_bad_rows

    def hear(self, report: ImportReport, source: BinaryIO, size: int) -> None:
        """Tell how far it is."""
        if self.progress is not None:
            self.progress(report, source.tell() / size if size else 1.0)

    def mapped(self, source: BinaryIO) -> ImportReport:
        """Say how the file would be read, without reading its rows; what cannot be read or mapped is refused."""
        with opened(source, self.options, whole_fields(self.info)) as sheet:
            columns, options = self._columns(sheet)
            report = self._report(sheet, columns, options, dry_run=True)
            self._plan(keep_extra(sheet, columns), columns, options)
        return report

    def check(self, source: BinaryIO, keeper: Keeper = NOBODY) -> ImportReport:
        """Look through the whole file and say what a run would do; nothing is written."""
        return self._go(source, Look, keeper, dry_run=True)

    def run(self, source: BinaryIO, keeper: Keeper = NOBODY) -> ImportReport:
        """Write the rows batch by batch, each with where the import stands, in one transaction.

        Raises `RowsRefused` when rows must not be skipped and one cannot be taken; what was written stays, and is
        gone on from or taken back.
        """
        return self._go(source, Write, keeper, dry_run=False)

    def _go(
        self, source: BinaryIO, way: type[Look | Write], keeper: Keeper, *, dry_run: bool
    ) -> ImportReport:
        require(self.principal, self.info, self.options)
        report = keeper.resume()
        size = size_of(source)
        with opened(source, self.options, whole_fields(self.info)) as sheet:
            columns, options = self._columns(sheet)
            done = report.read if report is not None else 0
            report = report or self._report(sheet, columns, options, dry_run=dry_run)
            kept = keep_extra(sheet, columns)
            plan = self._plan(kept, columns, options)
            take = way(self.app, self.principal, plan, report, self.face, keeper)
            try:
                for rows, lost in batches(_beyond(kept.rows, done), plan.options.batch):
                    take(rows, lost)
                    self.hear(report, source, size)
            finally:
                take.close()
        return report

    def _columns(self, sheet: Sheet) -> tuple[Columns, ImportOptions]:
        columns = map_columns(self.app, self.info, sheet.header, self.options, sheet.sample)
        options = self.options
        if options.matches and not options.key:
            options = replace(options, key=default_key(self.info, columns))
        refuse_hidden(self.info, columns, self.principal.hidden_classes, options.key)
        return columns, options

    def _plan(self, sheet: Sheet, columns: Columns, options: ImportOptions) -> Plan:
        compiled = field_columns(sheet.header, columns, self.app.home)
        missing = [
            n for n, f in self.info.writable.items() if f.required and n not in columns.fields
        ]
        if missing and options.way == "create":
            raise Invalid(
                _(
                    "{nouns} need {field}, which no column fills; map a column to it, or give it as a constant.",
                    nouns=self.info.heading,
                    field=missing[0],
                )
            )
        asks = any(one["hook"] == "record_saving" for one in self.app.hooks.timings())
        return Plan(self.info, options, compiled, asks)

    def _report(
        self, sheet: Sheet, columns: Columns, options: ImportOptions, *, dry_run: bool
    ) -> ImportReport:
        return ImportReport(
            self.info.name, options.file, dry_run, sheet.encoding, sheet.delimiter,
            mapping={sheet.header[place]: t.word for place, t in columns.targets.items()},
            unmapped=[sheet.header[place] for place in columns.unmapped],
            mode=options.way, key=list(options.key), header=list(sheet.header), format=sheet.format, sheet=sheet.name,
            conventions=list(columns.conventions.values()), suggestions=columns.suggestions,
        )  # fmt: skip


def size_of(source: BinaryIO) -> int:
    """Give how many bytes a stream has, and stand at its beginning."""
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    return size


def require(principal: Principal, info: EntityInfo, options: ImportOptions) -> None:
    """Refuse an import that the principal, or the entity, does not allow."""
    wanted = ["import"]
    wanted += ["create"] if options.creates else []
    wanted += ["update"] if options.changes else []
    for verb in wanted:
        if verb not in info.verbs:
            raise Invalid(_("{nouns} know no {verb}.", nouns=info.heading, verb=verb))
        principal.require(info.permission(verb))


def batches(rows: Iterator[Row | Problem], size: int) -> Iterator[tuple[list[Row], list[Problem]]]:
    """Cut the rows into batches; those that could not be read keep their place."""
    while some := list(islice(rows, size)):
        yield [r for r in some if type(r) is tuple], [r for r in some if type(r) is Problem]


def _beyond(rows: Iterator[Row | Problem], done: int) -> Iterator[Row | Problem]:
    """Leave out the rows that were taken before."""
    for _row in islice(rows, done):
        pass
    return rows


@dataclass
class Take:
    """Takes batch after batch, and counts what becomes of the rows."""

    app: App
    principal: Principal
    plan: Plan
    report: ImportReport
    face: str
    keeper: Keeper

    def close(self) -> None:
        """Let go what was kept between batches."""

    def _made(self, ctx: Context, parsed: Parsed, seen: Seen | None = None) -> Batch:
        maker = Merger if self.plan.options.key else Maker
        return maker(ctx, self.plan, parsed, seen).make()

    def _count(self, report: ImportReport, batch: Batch, read: int) -> None:
        report.note(batch.problems)
        report.read += read
        report.failed += len(batch.failed)
        report.created += batch.count(CREATED)
        report.updated += batch.count(UPDATED)
        report.unchanged += batch.count(UNCHANGED)


@dataclass
class Look(Take):
    """Looks at batches without writing any."""

    seen: Seen = field(init=False)

    def __post_init__(self) -> None:
        matched = self.plan.options.key
        places = [
            *self.plan.info.unique_keys,
            *([matched] if matched else []),
            *self.plan.own_places,
        ]
        self.seen = Seen(self.plan.info, places, whole=bool(matched))

    def close(self) -> None:
        """Let the scratch file go."""
        self.seen.close()

    def __call__(self, rows: Sequence[Row], lost: Sequence[Problem]) -> None:
        """Look at a batch as though it were written."""
        parsed = self.plan.parse(rows, lost)
        with self.app.acting_as(self.principal, face=self.face, writing=False) as ctx:
            batch = self._made(ctx, parsed, self.seen)
        self.seen.note([*batch.created, *(known.values for known in batch.known.values())])
        self._count(self.report, batch, len(rows) + len(lost))
        failed = failed_rows(rows, batch.problems)
        self.app.perform(
            self.principal, lambda ctx: self.keeper.keep(ctx, self.report, failed),
            face=self.face, writing=self.keeper.writes,
        )  # fmt: skip


@dataclass
class Write(Take):
    """Writes batches, each in a transaction of its own."""

    def __call__(self, rows: Sequence[Row], lost: Sequence[Problem]) -> None:
        """Write a batch, and where the import stands after it."""
        parsed = self.plan.parse(rows, lost)
        for attempt in range(1, TRIES + 1):
            try:
                report = self.app.perform(
                    self.principal, lambda ctx: self._work(ctx, parsed, rows, lost),
                    face=self.face, reason=f"import {self.report.file}".strip(),
                    confidence=self.plan.options.confidence,
                )  # fmt: skip
                break
            except (IntegrityError, Stale) as wrong:
                if attempt == TRIES:
                    raise _refusal(wrong, self.app) from wrong
        self.report.become(report)
        if self.plan.info.name in ACCESS_ENTITIES:
            self.app.directory.forget()

    def _work(
        self, ctx: Context, parsed: Parsed, rows: Sequence[Row], lost: Sequence[Problem]
    ) -> ImportReport:
        # The unit may run again, so the report that lives on changes only after its commit.
        report = self.report.copy()
        batch = self._made(ctx, parsed)
        if batch.failed and not self.plan.options.skip_bad_rows:
            raise _rows_refused(batch)
        head = report.sets[0] if report.sets else None
        notify = self.plan.options.notify
        set_id = write(ctx, self.plan.info, batch, notify=notify, part_of=head)
        self._count(report, batch, len(rows) + len(lost))
        if set_id is not None:
            report.sets.append(set_id)
        self.keeper.keep(ctx, report, failed_rows(rows, batch.problems))
        return report


def failed_rows(rows: Sequence[Row], problems: Sequence[Problem]) -> list[FailedRow]:
    """Put the problems of a batch to their rows; a row that could not be cut into cells has none."""
    if not problems:
        return []
    cells = dict(rows)
    found: dict[int, list[Problem]] = {}
    for problem in problems:
        found.setdefault(problem.row, []).append(problem)
    return [FailedRow(number, cells.get(number, ()), found[number]) for number in sorted(found)]


def _refusal(wrong: IntegrityError | Stale, app: App) -> Exception:
    return as_refusal(wrong, app.registry) if isinstance(wrong, IntegrityError) else wrong


def _rows_refused(batch: Batch) -> RowsRefused:
    first = min(batch.problems, key=lambda problem: problem.row)
    return RowsRefused(
        _(
            "Row {row}, {column}: {reason} Rows before this batch are written; go on when it is mended, or undo.",
            row=first.row,
            column=first.column or "–",
            reason=first.sentence,
        )
    )
