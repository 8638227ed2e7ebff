"""Writing a revision: the difference between what is declared and the migrated database, as readable code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from alembic.autogenerate import render_python_code
from alembic.operations import ops
from sqlalchemy import Column, Table
from sqlalchemy.types import JSON, TypeEngine

from clientela.errors import Conflict, Invalid, Misconfigured, NotFound, did_you_mean
from clientela.i18n.texts import _
from clientela.storage import types
from clientela.storage.migrations.compare import differences, own_tables
from clientela.storage.migrations.scripts import folder_of, line_of
from clientela.storage.migrations.state import read_versions

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.entity import EntityInfo

_SLUG = re.compile(r"[a-z][a-z0-9_]{0,59}")
_LONGEST_ID = 32  # letters that Alembic's version table has room for

_FILE = '''"""{title}.

Revision {revision}, after {before}.
"""

import sqlalchemy as sa
from alembic import op

from clientela.storage import types

revision = {revision!r}
down_revision = {down!r}
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down_code}
'''


class NothingToWrite(Conflict):
    """What is declared is what the database has."""

    code = "nothing-to-write"
    title = _("There is no difference to write down")


def generate(
    app: App, plugin: str, slug: str, *, also: tuple[list[str], list[str]] = ([], [])
) -> Path:
    """Write the plugin's next revision and give its file; without a difference none is written and that is said.

    The database must be at the plugin's newest revision. `also` are lines to put behind the upgrade and before the
    downgrade, for what no metadata can say.
    """
    cards = {card.name: card for card in app.plugins}
    if plugin not in cards:
        raise NotFound(
            _("There is no plugin {plugin}.", plugin=repr(plugin)) + did_you_mean(plugin, cards)
        )
    if not _SLUG.fullmatch(slug):
        raise Invalid(
            _("{slug} cannot name a revision; write small letters, digits and _.", slug=repr(slug))
        )
    folder, line = folder_of(cards[plugin]), line_of(cards[plugin])
    if folder is None:
        raise Misconfigured(
            _("The package {package} cannot be found.", package=cards[plugin].import_name)
        )
    head = line.head if line else None
    with app.db.read() as connection:
        current = read_versions(connection).get(plugin)
        if current != head:
            raise Conflict(
                _(
                    "The database is at {current} of {plugin}; migrate it to {head} first.",
                    current=current or _("nothing"),
                    plugin=plugin,
                    head=head,
                )
            )
        script = differences(app, plugin, connection)
    assert script.upgrade_ops is not None  # noqa: S101 - told to the type checker
    if script.upgrade_ops.is_empty():
        raise NothingToWrite(
            _(
                "What {plugin} declares is what the database has; no revision was written.",
                plugin=plugin,
            )
        )
    number = len(line.newest_first()) + 1 if line else 1
    revision = f"{plugin[: _LONGEST_ID - 5]}_{number:04}"
    _put_in_order(script.upgrade_ops, own_tables(app, plugin))
    undo = script.upgrade_ops.reverse()
    _leave_out_what_goes_with_the_table(undo)
    up = [*_code(script.upgrade_ops, app), *also[0]]
    down = [*also[1], *_code(undo)]
    folder.joinpath("versions").mkdir(parents=True, exist_ok=True)
    path = folder / "versions" / f"{number:04}_{slug}.py"
    path.write_text(
        _FILE.format(
            title=slug.replace("_", " ").capitalize(), revision=revision, before=head or "nothing", down=head,
            up=_indented(up), down_code=_indented(down),
        ),
        encoding="utf-8",
    )  # fmt: skip
    return path


def _put_in_order(upgrade: ops.UpgradeOps, declared: dict[str, Table]) -> None:
    """Make the code the same each time, and name the declared types instead of those that one database reports."""
    for op in upgrade.ops:
        if not isinstance(op, ops.ModifyTableOps):
            continue
        op.ops.sort(key=lambda one: (_RANK.get(type(one), 1), str(_name_of(one))))
        for one in op.ops:
            table = declared.get(op.table_name)
            if isinstance(one, ops.AlterColumnOp) and table is not None and one.modify_type is None:
                one.existing_type = table.c[one.column_name].type


# First goes what hangs on columns, then the columns, then what hangs on the new ones.
_RANK: dict[type[Any], int] = {
    ops.DropIndexOp: 0,
    ops.DropConstraintOp: 0,
    ops.CreateIndexOp: 2,
    ops.CreateUniqueConstraintOp: 2,
    ops.CreateForeignKeyOp: 2,
}


def _name_of(op: Any) -> Any:
    if isinstance(op, ops.AddColumnOp):
        return ""  # columns keep the order of their declaration
    return getattr(op, "index_name", None) or getattr(op, "constraint_name", None) or op.column_name


def _leave_out_what_goes_with_the_table(undo: ops.DowngradeOps) -> None:
    dropped = {op.table_name for op in undo.ops if isinstance(op, ops.DropTableOp)}
    undo.ops = [
        op for op in undo.ops
        if not (isinstance(op, ops.ModifyTableOps) and op.table_name in dropped)
    ]  # fmt: skip


def _code(container: ops.UpgradeOps | ops.DowngradeOps, app: App | None = None) -> list[str]:
    lines: list[str] = []
    for op in container.ops:
        if isinstance(op, ops.ModifyTableOps) and app is not None:
            lines += _changes(op, app.registry.by_table.get(op.table_name))
        else:
            lines += _plain(op)
    return lines


def _plain(op: ops.MigrateOperation) -> list[str]:
    code = render_python_code(
        ops.UpgradeOps([op]), render_as_batch=_needs_batch(op), render_item=_render
    )
    lines = [line.removeprefix("    ") for line in code.splitlines()]
    return [line for line in lines if line.strip() and not line.startswith("# ###")]


def _changes(op: ops.ModifyTableOps, info: EntityInfo | None) -> list[str]:
    """Add a column that must have a value in three steps, so that it can be added to a table with rows."""
    must = [
        one for one in op.ops
        if isinstance(one, ops.AddColumnOp) and not one.column.nullable and one.column.server_default is None
    ]  # fmt: skip
    if not must:
        return _plain(op)
    table = op.table_name
    others = [one for one in op.ops if one not in must]
    adding: list[ops.MigrateOperation] = []
    filling: list[str] = []
    closing: list[ops.MigrateOperation] = []
    for one in must:
        name, type_ = one.column.name, one.column.type
        adding.append(ops.AddColumnOp(table, Column(name, type_)))
        closing.append(ops.AlterColumnOp(table, name, existing_type=type_, modify_nullable=False))
        shown = _type_code(type_) or f"sa.{type_!r}"
        target = f"sa.update(sa.table({table!r}, sa.column({name!r}, {shown})))"
        value = _default(info, one.column)
        if value is None:
            filling.append(f"# {name} has no default: say here what the rows that are there get.")
        filling.append(f"op.execute({target}.values({{{name!r}: {value!r}}}))")
    return [
        *_plain(ops.ModifyTableOps(table, adding)),
        *filling,
        *_plain(ops.ModifyTableOps(table, [*closing, *others])),
    ]


def _default(info: EntityInfo | None, column: Column[Any]) -> Any:
    """Give the declared default of a column, where it can be written down as it is."""
    for declared in info.fields.values() if info is not None else ():
        if column in declared.columns and declared.has_default:
            values = declared.kind.to_columns(declared.initial())
            value = values[declared.columns.index(column)]
            return value if isinstance(value, str | int | float | list | dict) else None
    return None


def _needs_batch(op: ops.MigrateOperation) -> bool:
    """Say whether SQLite must copy the table: for all but indexes and columns that refer to nothing."""
    if not isinstance(op, ops.ModifyTableOps):
        return False
    return not all(
        isinstance(o, ops.CreateIndexOp | ops.DropIndexOp | ops.AddColumnOp) for o in op.ops
    )


def _render(kind: str, thing: Any, _context: Any) -> str | Literal[False]:
    """Write the core's column types as they are written in Python."""
    if kind != "type":
        return False
    return _type_code(thing) or False


def _type_code(type_: TypeEngine[Any]) -> str | None:
    if isinstance(type_, types.Scaled):
        return f"types.Scaled(places={type_.places})"
    if isinstance(type_, types.Key | types.Instant | types.Day):
        return f"types.{type(type_).__name__}()"
    if isinstance(type_, JSON) and repr(type_) == repr(types.json_type()):
        return "types.json_type()"
    for made in (types.plain_text, types.word_list):
        if _is_text(type_, made()):
            return f"types.{made.__name__}()"
    return None


def _is_text(type_: TypeEngine[Any], known: TypeEngine[Any]) -> bool:
    variants, theirs = type_._variant_mapping, known._variant_mapping  # noqa: SLF001 - there is no other way to ask
    return type(type_) is type(known) and repr(variants) == repr(theirs)


_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[#].*""")


def _indented(lines: list[str]) -> str:
    """Indent by the open brackets, which Alembic leaves at the margin."""
    depth, indented = 1, []
    for line in lines or ["pass"]:
        bare = _QUOTED.sub("", line)
        closes = bare.lstrip()[:1] in {")", "]", "}"}
        indented.append("    " * (depth - closes) + line)
        depth += sum(bare.count(b) for b in "([{") - sum(bare.count(b) for b in ")]}")
    return "\n".join(indented).strip()
