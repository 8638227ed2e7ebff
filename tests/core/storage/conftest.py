"""Two toy plugins whose packages are written by the tests: cider is made of what an orchard bears."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from textwrap import dedent, indent
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.orm import Mapped

from clientela import fields
from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.entity import Entity
from clientela.plugins.card import Plugin
from clientela.settings import Settings
from clientela.storage import migrations
from clientela.storage.migrations.fence import fingerprint
from clientela.storage.migrations.scripts import owner_of
from clientela.values import Money
from clientela_sdk.testing.postgres import (
    create_database,
    drop_database,
    postgres_url,
    why_no_postgres,
)


class Tree(Entity, plugin="orchard", prefix="tre"):
    """A tree that bears fruit, with a column of every stored form."""

    name: Mapped[str] = fields.text(max_length=60, unique=True)
    planted: Mapped[date | None] = fields.day()
    weight: Mapped[Decimal | None] = fields.decimal(places=3)
    price: Mapped[Money | None] = fields.money()
    grafts: Mapped[list[str]] = fields.tags()
    healthy: Mapped[bool] = fields.boolean(default=True, sort=True)
    planter_id: Mapped[str | None] = fields.ref(Customer)


class Bottle(Entity, plugin="cider", prefix="btl"):
    """A bottle, pressed from one tree."""

    tree_id: Mapped[str] = fields.ref(Tree)
    size: Mapped[int] = fields.integer(default=750)


class Loaf(Entity, plugin="orchard_bakery", prefix="loa"):
    """Bread; its plugin's name begins like another's."""

    name: Mapped[str] = fields.text(max_length=60)


class Package:
    """A plugin's package on disk, and its card."""

    def __init__(self, site: Path, entity: type[Entity], needs: tuple[str, ...] = ()) -> None:
        name = entity.info.plugin
        self.card = Plugin(name=name, title=name.capitalize(), entities=[entity], needs=needs)
        self.folder = site / self.card.import_name / "migrations" / "versions"
        self.folder.mkdir(parents=True)
        (site / self.card.import_name / "__init__.py").touch()

    def revision(
        self, number: int, up: str, down: str = "pass", *, after: int | None = None
    ) -> str:
        """Write a revision by hand; it comes after the one before."""
        before = number - 1 if after is None else after
        name = self.card.name
        self.folder.joinpath(f"{number:04}_by_hand.py").write_text(
            f'"""By hand."""\nimport sqlalchemy as sa\nfrom alembic import op\n'
            f"from clientela.storage import types\n"
            f'revision = "{name}_{number:04}"\n'
            f"down_revision = {f'{name}_{before:04}' if before else None!r}\n"
            f"def upgrade():\n{indent(dedent(up).strip(), '    ')}\n"
            f"def downgrade():\n{indent(dedent(down).strip(), '    ')}\n"
        )
        return f"{name}_{number:04}"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the toy packages are found."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


@pytest.fixture
def orchard(site: Path) -> Package:
    return Package(site, Tree)


@pytest.fixture
def cider(site: Path) -> Package:
    return Package(site, Bottle, needs=("orchard",))


@pytest.fixture
def bakery(site: Path) -> Package:
    return Package(site, Loaf)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.sqlite3'}"


@pytest.fixture
def postgres_database() -> Iterator[str]:
    server = postgres_url()
    if server is None:
        pytest.skip(why_no_postgres() or "no PostgreSQL")
    name = f"migrations_{uuid4().hex}"
    yield create_database(server, name)
    drop_database(server, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database of each kind."""
    wanted = "sqlite_url" if request.param == "sqlite" else "postgres_database"
    address: str = request.getfixturevalue(wanted)
    return address


Open = Callable[..., App]


@pytest.fixture
def open_app(url: str) -> Iterator[Open]:
    """Open apps over the one database, with these plugins."""
    opened = []

    def open_app(*packages: Package) -> App:
        app = App(url, plugins=[package.card for package in packages])
        opened.append(app)
        return app

    yield open_app
    for app in opened:
        app.close()


@pytest.fixture
def dump() -> Callable[[App], Any]:
    """Everything there is to know of a database's schema, and every row of its version tables."""

    def dump(app: App) -> Any:
        if app.db.is_sqlite:
            with sqlite3.connect(str(app.db.url.database)) as connection:
                return list(connection.iterdump())
        with app.db.read() as connection:
            names = [n for n in inspect(connection).get_table_names() if n.startswith("alembic_")]
            rows = {n: connection.execute(text("select * from " + n)).all() for n in sorted(names)}
            return fingerprint(connection), rows

    return dump


@pytest.fixture
def plant() -> Callable[..., None]:
    """Plant a tree, and fill a bottle when its plugin is there."""

    def plant(app: App, name: str = "Antonovka") -> None:
        def work(ctx: Any) -> None:
            tree = ctx.add(
                Tree(name=name, grafts=["a"], weight=Decimal("1.500"), price=Money(5, "EUR"))
            )
            ctx.flush()
            if "cider" in app.registry.plugins:
                ctx.add(Bottle(tree_id=tree.id))

        app.perform(SYSTEM, work, face="test")

    return plant


@pytest.fixture
def grown(
    open_app: Any, orchard: Any, cider: Any, bakery: Any, tmp_path: Path
) -> Callable[..., App]:
    """Three plugins with generated tables; gives an app with some of them."""
    packages = {"orchard": orchard, "cider": cider, "orchard_bakery": bakery}
    maker = open_app(*packages.values())
    migrations.upgrade(maker, "core")
    for name in packages:
        migrations.generate(maker, name, "initial")
    migrations.upgrade(maker)
    # PostgreSQL copies a database only when nobody else is connected.
    maker.close()

    def grown(*names: str) -> App:
        app: App = open_app(*(packages[name] for name in names or packages))
        app.settings = Settings(folder=tmp_path, postgres_snapshot="none")
        return app

    return grown


@pytest.fixture
def everything() -> Callable[..., dict[str, Any]]:
    """The rows and the schema, to be compared."""

    def everything(app: App, *without: str) -> dict[str, Any]:
        """Every row of every table and the whole schema, without those of some plugins and of the core."""
        names = {"core", "orchard", "cider", "orchard_bakery"}
        left_out = {*without, *(["core"] if without else [])}
        with app.db.read() as connection:
            tables = inspect(connection).get_table_names()
            own = [t for t in tables if owner_of(t, names) not in left_out]
            rows = {
                t: sorted(map(repr, connection.execute(text("select * from " + t)))) for t in own
            }
            schema = {
                t: lines
                for t, lines in fingerprint(connection).items()
                if owner_of(t, names) not in without
            }
        return {"rows": rows, "schema": schema}

    return everything
