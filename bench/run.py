"""Measure Clientela beside its limits: CPU milliseconds per request, rows per second, starts, memory, growth.

`python bench/run.py --help` names the options, `bench/README.md` says how to read the tables.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench._client import Client
from bench._counting import statements
from bench._items import ITEMS, Item, differences
from bench._raw import Raw

from bench import _data, _proc, _running, _toys

WHOLE = ("import", "export", "start", "help", "plugins", "growth")
GROWTH_ITEMS = ("get", "list", "search", "card")
PLUGIN_ITEMS = ("get", "list", "create")
TOYS = (0, 10, 50)
SECONDS = 4.0  # of one item in one round


@dataclass
class Line:
    """One line of the table."""

    item: str
    unit: str
    ours: float
    limits: dict[str, float] = field(default_factory=dict)
    budget: float | None = None
    more_is_better: bool = False
    statements: int | None = None
    void: str = ""
    note: str = ""

    @property
    def met(self) -> str:
        """Say whether the budget is met."""
        if self.void:
            return "VOID"
        if self.budget is None:
            return ""
        within = self.ours >= self.budget if self.more_is_better else self.ours <= self.budget
        return "yes" if within else "NO"

    def ratio(self, limit: float) -> float:
        """Say how many times the limit we cost."""
        return limit / self.ours if self.more_is_better else self.ours / limit


class Failed(Exception):
    """A measurement could not be made; the others go on."""


class Report:
    """The lines of one database, and how busy the machine was."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.lines: list[Line] = []
        self.loops: list[tuple[float, float]] = []

    def add(self, line: Line) -> None:
        """Take a line, and tell it at once on the standard error."""
        self.lines.append(line)
        print(
            f"  {self.database}: {line.item} {line.ours:.3g} {line.unit} {line.void}",
            file=sys.stderr,
        )

    def beat(self) -> None:
        """Time the fixed loop."""
        self.loops.append(_proc.milliseconds_of_a_fixed_loop())

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        lines = [vars(line) | {"met": line.met} for line in self.lines]
        return {"database": self.database, "lines": lines, "fixed_loop_ms_cpu_wall": self.loops}

    def print(self) -> None:
        """Print the aligned table."""
        head = ("item", "unit", "ours", "limits (ratio)", "budget", "met", "SQL")
        rows: list[tuple[str, ...]] = [head]
        rows += [_cells(line) for line in self.lines]
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        cpu, wall = zip(*self.loops, strict=True) if self.loops else ((0.0,), (0.0,))
        print(
            f"\n{self.database}: fixed loop {_median(cpu):.1f} ms CPU (least {min(cpu):.1f}), ",
            end="",
        )
        print(f"{_median(wall):.1f} ms wall; {_crowd(_median(cpu), _median(wall))}")
        for number, row in enumerate(rows):
            print(
                "  ".join(
                    cell.ljust(width) for cell, width in zip(row, widths, strict=True)
                ).rstrip()
            )
            if number == 0:
                print("  ".join("-" * width for width in widths))
        for line in self.lines:
            if line.void:
                print(f"VOID {line.item}: {line.void}")


def _cells(line: Line) -> tuple[str, ...]:
    limits = "; ".join(f"{n} {_number(v)} ({line.ratio(v):.1f}x)" for n, v in line.limits.items())
    return (
        line.item, line.unit, _number(line.ours), "; ".join(filter(None, [limits, line.note])),
        "" if line.budget is None else _number(line.budget), line.met,
        "" if line.statements is None else str(line.statements),
    )  # fmt: skip


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _crowd(cpu: float, wall: float) -> str:
    return (
        "the machine was ours"
        if wall < cpu * 1.15
        else f"others used the machine: {wall / cpu:.1f}x wall"
    )


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))


# the server items -------------------------------------------------------------------------------------------------


class Benches:
    """The measurements on one database."""

    def __init__(self, given: argparse.Namespace, database: str, folder: Path) -> None:
        self.given = given
        self.folder = folder
        self.store = _data.Store(database, folder)
        self.report = Report(database)
        self.sqlite = database == "sqlite"

    def run(self) -> Report:
        """Measure what was asked for."""
        wanted = self.given.items
        items = [ITEMS[name] for name in wanted if name in ITEMS]
        try:
            if items or {"export", "start"} & set(wanted):
                filled = self.store.filled(self.given.customers)
                if items:
                    self._tried("requests", lambda: self.server_items(filled, items))
                if "export" in wanted:
                    self._tried("export CSV", lambda: self.exports(filled))
                if "start" in wanted:
                    self._tried("start", lambda: self.starts(filled))
            rest = {
                "import": self.imports, "help": self.help, "plugins": self.plugins, "growth": self.growth,
            }  # fmt: skip
            for name, work in rest.items():
                if name in wanted:
                    self._tried(name, work)
        finally:
            self.store.close()
        return self.report

    def _tried(self, title: str, work: Callable[[], None]) -> None:
        try:
            work()
        except (Failed, OSError) as failed:
            self.report.add(Line(title, "", 0.0, void=f"{type(failed).__name__}: {failed}"))

    def server_items(self, filled: _data.Filled, items: list[Item]) -> None:
        """Ours, the bare server and the driver in process, in turn."""
        told: dict[str, dict[str, list[float]]] = {
            i.name: {"ours": [], "bare": [], "raw": []} for i in items
        }
        void: dict[str, str] = {}
        many: dict[str, int] = {}
        raw = Raw(filled.url)
        rng = random.Random(7)
        with (
            self._server("ours", filled) as (ours, one),
            self._server("bare", filled) as (bare, other),
        ):
            for item in items:
                (piece,) = item.pieces(filled, rng, 1)
                sent = piece.bytes_for(filled.token)
                many[item.name] = _bearable(item, one, sent)
                void[item.name] = differences(item, piece, one.body(sent), other.body(sent))
            for number in range(self.given.rounds + 1):
                self.report.beat()
                for item in items:
                    # Each has requests of its own: a second patch with the same values would find nothing to do.
                    works = [piece.raw for piece in item.pieces(filled, rng, many[item.name])]
                    costs = {"raw": self._in_process(raw, works)}
                    for name, server, client in (("ours", ours, one), ("bare", bare, other)):
                        sent_all = [
                            p.bytes_for(filled.token)
                            for p in item.pieces(filled, rng, many[item.name])
                        ]
                        costs[name], wrong = server.cpu_of(client, sent_all, item.status)
                        void[item.name] = void[item.name] or (wrong and f"{name}: {wrong}")
                    if number:  # the first round warms up
                        for name, cost in costs.items():
                            told[item.name][name].append(cost)
            memory = ours.pss()
        raw.close()
        counted = statements(filled, items)
        for item in items:
            found = {name: _median(costs) for name, costs in told[item.name].items()}
            self.report.add(
                Line(
                    item.title, "CPU ms", found["ours"], {"bare": found["bare"], "raw": found["raw"]},
                    item.budget(sqlite=self.sqlite), statements=counted[item.name], void=void[item.name],
                )
            )  # fmt: skip
        self.report.add(Line("memory after these requests (PSS)", "MiB", memory))

    @contextmanager
    def _server(
        self, kind: str, filled: _data.Filled, *more: str
    ) -> Iterator[tuple[_running.Server, Client]]:
        server = _running.Server(kind, filled.url, *more, backends=_own_backends(filled))
        try:
            client = Client(server.port, self.given.connections)
            yield server, client
            client.close()
        finally:
            server.stop()

    def _in_process(self, raw: Raw, works: list[Callable[[Raw], bytes]]) -> float:
        meter = _proc.Meter(raw.backend())
        used = time.process_time()
        for work in works:
            work(raw)
        return (time.process_time() - used + meter.read(raw.backend())) * 1000 / len(works)

    # whole processes ----------------------------------------------------------------------------------------------

    def exports(self, filled: _data.Filled) -> None:
        """CSV out: ours, and the driver's rows through `csv.writer`, and COPY."""
        hows = ["ours", "table"] if self.sqlite else ["ours", "table", "copy"]
        names = {"table": "driver→csv", "copy": "COPY"}
        self._bulk("export CSV", "export", hows, names, 140_000, lambda: filled.url)

    def imports(self) -> None:
        """CSV in: ours, and the driver without validation: the table alone, and with words and changes."""

        def fresh() -> str:
            url = self.store.empty()
            app, _ = _data.prepare(url)
            app.close()
            return url

        names = {"table": "csv→driver", "all": "the same rows"}
        budget = 35_000 if self.sqlite else 25_000
        self._bulk("import CSV", "import", ["ours", "table", "all"], names, budget, fresh)

    def _bulk(
        self,
        title: str,
        work: str,
        hows: list[str],
        names: dict[str, str],
        budget: float,
        url: Callable[[], str],
    ) -> None:
        told: dict[str, list[dict[str, float]]] = {how: [] for how in hows}
        for _ in range(min(self.given.rounds, 3)):
            self.report.beat()
            for how in hows:
                address, path = url(), self.folder / f"{work}.csv"
                if work == "import" and not path.exists():
                    _write_csv(path, self.given.customers)
                told[how].append(_bulk(work, how, address, path))
                if work == "import":
                    self.store.drop(address)
                else:
                    path.unlink()
        speed = {
            how: _median([one["rows"] / one["cpu"] for one in ones]) for how, ones in told.items()
        }
        wall = _median([one["rows"] / one["wall"] for one in told["ours"]])
        peak = max(one["peak"] for one in told["ours"])
        limits = {names[how]: speed[how] for how in hows if how != "ours"}
        note = f"{wall:,.0f}/s by the wall; peak {peak:.0f} MiB"
        self.report.add(
            Line(title, "rows/CPU s", speed["ours"], limits, budget, more_is_better=True, note=note)
        )

    def starts(self, filled: _data.Filled) -> None:
        """From nothing to the first good answer, and the memory of a server that has done nothing else."""
        told: dict[str, list[tuple[float, float, float]]] = {"ours": [], "bare": []}
        for number in range(self.given.rounds + 1):
            self.report.beat()
            for kind, found in told.items():
                server = _running.Server(kind, filled.url)
                if number:
                    found.append((server.started.wall, server.started.cpu, server.pss()))
                server.stop()
        middle = {
            kind: [_median(values) for values in zip(*found, strict=True)]
            for kind, found in told.items()
        }
        titles = (
            ("start to /livez, wall", "s", 1.0),
            ("start to /livez, CPU", "s", None),
            ("idle memory (PSS)", "MiB", 100),
        )
        for place, (title, unit, budget) in enumerate(titles):
            limits = {"bare": middle["bare"][place]}
            self.report.add(Line(title, unit, middle["ours"][place], limits, budget))

    def help(self) -> None:
        """Measure `clientela --help`; the limit is a Python that imports click."""
        told: dict[str, list[float]] = {"ours": [], "click": []}
        commands = {"ours": ["-m", "clientela", "--help"], "click": ["-c", "import click"]}
        for number in range(self.given.rounds + 1):
            for name, words in commands.items():
                cost = _cpu_of_command([sys.executable, *words])
                if number:
                    told[name].append(cost)
        self.report.add(
            Line(
                "clientela --help",
                "CPU s",
                _median(told["ours"]),
                {"import click": _median(told["click"])},
                0.1,
            )
        )

    # growth -------------------------------------------------------------------------------------------------------

    def plugins(self) -> None:
        """0, 10 and 50 more plugins, none of which the requests are about."""
        toys = self.folder / "toys"
        if not toys.exists():
            toys.mkdir()
            _toys.write_toys(toys, max(TOYS))
        filled = self.store.filled(2_000)
        _prepare_toys(filled.url, toys)
        costs: dict[tuple[str, int], list[float]] = {}
        with ExitStack() as stack:
            servers = {}
            for count in TOYS:
                more = ("--toys", str(toys), "--count", str(count))
                servers[count] = stack.enter_context(self._server("ours", filled, *more))
            rng = random.Random(11)
            void = ""
            for number in range(self.given.rounds + 1):
                self.report.beat()
                for name in PLUGIN_ITEMS:
                    item = ITEMS[name]
                    sent = [p.bytes_for(filled.token) for p in item.pieces(filled, rng)]
                    for count, (server, client) in servers.items():
                        cost, wrong = server.cpu_of(client, sent, item.status)
                        void = void or wrong
                        if number:
                            costs.setdefault((name, count), []).append(cost)
        for name in PLUGIN_ITEMS:
            none = _median(costs[name, 0])
            for count in TOYS[1:]:
                ratio = _median(
                    [a / b for a, b in zip(costs[name, count], costs[name, 0], strict=True)]
                )
                note = f"{_median(costs[name, count]):.3g} ms, {none:.3g} without"
                self.report.add(
                    Line(f"{name}, {count} more plugins", "x", ratio, {}, 1.1, void=void, note=note)
                )
        self._plugin_starts(filled, toys)

    def _plugin_starts(self, filled: _data.Filled, toys: Path) -> None:
        found: dict[int, list[tuple[float, float]]] = {count: [] for count in TOYS}
        for number in range(self.given.rounds + 1):
            for count, told in found.items():
                server = _running.Server(
                    "ours", filled.url, "--toys", str(toys), "--count", str(count)
                )
                if number:
                    told.append((server.started.cpu, server.pss()))
                server.stop()
        for place, (title, unit, budget) in enumerate(
            (("start", "CPU ms", 8.0), ("memory", "MiB", 1.0))
        ):
            scale = 1000 if unit == "CPU ms" else 1
            base = _median([one[place] for one in found[0]])
            for count in TOYS[1:]:
                more = (_median([one[place] for one in found[count]]) - base) * scale / count
                self.report.add(Line(f"{title} per plugin, of {count}", unit, more, {}, budget))

    def growth(self) -> None:
        """Send the same requests to few and to many customers, in turn."""
        sizes = [1_000, self.given.customers, *([1_000_000] if self.given.big else [])]
        costs: dict[tuple[str, int], list[float]] = {}
        void = ""
        with ExitStack() as stack:
            servers = []
            counts: dict[tuple[str, int], int] = {}
            for size in sizes:
                filled = self.store.filled(size)
                servers.append((size, filled, *stack.enter_context(self._server("ours", filled))))
            rng = random.Random(13)
            for size, filled, _, client in servers:
                for name in GROWTH_ITEMS:
                    (piece,) = ITEMS[name].pieces(filled, rng, 1)
                    sent_once = piece.bytes_for(filled.token)
                    counts[name, size] = _bearable(ITEMS[name], client, sent_once)
            for number in range(self.given.rounds + 1):
                self.report.beat()
                for name in GROWTH_ITEMS:
                    item = ITEMS[name]
                    for size, filled, server, client in servers:
                        sent = [
                            p.bytes_for(filled.token)
                            for p in item.pieces(filled, rng, counts[name, size])
                        ]
                        cost, wrong = server.cpu_of(client, sent, item.status)
                        void = void or wrong
                        if number:
                            costs.setdefault((name, size), []).append(cost)
        for name in GROWTH_ITEMS:
            few = _median(costs[name, sizes[0]])
            for size in sizes[1:]:
                many = _median(costs[name, size])
                note = f"{many:.3g} ms, {few:.3g} at {sizes[0]:,}"
                self.report.add(
                    Line(f"{name} at {size:,}", "x", many / few, {}, 1.5, void=void, note=note)
                )


def _bearable(item: Item, client: Client, sent: bytes) -> int:
    """Give how many requests of an item a round may have: fewer where each takes long."""
    client.send([sent], item.status)
    begun = time.perf_counter()
    client.send([sent], item.status)
    return max(16, min(item.requests, int(SECONDS / (time.perf_counter() - begun))))


def _own_backends(filled: _data.Filled) -> Callable[[], list[int]]:
    """Give what lists the backends of a server's database; those of the other server idle meanwhile."""
    return filled.backends


def _prepare_toys(url: str, toys: Path) -> None:
    """Create the toys' tables in a process of its own: the classes must not stay in this one."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from bench._toys import cards_of\n"
        "from clientela.app import App\n"
        "from clientela.entity import Entity\n"
        "from clientela.plugins.loading import installed_cards\n"
        "app = App(sys.argv[2], plugins=[*installed_cards(), *cards_of(sys.argv[3], int(sys.argv[4]))])\n"
        "with app.db.write() as c: Entity.metadata.create_all(c)\n"
    )
    root = str(_running.HERE.parent)
    words = [sys.executable, "-c", code, root, url, str(toys), str(max(TOYS))]
    subprocess.run(words, env=_running.environment(), check=True)


def _bulk(work: str, how: str, url: str, path: Path) -> dict[str, float]:
    command = [
        sys.executable,
        str(_running.HERE / "_bulk.py"),
        work,
        how,
        "--url",
        url,
        "--file",
        str(path),
    ]
    done = subprocess.run(
        command, env=_running.environment(), check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise Failed((done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _write_csv(path: Path, rows: int) -> None:
    rng = random.Random(3)
    names = ("name", "email", "phone", "country", "source")
    families = _data.family_names(rows)
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(names)
        for number in range(rows):
            made = _data.customer(rng, number, families)
            writer.writerow([made[name] for name in names])


def _cpu_of_command(command: list[str]) -> float:
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env=_running.environment()
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{command} failed")
    return used.ru_utime + used.ru_stime


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--items", default="all", help=f"all, or of: {', '.join([*ITEMS, *WHOLE])}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--big", action="store_true", help="let growth go to a million customers")
    parser.add_argument("--json", type=Path, help="write all figures to a file")
    given = parser.parse_args()
    known = [*ITEMS, *WHOLE]
    given.items = known if given.items == "all" else given.items.split(",")
    unknown = set(given.items) - set(known)
    if unknown:
        parser.error(f"unknown items: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return given


def main() -> None:
    """Measure and print."""
    given = _arguments()
    _running.precompile()
    databases = ["sqlite", "postgresql"] if given.database == "both" else [given.database]
    reports = []
    with tempfile.TemporaryDirectory(prefix="clientela-bench-") as folder:
        for database in databases:
            reports.append(Benches(given, database, Path(folder)).run())
            reports[-1].print()
    if given.json:
        given.json.write_text(json.dumps([report.as_dict() for report in reports], indent=1) + "\n")


if __name__ == "__main__":
    main()
