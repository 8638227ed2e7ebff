"""The dispatcher: from an address to a handler by two dictionary look-ups, however many plugins there are."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from clientela import gate, ids
from clientela.access.principal import Principal
from clientela.changes import record_history
from clientela.customers.entities import Customer
from clientela.entity import EntityInfo
from clientela.errors import (
    BadSyntax,
    MethodNotAllowed,
    NotFound,
    Refusal,
    Show,
    Unauthenticated,
    did_you_mean,
)
from clientela.exchange.cards.exporting import write_vcard
from clientela.exchange.entities import Import
from clientela.exchange.failures import failed_csv
from clientela.i18n.formats import negotiate
from clientela.i18n.texts import _
from clientela.plugins.card import View
from clientela.plugins.journal import TRACE
from clientela.provenance import record_provenance
from clientela.rest import batch, changes, files, lists, records
from clientela.rest.call import AS_OF, Call, Reply, json_reply, problem
from clientela.rest.edits import edit_asked, edit_reply
from clientela.rest.exports import file_asked, file_reply
from clientela.rest.health import OPERATE
from clientela.rest.idempotency import Once
from clientela.rest.meta import describe
from clientela.rest.search import search
from clientela.timeline import Timeline

if TYPE_CHECKING:
    from clientela.app import App
    from clientela.context import Context
    from clientela.files.uploads import Receiver

log = logging.getLogger("clientela.rest")

PREFIX = "/api/v1/"
TIMED = b"x-clientela-trace"
Handler = Callable[["Context", Call], Reply]

READING = frozenset({"GET", "HEAD"})

# The kernel's own addresses, which belong to no entity.
KERNEL: dict[tuple[str, ...], dict[str, tuple[bool, Handler]]] = {
    ("meta",): {"GET": (True, describe)},
    ("core", "search"): {"GET": (True, search)},
    files.ADDRESS: {"POST": (False, files.finish)},
}


class Dispatcher:
    """Answers every call below `/api/v1/`."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.once = Once()

    def answer(self, call: Call) -> Reply:
        """Answer, whatever happens: a refusal is a problem document, a defect is one too."""
        try:
            reply = self._answer(call)
        except Exception as error:  # noqa: BLE001 - whoever called gets an answer
            reply = self.excuse(call, error)
        if call.timeline is not None:
            self._tell_time(call, call.timeline, reply)
        return reply

    def excuse(self, call: Call, error: Exception) -> Reply:
        """Answer with what went wrong; what is no refusal is a defect of ours, and the log has it."""
        if not isinstance(error, Refusal):
            log.error("request %s failed", call.request_id, exc_info=error)
            error = Defect()
        return problem(error, call.request_id, self._show(call))

    def receive(self, call: Call) -> Receiver:
        """Begin to take a file, or refuse it before a byte of it is read."""
        principal = self.principal(call)
        call.language = principal.language
        return files.begin(self.app, principal, call)

    def _tell_time(self, call: Call, timeline: Timeline, reply: Reply) -> None:
        """Say what each plugin cost: to the caller in a header, and to `clientela trace --last` in a file."""
        reply.headers = reply.headers | {"Server-Timing": timeline.header()}
        if self.app.journal is not None:
            told = {"method": call.method, "path": call.path, "status": reply.status}
            self.app.journal.write(TRACE, told | timeline.as_dict(), durable=False)

    def _answer(self, call: Call) -> Reply:
        if call.path == f"{PREFIX}openapi.json" and call.method in READING:
            # Public on purpose: it describes the software, not the data, and tools fetch it before they sign in.
            return self._openapi()
        principal = self.principal(call)
        call.language = principal.language
        call.timeline = Timeline() if self._is_timed(call, principal) else None
        file = file_asked(self.app.registry, call, call.path[len(PREFIX) :])
        if file is not None:
            opened = self.app.acting_as(
                principal, face="rest", writing=False, as_of=call.as_of, **self._how(call)
            )
            return file_reply(opened, file, call)
        edited = edit_asked(self.app.registry, call, call.path[len(PREFIX) :])
        if edited is not None:
            how = {"face": "rest"} | self._how(call)
            return edit_reply(self.app, principal, call, edited, self.once, how)
        reads, handler = self._route(call)
        if reads:
            with self.app.acting_as(
                principal, face="rest", writing=False, as_of=call.as_of, **self._how(call)
            ) as ctx:
                return handler(ctx, call)
        key = self.once.key_of(call, principal.id)
        with self.once.running(key):
            return self.app.perform(
                principal,
                lambda ctx: self.once.carry_out(ctx, call, key, lambda c: handler(c, call)),
                face="rest",
                writing=True,
                dry_run=call.dry_run,
                **self._how(call),
            )

    def _how(self, call: Call) -> dict[str, Any]:
        return {
            "request_id": call.request_id, "confidence": call.confidence,
            "language": self._language(call), "timeline": call.timeline,
        }  # fmt: skip

    def _is_timed(self, call: Call, principal: Principal) -> bool:
        """Say whether this call keeps a timeline: for all by a setting, for operators by a header."""
        if self.app.settings.server_timing:
            return True
        return call.headers.get(TIMED) == b"1" and principal.can(OPERATE)

    def _language(self, call: Call) -> str | None:
        """Give the language the caller asks for, if it asks for one."""
        accepted = call.header(b"accept-language")
        if not accepted or accepted == "*":
            return None
        return negotiate(accepted, self.app.catalogues.languages, self.app.settings.language)

    def _show(self, call: Call) -> Show:
        language = self._language(call) or call.language or self.app.settings.language
        return self.app.catalogues.translator(language).show

    def principal(self, call: Call) -> Principal:
        """Find out who calls."""
        return self.bearer(call.header(b"authorization") or "")

    def bearer(self, sent: str) -> Principal:
        """Find out who sends a token."""
        scheme, _space, token = sent.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated(
                _("Send a token: Authorization: Bearer clt_…."),
                headers={"WWW-Authenticate": 'Bearer realm="clientela"'},
            )
        return self.app.directory.by_token(token.strip())

    def _openapi(self) -> Reply:
        from clientela.rest.openapi import document  # noqa: PLC0415 - asked for once in a while

        return Reply(200, document(self.app))

    # routing ----------------------------------------------------------------------------------------------------

    def _route(self, call: Call) -> tuple[bool, Handler]:
        """Give whether the call only reads, and its handler."""
        parts = [_segment(part) for part in call.path[len(PREFIX) :].split("/")]
        own = KERNEL.get(tuple(parts)) or changes.route(parts)
        if own is not None:
            return _only(call, own)
        if len(parts) < 2 or not all(parts):  # noqa: PLR2004 - plugin and collection
            return self._plugin_action(call, parts)
        plugin, second, *rest = parts
        collection, _colon, verb = second.partition(":")
        info = self.app.registry.by_collection.get((plugin, collection))
        if info is None:
            raise NotFound(
                _("There is nothing at {path}.", path=call.path[:120])
                + self._hint(plugin, collection)
            )
        if verb:
            return self._collection_verb(call, info, verb, rest)
        if not rest:
            return self._collection(call, info)
        if rest[0] == "by" and len(rest) == 3:  # noqa: PLR2004 - by, source, key
            return self._external(call, info, rest[1], rest[2])
        return self._record(call, info, rest)

    def _hint(self, plugin: str, collection: str) -> str:
        names = [c for p, c in self.app.registry.by_collection if p == plugin]
        return did_you_mean(collection, names) or did_you_mean(plugin, self.app.registry.plugins)

    def _collection(self, call: Call, info: EntityInfo) -> tuple[bool, Handler]:
        table: dict[str, tuple[bool, Handler]] = {
            "GET": (True, lambda ctx, c: lists.list_records(ctx, info, c))
        }
        if "create" in info.verbs:
            table["POST"] = (False, lambda ctx, c: records.create_record(ctx, info, c))
        return _only(call, table)

    def _collection_verb(
        self, call: Call, info: EntityInfo, verb: str, rest: list[str]
    ) -> tuple[bool, Handler]:
        if rest:
            raise NotFound(_("There is nothing at {path}.", path=call.path[:120]))
        if verb == "query":
            return _only(call, {"POST": (True, lambda ctx, c: lists.query_records(ctx, info, c))})
        if verb == "batch" and info.verbs & {"create", "update", "trash"}:
            return _only(call, {"POST": (False, lambda ctx, c: batch.batch(ctx, info, c))})
        action = self.app.registry.actions.get(info.permission(verb))
        if action is None or action.on is not None or action.verb in records_only:
            raise NotFound(
                _("{nouns} have no action {verb}.", nouns=info.heading, verb=repr(verb[:60]))
            )
        return _only(
            call, {"POST": (not action.writes, lambda ctx, c: records.act(ctx, action, None, c))}
        )

    def _plugin_action(self, call: Call, parts: list[str]) -> tuple[bool, Handler]:
        plugin, _colon, verb = parts[0].partition(":")
        action = (
            self.app.registry.actions.get(f"{plugin}.{verb}") if len(parts) == 1 and verb else None
        )
        if action is None or action.on is not None:
            raise NotFound(
                _("There is nothing at {path}.", path=call.path[:120])
                + did_you_mean(plugin, self.app.registry.plugins)
            )
        return _only(
            call, {"POST": (not action.writes, lambda ctx, c: records.act(ctx, action, None, c))}
        )

    def _external(
        self, call: Call, info: EntityInfo, source: str, key: str
    ) -> tuple[bool, Handler]:
        table: dict[str, tuple[bool, Handler]] = {
            "GET": (True, lambda ctx, c: records.get_external(ctx, info, source, key, c))
        }
        if {"create", "update"} <= info.verbs:
            table["PUT"] = (False, lambda ctx, c: records.put_external(ctx, info, source, key, c))
        return _only(call, table)

    def _record(self, call: Call, info: EntityInfo, rest: list[str]) -> tuple[bool, Handler]:
        text, _colon, verb = rest[0].partition(":")
        if verb and len(rest) == 1:
            return self._record_action(call, info, text, verb)
        if len(rest) == 1:
            return self._one(call, info, text)
        if rest[-1] == "content" and info.file_fields and not verb:
            return self._content(call, info, text, rest[1:-1])
        if len(rest) == 2 and not verb:  # noqa: PLR2004 - id and relation
            return self._related(call, info, text, rest[1])
        raise NotFound(_("There is nothing at {path}.", path=call.path[:120]))

    def _one(self, call: Call, info: EntityInfo, text: str) -> tuple[bool, Handler]:
        table: dict[str, tuple[bool, Handler]] = {
            "GET": (True, lambda ctx, c: records.get_record(ctx, info, text, c))
        }
        if "update" in info.verbs:
            table["PATCH"] = (False, lambda ctx, c: records.patch_record(ctx, info, text, c))
        if "trash" in info.verbs:
            table["DELETE"] = (False, lambda ctx, c: records.trash_record(ctx, info, text, c))
        return _only(call, table)

    def _record_action(
        self, call: Call, info: EntityInfo, text: str, verb: str
    ) -> tuple[bool, Handler]:
        action = self.app.registry.actions.get(info.permission(verb))
        if action is None or action.on is None or verb == "update":
            verbs = [a.verb for a in self.app.registry.actions_on(info)]
            raise NotFound(
                _("A {noun} has no action {verb}.", noun=info.noun, verb=repr(verb[:60]))
                + did_you_mean(verb, verbs)
            )
        return _only(
            call,
            {
                "POST": (
                    not action.writes,
                    lambda ctx, c: records.act(ctx, action, records.key_of(info, text), c),
                )
            },
        )

    def _related(self, call: Call, info: EntityInfo, text: str, name: str) -> tuple[bool, Handler]:
        view = self.app.registry.views.get((info.name, name)) or self._derived(info, name)
        if view is not None:
            return _only(
                call,
                {"GET": (True, lambda ctx, c: _view(ctx, view, records.key_of(info, text), c))},
            )
        if info is Customer.info and name == "vcard":
            key = records.key_of(info, text)
            return _only(call, {"GET": (True, lambda ctx, c: _vcard(ctx, key, c))})
        if info is Import.info and name == "failed.csv":
            key = records.key_of(info, text)
            return _only(call, {"GET": (True, lambda ctx, c: _failed_rows(ctx, key, c))})
        found = self._referring(info, name)
        if found is None:
            raise NotFound(_("A {noun} has no {name}.", noun=info.noun, name=repr(name[:60])))
        other, field = found
        key = records.key_of(info, text)
        return _only(
            call, {"GET": (True, lambda ctx, c: _related(ctx, other, field, (info, key), c))}
        )

    @staticmethod
    def _content(call: Call, info: EntityInfo, text: str, named: list[str]) -> tuple[bool, Handler]:
        """Find the file: the one that the records of this entity hold, or the one in the field that is named."""
        names = [f.name for f in info.file_fields]
        if not (named in [[name] for name in names] or (not named and len(names) == 1)):
            raise NotFound(_("There is nothing at {path}.", path=call.path[:120]))
        field, key = (named or names)[0], records.key_of(info, text)
        return _only(call, {"GET": (True, lambda ctx, c: files.content(ctx, info, key, field, c))})

    @staticmethod
    def _derived(info: EntityInfo, name: str) -> View | None:
        """Every record has its history, and each of its values comes from somewhere."""
        found = {"history": record_history, "provenance": record_provenance}.get(name)
        return (lambda ctx, key: found(ctx, info, key)) if found is not None else None

    def _referring(self, info: EntityInfo, name: str) -> tuple[EntityInfo, str] | None:
        """Find the field that a related list goes by: `interactions`, or `core.interactions`."""
        registry = self.app.registry
        for other, field in [*registry.referring(info), *registry.belonging(info)]:
            if name in (other.collection, f"{other.plugin}.{other.collection}"):
                return other, field
        return None


records_only = frozenset({"create", "update", "trash", "restore", "purge"})


class Defect(Refusal):
    """Something is wrong with the software itself."""

    status = 500
    exit_code = 70
    code = "defect"
    title = _("Something is wrong here")

    def __init__(self) -> None:
        super().__init__(_("This is a defect of ours; the log has it under the request id."))


def _view(ctx: Context, view: Callable[[Context, str], Any], key: str, call: Call) -> Reply:
    call.allow(AS_OF)
    return json_reply(view(ctx, key))


def _vcard(ctx: Context, key: str, call: Call) -> Reply:
    call.allow(frozenset({"version"}))
    body = write_vcard(ctx, key, call.parameters.get("version", "4.0"))
    return Reply(200, body, media=b"text/vcard; charset=utf-8")


def _failed_rows(ctx: Context, key: str, call: Call) -> Reply:
    call.allow(frozenset())
    record = ctx.get(Import, key)
    headers = {"Content-Disposition": f'attachment; filename="{record.public_id}-failed.csv"'}
    pieces = failed_csv(ctx.app, record.id, ctx.show)
    return Reply(headers=headers, media=b"text/csv; charset=utf-8", pieces=pieces)


def _related(
    ctx: Context, other: EntityInfo, field: str, of: tuple[EntityInfo, str], call: Call
) -> Reply:
    info, key = of
    ctx.get(info.cls, key)
    return lists.related_records(ctx, other, field, info.public_id(key), call)


def _only(call: Call, table: dict[str, tuple[bool, Handler]]) -> tuple[bool, Handler]:
    method = "GET" if call.method == "HEAD" else call.method
    found = table.get(method)
    if found is None:
        allowed = ", ".join(sorted(table))
        raise MethodNotAllowed(
            _(
                "{method} does not fit here; use {allowed}.",
                method=call.method[:20],
                allowed=allowed,
            ),
            headers={"Allow": allowed},
        )
    return found


def _segment(part: str) -> str:
    try:
        return gate.check_text(unquote(part, errors="strict"))
    except UnicodeDecodeError:
        raise BadSyntax(_("The address cannot be read; percent-encode it as UTF-8.")) from None


def is_upload(call: Call) -> bool:
    """Say whether the call brings a file, which is read as it comes and not as a whole."""
    return call.method == "POST" and call.path == PREFIX + "/".join(files.ADDRESS)


def is_short_read(call: Call) -> bool:
    """Say whether the call reads one record by its key: too short to be worth a thread."""
    if call.method not in READING or call.query:
        return False
    parts = call.path[len(PREFIX) :].split("/")
    # A collection may be answered in pieces, which needs a thread.
    return len(parts) > 2 and len(parts[-1]) > ids.LENGTH and "_" in parts[-1]  # noqa: PLR2004
