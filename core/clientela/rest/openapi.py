"""OpenAPI 3.1, written from the declarations of exactly the plugins that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import orjson

from clientela import __version__
from clientela.filters import nodes
from clientela.i18n.phrases import a_noun
from clientela.kinds.structured import FileKind
from clientela.kinds.text import TextKind
from clientela.query import DEFAULT_LIMIT, MOST_ROWS
from clientela.rest.batch import MOST_ITEMS, OPERATIONS
from clientela.rest.changes import NARROWING
from clientela.rest.lists import ABOUT
from clientela.search.finding import DEFAULT_LIMIT as DEFAULT_HITS
from clientela.search.finding import MOST_HITS

if TYPE_CHECKING:
    from clientela.actions import Action
    from clientela.app import App
    from clientela.entity import EntityInfo
    from clientela.fields import Field

Json = dict[str, Any]

_made: WeakKeyDictionary[App, tuple[int, bytes]] = WeakKeyDictionary()

SENTENCES = {
    "400": "Something in the request cannot be read.",
    "401": "Nobody known is asking.",
    "403": "A permission is missing.",
    "404": "Not there, or not to be known.",
    "409": "The state of things forbids it.",
    "412": "Somebody else changed the same fields first.",
    "413": "More was sent than is taken.",
    "415": "The content type is not read here.",
    "416": "The file has no such part.",
    "422": "Some values cannot be taken.",
    "503": "Not available right now; see Retry-After.",
}
READ = ("400", "401", "403", "404", "422", "503")
WRITE = (*READ, "409", "412", "413", "415")


def document(app: App) -> bytes:
    """Give the document as JSON; it is made once per app, and again when custom fields changed."""
    app.look_again()
    count, made = _made.get(app, (-1, b""))
    if count != app.definitions.count:
        count = app.definitions.count
        made = orjson.dumps(build(app))
        _made[app] = count, made
    return made


def build(app: App) -> Json:
    """Write the document."""
    paths: Json = {
        "/api/v1/meta": {
            "get": _operation("meta.read", "Describe the deployment", {"type": "object"}, READ)
        },
        "/api/v1/core/search": {"get": _search()},
        "/api/v1/core/files": {"post": _upload()},
        **_changes(),
    }
    schemas: Json = {"Problem": _problem_schema(), "DryRun": _dry_schema()}
    for info in app.registry.entities.values():
        _add_entity(app, info, paths, schemas)
    for action in app.registry.actions.values():
        if action.on is None and action.takes is not None and not _is_verb(action):
            _add_action(app, action, paths, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": app.settings.name, "version": __version__},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _changes() -> Json:
    """Describe the change log."""
    base, key = "/api/v1/core/changes", [_path("id", "The id of a change set: chs_01J…")]
    narrowing = [_query(name, {"type": "string"}, f"Only of this {name}.") for name in NARROWING]
    limit = _query("limit", {"type": "integer", "minimum": 1, "maximum": 200}, "Rows.")
    gives = {"type": "object"}
    made: Json = {
        base: {
            "get": _operation(
                "change.list", "List change sets", gives, READ, parameters=[*narrowing, limit]
            )
        },
        f"{base}/{{id}}": {
            "parameters": key,
            "get": _operation(
                "change.read", "Show a change set", gives, READ, parameters=[narrowing[-1], limit]
            ),
        },
    }
    for verb in ("undo", "redo"):
        operation = _operation(
            f"change.{verb}",
            f"{verb.capitalize()} a change set",
            gives,
            WRITE,
            parameters=_write_parameters(),
        )
        made[f"{base}/{{id}}:{verb}"] = {"parameters": key, "post": operation}
    return made


def _upload() -> Json:
    """Describe the address that takes a file."""
    text = {"type": "string"}
    digest = "sha-256=:…: of the body, which is then compared (RFC 9530)."
    headers = {
        "X-File-Name": "The name of the file, percent-encoded as UTF-8.",
        "Content-Disposition": "The name of the file, as filename* of RFC 6266.",
        "Content-Digest": digest,
    }
    return _operation(
        "core.file.create",
        "Upload a file, to be put into a record next",
        FileKind(most_bytes=2**53 - 1).json_schema(),
        WRITE,
        status="201",
        body=text | {"format": "binary"},
        body_required=False,
        parameters=[_header(name, text, about) for name, about in headers.items()]
        + _write_parameters()[-1:],
        media="application/octet-stream",
    )


def _contents(info: EntityInfo, base: str) -> Json:
    """Describe the addresses of the bytes of the files that a record holds."""
    fields = info.file_fields
    made = {
        f"{base}/{{id}}/{declared.name}/content": _content(info, declared) for declared in fields
    }
    if len(fields) == 1:
        short = _content(info, fields[0])
        short["get"]["operationId"] = f"{info.name}.content"
        made[f"{base}/{{id}}/content"] = short
    return made


def _content(info: EntityInfo, declared: Field) -> Json:
    text = {"type": "string"}
    operation = _operation(
        f"{info.name}.{declared.name}.content",
        f"Download the {declared.label.lower()} of a {info.phrase}",
        None,
        (*READ, "416"),
        parameters=[
            _header("Range", text, "One range of bytes: bytes=0-1023."),
            _header("If-Range", text, "The ETag that the range is meant of."),
        ],
    )
    content = {"*/*": {"schema": text | {"format": "binary"}}}
    for code, sentence in (("200", "The bytes."), ("206", "A part of the bytes.")):
        operation["responses"][code] = {"description": sentence, "content": content}
    operation["responses"]["304"] = {"description": "They are those you have."}
    return {"parameters": [_id(info)], "get": operation}


def _search() -> Json:
    text = {"type": "string"}
    piece = {
        "type": "object",
        "properties": {"text": text, "hit": {"type": "boolean"}},
        "required": ["text", "hit"],
    }
    properties = {
        "entity": text, "id": text, "title": text,
        "field": text | {"description": "The field that the snippet is from."},
        "snippet": {
            "type": "array", "items": piece,
            "description": "The text around the words; a piece with hit is one of them.",
        },
        "score": {"type": "number", "minimum": 0, "maximum": 1},
    }  # fmt: skip
    hit = {"type": "object", "properties": properties, "required": list(properties)}
    found = {
        "type": "object",
        "properties": {"data": {"type": "array", "items": hit}},
        "required": ["data"],
    }
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_HITS, "default": DEFAULT_HITS}
    words = _query(
        "q", {"type": "string", "minLength": 1}, "Words, the beginning of one, digits of a number."
    )
    parameters = [
        words | {"required": True},
        _query(
            "entity",
            text,
            "Kinds of records, such as core.customer, with commas between; all when left out.",
        ),
        _query("limit", limit, "Hits, the best first."),
    ]
    return _operation(
        "core.search",
        "Find records of every kind by their words",
        found,
        READ,
        parameters=parameters,
    )


def _add_entity(app: App, info: EntityInfo, paths: Json, schemas: Json) -> None:
    name = f"{info.plugin}_{info.singular}"
    schemas[name] = _out(info)
    schemas[f"{name}_page"] = _page(name)
    base = f"/api/v1/{info.plugin}/{info.collection}"
    paths[base] = _collection(info, name, schemas)
    paths[f"{base}:query"] = {
        "post": _operation(
            f"{info.name}.query", f"Find {info.plural} by a filter in JSON", _ref(f"{name}_page"),
            (*READ, "413", "415"), body=_query_body(),
        )
    }  # fmt: skip
    if info.verbs & {"create", "update", "trash"}:
        paths[f"{base}:batch"] = {"post": _batch(info)}
    if "update" in info.verbs:
        paths[f"{base}:update"] = {"post": _edit(info, name)}
    paths[f"{base}/{{id}}"] = _record(info, name, schemas)
    paths[f"{base}/by/{{source}}/{{key}}"] = _external(info, name)
    for action in app.registry.actions.values():
        if action.on is info.cls and action.verb not in {"update", "trash"}:
            paths[f"{base}/{{id}}:{action.verb}"] = {"post": _action(action, schemas, on=info)}
    views = [view for entity, view in app.registry.views if entity == info.name]
    for view in (*views, "history", "provenance"):
        operation = _operation(
            f"{info.name}.{view}",
            f"Look at the {view} of {a_noun(info.phrase)}",
            {"type": "object"},
            READ,
        )
        paths[f"{base}/{{id}}/{view}"] = {"parameters": [_id(info)], "get": operation}
    paths |= _contents(info, base)
    for other, _field in [*app.registry.referring(info), *app.registry.belonging(info)]:
        related = f"{base}/{{id}}/{other.plugin}.{other.collection}"
        page = _ref(f"{other.plugin}_{other.singular}_page")
        operation = _operation(
            f"{info.name}.{other.name}",
            f"List the {other.plural} of {a_noun(info.phrase)}",
            page,
            READ,
            parameters=_list_parameters(),
        )
        paths[related] = {"parameters": [_id(info)], "get": operation}


def _collection(info: EntityInfo, name: str, schemas: Json) -> Json:
    made = {
        "get": _operation(
            f"{info.name}.list",
            f"List {info.plural}",
            _ref(f"{name}_page"),
            READ,
            parameters=[*_list_parameters(), *_about_parameters(info)],
        )
    }
    if "create" in info.verbs:
        schemas[f"{name}_create"] = _input(info, create=True)
        made["post"] = _operation(
            f"{info.name}.create", f"Create {a_noun(info.phrase)}", _ref(name), WRITE, status="201",
            body=_ref(f"{name}_create"), parameters=_write_parameters(), dry=True,
        )  # fmt: skip
    return made


def _record(info: EntityInfo, name: str, schemas: Json) -> Json:
    made: Json = {
        "parameters": [_id(info)],
        "get": _operation(
            f"{info.name}.read",
            f"Get {a_noun(info.phrase)}",
            _ref(name),
            READ,
            parameters=_shape_parameters(),
        ),
    }
    if "update" in info.verbs:
        schemas[f"{name}_patch"] = _input(info, create=False)
        made["patch"] = _operation(
            f"{info.name}.update", f"Change {a_noun(info.phrase)}", _ref(name), WRITE, body=_ref(f"{name}_patch"),
            parameters=[*_write_parameters(), _if_match()], dry=True, media="application/merge-patch+json",
        )  # fmt: skip
    if "trash" in info.verbs:
        made["delete"] = _operation(
            f"{info.name}.trash", f"Put {a_noun(info.phrase)} into the trash", None, WRITE, status="204",
            parameters=[*_write_parameters(), _if_match()], dry=True,
        )  # fmt: skip
    return made


def _external(info: EntityInfo, name: str) -> Json:
    parameters = [_path("source", "The other system"), _path("key", "Its key of the record")]
    made: Json = {
        "parameters": parameters,
        "get": _operation(f"{info.name}.read_external", f"Get {a_noun(info.phrase)} by a foreign key", _ref(name), READ,
            parameters=_shape_parameters(),
        ),
    }  # fmt: skip
    if {"create", "update"} <= info.verbs:
        made["put"] = _operation(
            f"{info.name}.put_external", f"Create or change {a_noun(info.phrase)} by another system's key", _ref(name),
            WRITE, also=("201",), body=_ref(f"{name}_create"), parameters=[*_write_parameters(), _if_match()], dry=True,
        )  # fmt: skip
    return made


def _batch(info: EntityInfo) -> Json:
    # An item of the wrong shape does not refuse the batch: it gets a problem of its own, so anything is taken here.
    item = {
        "description": f"An op ({', '.join(OPERATIONS)}) with data, or with the id of a record and the rev seen.",
        "examples": [
            {"op": "create", "data": {}},
            {"op": "trash", "id": f"{info.prefix}_01J…", "rev": 1},
        ],
    }
    body = {
        "type": "object",
        "properties": {
            "atomic": {"type": "boolean"},
            "items": {"type": "array", "items": item, "minItems": 1, "maxItems": MOST_ITEMS},
        },
        "required": ["items"],
        "additionalProperties": False,
    }
    return _operation(
        f"{info.name}.batch", f"Write many {info.plural}", {"type": "object"}, WRITE, body=body,
        parameters=_write_parameters(),
    )  # fmt: skip


def _edit(info: EntityInfo, name: str) -> Json:
    text, number = {"type": "string"}, {"type": "integer", "minimum": 0}
    members = {
        "filter": {
            "oneOf": [text | {"minLength": 1, "maxLength": nodes.MAX_TEXT}, {"type": "object"}],
            "description": "Which records, as text or as JSON.",
        },
        "set": _ref(f"{name}_patch"),
        "skip_bad_rows": {"type": "boolean", "default": False},
        "token": text | {"description": "What the preview gave; without it nothing is changed."},
    }
    body = {
        "type": "object", "properties": members, "required": ["filter", "set"],
        "additionalProperties": False,
    }  # fmt: skip
    group = {
        "type": "object",
        "properties": {
            "field": text, "code": text, "sentence": text, "count": number,
            "ids": {"type": "array", "items": text, "description": "The first of them."},
        },
    }  # fmt: skip
    counts = dict.fromkeys(("matched", "would_change", "changed", "unchanged", "failed"), number)
    gives = {
        "type": "object",
        "properties": counts | {
            "groups": {"type": "array", "items": group},
            "changes": {"type": "array", "items": {"type": "object"}},
            "token": text, "set_id": _nullable(text),
        },
        "required": ["matched", "unchanged", "failed", "groups"],
    }  # fmt: skip
    return _operation(
        f"{info.name}.update_found", f"Change all {info.plural} that a filter finds: first look, then do it",
        gives, WRITE, body=body, parameters=_write_parameters(),
    )  # fmt: skip


def _add_action(app: App, action: Action, paths: Json, schemas: Json) -> None:
    plugin, *middle, verb = action.name.split(".")
    info = app.registry.entities.get(f"{plugin}.{middle[0]}") if middle else None
    folder = f"/{info.collection}" if info else "".join(f"/{part}" for part in middle)
    paths[f"/api/v1/{plugin}{folder}:{verb}"] = {"post": _action(action, schemas, on=None)}


def _action(action: Action, schemas: Json, *, on: EntityInfo | None) -> Json:
    body = None
    if action.takes is not None and not _is_verb(action):
        name = action.name.replace(".", "_")
        made = action.takes.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(made.pop("$defs", {}))
        schemas[name] = made
        body = _ref(name)
    parameters = [
        *([_id(on), _if_match()] if on else []),
        *(_write_parameters() if action.writes else []),
    ]
    gone = action.verb == "purge"
    operation = _operation(
        action.name, action.about, None if gone else {"type": "object"}, WRITE, status="204" if gone else "200",
        also=("204",), dry=gone, body=body, body_required=False, parameters=parameters,
    )  # fmt: skip
    return operation | {"x-effect": action.effect}


def _is_verb(action: Action) -> bool:
    return action.verb in {"create", "update", "trash", "restore", "purge"}


# pieces -------------------------------------------------------------------------------------------------------------


def _operation(  # noqa: PLR0913 - the parts of an operation
    name: str,
    summary: str,
    gives: Json | None,
    problems: tuple[str, ...],
    *,
    status: str = "200",
    also: tuple[str, ...] = (),
    body: Json | None = None,
    body_required: bool = True,
    parameters: list[Json] | None = None,
    dry: bool = False,
    media: str = "application/json",
) -> Json:
    good: Json = {"description": "Done."}
    if gives is not None:
        good["content"] = {"application/json": {"schema": gives}}
    responses: Json = {status: good} | {code: good for code in also if code != "204"}
    if dry:
        either = (
            [gives, _ref("DryRun")] if gives is not None and status == "200" else [_ref("DryRun")]
        )
        responses["200"] = {
            "description": "Done, or what a dry run would have done.",
            "content": {"application/json": {"schema": {"anyOf": either}}},
        }
    if dry or also:
        responses.setdefault("204", {"description": "Done; nothing more to say."})
    responses |= {code: _problem_response(code) for code in problems}
    made: Json = {
        "operationId": name,
        "summary": summary,
        "responses": responses,
        "tags": [name.rsplit(".", 1)[0]],
    }
    if parameters:
        made["parameters"] = parameters
    if body is not None:
        made["requestBody"] = {"required": body_required, "content": {media: {"schema": body}}}
    return made


def _problem_response(code: str) -> Json:
    return {
        "description": SENTENCES[code],
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }


def _problem_schema() -> Json:
    text = {"type": "string"}
    error = {
        "type": "object",
        "properties": {"pointer": text, "code": text, "detail": text},
        "required": ["pointer", "code", "detail"],
    }
    return {
        "type": "object",
        "properties": {
            "type": text, "title": text, "status": {"type": "integer"}, "detail": text, "code": text,
            "request_id": text, "errors": {"type": "array", "items": error},
        },
        "required": ["type", "title", "status", "detail", "code", "request_id"],
    }  # fmt: skip


def _dry_schema() -> Json:
    return {
        "type": "object",
        "properties": {
            "dry_run": {"const": True},
            "result": {"type": "object"},
            "changes": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["dry_run", "result", "changes"],
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _nullable(schema: Json) -> Json:
    return {"anyOf": [schema, {"type": "null"}]}


def _out(info: EntityInfo) -> Json:
    properties = {
        n: _nullable(f.kind.json_schema()) if f.optional else f.kind.json_schema()
        for n, f in info.visible.items()
    }
    return {
        "type": "object",
        "title": info.label,
        "description": info.about,
        "properties": properties,
        "required": ["id"],
    }


def _input(info: EntityInfo, *, create: bool) -> Json:
    fields = {n: f for n, f in info.writable.items() if create or not f.immutable}
    made: Json = {
        "type": "object",
        "properties": {name: _input_field(f) for name, f in fields.items()},
        "additionalProperties": False,
    }
    required = [n for n, f in fields.items() if f.required]
    return made | ({"required": required} if create and required else {})


def _input_field(declared: Field) -> Json:
    schema = dict(declared.kind.json_schema())
    if isinstance(declared.kind, TextKind) and not declared.optional:
        schema["minLength"] = 1
    if declared.label:
        schema["title"] = declared.label
    if declared.help:
        schema["description"] = declared.help
    return _nullable(schema) if declared.optional else schema


def _page(name: str) -> Json:
    cursor = _nullable({"type": "string"})
    return {
        "type": "object",
        "properties": {
            "data": {"type": "array", "items": _ref(name)},
            "page": {
                "type": "object",
                "properties": {"after": cursor, "before": cursor, "has_more": {"type": "boolean"}},
                "required": ["after", "before", "has_more"],
            },
            "count": {
                "type": "object",
                "properties": {"value": {"type": "integer"}, "exact": {"type": "boolean"}},
                "required": ["value", "exact"],
            },
        },
        "required": ["data", "page"],
    }


def _query_body() -> Json:
    text = {"type": "string"}
    properties = dict.fromkeys(
        ("sort", "fields", "expand", "q", "after", "before", "count", "include_deleted"), text
    )
    return {
        "type": "object",
        "properties": {
            "filter": {"type": "object"},
            "limit": {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
            **properties,
        },
        "additionalProperties": False,
    }


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _header(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "header", "schema": schema, "description": description}


def _path(name: str, description: str) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "description": description,
    }


def _id(info: EntityInfo) -> Json:
    return _path("id", f"The id of {a_noun(info.phrase)}: {info.prefix}_01J…, or a UUID")


def _shape_parameters() -> list[Json]:
    return [
        _query(
            "fields",
            {"type": "string"},
            "Names with commas between; customer.name opens a reference.",
        ),
        _query("expand", {"type": "string"}, "References to open."),
    ]


def _list_parameters() -> list[Json]:
    flag = {"enum": ["none", "bounded", "exact"]}
    return [
        _query("filter", {"type": "string", "maxLength": nodes.MAX_TEXT}, "Such as kind = person and country = RU."),
        _query("sort", {"type": "string"}, "Such as -created_at,name."),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": DEFAULT_LIMIT}, "Rows."),
        _query("after", {"type": "string"}, "The cursor of the page before."),
        _query("before", {"type": "string"}, "The cursor of the page after."),
        _query("count", flag, "Whether to count, and how far."),
        _query("include_deleted", {"enum": ["false", "true", "only"]}, "Whether to show the trash."),
        _query("q", {"type": "string"}, "Words to search for."),
        _query("view", {"type": "string"}, "The id or name of a saved view; its filter holds as well as this one."),
        *_shape_parameters(),
    ]  # fmt: skip


def _about_parameters(info: EntityInfo) -> list[Json]:
    if not info.fields.keys() >= ABOUT:
        return []
    return [_query("entity", {"type": "string"}, "Only what is about this entity: core.customer.")]


def _write_parameters() -> list[Json]:
    return [
        _query("dry_run", {"type": "boolean"}, "Go the whole way and keep nothing."),
        _query(
            "confidence",
            {"type": "integer", "minimum": 0, "maximum": 100},
            "How far what is written can be trusted, in per cent; provenance tells it.",
        ),
        _header(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 255},
            "The same key and body give the same answer and one effect.",
        ),
    ]


def _if_match() -> Json:
    return _header("If-Match", {"type": "string"}, 'The revision you have seen: "7".')
