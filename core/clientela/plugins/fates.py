"""What became of each plugin at a start: its state, and the reason in a sentence."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal[
    "found",
    "resolved",
    "migrated",
    "active",
    "disabled",
    "needs-settings",
    "incompatible",
    "quarantined",
    "orphaned",
]

# Those in which a plugin still is, or may become, part of the app.
WELL: frozenset[str] = frozenset({"found", "resolved", "migrated", "active"})

# An import that takes longer is named by the doctor.
SLOW_IMPORT_SECONDS = 1.0


@dataclass
class Fate:
    """One plugin at one start. `fix` is a command or a sentence; `memory` is what its import added, in bytes."""

    name: str
    state: State = "found"
    reason: str = ""
    fix: str = ""
    version: str = ""
    source: str = ""
    required: bool = False
    needs: list[str] = field(default_factory=list)
    seconds: float = 0.0
    memory: int | None = None
    hooks: list[str] = field(default_factory=list)
    entities: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Say whether the plugin takes part."""
        return self.state in WELL

    def fall(self, state: State, reason: str, fix: str = "") -> None:
        """Leave the plugin out, and say why."""
        self.state, self.reason, self.fix = state, reason, fix

    def add(self, sentence: str) -> None:
        """Say something more of a plugin that takes part all the same."""
        self.reason = f"{self.reason} {sentence}".strip()

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return asdict(self) | {"reason": str(self.reason), "fix": str(self.fix)}


@dataclass
class BootReport:
    """What became of all plugins at one start."""

    plugins: dict[str, Fate] = field(default_factory=dict)
    safe: bool = False
    seconds: float = 0.0
    at: str = ""

    @property
    def ailing(self) -> list[Fate]:
        """List the plugins that are left out without anybody's wish."""
        return [one for one in self.plugins.values() if not one.is_well and one.state != "disabled"]

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "at": self.at,
            "safe": self.safe,
            "seconds": round(self.seconds, 4),
            "plugins": [one.as_dict() for one in self.plugins.values()],
        }
