"""Writing a batch: records, change log, outbox and search documents, in bulk and in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, delete, update

from clientela import facts as told
from clientela import ids
from clientela.entity import EntityInfo
from clientela.errors import Stale
from clientela.exchange.batches import Batch, Known, Values
from clientela.exchange.facts import RecordsImported
from clientela.exchange.keys import hexadecimal, letters, new_keys
from clientela.exchange.storing import Already, driver, driver_errors, insert
from clientela.fields import Field
from clientela.history import CHANGE, CHANGE_SET, ChangeSet
from clientela.i18n.texts import _
from clientela.kinds.base import Kind
from clientela.members import is_member, with_members
from clientela.search import DOCUMENT, words_from

if TYPE_CHECKING:
    from clientela.context import Context

# One statement for the whole batch: the full-text index is flushed after each statement, whatever it inserted.
_SQLITE_CREATED = (
    "INSERT INTO core_change (id, set_id, entity, record_id, kind, rev) "
    "SELECT json_extract(value, '$[0]'), ?, ?, json_extract(value, '$[1]'), 'create', 1 FROM json_each(?)"
)
_SQLITE_WORDS = (
    "INSERT INTO core_search (record_id, entity, words) "
    "SELECT json_extract(value, '$[0]'), ?, json_extract(value, '$[1]') FROM json_each(?)"
)


def write(ctx: Context, info: EntityInfo, batch: Batch, *, notify: bool) -> str | None:
    """Write what a batch changes and give its change set; None when it changes nothing."""
    changed = [known for known in batch.known.values() if known.before]
    if not batch.created and not changed:
        return None
    ctx.changes = ChangeSet(ids.new_key(), info.permission("import"))
    set_id = ctx.changes.id
    _write_set(ctx, set_id, len(batch.created) + len(changed))
    if batch.created:
        _write_created(ctx, info, batch, set_id)
    if changed:
        _write_changed(ctx, info, changed, set_id)
    fact = RecordsImported(
        entity=info.name, created=len(batch.created), updated=len(changed), set_id=set_id
    )
    ctx.tell(fact)
    if notify:
        _tell_each(ctx, info, batch, changed)
    return set_id


def _write_set(ctx: Context, set_id: str, rows: int) -> None:
    row = {
        "id": set_id, "at": ctx.now, "actor": ctx.principal.id, "face": ctx.face,
        "action": ctx.changes.action if ctx.changes else "", "reason": ctx.reason,
        "cause": ctx.cause, "undoes": None, "request_id": ctx.request_id, "rows": rows,
    }  # fmt: skip
    ctx.connection.execute(CHANGE_SET.insert(), row)


def _tell_each(ctx: Context, info: EntityInfo, batch: Batch, changed: Sequence[Known]) -> None:
    for values in batch.created:
        ctx.tell(told.RecordCreated(entity=info.name, record=info.public_id(values["id"])))
    for known in changed:
        ctx.tell(
            told.RecordChanged(
                entity=info.name,
                record=info.public_id(known.values["id"]),
                fields=tuple(sorted(known.before)),
            )
        )


# new records --------------------------------------------------------------------------------------------------------


def _write_created(ctx: Context, info: EntityInfo, batch: Batch, set_id: str) -> None:
    keys = [values["id"] for values in batch.created]
    numbers = [batch.numbers[key] for key in keys]
    stored = Already(keys if ctx.app.db.is_sqlite else hexadecimal(numbers))
    columns: dict[str, list[Any]] = {"id": stored}
    for name, declared in info.cls.info.fields.items():
        if name != "id":
            columns |= _spread(declared, [values[name] for values in batch.created])
    if info.custom:
        columns["custom"] = [_custom(info, values, values["custom"]) for values in batch.created]
    insert(ctx.connection, info.table, columns)
    _log_created(ctx, info, stored, set_id)
    if info.search_fields:
        _write_words(ctx, info, stored, [words_from(info, values) for values in batch.created])


def _custom(info: EntityInfo, values: Values, kept: Values | None) -> Values:
    """Give the members of a record: those of its custom fields, and those of which nothing is known just now."""
    return with_members(kept, {f.name: f.logged(values[f.name]) for f in info.custom})


def _spread(declared: Field, values: list[Any]) -> dict[str, list[Any]]:
    """Give the values of a field by column."""
    if type(declared.kind).to_columns is Kind.to_columns:
        return {declared.columns[0].name: values}
    if values.count(None) == len(values):
        return {column.name: values for column in declared.columns}
    parts = zip(*map(declared.kind.to_columns, values), strict=True)
    return {c.name: list(part) for c, part in zip(declared.columns, parts, strict=True)}


def _log_created(ctx: Context, info: EntityInfo, records: Already, set_id: str) -> None:
    drawn = new_keys(len(records))
    if ctx.app.db.is_sqlite:
        pairs = list(zip(letters(drawn), records, strict=True))
        _sqlite_json(ctx, _SQLITE_CREATED, (set_id, info.name), pairs)
        return
    many = len(records)
    insert(
        ctx.connection,
        CHANGE,
        {
            "id": Already(hexadecimal(drawn)), "set_id": [set_id] * many, "entity": [info.name] * many,
            "record_id": records, "kind": ["create"] * many, "rev": [1] * many,
        },
    )  # fmt: skip


def _sqlite_json(ctx: Context, statement: str, constants: tuple[str, ...], rows: Any) -> None:
    with driver_errors(ctx.connection):
        driver(ctx.connection).execute(statement, (*constants, orjson.dumps(rows).decode()))


# words --------------------------------------------------------------------------------------------------------------


def _write_words(ctx: Context, info: EntityInfo, records: Already, words: list[str]) -> None:
    if ctx.app.db.is_sqlite:
        rows = list(zip(records, words, strict=True))
        _sqlite_json(ctx, _SQLITE_WORDS, (info.name,), rows)
        return
    columns = {"record_id": records, "entity": [info.name] * len(words), "words": words}
    insert(ctx.connection, DOCUMENT, columns)


# changed records ----------------------------------------------------------------------------------------------------


def _write_changed(ctx: Context, info: EntityInfo, changed: Sequence[Known], set_id: str) -> None:
    groups: dict[tuple[str, ...], list[Known]] = {}
    for known in changed:
        groups.setdefault(tuple(sorted(known.before)), []).append(known)
    for names, members in groups.items():
        _update(ctx, info, names, members)
    ctx.connection.execute(
        CHANGE.insert(),
        [
            {
                "id": ids.new_key(), "set_id": set_id, "entity": info.name,
                "record_id": known.values["id"], "kind": "update",
                "rev": known.stored["rev"] + 1, "before": known.before,
            }
            for known in changed
        ],
    )  # fmt: skip
    if info.search_fields:
        _write_words_again(ctx, info, changed)


def _update(ctx: Context, info: EntityInfo, names: Sequence[str], members: Sequence[Known]) -> None:
    table = info.table
    columns = [column.name for name in names for column in info.fields[name].columns]
    custom = any(is_member(name) for name in names)
    columns += ["custom"] if custom else []
    statement = (
        update(table)
        .where(table.c.id == bindparam("the_id"), table.c.rev == bindparam("the_rev"))
        .values({name: bindparam(f"new_{name}") for name in columns})
        .values(rev=table.c.rev + 1, updated_at=ctx.now, updated_by=ctx.principal.id)
    )
    rows = []
    for known in members:
        row = {"the_id": known.values["id"], "the_rev": known.stored["rev"]}
        for name in names:
            declared = info.fields[name]
            parts = declared.kind.to_columns(known.values[name])
            if not is_member(name):
                row |= {f"new_{c.name}": p for c, p in zip(declared.columns, parts, strict=True)}
        if custom:
            row["new_custom"] = _custom(info, known.values, known.stored["custom"])
        rows.append(row)
    done = ctx.connection.execute(statement, rows)
    if done.rowcount not in (-1, len(rows)):
        raise Stale(
            _(
                "Somebody else changed one of these {nouns} meanwhile; import them again.",
                nouns=info.nouns,
            )
        )


def _write_words_again(ctx: Context, info: EntityInfo, changed: Sequence[Known]) -> None:
    keys = [known.values["id"] for known in changed]
    ctx.connection.execute(delete(DOCUMENT).where(DOCUMENT.c.record_id.in_(keys)))
    stored = keys if ctx.app.db.is_sqlite else [ids.uuid_from_key(key) for key in keys]
    _write_words(ctx, info, Already(stored), [words_from(info, known.values) for known in changed])
