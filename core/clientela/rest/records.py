"""Single records over REST: read, create, change, trash, act, upsert by a foreign key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError
from sqlalchemy import select

from clientela import ids
from clientela.actions import Action
from clientela.entity import Entity, EntityInfo
from clientela.errors import BadSyntax, FieldProblem, NotFound, Stale
from clientela.external import find_external, name_external
from clientela.history import CHANGE
from clientela.i18n.texts import _
from clientela.query import get_row, words
from clientela.rest.call import Call, Reply, etag, json_reply
from clientela.rest.lists import SHAPE
from clientela.rows import record_dict
from clientela.schemas import create_schema, invalid, load, patch_schema

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.fields import Field

WRITE = frozenset({"dry_run", "confidence"})


def get_record(ctx: Context, info: EntityInfo, key: str, call: Call) -> Reply:
    """GET one record, with its revision as the tag."""
    call.allow(SHAPE | {"include_deleted"})
    row = get_row(
        ctx,
        info,
        key,
        fields=words(call.parameters.get("fields", "")),
        expand=words(call.parameters.get("expand", "")),
        trashed=None if call.flag("include_deleted") else False,
    )
    headers = etag(row["rev"]) if "rev" in row else {}
    if headers and call.header(b"if-none-match") == headers["ETag"]:
        return Reply(304, headers=headers)
    return json_reply(row, headers=headers)


def create_record(ctx: Context, info: EntityInfo, call: Call) -> Reply:
    """POST to a collection."""
    call.allow(WRITE)
    ctx.require(info.permission("create"))
    record = create(ctx, info, call.object(required=True))
    return written(ctx, record, call, status=201)


def create(ctx: Context, info: EntityInfo, values: Any, *, at: str = "") -> Entity:
    """Create a record from JSON values."""
    read = load(create_schema(info, ctx.app.home), values, at=at)
    return ctx.run(ctx.app.registry.action(info.permission("create")), data=read)  # type: ignore[no-any-return]


def patch_record(ctx: Context, info: EntityInfo, key: str, call: Call) -> Reply:
    """PATCH a record with a merge patch (RFC 7396)."""
    call.allow(WRITE)
    ctx.require(info.permission("update"))
    record = change(ctx, info, key, call.object(required=True), base_rev=call.base_rev)
    return written(ctx, record, call)


def change(
    ctx: Context, info: EntityInfo, key: str, values: Any, *, base_rev: int | None, at: str = ""
) -> Entity:
    """Change a record; edits of other fields since the revision that was seen are merged, of the same are refused."""
    read = load(patch_schema(info, ctx.app.home), values, at=at)
    action = ctx.app.registry.action(info.permission("update"))
    record = ctx.get(info.cls, key, verb="update", lock=True)
    if base_rev is not None and base_rev != record.rev:
        refuse_overlap(ctx, record, read, base_rev)
    return ctx.run(action, record, read)  # type: ignore[no-any-return]


def refuse_overlap(ctx: Context, record: Entity, values: dict[str, Any], base_rev: int) -> None:
    """Refuse when one of the fields was changed since; show both values."""
    if not 0 < base_rev < record.rev:
        raise stale(ctx, record, [])
    rows = ctx.connection.execute(
        select(CHANGE.c.before).where(CHANGE.c.record_id == record.id, CHANGE.c.rev > base_rev)
    )
    changed = {name for (before,) in rows for name in (before or {})}
    fields = ctx.info(record).fields
    overlap = sorted(
        name for name in changed & set(values) if fields[name].get(record) != values[name]
    )
    if overlap:
        conflicts = [
            {
                "field": name,
                "yours": _dumped(fields[name], values[name]),
                "theirs": _dumped(fields[name], fields[name].get(record)),
            }
            for name in overlap
        ]
        raise stale(ctx, record, conflicts)


def _dumped(declared: Field, value: Any) -> Any:
    return None if value is None else declared.kind.dump(value)


def stale(ctx: Context, record: Entity, conflicts: list[dict[str, Any]]) -> Stale:
    """Say what the record looks like now."""
    names = ", ".join(str(c["field"]) for c in conflicts)
    detail = (
        _("Somebody else changed {names} meanwhile.", names=names)
        if names
        else _("This record has another revision by now.")
    )
    return Stale(
        detail,
        [
            FieldProblem(f"/{c['field']}", "stale", _("Both values are in `conflicts`."))
            for c in conflicts
        ],
        extra={"conflicts": conflicts, "current": record_dict(ctx, record)},
        headers=etag(record.rev),
    )


def trash_record(ctx: Context, info: EntityInfo, key: str, call: Call) -> Reply:
    """DELETE a record: into the trash."""
    call.allow(WRITE)
    action = ctx.app.registry.action(info.permission("trash"))
    record = ctx.run(action, key, base_rev=call.base_rev)
    if call.dry_run:
        return written(ctx, record, call)
    return Reply(204, headers=etag(record.rev))


def act(ctx: Context, action: Action, key: str | None, call: Call) -> Reply:
    """POST a declared action, on a record or on its own."""
    call.allow(WRITE)
    ctx.require(action.permission)
    body = call.object()
    data = read_input(action, body)
    base_rev = call.base_rev if action.on is not None else None
    result = ctx.run(action, key, data, base_rev=base_rev)
    if isinstance(result, Entity):
        if action.verb == "purge":
            return written(ctx, result, call) if call.dry_run else Reply(204)
        return written(ctx, result, call)
    return dry(ctx, result) if call.dry_run else json_reply(_plain(result))


def read_input(action: Action, body: dict[str, Any]) -> Any:
    """Read the input of an action with its model."""
    if action.takes is None or action.verb == "update":
        if body:
            raise BadSyntax(_("{name} takes no input.", name=action.name))
        return None
    try:
        # JSON mode: a date comes as text, and yet a number as text is refused.
        return action.takes.model_validate_json(orjson.dumps(body))
    except ValidationError as wrong:
        raise invalid(wrong, action.takes.model_fields) from None


def get_external(ctx: Context, info: EntityInfo, source: str, key: str, call: Call) -> Reply:
    """GET by/{source}/{key}."""
    ctx.require(info.permission("read"))
    found = find_external(ctx, info, source, key)
    if found is None:
        raise NotFound(
            _(
                "There is no {noun} that {source} calls {key}.",
                noun=info.noun,
                source=source[:60],
                key=key[:60],
            )
        )
    return get_record(ctx, info, found, call)


def put_external(ctx: Context, info: EntityInfo, source: str, key: str, call: Call) -> Reply:
    """PUT by/{source}/{key}: create the record or change it."""
    call.allow(WRITE)
    found = find_external(ctx, info, source, key)
    if found is not None:
        ctx.require(info.permission("update"))
        return written(
            ctx, change(ctx, info, found, call.object(required=True), base_rev=call.base_rev), call
        )
    ctx.require(info.permission("create"))
    record = create(ctx, info, call.object(required=True))
    name_external(ctx, info, source, key, record.id)
    return written(ctx, record, call, status=201)


def written(ctx: Context, record: Entity, call: Call, *, status: int = 200) -> Reply:
    """Reply to a write with the record, with nothing, or with what a dry run would have done."""
    ctx.flush()
    if call.dry_run:
        return dry(ctx, record_dict(ctx, record))
    headers = etag(record.rev)
    info = record.info
    if status == 201:  # noqa: PLR2004 - Created
        headers["Location"] = f"/api/v1/{info.plugin}/{info.collection}/{record.public_id}"
    if call.wants_minimal:
        return Reply(204, headers=headers | {"Preference-Applied": "return=minimal"})
    if not ctx.can(info.permission("read")):
        return json_reply(
            {"id": record.public_id, "rev": record.rev}, status=status, headers=headers
        )
    return json_reply(record_dict(ctx, record), status=status, headers=headers)


def dry(ctx: Context, result: Any) -> Reply:
    """Reply with what would have been, and the changes it would have made."""
    registry = ctx.app.registry
    changes = (
        [c.as_dict(registry.entity(c.entity)) for c in ctx.changes.preview()] if ctx.changes else []
    )
    return json_reply({"dry_run": True, "result": _plain(result), "changes": changes})


def _plain(result: Any) -> Any:
    if hasattr(result, "model_dump"):
        return result.model_dump(mode="json")
    return {"result": None} if result is None else result


def key_of(info: EntityInfo, text: str) -> str:
    """Read the id in a path, or say that there is no such record."""
    key = ids.parse_key(text, info.prefix)
    if key is None:
        raise NotFound(_("There is no {noun} {key}.", noun=info.noun, key=text[:60]))
    return key
