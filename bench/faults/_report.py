"""What a gate found: one line, and the failures before it."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field

MOST_TOLD = 10


@dataclass
class Gate:
    """Counts probes and failures of one gate."""

    name: str
    seed: int
    probes: int = 0
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    begun: float = field(default_factory=time.perf_counter)
    seconds: float | None = None

    @classmethod
    def canary(cls, gate: str, planted: str, found: Gate) -> Gate:
        """Give the finding of a planted defect: a gate that does not see it proves nothing."""
        made = cls(f"canary {gate}: {planted}", found.seed, found.probes, seconds=found.seconds)
        made.notes.append(f"caught: {found.failures[0][:200]}" if found.failures else "MISSED")
        made.expect(bool(found.failures), f"the gate {gate} cannot see {planted}")
        return made

    def end(self) -> None:
        """Stop the clock."""
        self.seconds = time.perf_counter() - self.begun

    def expect(self, holds: bool, otherwise: str) -> bool:  # noqa: FBT001 - an assertion that goes on
        """Count a failure unless something holds."""
        if not holds:
            self.failures.append(otherwise)
        return holds

    def say(self, note: str) -> None:
        """Keep a line for whoever reads more than the result."""
        self.notes.append(note)

    def print(self) -> None:
        """Print what is known, and the one line last."""
        for failure in self.failures[:MOST_TOLD]:
            print(f"  FAILED {failure}")
        if len(self.failures) > MOST_TOLD:
            print(f"  … and {len(self.failures) - MOST_TOLD} more")
        for note in self.notes:
            print(f"  {note}")
        counts = f"{self.probes} probes, {len(self.failures)} failures"
        print(f"{self.name}, seed {self.seed}, {counts}, {self.seconds or 0:.1f} s")
        sys.stdout.flush()
