"""POST a collection:update: look at what a filter finds and what becomes of it, then do it with the token of the look.

It is no handler like the others, because it may need several transactions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clientela.bulk.editing import Edit, look, preview, result, run
from clientela.bulk.judging import Found
from clientela.entity import EntityInfo
from clientela.errors import BadSyntax, FieldProblem, MethodNotAllowed, did_you_mean
from clientela.filters import Node, from_json, parse
from clientela.i18n.texts import _
from clientela.rest.call import Call, Reply, json_reply
from clientela.rest.records import WRITE
from clientela.schemas import load, patch_schema

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App
    from clientela.context import Context
    from clientela.registry import Registry
    from clientela.rest.idempotency import Once

MEMBERS = ("filter", "set", "skip_bad_rows", "token")


def edit_asked(registry: Registry, call: Call, path: str) -> EntityInfo | None:
    """Give the entity, if records are to be changed by a filter."""
    plugin, _slash, last = path.partition("/")
    collection, _colon, verb = last.partition(":")
    info = registry.by_collection.get((plugin, collection)) if verb == "update" else None
    if info is None or "update" not in info.verbs:
        return None
    if call.method != "POST":
        raise MethodNotAllowed(
            _(
                "{method} does not fit here; use {allowed}.",
                method=call.method[:20],
                allowed="POST",
            ),
            headers={"Allow": "POST"},
        )
    return info


def edit_reply(
    app: App, principal: Principal, call: Call, info: EntityInfo, once: Once, how: dict[str, Any]
) -> Reply:
    """Reply with what would be changed, or with what was."""
    call.allow(WRITE)
    principal.require(info.permission("update"))
    edit, token = _read(app, info, call.object(required=True))
    if token is None or call.dry_run:
        with app.acting_as(principal, writing=False, **how) as ctx:
            return json_reply(preview(ctx, edit, look(ctx, edit)))
    key = once.key_of(call, principal.id)

    def keep(ctx: Context, found: Found) -> None:
        once.keep(ctx, call, key, json_reply(result(found, ctx.show)))

    with once.running(key):
        kept = app.perform(principal, lambda ctx: once.kept(ctx, call, key), **how) if key else None
        if kept is not None:
            return kept
        found = run(app, principal, edit, token, how=how, finish=keep)
        with app.acting_as(principal, writing=False, **how) as ctx:
            return json_reply(result(found, ctx.show))


def _read(app: App, info: EntityInfo, body: dict[str, Any]) -> tuple[Edit, str | None]:
    for name in body:
        if name not in MEMBERS:
            raise _bad(
                name[:60],
                _("There is no member {name} here.", name=repr(name[:60]))
                + did_you_mean(name, MEMBERS),
            )
    skip, token = body.get("skip_bad_rows", False), body.get("token")
    if not isinstance(skip, bool):
        raise _bad("skip_bad_rows", _("{name} is true or false.", name="skip_bad_rows"))
    if not isinstance(token, str | None):
        raise _bad("token", _("The token is the text that the preview gave."))
    values = body.get("set")
    if not isinstance(values, dict) or not values:
        raise _bad(
            "set", _("Say what is to be changed: {example}.", example='{"set": {"country": "RU"}}')
        )
    read = load(patch_schema(info, app.home), values, at="/set")
    return Edit(info, read_filter(body.get("filter")), read, skip_bad_rows=skip), token


def read_filter(raw: Any) -> Node:
    """Read which records are meant, as text or as JSON; to say nothing does not mean all of them."""
    found = parse(raw) if isinstance(raw, str) else None if raw is None else from_json(raw)
    if found is None:
        raise _bad(
            "filter", _("Say which records are to be changed by a filter; rev >= 1 finds all.")
        )
    return found


def _bad(name: str, sentence: str) -> BadSyntax:
    return BadSyntax(sentence, [FieldProblem(f"/{name}", "bad-member", sentence)])
