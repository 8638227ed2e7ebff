"""Prove that nothing is lost: `python -m bench.faults GATE [options]`, with exit code 1 where something was."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import warnings
from pathlib import Path

GATES = ("kill", "syscalls", "diskfull", "powercut", "idempotent", "planted")


def main() -> int:
    """Run a gate and its canaries."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where the deployments that are hurt are kept")
    gates = parser.add_subparsers(dest="gate", required=True)
    for name in GATES:
        module = importlib.import_module(f"bench.faults.{name}")
        one = gates.add_parser(name, help=module.__doc__, description=module.__doc__)
        module.add_arguments(one)
        one.set_defaults(run=module.run)
    given = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)
    if given.folder is not None:
        given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clientela-faults-", dir=given.folder) as folder:
        failed = 0
        for gate in given.run(given, Path(folder)):
            gate.print()
            failed += bool(gate.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.exit(main())
