"""Kill -9 at random moments: what was promised is there, nothing is doubled, and trying again ends as a clean run."""

from __future__ import annotations

import random
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.faults._operations import (
    LINES,
    OPERATIONS,
    Operation,
    carry_out,
    prepare_import,
    warm,
)
from bench.faults._probing import expected, start, verify
from bench.faults._report import Gate
from bench.faults._world import Worlds

LONG = (
    "name,email\n" + "".join(f"Long {n},l{n}@example.com\n" for n in range(len(LINES) * 12))
).encode()
LONG_IMPORT = Operation(
    "import", lambda world, app: prepare_import(world, app, LONG, batch=6), carry_out, atomic=False
)


def add_arguments(parser: Any) -> None:
    """Say how many kills, of what, on which database."""
    parser.add_argument("-n", type=int, default=50, help="kills of each operation")
    parser.add_argument("--what", choices=sorted(OPERATIONS), action="append")
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")


def run(given: Namespace, folder: Path) -> Iterator[Gate]:
    """Kill each operation on each database, after the canary."""
    databases = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    warm(folder)
    for database in databases:
        worlds = Worlds(folder, postgres=database == "postgresql")
        try:
            caught = _kills(worlds, LONG_IMPORT, given, database, canary="split")
            yield Gate.canary(f"kill {database}", "a commit split in two", caught)
            for name in given.what or OPERATIONS:
                operation = LONG_IMPORT if name == "import" else OPERATIONS[name]
                yield _kills(worlds, operation, given, database)
        finally:
            worlds.close()


def _kills(
    worlds: Worlds, operation: Operation, given: Namespace, database: str, canary: str = ""
) -> Gate:
    gate = Gate(f"kill {operation.name} {database}", given.seed)
    rng = random.Random(f"{given.seed} {operation.name}")
    template = worlds.template(operation.prepare)
    copy = worlds.copy(template)
    clean = expected(copy, operation)
    worlds.drop(copy)
    length = _length(worlds, template, operation)
    inside = 0
    for _ in range(given.n):
        world = worlds.copy(template)
        process = start(world, operation, canary)
        process.go()
        moment = rng.uniform(0, length)
        time.sleep(moment)
        process.kill()
        told = process.listen()
        process.end()
        inside += told.answer is None
        gate.probes += 1
        wrong = verify(world, operation, told, clean, killed=True)
        gate.expect(not wrong, f"killed after {moment * 1000:.1f} ms: {wrong}")
        worlds.drop(world)
        if canary and gate.failures:
            break
    gate.say(
        f"{inside} of {gate.probes} kills before the answer; a clean run takes {length * 1000:.0f} ms"
    )
    gate.end()
    return gate


def _length(worlds: Worlds, template: Any, operation: Operation) -> float:
    copy = worlds.copy(template)
    process = start(copy, operation)
    begun = time.perf_counter()
    process.go()
    process.listen(lambda: process.told.answer is not None)
    took = time.perf_counter() - begun
    process.listen()
    process.end()
    worlds.drop(copy)
    return took
