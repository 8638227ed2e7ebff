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
        self._last = ""

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
                raise self._refusal(table, statement)
        if (word := escape_in(statement)) is not None:
            raise OutsideFence(
                _(
                    "The revision {revision} of {plugin} says {word}, which would reach beyond its transaction; leave "
                    "it out. Nothing of it was kept.",
                    revision=self.revision,
                    plugin=self._plugin,
                    word=word,
                ),
                extra={"statement": _short(statement)},
            )
        self._last = statement

    def check(self) -> None:
        """Refuse when the schema of another's table is not what it was."""
        now = self._outside()
        for table in sorted(self._others.keys() | now.keys()):
            if self._others.get(table) != now.get(table):
                raise self._refusal(table, self._last)

    def _is_own(self, table: str) -> bool:
        return owner_of(table, self._plugins) == self._plugin

    def _outside(self) -> dict[str, list[str]]:
        schema = fingerprint(self._connection)
        return {table: lines for table, lines in schema.items() if not self._is_own(table)}

    def _refusal(self, table: str, statement: str) -> OutsideFence:
        owner = owner_of(table, self._plugins)
        remedy = (
            _("ask {owner} for it, or keep a table of your own that refers to it", owner=owner)
            if owner
            else _("name it {plugin}_…", plugin=self._plugin)
        )
        return OutsideFence(
            _(
                "The revision {revision} of {plugin} would change {table}, which is not its own: "
                "its tables begin with {plugin}_. Nothing of it was kept.",
                revision=self.revision,
                plugin=self._plugin,
                table=plain_name(table),
            ),
            extra={"statement": _short(statement), "owner": owner or "", "fix": remedy},
        )


def _short(statement: str) -> str:
    return " ".join(statement.split())[:500]


# Words in literals and comments change nothing.
_SILENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_CHANGES = re.compile(
    r"""\b(?:
        (?:CREATE|ALTER|DROP)\ (?:(?:TEMP|TEMPORARY|UNLOGGED|VIRTUAL|FOREIGN)\ )?TABLE[ ]
            (?:IF\ (?:NOT\ )?EXISTS\ )?(?:ONLY\ )?
      | (?:CREATE|DROP)\ (?:OR\ REPLACE\ )?(?:(?:TEMP|TEMPORARY|MATERIALIZED)\ )?VIEW\ (?:IF\ (?:NOT\ )?EXISTS\ )?
      | CREATE\ (?:OR\ REPLACE\ )?(?:TEMP\ |TEMPORARY\ |CONSTRAINT\ )*TRIGGER\ (?:IF\ NOT\ EXISTS\ )?\S+\ [^;]*?\bON[ ]
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


# What ends the transaction, or opens another database.
_ESCAPES = re.compile(
    r"(?:^|; ?)(COMMIT|END|ROLLBACK(?! TO)|BEGIN|START TRANSACTION|ATTACH|DETACH|VACUUM|PRAGMA writable_schema"
    r"|SET (?:LOCAL |SESSION )?search_path|SET SCHEMA)\b",
    re.IGNORECASE,
)
# A routine and a trigger hold statements of their own, with words that look the same.
_BODY = re.compile(r"\bBEGIN\b.*\bEND\b|\$(\w*)\$.*?\$\1\$", re.IGNORECASE)


def escape_in(statement: str) -> str | None:
    """Give the words by which a statement would leave its transaction or its database.

    >>> escape_in("INSERT INTO a VALUES (1); commit")
    'commit'
    >>> escape_in("CREATE TRIGGER t AFTER UPDATE ON a BEGIN SELECT 1; END")
    """
    plain = " ".join(_SILENT.sub(" ", statement).split())
    found = _ESCAPES.search(_BODY.sub(" ", plain))
    return found[1] if found else None


_SQLITE_SCHEMA = text(
    "SELECT tbl_name, type || ' ' || name || ' ' || coalesce(sql, '') FROM "
    "(SELECT * FROM sqlite_master UNION ALL SELECT * FROM sqlite_temp_master) "
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
