"""Rules, and running them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from clientela.errors import did_you_mean
from clientela_sdk import NotFound, Refusal, _
from clientela_sdk.testing.conformance.subject import NotNow, Subject, subject_of

Level = Literal["bronze", "silver", "gold"]
State = Literal["passed", "failed", "skipped"]

LEVELS: tuple[Level, ...] = ("bronze", "silver", "gold")
STATES = (_("passed"), _("failed"), _("skipped"))
MOST_FINDINGS = 20


@dataclass(frozen=True)
class Rule:
    """One thing a plugin owes: `run` gives a sentence for each way in which it does not hold.

    A `slow` rule is left out by `--fast`, and so what that leaves is not all of gold.
    """

    id: str
    level: Level
    sentence: str
    run: Callable[[Subject], Iterable[str]]
    slow: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one rule; `findings` say what to mend, or why it was skipped."""

    rule: Rule
    state: State
    findings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "rule": self.rule.id, "level": self.rule.level, "state": self.state,
            "sentence": self.rule.sentence, "findings": list(self.findings),
        }  # fmt: skip


_rules: dict[str, Rule] = {}


def rule(
    id_: str, level: Level, sentence: str, *, slow: bool = False
) -> Callable[[Callable[[Subject], Iterator[str]]], Callable[[Subject], Iterator[str]]]:
    """Register a function as a rule; it yields a sentence for each finding, or raises `NotNow`."""

    def register(function: Callable[[Subject], Iterator[str]]) -> Any:
        _rules[id_] = Rule(id_, level, sentence, function, slow)
        return function

    return register


def rules() -> list[Rule]:
    """List all rules, in the order in which they run: what is asked of everybody first."""
    return sorted(_rules.values(), key=lambda one: LEVELS.index(one.level))


def chosen(level: str = "gold", only: Iterable[str] = (), *, fast: bool = False) -> list[Rule]:
    """List the rules up to a level, without the slow ones if `fast`, or those that are named."""
    wanted = list(only)
    for id_ in wanted:
        if id_ not in _rules:
            raise NotFound(
                _("There is no rule {rule}.", rule=repr(id_[:60])) + did_you_mean(id_, _rules)
            )
    if wanted:
        return [one for one in rules() if one.id in wanted]
    most = [*LEVELS].index(level)  # type: ignore[arg-type]
    return [one for one in rules() if LEVELS.index(one.level) <= most and not (fast and one.slow)]


def holds(outcomes: Iterable[Outcome], level: str = "gold") -> bool:
    """Say whether nothing failed, and at gold whether nothing was skipped either."""
    states = {one.state for one in outcomes}
    return "failed" not in states and not (level == "gold" and "skipped" in states)


def check(
    plugin: str,
    *,
    level: str = "gold",
    fast: bool = False,
    only: Iterable[str] = (),
    folder: Path | None = None,
) -> Iterator[Outcome]:
    """Run the rules up to a level, and give each outcome as it comes; `folder` is the deployment."""
    picked = chosen(level, only, fast=fast)
    with subject_of(plugin, folder) as subject:
        for one in picked:
            yield run(one, subject)


def run(one: Rule, subject: Subject) -> Outcome:
    """Run one rule; whatever it dies of is a finding, because a plugin's code may be what it died of."""
    try:
        findings = tuple(dict.fromkeys(islice(one.run(subject), MOST_FINDINGS)))
    except NotNow as reason:
        return Outcome(one, "skipped", (reason.sentence,))
    except Refusal as refusal:
        return Outcome(one, "failed", (refusal.detail,))
    except (Exception, SystemExit) as broken:  # noqa: BLE001 - see above
        reason_ = f"{type(broken).__name__}: {broken}"[:500]
        return Outcome(one, "failed", (_("It broke off: {reason}", reason=reason_),))
    return Outcome(one, "failed" if findings else "passed", findings)


def conformance_tests(plugin: str, *, level: str = "gold", fast: bool = False) -> Any:
    """Make a test function that runs once for each rule; a rule that cannot run skips its test, and says why."""
    import pytest  # noqa: PLC0415 - a deployment has no pytest

    picked = chosen(level, fast=fast)

    @pytest.mark.parametrize("rule", picked, ids=[one.id for one in picked])
    def test_it_conforms(rule: Rule) -> None:
        # Each test has a subject of its own, so that any of them can be run alone, and on any worker.
        with subject_of(plugin, None) as one:
            outcome = run(rule, one)
        if outcome.state == "skipped":
            pytest.skip(str(outcome.findings[0]))
        assert outcome.state == "passed", "\n".join((rule.sentence, *outcome.findings))  # noqa: S101 - it is the test's

    return test_it_conforms
