"""A guard that is missing closes what it guarded.

Each start writes down which plugins guard, which hooks, and what they watch. A plugin that is written down and does
not come up is answered for by a stand-in, which refuses. Only its removal on purpose takes the note away: a plugin that
is disabled or broken, and one whose package is gone, all stay closed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from clientela.actions import Action
from clientela.entity import Entity, EntityInfo
from clientela.errors import Unavailable
from clientela.hooks import Implementation
from clientela.i18n.texts import _
from clientela.plugins.fates import Fate
from clientela.storage import meta
from clientela.storage.database import Database

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.settings import Settings

NOTE = "guard."
# The runner of migrations writes it; reading it must not import Alembic.
LEDGER = "plugin."


ORPHANED = _("Its package is gone, and its tables are there.")


class GuardMissing(Unavailable):
    """What a missing plugin guarded was asked for."""

    code = "guard-missing"
    title = _("What guards this is missing")


class Guarding:
    """The guards of one app: looked up in the database once, before the first transaction."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._is_settled = False

    def settle(self) -> None:
        """Close what missing plugins guarded, and write down who guards now."""
        if self._is_settled:
            return
        with self._lock:
            if not self._is_settled:
                self._is_settled = self._settle()

    def _settle(self) -> bool:
        with self._app.db.read() as connection:
            if not inspect(connection).has_table(meta.META.name):
                return False
            noted = meta.recall(connection, NOTE)
            owned = meta.recall(connection, LEDGER)
        self._tell_orphans(owned)
        present = self._present()
        for name, note in noted.items():
            if name not in present:
                self._close(name, note)
        changed = {
            name: note
            for name, note in present.items()
            if noted.get(name) != note and (note["hooks"] or name in noted)
        }
        if changed:
            self._write(changed)
        return True

    def _write(self, notes: dict[str, dict[str, Any]]) -> None:
        # Of several workers that start at once, one writes what all of them would.
        with suppress(IntegrityError), self._app.db.write() as connection:
            for name, note in notes.items():
                write_note(connection, name, note)

    def _tell_orphans(self, owned: dict[str, Any]) -> None:
        """Name the plugins whose tables are there and whose package is not."""
        for name in owned.keys() - self._app.report.plugins.keys():
            fate = self._app.report.plugins[name] = Fate(name)
            fate.fall("orphaned", ORPHANED, f"pip install clientela-{name}")

    def _present(self) -> dict[str, dict[str, Any]]:
        """Give the note of each plugin that is there."""
        kinds = self._app.hooks.kinds()
        return {
            card.name: {
                "hooks": [h for h in self._app.hooks.hooks_of(card.name) if kinds[h] == "guard"],
                "guards": list(card.guards),
            }
            for card in self._app.plugins[1:]
        }

    def _close(self, plugin: str, note: dict[str, Any]) -> None:
        for hook in note["hooks"]:
            stand_in = StandIn(plugin, _no_answer, (), watched=tuple(note["guards"]))
            self._app.hooks.stand_in(hook, stand_in)
        if note["hooks"]:
            self._app.note(missing_sentence(plugin, note))


def missing_sentence(plugin: str, note: dict[str, Any]) -> str:
    """Say what is closed, and how to open it."""
    return _(
        "{plugin} guarded {watched} and is missing, so that is closed. Bring it back with "
        "`clientela plugin enable {plugin}`, or end its guard with `clientela plugin remove {plugin}`.",
        plugin=plugin,
        watched=", ".join(note["guards"]),
    )


def read_notes(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read the ledger and the notes of guards without an app; a file that is not there is not made."""
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return {}, {}
    database = Database(settings.database_url, pool_size=1)
    try:
        with database.read() as connection:
            if not inspect(connection).has_table(meta.META.name):
                return {}, {}
            return meta.recall(connection, LEDGER), meta.recall(connection, NOTE)
    finally:
        database.dispose()


def write_note(connection: Connection, plugin: str, note: dict[str, Any]) -> None:
    """Write down what a plugin guards; one that guards nothing leaves no note."""
    if note["hooks"]:
        meta.remember(connection, NOTE + plugin, note)
    else:
        forget_guard(connection, plugin)


def forget_guard(connection: Connection, plugin: str) -> None:
    """Open what a plugin guarded: it is removed on purpose."""
    meta.forget(connection, NOTE + plugin)


class StandIn(Implementation):
    """Answers in the place of a missing guard: with a refusal."""

    def __init__(self, *args: Any, watched: Sequence[str]) -> None:
        super().__init__(*args)
        self._watched = watched

    def ask(self, given: dict[str, Any]) -> Any:
        """Refuse, unless the question is about something the guard did not watch."""
        names = [name for value in given.values() for name in _names(value)]
        if names and not any(fnmatchcase(n, w) for n in names for w in self._watched):
            return None
        raise GuardMissing(
            _(
                "This is closed: the plugin {plugin}, which guards it, is missing. Whoever runs this "
                "deployment can bring it back with `clientela plugin enable {plugin}`, or remove it.",
                plugin=self.plugin,
            )
        )


def _no_answer() -> None:
    """Stand where a plugin's function would be."""


def _names(value: Any) -> list[str]:
    """Give the names by which a card may have named what a hook is asked about."""
    if isinstance(value, Entity):
        return [value.info.name]
    if isinstance(value, EntityInfo):
        return [value.name]
    if isinstance(value, Action):
        # An action is of the entity in its name, also one that is about no record yet.
        return [value.name, value.name.rpartition(".")[0]]
    return []
