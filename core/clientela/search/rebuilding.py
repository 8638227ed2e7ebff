"""Making every document anew, while the deployment serves: after an upgrade that changed how words are kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import delete, exists, insert, select

from clientela.access.principal import system
from clientela.entity import EntityInfo
from clientela.search.documents import DOCUMENT, sources, values_in, words_from
from clientela.storage.meta import forget, recall, remember

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.context import Context

BATCH = 1_000
PLACE = "search.rebuilding"
# Before and behind every key.
FIRST_KEY, LAST_KEY = "0" * 26, "7" + "Z" * 25

Progress = Callable[[str, int], None]


def rebuild(
    app: App, *, anew: bool = False, batch: int = BATCH, progress: Progress | None = None
) -> int:
    """Make the documents of all records anew and give how many there are; one that was broken off goes on.

    Each batch is a transaction that holds its records, so that nobody changes one between its reading and its words.
    """
    who = system("search")
    place = [] if anew else _place(app)
    total = 0
    for info in _entities(app, place):
        after: str | None = place[1] if place and place[0] == info.name else FIRST_KEY
        while after is not None:
            work = partial(_batch, info=info, after=after, size=batch)
            after, made = app.perform(who, work, face="cli")
            total += made
            if progress is not None:
                progress(info.name, made)
    app.perform(who, lambda ctx: forget(ctx.connection, PLACE), face="cli")
    return total


def rebuild_one(app: App, info: EntityInfo, *, batch: int = BATCH) -> None:
    """Make the documents of one entity anew: other fields of it are searched than before."""
    after: str | None = FIRST_KEY
    while after is not None:
        work = partial(_documents, info=info, after=after, size=batch)
        after, _made = app.perform(system("search"), work, face="cli")


def _place(app: App) -> list[str]:
    """Give the entity and the key that the last run came to, if it was broken off."""
    with app.db.read() as connection:
        return list(recall(connection, PLACE).get("", []))


def _entities(app: App, place: list[str]) -> list[EntityInfo]:
    infos = sorted((i for i in app.registry.entities.values() if sources(i)), key=lambda i: i.name)
    return [info for info in infos if not place or info.name >= place[0]]


def _batch(ctx: Context, info: EntityInfo, after: str, size: int) -> tuple[str | None, int]:
    """Write the documents of a batch, and remember how far that is."""
    last, made = _documents(ctx, info, after, size)
    remember(ctx.connection, PLACE, [info.name, last or LAST_KEY])
    return last, made


def _documents(ctx: Context, info: EntityInfo, after: str, size: int) -> tuple[str | None, int]:
    """Write the documents of the records behind a key; give the last of their keys, or None at the end."""
    table = info.table
    fields = [source.field for source in sources(info)]
    columns = [column for declared in fields for column in declared.selected_in(table)]
    query = (
        select(table.c.id, *columns)
        .where(table.c.id > after, table.c.deleted_at.is_(None))
        .order_by(table.c.id)
        .limit(size)
    )
    if not ctx.app.db.is_sqlite:
        query = query.with_for_update(read=True)
    rows = ctx.connection.execute(query).fetchall()
    last = rows[-1][0] if len(rows) == size else None
    _forget(ctx, info, after, last, [row[0] for row in rows])
    made = [
        {
            "record_id": row[0],
            "entity": info.name,
            "words": words_from(info, {f.name: value for f, value in values_in(fields, row[1:])}),
        }
        for row in rows
    ]
    if made:
        ctx.connection.execute(insert(DOCUMENT), made)
    return last, len(made)


def _forget(ctx: Context, info: EntityInfo, after: str, last: str | None, keys: list[str]) -> None:
    """Delete the documents of these records, and of those between them that are no more."""
    ctx.connection.execute(delete(DOCUMENT).where(DOCUMENT.c.record_id.in_(keys)))
    table = info.table
    there = exists().where(table.c.id == DOCUMENT.c.record_id, table.c.deleted_at.is_(None))
    between = [DOCUMENT.c.record_id > after, *([DOCUMENT.c.record_id <= last] if last else [])]
    ctx.connection.execute(delete(DOCUMENT).where(DOCUMENT.c.entity == info.name, *between, ~there))
