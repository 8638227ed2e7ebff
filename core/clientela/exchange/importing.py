"""Importing a file: read, map, then batch by batch in transactions of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from sqlalchemy.exc import IntegrityError

from clientela.access.directory import ACCESS_ENTITIES
from clientela.entity import EntityInfo
from clientela.errors import Invalid, Refusal, Stale
from clientela.exchange.batches import Batch, Parsed, Plan
from clientela.exchange.cells import field_columns
from clientela.exchange.extras import keep_extra
from clientela.exchange.making import CREATED, Maker
from clientela.exchange.mapping import Columns, map_columns, refuse_hidden
from clientela.exchange.merging import UNCHANGED, UPDATED, Merger
from clientela.exchange.options import ImportOptions
from clientela.exchange.reading import Row, Sheet, opened
from clientela.exchange.report import ImportReport, Problem
from clientela.exchange.writing import write
from clientela.i18n.texts import _
from clientela.storage.violations import as_refusal

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App
    from clientela.context import Context

Progress = Callable[[int], None]


def import_csv(  # noqa: PLR0913 - the door of a whole face
    app: App,
    principal: Principal,
    info: EntityInfo,
    source: Path | BinaryIO,
    *,
    options: ImportOptions | None = None,
    dry_run: bool = False,
    face: str = "import",
    progress: Progress | None = None,
) -> ImportReport:
    """Import the rows of a CSV file as records of an entity, and say what became of every row.

    A dry run does everything and writes nothing. What cannot be read at all, or mapped, is refused before the first
    row; what is wrong with single rows is told in the report. `progress` hears how many rows were read.
    """
    options = options or ImportOptions()
    app.look_again()
    info = app.registry.of(info)
    require(principal, info, options)
    with opened(source, options) as sheet:
        columns = map_columns(app, info, sheet.header, options)
        refuse_hidden(info, columns, principal.hidden_classes, options.key)
        report = _report(info, source, sheet, columns, options, dry_run=dry_run)
        kept = keep_extra(sheet, columns)
        plan = _plan(app, info, kept, columns, options)
        run = Run(app, principal, plan, report, face)
        for rows, lost in batches(kept.rows, options.batch):
            run.take(plan.parse(rows, lost), read=len(rows) + len(lost))
            if progress is not None:
                progress(report.read)
    return report


def require(principal: Principal, info: EntityInfo, options: ImportOptions) -> None:
    """Refuse an import that the principal, or the entity, does not allow."""
    for verb in ("import", "create", *(["update"] if options.key else [])):
        if verb not in info.verbs:
            raise Invalid(_("{nouns} know no {verb}.", nouns=info.heading, verb=verb))
        principal.require(info.permission(verb))


def _report(
    info: EntityInfo,
    source: Path | BinaryIO,
    sheet: Sheet,
    columns: Columns,
    options: ImportOptions,
    *,
    dry_run: bool,
) -> ImportReport:
    name = options.file or (source.name if isinstance(source, Path) else "")
    return ImportReport(
        info.name, name, dry_run, sheet.encoding, sheet.delimiter,
        mapping={sheet.header[place]: t.word for place, t in columns.targets.items()},
        unmapped=[sheet.header[place] for place in columns.unmapped],
    )  # fmt: skip


def _plan(
    app: App, info: EntityInfo, sheet: Sheet, columns: Columns, options: ImportOptions
) -> Plan:
    compiled = field_columns(sheet.header, columns, app.home)
    missing = [n for n, f in info.writable.items() if f.required and n not in columns.fields]
    if missing and not options.key:
        raise Invalid(
            _(
                "{nouns} need {field}, which no column fills; map a column to it, or give it as a constant.",
                nouns=info.heading,
                field=missing[0],
            )
        )
    asks = any(one["hook"] == "record_saving" for one in app.hooks.timings())
    return Plan(info, options, compiled, asks)


def batches(rows: Iterator[Row | Problem], size: int) -> Iterator[tuple[list[Row], list[Problem]]]:
    """Cut the rows into batches; those that could not be read keep their place."""
    while some := list(islice(rows, size)):
        yield [r for r in some if type(r) is tuple], [r for r in some if type(r) is Problem]


@dataclass
class Run:
    """The import of one file, batch after batch."""

    app: App
    principal: Principal
    plan: Plan
    report: ImportReport
    face: str

    def take(self, parsed: Parsed, *, read: int) -> None:
        """Do one batch in a transaction of its own and count what became of its rows."""
        self.report.read += read
        try:
            batch, written, set_id = self.app.perform(
                self.principal, lambda ctx: self._work(ctx, parsed), face=self.face,
                reason=f"import {self.report.file}".strip(), dry_run=self.report.dry_run,
            )  # fmt: skip
        except (IntegrityError, Stale) as wrong:
            self._refuse(parsed, read, wrong)
            return
        self._count(batch, written=written)
        if set_id is not None and not self.report.dry_run:
            self.report.sets.append(set_id)
            if self.plan.info.name in ACCESS_ENTITIES:
                self.app.directory.forget()

    def _work(self, ctx: Context, parsed: Parsed) -> tuple[Batch, bool, str | None]:
        maker = Merger if self.plan.options.key else Maker
        batch = maker(ctx, self.plan, parsed).make()
        if batch.failed and not self.plan.options.skip_bad_rows:
            return batch, False, None
        set_id = write(ctx, self.plan.info, batch, notify=self.plan.options.notify)
        return batch, True, set_id

    def _count(self, batch: Batch, *, written: bool) -> None:
        report = self.report
        report.note(batch.problems)
        report.failed += len(batch.failed)
        if not written:
            report.held_back += len(batch.outcomes)
            return
        report.created += batch.count(CREATED)
        report.updated += batch.count(UPDATED)
        report.unchanged += batch.count(UNCHANGED)

    def _refuse(self, parsed: Parsed, read: int, wrong: IntegrityError | Stale) -> None:
        """Count a batch that somebody else's change has made impossible."""
        refused: Refusal = (
            as_refusal(wrong, self.app.registry) if isinstance(wrong, IntegrityError) else wrong
        )
        failed = {problem.row for problem in parsed.problems}
        self.report.note(parsed.problems)
        self.report.note([Problem(parsed.numbers[0], "", refused.code, refused.detail)])
        self.report.failed += len(failed)
        self.report.held_back += read - len(failed)
