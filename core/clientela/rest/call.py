"""A call and its reply, between ASGI and the handlers."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson

from clientela import gate
from clientela.errors import (
    BadSyntax,
    FieldProblem,
    Refusal,
    Show,
    UnsupportedMedia,
    did_you_mean,
    sentence_of,
)
from clientela.i18n.texts import _
from clientela.kinds.times import InstantKind
from clientela.timeline import Timeline

if TYPE_CHECKING:
    from clientela.files.uploads import Receiver

JSON = b"application/json"
PROBLEM = b"application/problem+json"
JSON_OPTIONS = orjson.OPT_UTC_Z

_TYPES = frozenset({"application/json", "application/merge-patch+json"})
_ETAG = re.compile(r'\s*(?:W/)?"([^"]*)"\s*')
MOST_PARAMETERS = 50

# Every read may look back.
AS_OF = frozenset({"as_of"})


@dataclass
class Call:
    """One request, read only as far as its handler asks."""

    method: str
    path: str
    query: bytes
    headers: Mapping[bytes, bytes]
    body: bytes
    request_id: str
    # The language of whoever calls, once they are known; a header asks for another.
    language: str | None = None
    # A file that comes in: it is not in `body`, which then holds its hash.
    receiver: Receiver | None = None
    # What each plugin cost, where somebody wants to know.
    timeline: Timeline | None = None

    @cached_property
    def parameters(self) -> dict[str, str]:
        """Read the query string; a parameter that stands twice is refused, because two readers would differ."""
        try:
            pairs = parse_qsl(
                self.query.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MOST_PARAMETERS,
            )
        except (UnicodeDecodeError, ValueError):
            raise BadSyntax(
                _("The query string cannot be read; percent-encode it as UTF-8.")
            ) from None
        made = dict(pairs)
        if len(made) != len(pairs):
            raise BadSyntax(_("A parameter stands twice in the query string."))
        for name, value in pairs:
            gate.check_text(name)
            gate.check_text(value)
        return made

    def allow(self, names: frozenset[str]) -> None:
        """Refuse parameters that nobody reads: a misspelt filter must not show everything."""
        for name in self.parameters:
            if name not in names:
                sentence = _(
                    "There is no parameter {name} here.", name=repr(name[:60])
                ) + did_you_mean(name, names)
                raise BadSyntax(
                    sentence, [FieldProblem(f"/{name[:60]}", "unknown-parameter", sentence)]
                )

    def flag(self, name: str) -> bool:
        """Read `name=true`."""
        value = self.parameters.get(name, "false")
        if value not in {"true", "false"}:
            raise BadSyntax(
                _("{name} is true or false.", name=name),
                [FieldProblem(f"/{name}", "bad-parameter", _("true or false"))],
            )
        return value == "true"

    def header(self, name: bytes) -> str | None:
        """Read a header as text."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def json(self, *, most: int = gate.MOST_BYTES) -> Any:
        """Read the body as JSON."""
        sent = (self.header(b"content-type") or "").split(";")[0].strip().lower()
        if sent not in _TYPES:
            raise UnsupportedMedia(
                _("Send application/json."), headers={"Accept": "application/json"}
            )
        return gate.read_json(self.body, most=most)

    def object(self, *, most: int = gate.MOST_BYTES, required: bool = False) -> dict[str, Any]:
        """Read the body as a JSON object; an empty body is an empty object where none is required."""
        if not self.body and not required:
            return {}
        value = self.json(most=most)
        if not isinstance(value, dict):
            raise BadSyntax(_("The body is a JSON object."))
        return value

    @property
    def base_rev(self) -> int | None:
        """Read `If-Match: "7"` as the revision the caller has seen."""
        sent = self.header(b"if-match")
        if sent is None or sent.strip() == "*":
            return None
        found = _ETAG.fullmatch(sent)
        if not found or not re.fullmatch(r"[0-9]{1,18}", found[1]):
            # A tag that was never given out matches nothing: RFC 9110, 13.1.1.
            return -1
        return int(found[1])

    @property
    def wants_minimal(self) -> bool:
        """Say whether `Prefer: return=minimal` was sent (RFC 7240)."""
        return "return=minimal" in (self.header(b"prefer") or "").replace(" ", "")

    @property
    def as_of(self) -> datetime | None:
        """Read the moment the caller wants to look back to."""
        sent = self.parameters.get("as_of")
        if sent is None:
            return None
        try:
            moment: datetime = InstantKind().parse(sent)
        except ValueError as wrong:
            sentence = sentence_of(wrong)
            raise BadSyntax(sentence, [FieldProblem("/as_of", "bad-parameter", sentence)]) from None
        return moment

    @property
    def confidence(self) -> int | None:
        """Read how far what is written can be trusted, in per cent."""
        sent = self.parameters.get("confidence")
        if sent is None:
            return None
        if not re.fullmatch(r"[0-9]{1,3}", sent) or int(sent) > 100:  # noqa: PLR2004 - per cent
            sentence = _("A confidence is from 0 to 100 per cent.")
            raise BadSyntax(sentence, [FieldProblem("/confidence", "bad-parameter", sentence)])
        return int(sent)

    @property
    def dry_run(self) -> bool:
        """Say whether nothing shall stay."""
        return self.flag("dry_run")


@dataclass
class Reply:
    """What goes back: a body; a stream of `size` bytes, whose pieces may block where they are fetched; or pieces.

    Pieces are read by the thread that answered, because it holds the transaction they come from.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    media: bytes = JSON
    stream: Iterator[bytes] | None = None
    size: int | None = None
    pieces: Generator[bytes] | None = None


def json_reply(value: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Reply:
    """Reply with JSON."""
    return Reply(status, orjson.dumps(value, option=JSON_OPTIONS), headers or {})


def problem(refusal: Refusal, request_id: str, show: Show = str) -> Reply:
    """Reply with a problem document (RFC 9457)."""
    body = refusal.as_problem(show) | {"request_id": request_id}
    return Reply(
        refusal.status,
        orjson.dumps(body, option=JSON_OPTIONS, default=str),
        dict(refusal.headers),
        PROBLEM,
    )


def etag(rev: int) -> dict[str, str]:
    """Give the strong tag of a revision."""
    return {"ETag": f'"{rev}"'}
