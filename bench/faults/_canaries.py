"""Defects planted on purpose, one for each gate: a gate that does not see its own proves nothing."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from typing import Any

from clientela import purging
from clientela.access.principal import SYSTEM
from clientela.exchange import jobs
from clientela.exchange.runs import KeptRun
from clientela.storage import sqlite


def let_out(name: str) -> None:
    """Make this process behave wrongly."""
    if name:
        CANARIES[name]()


def _split() -> None:
    """Commit the rows of a batch, and then where the import stands."""
    keep, run = KeptRun.keep, jobs.carry_out
    waiting: list[Any] = []

    def later(self: KeptRun, _ctx: Any, report: Any, failed: Any) -> None:
        waiting.append((self, report.copy(), list(failed)))

    def carry_out(app: Any, key: str, progress: Any = None) -> Any:
        def heard(report: Any, share: float) -> None:
            keeper, kept, failed = waiting.pop()
            with app.acting_as(SYSTEM, face="canary") as ctx:
                keep(keeper, ctx, kept, failed)
            if progress is not None:
                progress(report, share)

        return run(app, key, heard)

    KeptRun.keep = later  # type: ignore[method-assign]
    jobs.carry_out = carry_out


def _swallow() -> None:
    """Purge although the export could not be written."""
    write = purging._write  # noqa: SLF001 - a canary changes what nobody else may

    def careless(*arguments: Any) -> None:
        with suppress(Exception):
            write(*arguments)

    purging._write = careless  # noqa: SLF001 - as above


def _normal() -> None:
    """Commit without waiting for the disk."""
    sqlite.PRAGMAS = tuple(one.replace("=FULL", "=NORMAL") for one in sqlite.PRAGMAS)


def _praise() -> None:
    """Answer that all is well, whatever happened."""
    from clientela.rest.call import Reply  # noqa: PLC0415 - as below
    from clientela.rest.dispatch import Dispatcher  # noqa: PLC0415 - the same

    Dispatcher.excuse = lambda _self, _call, _error: Reply(204)  # type: ignore[method-assign]


def _nameless() -> None:
    """Flush the bytes of an export, and not the folder that names it."""
    purging.flush_folder = lambda _folder: None


def _outside() -> None:
    """Store the answer of a call after its effect was committed."""
    from clientela.rest import idempotency  # noqa: PLC0415 - only a server has it
    from clientela.rest.dispatch import Dispatcher  # noqa: PLC0415 - the same

    once, made = idempotency.Once, {}
    real, running, begin = once.carry_out, once.running, Dispatcher.__init__

    def init(self: Any, app: Any) -> None:
        begin(self, app)
        self.once.app = app

    def carry_out(self: Any, ctx: Any, call: Any, key: str | None, work: Any) -> Any:
        stored = None if key is None else self._stored(ctx, key)
        if stored is not None:
            return real(self, ctx, call, key, work)
        made[key] = call
        return work(ctx)

    @contextmanager
    def late(self: Any, key: str | None) -> Any:
        with running(self, key):
            yield
            call = made.pop(key, None)
            if key is not None and call is not None:
                time.sleep(0.2)
                with self.app.acting_as(SYSTEM, face="canary") as ctx:
                    if self._stored(ctx, key) is None:
                        real(self, ctx, call, key, lambda _ctx: idempotency.Reply(200))

    once.carry_out, once.running, Dispatcher.__init__ = carry_out, late, init  # type: ignore[method-assign]


CANARIES = {
    "split": _split, "swallow": _swallow, "normal": _normal, "nameless": _nameless, "outside": _outside,
    "praise": _praise,
}  # fmt: skip
