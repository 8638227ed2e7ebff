"""Where each plugin stands, told without its code, without the database, and whatever else is broken."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from clientela.errors import did_you_mean
from clientela.i18n.texts import _
from clientela.plugins.discovery import Found, found
from clientela.plugins.fates import Fate
from clientela.plugins.journal import REPORT, Journal, why_barred
from clientela.plugins.policies import FILE, Wishes, read_wishes


class Standing:
    """The plugins of a folder, as its files and the last start tell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = Journal(folder)
        self.wishes: Wishes = read_wishes(folder)
        self.found: dict[str, Found] = {}
        for one in found(folder):
            self.found.setdefault(one.name, one)
        self._last = _fates_of(self.journal.read(REPORT))
        self._barred = self.journal.barred()
        names = {*self.found, *self.wishes.disabled, *self.wishes.policies, *self._barred}
        self.fates = {name: self._fate(name) for name in sorted(names)}

    def _fate(self, name: str) -> Fate:
        one = self.found.get(name)
        fate = Fate(name)
        if one is not None:
            fate = Fate(name, version=one.version, source=one.place, needs=list(one.needs))
            last = self._last.get(name)
            if last and (last.version, last.source) == (fate.version, fate.source):
                fate = last
        policy = self.wishes.policies.get(name)
        fate.required = policy is not None and policy.required
        if one is None:
            fate.fall("orphaned", _("It is not installed."), f"pip install clientela-{name}")
        elif name in self._barred:
            fate.fall("quarantined", why_barred(name, self._barred[name]), self._enable(name))
        elif name in self.wishes.disabled:
            fate.fall("disabled", _("It is disabled in {file}.", file=FILE), self._enable(name))
        elif fate.state == "disabled":
            fate = Fate(name, version=one.version, source=one.place, needs=list(one.needs))
        return fate

    def _enable(self, name: str) -> str:
        return f"clientela plugin enable {name}"

    def needed_by(self, name: str) -> list[str]:
        """List the plugins that need one."""
        return [other for other, fate in self.fates.items() if name in fate.needs]

    def hint(self, name: str) -> str:
        """Give the names that are most like one that nobody has."""
        return did_you_mean(name, self.fates)

    def forget(self) -> None:
        """Forget the last start: what it told is no longer so."""
        (self.journal.place / REPORT).unlink(missing_ok=True)


def _fates_of(report: dict[str, Any]) -> dict[str, Fate]:
    known = {field.name for field in fields(Fate)}
    told = report.get("plugins")
    return {
        one["name"]: Fate(**{key: value for key, value in one.items() if key in known})
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict) and "name" in one
    }
