"""What a process costs, read from /proc: CPU time, memory, and how busy the machine is."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def cpu(pid: int) -> float:
    """Give the CPU seconds of a process and of all that it started."""
    return cpu_alone(pid) + sum(cpu(child) for child in _children(pid))


def cpu_alone(pid: int) -> float:
    """Give the CPU seconds of one process: to the nanosecond where the kernel counts so, else in its ticks.

    The sum over the threads leaves out those that have ended; a server keeps its threads.
    """
    try:
        threads = list((_PROC / str(pid) / "task").iterdir())
        return sum(int((t / "schedstat").read_text().split()[0]) for t in threads) / 1e9
    except FileNotFoundError:
        return _by_ticks(pid)


def _by_ticks(pid: int) -> float:
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, fields[11:13])) / _TICKS


def _children(pid: int) -> list[int]:
    try:
        tasks = list((_PROC / str(pid) / "task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []


def pss(pid: int) -> float:
    """Give the memory of a process in MiB, what it shares counted in parts."""
    text = (_PROC / str(pid) / "smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


class Meter:
    """Measures processes from its making to `read`: CPU seconds, those of backends that come meanwhile included."""

    def __init__(self, pids: Iterable[int]) -> None:
        self._before = {pid: cpu(pid) for pid in pids}

    def read(self, pids: Iterable[int]) -> float:
        """Give the CPU seconds that these processes have taken since."""
        return sum(cpu(pid) - self._before.get(pid, 0.0) for pid in pids)


def milliseconds_of_a_fixed_loop() -> tuple[float, float]:
    """Time a loop that never changes: CPU and wall milliseconds. Both grow on a busy machine."""
    wall, used = time.perf_counter(), time.process_time()
    total = 0
    for number in range(400_000):
        total += number & 7
    return (time.process_time() - used) * 1000, (time.perf_counter() - wall) * 1000
