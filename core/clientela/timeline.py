"""The timeline of one request: who was asked what, how long it took, and how many statements and rows it cost.

Nothing of it runs unless somebody asks: it listens to the one connection of the one request.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event

MOST_CALLS = 1_000
CORE = "core"


@dataclass
class Spent:
    """One call into a plugin, without what it called in turn."""

    plugin: str
    what: str
    depth: int = 0
    seconds: float = 0.0
    statements: int = 0
    rows: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "plugin": self.plugin, "what": self.what, "depth": self.depth,
            "milliseconds": round(self.seconds * 1000, 3), "statements": self.statements, "rows": self.rows,
        }  # fmt: skip


def asking(timeline: Timeline | None, plugin: str, what: str) -> AbstractContextManager[None]:
    """Put what is spent on a plugin's account, if anybody keeps accounts."""
    return nullcontext() if timeline is None else timeline.asking(plugin, what)


@dataclass
class Timeline:
    """The calls of one request, in the order in which they began."""

    calls: list[Spent] = field(default_factory=list)
    _open: list[Spent] = field(default_factory=list)
    _since: float = 0.0
    _cut: int = 0

    @contextmanager
    def asking(self, plugin: str, what: str) -> Iterator[None]:
        """Put what is spent while the block runs on a plugin's account."""
        call = Spent(plugin, what, depth=len(self._open))
        if len(self.calls) < MOST_CALLS:
            self.calls.append(call)
        else:
            self._cut += 1
        self._count_time()
        self._open.append(call)
        try:
            yield
        finally:
            self._count_time()
            self._open.pop()

    def _count_time(self) -> None:
        now = time.perf_counter()
        if self._open:
            self._open[-1].seconds += now - self._since
        self._since = now

    def listen(self, connection: Connection) -> None:
        """Count the statements and rows of a connection."""
        event.listen(connection, "after_cursor_execute", self._executed)

    def _executed(self, connection: Connection, cursor: Any, *_more: Any) -> None:
        if not self._open:
            return
        call = self._open[-1]
        call.statements += 1
        if connection.dialect.name != "sqlite" or cursor.description is None:
            call.rows += max(cursor.rowcount, 0)
        else:
            # SQLite does not know how many rows there are until they are fetched.
            cursor.row_factory = self._counted

    def _counted(self, _cursor: Any, row: Any) -> Any:
        if self._open:
            self._open[-1].rows += 1
        return row

    def by_plugin(self) -> dict[str, Spent]:
        """Give the sums, the core first."""
        sums = {CORE: Spent(CORE, "")}
        for call in self.calls:
            one = sums.setdefault(call.plugin, Spent(call.plugin, ""))
            one.seconds += call.seconds
            one.statements += call.statements
            one.rows += call.rows
        return sums

    def header(self) -> str:
        """Give the value of `Server-Timing`."""
        return ", ".join(
            f'{name};dur={one.seconds * 1000:.1f};desc="{one.statements} sql, {one.rows} rows"'
            for name, one in self.by_plugin().items()
        )

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "calls": [call.as_dict() for call in self.calls],
            "left_out": self._cut,
            "plugins": [one.as_dict() for one in self.by_plugin().values()],
        }
