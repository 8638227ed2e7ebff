"""Rules about what leaves: rights, rows and field classes hold on every way out."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from clientela.storage.database import count_statements
from clientela_sdk import App, Customer, EntityInfo, _
from clientela_sdk.testing.conformance.kit import rule
from clientela_sdk.testing.conformance.subject import Subject
from clientela_sdk.testing.conformance.visitor import (
    API,
    Visitor,
    address,
    collection,
    visitor,
)

CLOSED = frozenset({401, 403, 404, 405})
FOUND = 200


@rule(
    "closed", "silver", _("Who may nothing gets nothing: no list, no record, no action, no view.")
)
def closed(subject: Subject) -> Iterator[str]:
    """Ask for everything as somebody without a single permission."""
    with subject.filled() as app, visitor(app, "core.nothing.read") as nobody:
        for method, path in _ways_in(subject, app):
            status = nobody.ask(
                method, path, **({} if method == "GET" else {"json": {}})
            ).status_code
            if status not in CLOSED:
                yield _(
                    "{method} {path} answers {status} to somebody without permissions.",
                    method=method, path=path, status=status,
                )  # fmt: skip


def _ways_in(subject: Subject, app: App) -> Iterator[tuple[str, str]]:
    for info in subject.entities:
        yield from (
            ("GET", collection(info)),
            ("GET", f"{collection(info)}.csv"),
            ("POST", collection(info)),
        )
        for key in subject.rows(app, info)[:1]:
            there = address(info, key)
            yield from (
                ("GET", there),
                ("PATCH", there),
                ("DELETE", there),
                ("GET", f"{there}/history"),
            )
            yield from (
                ("POST", f"{there}:{one.verb}")
                for one in subject.card.actions
                if one.on is info.cls
            )
    for action in subject.card.actions:
        if action.on is None:
            yield (
                "POST",
                f"{API}/{action.name.replace('.', '/', action.name.count('.') - 1).replace('.', ':')}",
            )
    for entity, views in subject.card.views.items():
        info = app.registry.entity(entity)
        for key in subject.rows(app, info)[:1]:
            yield from (("GET", f"{address(info, key)}/{name}") for name in views)


@rule("row-scope", "gold", _("A row that a role may not see leaves by no way out."))
def row_scope(subject: Subject) -> Iterator[str]:
    """Show one record to a role, and look for another in lists, single reads, exports, search, history and cards."""
    with subject.filled() as app:
        for info in subject.entities:
            shown, hidden = subject.some(app, info, least=2)[:2]
            only = {info.name: f'id = "{info.public_id(shown)}"'}
            with visitor(app, "*", scopes=only) as one:
                yield from _leaks(subject, app, one, info, shown, hidden)


def _leaks(
    subject: Subject, app: App, one: Visitor, info: EntityInfo, shown: str, hidden: str
) -> Iterator[str]:
    listed = one.get(collection(info), limit=50)
    if info.public_id(shown) not in listed.text:
        yield _("The list of {entity} does not show a row that may be seen.", entity=info.name)
    for way, path, parameters in _ways_out(app, info, hidden):
        reply = one.get(path, **parameters)
        # What was asked for is echoed in a refusal; that tells nothing.
        if reply.status_code == FOUND and info.public_id(hidden) in reply.text:
            yield _("A hidden row of {entity} leaves by {way}.", entity=info.name, way=way)
    for name in subject.card.views.get(info.name, {}):
        if one.get(f"{address(info, hidden)}/{name}").status_code == FOUND:
            yield _("A hidden row of {entity} leaves by {way}.", entity=info.name, way=name)


def _ways_out(app: App, info: EntityInfo, key: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    there = address(info, key)
    yield "list", collection(info), {"limit": "50"}
    yield "get", there, {}
    yield "history", f"{there}/history", {}
    yield "csv", f"{collection(info)}.csv", {}
    yield "jsonl", f"{collection(info)}.jsonl", {}
    yield "changes", f"{API}/core/changes", {"limit": "100"}
    table = info.table
    with app.db.read() as connection:
        row = connection.execute(select(table).where(table.c.id == key)).mappings().one()
    for declared in info.search_fields:
        words = row.get(declared.name)
        if isinstance(words, str) and words.strip():
            yield "search", f"{API}/core/search", {"q": words, "limit": "50"}
    for declared in info.fields.values():
        if declared.target is Customer.info and row[declared.name]:
            customer = address(Customer.info, row[declared.name])
            yield "card", f"{customer}/card", {}
            yield "related", f"{customer}/{info.plugin}.{info.collection}", {"limit": "50"}


@rule("hidden-classes", "gold", _("A field class that a role may not see leaves by no way out."))
def hidden_classes(subject: Subject) -> Iterator[str]:
    """Look for the values of personal and financial fields as somebody to whom they are masked."""
    marked = {
        info.name: [f for f in info.visible.values() if f.field_class in {"pii", "financial"}]
        for info in subject.entities
    }
    if not any(marked.values()):
        return
    with subject.filled() as app, visitor(app, "*", hidden_classes=["pii", "financial"]) as one:
        for info in subject.entities:
            for key in subject.some(app, info)[:1] if marked[info.name] else ():
                yield from _shown(app, one, info, key, [f.name for f in marked[info.name]])


def _shown(app: App, one: Visitor, info: EntityInfo, key: str, names: list[str]) -> Iterator[str]:
    table = info.table
    with app.db.read() as connection:
        row = connection.execute(select(table).where(table.c.id == key)).mappings().one()
    values = {
        name: str(row[name])
        for name in names
        if name in row and len(str(row[name] or "")) > FEW_LETTERS
    }
    for way, path, parameters in _ways_out(app, info, key):
        text = "" if way == "search" else one.get(path, **parameters).text
        for name, value in values.items():
            if value in text:
                yield _(
                    "{entity}.{field} leaves by {way} though it is masked.",
                    entity=info.name,
                    field=name,
                    way=way,
                )


# A shorter value may stand somewhere by chance.
FEW_LETTERS = 5


@rule("constant-queries", "silver", _("A page takes as many SQL statements as a row does."))
def constant_queries(subject: Subject) -> Iterator[str]:
    """Count the SQL statements of a list with one row and with many."""
    with subject.filled() as app, visitor(app, "*") as one:
        counter = count_statements(app.db.engine)
        for info in subject.entities:
            rows = len(subject.some(app, info, least=2))
            counts = []
            for limit in (1, rows, 1, rows):  # the first two warm what is kept
                counter.statements.clear()
                one.get(collection(info), limit=limit)
                counts.append(len(counter.statements))
            if counts[2] != counts[3]:
                yield _(
                    "The list of {entity} takes {few} statements for one row and {many} for {rows}.",
                    entity=info.name, few=counts[2], many=counts[3], rows=rows,
                )  # fmt: skip
