"""The fence: a plugin's revision changes the tables that begin with the plugin's name, and no others.

It stands twice. What a statement names is refused before it is run; what no statement named openly is noticed because
the schema of the other tables is read before and after.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text

from clientela.errors import Misconfigured
from clientela.i18n.texts import _
from clientela.storage.migrations.scripts import owner_of, plain_name
from clientela.storage.types import is_sqlite


class OutsideFence(Misconfigured):
    """A revision was about to change what is not its plugin's."""

    code = "outside-fence"
    title = _("A revision keeps to the tables of its plugin")


class Fence:
    """Watches what the revisions of one plugin do on a connection."""

    def __init__(self, connection: Connection, plugin: str, plugins: set[str]) -> None:
        self._connection = connection
        self._plugin = plugin
        self._plugins = plugins
        self._others = self._outside()
        self.revision = ""

    @contextmanager
    def watching(self) -> Iterator[Fence]:
        """Look at every statement of the block before it is run."""
        event.listen(self._connection, "before_cursor_execute", self._look)
        try:
            yield self
        finally:
            event.remove(self._connection, "before_cursor_execute", self._look)

    def _look(self, _c: Any, _cursor: Any, statement: str, _p: Any, _ctx: Any, _many: Any) -> None:
        for table in tables_changed_by(statement):
            if not self._is_own(table):
                raise self._refusal(table)

    def check(self) -> None:
        """Refuse when the schema of another's table is not what it was."""
        now = self._outside()
        for table in sorted(self._others.keys() | now.keys()):
            if self._others.get(table) != now.get(table):
                raise self._refusal(table)

    def _is_own(self, table: str) -> bool:
        return owner_of(table, self._plugins) == self._plugin

    def _outside(self) -> dict[str, list[str]]:
        schema = fingerprint(self._connection)
        return {table: lines for table, lines in schema.items() if not self._is_own(table)}

    def _refusal(self, table: str) -> OutsideFence:
        return OutsideFence(
            _(
                "The revision {revision} of {plugin} would change {table}, which is not its own: "
                "its tables begin with {plugin}_. Nothing of it was kept.",
                revision=self.revision,
                plugin=self._plugin,
                table=plain_name(table),
            )
        )


# Words in literals and comments change nothing.
_SILENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CHANGES = re.compile(
    r"""\b(?:
        (?:CREATE|ALTER|DROP)\ (?:(?:TEMP|TEMPORARY|UNLOGGED|VIRTUAL|FOREIGN)\ )?TABLE[ ]
            (?:IF\ (?:NOT\ )?EXISTS\ )?(?:ONLY\ )?
      | CREATE\ (?:UNIQUE\ )?INDEX\ (?:CONCURRENTLY\ )?(?:IF\ NOT\ EXISTS\ )?(?:\S+\ )?ON\ (?:ONLY\ )?
      | (?:INSERT|REPLACE)\ (?:OR\ \w+\ )?INTO\ | DELETE\ FROM\ (?:ONLY\ )? | TRUNCATE\ (?:TABLE\ )?(?:ONLY\ )?
      | (?<!ON\ )(?<!FOR\ )(?<!DO\ )UPDATE\ (?:OR\ \w+\ )?(?:ONLY\ )?(?!(?:OF|ON|SET)\ )
    )(?:"?\w+"?\.)?"?(?P<table>\w+)""",
    re.IGNORECASE | re.VERBOSE,
)


def tables_changed_by(statement: str) -> list[str]:
    """Name the tables that a statement openly changes.

    >>> tables_changed_by('ALTER TABLE "core_user" ADD x int; delete from sales_order')
    ['core_user', 'sales_order']
    >>> tables_changed_by("CREATE INDEX ix ON sales_order (a) -- DROP TABLE core_user")
    ['sales_order']
    >>> tables_changed_by("CREATE TABLE sales_line (a uuid REFERENCES core_user (id) ON UPDATE CASCADE)")
    ['sales_line']
    """
    plain = " ".join(_SILENT.sub(" ", statement).split())
    return [found["table"] for found in _CHANGES.finditer(plain)]


_SQLITE_SCHEMA = text(
    "SELECT tbl_name, type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master "
    r"WHERE tbl_name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY 1, 2"
)
_POSTGRES_SCHEMA = text(
    """
    WITH tables AS (SELECT oid, relname, relkind FROM pg_class
                    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f'))
    SELECT relname, 'kind ' || relkind::text FROM tables
    UNION ALL
    SELECT relname, concat_ws(' ', 'column', attname, format_type(atttypid, atttypmod), attnotnull,
                              attcollation, pg_get_expr(adbin, adrelid))
    FROM tables JOIN pg_attribute a ON attrelid = oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    UNION ALL
    SELECT relname, 'constraint ' || conname || ' ' || pg_get_constraintdef(c.oid)
    FROM tables t JOIN pg_constraint c ON conrelid = t.oid
    UNION ALL
    SELECT relname, pg_get_indexdef(indexrelid) FROM tables JOIN pg_index ON indrelid = oid
    UNION ALL
    SELECT relname, pg_get_triggerdef(g.oid) FROM tables t JOIN pg_trigger g ON tgrelid = t.oid AND NOT tgisinternal
    ORDER BY 1, 2
    """
)


def fingerprint(connection: Connection) -> dict[str, list[str]]:
    """Give the whole schema as the database describes it, by table."""
    schema: dict[str, list[str]] = defaultdict(list)
    query = _SQLITE_SCHEMA if is_sqlite(connection.dialect) else _POSTGRES_SCHEMA
    for table, line in connection.execute(query):
        schema[table].append(line)
    return dict(schema)
