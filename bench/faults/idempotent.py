"""Every kind of write sent several times at once to two processes, with answers dropped: one effect, one answer."""

from __future__ import annotations

import http.client
import os
import random
import signal
import socket
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import uvicorn
from bench.faults import _canaries
from bench.faults._checking import broken
from bench.faults._operations import FILE, warm
from bench.faults._report import Gate
from bench.faults._world import World, Worlds, act, ask, in_child, new_import
from sqlalchemy import func, select

from clientela.app import App
from clientela.exchange import jobs
from clientela.exchange.entities import Import
from clientela.history import CHANGE, CHANGE_SET
from clientela.rest.asgi import create_asgi

PROCESSES = 2
PATIENCE = 20.0
# Somebody else is at the same call, or the database had no time: to be sent again.
AGAIN = (409, 503)


@dataclass(frozen=True)
class Sending:
    """One call, as often as it is sent; `other` is a body that must not be taken under the same key."""

    method: str
    path: str
    body: bytes
    other: bytes

    def raw(self, token: str, key: str, body: bytes | None = None) -> bytes:
        """Give the bytes of it."""
        sent = self.body if body is None else body
        lines = (
            f"{self.method} /api/v1/{self.path} HTTP/1.1", "Host: faults", f"Authorization: Bearer {token}",
            "Content-Type: application/json", f"Idempotency-Key: {key}", f"Content-Length: {len(sent)}",
            "Connection: close", "", "",
        )  # fmt: skip
        return "\r\n".join(lines).encode() + sent


def add_arguments(parser: Any) -> None:
    """Say how often, and on which database."""
    parser.add_argument("-n", type=int, default=10, help="probes of each kind of call")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")


def run(given: Namespace, folder: Path) -> Iterator[Gate]:
    """Send everything, after the canary."""
    warm(folder)
    databases = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    for database in databases:
        worlds = Worlds(folder, postgres=database == "postgresql")
        try:
            caught = _sent(worlds, given, database, canary="outside", kinds=("create",))
            planted = "a key stored outside the transaction"
            yield Gate.canary(f"idempotent {database}", planted, caught)
            yield _sent(worlds, given, database)
        finally:
            worlds.close()


def _sent(
    worlds: Worlds, given: Namespace, database: str, canary: str = "", kinds: tuple[str, ...] = ()
) -> Gate:
    gate = Gate(f"idempotent {database}", given.seed)
    rng = random.Random(given.seed)
    world = worlds.template(lambda _world, _app: "")
    with _served(world, canary) as ports:
        for kind in kinds or KINDS:
            for _ in range(given.n):
                sending = in_child(lambda kind=kind: _prepared(world, KINDS[kind]))  # type: ignore[misc]
                gate.probes += 1
                for wrong in _probe(world, ports, sending, rng):
                    gate.expect(holds=False, otherwise=f"{kind}: {wrong}")
                if canary and gate.failures:
                    break
    gate.say(f"kinds: {', '.join(kinds or KINDS)}; {PROCESSES} processes")
    wrong = in_child(lambda: _broken(world))
    gate.expect(bool(canary) or not wrong, f"afterwards: {wrong}")
    worlds.drop(world)
    gate.end()
    return gate


def _broken(world: World) -> list[str]:
    app = world.app()
    try:
        return broken(world, app)
    finally:
        app.close()


def _prepared(world: World, make: Callable[[World, App], Sending]) -> Sending:
    app = world.app()
    try:
        return make(world, app)
    finally:
        app.close()


def _probe(world: World, ports: list[int], sending: Sending, rng: random.Random) -> Iterator[str]:
    key, before = uuid4().hex, in_child(lambda: _effects(world))
    raw = sending.raw(world.token, key)
    answers: list[tuple[int, bytes]] = []
    # At least one answer is dropped; the others are waited for.
    patience = [0.0] + [
        rng.choice((None, 0.0, rng.uniform(0, 0.05))) for _ in range(rng.randint(1, 4))
    ]
    threads = [
        threading.Thread(target=_send, args=(ports[n % len(ports)], raw, wait, answers))
        for n, wait in enumerate(patience)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = _until_answered(rng.choice(ports), raw)
    if not 200 <= last[0] < 300:
        yield f"trying again is answered {last[0]}: {last[1][:200]!r}"
    for answer in answers:
        if answer[0] not in AGAIN and answer != last:
            yield f"two answers: {answer} and {last}"
    effects = in_child(lambda: _effects(world)) - before
    if effects != 1:
        yield f"{effects} effects of {len(patience)} sendings"
    reused = _until_answered(rng.choice(ports), sending.raw(world.token, key, sending.other))
    if reused[0] != 422 or b"key-reused" not in reused[1]:
        yield f"the key with another body is answered {reused[0]}: {reused[1][:200]!r}"
    if in_child(lambda: _effects(world)) - before != effects:
        yield "the key with another body had an effect"


def _effects(world: World) -> int:
    app = world.app()
    with app.db.read() as connection:
        # A bulk call of several creates is one set; each set has changes of its own.
        sets = connection.execute(select(func.count()).select_from(CHANGE_SET)).scalar_one()
        empty = (
            select(func.count())
            .select_from(CHANGE_SET)
            .where(CHANGE_SET.c.id.not_in(select(CHANGE.c.set_id)))
        )
        sets -= connection.execute(empty).scalar_one()
    app.close()
    return int(sets)


def _send(port: int, raw: bytes, wait: float | None, answers: list[tuple[int, bytes]]) -> None:
    """Send a call; `wait` says after how long the caller goes away, None that it does not."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(raw)
        if wait is None:
            answers.append(_read(connection))
        else:
            time.sleep(wait)


def _read(connection: socket.socket) -> tuple[int, bytes]:
    reply = http.client.HTTPResponse(connection)
    reply.begin()
    return reply.status, reply.read()


def _until_answered(port: int, raw: bytes) -> tuple[int, bytes]:
    end = time.monotonic() + PATIENCE
    while True:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.sendall(raw)
            answer = _read(connection)
        again = answer[0] in AGAIN and (b"still-running" in answer[1] or answer[0] == 503)
        if not again or time.monotonic() > end:
            return answer
        time.sleep(0.02)


@contextmanager
def _served(world: World, canary: str) -> Iterator[list[int]]:
    """Serve one deployment by several processes."""
    made = []
    try:
        for _ in range(PROCESSES):
            listening = socket.create_server(("127.0.0.1", 0))
            pid = os.fork()
            if pid == 0:
                try:
                    _canaries.let_out(canary)
                    config = uvicorn.Config(
                        create_asgi(world.app()), log_level="critical", access_log=False
                    )
                    uvicorn.Server(config).run([listening])
                finally:
                    os._exit(0)
            made.append((pid, listening.getsockname()[1]))
            listening.close()
        yield [port for _pid, port in made]
    finally:
        for pid, _port in made:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


# the kinds of calls ---------------------------------------------------------------------------------------------------


def _customer(world: World, app: App) -> str:
    body = orjson.dumps({"name": uuid4().hex})
    return str(orjson.loads(ask(world, app, "POST", "core/customers", body).body)["id"])


def _create(_world: World, _app: App) -> Sending:
    body, other = (orjson.dumps({"name": uuid4().hex}) for _ in range(2))
    return Sending("POST", "core/customers", body, other)


def _patch(world: World, app: App) -> Sending:
    path = f"core/customers/{_customer(world, app)}"
    return Sending("PATCH", path, b'{"note": "one"}', b'{"note": "two"}')


def _delete(world: World, app: App) -> Sending:
    return Sending("DELETE", f"core/customers/{_customer(world, app)}", b"", b"{}")


def _action(world: World, app: App) -> Sending:
    return Sending("POST", f"core/customers/{_customer(world, app)}:purge", b"", b"{}")


def _batch(_world: World, _app: App) -> Sending:
    body, other = (
        orjson.dumps({"items": [{"op": "create", "data": {"name": uuid4().hex}} for _ in range(3)]})
        for _ in range(2)
    )
    return Sending("POST", "core/customers:batch", body, other)


def _external(_world: World, _app: App) -> Sending:
    path = f"core/customers/by/erp/{uuid4().hex}"
    body, other = (orjson.dumps({"name": uuid4().hex}) for _ in range(2))
    return Sending("PUT", path, body, other)


def _start(_world: World, app: App) -> Sending:
    key = Import.info.public_id(new_import(app, FILE, batch=4))
    return Sending("POST", f"core/imports/{key}:start", b'{"skip_bad_rows": true}', b"{}")


def _undo(_world: World, app: App) -> Sending:
    names = "".join(f"{uuid4().hex}\n" for _ in range(5))
    key = new_import(app, f"name\n{names}".encode(), skip_bad_rows=True)
    act(app, "start", key, jobs.Start())
    jobs.carry_out(app, key)
    return Sending("POST", f"core/imports/{Import.info.public_id(key)}:undo", b"", b"{}")


KINDS: dict[str, Callable[[World, App], Sending]] = {
    "create": _create, "patch": _patch, "delete": _delete, "action": _action, "batch": _batch,
    "external": _external, "import start": _start, "undo": _undo,
}  # fmt: skip
