"""Writing many records of one change set: rows, change log and search documents, a statement each per batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, delete, update

from clientela import ids
from clientela.bulk.keys import hexadecimal, letters, new_keys
from clientela.bulk.storing import Already, driver, driver_errors, insert
from clientela.bulk.values import CUSTOM, Known, Values, members_of, whole_of
from clientela.entity import EntityInfo
from clientela.errors import Stale
from clientela.external import forget_names, names_of
from clientela.fields import Field
from clientela.history import CHANGE, EXTERNAL_NAMES, MOST_SHOWN, Change
from clientela.i18n.texts import _
from clientela.kinds.base import Kind
from clientela.members import is_member
from clientela.search import DOCUMENT, words_from

if TYPE_CHECKING:
    from clientela.context import Context

# One statement for the whole batch: the full-text index is flushed after each statement, whatever it inserted.
_SQLITE_CREATED = (
    "INSERT INTO core_change (id, set_id, entity, record_id, kind, rev) "
    "SELECT json_extract(value, '$[0]'), ?, ?, json_extract(value, '$[1]'), 'create', ? FROM json_each(?)"
)
_SQLITE_WORDS = (
    "INSERT INTO core_search (record_id, entity, words) "
    "SELECT json_extract(value, '$[0]'), ?, json_extract(value, '$[1]') FROM json_each(?)"
)


class Writer:
    """Writes records into the change set of a context, which must be open."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._set = ctx.change_set()
        self._set_id = self._set.id
        self._sqlite = ctx.app.db.is_sqlite

    # new records ------------------------------------------------------------------------------------------------

    def create(
        self, info: EntityInfo, records: Sequence[Values], numbers: Sequence[int] | None = None
    ) -> None:
        """Insert records; `numbers` are their keys as numbers, where the caller drew them."""
        stored = self._stored_keys([values["id"] for values in records], numbers)
        columns: dict[str, list[Any]] = {"id": stored}
        for name, declared in info.cls.info.fields.items():
            if name != "id":
                columns |= _spread(declared, [values[name] for values in records])
        if info.custom:
            columns[CUSTOM] = [members_of(info, values) for values in records]
        insert(self._ctx.connection, info.table, columns)
        self._log_created(info, stored, [values["rev"] for values in records])
        self._show(info, [(values["id"], "create", values["rev"], None) for values in records])
        live = [place for place, values in enumerate(records) if values["deleted_at"] is None]
        if info.search_fields and live:
            words = [words_from(info, records[place]) for place in live]
            self._write_words(info, Already([stored[place] for place in live]), words)

    def _stored_keys(self, keys: list[str], numbers: Sequence[int] | None) -> Already:
        if self._sqlite:
            return Already(keys)
        return Already(hexadecimal(list(numbers or map(ids.int_from_key, keys))))

    def _show(self, info: EntityInfo, lines: Sequence[tuple[str, str, int, Values | None]]) -> None:
        """Remember the first changes for whoever only looks."""
        if self._ctx.dry_run and len(self._set.shown) < MOST_SHOWN:
            self._set.shown += [Change(info.name, *line) for line in lines]

    def _log_created(self, info: EntityInfo, records: Already, revs: list[int]) -> None:
        drawn = new_keys(len(records))
        if self._sqlite and revs.count(revs[0]) == len(revs):
            pairs = list(zip(letters(drawn), records, strict=True))
            self._sqlite_json(_SQLITE_CREATED, (self._set_id, info.name, revs[0]), pairs)
            return
        many = len(records)
        log = {
            "id": Already(letters(drawn) if self._sqlite else hexadecimal(drawn)),
            "set_id": [self._set_id] * many, "entity": [info.name] * many,
            "record_id": records, "kind": ["create"] * many, "rev": revs,
        }  # fmt: skip
        insert(self._ctx.connection, CHANGE, log)

    def _sqlite_json(self, statement: str, constants: tuple[Any, ...], rows: Any) -> None:
        with driver_errors(self._ctx.connection):
            values = (*constants, orjson.dumps(rows).decode())
            driver(self._ctx.connection).execute(statement, values)

    def _write_words(self, info: EntityInfo, records: Already, words: list[str]) -> None:
        if self._sqlite:
            self._sqlite_json(_SQLITE_WORDS, (info.name,), list(zip(records, words, strict=True)))
            return
        columns = {"record_id": records, "entity": [info.name] * len(words), "words": words}
        insert(self._ctx.connection, DOCUMENT, columns)

    # changed records --------------------------------------------------------------------------------------------

    def change(self, info: EntityInfo, changed: Sequence[Known]) -> None:
        """Update records, each only while it still has the revision that was read; raises `Stale`."""
        before = [known.before for known in changed]
        groups: dict[tuple[str, ...], list[Known]] = {}
        for known, fields in zip(changed, before, strict=True):
            groups.setdefault(tuple(sorted(fields)), []).append(known)
        for names, members in groups.items():
            self._update(info, names, members)
        self._log(info, [
            (known.values["id"], known.kind, known.stored["rev"] + 1, fields)
            for known, fields in zip(changed, before, strict=True)
        ])  # fmt: skip
        if info.search_fields:
            self._write_words_again(info, changed)

    def _update(self, info: EntityInfo, names: Sequence[str], members: Sequence[Known]) -> None:
        table = info.table
        own = [name for name in names if not is_member(name)]
        columns = [column.name for name in own for column in info.fields[name].columns]
        custom = len(own) < len(names)
        statement = (
            update(table)
            .where(table.c.id == bindparam("the_id"), table.c.rev == bindparam("the_rev"))
            .values({n: bindparam(f"new_{n}") for n in (*columns, *([CUSTOM] if custom else []))})
            .values(
                rev=table.c.rev + 1, updated_at=self._ctx.now, updated_by=self._ctx.principal.id
            )
        )
        rows = []
        for known in members:
            row = {"the_id": known.values["id"], "the_rev": known.stored["rev"]}
            for name in own:
                declared = info.fields[name]
                parts = declared.kind.to_columns(known.values[name])
                row |= {f"new_{c.name}": p for c, p in zip(declared.columns, parts, strict=True)}
            if custom:
                row[f"new_{CUSTOM}"] = members_of(info, known.values)
            rows.append(row)
        done = self._ctx.connection.execute(statement, rows)
        if done.rowcount not in (-1, len(rows)):
            raise Stale(
                _(
                    "Somebody else changed one of these {nouns} meanwhile; try again.",
                    nouns=info.nouns,
                )
            )

    def _write_words_again(self, info: EntityInfo, changed: Sequence[Known]) -> None:
        self._forget_words([known.values["id"] for known in changed])
        live = [known.values for known in changed if known.values["deleted_at"] is None]
        if live:
            stored = self._stored_keys([values["id"] for values in live], None)
            self._write_words(info, stored, [words_from(info, values) for values in live])

    def _forget_words(self, keys: list[str]) -> None:
        self._ctx.connection.execute(delete(DOCUMENT).where(DOCUMENT.c.record_id.in_(keys)))

    # records that go --------------------------------------------------------------------------------------------

    def purge(self, info: EntityInfo, records: Sequence[Values]) -> None:
        """Delete records for good; the log keeps each whole, with the names that other systems have for it."""
        keys = [values["id"] for values in records]
        names = names_of(self._ctx, keys)
        self._log(info, [
            (values["id"], "purge", values["rev"] + 1, _before_purge(info, values, names))
            for values in records
        ])  # fmt: skip
        self._forget_words(keys)
        forget_names(self._ctx, keys)
        # One statement: records of one batch may refer to each other, and keys are compared at its end.
        self._ctx.connection.execute(delete(info.table).where(info.table.c.id.in_(keys)))

    def _log(self, info: EntityInfo, lines: Sequence[tuple[str, str, int, Values]]) -> None:
        drawn = letters(new_keys(len(lines)))
        rows = [
            {
                "id": key, "set_id": self._set_id, "entity": info.name, "record_id": record,
                "kind": kind, "rev": rev, "before": before,
            }
            for key, (record, kind, rev, before) in zip(drawn, lines, strict=True)
        ]  # fmt: skip
        self._ctx.connection.execute(CHANGE.insert(), rows)
        self._show(info, lines)


def _before_purge(info: EntityInfo, values: Values, names: dict[str, list[list[str]]]) -> Values:
    known = names.get(values["id"])
    return whole_of(info, values) | ({EXTERNAL_NAMES: known} if known else {})


def _spread(declared: Field, values: list[Any]) -> dict[str, list[Any]]:
    """Give the values of a field by column."""
    if type(declared.kind).to_columns is Kind.to_columns:
        return {declared.columns[0].name: values}
    if values.count(None) == len(values):
        return {column.name: values for column in declared.columns}
    parts = zip(*map(declared.kind.to_columns, values), strict=True)
    return {c.name: list(part) for c, part in zip(declared.columns, parts, strict=True)}
