"""`clientela serve`: REST under uvicorn, with the outbox delivered in the background."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import click
import uvicorn
from uvicorn.supervisors import Multiprocess

from clientela.app import App
from clientela.cli.desk import Desk
from clientela.cli.errors import Failed
from clientela.cli.groups import command, option
from clientela.errors import Misconfigured
from clientela.exchange import ImportReport, jobs
from clientela.files.sweeping import sweep
from clientela.i18n import _
from clientela.outbox import log
from clientela.plugins.costs import Costs
from clientela.rest.asgi import create_asgi
from clientela.rest.idempotency import forget_old
from clientela.settings import load_settings

SAFE = "CLIENTELA_SAFE"
FACTORY = f"{__name__}:factory"
SECONDS_BETWEEN_CLEANINGS = 3_600
SECONDS_BETWEEN_SWEEPS = 86_400
SECONDS_BEFORE_FIRST_SWEEP = 60
SECONDS_BETWEEN_DELIVERIES = 1.0
SECONDS_BETWEEN_COSTS = 60
SECONDS_TO_FINISH = 10
BACKLOG = 2048


@command(
    operator=True,
    params=[
        option("--host", "The address to listen on; 0.0.0.0 for all.", default="127.0.0.1", show_default=True),
        option("--port", "0 takes a free one.", type=click.IntRange(0, 65535), default=8000, show_default=True),
        option("--workers", "Processes.", type=click.IntRange(1, 64), default=1, show_default=True),
    ],
    example="clientela serve --port 8080 --workers 4",
)  # fmt: skip
@click.pass_obj
def serve(desk: Desk, host: str, port: int, workers: int) -> None:
    """Serve REST until it is stopped; SIGTERM lets running requests finish."""
    refuse_unready(desk.app)
    listen(desk, host, port, workers)


def refuse_unready(app: App) -> None:
    """Refuse to serve what would answer with errors."""
    sentence = app.unready()
    if sentence:
        raise Misconfigured(sentence, extra={"fix": "clientela db migrate"})


def listen(desk: Desk, host: str, port: int, workers: int = 1) -> None:
    """Serve; one process serves the app that is there, several make their own."""
    with closing(bound(host, port)) as sock:
        desk.say(
            _(
                "Serving {name} on http://{host}:{port}/api/v1/ (stop with Ctrl-C)",
                name=desk.settings.name,
                host=host,
                port=str(sock.getsockname()[1]),
            )
        )
        if workers == 1:
            # When it has shut down, uvicorn raises the signal again, so that whoever called it hears it.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            with suppress(KeyboardInterrupt), delivering(desk.app):
                uvicorn.Server(uvicorn.Config(create_asgi(desk.app), **_how(desk))).run([sock])
            return
        os.environ["CLIENTELA_DIR"] = str(desk.folder.resolve())
        if desk.safe:
            os.environ[SAFE] = "1"
        config = uvicorn.Config(FACTORY, factory=True, workers=workers, **_how(desk))
        sock.set_inheritable(True)
        Multiprocess(config, sockets=[sock]).run()


def bound(host: str, port: int) -> socket.socket:
    """Take the port before anything is said to be served on it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        # From here on callers wait instead of being refused.
        sock.listen(BACKLOG)
    except OSError as taken:
        sock.close()
        raise Failed(
            _(
                "{address} cannot be listened on: {reason}.",
                address=f"{host}:{port}",
                reason=taken.strerror or taken,
            ),
            extra={"fix": "name another with --port, or 0 for any that is free"},
        ) from taken
    return sock


def _how(desk: Desk) -> dict[str, Any]:
    loop: Literal["uvloop", "asyncio"] = "uvloop" if find_spec("uvloop") else "asyncio"
    return {
        "loop": loop,
        "http": "httptools",
        "access_log": False,
        "lifespan": "on",
        "server_header": False,
        "log_level": "info" if desk.verbose else "warning",
        "timeout_graceful_shutdown": SECONDS_TO_FINISH,
    }


@contextmanager
def delivering(app: App) -> Iterator[None]:
    """Deliver facts and carry out imports in the background while the block runs."""
    stop = threading.Event()
    threads = begin_background(app, stop)
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(SECONDS_TO_FINISH)


def begin_background(app: App, stop: threading.Event) -> list[threading.Thread]:
    """Start a thread for facts and one for imports, so that a long file keeps no fact waiting."""
    threads = [
        threading.Thread(target=work, args=(app, stop), name=name, daemon=True)
        for name, work in (("outbox", _deliver), ("imports", _import))
    ]
    for thread in threads:
        thread.start()
    return threads


def _deliver(app: App, stop: threading.Event) -> None:
    costs = Costs(app.journal, app.hooks) if app.journal is not None else None
    for second in itertools.count():
        stopped = stop.wait(SECONDS_BETWEEN_DELIVERIES)
        if costs is not None and (stopped or second % SECONDS_BETWEEN_COSTS == 0):
            costs.write()
        if stopped:
            return
        try:
            if second % SECONDS_BETWEEN_CLEANINGS == 0:
                forget_old(app)
            if second % SECONDS_BETWEEN_SWEEPS == SECONDS_BEFORE_FIRST_SWEEP:
                sweep(app)
            while app.outbox.deliver() and not stop.is_set():
                pass  # as long as there is more
        except Exception:  # noqa: BLE001 - whatever it is, the next second may be better
            log.exception("the outbox could not be delivered; it is tried again")


class _Stopping(Exception):
    """The process ends; an import goes on in the next one."""


def _import(app: App, stop: threading.Event) -> None:
    def heard(_report: ImportReport, _share: float) -> None:
        if stop.is_set():
            raise _Stopping

    while not stop.wait(SECONDS_BETWEEN_DELIVERIES):
        try:
            for key in jobs.waiting(app):
                jobs.carry_out(app, key, heard)
        except _Stopping:
            return
        except Exception:  # noqa: BLE001 - the import says why, or another process goes on with it
            log.exception("an import could not be gone on with; it is tried again")


def factory() -> Any:
    """Give the ASGI application of one of several worker processes."""
    safe = os.environ.get(SAFE) == "1"
    app = App(settings=load_settings(Path(os.environ["CLIENTELA_DIR"]), safe=safe))
    # It ends with the process: what was not delivered is taken up by the next one.
    begin_background(app, threading.Event())
    return create_asgi(app)
