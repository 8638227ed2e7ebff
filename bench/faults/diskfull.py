"""A disk that fills up at every twentieth of an operation: a clear sentence, nothing broken, and on with room."""

from __future__ import annotations

import os
import subprocess
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from bench.faults._operations import OPERATIONS, Operation, carry_out, prepare_import, warm
from bench.faults._probing import Expected, expected, start, verify
from bench.faults._report import Gate
from bench.faults._world import World, Worlds
from bench.faults.syscalls import CLEAR

SIZE = 24 << 20
FILLER = "filler"
LINES = "".join(f"Customer {n},c{n}@example.com\n" for n in range(1_500))
IMPORT = Operation(
    "import",
    lambda world, app: prepare_import(world, app, f"name,email\n{LINES}".encode(), batch=50),
    carry_out,
    atomic=False,
)


def add_arguments(parser: Any) -> None:
    """Say at how many points the disk fills up."""
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--what", choices=sorted(OPERATIONS), action="append")


def run(given: Namespace, folder: Path) -> Iterator[Gate]:
    """Fill the disk of each operation, after the canary."""
    if os.geteuid() != 0:
        raise SystemExit("diskfull mounts a tmpfs, and needs root for it")
    warm(folder)
    worlds = Worlds(folder)
    caught = _fillings(worlds, OPERATIONS["purge"], given, canary="praise")
    yield Gate.canary("diskfull", "a full disk that is passed over in silence", caught)
    for name in given.what or OPERATIONS:
        yield _fillings(worlds, IMPORT if name == "import" else OPERATIONS[name], given)


@contextmanager
def _mounted(place: Path) -> Iterator[Path]:
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _fillings(worlds: Worlds, operation: Operation, given: Namespace, canary: str = "") -> Gate:
    gate = Gate(f"diskfull {operation.name}", given.seed)
    template = worlds.template(operation.prepare)
    copy = worlds.copy(template)
    clean = expected(copy, operation)
    worlds.drop(copy)
    needed = _needed(worlds, template, operation)
    met: Counter[str] = Counter()
    for point in range(given.points):
        room = needed * point // given.points // 4096 * 4096
        wrong, what = _probe(worlds, template, operation, clean, room, canary)
        met[what] += 1
        gate.probes += 1
        gate.expect(not wrong, f"with room for {room >> 10} of {needed >> 10} KiB: {wrong}")
        if canary and gate.failures:
            break
    gate.say(f"a clean run needs {needed >> 10} KiB; outcomes: {dict(met)}")
    gate.expect(bool(canary) or met["503"] > 0, "no probe met a full disk")
    gate.end()
    return gate


def _needed(worlds: Worlds, template: World, operation: Operation) -> int:
    """Measure how much more of the disk an operation uses, at the most."""
    with _mounted(template.folder.parent / f"disk-{uuid4().hex[:6]}") as disk:
        world = worlds.copy(template, disk)
        before = _free(disk)
        process = start(world, operation, close=False)
        process.go()
        process.listen()
        process.end()
        return before - _free(disk)


def _probe(
    worlds: Worlds, template: World, operation: Operation, clean: Expected, room: int, canary: str
) -> tuple[list[str], str]:
    with _mounted(template.folder.parent / f"disk-{uuid4().hex[:6]}") as disk:
        world = worlds.copy(template, disk)
        process = start(world, operation, canary)
        filler = disk / FILLER
        with filler.open("wb") as out:
            os.posix_fallocate(out.fileno(), 0, max(_free(disk) - room, 1))
        process.go()
        told = process.listen()
        process.end()
        filler.unlink()
        answer = told.answer
        wrong = []
        if answer is None:
            wrong.append("it died")
        elif not answer.promised and not (answer.status == 503 and CLEAR.search(answer.said)):
            wrong.append(f"answered {answer.status}: {answer.said}")
        return wrong + verify(world, operation, told, clean, killed=False), str(
            answer and answer.status
        )


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize
