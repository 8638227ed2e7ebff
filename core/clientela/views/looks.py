"""Looks at one view: what it shows, what is broken in it, and how else to ask the same."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqlalchemy import select

from clientela.access.scopes import visible
from clientela.filters import to_json
from clientela.query import Question, list_page
from clientela.views.entities import SavedView
from clientela.views.questions import problems_of, question_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clientela.context import Context
    from clientela.entity import EntityInfo


def run(ctx: Context, key: str) -> dict[str, Any]:
    """Give the first page of a view; the list of its entity with `view=` gives the others."""
    view = ctx.get(SavedView, key)
    question = question_of(ctx, view)
    return list_page(ctx, ctx.app.registry.entity(view.entity), question).as_dict()


def copy(ctx: Context, key: str) -> dict[str, Any]:
    """Give the same question as a link, a command, a call of curl and a filter."""
    view = ctx.get(SavedView, key)
    question = question_of(ctx, view)
    info = ctx.app.registry.entity(view.entity)
    path = f"/api/v1/{info.plugin}/{info.collection}"
    asked = _parameters(view.filter or "", question)
    whole = f"{path}?{urlencode(asked)}" if asked else path
    return {
        "link": f"{path}?view={view.public_id}",
        "whole": whole,
        "cli": _command(info, asked),
        "curl": shlex.join(["curl", "-H", "Authorization: Bearer clt_…", f"http://127.0.0.1:8000{whole}"]),
        "filter": view.filter or "",
        "filter_json": None if question.filter is None else to_json(question.filter),
    }  # fmt: skip


def _parameters(filter_: str, question: Question) -> dict[str, str]:
    asked = {
        "filter": filter_,
        "sort": question.sort,
        "fields": ",".join(question.fields),
        "expand": ",".join(question.expand),
    }
    return {name: value for name, value in asked.items() if value}


def _command(info: EntityInfo, asked: dict[str, str]) -> str:
    options = [word for name, value in asked.items() for word in (f"--{name}", value)]
    return shlex.join(["clientela", info.plugin, info.singular.replace("_", "-"), "list", *options])


def problems(ctx: Context, key: str) -> dict[str, Any]:
    """Say what of a view is broken."""
    found = problems_of(ctx, ctx.get(SavedView, key))
    return {"data": [problem.as_dict(ctx.show) for problem in found]}


def broken_views(ctx: Context) -> Iterator[dict[str, Any]]:
    """Give what is broken in the views that this principal may see, a row per problem."""
    table = SavedView.info.table
    ctx.require(SavedView.info.permission("read"))
    query = select(table).where(*visible(ctx, SavedView.info, table))
    for view in ctx.connection.execute(query.order_by(table.c.entity, table.c.name, table.c.id)):
        for problem in problems_of(ctx, view):
            yield {
                "id": SavedView.info.public_id(view.id), "entity": view.entity, "view": view.name,
                "where": problem.pointer.lstrip("/"), "reason": ctx.show(problem.detail),
            }  # fmt: skip
