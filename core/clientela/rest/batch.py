"""Many writes in one call: each with its own outcome, in the order they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clientela.entity import Entity, EntityInfo
from clientela.errors import BadSyntax, Invalid, Refusal, TooLarge
from clientela.i18n.texts import _
from clientela.rest import records
from clientela.rest.call import Call, Reply, json_reply

if TYPE_CHECKING:
    from clientela.context import Context

MOST_ITEMS = 1_000
MOST_BYTES = 10 * 1_048_576
OPERATIONS = ("create", "update", "trash")


class BatchRefused(Invalid):
    """An atomic batch had an item that could not be carried out, so none was."""

    code = "batch-refused"


def batch(ctx: Context, info: EntityInfo, call: Call) -> Reply:
    """POST a collection:batch: `{"atomic": true, "items": [{"op": "create", "data": {…}}, …]}`.

    An atomic batch is carried out whole or not at all. Otherwise each item stands or falls alone, within the one
    transaction that also keeps the reply for a retry.
    """
    call.allow(records.WRITE)
    atomic, items = _read(call)
    results = [_one(ctx, info, item, place) for place, item in enumerate(items)]
    failed = [r for r in results if "problem" in r]
    if atomic and failed:
        for result in results:
            if "problem" not in result:
                # RFC 4918: this one would have done, had the others.
                result.clear()
                result["status"] = 424
        raise BatchRefused(
            _(
                "{count} of {all} items cannot be carried out, so none was.",
                count=len(failed),
                all=len(items),
            ),
            extra={"items": results},
        )
    made: dict[str, Any] = {"data": results, "failed": len(failed)}
    return json_reply({"dry_run": True, **made} if call.dry_run else made)


def _read(call: Call) -> tuple[bool, list[Any]]:
    body = call.object(most=MOST_BYTES)
    unknown = set(body) - {"atomic", "items"}
    if unknown:
        raise BadSyntax(
            _("A batch has atomic and items, not {word}.", word=repr(min(unknown)[:60]))
        )
    atomic, items = body.get("atomic", False), body.get("items")
    if not isinstance(atomic, bool) or not isinstance(items, list) or not items:
        raise BadSyntax(_('A batch is {{"atomic": true or false, "items": [at least one]}}.'))
    if len(items) > MOST_ITEMS:
        raise TooLarge(
            _("A batch has at most {most} items, this has {all}.", most=MOST_ITEMS, all=len(items))
        )
    return atomic, items


def _one(ctx: Context, info: EntityInfo, item: Any, place: int) -> dict[str, Any]:
    at = f"/items/{place}"
    try:
        with ctx.savepoint():
            record, status = _carry_out(ctx, info, item, at)
    except Refusal as refusal:
        return {"status": refusal.status, "problem": refusal.as_problem(ctx.show)}
    return {"status": status, "id": record.public_id, "rev": record.rev}


def _carry_out(ctx: Context, info: EntityInfo, item: Any, at: str) -> tuple[Entity, int]:
    if not isinstance(item, dict) or item.get("op") not in OPERATIONS:
        raise Invalid(
            _(
                "An item is an object whose op is one of {operations}.",
                operations=", ".join(OPERATIONS),
            )
        )
    unknown = set(item) - {"op", "id", "data", "rev"}
    if unknown:
        raise Invalid(
            _("An item has op, id, data and rev, not {word}.", word=repr(min(unknown)[:60]))
        )
    op = item["op"]
    ctx.require(info.permission(op))
    if op == "create":
        return records.create(ctx, info, item.get("data", {}), at=f"{at}/data"), 201
    key, rev = item.get("id"), item.get("rev")
    if not isinstance(key, str) or isinstance(rev, bool) or not isinstance(rev, int | None):
        raise Invalid(
            _("An item that changes a record has its id, and may have the rev that was seen.")
        )
    if op == "update":
        return records.change(
            ctx, info, key, item.get("data", {}), base_rev=rev, at=f"{at}/data"
        ), 200
    action = ctx.app.registry.action(info.permission("trash"))
    return ctx.run(action, key, base_rev=rev), 200
