"""Bulk work in a process of its own: import and export, ours and by hand; prints what it cost as JSON.

`python bench/_bulk.py import|export ours|table|all|copy --url URL --file CSV`
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg

from bench import _data, _proc
from clientela import ids
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.exchange import export_csv, import_file
from clientela.query import Question
from clientela.storage.sqlite import PRAGMAS

BATCH = 2_000
HEADER = ("name", "email", "phone", "country", "source")
AT = "2026-01-05T08:00:00.000000Z"
_STAMPS = {
    "kind": "person", "tags": "[]", "rev": 1, "created_at": AT, "created_by": "bench", "updated_at": AT,
    "updated_by": "bench", "custom": "{}",
}  # fmt: skip
_COLUMNS = ("id", *HEADER, *_STAMPS)

Row = tuple[Any, ...]


def main() -> None:
    """Do one piece of work."""
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["import", "export"])
    parser.add_argument("how", choices=["ours", "table", "all", "copy"])
    parser.add_argument("--url", required=True)
    parser.add_argument("--file", type=Path, required=True)
    given = parser.parse_args()
    if given.how == "ours":
        _ours(given)
    elif given.url.startswith("sqlite"):
        _by_hand_sqlite(given)
    else:
        _by_hand_postgres(given)


def _measured(work: Callable[[], int], backends: Callable[[], list[int]]) -> None:
    meter = _proc.Meter(backends())
    wall, used = time.perf_counter(), time.process_time()
    rows = work()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    used += meter.read(backends())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "wall": wall, "cpu": used, "peak": peak}))


def _ours(given: argparse.Namespace) -> None:
    app = App(given.url)
    filled = _data.Filled(given.url, "", [], [], ())
    with app.db.read():
        pass  # the connection is there before the backends are listed
    work = _ours_in if given.work == "import" else _ours_out
    _measured(lambda: work(app, given.file), filled.backends)
    app.close()


def _ours_in(app: App, file: Path) -> int:
    from clientela.access.principal import SYSTEM  # noqa: PLC0415 - one use

    report = import_file(app, SYSTEM, Customer.info, file)
    if report.failed or report.held_back:
        raise SystemExit(f"the import failed: {report}")
    return report.created


def _ours_out(app: App, file: Path) -> int:
    from clientela.access.principal import SYSTEM  # noqa: PLC0415 - one use

    with app.acting_as(SYSTEM, face="export", writing=False) as ctx, file.open("wb") as out:
        for piece in export_csv(ctx, Customer.info, Question(sort="id")):
            out.write(piece)
    return _lines(file)


def _lines(file: Path) -> int:
    with file.open("rb") as read:
        return sum(1 for _ in read) - 1


# the limits -----------------------------------------------------------------------------------------------------------


def _rows(file: Path, key: Callable[[], str]) -> Iterator[Row]:
    rest = tuple(_STAMPS.values())
    with file.open(newline="", encoding="utf-8") as read:
        reader = csv.reader(read)
        next(reader)
        for row in reader:
            yield (key(), *row, *rest)


def _batches(file: Path, key: Callable[[], str]) -> Iterator[list[Row]]:
    rows = _rows(file, key)
    while batch := list(islice(rows, BATCH)):
        yield batch


def _traces(
    batch: list[Row], key: Callable[[], str], set_id: str
) -> tuple[list[Row], list[Row], Row]:
    """Give the words, the changes and the set of a batch."""
    words = [
        (
            r[0],
            "core.customer",
            " ".join(f"~{word}" for text in r[1:4] for word in text.lower().split()),
        )
        for r in batch
    ]
    changes = [(key(), set_id, "core.customer", r[0], "create", 1) for r in batch]
    return words, changes, (set_id, AT, "bench", "import", "core.customer.import", len(batch))


_WORDS = ("core_search", ("record_id", "entity", "words"))
_CHANGES = ("core_change", ("id", "set_id", "entity", "record_id", "kind", "rev"))
_SET = ("core_change_set", ("id", "at", "actor", "face", "action", "rows"))


def _by_hand_sqlite(given: argparse.Namespace) -> None:
    connection = sqlite3.connect(given.url.removeprefix("sqlite:///"), isolation_level=None)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    work = _in_sqlite if given.work == "import" else _out_sqlite
    _measured(lambda: work(connection, given), list)
    connection.close()


def _in_sqlite(connection: sqlite3.Connection, given: argparse.Namespace) -> int:
    total = 0
    for batch in _batches(given.file, ids.new_key):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_insert("core_customer", _COLUMNS), batch)
        if given.how == "all":
            words, changes, change_set = _traces(batch, ids.new_key, ids.new_key())
            connection.execute(_insert(*_SET), change_set)
            connection.executemany(_insert(*_CHANGES), changes)
            connection.executemany(_insert(*_WORDS), words)
        connection.execute("COMMIT")
        total += len(batch)
    return total


def _insert(table: str, columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{c}"' for c in columns)
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"


def _out_columns() -> str:
    return ", ".join(f'"{n}"' for n in Customer.info.visible)


def _out_sqlite(connection: sqlite3.Connection, given: argparse.Namespace) -> int:
    query = f"SELECT {_out_columns()} FROM core_customer WHERE deleted_at IS NULL ORDER BY id"
    with given.file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(Customer.info.visible)
        writer.writerows(connection.execute(query))
    return _lines(given.file)


def _by_hand_postgres(given: argparse.Namespace) -> None:
    with psycopg.connect(_data.plain(given.url), autocommit=True) as connection:
        pid = connection.info.backend_pid
        work = _in_postgres if given.work == "import" else _out_postgres
        _measured(lambda: work(connection, given), lambda: [pid])


def _in_postgres(connection: psycopg.Connection[Any], given: argparse.Namespace) -> int:
    def key() -> str:
        return ids.uuid_from_key(ids.new_key())

    total = 0
    for batch in _batches(given.file, key):
        with connection.transaction():
            _copy(connection, "core_customer", _COLUMNS, batch)
            if given.how == "all":
                words, changes, change_set = _traces(batch, key, key())
                _copy(connection, *_SET, [change_set])
                _copy(connection, *_CHANGES, changes)
                _copy(connection, *_WORDS, words)
        total += len(batch)
    return total


def _copy(
    connection: psycopg.Connection[Any], table: str, columns: tuple[str, ...], rows: list[Row]
) -> None:
    names = ", ".join(f'"{c}"' for c in columns)
    text = "".join(["\t".join(map(str, row)) + "\n" for row in rows])
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN".encode()) as copy,
    ):
        copy.write(text)


def _out_postgres(connection: psycopg.Connection[Any], given: argparse.Namespace) -> int:
    query = f"SELECT {_out_columns()} FROM core_customer WHERE deleted_at IS NULL ORDER BY id"
    if given.how == "copy":
        statement = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)".encode()
        with (
            connection.cursor() as cursor,
            given.file.open("wb") as raw,
            cursor.copy(statement) as copy,
        ):
            for piece in copy:
                raw.write(piece)
        return _lines(given.file)
    with given.file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(Customer.info.visible)
        with connection.transaction(), connection.cursor(name="out") as cursor:
            cursor.itersize = 10_000
            writer.writerows(cursor.execute(query.encode()))
    return _lines(given.file)


if __name__ == "__main__":
    main()
