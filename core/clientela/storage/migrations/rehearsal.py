"""What revisions would say to the database, without a word to it.

On SQLite they run on an empty copy of the schema in memory, because a changed table is copied by what is there; on
PostgreSQL Alembic writes them down.
"""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script
from sqlalchemy import Column, Connection, MetaData, String, Table, event, text

from clientela.storage.database import Database
from clientela.storage.migrations.runner import op_lock, up
from clientela.storage.migrations.scripts import Line, version_table
from clientela.storage.types import is_sqlite

if TYPE_CHECKING:
    from clientela.plugins.card import Plugin


@dataclass
class Rehearsed:
    """One revision: its statements, and what its own text shows of the way back."""

    revision: str
    about: str
    sql: list[str] = field(default_factory=list)
    reversible: bool = True
    loses: bool = False
    remark: str = ""


def rehearse(card: Plugin, line: Line, connection: Connection, now: str | None) -> list[Rehearsed]:
    """Give the revisions that are still to come."""
    play = _in_memory if is_sqlite(connection.dialect) else _on_paper
    scripts: list[Script] = [step.revision for step in up(line, now)]
    made = [_described(one) for one in scripts]
    play(card, line, connection, now, made)
    return made


def _described(script: Script) -> Rehearsed:
    tree = ast.parse(Path(script.path).read_text("utf-8"))
    functions = {one.name: one for one in tree.body if isinstance(one, ast.FunctionDef)}
    back, there = functions.get("downgrade"), functions.get("upgrade")
    return Rehearsed(
        script.revision,
        script.doc.rstrip("."),
        reversible=back is not None and any(map(_does_something, back.body)),
        loses=there is not None and any(map(_loses, ast.walk(there))),
    )


def _does_something(statement: ast.stmt) -> bool:
    says_only = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return not (says_only or isinstance(statement, ast.Pass | ast.Raise))


_LOSING = re.compile(r"\b(?:DROP\s+(?:TABLE|COLUMN)|DELETE\s+FROM|TRUNCATE)\b", re.IGNORECASE)


def _loses(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in {"drop_table", "drop_column"}
    return isinstance(node, ast.Constant) and bool(_LOSING.search(str(node.value)))


# on SQLite ------------------------------------------------------------------------------------------------------------

_SCHEMA = text(
    r"SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\' "
    # A virtual table makes its own tables.
    r"AND name NOT LIKE 'core\_search\_fts\__%' ESCAPE '\' "
    "ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, rowid"
)


def _in_memory(
    card: Plugin, line: Line, connection: Connection, now: str | None, made: list[Rehearsed]
) -> None:
    stage = Database("sqlite://")
    try:
        with stage.write() as empty:
            for statement in connection.execute(_SCHEMA).scalars():
                empty.exec_driver_sql(statement)
            if now is not None:
                version = Table(version_table(card.name), MetaData(), Column("version_num", String))
                empty.execute(version.insert().values(version_num=now))
            _perform(card, line, empty, made, now)
    finally:
        stage.dispose()


def _perform(
    card: Plugin, line: Line, empty: Connection, made: list[Rehearsed], now: str | None
) -> None:
    place = -1

    def heard(
        _c: Any, _cursor: Any, statement: str, parameters: Any, _ctx: Any, _many: Any
    ) -> None:
        if place >= 0 and _is_its_own(statement, card.name):
            given = f"  -- {parameters!r}"[:200] if parameters else ""
            made[place].sql.append(statement.strip() + given)

    def each(_heads: Any, _context: Any) -> Iterable[Any]:
        nonlocal place
        for place, step in enumerate(up(line, now)):  # noqa: B007 - `heard` reads where we are
            yield step

    event.listen(empty, "before_cursor_execute", heard)
    with _failing_into(made, lambda: place):
        _run(card, line, {"fn": each}, empty)


def _is_its_own(statement: str, plugin: str) -> bool:
    """Leave out how Alembic looks around and counts."""
    begins = statement.lstrip()[:6].upper()
    return version_table(plugin) not in statement and begins not in {"PRAGMA", "SELECT"}


# on PostgreSQL --------------------------------------------------------------------------------------------------------


def _on_paper(
    card: Plugin, line: Line, connection: Connection, now: str | None, made: list[Rehearsed]
) -> None:
    paper, place = io.StringIO(), -1

    def each(_heads: Any, _context: Any) -> Iterable[Any]:
        nonlocal place
        for place, step in enumerate(up(line, now)):
            paper.seek(0)
            paper.truncate()
            yield step
            made[place].sql = list(_statements(paper.getvalue(), card.name))

    options = {
        "fn": each,
        "as_sql": True,
        "output_buffer": paper,
        "starting_rev": now,
        "literal_binds": True,
    }
    with _failing_into(made, lambda: place):
        _run(card, line, options, connection)


def _statements(written: str, plugin: str) -> Iterator[str]:
    """Cut what Alembic has written into statements, without its remarks."""
    for one in written.split(";\n\n"):
        statement = re.sub(r"(?m)^-- Running .*$", "", one).strip()
        if statement and _is_its_own(statement, plugin):
            yield statement


def _run(card: Plugin, line: Line, options: dict[str, Any], connection: Connection) -> None:
    more = {"script": line.directory, "version_table": version_table(card.name)}
    context = MigrationContext(connection.dialect, connection, more | options)
    with op_lock, Operations.context(context):
        context.run_migrations()


@contextmanager
def _failing_into(made: list[Rehearsed], place: Callable[[], int]) -> Iterator[None]:
    """Note at a revision that it cannot be shown: it may look at data that are not on the stage."""
    try:
        yield
    except (Exception, SystemExit) as wrong:  # noqa: BLE001 - whatever a stranger's revision raises
        for one in made[max(place(), 0) :]:
            one.remark = " ".join(f"{type(wrong).__name__}: {wrong}".split())[:300]
