"""Power cuts at random calls to the disk, on a file system that forgets what was not flushed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.faults import _powerless
from bench.faults._operations import OPERATIONS, Operation, warm
from bench.faults._probing import Told, expected, start, verify
from bench.faults._report import Gate
from bench.faults._world import DATABASE, World, Worlds

PATIENCE = 20.0


def add_arguments(parser: Any) -> None:
    """Say how many cuts."""
    parser.add_argument("-n", type=int, default=20, help="cuts of each operation")
    parser.add_argument("--what", choices=sorted(OPERATIONS), action="append")


def run(given: Namespace, folder: Path) -> Iterator[Gate]:
    """Cut the power of each operation, after the canary."""
    if _powerless.FUSE is None or not Path("/dev/fuse").exists():
        raise SystemExit(_powerless.HOW)
    warm(folder)
    worlds = Worlds(folder)
    caught = _cuts(worlds, OPERATIONS["import"], given, canary="normal")
    yield Gate.canary("powercut", "synchronous=NORMAL", caught)
    caught = _cuts(worlds, OPERATIONS["purge"], given, canary="nameless")
    yield Gate.canary("powercut", "an export without a name", caught)
    for name in given.what or OPERATIONS:
        yield _cuts(worlds, OPERATIONS[name], given)


def _cuts(worlds: Worlds, operation: Operation, given: Namespace, canary: str = "") -> Gate:
    gate = Gate(f"powercut {operation.name}", given.seed)
    rng = random.Random(f"{given.seed} {operation.name}")
    template = worlds.template(operation.prepare)
    copy = worlds.copy(template)
    clean = expected(copy, operation)
    worlds.drop(copy)
    # The first run is cut after the last call: what was promised must be there all the same.
    cuts: list[int | None] = [None]
    met: Counter[str] = Counter()
    while cuts:
        cut = cuts.pop()
        # Every other disk has written by itself some of what nobody waited for.
        seed = rng.randrange(1 << 30) if gate.probes % 2 else None
        told, world, count = _cut(worlds, template, operation, cut, seed, canary)
        if cut is None:
            cuts = sorted(rng.sample(range(1, count + 1), min(given.n, count)), reverse=True)
            gate.say(f"{count} calls in a clean run")
        wrong = verify(world, operation, told, clean, killed=True)
        worlds.drop(world)
        gate.probes += 1
        met["promised" if told.answer is not None and told.answer.promised else "not"] += 1
        gate.expect(not wrong, f"cut at {cut}: {wrong}")
        if canary and gate.failures:
            break
    gate.say(f"outcomes: {dict(met)}")
    gate.end()
    return gate


def _cut(
    worlds: Worlds,
    template: World,
    operation: Operation,
    cut: int | None,
    seed: int | None,
    canary: str,
) -> tuple[Told, World, int]:
    """Do it on the disk that forgets; kill the process at the cut, and give what the disk has."""
    left = worlds.copy(template)
    place, target = left.folder.with_suffix(".mnt"), left.folder.with_suffix(".left")
    place.mkdir()
    reading, writing = os.pipe()
    system = os.fork()
    if system == 0:
        try:
            os.close(reading)
            count = _powerless.serve(template.folder, place, target, cut, seed)
            os.write(writing, str(count).encode())
        finally:
            sys.stderr.flush()
            os._exit(0)
    os.close(writing)
    _wait_for(place)
    world = replace(template, folder=place, url=f"sqlite:///{place / DATABASE}")
    told = Told()
    try:
        process = start(world, operation, canary, close=False)
    except (RuntimeError, OSError):
        pass  # cut before it was ready
    else:
        process.go()
        told = process.listen()
        process.end()
    subprocess.run(["umount", "-l", str(place)], check=True)
    os.waitpid(system, 0)
    with os.fdopen(reading) as source:
        count = int(source.read() or 0)
    place.rmdir()
    worlds.drop(left)
    return told, replace(template, folder=target, url=f"sqlite:///{target / DATABASE}"), count


def _wait_for(place: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not place.is_mount():
        if time.monotonic() > end:
            raise SystemExit(f"nothing was mounted on {place}. {_powerless.HOW}")
        time.sleep(0.01)
