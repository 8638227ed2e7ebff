"""Plugins come, grow, go and come back in any order: those that stay are never touched."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import pytest

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.plugins import life
from clientela.settings import Settings
from clientela.storage import migrations

SEQUENCES = 20
STEPS = 4
POSSIBLE = {
    "gone": ["add"],
    "active": ["upgrade", "keep", "export", "purge"],
    "kept": ["add", "purge"],
}
TABLES = {
    "orchard": "orchard_tree",
    "cider": "cider_bottle",
    "orchard_bakery": "orchard_bakery_loaf",
}


class Story:
    """Three plugins with data, where each of them stands, and an archive of those that left with one."""

    def __init__(self, url: str, packages: dict[str, Any], folder: Path, everything: Any) -> None:
        self.url = url
        self.packages = packages
        self.folder = folder
        self.everything = everything
        self.stands = dict.fromkeys(packages, "gone")
        self.archives: dict[str, str] = {}
        self.rows: dict[str, Any] = {}
        self.revisions = dict.fromkeys(packages, 1)
        self.numbers = itertools.count(1)

    def app(self, *more: str) -> App:
        names = {*more, *(n for n, s in self.stands.items() if s == "active")}
        if "cider" in names:
            names.add("orchard")
        settings = Settings(folder=self.folder, postgres_snapshot="none")
        return App(
            self.url, plugins=[self.packages[n].card for n in sorted(names)], settings=settings
        )

    def own_rows(self, app: App, name: str) -> Any:
        return self.everything(app, *(set(self.packages) - {name}))["rows"][TABLES[name]]

    def choices(self) -> list[tuple[str, str]]:
        return [
            (name, does)
            for name, stands in self.stands.items()
            for does in POSSIBLE[stands]
            if self.is_possible(name, does)
        ]  # fmt: skip

    def is_possible(self, name: str, does: str) -> bool:
        if name == "cider":
            return does not in {"add", "upgrade"} or self.stands["orchard"] == "active"
        if name != "orchard" or does in {"add", "upgrade"}:
            return True
        return self.stands["cider"] == "gone" or (does == "keep" and self.stands["cider"] == "kept")

    def do(self, name: str, does: str, plant: Any) -> None:
        """Do one thing to one plugin; everything that is another's stays byte for byte."""
        app = self.app(name)
        try:
            before = self.everything(app, name)
            getattr(self, does)(app, name)
            assert self.everything(app, name) == before
            assert app.unready() is None or does in {"purge", "export"}
        finally:
            app.close()
        if self.stands[name] == "active":
            self.plant(name, plant)

    def add(self, app: App, name: str) -> None:
        archive = self.archives.pop(name, "")
        was = self.rows.pop(name, None)
        life.apply(app, life.plan_add(app, name, archive))
        if was is not None:
            assert self.own_rows(app, name) == was
        self.stands[name] = "active"

    def upgrade(self, app: App, name: str) -> None:
        self.revisions[name] = number = self.revisions[name] + 1
        self.packages[name].revision(
            number, f"op.execute('CREATE INDEX ix_{name}_{number} ON {TABLES[name]} (created_at)')"
        )
        life.apply(app, life.plan_upgrade(app, name))

    def keep(self, app: App, name: str) -> None:
        life.apply(app, life.plan_remove(app, name, "keep"))
        self.rows[name] = self.own_rows(app, name)
        self.stands[name] = "kept"

    def export(self, app: App, name: str) -> None:
        self.rows[name] = self.own_rows(app, name)
        self.archives[name] = str(self.folder / f"{name}-{next(self.numbers)}.zip")
        life.apply(app, life.plan_remove(app, name, "export", self.archives[name]))
        self.leave(app, name)

    def purge(self, app: App, name: str) -> None:
        self.rows.pop(name, None)
        if name == "orchard":
            # The bottles of an archive would have no trees to come back to.
            self.archives.pop("cider", None)
            self.rows.pop("cider", None)
        life.apply(app, life.plan_remove(app, name, "purge"))
        self.leave(app, name)

    def leave(self, app: App, name: str) -> None:
        assert life.residue(app, name) == []
        self.stands[name] = "gone"

    def plant(self, name: str, plant: Any) -> None:
        app = self.app()
        try:
            if name == "orchard_bakery":
                loaf = self.packages[name].card.entities[0]
                app.perform(
                    SYSTEM,
                    lambda ctx: ctx.add(loaf(name=f"Loaf {next(self.numbers)}")),
                    face="test",
                )
            elif self.stands["orchard"] == "active":
                plant(app, f"Tree {next(self.numbers)}")
        finally:
            app.close()


@pytest.fixture
def story(
    url: str, orchard: Any, cider: Any, bakery: Any, tmp_path: Path, open_app: Any, everything: Any
) -> Story:
    packages = {"orchard": orchard, "cider": cider, "orchard_bakery": bakery}
    app = open_app(*packages.values())
    migrations.upgrade(app, "core")
    for name in packages:
        migrations.generate(app, name, "initial")
    return Story(url, packages, tmp_path, everything)


def test_those_that_stay_are_never_touched(story: Story, plant: Any) -> None:
    seen = set()
    for seed in range(SEQUENCES):
        chance = random.Random(seed)
        for _ in range(STEPS):
            name, does = chance.choice(story.choices())
            story.do(name, does, plant)
            seen.add((name, does))
    assert {does for _, does in seen} == {"add", "upgrade", "keep", "export", "purge"}
