"""Which views and import templates name a field: asked before it is removed, hidden or renamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from clientela.custom.references import Reference
from clientela.errors import Refusal
from clientela.exchange.entities import ImportTemplate
from clientela.filters import comparisons, parse
from clientela.hookspecs import hookimpl
from clientela.query import words
from clientela.views.entities import SavedView
from clientela.views.layouts import named_fields

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo


Path = tuple[str, ...]


@hookimpl
def field_references(ctx: Context, entity: str, field: str) -> list[Reference]:
    """Tell the saved views and import templates that name a field, whoever may see them."""
    return [
        Reference(what, info.public_id(row.id), f"{row.entity} {row.name}", where)
        for what, info, named in (
            ("view", SavedView.info, _named_by_view),
            ("import template", ImportTemplate.info, _named_by_template),
        )
        for row in _kept(ctx, info)
        for where in _places(ctx, row, named(row), (entity, field))
    ]


def _kept(ctx: Context, info: EntityInfo) -> Any:
    table = info.table
    query = select(table).where(table.c.deleted_at.is_(None)).order_by(table.c.entity, table.c.name)
    return ctx.connection.execute(query)


def _places(
    ctx: Context, row: Any, named: Iterator[tuple[str, Path]], field: tuple[str, str]
) -> list[str]:
    """Give where a field is named, each place once."""
    info = ctx.app.registry.entities.get(row.entity)
    found = (where for where, path in named if info is not None and field in _steps(info, path))
    return list(dict.fromkeys(found))


def _steps(info: EntityInfo, path: Path) -> Iterator[tuple[str, str]]:
    """Walk a path over the entities it leads to, and give each field on the way; one that is gone by its word."""
    here: EntityInfo | None = info
    for word in path:
        if here is None:
            return
        step = here.filter_field(word)
        yield here.name, step.name if step is not None else word
        here = None if step is None else step.target


def _named_by_view(view: Any) -> Iterator[tuple[str, Path]]:
    try:
        node = parse(view.filter or "")
    except Refusal:
        node = None
    for compare in comparisons(node) if node is not None else ():
        yield "filter", compare.path
    for where in ("sort", "columns", "expand"):
        for word in words(getattr(view, where) or ""):
            yield where, tuple(word.lstrip("-+").split("."))
    for name in named_fields(view.layout, view.options):
        yield "options", (name,)


def _named_by_template(template: Any) -> Iterator[tuple[str, Path]]:
    options = template.options or {}
    # A reference is filled by a field of its target: `customer:email`.
    for target in (options.get("mapping") or {}).values():
        yield "options.mapping", tuple(str(target).replace(":", ".").split("."))
    for where in ("constants", "key"):
        for name in options.get(where) or ():
            yield f"options.{where}", tuple(str(name).split("."))
    if options.get("extra_into"):
        yield "options.extra_into", (str(options["extra_into"]),)
