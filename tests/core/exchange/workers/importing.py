"""Carry an import out in a process that a timer ends without warning: `importing.py URL FOLDER KEY SECONDS`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from clientela.app import App
from clientela.exchange import jobs
from clientela.settings import Settings


def main(url: str, folder: str, key: str, lifetime: str) -> None:
    """Carry it out; nobody handles the alarm, so it kills as hard as kill -9."""
    app = App(url, plugins=[], settings=Settings(folder=Path(folder)))
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    signal.setitimer(signal.ITIMER_REAL, float(lifetime))
    jobs.carry_out(app, key)


if __name__ == "__main__":
    main(*sys.argv[1:])
