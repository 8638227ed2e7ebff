"""What an edit would make of records: which change, which have the values already, and which cannot have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clientela.bulk.drafts import ask, draft
from clientela.bulk.lookups import changeable, taken
from clientela.bulk.values import Known, Values, stored_values
from clientela.entity import EntityInfo
from clientela.errors import Refusal, Show
from clientela.filters import Node
from clientela.i18n.texts import _
from clientela.query import Question, conditions_of
from clientela.storage.violations import all_of

if TYPE_CHECKING:
    from clientela.bulk.seen import Seen
    from clientela.context import Context

BATCH = 2_000
# Of all changes so many are shown, and of every group of records that fail so many are named.
SHOWN = 20
# Sentences quote values, so there might be as many groups as records.
MOST_GROUPS = 100
SERVER_FAULT = 500


@dataclass
class Group:
    """Records that cannot be changed for the same reason."""

    field: str
    code: str
    sentence: str
    count: int = 0
    ids: list[str] = dataclass_field(default_factory=list)

    def as_dict(self, show: Show) -> dict[str, Any]:
        """Give the JSON form."""
        return vars(self) | {"sentence": show(self.sentence), "ids": [*self.ids]}


@dataclass
class Found:
    """What became, or would become, of every record that was found: `matched` is the sum of the other three."""

    matched: int = 0
    changing: int = 0
    unchanged: int = 0
    failed: int = 0
    set_id: str | None = None
    # The first changes: a record and what it had.
    shown: list[Known] = dataclass_field(default_factory=list)
    # The last key of each batch, and the hash of its keys and revisions.
    parts: list[tuple[str, bytes]] = dataclass_field(default_factory=list)
    _groups: dict[tuple[str, str, str], Group] = dataclass_field(default_factory=dict)

    @property
    def groups(self) -> list[Group]:
        """Give what failed, the most frequent reason first."""
        return sorted(self._groups.values(), key=lambda group: -group.count)

    def copy(self) -> Found:
        """Give what can be counted on apart from this one."""
        groups = {reason: replace(one, ids=[*one.ids]) for reason, one in self._groups.items()}
        return replace(self, shown=[*self.shown], parts=[*self.parts], _groups=groups)

    def fail(self, key: str, reasons: Sequence[tuple[str, str, str]]) -> None:
        """Count a record out, with each reason why: field, code and sentence."""
        self.failed += 1
        for reason in reasons:
            if reason not in self._groups and len(self._groups) >= MOST_GROUPS:
                reason = (reason[0], reason[1], _("More records cannot be changed."))  # noqa: PLW2901 - the last group
            group = self._groups.setdefault(reason, Group(*reason))
            group.count += 1
            if len(group.ids) < SHOWN:
                group.ids.append(key)

    def as_dict(self, show: Show) -> dict[str, Any]:
        """Give the counts and the groups as JSON."""
        return {
            "matched": self.matched, "changed": self.changing, "unchanged": self.unchanged, "failed": self.failed,
            "groups": [group.as_dict(show) for group in self.groups],
        }  # fmt: skip

    def changes(self, info: EntityInfo, names: Sequence[str]) -> list[dict[str, Any]]:
        """Give the first changes as JSON, of the fields that may be seen."""
        return [
            {
                "id": info.public_id(known.values["id"]),
                "fields": [
                    {"field": n, "before": declared.told(old), "after": declared.told(declared.logged(known.values[n]))}
                    for n, old in known.before.items() if n in names
                    for declared in (info.fields[n],)
                ],
            }
            for known in self.shown
        ]  # fmt: skip


class Judge:
    """Reads the records that a filter finds, batch by batch, and says what an edit makes of them.

    A look that writes nothing is given what was `seen`, because the database does not know its earlier batches.
    """

    def __init__(
        self,
        ctx: Context,
        info: EntityInfo,
        filter_: Node,
        values: Values,
        seen: Seen | None = None,
    ) -> None:
        self._ctx, self._info, self._given, self._seen = ctx, info, values, seen
        self._conditions = conditions_of(ctx, info, Question(filter=filter_))
        self._action = ctx.app.registry.action(info.permission("update"))
        self._guarded = ctx.app.hooks.anybody("action_running")

    def batches(self) -> Iterator[list[Values]]:
        """Give all records in the order of their keys, in bounded lists."""
        rows = self.rows(None)
        while rows:
            yield rows
            rows = self.rows(rows[-1]["id"]) if len(rows) == BATCH else []

    def rows(
        self, after: str | None, *, until: str | None = None, lock: bool = False
    ) -> list[Values]:
        """Give the next records after a key."""
        table = self._info.table
        query = select(table).where(*self._conditions).order_by(table.c.id).limit(BATCH)
        if after is not None:
            query = query.where(table.c.id > after)
        if until is not None:
            query = query.where(table.c.id <= until)
        if lock and not self._ctx.app.db.is_sqlite:
            query = query.with_for_update(of=table)
        found = self._ctx.connection.execute(query).mappings()
        return [stored_values(self._info, row) for row in found]

    def judge(self, rows: Sequence[Values], found: Found) -> list[Known]:
        """Count what becomes of some records, and give those that are to be written."""
        allowed = changeable(self._ctx, self._info, [values["id"] for values in rows])
        changed = []
        for stored in rows:
            known = Known(self._info, stored, stored | self._given)
            reasons = self._refused(known, may=stored["id"] in allowed)
            if reasons:
                found.fail(self._info.public_id(stored["id"]), reasons)
            elif known.values != stored and known.before:
                changed.append(known)
        changed = self._unique(changed, found)
        found.matched += len(rows)
        found.changing += len(changed)
        found.unchanged = found.matched - found.changing - found.failed
        found.shown += changed[: SHOWN - len(found.shown)]
        return changed

    def _refused(self, known: Known, *, may: bool) -> list[tuple[str, str, str]]:
        """Say why a record cannot have the values; its rules may put others beside them."""
        if not may:
            sentence = _(
                "Your roles let you see this {noun}, but not change it.", noun=self._info.noun
            )
            return [("", "forbidden", sentence)]
        try:
            if self._guarded:
                record = draft(self._info, dict(known.stored))
                self._ctx.hook.action_running(
                    ctx=self._ctx, action=self._action, record=record, data=self._given
                )
            before = known.before if known.values != known.stored else {}
            if before:
                ask(self._ctx, self._info, known.values, before, created=False)
        except Refusal as refused:
            if refused.status >= SERVER_FAULT:  # a plugin that fails is no mistake of the record
                raise
            told = [(e.pointer.strip("/").split("/")[0], e.code, e.detail) for e in refused.errors]
            return told or [("", refused.code, refused.detail)]
        return []

    # unique values ----------------------------------------------------------------------------------------------

    def _unique(self, changed: list[Known], found: Found) -> list[Known]:
        """Fail the records whose new values belong to others."""
        for names in self._info.unique_keys:
            touched = [k for k in changed if any(k.values[n] != k.stored[n] for n in names)]
            fields = [self._info.fields[name] for name in names]
            if not touched or any(declared.width > 1 for declared in fields):
                continue
            lost = self._lost(names, touched)
            sentence = _(
                "Another {noun} has the same {names}; it may stand in the trash.",
                noun=self._info.noun,
                names=all_of(names),
            )
            for key in lost:
                found.fail(
                    self._info.public_id(key), [(name, "not-unique", sentence) for name in names]
                )
            changed = [known for known in changed if known.values["id"] not in lost]
        if self._seen is not None:
            self._seen.note([known.values for known in changed])
        return changed

    def _lost(self, names: tuple[str, ...], touched: Sequence[Known]) -> set[str]:
        held = {
            known.values["id"]: mine
            for known in touched
            if None not in (mine := tuple(known.values[name] for name in names))
        }
        wanted = list(dict.fromkeys(held.values()))
        columns = [self._info.fields[name].columns_in(self._info.table)[0] for name in names]
        owners: dict[Any, str] = taken(self._ctx, self._info.table, columns, wanted)
        if self._seen is not None:
            for mine, keys in self._seen.find(names, wanted).items():
                owners.setdefault(mine, keys[0])
        return {key for key, mine in held.items() if owners.setdefault(mine, key) != key}
