"""Matching the rows of a batch with records that are there: known ones are changed, the others created."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clientela.bulk.lookups import changeable
from clientela.bulk.values import Known, Values, differences
from clientela.exchange.cells import BLANK
from clientela.exchange.lookups import known_records
from clientela.exchange.making import MISSING, Maker
from clientela.exchange.mapping import find_target
from clientela.exchange.report import Problem
from clientela.i18n.texts import _

UPDATED, UNCHANGED = "updated", "unchanged"

THERE = _("A record with this key is there already; choose another mode to change it.")
TWICE = _("An earlier row has the same key.")
NOT_THERE = _("No record has this key, and this mode creates none.")
# What counts as blank where only blanks are filled.
BLANKS: tuple[Any, ...] = (None, "", [], {})

Row = tuple[int, tuple[Any, ...]]


class Merger(Maker):
    """Makes a batch that creates what is not there and changes what is."""

    def fill(self, columns: list[list[Any]]) -> None:
        """Match every row by its key; a later row of the batch sees what an earlier one did."""
        key = [find_target(self.info, name).field for name in self.plan.options.key]
        self._places = [self.plan.names.index(f.name) for f in key]
        rows = self._with_key(zip(self.parsed.numbers, zip(*columns, strict=True), strict=True))
        wanted = dict.fromkeys(self._key(row) for row in rows)
        found = known_records(self.ctx, self.info, key, wanted, self.seen) if wanted else {}
        ones = [one["id"] for many in found.values() for one in many]
        self._allowed = changeable(self.ctx, self.info, ones)
        if self.seen is not None:
            self._allowed |= self.seen.values(ones).keys()
        keys = iter(self.draw(len(rows)))
        fresh: dict[tuple[Any, ...], Values] = {}
        for row in rows:
            mine = self._key(row)
            given = {n: v for n, v in zip(self.plan.names, row[1], strict=True) if v is not BLANK}
            if mine in found:
                self._meet(row[0], found[mine], given)
            elif mine in fresh:
                self._meet_new(row[0], fresh[mine], given)
            elif not self.plan.options.creates:
                self._refuse_row(row[0], "no-such-record", NOT_THERE)
            else:
                made = self._new(row[0], next(keys), given)
                if made is not None:
                    fresh[mine] = made

    def _key(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[1][place] for place in self._places)

    def _with_key(self, rows: Any) -> list[Row]:
        kept = []
        for number, row in rows:
            if number in self.batch.failed:
                continue
            blank = [self.plan.names[p] for p in self._places if row[p] is BLANK]
            if blank:
                sentence = _("The key is blank, so nothing can be matched.")
                self.batch.fail([Problem(number, self.column_of[blank[0]], "missing", sentence)])
            else:
                kept.append((number, row))
        return kept

    # new records ------------------------------------------------------------------------------------------------

    def _new(self, number: int, key: str, given: Values) -> Values | None:
        missing = [n for n, f in self.info.writable.items() if f.required and n not in given]
        if missing:
            self.batch.fail(
                [Problem(number, self.column_of.get(n, n), "missing", MISSING) for n in missing]
            )
            return None
        values = self.blueprint.values() | given | {"id": key}
        return values if self.keep_new(number, values) else None

    def _meet_new(self, number: int, values: Values, given: Values) -> None:
        if self.plan.options.way == "create":
            self._refuse_row(number, "already-there", TWICE)
        else:
            self._change_new(number, values, given)

    def _change_new(self, number: int, values: Values, given: Values) -> None:
        """Let a later row of the batch change what an earlier one creates."""
        after = values | given
        if self.passes(number, after, {}):
            changed = values != after
            values.update(after)
            self._share(number, values["id"], changed=changed)

    def _share(self, number: int, key: str, *, changed: bool) -> None:
        self.batch.outcomes[number] = UPDATED if changed else UNCHANGED
        self.batch.sharing.setdefault(key, []).append(number)

    # known records ----------------------------------------------------------------------------------------------

    def _meet(self, number: int, found: Sequence[Values], given: Values) -> None:
        refusal = self._refusal(found)
        if refusal is not None:
            self._refuse_row(number, *refusal)
        else:
            self._change(number, found[0], given)

    def _refuse_row(self, number: int, code: str, sentence: str) -> None:
        column = " + ".join(self.column_of.get(name, name) for name in self.plan.options.key)
        self.batch.fail([Problem(number, column, code, sentence)])

    def _change(self, number: int, stored: Values, given: Values) -> None:
        key = stored["id"]
        known = self.batch.known.get(key) or Known(self.info, stored, stored)
        old = known.values
        if self.plan.options.way == "fill-blanks":
            given = {n: value for n, value in given.items() if old[n] in BLANKS}
        if self._apply(number, known, given):
            self.batch.known[key] = known
            self._share(number, key, changed=known.values is not old)

    def _refusal(self, found: Sequence[Values]) -> tuple[str, str] | None:
        if self.plan.options.way == "create":
            return "already-there", THERE
        if len(found) > 1:
            sentence = _("Several {nouns} have this key; merge them first.", nouns=self.info.nouns)
            return "several-records", sentence
        if found[0]["id"] not in self._allowed:
            return (
                "forbidden",
                _("Your roles let you see this {noun}, but not change it.", noun=self.info.noun),
            )
        return None

    def _apply(self, number: int, known: Known, given: Values) -> bool:
        old = known.values
        after = old | given
        changed = [n for n, value in given.items() if value != old[n]]
        fixed = [n for n in changed if self.info.fields[n].immutable]
        if fixed:
            sentence = _("This cannot be changed after the creation.")
            self.batch.fail(
                [Problem(number, self.column_of[n], "immutable", sentence) for n in fixed]
            )
            return False
        if changed:
            if not self.passes(number, after, differences(self.info, old, after)):
                return False
            known.values = after
        return True

    def touched(self, names: Sequence[str]) -> list[Values]:
        """Give the new records, and the known ones whose values of these fields change."""
        changed = [
            known.values
            for known in self.batch.known.values()
            if any(known.values[name] != known.stored[name] for name in names)
        ]
        return self.batch.created + changed
