"""Checks: one sentence each, with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Check:
    """The outcome of one check; `fix` is a command or a sentence."""

    section: str
    state: Literal["ok", "warn", "fail"]
    sentence: str
    fix: str = ""


def are_checks(answer: object) -> bool:
    """Say whether a plugin answered with checks."""
    return isinstance(answer, list) and all(isinstance(one, Check) for one in answer)
