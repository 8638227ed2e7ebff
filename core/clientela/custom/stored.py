"""The values that records already have: counted before a definition changes, moved or taken away in bounded batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, bindparam, func, select, update

from clientela.errors import Conflict
from clientela.history import Change
from clientela.i18n.texts import _
from clientela.members import with_members

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo
    from clientela.members import MemberField

Members = dict[str, Any]

BATCH = 1_000
NAMED = 5


class ValuesInTheWay(Conflict):
    """Stored values do not fit what a custom field is to become."""

    code = "values-in-the-way"
    title = _("Stored values do not fit")


def has_values(ctx: Context, info: EntityInfo, field: MemberField) -> bool:
    """Say whether any record has a value, in the trash too."""
    query = select(info.table.c.id).where(_present(info, field)).limit(1)
    return ctx.connection.execute(query).first() is not None


def refuse_lacking(ctx: Context, info: EntityInfo, field: MemberField) -> None:
    """Refuse to require a field that records lack."""
    lacking = ~_present(info, field)
    count = ctx.connection.execute(
        select(func.count()).select_from(info.table).where(lacking)
    ).scalar_one()
    if count:
        some = select(info.table.c.id).where(lacking).order_by(info.table.c.id).limit(NAMED)
        raise _in_the_way(
            info, count, list(ctx.connection.execute(some).scalars()),
            _(
                "{count} {nouns} have no {field}; fill them first, or give the field a default.",
                count=count, nouns=info.nouns, field=field.name,
            ),
        )  # fmt: skip


def refuse_duplicates(ctx: Context, info: EntityInfo, field: MemberField) -> None:
    """Refuse uniqueness where records share a value."""
    (value,) = field.columns_in(info.table)
    shared = (
        select(value.label("value"))
        .where(_present(info, field))
        .group_by(value)
        .having(func.count() > 1)
        .subquery()
    )
    having = value.in_(select(shared.c.value))
    count = ctx.connection.execute(
        select(func.count()).select_from(info.table).where(having)
    ).scalar_one()
    if count:
        some = select(info.table.c.id).where(having).order_by(value, info.table.c.id).limit(NAMED)
        raise _in_the_way(
            info, count, list(ctx.connection.execute(some).scalars()),
            _("{count} {nouns} share their {field} with others.", count=count, nouns=info.nouns, field=field.name),
        )  # fmt: skip


def refuse_unfit(ctx: Context, info: EntityInfo, old: MemberField, new: MemberField) -> None:
    """Refuse options that stored values break."""
    count = 0
    some: list[str] = []
    for row in _rows(ctx, info, _present(info, old)):
        if not _fits(new, old.read(row.custom.get(old.name))):
            count += 1
            some += [row.id] if len(some) < NAMED else []
    if count:
        raise _in_the_way(
            info, count, some,
            _(
                "{count} {nouns} have a {field} that would not fit any more.",
                count=count, nouns=info.nouns, field=old.name,
            ),
        )  # fmt: skip


def _fits(field: MemberField, value: Any) -> bool:
    try:
        field.kind.load(field.kind.dump(value))
    except ValueError:
        return False
    return True


def _in_the_way(info: EntityInfo, count: int, keys: list[str], sentence: str) -> ValuesInTheWay:
    named = [info.public_id(key) for key in keys]
    sentence = sentence + _("The first are {ids}.", ids=", ".join(named))
    return ValuesInTheWay(sentence, extra={"count": count, "records": named})


# changing ----------------------------------------------------------------------------------------------------------


def fill(ctx: Context, info: EntityInfo, field: MemberField) -> None:
    """Give the default to the records that have no value."""
    raw = field.logged(field.initial())
    sweep(ctx, info, ~_present(info, field), lambda _custom: {field.name: raw})


def clear(ctx: Context, info: EntityInfo, field: MemberField) -> None:
    """Take the value from every record."""
    sweep(ctx, info, _present(info, field), lambda _custom: {field.name: None})


def move(ctx: Context, info: EntityInfo, field: MemberField, name: str) -> None:
    """Keep the value of every record under another name."""
    sweep(
        ctx,
        info,
        _present(info, field),
        lambda custom: {field.name: None, name: custom[field.name]},
    )


def sweep(
    ctx: Context,
    info: EntityInfo,
    condition: ColumnElement[bool],
    change: Callable[[Members], Members],
) -> None:
    """Change members of many records in bounded batches, each with its line in the change log."""
    table = info.table
    statement = (
        update(table)
        .where(table.c.id == bindparam("the_id"))
        .values(custom=bindparam("new_custom", type_=table.c.custom.type))
        .values(rev=table.c.rev + 1, updated_at=ctx.now, updated_by=ctx.principal.id)
    )
    for batch in _batches(ctx, info, condition):
        rows = []
        for row in batch:
            old = row.custom or {}
            members = change(old)
            rows.append({"the_id": row.id, "new_custom": with_members(old, members)})
            before = {name: old.get(name) for name in members}
            ctx.change_set().changes.append(
                Change(info.name, row.id, "update", row.rev + 1, before)
            )
        ctx.connection.execute(statement, rows)
        ctx.spill()


def _present(info: EntityInfo, field: MemberField) -> ColumnElement[bool]:
    return field.columns_in(info.table)[0].is_not(None)


def _rows(ctx: Context, info: EntityInfo, condition: ColumnElement[bool]) -> Iterator[Any]:
    for batch in _batches(ctx, info, condition):
        yield from batch


def _batches(ctx: Context, info: EntityInfo, condition: ColumnElement[bool]) -> Iterator[list[Any]]:
    table = info.table
    query = select(table.c.id, table.c.rev, table.c.custom).where(condition)
    query = query.order_by(table.c.id).limit(BATCH)
    if not ctx.app.db.is_sqlite:
        query = query.with_for_update()
    last = None
    while True:
        further = query if last is None else query.where(table.c.id > last)
        batch = list(ctx.connection.execute(further))
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        last = batch[-1].id
