"""Traces: what the core keeps of a plugin in its own tables, and how it goes when the plugin is purged.

A part that keeps more, such as saved views, registers a trace of its own; the plan counts it and the purge calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, exists, func, or_, select

from clientela.access.entities import Role, Token
from clientela.custom.entities import CustomField
from clientela.entity import Entity
from clientela.exchange.entities import ImportTemplate
from clientela.external import EXTERNAL
from clientela.history import CHANGE, CHANGE_SET
from clientela.i18n.texts import _
from clientela.outbox import DELIVERY, OUTBOX
from clientela.search import DOCUMENT
from clientela.storage.meta import META
from clientela.views.entities import SavedView

if TYPE_CHECKING:
    from clientela.context import Context


@dataclass(frozen=True)
class Trace:
    """One sort of rows that name a plugin: `count` tells how many, `purge` deletes or mends them.

    Both get the plugin's name and the name of its package.
    """

    name: str
    about: str
    count: Callable[[Connection, str, str], int]
    purge: Callable[[Context, str, str], None]


_traces: dict[str, Trace] = {}


def register(trace: Trace) -> None:
    """Let plans count and purges handle one more sort of rows."""
    _traces[trace.name] = trace


def traces() -> list[Trace]:
    """List what is looked for, in the order in which it goes."""
    return list(_traces.values())


def counted(connection: Connection, plugin: str, package: str) -> dict[str, int]:
    """Count what is there of the plugin, by the trace's name, without what is not."""
    found = {one.name: one.count(connection, plugin, package) for one in traces()}
    return {name: count for name, count in found.items() if count}


def _rows(table: Any, column: Any) -> tuple[Callable[..., int], Callable[..., None]]:
    """Count and delete the rows whose column begins with the plugin's name."""

    def count(connection: Connection, plugin: str, _package: str) -> int:
        query = select(func.count()).select_from(table).where(_of(column, plugin))
        return connection.execute(query).scalar_one()

    def purge(ctx: Context, plugin: str, _package: str) -> None:
        ctx.connection.execute(delete(table).where(_of(column, plugin)))

    return count, purge


def _of(column: Any, plugin: str) -> Any:
    return column.startswith(plugin + ".", autoescape=True)


# facts ----------------------------------------------------------------------------------------------------------------


def _facts(plugin: str) -> Any:
    """Give what holds of its own facts, and of the core's facts about its records."""
    return or_(_of(OUTBOX.c.fact, plugin), _of(OUTBOX.c.payload["entity"].as_string(), plugin))


def _count_facts(connection: Connection, plugin: str, _package: str) -> int:
    return connection.execute(
        select(func.count()).select_from(OUTBOX).where(_facts(plugin))
    ).scalar_one()


def _purge_facts(ctx: Context, plugin: str, _package: str) -> None:
    gone = select(OUTBOX.c.id).where(_facts(plugin))
    ctx.connection.execute(delete(DELIVERY).where(DELIVERY.c.outbox_id.in_(gone)))
    ctx.connection.execute(delete(OUTBOX).where(_facts(plugin)))


def _count_debts(connection: Connection, _plugin: str, package: str) -> int:
    query = select(func.count()).select_from(DELIVERY).where(_of(DELIVERY.c.subscriber, package))
    return connection.execute(query).scalar_one()


def _purge_debts(ctx: Context, _plugin: str, package: str) -> None:
    ctx.connection.execute(delete(DELIVERY).where(_of(DELIVERY.c.subscriber, package)))


# history --------------------------------------------------------------------------------------------------------------


def _purge_changes(ctx: Context, plugin: str, _package: str) -> None:
    """Delete the changes of its records, and the sets that held no others."""
    own = select(CHANGE.c.set_id).where(_of(CHANGE.c.entity, plugin)).distinct()
    others = exists().where(CHANGE.c.set_id == CHANGE_SET.c.id, ~_of(CHANGE.c.entity, plugin))
    only = select(CHANGE_SET.c.id).where(CHANGE_SET.c.id.in_(own), ~others)
    emptied = list(ctx.connection.execute(only).scalars())
    ctx.connection.execute(delete(CHANGE).where(_of(CHANGE.c.entity, plugin)))
    for start in range(0, len(emptied), 500):
        ctx.connection.execute(
            delete(CHANGE_SET).where(CHANGE_SET.c.id.in_(emptied[start : start + 500]))
        )


# roles and tokens -----------------------------------------------------------------------------------------------------


def names_plugin(pattern: str, plugin: str) -> bool:
    """Say whether a pattern of permissions is about the plugin alone.

    >>> [names_plugin(p, "sales") for p in ("sales.*", "-sales.order.read", "salesplus.*", "*")]
    [True, True, False, False]
    """
    return pattern.removeprefix("-").startswith(plugin + ".")


def _left_of(permissions: list[str], plugin: str) -> list[str]:
    """Give the permissions without those of the plugin.

    What is denied stays denied where a wider grant is left: a plugin that comes back must not be open to a role that
    was kept out of it.

    >>> _left_of(["sales.*", "-sales.order.purge", "core.*"], "sales")
    ['core.*']
    >>> _left_of(["*", "-sales.order.purge"], "sales")
    ['*', '-sales.order.purge']
    """
    left = [one for one in permissions if not names_plugin(one, plugin)]
    return (
        [one for one in permissions if one in left or one.startswith("-")]
        if _is_wide(left)
        else left
    )


def _is_wide(permissions: list[str]) -> bool:
    return any(one.startswith("*") for one in permissions)


def _mended(holder: Entity, plugin: str) -> dict[str, Any]:
    """Give the values that a role or a token is to have, where they are others than it has."""
    held = holder.get("permissions")
    if held is None:
        return {}
    permissions = _left_of(held, plugin)
    made: dict[str, Any] = {"permissions": permissions}
    if isinstance(holder, Token):
        # No permission at all would mean all that its user may do.
        made["permissions"] = permissions or (["-*"] if held else held)
    elif not _is_wide(permissions):
        made["scopes"] = {
            n: r for n, r in holder.get("scopes").items() if not names_plugin(n, plugin)
        }
    return {name: value for name, value in made.items() if value != getattr(holder, name)}


def _count_holders(connection: Connection, plugin: str, _package: str) -> int:
    roles, tokens = Role.info.table, Token.info.table
    held = [
        *(
            Role(permissions=p, scopes=s)
            for p, s in connection.execute(select(roles.c.permissions, roles.c.scopes))
        ),
        *(Token(permissions=p) for p in connection.execute(select(tokens.c.permissions)).scalars()),
    ]
    return sum(bool(_mended(one, plugin)) for one in held)


def _purge_holders(ctx: Context, plugin: str, _package: str) -> None:
    for one in (*ctx.session.scalars(select(Role)), *ctx.session.scalars(select(Token))):
        for name, value in _mended(one, plugin).items():
            setattr(one, name, value)
    ctx.flush()


# settings about its records -------------------------------------------------------------------------------------------


def _about(entity: type[Entity]) -> tuple[Callable[..., int], Callable[..., None]]:
    """Count and delete the records that say in `entity` which records they are for."""
    return _rows(entity.info.table, entity.info.table.c.entity)


# what the deployment remembers ----------------------------------------------------------------------------------------


def _keys(connection: Connection, plugin: str) -> list[str]:
    keys = connection.execute(select(META.c.key)).scalars()
    return [key for key in keys if key.startswith(plugin + ".") or key.endswith("." + plugin)]


def _count_keys(connection: Connection, plugin: str, _package: str) -> int:
    return len(_keys(connection, plugin))


def _purge_keys(ctx: Context, plugin: str, _package: str) -> None:
    ctx.connection.execute(delete(META).where(META.c.key.in_(_keys(ctx.connection, plugin))))


for _trace in (
    Trace("search", _("documents of the search"), *_rows(DOCUMENT, DOCUMENT.c.entity)),
    Trace("external_keys", _("keys of other systems"), *_rows(EXTERNAL, EXTERNAL.c.entity)),
    Trace("facts", _("facts in the outbox"), _count_facts, _purge_facts),
    Trace("deliveries", _("facts it has not heard yet"), _count_debts, _purge_debts),
    Trace(
        "changes", _("entries of the change log"), _rows(CHANGE, CHANGE.c.entity)[0], _purge_changes
    ),
    Trace("roles", _("roles and tokens that name it"), _count_holders, _purge_holders),
    Trace("custom_fields", _("custom fields of its records"), *_about(CustomField)),
    Trace("views", _("saved views of its records"), *_about(SavedView)),
    Trace("import_templates", _("import templates of its records"), *_about(ImportTemplate)),
    Trace("meta", _("what the deployment remembers of it"), _count_keys, _purge_keys),
):
    register(_trace)
