"""Write the core's first revision anew, from what is declared now: only before the first release."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from clientela.app import App
from clientela.plugins.core import CORE
from clientela.search import POSTGRES_DROP, POSTGRES_INDEX, SQLITE_DROP, SQLITE_INDEX
from clientela.settings import Settings
from clientela.storage.migrations.generate import generate
from clientela.storage.migrations.scripts import folder_of


def rewrite() -> Path:
    """Delete the core's revisions and write `0001_initial.py`, with the search index of both databases."""
    folder = folder_of(CORE)
    assert folder is not None  # noqa: S101 - we are in it
    for old in folder.glob("versions/*.py"):
        old.unlink()
    with tempfile.TemporaryDirectory() as place:
        app = App(f"sqlite:///{place}/empty.sqlite3", plugins=[], settings=Settings())
        try:
            return generate(app, "core", "initial", also=(
                _either(SQLITE_INDEX, POSTGRES_INDEX), _either(SQLITE_DROP, POSTGRES_DROP),
            ))  # fmt: skip
        finally:
            app.close()


def _either(sqlite: tuple[str, ...], postgres: tuple[str, ...]) -> list[str]:
    """Write the statements themselves down: a revision must not change when the search does."""
    return [
        "if types.is_sqlite(op.get_bind().dialect):",
        *(f"    op.execute({statement!r})" for statement in sqlite),
        "else:",
        *(f"    op.execute({statement!r})" for statement in postgres),
    ]


if __name__ == "__main__":
    sys.stdout.write(f"{rewrite()}\n")
