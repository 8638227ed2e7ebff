"""Changing all records that a filter finds: looked at first, then done, in bounded parts that are one change set.

Who looks gets a token: a hash of the question, the values, and the key and revision of every record that was found. Who
brings it back gets what was shown, or a refusal when something else would be met by now.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy.exc import IntegrityError

from clientela import facts as told
from clientela.bulk.judging import Found, Judge
from clientela.bulk.records import Writer
from clientela.bulk.seen import Seen
from clientela.bulk.values import Known, Values
from clientela.changes import MOST_TOLD, PREFIX
from clientela.entity import EntityInfo
from clientela.errors import Conflict, Forbidden, Invalid, Show
from clientela.filters import Node, unparse
from clientela.i18n.texts import _
from clientela.query import readable_names
from clientela.storage.violations import as_refusal

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App
    from clientela.context import Context

# Hears how many records were gone through, and which share of all that is.
Progress = Callable[[int, float], None]


class EditStale(Conflict):
    """What the filter finds is no longer what was looked at."""

    code = "edit-stale"
    title = _("Something else would be changed by now")


class EditRefused(Conflict):
    """Some of the records cannot have the values, so none was changed."""

    code = "rows-refused"
    title = _("Some records cannot be changed")


@dataclass(frozen=True)
class Edit:
    """Which records are to have which values; `info` is the entity as the deployment has it."""

    info: EntityInfo
    filter: Node
    values: Values
    skip_bad_rows: bool = False

    def token(self, found: Found) -> str:
        """Give the hash by which a run proves that it was looked at."""
        told_of = {name: self.info.fields[name].logged(v) for name, v in self.values.items()}
        asked = [self.info.name, unparse(self.filter), told_of]
        made = hashlib.blake2b(
            orjson.dumps(asked, default=str, option=orjson.OPT_SORT_KEYS), digest_size=20
        )
        for _last, digest in found.parts:
            made.update(digest)
        return made.hexdigest()


def look(ctx: Context, edit: Edit, progress: Progress | None = None) -> Found:
    """Say what an edit would do to every record it finds; nothing is written."""
    _require(ctx, edit)
    found = Found()
    with closing(Seen(edit.info, edit.info.unique_keys, whole=False)) as seen:
        judge = Judge(ctx, edit.info, edit.filter, edit.values, seen)
        for rows in judge.batches():
            found.parts.append((rows[-1]["id"], _digest(rows)))
            judge.judge(rows, found)
            if progress is not None:
                progress(found.matched, 0.0)
    return found


def run(  # noqa: PLR0913 - each says one thing of the run
    app: App,
    principal: Principal,
    edit: Edit,
    token: str,
    *,
    how: Mapping[str, Any],
    progress: Progress | None = None,
    finish: Callable[[Context, Found], None] | None = None,
) -> Found:
    """Do what was looked at, part by part, each in a transaction of its own; `finish` belongs to the last one.

    Raises `EditStale` when something else would be met by now, and `EditRefused` when a record cannot have the values
    and none may be skipped.
    """
    with app.acting_as(principal, writing=False, **how) as ctx:
        plan = look(ctx, edit)
        if edit.token(plan) != token:
            raise EditStale(_("What the filter finds was changed since; look at it again."))
        _refuse_failed(ctx, edit, plan)
    done = _Run(edit, plan, finish)
    for place, read in enumerate(done.parts()):
        try:
            done.found = app.perform(principal, read, **how)
        except IntegrityError as wrong:
            raise as_refusal(wrong, app.registry) from wrong
        if progress is not None:
            progress(done.found.matched, (place + 1) / len(plan.parts))
    return done.found


def preview(ctx: Context, edit: Edit, found: Found) -> dict[str, Any]:
    """Give what a look found as JSON, with the token that a run must bring back."""
    made = found.as_dict(ctx.show)
    made["would_change"] = made.pop("changed")
    made["changes"] = found.changes(edit.info, readable_names(ctx, edit.info))
    return made | {"token": edit.token(found)}


def result(found: Found, show: Show) -> dict[str, Any]:
    """Give what a run did as JSON, with the change set by which it is taken back."""
    return found.as_dict(show) | _written(found)


@dataclass
class _Run:
    """An edit on its way, part after part."""

    edit: Edit
    plan: Found
    finish: Callable[[Context, Found], None] | None
    found: Found = field(default_factory=Found)

    def parts(self) -> Iterator[Callable[[Context], Found]]:
        """Give the work of each part; an edit that changes nothing has none."""
        if not self.plan.changing:
            self.found = self.plan
            return
        after = None
        for place, (last, digest) in enumerate(self.plan.parts):
            yield _Part(self, after, last, digest, is_last=place + 1 == len(self.plan.parts))
            after = last


@dataclass(frozen=True)
class _Part:
    """The records between two keys, in one transaction."""

    run: _Run
    after: str | None
    last: str
    digest: bytes
    is_last: bool

    def __call__(self, ctx: Context) -> Found:
        """Write the part, and give what was found so far; it may be called again, so it keeps nothing itself."""
        edit, found = self.run.edit, self.run.found.copy()
        judge = Judge(ctx, edit.info, edit.filter, edit.values)
        rows = judge.rows(self.after, until=self.last, lock=True)
        if _digest(rows) != self.digest:
            raise _moved(found)
        changed = judge.judge(rows, found)
        _refuse_failed(ctx, edit, found)
        if changed:
            self._write(ctx, changed, found)
        if self.is_last and self.run.finish is not None:
            self.run.finish(ctx, found)
        return found

    def _write(self, ctx: Context, changed: Sequence[Known], found: Found) -> None:
        info, made = self.run.edit.info, ctx.change_set()
        made.action, made.part_of = info.permission("update"), found.set_id
        made.open(ctx, info.name, len(changed))
        Writer(ctx).change(info, changed)
        found.set_id = found.set_id or made.id
        if self.run.plan.changing > MOST_TOLD:
            fields, set_id = tuple(sorted(self.run.edit.values)), f"{PREFIX}_{found.set_id}"
            ctx.tell(
                told.RecordsChanged(
                    entity=info.name, fields=fields, records=len(changed), set_id=set_id
                )
            )
            return
        for known in changed:
            record = info.public_id(known.values["id"])
            ctx.tell(
                told.RecordChanged(
                    entity=info.name, record=record, fields=tuple(sorted(known.before))
                )
            )


def _digest(rows: Sequence[Values]) -> bytes:
    made = hashlib.blake2b(digest_size=16)
    for values in rows:
        made.update(f"{values['id']}:{values['rev']};".encode())
    return made.digest()


def _require(ctx: Context, edit: Edit) -> None:
    """Refuse what is wrong with the edit as a whole."""
    info = edit.info
    ctx.require(info.permission("read"))
    ctx.require(info.permission("update"))
    files = {declared.name for declared in info.file_fields}
    for name, value in edit.values.items():
        declared = info.fields[name]
        if declared.field_class in ctx.principal.hidden_classes:
            # How many records have the value already would tell what they have.
            raise Forbidden(
                _(
                    "{field} is hidden from your roles, so it cannot be changed in many records at once.",
                    field=name,
                )
            )
        if declared.hidden or declared.field_class == "secret" or name in files:
            raise Invalid(
                _("{field} is changed record by record, not in many at once.", field=name)
            )
        if declared.target is not None and value is not None:
            ctx.check_reference(name, declared.target, value)


def _refuse_failed(ctx: Context, edit: Edit, found: Found) -> None:
    if found.failed and not edit.skip_bad_rows:
        raise EditRefused(
            _(
                "{count} records cannot be changed; mend them, or skip them by skip_bad_rows.",
                count=found.failed,
            ),
            extra=found.as_dict(ctx.show) | _written(found),
        )


def _moved(found: Found) -> EditStale:
    if found.set_id is None:
        return EditStale(_("What the filter finds was changed since; look at it again."))
    return EditStale(
        _(
            "What the filter finds was changed meanwhile. What is written already stays; look again, or undo it."
        ),
        extra=_written(found),
    )


def _written(found: Found) -> dict[str, object]:
    return {"set_id": None if found.set_id is None else f"{PREFIX}_{found.set_id}"}
