"""Which bytes are still wanted, and the removal of those that are not.

Bytes are wanted by records, wherever they stand; by receipts of uploads that were not used yet; and by the change log
of the last days, because an undo or a look back needs them.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import delete, select

from clientela.clock import wall_clock
from clientela.files.store import Missing
from clientela.files.uploads import UPLOAD, hold_alone
from clientela.history import CHANGE, CHANGE_SET
from clientela.past import batches

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from clientela.app import App
    from clientela.history import Change

log = logging.getLogger("clientela.files")

# How long somebody may think between an upload and the record that it is for.
RECEIPT_KEPT = timedelta(days=1)
# How many are removed in one transaction: a bucket takes some time for each.
AT_ONCE = 50
# What came in just now has no receipt yet.
YOUNG = timedelta(hours=1)


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, or bytes that nothing wants."""

    state: Literal["missing", "damaged", "orphaned"]
    sha256: str
    size: int
    where: str = ""


@dataclass
class Swept:
    """What a sweep removed."""

    files: int = 0
    bytes: int = 0
    receipts: int = 0
    leftovers: int = 0


def check(app: App, *, deep: bool = True) -> Iterator[Finding]:
    """Compare records with bytes: what is missing, what is damaged (which reads everything), what nothing wants."""
    for info, declared in app.registry.with_files():
        for key, value in _descriptions(app, info.table, declared):
            size = app.files.size(value["sha256"])
            where = f"{info.public_id(key)} {value['name']}"
            if size is None:
                yield Finding("missing", value["sha256"], value["size"], where)
            elif size != value["size"] or (deep and not _is_whole(app, value["sha256"])):
                yield Finding("damaged", value["sha256"], size, where)
    for sha256, size in unwanted(app, young=timedelta()).items():
        yield Finding("orphaned", sha256, size)


def _descriptions(app: App, table: Any, declared: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give key and description of every record that has a file, page by page."""
    column, last = table.c[declared.columns[0].name], ""
    while True:
        query = select(table.c.id, column).where(column.is_not(None)).order_by(table.c.id)
        query = query.where(table.c.id > last) if last else query
        with app.db.read() as connection:
            rows = connection.execute(query.limit(500)).fetchall()
        yield from ((row[0], row[1]) for row in rows)
        if not rows:
            return
        last = rows[-1][0]


def _is_whole(app: App, sha256: str) -> bool:
    found = hashlib.sha256()
    try:
        for piece in app.files.open(sha256):
            found.update(piece)
    except (OSError, Missing):
        return False
    return found.hexdigest() == sha256


def sweep(app: App, *, young: timedelta = YOUNG) -> Swept:
    """Remove old receipts, bytes that nothing wants, and what killed processes left behind."""
    swept = Swept(receipts=_forget_receipts(app))
    for size in remove(app, unwanted(app, young=young)):
        swept.files += 1
        swept.bytes += size
    swept.leftovers = app.files.tidy(RECEIPT_KEPT)
    return swept


def unwanted(app: App, *, young: timedelta) -> dict[str, int]:
    """Give the hashes, with their sizes, of bytes that nothing wants and that are not too young to tell."""
    # The store's own clock is the machine's, whatever the app's is.
    before = wall_clock() - young
    found: dict[str, int] = {}
    with app.db.read() as connection:
        for part in batches(kept for kept in app.files.list() if kept.at <= before):
            wanted = _wanted(app, connection, [kept.sha256 for kept in part])
            found |= {kept.sha256: kept.size for kept in part if kept.sha256 not in wanted}
    with app.db.snapshot() as connection:  # rows that come one by one need a transaction
        for sha256 in _remembered(app, connection) if found else ():
            found.pop(sha256, None)
    return found


def remove(app: App, sizes: dict[str, int]) -> list[int]:
    """Remove bytes unless a record or a receipt has come to want them, and give the sizes of those that went.

    Everybody who writes on SQLite, and who refers to bytes on PostgreSQL, waits meanwhile: so a few at a time.
    """
    found = list(sizes.items())
    parts = (dict(found[start : start + AT_ONCE]) for start in range(0, len(found), AT_ONCE))
    return [size for part in parts for size in _remove_some(app, part)]


def _remove_some(app: App, sizes: dict[str, int]) -> list[int]:
    with app.db.write() as connection:
        hold_alone(connection)
        wanted = _wanted(app, connection, list(sizes))
        gone = [sha256 for sha256 in sizes if sha256 not in wanted]
        for sha256 in gone:
            app.files.delete(sha256)
    return [sizes[sha256] for sha256 in gone]


def remove_freed(app: App, changes: Iterable[Change]) -> None:
    """Remove the bytes that these committed changes freed, where a deployment keeps nothing for later.

    It never fails its caller, whose work is done: what could not be removed is found by the next sweep.
    """
    freed = {sha256 for one in changes for sha256 in _held_before(app, one.entity, one.before)}
    try:
        remove(app, dict.fromkeys(freed, 0))
    except Exception:
        log.exception("the bytes of %d files could not be removed; the next sweep will", len(freed))


def _wanted(app: App, connection: Connection, hashes: list[str]) -> set[str]:
    """Give those of some hashes that a record or an unused receipt refers to."""
    receipts = select(UPLOAD.c.sha256).where(
        UPLOAD.c.sha256.in_(hashes), UPLOAD.c.used.is_(False), UPLOAD.c.at > app.clock() - RECEIPT_KEPT
    )  # fmt: skip
    wanted = set(connection.execute(receipts).scalars())
    for info, declared in app.registry.with_files():
        column = info.table.c[declared.columns[1].name]
        wanted |= set(connection.execute(select(column).where(column.in_(hashes))).scalars())
    return wanted


def _remembered(app: App, connection: Connection) -> Iterator[str]:
    """Give the hashes that the change log of the last days still speaks of."""
    since = app.clock() - timedelta(days=app.settings.file_grace_days)
    names = {info.name for info, _field in app.registry.with_files()}
    query = (
        select(CHANGE.c.entity, CHANGE.c.before)
        .join_from(CHANGE, CHANGE_SET, CHANGE_SET.c.id == CHANGE.c.set_id)
        .where(CHANGE.c.entity.in_(names), CHANGE.c.before.is_not(None), CHANGE_SET.c.at > since)
        .execution_options(yield_per=500)
    )
    for entity, before in connection.execute(query):
        yield from _held_before(app, entity, before)


def _held_before(app: App, entity: str, before: dict[str, Any] | None) -> Iterator[str]:
    for declared in app.registry.entity(entity).file_fields if before else ():
        value = (before or {}).get(declared.name)
        if value is not None:
            yield value["sha256"]


def _forget_receipts(app: App) -> int:
    with app.db.write() as connection:
        return connection.execute(
            delete(UPLOAD).where(UPLOAD.c.at <= app.clock() - RECEIPT_KEPT)
        ).rowcount
