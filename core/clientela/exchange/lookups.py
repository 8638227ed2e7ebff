"""What a batch asks of the database before it writes: references and known records; one query each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clientela.access.scopes import visible
from clientela.bulk.lookups import among
from clientela.bulk.values import stored_values
from clientela.entity import EntityInfo
from clientela.exchange.cells import BLANK, Bad
from clientela.fields import Field
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.bulk.seen import Seen
    from clientela.context import Context

Values = list[Any]
Record = dict[str, Any]


def _present(values: Values) -> list[Any]:
    return list(dict.fromkeys(v for v in values if v is not BLANK and type(v) is not Bad))


def resolved(
    ctx: Context, column: str, target: EntityInfo, by: Field, values: Values, *, seen: Seen | None
) -> Values:
    """Turn the values of a field of the target into keys; none or several is `Bad`."""
    wanted = _present(values)
    found: dict[Any, list[str]] = {value: [] for value in wanted}
    if wanted:
        table = target.table
        here = by.columns_in(table)[0]
        query = select(here, table.c.id).where(here.in_(wanted), *visible(ctx, target, table))
        for value, key in ctx.connection.execute(query):
            found[value].append(key)
        for (value,), keys in seen.find((by.name,), [(v,) for v in wanted]).items() if seen else ():
            found[value] += [key for key in keys if key not in found[value]]
    answers: dict[Any, Any] = {
        value: keys[0] if len(keys) == 1 else _not_one(column, target, by, value, len(keys))
        for value, keys in found.items()
    }
    return [v if v is BLANK or type(v) is Bad else answers[v] for v in values]


def _not_one(column: str, target: EntityInfo, by: Field, value: Any, count: int) -> Bad:
    sample = by.kind.csv(value)
    if not count:
        return Bad(
            column,
            "no-such-record",
            _("There is no {noun} with this {field}.", noun=target.noun, field=by.name),
            sample,
        )
    return Bad(
        column, "several-records",
        _("Several {nouns} have this {field}; name one by its id.", nouns=target.nouns, field=by.name),
        sample,
    )  # fmt: skip


def existing(ctx: Context, column: str, target: EntityInfo, values: Values) -> Values:
    """Let pass the keys of records that are there and may be seen."""
    wanted = _present(values)
    if not wanted:
        return values
    table = target.table
    query = select(table.c.id).where(table.c.id.in_(wanted), *visible(ctx, target, table))
    there = set(ctx.connection.execute(query).scalars())
    return [
        v
        if v is BLANK or type(v) is Bad or v in there
        else Bad(
            column,
            "no-such-record",
            _("There is no such {noun}.", noun=target.noun),
            target.public_id(v),
        )
        for v in values
    ]


def known_records(
    ctx: Context,
    info: EntityInfo,
    key: Sequence[Field],
    wanted: Iterable[tuple[Any, ...]],
    seen: Seen | None,
) -> dict[tuple[Any, ...], list[Record]]:
    """Find the records of some keys among those that this principal may see, as they would be by now."""
    table = info.table
    columns = [f.columns_in(table)[0] for f in key]
    found: dict[tuple[Any, ...], list[Record]] = {}
    wanted = list(wanted)
    query = select(table).where(among(columns, wanted), *visible(ctx, info, table))
    for row in ctx.connection.execute(query).mappings():
        record = stored_values(info, row)
        found.setdefault(tuple(record[f.name] for f in key), []).append(record)
    return _as_seen(found, [f.name for f in key], wanted, seen) if seen is not None else found


def _as_seen(
    found: dict[tuple[Any, ...], list[Record]],
    names: Sequence[str],
    wanted: Iterable[tuple[Any, ...]],
    seen: Seen,
) -> dict[tuple[Any, ...], list[Record]]:
    """Put what a dry run would have written before in the place of what is stored."""
    for held, keys in seen.find(names, wanted).items():
        stored = [record for record in found.get(held, []) if record["id"] not in keys]
        found[held] = stored + list(seen.values(keys).values())
    return found
