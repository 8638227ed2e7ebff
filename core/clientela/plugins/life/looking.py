"""What a plan looks at: versions, ledger, foreign keys and the counts of rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, inspect, select, table

from clientela.plugins.discovery import found
from clientela.storage.migrations.fence import fingerprint, tables_changed_by
from clientela.storage.migrations.owned import digest
from clientela.storage.migrations.scripts import line_of, owner_of, plain_name, versioned
from clientela.storage.migrations.state import read_ledger, read_versions

if TYPE_CHECKING:
    from clientela.app import App


@dataclass(frozen=True)
class Key:
    """A foreign key: whose table refers to whose."""

    table: str
    parent: str
    owner: str | None
    parent_owner: str | None


@dataclass
class World:
    """All that a plan is made from; its fingerprint tells whether it has changed since."""

    versions: dict[str, str]
    ledger: dict[str, Any]
    names: set[str]
    needs: dict[str, tuple[str, ...]]
    keys: list[Key]
    schema: dict[str, list[str]]
    packages: list[Any] = field(default_factory=list)

    @classmethod
    def of(cls, app: App, connection: Connection) -> World:
        """Look around."""
        versions = {n: r for n, r in read_versions(connection).items() if r}
        noted = read_ledger(connection)
        cards = {p.name: tuple(p.needs) for p in app.plugins}
        needs = {name: tuple(one.get("needs", ())) for name, one in noted.items()} | cards
        names = cards.keys() | versions.keys()
        heads = [(p.name, line.head) for p in app.plugins if (line := line_of(p))]
        packages = [heads, [(one.name, one.version) for one in found()]]
        keys = list(_keys(connection, names))
        return cls(versions, noted, names, needs, keys, fingerprint(connection), packages)

    def fingerprint(self, extra: Any = None) -> str:
        """Give the hash of it all; rows come and go while a deployment serves, and do not count."""
        return digest([self.versions, self.ledger, self.schema, self.packages, extra])

    def state(self, plugin: str) -> str:
        """Say how the plugin stands in the database."""
        return str(self.ledger.get(plugin, {}).get("state", "active"))

    def dependents(self, plugin: str) -> list[str]:
        """Name those that must go first, the ones that need the others before them."""
        ordered: list[str] = []
        met = {plugin}

        def visit(name: str) -> None:
            for other in self._directly(name):
                if other not in met:
                    met.add(other)
                    visit(other)
                    ordered.append(other)

        visit(plugin)
        return ordered

    def _directly(self, plugin: str) -> list[str]:
        by_need = {n for n, needs in self.needs.items() if plugin in needs and n in self.versions}
        by_key = {k.owner for k in self.keys if k.parent_owner == plugin and k.owner}
        return sorted((by_need | by_key) - {plugin})

    def own_rows(self, connection: Connection, plugin: str) -> dict[str, int]:
        """Count the rows of each of the plugin's tables."""
        own = [
            name for name in inspect(connection).get_table_names()
            if owner_of(name, self.names) == plugin and versioned(name) is None
        ]  # fmt: skip
        return {name: rows_of(connection, name) for name in sorted(own)}


def _keys(connection: Connection, names: Iterable[str]) -> Iterable[Key]:
    known = set(names)
    for (_schema, name), keys in sorted(inspect(connection).get_multi_foreign_keys().items()):
        for parent in sorted({key["referred_table"] for key in keys}):
            yield Key(name, parent, owner_of(name, known), owner_of(parent, known))


def rows_of(connection: Connection, name: str) -> int:
    """Count the rows of a table."""
    return connection.execute(select(func.count()).select_from(table(name))).scalar_one()


def rows_touched(connection: Connection, statements: Iterable[str]) -> dict[str, int]:
    """Count the rows of the tables that the statements change and that are there already."""
    named = {plain_name(t) for one in statements for t in tables_changed_by(one)}
    there = set(inspect(connection).get_table_names())
    return {name: rows_of(connection, name) for name in sorted(named & there)}
