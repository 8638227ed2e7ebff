"""The life of an import: checked, run, stopped, gone on with after whatever happened, and taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

from sqlalchemy import or_, select, update

from clientela import changes
from clientela.access.principal import system
from clientela.actions import action
from clientela.context import Context
from clientela.errors import Conflict, Refusal, Unavailable
from clientela.exchange import runs
from clientela.exchange.entities import Import
from clientela.exchange.files import work_for
from clientela.exchange.importing import Progress, Work, require
from clientela.exchange.keeping import kept_file
from clientela.exchange.report import ImportReport
from clientela.exchange.runs import RUN, KeptRun, TakenOver
from clientela.i18n.texts import _
from clientela.schemas import Input

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App

# Without a sign of life for so long, another process takes an import over.
SILENCE = timedelta(seconds=30)

WORKING = ("checking", "running")


class Start(Input):
    """How a checked import is begun."""

    skip_bad_rows: bool | None = None


# what people do with an import --------------------------------------------------------------------------------------


@action("core.import.check", on=Import, undo="a check writes nothing but what it found.")
def check(ctx: Context, record: Import) -> Import:
    """Look through the whole file and say what a run would do."""
    if record.state not in {"draft", "checked", "stopped", "undone"}:
        raise _not_now(record)
    if record.state == "stopped" and _written(ctx, record):
        raise Conflict(_("Rows were written already; go on with the import, or undo it first."))
    return _begin(ctx, record, "checking")


@action("core.import.start", on=Import, undo="what it wrote is taken back with core.import.undo.")
def start(ctx: Context, record: Import, data: Start) -> Import:
    """Write the rows; one that was stopped goes on where it stands."""
    if data.skip_bad_rows is not None:
        record.options = record.options | {"skip_bad_rows": data.skip_bad_rows}
    report = runs.report_of(ctx.connection, record.id)
    if record.state == "stopped" and report is not None and not report.dry_run:
        record.reason, record.started_by = None, ctx.principal.id
        record.state = "running"
        return record
    skips = bool(record.options.get("skip_bad_rows"))
    checked = record.state == "checked" and report is not None
    if not skips and not (checked and report is not None and not report.failed):
        raise Conflict(
            _("Check the import first; bad rows keep it back, unless skip_bad_rows is said.")
        )
    if record.state not in {"draft", "checked", "stopped", "undone"}:
        raise _not_now(record)
    return _begin(ctx, record, "running")


@action("core.import.stop", on=Import, undo="start it again to go on.")
def stop(ctx: Context, record: Import) -> Import:
    """Stop after the batch that is being written; it can be gone on with."""
    if record.state not in WORKING:
        raise _not_now(record)
    record.set_id = _written(ctx, record)
    record.state, record.reason = "stopped", str(_("Stopped by hand."))
    return record


@action("core.import.undo", on=Import, undo="redo the change set to have it again.")
def undo(ctx: Context, record: Import) -> Import:
    """Take back all that the import wrote, updates included."""
    if record.state in {*WORKING, "undone"}:
        raise _not_now(record)
    written = _written(ctx, record)
    if written is None:
        raise Conflict(_("The import has written nothing, so there is nothing to take back."))
    changes.undo(ctx, written)
    record.state, record.set_id, record.reason = "undone", None, None
    return record


def _written(ctx: Context, record: Import) -> str | None:
    """Give the change set with all that the import wrote so far."""
    report = runs.report_of(ctx.connection, record.id)
    written = report is not None and not report.dry_run and report.sets
    return f"{changes.PREFIX}_{report.sets[0]}" if written and report is not None else None


def _begin(ctx: Context, record: Import, state: str) -> Import:
    info = ctx.app.registry.entity(record.entity)
    require(ctx.principal, info, record.import_options())
    runs.begin(ctx, record.id)
    record.state, record.started_by, record.reason = state, ctx.principal.id, None
    return record


def _not_now(record: Import) -> Conflict:
    return Conflict(
        _("This does not go while the import is {state}.", state=_STATE_WORDS[record.state])
    )


_STATE_WORDS = {
    "draft": _("a draft"),
    "checking": _("being checked"),
    "checked": _("checked"),
    "running": _("running"),
    "stopped": _("stopped"),
    "done": _("done"),
    "undone": _("undone"),
}


# what processes do with it ------------------------------------------------------------------------------------------


def carry_out(app: App, key: str, progress: Progress | None = None) -> ImportReport | None:
    """Do what an import waits for, from where it stands, and give its report.

    What stands against it stops the import and is kept as its reason; a database that is away leaves it running, to be
    gone on with.
    """
    record = _load(app, key)
    state = record.state
    if state not in WORKING:
        return _report(app, key)
    keeper = KeptRun(app, key, state)
    try:
        with kept_file(app, record.file) as source:
            work = _work(app, record, source, progress)
            report = work.check(source, keeper) if state == "checking" else work.run(source, keeper)
    except TakenOver:
        return _report(app, key)
    except Unavailable:
        raise
    except Refusal as refusal:
        _finish(app, key, state, "stopped", refusal.detail)
        return _report(app, key)
    _finish(app, key, state, "checked" if state == "checking" else "done", None)
    return report


def _work(app: App, record: Import, source: BinaryIO, progress: Progress | None) -> Work:
    principal: Principal = app.directory.by_id(record.started_by or "")
    info = app.registry.entity(record.entity)
    return work_for(app, principal, info, record.import_options(), source, progress=progress)


def _load(app: App, key: str) -> Import:
    with app.acting_as(system("import"), face="import", writing=False) as ctx:
        return ctx.get(Import, key)


def _report(app: App, key: str) -> ImportReport | None:
    with app.db.read() as connection:
        return runs.report_of(connection, key)


def _finish(app: App, key: str, before: str, state: str, reason: str | None) -> None:
    """Write down how it ended; one that was stopped by hand meanwhile stays as it is."""

    def work(ctx: Context) -> None:
        record = ctx.get(Import, key, lock=True)
        record.set_id = _written(ctx, record)
        if record.state == before:
            record.state, record.reason = state, None if reason is None else str(reason)[:2_000]
        ctx.change_set().action = "core.import.finish"

    app.perform(system("import"), work, face="import")


def waiting(app: App) -> list[str]:
    """Give the imports that wait for a process, or whose process has died, and claim them."""
    imports = Import.info.table
    silent = or_(RUN.c.beat_at.is_(None), RUN.c.beat_at < app.clock() - SILENCE)
    query = (
        select(RUN.c.import_id)
        .join(imports, imports.c.id == RUN.c.import_id)
        .where(imports.c.state.in_(WORKING), imports.c.deleted_at.is_(None), silent)
        .order_by(RUN.c.import_id)
    )
    with app.db.read() as connection:
        found = connection.execute(query).scalars().all()
    return [key for key in found if _claim(app, key, silent)]


def _claim(app: App, key: str, silent: Any) -> bool:
    with app.db.write() as connection:
        mine = update(RUN).where(RUN.c.import_id == key, silent).values(beat_at=app.clock())
        return connection.execute(mine).rowcount == 1


# looking ------------------------------------------------------------------------------------------------------------


def report_view(ctx: Context, key: str) -> dict[str, Any]:
    """Give what became of the rows so far, with what is wrong in groups."""
    record = ctx.get(Import, key)
    report = runs.report_of(ctx.connection, record.id)
    told = {} if report is None else report.as_dict(ctx.show)
    return {"state": record.state, "reason": record.reason, "set_id": record.set_id} | told


def failures_view(ctx: Context, key: str) -> dict[str, Any]:
    """Give the rows that failed, the first of them, each with its cells and what is wrong."""
    record = ctx.get(Import, key)
    report = runs.report_of(ctx.connection, record.id)
    rows = runs.failed_rows_of(ctx.connection, record.id)
    return {
        "header": report.header if report is not None else [],
        "data": [
            {
                "row": one.number, "cells": list(one.cells),
                "problems": [
                    {"column": p.column, "code": p.code, "sentence": ctx.show(p.sentence), "value": p.sample}
                    for p in one.problems
                ],
            }
            for one in rows
        ],
        "has_more": len(rows) == runs.PAGE,
    }  # fmt: skip
