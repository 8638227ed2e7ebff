"""How far an import is, kept in the transaction of each batch, and the rows of its file that failed.

No part of it is a record: it changes with every batch and says nothing that the import does not say at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Connection, Integer, Table, delete, exists, insert, select, update

from clientela.entity import Entity
from clientela.errors import Conflict
from clientela.exchange.entities import Import
from clientela.exchange.importing import FailedRow
from clientela.exchange.report import ImportReport, Problem
from clientela.i18n.texts import _, pack, unpack
from clientela.storage.types import Instant, Key, json_type

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.context import Context

RUN = Table(
    "core_import_run",
    Entity.metadata,
    Column("import_id", Key, primary_key=True),
    # The rows of the file that were taken, good or bad.
    Column("position", Integer, nullable=False),
    Column("report", json_type()),
    # When a process last said that it is at it; another takes over after a while.
    Column("beat_at", Instant),
)

FAILED = Table(
    "core_import_failed_row",
    Entity.metadata,
    Column("import_id", Key, primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("cells", json_type(), nullable=False),
    Column("problems", json_type(), nullable=False),
)

PAGE = 1_000


class TakenOver(Conflict):
    """Another process goes on with this import, or it was stopped."""

    code = "import-moved"
    title = _("The import goes on elsewhere")

    def __init__(self) -> None:
        super().__init__(_("The import was stopped, or another process goes on with it."))


def begin(ctx: Context, key: str) -> None:
    """Begin at the first row: nothing is counted, and nothing has failed."""
    forget(ctx.connection, key)
    ctx.connection.execute(insert(RUN).values(import_id=key, position=0))


def forget(connection: Connection, key: str) -> None:
    """Forget where an import stands and which rows failed."""
    connection.execute(delete(FAILED).where(FAILED.c.import_id == key))
    connection.execute(delete(RUN).where(RUN.c.import_id == key))


def report_of(connection: Connection, key: str) -> ImportReport | None:
    """Give the report so far."""
    kept = connection.execute(select(RUN.c.report).where(RUN.c.import_id == key)).scalar()
    return None if kept is None else ImportReport.unpacked(kept)


def failed_rows_of(connection: Connection, key: str, *, after: int = 0) -> list[FailedRow]:
    """Give the rows that failed, a page of them, in the order of the file."""
    query = (
        select(FAILED)
        .where(FAILED.c.import_id == key, FAILED.c.row > after)
        .order_by(FAILED.c.row)
        .limit(PAGE)
    )
    return [_failed(row) for row in connection.execute(query)]


def _failed(row: Any) -> FailedRow:
    problems = [
        Problem(row.row, one["column"], one["code"], unpack(one["sentence"]), one["sample"])
        for one in row.problems
    ]
    return FailedRow(row.row, row.cells, problems)


class KeptRun:
    """Keeps where an import stands, in the transaction that writes its rows."""

    writes = True

    def __init__(self, app: App, key: str, state: str) -> None:
        self._app, self._key, self._state = app, key, state
        self._position = 0

    def resume(self) -> ImportReport | None:
        """Give the report of the rows that were taken already."""
        with self._app.db.read() as connection:
            report = report_of(connection, self._key)
        self._position = report.read if report is not None else 0
        return report

    def keep(self, ctx: Context, report: ImportReport, failed: Sequence[FailedRow]) -> None:
        """Keep the report, if nobody else went on meanwhile and nobody stopped the import."""
        imports = Import.info.table
        goes_on = exists().where(imports.c.id == self._key, imports.c.state == self._state)
        moved = ctx.connection.execute(
            update(RUN)
            .where(RUN.c.import_id == self._key, RUN.c.position == self._position, goes_on)
            .values(position=report.read, report=report.packed(), beat_at=ctx.now)
        )
        if moved.rowcount != 1:
            raise TakenOver
        if failed:
            ctx.connection.execute(insert(FAILED), [self._row(one) for one in failed])
        self._position = report.read

    def _row(self, failed: FailedRow) -> dict[str, Any]:
        problems = [
            {"column": p.column, "code": p.code, "sentence": pack(p.sentence), "sample": p.sample}
            for p in failed.problems
        ]
        return {
            "import_id": self._key, "row": failed.number, "cells": list(failed.cells),
            "problems": problems,
        }  # fmt: skip
