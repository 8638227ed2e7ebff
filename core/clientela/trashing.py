"""What goes to the trash with a record and comes back with it: the records that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, literal, select, union_all

from clientela.bulk.drafts import draft
from clientela.bulk.records import Writer
from clientela.bulk.values import Known, stored_values
from clientela.entity import Entity, EntityInfo
from clientela.fields import Field

if TYPE_CHECKING:
    from clientela.context import Context

BATCH = 2_000


def take_along(
    ctx: Context, record: Entity, *, was: datetime | None, becomes: datetime | None
) -> None:
    """Let what belongs to a record follow it: into the trash what is not there yet, out of it what came with it.

    What somebody had put into the trash before has another moment, and stays.
    """
    ctx.flush()
    _follow(ctx, record.info, [record.id], was=was, becomes=becomes)


def _follow(
    ctx: Context,
    info: EntityInfo,
    keys: Sequence[str],
    *,
    was: datetime | None,
    becomes: datetime | None,
) -> None:
    for child, declared in _belonging(ctx, info, keys):
        for rows in _rows(ctx, child, declared, keys, was):
            changed = [Known(child, one, one | {"deleted_at": becomes}) for one in rows]
            if becomes is not None and ctx.app.hooks.anybody("record_trashing"):
                for one in rows:
                    ctx.hook.record_trashing(ctx=ctx, record=draft(child, dict(one)))
            ctx.change_set().open(ctx, child.name, len(changed))
            Writer(ctx).change(child, changed)
            if child.name != info.name:
                _follow(ctx, child, [one["id"] for one in rows], was=was, becomes=becomes)


def _belonging(
    ctx: Context, info: EntityInfo, keys: Sequence[str]
) -> Iterator[tuple[EntityInfo, Field]]:
    """Give the entities of which any record belongs to these; one statement finds them."""
    known = {
        f"{other.name}.{name}": (other, other.fields[name])
        for other, name in ctx.app.registry.referring(info)
        if other.fields[name].parent and "trash" in other.verbs
    }
    if not known:
        return
    probes = [
        select(literal(name)).where(exists().where(field.columns[0].in_(keys)))
        for name, (_other, field) in known.items()
    ]
    for (name,) in ctx.connection.execute(union_all(*probes)).fetchall():
        yield known[name]


def _rows(
    ctx: Context, child: EntityInfo, declared: Field, keys: Sequence[str], was: datetime | None
) -> Iterator[list[dict[str, Any]]]:
    """Give the records that are to follow, in bounded lists; those that did are not met again."""
    table = child.table
    stands = table.c.deleted_at.is_(None) if was is None else table.c.deleted_at == was
    query = select(table).where(declared.columns[0].in_(keys), stands).limit(BATCH)
    while rows := ctx.connection.execute(query).mappings().fetchall():
        yield [stored_values(child, row) for row in rows]
