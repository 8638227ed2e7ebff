"""The proofs that nothing is lost stay able to run: a handful of the many writes that they let fail."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULT = re.compile(r"^(.+), seed \d+, (\d+) probes, (\d+) failures, [\d.]+ s$", re.MULTILINE)


def prove(*words):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CLIENTELA_")}
    command = [sys.executable, "-m", "bench.faults", *words]
    return subprocess.run(
        command, cwd=ROOT, env=kept, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_writes_that_fail_lose_nothing_and_the_planted_defect_is_seen():
    done = prove("syscalls", "--what", "create", "--what", "purge", "--limit", "3")
    if "strace cannot attach" in done.stderr:
        pytest.skip(done.stderr.strip())

    assert done.returncode == 0, done.stdout + done.stderr
    found = RESULT.findall(done.stdout)
    assert [(name.partition(":")[0], failures) for name, _probes, failures in found] == [
        ("canary syscalls", "0"), ("syscalls create", "0"), ("syscalls purge", "0"),
    ]  # fmt: skip
    assert "caught" in done.stdout


def test_every_gate_can_be_asked_for():
    done = prove("--help")

    assert done.returncode == 0, done.stderr
    for gate in ("kill", "syscalls", "diskfull", "powercut", "idempotent", "planted"):
        assert gate in done.stdout
