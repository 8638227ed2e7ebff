"""A file as an office makes it, with errors planted: each is found, the preview is right, and undo leaves no trace."""

from __future__ import annotations

import hashlib
import random
import threading
import time
import zipfile
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from bench.faults._report import Gate
from bench.faults._world import World, Worlds, act, in_child, new_import
from sqlalchemy import Connection, func, select

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.archive.total import write_total
from clientela.custom.entities import CustomField
from clientela.customers.entities import Customer
from clientela.exchange import jobs, runs
from clientela.exchange.importing import FailedRow
from clientela.schemas import create_schema, load

HEADER = "Наименование;Эл. почта;Телефон;Дата рождения;Страна;Оборот;Код;Карта"
MAPPING = {
    "Наименование": "name", "Эл. почта": "email", "Телефон": "phone", "Дата рождения": "birth_date",
    "Страна": "country", "Оборот": "x_turnover", "Код": "x_code", "Карта": "x_card",
}  # fmt: skip
KNOWN = 1_000

# What is planted: the place in the row, what stands there instead, and the column that must be named.
PLANTED = {
    "no name": (0, ""),
    "a name that is too long": (0, "Очень " * 40),
    "no address of mail": (1, "иван@@почта"),
    "no phone number": (2, "12ab"),
    "no such day": (3, "31.02.1990"),
    "no country": (4, "Атлантида"),
    "no number": (5, "12,3х"),
    "a card that stood before": (7, "5000"),
}


def add_arguments(parser: Any) -> None:
    """Say how many rows."""
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--plain", action="store_true", help="only count: no errors, no undo")


def run(given: Namespace, folder: Path) -> Iterator[Gate]:
    """Check, run and undo one file, and compare."""
    worlds = Worlds(folder)
    world = worlds.template(_prepare)
    if given.plain:
        yield in_child(lambda: _plain(world, given))
        return
    yield _canary(world, given)
    yield in_child(lambda: _planted(world, given))


def _prepare(_world: World, app: App) -> str:
    fields = [
        {"name": "x_turnover", "kind": "decimal", "label": "Turnover", "options": {"places": 2}},
        {"name": "x_code", "kind": "text", "label": "Code", "unique": True},
        {"name": "x_card", "kind": "text", "label": "Card", "unique": True},
    ]
    create = app.registry.action("core.custom_field.create")
    for one in fields:
        with app.acting_as(SYSTEM, face="faults") as ctx:
            ctx.run(
                create,
                data=load(create_schema(CustomField.info), {"entity": "core.customer"} | one),
            )
    lines = [f"Старый {n};;;01.02.1980;RU;1,00;К-{n};" for n in range(KNOWN)]
    key = new_import(app, _file(lines), mapping=MAPPING, skip_bad_rows=True)
    act(app, "start", key, jobs.Start())
    report = jobs.carry_out(app, key)
    if report is None or report.created != KNOWN:
        raise RuntimeError(f"the first import went wrong: {report}")
    return key


def _file(lines: list[str]) -> bytes:
    return "\r\n".join([HEADER, *lines, ""]).encode("cp1251")


def _lines(rows: int, rng: random.Random) -> tuple[list[str], dict[int, str]]:
    """Make the rows, and say which of them are bad; the first thousand change known customers."""
    lines, bad = [], {}
    names = list(PLANTED)
    for n in range(rows):
        code = n if n < KNOWN else 2_000_000 + n - KNOWN
        phone = f"+7 495 {n // 10_000 % 1000:03}-{n // 100 % 100:02}-{n % 100:02}"
        cells = [
            f"Клиент Ёлкин {n}", f"k{n}@example.com", phone, f"{n % 28 + 1:02}.{n % 12 + 1:02}.{1950 + n % 50}", "RU",
            f"{n % 1000} {n % 1000:03},{n % 100:02}", f"К-{code}", str(5000 + n),
        ]  # fmt: skip
        if n > KNOWN and rng.random() < 0.004:
            bad[n + 2] = names[len(bad) % len(names)]
            place, text = PLANTED[bad[n + 2]]
            cells[place] = text
        lines.append(";".join(cells))
    return lines, bad


def _planted(world: World, given: Namespace) -> Gate:
    gate = Gate("planted", given.seed, given.rows)
    lines, bad = _lines(given.rows, random.Random(given.seed))
    app = world.app()
    before = members(app, world.folder / "before.zip")
    key = new_import(app, _file(lines), mapping=MAPPING, mode="upsert", key=["x_code"])
    seconds, peaks, own = {}, {}, {}

    def timed(name: str, work: Any) -> Any:
        forget_peak()
        begun = time.perf_counter()
        with Sampled() as sampled:
            made = work()
        seconds[name] = time.perf_counter() - begun
        peaks[name], own[name] = peak(), sampled.most
        return made

    peaks["before"] = peak()
    act(app, "check", key)
    checked = timed("check", lambda: jobs.carry_out(app, key))
    gate.probes = len(bad)
    _compare_errors(gate, app, key, bad)
    act(app, "start", key, jobs.Start(skip_bad_rows=True))
    done = timed("run", lambda: jobs.carry_out(app, key))
    _compare_errors(gate, app, key, bad)
    counts = [(r.read, r.created, r.updated, r.unchanged, r.failed) for r in (checked, done)]
    gate.expect(counts[0] == counts[1], f"the preview counted {counts[0]}, the run {counts[1]}")
    groups = [[group.as_dict() for group in one.groups] for one in (checked, done)]
    gate.expect(groups[0] == groups[1], "the groups of the preview and of the run differ")
    gate.expect(done.failed == len(bad), f"{done.failed} rows failed, {len(bad)} are planted")
    with app.db.read() as connection:
        there = connection.execute(select(func.count()).select_from(Customer.info.table)).scalar()
    gate.expect(there == KNOWN + done.created, f"{there} customers, {done.created} created")
    changed = members(app, world.folder / "changed.zip")
    gate.expect(changed != before, "the import changed nothing of the total export")
    timed("undo", lambda: act(app, "undo", key))
    after = members(app, world.folder / "after.zip")
    differing = sorted(n for n in before.keys() | after.keys() if before.get(n) != after.get(n))
    gate.expect(not differing, f"after the undo these members differ: {differing}")
    gate.say(f"read, created, updated, unchanged, failed: {counts[0]}")
    gate.say(f"groups: {dict(Counter(bad.values()))}")
    for group in done.groups:
        gate.say(f"  {group.column} {group.code} x{group.count}: {group.sentence}")
    gate.say("seconds: " + ", ".join(f"{n} {s:.1f}" for n, s in seconds.items()))
    gate.say("peak RSS, MiB: " + ", ".join(f"{n} {p:.0f}" for n, p in peaks.items()))
    told = ", ".join(f"{n} {p:.0f}" for n, p in own.items())
    gate.say(f"of it not mapped from the database, MiB: {told}")
    gate.say(f"members compared: {len(after)}")
    gate.end()
    return gate


def _compare_errors(gate: Gate, app: App, key: str, bad: dict[int, str]) -> None:
    columns = HEADER.split(";")
    wanted = {row: {columns[PLANTED[name][0]]} for row, name in bad.items()}
    with app.db.read() as connection:
        found = {
            one.number: {p.column.split(" + ")[0] for p in one.problems}
            for one in _failed_rows(connection, key)
        }
    for row in wanted.keys() | found.keys():
        gate.expect(
            wanted.get(row) == found.get(row),
            f"row {row}: planted {wanted.get(row)}, found {found.get(row)}",
        )


def _failed_rows(connection: Connection, key: str) -> Iterator[FailedRow]:
    page = runs.failed_rows_of(connection, key)
    while page:
        yield from page
        page = runs.failed_rows_of(connection, key, after=page[-1].number)


def _canary(world: World, given: Namespace) -> Gate:
    """Claim an error that the file has not: the comparison must see it."""

    def work() -> Gate:
        app = world.app()
        key = new_import(app, _file(["Анна;;;;;;К-x;"]), mapping=MAPPING)
        act(app, "check", key)
        jobs.carry_out(app, key)
        gate = Gate("canary", given.seed, 1)
        _compare_errors(gate, app, key, {2: "no name"})
        gate.end()
        return gate

    return Gate.canary("planted", "an error nobody reports", in_child(work))


def _plain(world: World, given: Namespace) -> Gate:
    gate = Gate("rows", given.seed, given.rows)
    app = world.app()
    path = world.folder / "plain.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write("name,email,phone,country,source\n")
        for n in range(given.rows):
            out.write(f"Customer {n},c{n}@example.com,+4930{1_000_000 + n},DE,trade fair\n")
    with path.open("rb") as source:
        from clientela.exchange.keeping import keep_file  # noqa: PLC0415 - one use
        from clientela.files.uploads import write_receipt  # noqa: PLC0415 - the same

        kept = keep_file(app, source, "plain.csv")
    create = app.registry.action("core.import.create")
    values = {"entity": "core.customer", "file": kept, "options": {"skip_bad_rows": True}}
    with app.acting_as(SYSTEM, face="faults") as ctx:
        write_receipt(ctx, kept)
        key = str(ctx.run(create, data=values).id)
    before = peak()
    act(app, "start", key, jobs.Start())
    marks: list[tuple[int, float]] = []

    def heard(report: Any, _share: float) -> None:
        if report.read % 100_000 == 0:
            marks.append((report.read, peak()))

    begun = time.perf_counter()
    report = jobs.carry_out(app, key, heard)
    took = time.perf_counter() - begun
    gate.expect(report is not None and report.created == given.rows, f"{report}")
    gate.say(f"{given.rows / took:,.0f} rows/s, {took:.1f} s, RSS before {before:.0f} MiB")
    gate.say("peak RSS, MiB: " + ", ".join(f"{rows:,}: {peak:.0f}" for rows, peak in marks))
    gate.end()
    return gate


def members(app: App, path: Path) -> dict[str, str]:
    """Give the hash of every member of the total export, but of the log and the manifest."""
    with path.open("wb") as out:
        write_total(app, SYSTEM, out)
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if not n.startswith("log/") and n != "manifest.json"]
        made = {name: _hash(archive, name) for name in names}
    path.unlink()
    return made


def _hash(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as member:
        return hashlib.file_digest(member, "sha256").hexdigest()


class Sampled:
    """Looks ten times a second how much memory is ours alone: SQLite also maps the database, which is the cache's."""

    def __init__(self) -> None:
        self.most = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.1):
            self.most = max(self.most, _status("RssAnon"))


def forget_peak() -> None:
    """Let the peak of this process's memory be measured from here on."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Give the most MiB of memory that this process had."""
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))
