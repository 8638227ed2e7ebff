"""A fresh database for every test, copied from a template that is made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from clientela.access.seed import seed_roles
from clientela.app import App
from clientela.outbox import DELIVERY, OUTBOX
from clientela.plugins.card import Plugin
from clientela_sdk.testing.postgres import create_database, drop_database

Key = tuple[str, ...]


class Databases(Protocol):
    """A place where databases are made."""

    def fresh(self, plugins: Sequence[Plugin]) -> Iterator[str]:
        """Lend the address of a database with the tables of these plugins and the first roles, and nothing else."""
        ...


class SqliteDatabases:
    """Databases that are files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[Key, Path] = {}

    def fresh(self, plugins: Sequence[Plugin]) -> Iterator[str]:
        """Lend a copy of the template."""
        copy = self._new()
        shutil.copyfile(self._template(plugins), copy)
        yield _address(copy)
        for left in self._folder.glob(f"{copy.name}*"):
            left.unlink()

    def _template(self, plugins: Sequence[Plugin]) -> Path:
        key = _key(plugins)
        if key not in self._templates:
            path = self._new()
            _fill(_address(path), plugins)
            self._templates[key] = path
        return self._templates[key]

    def _new(self) -> Path:
        return self._folder / f"{uuid4().hex}.sqlite3"


class PostgresDatabases:
    """Databases on a server that lets us create and drop them."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._templates: dict[Key, str] = {}

    def fresh(self, plugins: Sequence[Plugin]) -> Iterator[str]:
        """Lend a copy of the template."""
        template, name = self._template(plugins), f"clientela_{uuid4().hex}"
        yield create_database(self._server, name, template)
        drop_database(self._server, name)

    def _template(self, plugins: Sequence[Plugin]) -> str:
        key = _key(plugins)
        if key not in self._templates:
            name = f"clientela_template_{uuid4().hex}"
            _fill(create_database(self._server, name), plugins)
            self._templates[key] = name
        return self._templates[key]

    def drop_templates(self) -> None:
        """Drop the templates when the tests are over."""
        while self._templates:
            drop_database(self._server, self._templates.popitem()[1])


def _address(path: Path) -> str:
    return f"sqlite:///{path}"


def _key(plugins: Sequence[Plugin]) -> Key:
    """Tell compositions apart that need different tables."""
    return tuple(
        sorted([p.name for p in plugins] + [e.info.name for p in plugins for e in p.entities])
    )


def _fill(url: str, plugins: Sequence[Plugin]) -> None:
    with opened(App(url, plugins=plugins)) as app:
        app.create_all()
        seed_roles(app)
        # What the seed told is no test's affair.
        with app.db.write() as connection:
            connection.execute(DELIVERY.delete())
            connection.execute(OUTBOX.delete())


@contextmanager
def opened(app: App) -> Iterator[App]:
    """Close the app at the end."""
    try:
        yield app
    finally:
        app.close()
