"""The revisions that a plugin's package brings, read from its folder without running one."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from alembic.script import Script, ScriptDirectory

from clientela.errors import Misconfigured
from clientela.i18n.texts import _
from clientela.plugins.card import Plugin

_VERSION_TABLE = "alembic_version_"
_COPY = "_alembic_tmp_"


class Line:
    """A plugin's revisions, one after the other."""

    def __init__(self, directory: ScriptDirectory, head: str) -> None:
        self.directory = directory
        self.head = head

    def knows(self, revision: str) -> bool:
        """Say whether the revision is one of the line."""
        return any(revision == one.revision for one in self.newest_first())

    def newest_first(self) -> list[Script]:
        """List the revisions."""
        return list(self.directory.walk_revisions())


def folder_of(plugin: Plugin) -> Path | None:
    """Give the folder in which the plugin's revisions belong, or None when its package is gone."""
    try:
        spec = find_spec(plugin.import_name)
    except (ImportError, ValueError):
        spec = None
    places = list(spec.submodule_search_locations or ()) if spec is not None else []
    return Path(places[0]) / "migrations" if places else None


def line_of(plugin: Plugin) -> Line | None:
    """Give the plugin's revisions, or None when it brings none."""
    folder = folder_of(plugin) if plugin.migrations else None
    if folder is None or not folder.is_dir():
        return None
    files = sorted(folder.glob("versions/*.py"))
    return _read(plugin.name, folder, tuple((f.name, f.stat().st_mtime_ns) for f in files))


@lru_cache(maxsize=64)
def _read(name: str, folder: Path, files: tuple[tuple[str, int], ...]) -> Line | None:
    """Read the files once; `files` tells when they have changed."""
    del files
    directory = ScriptDirectory(folder)
    try:
        heads = directory.get_heads()
    except Exception as broken:
        raise Misconfigured(
            _("The revisions of {plugin} cannot be read: {reason}.", plugin=name, reason=broken)
        ) from broken
    if len(heads) > 1:
        ends = " and ".join(sorted(heads))
        raise Misconfigured(
            _(
                "The revisions of {plugin} must be one line, but end in {ends}.",
                plugin=name,
                ends=ends,
            )
        )
    return Line(directory, heads[0]) if heads else None


def version_table(plugin: str) -> str:
    """Give the name of the table that says at which revision a plugin is."""
    return _VERSION_TABLE + plugin


def versioned(table: str) -> str | None:
    """Give the plugin whose version table this is, or None when it is another table."""
    return table.removeprefix(_VERSION_TABLE) if table.startswith(_VERSION_TABLE) else None


def plain_name(table: str) -> str:
    """Give the name a table has when SQLite is not just copying it."""
    return table.removeprefix(_COPY)


def owner_of(table: str, plugins: set[str]) -> str | None:
    """Give the plugin that a table belongs to by its name; of two that fit, the longer one.

    >>> owner_of("sales_plus_order", {"core", "sales", "sales_plus"})
    'sales_plus'
    """
    plain = plain_name(table)
    fitting = [p for p in plugins if plain.startswith(f"{p}_") or plain == version_table(p)]
    return max(fitting, key=len, default=None)
