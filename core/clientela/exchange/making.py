"""From the values of a batch to records that passed every rule, ready to be written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from clientela.bulk.drafts import Blueprint, draft
from clientela.bulk.keys import letters, new_keys
from clientela.bulk.lookups import taken
from clientela.bulk.values import Values
from clientela.errors import Refusal
from clientela.exchange.batches import Batch, Parsed, Plan, bad_ones
from clientela.exchange.cells import BLANK, FieldColumn
from clientela.exchange.lookups import existing, resolved
from clientela.exchange.report import Problem
from clientela.i18n.texts import _
from clientela.storage.violations import all_of

if TYPE_CHECKING:
    from clientela.bulk.seen import Seen
    from clientela.context import Context
    from clientela.entity import EntityInfo

MISSING = _("This is required.")
CREATED = "created"
SERVER_FAULT = 500


class Maker:
    """Makes a batch out of parsed rows, inside the transaction that will write it."""

    def __init__(self, ctx: Context, plan: Plan, parsed: Parsed, seen: Seen | None = None) -> None:
        self.ctx, self.plan, self.parsed = ctx, plan, parsed
        # A dry run writes nothing, so the database does not know the rows of its earlier batches.
        self.seen = seen
        self.info = plan.info
        self.blueprint = Blueprint(ctx, plan.info)
        self.batch = Batch(problems=list(parsed.problems))
        self.batch.failed = {problem.row for problem in parsed.problems}
        self.column_of = {c.field.name: " + ".join(c.names) for c in plan.columns}

    def make(self) -> Batch:
        """Give the batch: looked up, put together, checked."""
        columns = self._with_references()
        self.fill(columns)
        self._refuse_taken()
        return self.batch

    def _with_references(self) -> list[list[Any]]:
        made = []
        for column, values in zip(self.plan.columns, self.parsed.columns, strict=True):
            target = column.field.target
            found = values
            if target is not None:
                name = " + ".join(column.names)
                if column.by is not None:
                    found = resolved(
                        self.ctx, name, target, column.by, values, seen=self._seen_of(target)
                    )
                else:
                    found = existing(self.ctx, name, target, values)
                self._note_new(values, found)
            made.append(found)
        return made

    def _seen_of(self, target: EntityInfo) -> Seen | None:
        return self.seen if target.name == self.info.name else None

    def _note_new(self, before: Sequence[Any], after: Sequence[Any]) -> None:
        fresh = [BLANK if old is new else new for old, new in zip(before, after, strict=True)]
        self.batch.fail(bad_ones(self.parsed.numbers, fresh))

    def fill(self, columns: list[list[Any]]) -> None:
        """Make a new record of every row."""
        self._create_all(columns)

    def _create_all(self, columns: list[list[Any]]) -> None:
        filled = []
        for column, values in zip(self.plan.columns, columns, strict=True):
            if column.field.required:
                self._require(column, values)
            filled.append(_filled(values, self.blueprint.default(column.field.name)))
        names = self.plan.names
        keys = self.draw(len(self.parsed.numbers))
        failed = self.batch.failed
        for number, key, row in zip(
            self.parsed.numbers, keys, zip(*filled, strict=True), strict=True
        ):
            if number in failed:
                continue
            record = self.blueprint.values()
            record.update(zip(names, row, strict=True))
            record["id"] = key
            self.keep_new(number, record)

    def draw(self, count: int) -> list[str]:
        """Draw keys for new records."""
        numbers = new_keys(count)
        drawn = letters(numbers)
        self.batch.numbers = dict(zip(drawn, numbers, strict=True))
        return drawn

    def _require(self, column: FieldColumn, values: Sequence[Any]) -> None:
        name = self.column_of[column.field.name]
        self.batch.fail(
            [
                Problem(number, name, "missing", MISSING)
                for number, value in zip(self.parsed.numbers, values, strict=True)
                if value is BLANK
            ]
        )

    def keep_new(self, number: int, values: Values) -> bool:
        """Take a new record, if its rules let it."""
        if not self.passes(number, values, {}):
            return False
        self.batch.created.append(values)
        self.batch.outcomes[number] = CREATED
        return True

    def passes(self, number: int, values: Values, before: Values) -> bool:
        """Let the record's own rules and the guarding hooks look at it."""
        if not (self.blueprint.has_rules or self.plan.asks_hooks):
            return True
        record = draft(self.info, values)
        try:
            record.check()
            if self.plan.asks_hooks:
                self.ctx.hook.record_saving(
                    ctx=self.ctx, record=record, before=before, created=not before
                )
        except Refusal as refused:
            if refused.status >= SERVER_FAULT:  # a plugin that fails is no mistake of the file
                raise
            self.batch.fail(self._told(number, refused))
            return False
        return True

    def _told(self, number: int, refused: Refusal) -> list[Problem]:
        told = []
        for error in refused.errors:
            name = error.pointer.strip("/").split("/")[0]
            column = self.column_of.get(name, name)
            told.append(Problem(number, column, error.code, error.detail))
        return told or [Problem(number, "", refused.code, refused.detail)]

    # unique values ----------------------------------------------------------------------------------------------

    def _refuse_taken(self) -> None:
        for names in self.info.unique_keys:
            fields = [self.info.fields[name] for name in names]
            if all(f.width == 1 for f in fields):
                table = self.info.table
                self._refuse_taken_in(names, [f.columns_in(table)[0] for f in fields])

    def _refuse_taken_in(self, names: Sequence[str], columns: Sequence[Any]) -> None:
        held = {
            values["id"]: mine
            for values in self.touched(names)
            if None not in (mine := tuple(values[name] for name in names))
        }
        owners: dict[Any, str] = taken(
            self.ctx, self.info.table, columns, list(dict.fromkeys(held.values()))
        )
        if self.seen is not None:
            for mine, keys in self.seen.find(names, dict.fromkeys(held.values())).items():
                owners.setdefault(mine, keys[0])
        lost = {key: mine for key, mine in held.items() if owners.setdefault(mine, key) != key}
        if lost:
            self._leave_out(names, lost)

    def touched(self, names: Sequence[str]) -> list[Values]:
        """Give the records whose values of these fields will be written."""
        del names
        return self.batch.created

    def _leave_out(self, names: Sequence[str], lost: dict[str, tuple[Any, ...]]) -> None:
        """Fail all rows of the records whose unique values belong to others."""
        batch = self.batch
        same = all_of(names)
        sentence = _(
            "Another {noun} has the same {names}; it may stand in the trash.",
            noun=self.info.noun,
            names=same,
        )
        column = " + ".join(self.column_of.get(name, name) for name in names)
        rows = self.rows_of()
        batch.fail(
            [
                Problem(number, column, "not-unique", sentence, " | ".join(map(str, mine)))
                for key, mine in lost.items()
                for number in rows[key]
            ]
        )
        batch.created = [values for values in batch.created if values["id"] not in lost]
        for key in lost:
            batch.known.pop(key, None)

    def rows_of(self) -> dict[str, list[int]]:
        """Give the rows that fill each record."""
        new = [number for number, word in self.batch.outcomes.items() if word == CREATED]
        rows = {
            values["id"]: [number] for number, values in zip(new, self.batch.created, strict=True)
        }
        for key, more in self.batch.sharing.items():
            rows[key] = rows.get(key, []) + more
        return rows


def _filled(values: list[Any], default: Callable[[], Any]) -> list[Any]:
    if BLANK not in values:
        return values
    return [default() if value is BLANK else value for value in values]
