"""Looking for what is left of a plugin that was purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clientela.plugins.life.traces import counted
from clientela.storage.migrations.owned import objects_of
from clientela.storage.migrations.state import read_versions

if TYPE_CHECKING:
    from clientela.app import App


def residue(app: App, plugin: str) -> list[str]:
    """Name everything in the database that is the plugin's: objects by their names, and rows by their traces."""
    with app.db.read() as connection:
        names = {one.name for one in app.plugins} | read_versions(connection).keys()
        objects = [f"{one.kind} {one.name}" for one in objects_of(connection, plugin, names)]
        rows = counted(connection, plugin, f"clientela_{plugin}")
    return objects + [f"{name}: {count}" for name, count in rows.items()]
