"""The change log over REST: `/core/changes`, a record's `/history`, and taking back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from clientela import changes
from clientela.errors import BadSyntax, NotFound
from clientela.i18n import _
from clientela.rest.call import Call, Reply, json_reply
from clientela.rest.records import WRITE, dry

if TYPE_CHECKING:
    from clientela.context import Context

Handler = Callable[["Context", Call], Reply]
Route = dict[str, tuple[bool, Handler]]

NARROWING = ("actor", "action", "face", "entity", "record", "after")


def route(parts: list[str]) -> Route | None:
    """Give the handlers of an address below `/core/changes`, by method."""
    if parts[:2] != ["core", "changes"]:
        return None
    rest = parts[2:]
    if not rest:
        return {"GET": (True, list_changes)}
    if len(rest) > 1:
        raise NotFound(_("There is nothing at {path}.", path="/".join(parts)[:120]))
    set_id, _colon, verb = rest[0].partition(":")
    acts = {"undo": changes.undo, "redo": changes.redo}
    if not verb:
        return {"GET": (True, lambda ctx, call: show_change(ctx, set_id, call))}
    if verb not in acts:
        raise NotFound(_("A change set has no action {verb}.", verb=repr(verb[:60])))
    return {"POST": (False, lambda ctx, call: _act(ctx, acts[verb], set_id, call))}


def list_changes(ctx: Context, call: Call) -> Reply:
    """GET the newest change sets."""
    call.allow(frozenset({*NARROWING, "limit"}))
    narrowed = {name: call.parameters[name] for name in NARROWING if name in call.parameters}
    rows = changes.list_sets(ctx, changes.Wanted(**narrowed, limit=_limit(call)))
    return json_reply({"data": rows, "page": {"after": rows[-1]["id"] if rows else None}})


def show_change(ctx: Context, set_id: str, call: Call) -> Reply:
    """GET a change set with its changes."""
    call.allow(frozenset({"after", "limit"}))
    return json_reply(
        changes.show_set(ctx, set_id, after=call.parameters.get("after", ""), limit=_limit(call))
    )


def _act(
    ctx: Context, act: Callable[[Context, str], dict[str, Any]], set_id: str, call: Call
) -> Reply:
    call.allow(WRITE)
    result = act(ctx, set_id)
    return dry(ctx, result) if call.dry_run else json_reply(result)


def _limit(call: Call) -> int:
    text = call.parameters.get("limit", "50")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:5]) <= changes.MOST):
        raise BadSyntax(_("limit is a number from 1 to {most}.", most=changes.MOST))
    return int(text)
