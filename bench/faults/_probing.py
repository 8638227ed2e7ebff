"""A probe: do it in a process that something happens to, look at what is left, try again, and compare."""

from __future__ import annotations

import ctypes
import logging
import os
import pickle
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench.faults import _canaries
from bench.faults._checking import broken, broken_file, differing, summary
from bench.faults._operations import Answer, Operation
from bench.faults._world import World, in_child

PATIENCE = 60.0
SET_PTRACER = 0x59616D61


@dataclass
class Told:
    """What came out of the process before it ended."""

    rows: int = 0
    answer: Answer | None = None


@dataclass
class Running:
    """A process that stands ready to do an operation, and does it when told."""

    pid: int
    wire: socket.socket
    told: Told = field(default_factory=Told)

    def go(self) -> None:
        """Let it begin."""
        self.wire.sendall(b"g")

    def listen(self, until: Callable[[], bool] | None = None) -> Told:
        """Hear what it says until it has ended, or has said the last."""
        while until is None or not until():
            try:
                sent = self.wire.recv(65536)
            except ConnectionResetError:
                break
            if not sent:
                break
            said = pickle.loads(sent)
            if isinstance(said, int):
                self.told.rows = said
            else:
                self.told.answer = said
        return self.told

    def kill(self) -> None:
        """Kill it; what it said before can still be heard."""
        os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Wait until it is gone."""
        os.waitpid(self.pid, 0)
        self.wire.close()


def start(world: World, operation: Operation, canary: str = "", *, close: bool = True) -> Running:
    """Fork a process that opens the deployment and waits; whatever it opens, nobody shares."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        ours.close()
        try:
            _do(world, operation, canary, theirs, close=close)
        finally:
            os._exit(0)
    theirs.close()
    ours.settimeout(PATIENCE)
    if ours.recv(1) != b"r":
        raise RuntimeError(f"{operation.name} could not be prepared")
    return Running(pid, ours)


def _do(
    world: World, operation: Operation, canary: str, wire: socket.socket, *, close: bool
) -> None:
    logging.disable(logging.CRITICAL)  # what goes wrong here is meant to
    # A hardened kernel lets nobody but a parent watch a process, unless it says so itself.
    ctypes.CDLL(None).prctl(SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
    _canaries.let_out(canary)
    app = world.app()
    app.look_again()
    wire.send(b"r")
    wire.recv(1)
    # Sent with sendto: a fault in `write` must not hit the telling.
    try:
        answer = operation.act(world, app, lambda rows: _send(wire, rows))
    except Exception as error:  # noqa: BLE001 - that is a finding
        answer = Answer(500, f"{type(error).__name__}: {error}"[:300])
    _send(wire, answer)
    if close:
        app.close()


def _send(wire: socket.socket, said: Any) -> None:
    wire.send(pickle.dumps(said))


@dataclass(frozen=True)
class Expected:
    """The state before the operation, and the one after a clean run."""

    before: dict[str, Any]
    after: dict[str, Any]


def expected(copy: World, operation: Operation) -> Expected:
    """Do it once without any fault."""

    def state(world: World) -> dict[str, Any]:
        app = world.app()
        try:
            return summary(world, app)
        finally:
            app.close()

    before = in_child(lambda: state(copy))
    process = start(copy, operation)
    process.go()
    told = process.listen()
    process.end()
    if told.answer is None or not told.answer.promised:
        raise RuntimeError(f"{operation.name} does not even work without faults: {told}")
    wrong = in_child(lambda: _holds(copy, killed=False))
    if wrong:
        raise RuntimeError(f"{operation.name} breaks things without faults: {wrong}")
    return Expected(before, in_child(lambda: state(copy)))


def _holds(world: World, *, killed: bool) -> list[str]:
    app = world.app()
    try:
        return broken_file(world) + broken(world, app, killed=killed)
    finally:
        app.close()


def verify(
    world: World, operation: Operation, told: Told, clean: Expected, *, killed: bool
) -> list[str]:
    """Look at what is left, try again, and compare with the clean run."""
    return in_child(lambda: _verify(world, operation, told, clean, killed=killed))


def _verify(
    world: World, operation: Operation, told: Told, clean: Expected, *, killed: bool
) -> list[str]:
    found = broken_file(world)
    if found:
        return found
    app = world.app()
    found = broken(world, app, killed=killed)
    state = summary(world, app)
    promised = told.answer is not None and told.answer.promised
    if promised:
        found += [f"promised, and lost: {one}" for one in differing(state, clean.after)]
    elif operation.atomic and not _either(state, clean):
        found.append(f"half done: {differing(state, clean.before)}")
    if told.rows > max((position for position, _report in state["runs"]), default=0):
        found.append(f"{told.rows} rows promised, {state['runs']} there")
    again = operation.act(world, app, lambda _rows: None)
    if not again.promised:
        found.append(f"trying again failed: {again}")
    if promised and operation.atomic and not again.replayed:
        found.append("the promise was not kept with its effect: trying again did it again")
    found += [f"after trying again: {one}" for one in broken(world, app, killed=killed)]
    found += [f"after trying again: {one}" for one in differing(summary(world, app), clean.after)]
    app.close()
    return found


def _either(state: dict[str, Any], clean: Expected) -> bool:
    """Say whether all or nothing is there; a file of bytes that nobody refers to is nothing."""
    return any(
        not differing(state, other | {"files": state["files"]})
        for other in (clean.before, clean.after)
    )
