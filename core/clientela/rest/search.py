"""Search over REST: every kind of record at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clientela.errors import BadSyntax, FieldProblem
from clientela.i18n.texts import _
from clientela.query import words
from clientela.rest.call import Call, Reply, json_reply
from clientela.rest.lists import read_limit
from clientela.search.finding import DEFAULT_LIMIT, find

if TYPE_CHECKING:
    from clientela.context import Context

PARAMETERS = frozenset({"q", "entity", "limit"})


def search(ctx: Context, call: Call) -> Reply:
    """GET core/search: the best hits for the words of `q`."""
    call.allow(PARAMETERS)
    query = call.parameters.get("q", "")
    if not query.strip():
        sentence = _("q has the words to look for.")
        raise BadSyntax(sentence, [FieldProblem("/q", "bad-parameter", sentence)])
    entities = words(call.parameters.get("entity", ""))
    limit = read_limit(call.parameters.get("limit", str(DEFAULT_LIMIT)))
    hits = find(ctx, query, entities=entities or None, limit=limit)
    return json_reply({"data": [hit.as_dict() for hit in hits]})
