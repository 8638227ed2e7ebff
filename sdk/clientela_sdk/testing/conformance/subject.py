"""The plugin under test: its card, those it needs, and databases of its own to try things in."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from clientela.access.principal import SYSTEM
from clientela.access.seed import seed_roles
from clientela.errors import did_you_mean
from clientela.plugins.discovery import Found, found
from clientela.plugins.loading import load, why_not
from clientela.settings import Settings
from clientela.storage import migrations
from clientela_sdk import App, Customer, Entity, EntityInfo, Misconfigured, NotFound, Plugin, _
from clientela_sdk.testing.databases import opened
from clientela_sdk.testing.factory import CORE_RECIPES, Make
from clientela_sdk.testing.postgres import (
    create_database,
    drop_database,
    postgres_url,
    why_no_postgres,
)

CUSTOMERS = 24
FEW = 3


class NotNow(Exception):
    """A rule cannot run here; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass
class Subject:
    """What the rules ask: the card, and apps over databases that are thrown away."""

    name: str
    found: Found | None
    card: Plugin
    needed: Sequence[Plugin]
    deployment: Path | None
    place: Path
    # Entities of which no record could be made, with the reason.
    unmade: dict[str, str] = field(default_factory=dict)

    @property
    def cards(self) -> list[Plugin]:
        """Give the plugin and those it needs."""
        return [*self.needed, self.card]

    @property
    def entities(self) -> list[EntityInfo]:
        """List the plugin's own entities."""
        return [cls.info for cls in self.card.entities]

    @cached_property
    def folder(self) -> Path:
        """Give the folder of its package; a single file has none."""
        spec = find_spec(self.card.import_name)
        places = list(spec.submodule_search_locations or ()) if spec else []
        if not places:
            raise NotNow(_("It is a single file, which has no folder of its own."))
        return Path(places[0])

    def sources(self) -> list[Path]:
        """List its files of Python code, without the revisions."""
        file = self.found.file if self.found is not None else None
        if file is not None and file.name != "__init__.py":
            return [file]
        return sorted(
            path for path in self.folder.rglob("*.py")
            if "versions" not in path.relative_to(self.folder).parts
        )  # fmt: skip

    # databases --------------------------------------------------------------------------------------------------

    @contextmanager
    def app(self, url: str, cards: Sequence[Plugin] | None = None) -> Iterator[App]:
        """Open an app over a database, with the plugin and those it needs unless others are given."""
        settings = Settings(folder=self.place, postgres_snapshot="none", pool_size=4)
        with opened(
            App(url, plugins=self.cards if cards is None else cards, settings=settings)
        ) as made:
            yield made

    @contextmanager
    def empty(self, kind: str = "sqlite") -> Iterator[str]:
        """Lend an empty database."""
        if kind == "sqlite":
            yield f"sqlite:///{self.place / uuid4().hex}.sqlite3"
            return
        server = postgres_url()
        if server is None:
            raise NotNow(why_no_postgres() or _("There is no PostgreSQL."))
        database = f"conformance_{uuid4().hex}"
        try:
            yield create_database(server, database)
        finally:
            drop_database(server, database)

    @contextmanager
    def filled(self, kind: str = "sqlite") -> Iterator[App]:
        """Lend an app with migrated tables, customers, and records of every entity of the plugin."""
        with self.empty(kind) as url:
            if kind == "sqlite":
                shutil.copyfile(self._template, url.removeprefix("sqlite:///"))
            else:
                self._fill(url)
            with self.app(url) as app:
                yield app

    @cached_property
    def _template(self) -> Path:
        path = self.place / "template.sqlite3"
        self._fill(f"sqlite:///{path}")
        return path

    def _fill(self, url: str) -> None:
        with self.app(url) as app:
            migrations.upgrade(app)
            seed_roles(app)
            make = Make(app, CORE_RECIPES)
            kinds = ("person", "organization")
            keys = [make(Customer, kind=kinds[n % 2]).id for n in range(CUSTOMERS)]
            with app.acting_as(SYSTEM, face="check") as ctx:
                ctx.hook.demo_records(ctx=ctx, rng=Random(7), customers=keys)  # noqa: S311 - sample data
            for cls in self.card.entities:
                self._make_some(app, make, cls)

    def _make_some(self, app: App, make: Make, cls: type[Entity]) -> None:
        try:
            while len(self.rows(app, cls.info)) < FEW:
                make(cls)
        except Exception as why:  # noqa: BLE001 - rules of its own that samples cannot know
            self.unmade[cls.info.name] = f"{type(why).__name__}: {why}"[:200]

    def rows(self, app: App, info: EntityInfo) -> list[str]:
        """List the keys of an entity's records, the first ones."""
        with app.db.read() as connection:
            query = select(info.table.c.id).order_by(info.table.c.id).limit(50)
            return list(connection.execute(query).scalars())

    def some(self, app: App, info: EntityInfo, least: int = 1) -> list[str]:
        """List the keys of an entity's records, of which at least so many must be there."""
        keys = self.rows(app, info)
        if len(keys) < least:
            reason = self.unmade.get(info.name, _("there are too few"))
            raise NotNow(
                _(
                    "No records of {entity} could be made ({reason}); let demo_records make some.",
                    entity=info.name,
                    reason=reason,
                )
            )
        return keys

    @property
    def has_tables(self) -> bool:
        """Say whether there is something that could stay behind."""
        return bool(self.entities or self.card.tables)

    def must_have_rows(self, app: App) -> None:
        """Skip the rule where no record could be made: nothing would be proved."""
        if self.entities and not self.count(app):
            raise NotNow(_("No record could be made; let demo_records make some."))

    def dump(self, app: App) -> dict[str, list[str]]:
        """Give every row of the plugin's tables, to be compared."""
        with app.db.read() as connection:
            return {
                info.table.name: sorted(map(repr, connection.execute(select(info.table))))
                for info in self.entities
            }

    def count(self, app: App) -> int:
        """Count the rows of the plugin's tables."""
        with app.db.read() as connection:
            counts = [select(func.count()).select_from(info.table) for info in self.entities]
            return sum(connection.execute(one).scalar_one() for one in counts)


@contextmanager
def subject_of(name: str, deployment: Path | None) -> Iterator[Subject]:
    """Find a plugin and those it needs, and lend a folder to try it in."""
    known = {one.name: one for one in found(deployment)}
    card = _card(name, known)
    needed: dict[str, Plugin] = {}
    _gather(card, known, needed)
    place = Path(tempfile.mkdtemp(prefix="clientela-check-"))
    try:
        yield Subject(name, known.get(name), card, list(needed.values()), deployment, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _gather(card: Plugin, known: dict[str, Found], needed: dict[str, Plugin]) -> None:
    for need in card.needs:
        if need not in needed:
            other = _card(need, known)
            _gather(other, known, needed)
            needed[need] = other


def _card(name: str, known: dict[str, Found]) -> Plugin:
    """Import a card: of a plugin that is installed, or whose package can be imported as it stands."""
    try:
        if name in known:
            return load(known[name])
        if find_spec(f"clientela_{name}") is not None:
            card: Any = getattr(import_module(f"clientela_{name}"), "plugin", None)
            if isinstance(card, Plugin):
                return card
    except (Exception, SystemExit) as broken:
        raise Misconfigured(why_not(name, broken)) from broken
    raise NotFound(
        _("There is no plugin {plugin} to check.", plugin=repr(name[:60]))
        + did_you_mean(name, known)
    )
