"""Starting and stopping the servers that are measured."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench._client import Client

from bench import _proc

HERE = Path(__file__).resolve().parent
PATIENCE = 60.0
LIVE = b"GET /livez HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"


def environment() -> dict[str, str]:
    """Give our environment, with bytecode written and nothing of the caller's deployment."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("CLIENTELA_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


def precompile() -> None:
    """Compile the sources, so that no start pays for it."""
    folders = [HERE, *(HERE.parent / name for name in ("core", "sdk", "plugins"))]
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", *map(str, folders)],
        env=environment(),
        check=False,
    )


@dataclass
class Started:
    """What a start cost."""

    wall: float
    cpu: float


class Server:
    """A server in a process of its own, alive from its making on."""

    def __init__(
        self, kind: str, url: str, *more: str, backends: Callable[[], list[int]] = list
    ) -> None:
        self.port = _free_port()
        self._backends = backends
        command = [
            sys.executable,
            str(HERE / "_server.py"),
            kind,
            "--url",
            url,
            "--port",
            str(self.port),
            *more,
        ]
        begun = time.perf_counter()
        self._process = subprocess.Popen(command, env=environment())
        while not self._is_alive():
            if self._process.poll() is not None or time.perf_counter() - begun > PATIENCE:
                raise OSError(f"the {kind} server did not start")
            time.sleep(0.002)
        self.started = Started(time.perf_counter() - begun, _proc.cpu(self._process.pid))

    def _is_alive(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                probe.sendall(LIVE)
                return probe.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def pids(self) -> list[int]:
        """List the processes whose CPU counts."""
        return [self._process.pid, *self._backends()]

    def cpu_of(self, client: Client, requests: Sequence[bytes], status: int) -> tuple[float, str]:
        """Give the CPU milliseconds of a request, and the first wrong answer if there was one."""
        meter = _proc.Meter(self.pids())
        wrong = client.send(requests, status)
        return meter.read(self.pids()) * 1000 / len(requests), wrong

    def pss(self) -> float:
        """Give the memory in MiB."""
        return _proc.pss(self._process.pid)

    def stop(self) -> None:
        """Stop it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
