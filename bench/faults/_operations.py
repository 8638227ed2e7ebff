"""What is hurt: an upload, an import, a purge with children, a plain create, the undo of an import."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from bench.faults._world import World, Worlds, act, ask, new_import

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.errors import Refusal
from clientela.exchange import jobs
from clientela.exchange.entities import Import
from clientela.rest.call import Call
from clientela.rest.dispatch import Dispatcher

# Hears what was promised to whoever asked: so many rows are in.
Tell = Callable[[int], None]

ROWS = 10
BATCH = 4
LINES = [f"Name {n},n{n}@example.com\n" for n in range(ROWS)]
FILE = ("name,email\n" + "".join(LINES[:5]) + "Bad,nonsense\n" + "".join(LINES[5:])).encode()
KNOWN = b"name,email\nName 1,old@example.com\nName 2,older@example.com\n"


@dataclass(frozen=True)
class Answer:
    """What whoever asked was told: a status, and whether the answer was a stored one."""

    status: int
    said: str = ""
    replayed: bool = False

    @property
    def promised(self) -> bool:
        """Say whether it was told to be done."""
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Operation:
    """One thing to do, the same way however often it is tried."""

    name: str
    prepare: Callable[[World, App], str]
    act: Callable[[World, App, Tell], Answer]
    # One transaction: either nothing of it is there or all.
    atomic: bool = True


def _create(world: World, app: App, _tell: Tell) -> Answer:
    body = orjson.dumps({"name": "Anna", "email": "anna@example.com", "tags": ["vip"]})
    return _asked(world, app, "core/customers", body)


def _prepare_purge(_world: World, app: App) -> str:
    """Make a customer with several of each that belong to it."""
    made = {}

    def run(ctx: Any, name: str, /, **values: Any) -> Any:
        return ctx.run(app.registry.action(f"core.{name}.create"), data=values)

    with app.acting_as(SYSTEM, face="faults") as ctx:
        anna = run(ctx, "customer", name="Anna", email="anna@example.com")
        run(ctx, "customer", name="Boris", email="boris@example.com")
        ctx.flush()
        for n in range(3):
            run(ctx, "identifier", customer_id=anna.id, kind="email", value=f"anna{n}@example.com")
            run(
                ctx,
                "interaction",
                customer_id=anna.id,
                channel="phone",
                at=ctx.now,
                subject=f"Call {n}",
            )
        made["key"] = anna.public_id
    return str(made["key"])


def _purge(world: World, app: App, _tell: Tell) -> Answer:
    return _asked(world, app, f"core/customers/{world.subject}:purge")


def prepare_import(_world: World, app: App, data: bytes = FILE, **options: Any) -> str:
    """Begin an import that a process is to carry out."""
    key = new_import(app, data, **({"batch": BATCH} | options), skip_bad_rows=True)
    act(app, "start", key, jobs.Start())
    return key


def carry_out(world: World, app: App, tell: Tell) -> Answer:
    """Go on with the import, and tell after each batch how many rows are in."""
    with app.acting_as(SYSTEM, face="faults", writing=False) as ctx:
        stopped = ctx.get(Import, world.subject).state == "stopped"
    if stopped:
        act(app, "start", world.subject, jobs.Start())
    try:
        jobs.carry_out(app, world.subject, lambda report, _share: tell(report.read))
    except Refusal as refusal:
        return Answer(refusal.status, str(refusal))
    with app.acting_as(SYSTEM, face="faults", writing=False) as ctx:
        record = ctx.get(Import, world.subject)
    return Answer(200 if record.state == "done" else 503, str(record.reason))


def _prepare_undo(world: World, app: App) -> str:
    """Do an import that creates customers and changes known ones."""
    first = prepare_import(world, app, KNOWN)
    jobs.carry_out(app, first)
    key = prepare_import(world, app, mode="upsert", key=["name"])
    report = jobs.carry_out(app, key)
    if report is None or (report.created, report.updated) != (ROWS - 2, 2):
        raise RuntimeError(f"the import to be undone went wrong: {report}")
    return Import.info.public_id(key)


def _undo(world: World, app: App, _tell: Tell) -> Answer:
    return _asked(world, app, f"core/imports/{world.subject}:undo")


def _upload(world: World, app: App, _tell: Tell) -> Answer:
    """Send the file, and make an import of it."""
    headers = {
        b"authorization": f"Bearer {world.token}".encode(), b"x-file-name": b"people.csv",
        b"idempotency-key": b"upload",
    }  # fmt: skip
    call = Call("POST", "/api/v1/core/files", b"", headers, b"", "faults")
    rim = Dispatcher(app)
    receiver = None
    try:
        receiver = rim.receive(call)
        receiver.write(FILE)
        call.body = orjson.dumps(receiver.keep())
        call.receiver = receiver
    except Exception as error:  # noqa: BLE001 - as the rim does
        return _read(rim.excuse(call, error))
    finally:
        if receiver is not None:
            receiver.discard()
    sent = _read(rim.answer(call))
    if not sent.promised:
        return sent
    body = orjson.dumps({"entity": "core.customer", "file": orjson.loads(call.body)})
    return _asked(world, app, "core/imports", body)


def _asked(world: World, app: App, path: str, body: bytes = b"{}") -> Answer:
    return _read(ask(world, app, "POST", path, body, key=path))


def _read(reply: Any) -> Answer:
    said = "" if reply.status < 300 else str(orjson.loads(reply.body).get("detail"))
    return Answer(reply.status, said, "Idempotency-Replayed" in reply.headers)


def _nothing(_world: World, _app: App) -> str:
    return ""


Customer.info  # noqa: B018 - the entity is declared before the first fork

OPERATIONS = {
    one.name: one
    for one in (
        Operation("create", _nothing, _create),
        Operation("upload", _nothing, _upload, atomic=False),
        Operation("import", prepare_import, carry_out, atomic=False),
        Operation("undo", _prepare_undo, _undo),
        Operation("purge", _prepare_purge, _purge),
    )
}


def warm(folder: Path) -> None:
    """Do everything once in this very process, so that those forked from it import nothing while they are watched."""
    worlds = Worlds(folder)
    for operation in OPERATIONS.values():
        world = worlds.copy(worlds.template(operation.prepare))
        app = world.app()
        for _ in range(2):
            operation.act(world, app, lambda _rows: None)
        app.close()
        worlds.drop(world)
