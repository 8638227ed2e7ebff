"""Lists over REST: the query string as a question."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from clientela.errors import BadSyntax, FieldProblem
from clientela.filters import And, Compare, Node, Word, from_json, parse
from clientela.i18n.texts import _
from clientela.query import DEFAULT_LIMIT, Page, Question, list_page, words
from clientela.rest.call import AS_OF, Call, Reply, json_reply
from clientela.views.questions import over_view

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo

SHAPE = AS_OF | {"fields", "expand"}
LIST = SHAPE | {
    "filter",
    "sort",
    "limit",
    "after",
    "before",
    "count",
    "include_deleted",
    "q",
    "view",
}
ABOUT = frozenset({"entity"})


def question_of(parameters: dict[str, str]) -> Question:
    """Read the parameters of a list."""
    after, before = parameters.get("after"), parameters.get("before")
    if after is not None and before is not None:
        raise BadSyntax(_("A page is after a cursor or before one, not both."))
    return Question(
        filter=parse(parameters.get("filter", "")),
        sort=parameters.get("sort", ""),
        fields=words(parameters.get("fields", "")),
        expand=words(parameters.get("expand", "")),
        search=parameters.get("q", ""),
        limit=read_limit(parameters.get("limit", str(DEFAULT_LIMIT))),
        after=after,
        before=before,
        count=_one_of("count", parameters.get("count", "none"), ("none", "bounded", "exact")),
        trashed={"false": False, "true": None, "only": True}[
            _one_of(
                "include_deleted",
                parameters.get("include_deleted", "false"),
                ("false", "true", "only"),
            )
        ],
    )


def read_limit(text: str) -> int:
    """Read how many are wanted."""
    if not text.isascii() or not text.isdigit() or len(text) > 4:  # noqa: PLR2004 - far above the most
        raise BadSyntax(
            _("limit is a whole number."),
            [FieldProblem("/limit", "bad-parameter", _("a whole number"))],
        )
    return int(text)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        sentence = _("{name} is one of {allowed}.", name=name, allowed=", ".join(allowed))
        raise BadSyntax(
            sentence, [FieldProblem(f"/{name}", "bad-parameter", sentence, allowed=allowed)]
        )
    return value


def list_records(ctx: Context, info: EntityInfo, call: Call) -> Reply:
    """GET a collection; what is about an entity, such as a view, is narrowed by `entity=` as well."""
    call.allow(LIST | ABOUT if info.fields.keys() >= ABOUT else LIST)
    question = _over_view(ctx, info, question_of(call.parameters), call.parameters)
    about = call.parameters.get("entity")
    if about is not None:
        question = _with(question, Compare(("entity",), "eq", Word(about)))
    return _reply(call, list_page(ctx, info, question))


def query_records(ctx: Context, info: EntityInfo, call: Call) -> Reply:
    """POST a collection:query, with the filter as JSON and the rest as in the query string."""
    call.allow(frozenset())
    body = call.object(required=True)
    filter_: Node | None = from_json(body.pop("filter")) if body.get("filter") is not None else None
    body.pop("filter", None)
    for name, value in body.items():
        if name not in LIST:
            raise BadSyntax(_("There is no member {name} in a query.", name=repr(name[:60])))
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise BadSyntax(_("{name} is text or a number here, as in a query string.", name=name))
    parameters = {name: str(value) for name, value in body.items()}
    question = replace(question_of(parameters), filter=filter_)
    return json_reply(list_page(ctx, info, _over_view(ctx, info, question, parameters)).as_dict())


def _over_view(
    ctx: Context, info: EntityInfo, question: Question, parameters: dict[str, str]
) -> Question:
    """Put a question over that of the saved view it names."""
    name = parameters.get("view")
    return over_view(ctx, info, question, name) if name else question


def related_records(
    ctx: Context, target: EntityInfo, field: str, public_id: str, call: Call
) -> Reply:
    """GET the records that refer to one: a list with one more condition."""
    call.allow(LIST)
    question = _over_view(ctx, target, question_of(call.parameters), call.parameters)
    mine = _with(question, Compare((field,), "eq", Word(public_id)))
    return _reply(call, list_page(ctx, target, mine))


def _with(question: Question, node: Node) -> Question:
    """Put one more condition to a question."""
    return replace(
        question, filter=node if question.filter is None else And((node, question.filter))
    )


def _reply(call: Call, page: Page) -> Reply:
    """Reply with a weak tag and links to the neighbours."""
    reply = json_reply(page.as_dict())
    tag = f'W/"{hashlib.blake2b(reply.body, digest_size=12).hexdigest()}"'
    if tag in (call.header(b"if-none-match") or ""):
        return Reply(304, headers={"ETag": tag})
    reply.headers["ETag"] = tag
    links = _links(call, page)
    if links:
        reply.headers["Link"] = links
    return reply


def _links(call: Call, page: Page) -> str:
    kept = {n: v for n, v in call.parameters.items() if n not in {"after", "before"}}
    found = [
        f'<{call.path}?{urlencode(kept | {name: cursor})}>; rel="{rel}"'
        for rel, name, cursor in (("next", "after", page.after), ("prev", "before", page.before))
        if cursor is not None
    ]
    return ", ".join(found)
