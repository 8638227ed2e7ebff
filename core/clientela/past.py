"""The past: what an entity's records were at a moment, folded backwards from the present.

A context that was opened `as_of` a moment reads every entity through `table`: the rows that nobody touched since,
straight from the entity's own table, and beside them the rows that were touched, folded back and kept in a temporary
table for the time of the transaction. The cost is that of what changed since, not of what there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, FromClause, MetaData, Table, func, select, union_all

from clientela.history import CHANGE, CHANGE_SET
from clientela.members import is_member, with_members
from clientela.storage.types import Key

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo

Row = dict[str, Any]

BATCH = 1_000


class Past:
    """The entities of one context at one moment; each is folded when it is first read."""

    def __init__(self, ctx: Context, moment: datetime) -> None:
        self._ctx = ctx
        self.moment = moment
        self._tables: dict[str, FromClause] = {}

    def table(self, info: EntityInfo) -> FromClause:
        """Give what to select from in place of the entity's table; the columns have the same names."""
        known = self._tables.get(info.name)
        if known is None:
            known = self._tables[info.name] = self._fold(info)
        return known

    def _fold(self, info: EntityInfo) -> FromClause:
        touched = _scratch(f"touched_{info.table.name}", [Column("id", Key, primary_key=True)])
        folded = _scratch(
            f"past_{info.table.name}",
            [Column(c.name, c.type, nullable=True) for c in info.table.columns],
        )
        for table in (touched, folded):
            table.create(self._ctx.connection)
        for batch in batches(self._records(info)):
            self._ctx.connection.execute(touched.insert(), [{"id": key} for key, _ in batch])
            rows = [row for _, row in batch if row is not None]
            if rows:
                self._ctx.connection.execute(folded.insert(), rows)
        own = info.table
        untouched = select(*own.columns).where(
            own.c.created_at <= self.moment, own.c.id.not_in(select(touched.c.id))
        )
        return union_all(untouched, select(*folded.columns)).subquery(own.name)

    def _records(self, info: EntityInfo) -> Iterator[tuple[str, Row | None]]:
        """Give each record that was touched since the moment, as it was then; None where it was not."""
        query = (
            select(CHANGE.c.record_id, CHANGE.c.kind, CHANGE.c.rev, CHANGE.c.before)
            .join_from(CHANGE, CHANGE_SET, CHANGE_SET.c.id == CHANGE.c.set_id)
            .where(CHANGE.c.entity == info.name, CHANGE_SET.c.at > self.moment)
            .order_by(CHANGE.c.record_id, CHANGE.c.rev.desc(), CHANGE.c.id.desc())
        )
        changes = self._ctx.connection.execute(query).fetchall()
        for part in batches(
            [(key, list(found)) for key, found in groupby(changes, lambda c: c.record_id)]
        ):
            present = self._present(info, [key for key, _ in part])
            stamps = self._stamps(info, [key for key, _ in part])
            for key, found in part:
                row = _folded(info, present.get(key), found)
                yield key, None if row is None else row | stamps.get(key, {})

    def _present(self, info: EntityInfo, keys: list[str]) -> dict[str, Row]:
        rows = self._ctx.connection.execute(select(info.table).where(info.table.c.id.in_(keys)))
        return {row.id: dict(row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's spelling

    def _stamps(self, info: EntityInfo, keys: list[str]) -> dict[str, Row]:
        """Find who wrote each record last at that moment: the log says it, the record no longer does."""
        last = (
            select(CHANGE.c.record_id, func.max(CHANGE.c.rev).label("rev"))
            .join_from(CHANGE, CHANGE_SET, CHANGE_SET.c.id == CHANGE.c.set_id)
            .where(
                CHANGE.c.entity == info.name,
                CHANGE.c.record_id.in_(keys),
                CHANGE_SET.c.at <= self.moment,
            )
            .group_by(CHANGE.c.record_id)
            .subquery()
        )
        query = (
            select(CHANGE.c.record_id, CHANGE.c.rev, CHANGE_SET.c.at, CHANGE_SET.c.actor)
            .join_from(CHANGE, CHANGE_SET, CHANGE_SET.c.id == CHANGE.c.set_id)
            .join(last, (last.c.record_id == CHANGE.c.record_id) & (last.c.rev == CHANGE.c.rev))
        )
        return {
            row.record_id: {"rev": row.rev, "updated_at": row.at, "updated_by": row.actor}
            for row in self._ctx.connection.execute(query)
        }


def _folded(info: EntityInfo, present: Row | None, newest_first: Iterable[Any]) -> Row | None:
    """Take the changes off one by one, the newest first."""
    row = present
    for change in newest_first:
        if change.kind == "create":
            row = None  # and yet it may have been there before: a purge can be taken back
        elif change.kind == "purge":
            row = _columns(info, change.before, every=True)
        elif row is not None:
            row = row | _columns(info, change.before or {}, every=False)
            row["custom"] = with_members(row["custom"], _members(change.before or {}))
    return row


def _members(before: dict[str, Any]) -> dict[str, Any]:
    return {name: raw for name, raw in before.items() if is_member(name)}


def _columns(info: EntityInfo, before: dict[str, Any], *, every: bool) -> Row:
    """Spread old values over the columns they came from."""
    made: Row = {}
    for name, declared in info.cls.info.fields.items():
        if name not in before and not every:
            continue
        raw = before.get(name)
        value = None if raw is None else declared.kind.revive(raw)
        parts = declared.kind.to_columns(value)
        made |= {column.name: part for column, part in zip(declared.columns, parts, strict=True)}
    return made


def _scratch(name: str, columns: list[Column[Any]]) -> Table:
    """Describe a temporary table, which goes when the transaction is rolled back."""
    return Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])


def batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    """Give the items in lists of a bounded length."""
    batch: list[Any] = []
    for item in items:
        batch.append(item)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
