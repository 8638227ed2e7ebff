"""The journal: who was being imported when a process died, and who is left out since.

A process that is killed inside an import cannot say so afterwards, so it says so before: the plugin's name is on disk
while its code is imported. The process holds a lock on what it wrote. A name without a lock is that of a plugin which
took its process with it; a name with a lock is a neighbour worker that is just starting.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from clientela.i18n.texts import _
from clientela.plugins.policies import replace_file

STATE = ".clientela"
MARK = "importing-"
BARRED = "quarantine-"
REPORT = "boot.json"
TRACE = "trace.json"

# Whoever interrupts an import after so long has waited for something that hung.
SECONDS_OF_PATIENCE = 10.0


class Journal:
    """The journal of one deployment's folder."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / STATE

    # importing --------------------------------------------------------------------------------------------------

    def mark(self) -> Mark:
        """Give a mark of this process; a folder that cannot be written keeps none."""
        try:
            self.place.mkdir(exist_ok=True)
            return Mark(self.place)
        except OSError:
            return Mark(None)

    def judge(self) -> None:
        """Bar the plugins whose import ended their process."""
        for path in self.place.glob(f"{MARK}*.json"):
            with suppress(FileNotFoundError, PermissionError), path.open("r+b") as file:
                if _locked(file):
                    self._bar(_json(file.read()))
                    path.unlink(missing_ok=True)

    def _bar(self, mark: dict[str, Any]) -> None:
        if mark.get("plugin"):
            self.write(f"{BARRED}{mark['plugin']}.json", mark)

    # what is barred ---------------------------------------------------------------------------------------------

    def barred(self) -> dict[str, dict[str, Any]]:
        """Give the barred plugins, each with what was on disk when its process died."""
        return {
            path.stem.removeprefix(BARRED): _json(path.read_bytes())
            for path in sorted(self.place.glob(f"{BARRED}*.json"))
        }

    def lift(self, plugin: str) -> bool:
        """Let a barred plugin in again; False when it was not barred."""
        path = self.place / f"{BARRED}{plugin}.json"
        was_barred = path.exists()
        path.unlink(missing_ok=True)
        return was_barred

    # what is remembered between starts --------------------------------------------------------------------------

    def write(self, name: str, value: Any, *, durable: bool = True) -> None:
        """Keep a JSON value, if the folder can be written."""
        with suppress(OSError):
            self.place.mkdir(exist_ok=True)
            replace_file(
                self.place / name, json.dumps(value, ensure_ascii=False).encode(), durable=durable
            )

    def read(self, name: str) -> dict[str, Any]:
        """Give what was kept under a name, or nothing."""
        try:
            return _json((self.place / name).read_bytes())
        except OSError:
            return {}


def why_barred(plugin: str, mark: dict[str, Any]) -> str:
    """Say what happened to a barred plugin."""
    return _(
        "The process {pid} died while it imported {plugin} (at {at}).",
        pid=str(mark.get("pid", "?")),
        plugin=plugin,
        at=str(mark.get("at", "?")),
    )


class Mark:
    """What this process says on disk of the plugin it is importing."""

    def __init__(self, place: Path | None) -> None:
        self._file: IO[bytes] | None = None
        if place is None:
            return
        # It gets its name when it is locked, so that nobody takes it for one that was left.
        draft = place / f"draft-{os.getpid()}-{uuid4().hex}"
        self._path = place / f"{MARK}{os.getpid()}-{uuid4().hex}.json"
        self._file = draft.open("w+b", buffering=0)
        _locked(self._file)
        draft.rename(self._path)

    def close(self) -> None:
        """Take it away, unless something is written on it."""
        if self._file is None:
            return
        if self._file.seek(0, os.SEEK_END) == 0:
            self._path.unlink(missing_ok=True)
        self._file.close()

    @contextmanager
    def around(self, plugin: str) -> Iterator[None]:
        """Keep the plugin's name on disk while the block runs."""
        started = time.monotonic()
        self._write(plugin)
        try:
            yield
        except KeyboardInterrupt:
            if time.monotonic() - started < SECONDS_OF_PATIENCE:
                self._clear()
            raise
        except BaseException:
            self._clear()
            raise
        self._clear()

    def _write(self, plugin: str) -> None:
        if self._file is None:
            return
        mark = {
            "plugin": plugin,
            "pid": os.getpid(),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self._file.write(json.dumps(mark).encode())
        os.fsync(self._file.fileno())

    def _clear(self) -> None:
        # Before the lock is let go: an empty mark accuses nobody.
        if self._file is not None:
            self._file.seek(0)
            self._file.truncate()


def _json(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


if sys.platform == "win32":  # pragma: no cover - the other branch is what the tests run on
    import msvcrt

    # A lock hides the bytes it lies on, so it lies where nothing is written.
    _FAR = 1 << 20

    def _locked(file: IO[bytes]) -> bool:
        """Lock a file until its process ends; False when another one holds it."""
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True
else:
    import fcntl

    def _locked(file: IO[bytes]) -> bool:
        """Lock a file until its process ends; False when another one holds it."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
