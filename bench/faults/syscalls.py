"""The k-th write fails, for every k: the process dies, the disk is full once or for good, or the disk is broken."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.faults._operations import OPERATIONS, Operation, warm
from bench.faults._probing import Expected, Running, Told, expected, start, verify
from bench.faults._report import Gate
from bench.faults._world import World, Worlds

# What changes a file or a folder, or waits for the disk. Counted from the moment the operation is told to begin.
CALLS = (
    "pwrite64", "write", "writev", "fsync", "fdatasync", "ftruncate", "rename", "renameat", "renameat2", "mkdir",
    "unlink", "unlinkat",
)  # fmt: skip
FAULTS = {
    "KILL": "signal=KILL:when={k}",
    "ENOSPC": "error=ENOSPC:when={k}",
    "EIO": "error=EIO:when={k}",
    "ENOSPC for good": "error=ENOSPC:when={k}+",
}
CLEAR = re.compile(r"disk|No space left|Input/output error|does not answer|written", re.IGNORECASE)


def add_arguments(parser: Any) -> None:
    """Say which operations, calls and faults, and how many."""
    parser.add_argument("--what", choices=sorted(OPERATIONS), action="append")
    parser.add_argument("--fault", choices=list(FAULTS), action="append")
    parser.add_argument("--call", choices=CALLS, action="append")
    parser.add_argument(
        "--limit", type=int, help="so many probes of each operation, drawn at random"
    )


def run(given: Namespace, folder: Path) -> Iterator[Gate]:
    """Fail every call of each operation, after the canary."""
    if shutil.which("strace") is None:
        raise SystemExit("strace is missing: apt install strace")
    warm(folder)
    worlds = Worlds(folder)
    purge = OPERATIONS["purge"]
    caught = _calls(
        worlds, purge, given, faults=["ENOSPC"], only=("write", "fsync"), canary="swallow"
    )
    yield Gate.canary("syscalls", "an export that swallows a full disk", caught)
    for name in given.what or OPERATIONS:
        yield _calls(
            worlds,
            OPERATIONS[name],
            given,
            only=tuple(given.call or CALLS),
            faults=given.fault or list(FAULTS),
        )


def _calls(
    worlds: Worlds,
    operation: Operation,
    given: Namespace,
    *,
    faults: list[str],
    only: tuple[str, ...] = CALLS,
    canary: str = "",
) -> Gate:
    gate = Gate(f"syscalls {operation.name}", given.seed)
    template = worlds.template(operation.prepare)
    copy = worlds.copy(template)
    clean = expected(copy, operation)
    worlds.drop(copy)
    counts = _count(worlds, template, operation)
    probes = [p for p in _probes(counts, faults) if p[0] in only]
    if given.limit is not None and not canary:
        chosen = random.Random(given.seed).sample(probes, min(given.limit, len(probes)))
        probes = sorted(chosen, key=probes.index)
    met: Counter[str] = Counter()
    for call, k, fault in probes:
        world = worlds.copy(template)
        wrong, what = _probe(world, operation, clean, (call, k, fault), canary)
        worlds.drop(world)
        met[what] += 1
        gate.probes += 1
        gate.expect(not wrong, f"{call} {k} of {counts[call]}, {fault}: {wrong}")
        if canary and gate.failures:
            break
    gate.say(f"calls: {dict(counts)}")
    gate.say(f"outcomes: {dict(met)}")
    gate.end()
    return gate


def _probes(counts: Counter[str], faults: list[str]) -> Iterator[tuple[str, int, str]]:
    for call in CALLS:
        for k in range(1, counts[call] + 1):
            for fault in faults:
                yield call, k, fault


def _count(worlds: Worlds, template: World, operation: Operation) -> Counter[str]:
    """Count the calls of a clean run."""
    world = worlds.copy(template)
    process = start(world, operation)
    log = world.folder / "strace.log"
    tracer = _attach(process, ["-o", str(log), "-e", f"trace={','.join(CALLS)}"])
    process.go()
    process.listen()
    process.end()
    tracer.wait()
    names = re.findall(r"^(?:\d+ +)?(\w+)\(", log.read_text(errors="replace"), re.MULTILINE)
    worlds.drop(world)
    return Counter(names)


def _probe(
    world: World, operation: Operation, clean: Expected, probe: tuple[str, int, str], canary: str
) -> tuple[list[str], str]:
    call, k, fault = probe
    process = start(world, operation, canary)
    how = [
        "-o",
        "/dev/null",
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:{FAULTS[fault].format(k=k)}",
    ]
    tracer = _attach(process, how)
    process.go()
    told = process.listen()
    process.end()
    tracer.wait()
    killed = told.answer is None
    wrong = verify(world, operation, told, clean, killed=killed)
    return _unclear(told) + wrong, "killed" if told.answer is None else str(told.answer.status)


def _unclear(told: Told) -> list[str]:
    """Whoever is refused is told that it is the disk, and that trying again helps."""
    answer = told.answer
    if answer is None or answer.promised:
        return []
    if answer.status != 503 or not CLEAR.search(answer.said):
        return [f"answered {answer.status}: {answer.said}"]
    return []


def _attach(process: Running, how: list[str]) -> subprocess.Popen[str]:
    """Attach strace to a process that waits."""
    command = ["strace", "-f", "-p", str(process.pid), *how]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    if "attached" not in line:
        process.kill()
        raise SystemExit(f"strace cannot attach: {line.strip()}")
    return tracer
