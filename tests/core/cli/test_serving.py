"""`demo` and `serve`, as real processes."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "clientela"]


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start a server on a free port and wait for the line that names it."""
    process = subprocess.Popen(
        [*COMMAND, "-C", str(folder), *words, "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "http://" in line)
        yield line.partition("http://")[2].split("/")[0], process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()


def ask(address: str, path: str, token: str) -> Any:
    request = urllib.request.Request(
        f"http://{address}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read())


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_until_sigterm_and_then_ends_well(cli, workers: str) -> None:
    cli.customer("--name", "Anna")
    token = cli("api", "token", "add", "test", "--role", "reader", "-o", "id").stdout.strip()

    with serving(cli.folder, "serve", "--workers", workers) as (address, process):
        page = ask(address, "/api/v1/core/customers", token)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)

    assert [row["name"] for row in page["data"]] == ["Anna"]
    assert code == 0


def test_a_port_that_is_taken_is_a_sentence(cli) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = cli("serve", "--port", str(taken.getsockname()[1]), code=1)

    assert "error[failed]: 127.0.0.1:" in result.stderr
    assert "fix    name another with --port" in result.stderr


def test_an_unmigrated_database_is_not_served(cli) -> None:
    cli("db", "revert", "core", "--yes")

    assert "fix    clientela db migrate" in cli("serve", "--port", "0", code=3).stderr


def test_the_demo_is_loaded_once_and_tells_how_to_get_in(tmp_path: Path) -> None:
    folder = str(tmp_path / "demo")
    words = [
        *COMMAND,
        "demo",
        "--dir",
        folder,
        "--customers",
        "5",
        "--exit-after-load",
        "-o",
        "json",
    ]
    first = subprocess.run(words, capture_output=True, text=True, check=True)
    access = json.loads(first.stdout)
    again = subprocess.run(words, capture_output=True, text=True, check=True)
    count = subprocess.run(
        [*COMMAND, "-C", folder, "core", "customer", "list", "--count"], capture_output=True, text=True, check=True
    )  # fmt: skip

    assert access["email"] == "demo@example.com"
    assert len(access["password"]) >= 16
    assert f"clientela -C {folder} core customer list" in first.stderr
    assert (again.stdout, count.stdout) == ("", "5\n")
    assert "The demo is loaded" in again.stderr
    with serving(tmp_path, "demo", "--dir", folder) as (address, _process):
        assert len(ask(address, "/api/v1/core/customers?limit=2", access["token"])["data"]) == 2
