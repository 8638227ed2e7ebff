"""All parts as one JSON object: given out in a fixed order, taken in as one change set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field

from clientela.actions import action
from clientela.context import Context
from clientela.customizing.parts import ConfigPart
from clientela.errors import FieldProblem, Invalid, did_you_mean
from clientela.i18n.texts import _
from clientela.schemas import Input

FORMAT = 1


class Wanted(Input):
    """Which parts are given out."""

    only: list[str] = Field(
        default_factory=list, max_length=50, description="Names of parts; all when left out."
    )


class Taken(Input):
    """What is taken in, and what becomes of what is there already."""

    content: dict[str, Any] = Field(description="What an export gave.")
    mode: Literal["create", "upsert"] = Field(
        default="create", description="create refuses what is there and differs; upsert changes it."
    )
    only: list[str] = Field(
        default_factory=list, max_length=50, description="Names of parts; all when left out."
    )


@action("core.export_custom", effect="read")
def export_custom(ctx: Context, data: Wanted) -> dict[str, Any]:
    """Give roles, templates, views and what else the deployment says of itself as one object."""
    chosen = _chosen(ctx, data.only)
    return {"clientela": FORMAT} | {part.name: part.export(ctx) for part in chosen}


@action("core.import_custom")
def import_custom(ctx: Context, data: Taken) -> dict[str, Any]:
    """Take in what an export gave, all of it or nothing."""
    content = dict(data.content)
    if content.pop("clientela", None) != FORMAT:
        sentence = _(
            'The content says "clientela": {format}; this is something else.', format=FORMAT
        )
        raise Invalid(sentence, [FieldProblem("/content/clientela", "invalid", sentence)])
    _require_known(ctx, content, "/content")
    steps = []
    # In the order of registration: views name roles, and filters of both name fields.
    for part in _chosen(ctx, data.only):
        items = content.get(part.name, [])
        if not isinstance(items, list):
            sentence = _("{part} are a list.", part=part.name)
            raise Invalid(sentence, [FieldProblem(f"/content/{part.name}", "invalid", sentence)])
        steps += part.take(ctx, items, data.mode)
    return {"data": [step.as_dict() for step in steps]}


def _chosen(ctx: Context, only: list[str]) -> list[ConfigPart]:
    _require_known(ctx, only, "/only")
    return [p for name, p in ctx.app.registry.parts.items() if not only or name in only]


def _require_known(ctx: Context, names: Iterable[str], at: str) -> None:
    known = list(ctx.app.registry.parts)
    for name in names:
        if name not in known:
            sentence = _(
                "There is no part {name}; there are {parts}.",
                name=repr(name[:60]), parts=", ".join(known),
            ) + did_you_mean(name, known)  # fmt: skip
            raise Invalid(sentence, [FieldProblem(at, "unknown-part", sentence)])
