"""What hooks have cost in the processes that serve, kept between them so that the doctor can name who is slow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from clientela.i18n.texts import _
from clientela.plugins.journal import Journal

if TYPE_CHECKING:
    from clientela.hooks import Hooks

COSTS = "costs.json"
SLOW_SECONDS = 0.05
KEPT_SECONDS = 86_400.0
FIGURES = ("calls", "seconds", "errors")


class Costs:
    """Adds what one process has spent since it last wrote to what all have spent."""

    def __init__(self, journal: Journal, hooks: Hooks) -> None:
        self._journal = journal
        self._hooks = hooks
        self._written: dict[str, dict[str, float]] = {}

    def write(self) -> None:
        """Write what was spent since the last time. Of two processes that write at once, one is not counted."""
        now = {f"{one['plugin']} in {one['hook']}": one for one in self._hooks.timings()}
        spent = {
            name: {f: one[f] - self._written.get(name, {}).get(f, 0) for f in FIGURES}
            for name, one in now.items()
        }
        self._written = now
        if not any(one["calls"] for one in spent.values()):
            return
        kept = read_costs(self._journal)
        for name, one in spent.items():
            before = kept["hooks"].get(name, {})
            kept["hooks"][name] = {
                "plugin": now[name]["plugin"],
                "hook": now[name]["hook"],
                **{f: before.get(f, 0) + one[f] for f in FIGURES},
            }
        self._journal.write(COSTS, kept, durable=False)


def read_costs(journal: Journal) -> dict[str, Any]:
    """Give what was spent within the last day."""
    kept = journal.read(COSTS)
    if time.time() - kept.get("since", 0) > KEPT_SECONDS:
        return {"since": time.time(), "hooks": {}}
    return kept


def slow_hooks(journal: Journal) -> Iterator[tuple[dict[str, Any], str]]:
    """Give who is slow or fails, each with a sentence that says by how much."""
    for one in read_costs(journal)["hooks"].values():
        each = one["seconds"] / (one["calls"] or 1)
        if each > SLOW_SECONDS:
            yield (
                one,
                _(
                    "{plugin} takes {milliseconds} ms for each of {calls} calls of {hook}.",
                    plugin=one["plugin"],
                    milliseconds=f"{each * 1000:.0f}",
                    calls=str(one["calls"]),
                    hook=one["hook"],
                ),
            )
        if one["errors"]:
            yield (
                one,
                _(
                    "{plugin} failed {errors} of {calls} times in {hook}.",
                    plugin=one["plugin"],
                    errors=str(one["errors"]),
                    calls=str(one["calls"]),
                    hook=one["hook"],
                ),
            )
