"""Carrying a plan out: a snapshot, a journal, and one transaction per plugin.

The journal is a value of the deployment that is written before the first step, moves on inside each step's transaction
and goes with the last. Whatever kills the process, it tells what stands and what does not.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, inspect
from sqlalchemy.exc import DBAPIError, IntegrityError

from clientela.clock import wall_clock
from clientela.errors import Conflict, NotFound, Refusal
from clientela.i18n.texts import _
from clientela.plugins.life import snapshots
from clientela.plugins.life.planning import plan_again, plan_remove
from clientela.plugins.life.plans import Plan
from clientela.plugins.life.steps import perform
from clientela.storage import meta
from clientela.storage.migrations.state import read_versions
from clientela.storage.migrations.transaction import schema_change
from clientela.storage.types import write_instant

if TYPE_CHECKING:
    from clientela.app import App

JOURNAL = "life"


class PlanOutdated(Conflict):
    """The world is no longer the one that was planned for."""

    code = "plan-outdated"
    title = _("Something has changed since the plan was made")


class StillUnderWay(Conflict):
    """Another apply has begun and not ended."""

    code = "apply-under-way"
    title = _("Another apply has not ended")


@dataclass
class Outcome:
    """What was done, in sentences, and where the snapshot lies."""

    done: list[str] = field(default_factory=list)
    snapshot: str = ""
    remarks: list[str] = field(default_factory=list)


def apply(app: App, plan: Plan) -> Outcome:
    """Carry a plan out, if everything is still as it was when it was made."""
    _refuse_if_interrupted(app)
    now = plan_again(app, plan)
    if now.world != plan.world:
        raise PlanOutdated(
            _(
                "The database or the packages have changed since this plan was made; nothing was done. Make it again: "
                "{command}",
                command=plan.command.replace(" apply ", " plan ", 1),
            )
        )
    _refuse_blocked(now)
    if not now.steps:
        return Outcome(remarks=list(now.remarks))
    place = ""
    if now.mode != "keep" and now.snapshot != snapshots.NOTHING:
        place = snapshots.take(app, f"{now.verb}-{now.plugin}", wall_clock())
    _begin(app, now, place)
    return _carry_out(app, now, Outcome(snapshot=place))


def resume(app: App) -> Outcome:
    """Go on with what was broken off."""
    journal = _journal(app)
    if journal is None:
        raise NotFound(_("Nothing was broken off; there is nothing to resume."))
    wished = Plan(**journal["wish"])
    outcome = Outcome(snapshot=journal["snapshot"], done=[])
    again = _rest_of_removal if wished.verb == "remove" else plan_again
    plan = again(app, wished)
    if plan is None or not plan.steps:
        abandon(app)
        return replace(outcome, remarks=[_("Everything was done already.")])
    _refuse_blocked(plan)
    return _carry_out(app, plan, outcome)


def _rest_of_removal(app: App, wished: Plan) -> Plan | None:
    with app.db.read() as connection:
        there = wished.plugin in read_versions(connection)
    return plan_remove(app, wished.plugin, wished.mode, wished.file, again=True) if there else None


def abandon(app: App) -> None:
    """Forget what was broken off; what stands stays."""
    with app.db.write() as connection:
        meta.forget(connection, JOURNAL)


def go_back(app: App) -> str:
    """Go back to the snapshot of what was broken off, and give its place."""
    journal = _journal(app)
    if journal is None:
        raise NotFound(_("Nothing was broken off; there is nothing to go back from."))
    place = str(journal["snapshot"])
    snapshots.restore(app, place)
    return place


def interrupted(app: App) -> str | None:
    """Say what was begun and has not ended, and how to go on; or nothing."""
    journal = _journal(app)
    if journal is None:
        return None
    command = Plan(**journal["wish"]).command
    back = snapshots.way_back(app, str(journal["snapshot"]))
    sentence = _(
        "`{command}` was begun at {at} by process {process} on {host} and has not ended; done so far: {done}. If it "
        "is not running any more, go on with `clientela plugin apply --resume`.",
        command=command,
        at=journal["at"],
        process=journal["process"],
        host=journal["host"],
        done=", ".join(journal["done"]) or "—",
    )
    if not back:
        return sentence
    return _(
        "{sentence} Or go back to the snapshot {place}: {command}",
        sentence=sentence,
        place=journal["snapshot"],
        command=back,
    )


def _journal(app: App) -> dict[str, Any] | None:
    with app.db.read() as connection:
        if not inspect(connection).has_table(meta.META.name):
            return None
        found: dict[str, Any] | None = meta.recall(connection, JOURNAL).get("")
        return found


def _refuse_if_interrupted(app: App) -> None:
    sentence = interrupted(app)
    if sentence is not None:
        raise StillUnderWay(sentence)


def _refuse_blocked(plan: Plan) -> None:
    if plan.blockers:
        raise Conflict(_join(plan.blockers), extra={"first": plan.first})


def _join(sentences: list[str]) -> str:
    joined = sentences[0]
    for one in sentences[1:]:
        joined = _("{first} {second}", first=joined, second=one)
    return joined


def _begin(app: App, plan: Plan, place: str) -> None:
    """Write the journal; its key is one, so of two applies at once the second is refused."""
    note = {
        "wish": plan.wish, "snapshot": place, "done": [], "steps": [one.plugin for one in plan.steps],
        "at": write_instant(wall_clock()), "process": os.getpid(), "host": socket.gethostname(),
    }  # fmt: skip
    try:
        with app.db.write() as connection:
            # Before the core has its tables there is nothing that could be half done.
            if inspect(connection).has_table(meta.META.name):
                connection.execute(insert(meta.META).values(key=JOURNAL, value=note))
    except IntegrityError:
        _refuse_if_interrupted(app)
        raise


def _carry_out(app: App, plan: Plan, outcome: Outcome) -> Outcome:
    for place, step in enumerate(plan.steps):
        try:
            with schema_change(app.db) as connection:
                told = perform(app, plan, step, connection)
                _move_on(connection, step.plugin, is_last=place == len(plan.steps) - 1)
        except (Refusal, DBAPIError, OSError) as wrong:
            raise _failed(app, plan, place, wrong) from wrong
        outcome.done += told
    app.directory.forget()
    outcome.remarks += plan.remarks
    return outcome


def _move_on(connection: Connection, plugin: str, *, is_last: bool) -> None:
    journal = meta.recall(connection, JOURNAL).get("")
    if journal is None:
        return
    if is_last:
        meta.forget(connection, JOURNAL)
        return
    meta.remember(connection, JOURNAL, journal | {"done": [*journal["done"], plugin]})


def _failed(app: App, plan: Plan, place: int, wrong: Exception) -> Refusal:
    """Say what stands and how to go on; when nothing does, the world is what it was."""
    reason = wrong.detail if isinstance(wrong, Refusal) else _reason(wrong)
    stands = [step.plugin for step in plan.steps[:place]]
    if not stands:
        abandon_if_there(app)
        if isinstance(wrong, Refusal):
            return wrong
        return Conflict(
            _("{plugin} is as it was: {reason}.", plugin=plan.steps[place].plugin, reason=reason)
        )
    return Conflict(
        _(
            "{plugin} is as it was: {reason} Done and standing: {stands}. Mend it and go on with "
            "`clientela plugin apply --resume`.",
            plugin=plan.steps[place].plugin,
            reason=reason,
            stands=", ".join(stands),
        ),
        extra={"stands": stands, "fix": "clientela plugin apply --resume"},
    )


def _reason(wrong: Exception) -> str:
    cause = getattr(wrong, "orig", None) or wrong
    return " ".join(f"{type(cause).__name__}: {cause}".split())[:300].rstrip(".")


def abandon_if_there(app: App) -> None:
    """Forget the journal, if the core has its tables."""
    if _journal(app) is not None:
        abandon(app)
