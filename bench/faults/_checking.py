"""What must hold after whatever happened, and the state of a deployment in a form that two can be compared by."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.faults._world import DATABASE, World
from sqlalchemy import func, select, text

from clientela.app import App
from clientela.customers.entities import Address, Customer, Identifier, Interaction
from clientela.exchange.entities import Import
from clientela.exchange.runs import RUN, report_of
from clientela.files.uploads import UPLOAD
from clientela.history import CHANGE, CHANGE_SET
from clientela.replies import REPLY
from clientela.search import DOCUMENT

LOGGED = (Customer.info, Identifier.info, Address.info, Interaction.info, Import.info)
SEARCHED = (Customer.info, Identifier.info, Interaction.info)


def broken_file(world: World) -> list[str]:
    """Say what SQLite itself finds wrong."""
    if not world.is_sqlite:
        return []
    connection = sqlite3.connect(world.folder / DATABASE)
    found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    keys = connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.close()
    return [f"integrity: {one}" for one in found if one != "ok"] + [
        f"foreign key: {k}" for k in keys
    ]


def broken(world: World, app: App, *, killed: bool = False) -> list[str]:
    """Say what does not hold. What a killed process left unfinished beside its place is no harm."""
    with app.db.read() as connection:
        found = [*_rows_and_log(connection), *_positions(connection), *_words(connection)]
        found += _exports(world, connection)
    found += _search_index(app)
    found += _files(world, killed=killed)
    return found


def _pairs(connection: Any, query: Any) -> dict[str, int]:
    return dict(connection.execute(query).fetchall())


def _rows_and_log(connection: Any) -> Iterator[str]:
    query = select(CHANGE.c.entity, CHANGE.c.record_id, CHANGE.c.kind, CHANGE.c.rev)
    logged: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for entity, key, kind, rev in connection.execute(query.order_by(CHANGE.c.id)):
        logged.setdefault((entity, key), []).append((kind, rev))
    for info in LOGGED:
        rows = _pairs(connection, select(info.table.c.id, info.table.c.rev))
        mine = {key: ones for (entity, key), ones in logged.items() if entity == info.name}
        for key, ones in mine.items():
            kinds = Counter(kind for kind, _rev in ones)
            alive = kinds["create"] - kinds["purge"]
            if alive != (key in rows):
                yield f"{info.name} {key}: {'there' if key in rows else 'gone'}, but logged {dict(kinds)}"
            elif key in rows and ones[-1][1] != rows[key]:
                yield f"{info.name} {key}: revision {rows[key]}, logged {ones[-1][1]}"
        yield from (
            f"{info.name} {key}: there, and not logged" for key in rows.keys() - mine.keys()
        )
    counts = select(CHANGE.c.set_id, func.count()).group_by(CHANGE.c.set_id)
    told = _pairs(connection, select(CHANGE_SET.c.id, CHANGE_SET.c.rows))
    if told != _pairs(connection, counts):
        yield "a change set counts other changes than it has"


def _positions(connection: Any) -> Iterator[str]:
    """Compare what an import says it has written with what its change sets wrote."""
    for key, position in connection.execute(select(RUN.c.import_id, RUN.c.position)).fetchall():
        report = report_of(connection, key)
        read = 0 if report is None else report.read
        if position != read:
            yield f"the import stands at {position}, its report at {read}"
        first = report.sets[0] if report is not None and report.sets else None
        family = select(CHANGE_SET.c.id).where(
            (CHANGE_SET.c.id == first) | (CHANGE_SET.c.part_of == first)
        )
        mine = select(CHANGE.c.kind, func.count()).where(CHANGE.c.set_id.in_(family))
        kinds = {} if first is None else _pairs(connection, mine.group_by(CHANGE.c.kind))
        said = {} if report is None else {"create": report.created, "update": report.updated}
        if {k: n for k, n in said.items() if n} != kinds:
            yield f"the import says {said}, its change sets say {kinds}"
    orphans = (
        select(func.count())
        .select_from(CHANGE_SET)
        .where(
            CHANGE_SET.c.part_of.is_not(None),
            CHANGE_SET.c.part_of.not_in(select(CHANGE_SET.c.id)),
        )
    )
    if connection.execute(orphans).scalar():
        yield "a change set continues one that is not there"
    doubled = select(Customer.info.table.c.name).group_by("name").having(func.count() > 1)
    yield from (f"doubled: {name}" for name in connection.execute(doubled).scalars())


def _words(connection: Any) -> Iterator[str]:
    for info in SEARCHED:
        live = select(info.table.c.id).where(info.table.c.deleted_at.is_(None))
        rows = set(connection.execute(live).scalars())
        mine = DOCUMENT.c.entity == info.name
        words = set(connection.execute(select(DOCUMENT.c.record_id).where(mine)).scalars())
        if rows - words:
            yield f"{len(rows - words)} rows of {info.name} have no words"
        if words - rows:
            yield f"{len(words - rows)} words of {info.name} have no row"


def _search_index(app: App) -> list[str]:
    if not app.db.is_sqlite:
        return []
    try:
        with app.db.write() as connection:
            connection.execute(
                text(
                    "INSERT INTO core_search_fts(core_search_fts, rank) VALUES ('integrity-check', 1)"
                )
            )
    except Exception as wrong:  # noqa: BLE001 - that is the finding
        return [f"the search index is not that of its table: {wrong}"]
    return []


def _exports(world: World, connection: Any) -> Iterator[str]:
    """Nothing is purged without its file, whole and with every record."""
    query = (
        select(CHANGE.c.set_id, func.count())
        .join(CHANGE_SET, CHANGE_SET.c.id == CHANGE.c.set_id)
        .where(CHANGE.c.kind == "purge", CHANGE_SET.c.action.like("%.purge"))
        .group_by(CHANGE.c.set_id)
    )
    for set_id, count in connection.execute(query).fetchall():
        path = world.folder / "purged" / f"chs_{set_id}.jsonl"
        try:
            lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        except (OSError, ValueError) as wrong:
            yield f"purged without its export: {wrong}"
            continue
        if len(lines) != count:
            yield f"{count} records purged, {len(lines)} exported"


def _files(world: World, *, killed: bool) -> Iterator[str]:
    """Look for halves; what is unfinished has a name that says so, and only a killed process leaves it."""
    for path in [*(world.folder / "purged").rglob("*"), *(world.folder / "files").rglob("*")]:
        name = f"{path.parent.name}/{path.name}"
        if path.is_dir():
            continue
        if path.name.startswith(".part-"):
            if not killed:
                yield f"left behind: {name}"
        elif not _is_whole(path):
            yield f"half a file: {name}"


def _is_whole(path: Path) -> bool:
    data = path.read_bytes()
    if path.suffix == ".jsonl":
        return data.endswith(b"\n")
    return hashlib.sha256(data).hexdigest() == path.name


def summary(world: World, app: App) -> dict[str, Any]:
    """Tell the state without keys and times, so that it can be compared with that of a clean run."""
    with app.db.read() as connection:

        def rows(*columns: Any) -> list[tuple[Any, ...]]:
            return sorted(map(tuple, connection.execute(select(*columns))), key=repr)

        people, imports = Customer.info.table.c, Import.info.table.c
        made: dict[str, Any] = {
            "customers": rows(people.name, people.email, people.rev, people.deleted_at),
            "identifiers": rows(Identifier.info.table.c.value),
            "interactions": rows(Interaction.info.table.c.subject),
            "imports": rows(imports.state, imports.reason, imports.set_id.is_(None)),
            "uploads": rows(UPLOAD.c.sha256, UPLOAD.c.used),
            "replies": rows(REPLY.c.status),
            "changes": rows(CHANGE.c.entity, CHANGE.c.kind, CHANGE.c.rev),
            "sets": rows(CHANGE_SET.c.action, CHANGE_SET.c.rows),
            "words": rows(DOCUMENT.c.entity, DOCUMENT.c.words),
        }
        runs = rows(RUN.c.import_id, RUN.c.position)
        reports = [report_of(connection, key) for key, _position in runs]
    made["runs"] = sorted(
        (position, report and (report.read, report.created, report.updated, report.failed))
        for (_key, position), report in zip(runs, reports, strict=True)
    )
    made["files"] = sorted(p.name for p in (world.folder / "files").rglob("*") if len(p.name) == 64)
    return made


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Name the parts in which two states differ."""
    return [
        f"{name}: {str(one[name])[:200]} instead of {str(other[name])[:200]}"
        for name in one
        if one[name] != other[name]
    ]
