"""What a plan says: everything that would happen, before anything does."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from clientela.errors import BadSyntax
from clientela.i18n.texts import _

Verb = Literal["add", "upgrade", "remove"]
Mode = Literal["", "keep", "export", "purge"]

FORMAT = "clientela-plan-1"


@dataclass(frozen=True)
class Revision:
    """One revision of a step: its SQL, the rows of the tables it changes, and whether there is a way back."""

    revision: str
    about: str
    sql: list[str]
    rows: dict[str, int]
    reversible: bool
    loses: bool
    remark: str = ""


@dataclass(frozen=True)
class Reference:
    """Something elsewhere that names the plugin, and what becomes of it."""

    kind: str
    what: str
    count: int
    fate: str


@dataclass(frozen=True)
class Step:
    """What happens to one plugin, in one transaction."""

    plugin: str
    does: Literal["migrate", "attach", "keep", "export", "purge"]
    before: str
    after: str
    revisions: list[Revision] = field(default_factory=list)
    sql: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """A verb on a plugin: its steps in order, and what speaks against it.

    `blockers` are sentences; while there is one, the plan cannot be applied. `first` names the plugins that must go
    before, in order. `world` is the fingerprint of all that the plan was made from.
    """

    verb: Verb
    plugin: str
    mode: Mode = ""
    file: str = ""
    steps: list[Step] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    blockers: list[str] = field(default_factory=list)
    first: list[str] = field(default_factory=list)
    snapshot: str = ""
    remarks: list[str] = field(default_factory=list)
    world: str = ""

    @property
    def command(self) -> str:
        """Give the command that carries the plan out."""
        how = {"keep": " --keep", "purge": " --purge", "export": f" --export {self.file}"}.get(
            self.mode, ""
        )
        come = f" --from {self.file}" if self.verb == "add" and self.file else ""
        return f"clientela plugin apply {self.verb} {self.plugin}{how}{come}"

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {"format": FORMAT} | asdict(self) | {"command": self.command}

    @property
    def wish(self) -> dict[str, str]:
        """Give what was asked for: enough to make the plan again."""
        return {"verb": self.verb, "plugin": self.plugin, "mode": self.mode, "file": self.file}


def read_plan(path: Path) -> Plan:
    """Read what was asked for and the fingerprint from a plan's file; the rest is made again when it is applied."""
    reason: object = FORMAT
    try:
        said = orjson.loads(path.read_bytes())
        if said["format"] == FORMAT and said["verb"] in {"add", "upgrade", "remove"}:
            return Plan(**{n: said[n] for n in ("verb", "plugin", "mode", "file", "world")})
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        reason = wrong
    raise BadSyntax(
        _(
            "{path} is not a plan of `clientela plugin plan … --out`: {reason}.",
            path=path,
            reason=reason,
        )
    )
