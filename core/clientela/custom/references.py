"""Who names a field: asked before it is removed, hidden or renamed, so that nothing breaks unseen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clientela.access.entities import Role
from clientela.custom.entities import CustomField
from clientela.errors import Conflict, Refusal
from clientela.filters import And, Compare, Node, Not, Or, parse, unparse
from clientela.hookspecs import hookimpl
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo


@dataclass(frozen=True)
class Reference:
    """Something that names a field: what it is, its id, what it is called, and where in it the field stands."""

    what: str
    id: str
    name: str
    where: str

    def as_dict(self) -> dict[str, str]:
        """Give the JSON form."""
        return {"what": self.what, "id": self.id, "name": self.name, "where": self.where}


class StillReferredTo(Conflict):
    """Something names the field."""

    code = "still-referred-to"
    title = _("Something still names this field")


def references_to(ctx: Context, entity: str, field: str) -> list[Reference]:
    """List everything that names a field, as far as the core and the plugins know."""
    answers = ctx.hook.field_references(ctx=ctx, entity=entity, field=field)
    return [one for answer in answers if answer for one in answer]


def references_of(ctx: Context, key: str) -> dict[str, Any]:
    """Give what names a custom field: what would break without it."""
    ctx.require(CustomField.info.permission("read"))
    definition = ctx.get(CustomField, key, trashed=None)
    found = references_to(ctx, definition.entity, definition.name)
    return {"data": [one.as_dict() for one in found]}


def refuse_referred_to(ctx: Context, entity: str, field: str) -> None:
    """Refuse to take away a field that something names; say what it is."""
    found = references_to(ctx, entity, field)
    if found:
        named = ", ".join(f"{one.what} {one.name}" for one in found[:5])
        raise StillReferredTo(
            _(
                "{field} is still named by {things}; change that first, or remove the field all the same.",
                field=field,
                things=named,
            ),
            extra={"references": [one.as_dict() for one in found[:200]]},
        )


# the scopes of roles --------------------------------------------------------------------------------------------------


@hookimpl
def field_references(ctx: Context, entity: str, field: str) -> list[Reference]:
    """Tell the roles whose scopes name a field."""
    return [
        Reference("role", Role.info.public_id(row.id), row.name, f"scopes.{scoped}")
        for row in _roles(ctx)
        for scoped, rule in (row.scopes or {}).items()
        if _names(ctx, scoped, rule, (entity, field))
    ]


def rename_in_roles(ctx: Context, entity: str, old: str, new: str) -> None:
    """Let the scopes of roles name a field by its new name."""
    for row in _roles(ctx):
        scopes = {
            scoped: _renamed(ctx, scoped, rule, (entity, old), new) or rule
            for scoped, rule in (row.scopes or {}).items()
        }
        if scopes != row.scopes:
            role = ctx.session.get_one(Role, row.id)
            role.scopes = scopes


def _roles(ctx: Context) -> list[Any]:
    table = Role.info.table
    query = select(table.c.id, table.c.name, table.c.scopes).where(table.c.deleted_at.is_(None))
    return list(ctx.connection.execute(query.order_by(table.c.name)))


def _names(ctx: Context, scoped: str, rule: str, field: tuple[str, str]) -> bool:
    return _renamed(ctx, scoped, rule, field, f"{field[1]}_") is not None


def _renamed(ctx: Context, scoped: str, rule: str, field: tuple[str, str], new: str) -> str | None:
    """Give a rule with a field by another name; None where it does not name it, or cannot be read."""
    start = ctx.app.registry.entities.get(scoped)
    try:
        node = parse(rule)
    except Refusal:
        return None
    if node is None or start is None:
        return None
    changed = _in_node(node, start, field, new)
    return None if changed == node else unparse(changed)


def _in_node(node: Node, info: EntityInfo, field: tuple[str, str], new: str) -> Node:
    if isinstance(node, And | Or):
        return type(node)(tuple(_in_node(part, info, field, new) for part in node.parts))
    if isinstance(node, Not):
        return Not(_in_node(node.part, info, field, new))
    return replace(node, path=_path(node, info, field, new))


def _path(node: Compare, info: EntityInfo, field: tuple[str, str], new: str) -> tuple[str, ...]:
    """Walk a path through the entities it leads to, and put the new name where it names the field."""
    here: EntityInfo | None = info
    path = []
    for word in node.path:
        step = None if here is None else here.filter_field(word)
        mine = step is not None and here is not None and (here.name, step.name) == field
        # A reference may be named without its ending.
        short = new if step is None or word == step.name else new.removesuffix("_id")
        path.append(short if mine else word)
        here = None if step is None else step.target
    return tuple(path)
