"""Writing a batch: what its rows create and change, in one transaction and one change set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clientela import facts as told
from clientela.bulk.records import Writer
from clientela.entity import EntityInfo
from clientela.exchange.batches import Batch
from clientela.exchange.facts import RecordsImported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clientela.bulk.values import Known
    from clientela.context import Context


def write(
    ctx: Context, info: EntityInfo, batch: Batch, *, notify: bool, part_of: str | None = None
) -> str | None:
    """Write what a batch changes and give its change set; None when it changes nothing.

    `part_of` is the set of the first batch of the same file, to which this one belongs.
    """
    changed = [known for known in batch.known.values() if known.before]
    if not batch.created and not changed:
        return None
    made = ctx.change_set()
    made.action, made.part_of = info.permission("import"), part_of
    made.open(ctx, info.name, len(batch.created) + len(changed))
    writer = Writer(ctx)
    if batch.created:
        numbers = [batch.numbers[values["id"]] for values in batch.created]
        writer.create(info, batch.created, numbers)
    if changed:
        writer.change(info, changed)
    ctx.tell(
        RecordsImported(
            entity=info.name, created=len(batch.created), updated=len(changed), set_id=made.id
        )
    )
    if notify:
        _tell_each(ctx, info, batch, changed)
    return made.id


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
