"""A part of the file: what it is called, how it is given out, and how it is taken in.

A plugin that keeps configuration of its own puts a `ConfigPart` on its card. References in a part are names, never
ids, so that the same file means the same in every deployment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, select

from clientela.access.scopes import visible
from clientela.errors import Conflict, FieldProblem, Invalid, Refusal
from clientela.i18n.texts import _
from clientela.rows import record_dict
from clientela.schemas import create_schema, load, patch_schema

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity

Mode = Literal["create", "upsert"]
Item = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """What became of one item: `create`, `update` or `same`, with the old and the new value of each changed field."""

    part: str
    name: str
    what: Literal["create", "update", "same"]
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        changes = {name: {"before": old, "after": new} for name, (old, new) in self.changes.items()}
        return {"part": self.part, "name": self.name, "what": self.what, "changes": changes}


@dataclass(frozen=True)
class ConfigPart:
    """One kind of configuration."""

    name: str
    export: Callable[[Context], list[Item]]
    take: Callable[[Context, Sequence[Any], Mode], list[Step]]


def part_of(
    name: str,
    entity: type[Entity],
    key: tuple[str, ...],
    fields: tuple[str, ...],
    *where: ColumnElement[bool],
) -> ConfigPart:
    """Make the part that moves the records of an entity, told apart by `key`."""
    how = _Records(name, entity, key, fields, where)
    return ConfigPart(name, partial(_export, how), partial(_take, how))


@dataclass(frozen=True)
class _Records:
    part: str
    entity: type[Entity]
    key: tuple[str, ...]
    fields: tuple[str, ...]
    where: tuple[ColumnElement[bool], ...]


def _export(how: _Records, ctx: Context) -> list[Item]:
    """Give what differs from the defaults, in the order of the key."""
    info = how.entity.info
    ctx.require(info.permission("read"))
    query = select(how.entity).where(*how.where, *visible(ctx, info, info.table))
    items = [_item(how, ctx, record) for record in ctx.session.execute(query).scalars()]
    return sorted(items, key=lambda item: [item[name] for name in how.key])


def _item(how: _Records, ctx: Context, record: Entity) -> Item:
    shown = record_dict(ctx, record)
    return {n: shown[n] for n in (*how.key, *how.fields) if shown[n] != _initial(how, n)}


def _initial(how: _Records, name: str) -> Any:
    """Give the JSON form of the value of a record that says nothing of a field."""
    declared = how.entity.info.fields[name]
    value = declared.initial() if declared.has_default else None
    return None if value is None else declared.kind.dump(value)


def _take(how: _Records, ctx: Context, items: Sequence[Any], mode: Mode) -> list[Step]:
    return [
        _taken(how, ctx, item, mode, f"/content/{how.part}/{n}") for n, item in enumerate(items)
    ]


def _taken(how: _Records, ctx: Context, item: Any, mode: Mode, at: str) -> Step:
    _check_item(how, item, at)
    name = " ".join(str(item[word]) for word in how.key)
    try:
        return _written(how, ctx, item, mode, name)
    except Refusal as wrong:
        wrong.errors = [
            FieldProblem(f"{at}{one.pointer}", one.code, one.detail, one.hint, one.allowed)
            for one in wrong.errors
        ] or [FieldProblem(at, wrong.code, wrong.detail)]
        raise


def _check_item(how: _Records, item: Any, at: str) -> None:
    names = {*how.key, *how.fields}
    if not isinstance(item, dict) or not all(isinstance(item.get(n), str) for n in how.key):
        sentence = _(
            "An item of {part} is an object with {key}.", part=how.part, key=", ".join(how.key)
        )
        raise Invalid(sentence, [FieldProblem(at, "invalid", sentence)])
    for name in item.keys() - names:
        sentence = _("{part} have no {name}.", part=how.part, name=repr(str(name)[:60]))
        raise Invalid(sentence, [FieldProblem(f"{at}/{name}", "unknown-field", sentence)])


def _written(how: _Records, ctx: Context, item: Item, mode: Mode, name: str) -> Step:
    info, home = how.entity.info, ctx.app.home
    registry = ctx.app.registry
    known = _known(how, ctx, item)
    if known is None:
        values = load(create_schema(info, home), item)
        ctx.run(registry.action(info.permission("create")), data=values)
        return Step(how.part, name, "create", {n: (None, v) for n, v in item.items()})
    was = _item(how, ctx, known)
    wanted = {n: item.get(n, _initial(how, n)) for n in how.fields}
    changed = {n: (was.get(n), v) for n, v in wanted.items() if was.get(n, _initial(how, n)) != v}
    if not changed:
        return Step(how.part, name, "same")
    if mode == "create":
        raise Conflict(
            _(
                "{part} have {name} already, and it differs in {fields}; the mode upsert changes it.",
                part=how.part, name=repr(name), fields=", ".join(changed),
            )
        )  # fmt: skip
    values = load(patch_schema(info, home), {n: new for n, (_old, new) in changed.items()})
    ctx.run(registry.action(info.permission("update")), known, values)
    return Step(how.part, name, "update", changed)


def _known(how: _Records, ctx: Context, item: Item) -> Any:
    info, table = how.entity.info, how.entity.info.table
    mine = [table.c[name] == item[name] for name in how.key]
    query = select(how.entity).where(*mine, *how.where, *visible(ctx, info, table))
    found = ctx.session.execute(query.order_by(table.c.id)).scalars().first()
    # The rows that may be changed can be fewer than those that may be seen.
    return None if found is None else ctx.get(how.entity, found.id, verb="update", lock=True)
