"""`clientela trace`: what a request costs, call by call and plugin by plugin."""

from __future__ import annotations

import json
from typing import Any

import click

from clientela.access.principal import Principal
from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, option
from clientela.cli.output import emit_record
from clientela.errors import NotFound
from clientela.i18n import _
from clientela.ids import new_key
from clientela.plugins.journal import TRACE
from clientela.plugins.policies import FILE
from clientela.rest.call import Call, Reply
from clientela.rest.dispatch import Dispatcher
from clientela.timeline import Timeline

METHODS = click.Choice(["GET", "POST", "PATCH", "PUT", "DELETE"], case_sensitive=False)


class _Traced(Dispatcher):
    """Answers in the name of whoever sits at the desk, and keeps a timeline."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.app)
        self._desk = desk

    def principal(self, call: Call) -> Principal:
        """Give the one who acts."""
        del call
        return self._desk.principal

    def _is_timed(self, call: Call, principal: Principal) -> bool:
        del call, principal
        return True

    def _tell_time(self, call: Call, timeline: Timeline, reply: Reply) -> None:
        """Say nothing: the caller reads the timeline."""


@command(
    params=[
        argument("method", "GET, POST, PATCH, PUT or DELETE.", required=False, type=METHODS),
        argument("path", "Such as /api/v1/core/customers?limit=50.", required=False),
        option("--data", "The body of the request, as JSON.", metavar="JSON"),
        option("--last", "Show the last request that a server was asked to time.", is_flag=True),
        option("--dry-run", "Carry a change out, and roll it back.", is_flag=True),
    ],
    example="clientela trace GET '/api/v1/core/customers?limit=50'",
)  # fmt: skip
@click.pass_obj
def trace(
    desk: Desk, method: str | None, path: str | None, data: str | None, *, last: bool, dry_run: bool
) -> None:
    """Carry out a request in this process and show what each plugin cost; a change is a real one without --dry-run."""
    if last:
        show(desk, last_trace(desk))
        return
    if method is None or path is None:
        raise click.UsageError(desk.text("Name a method and a path, or say --last."))
    address, _mark, query = path.partition("?")
    if dry_run:
        query = "&".join(filter(None, (query, "dry_run=true")))
    call = Call(
        method=method.upper(), path=address, query=query.encode(), body=(data or "").encode(),
        headers={b"content-type": b"application/json"}, request_id=new_key(),
    )  # fmt: skip
    reply = _Traced(desk).answer(call)
    timeline = call.timeline or Timeline()
    told = {"method": call.method, "path": call.path, "status": reply.status}
    if reply.status >= 400:  # noqa: PLR2004 - a refusal or a defect
        desk.say(json.loads(reply.body)["detail"])
    show(desk, told | timeline.as_dict())


def last_trace(desk: Desk) -> dict[str, Any]:
    """Read what a server wrote down of the last request it was asked to time."""
    journal = desk.app.journal
    told = journal.read(TRACE) if journal is not None else {}
    if not told:
        raise NotFound(
            _("No request was timed yet."),
            extra={"fix": f"send X-Clientela-Trace: 1, or write server_timing = true in {FILE}"},
        )
    return told


def show(desk: Desk, told: dict[str, Any]) -> None:
    """Show the calls, those inside another one further in."""
    if desk.format == "table":
        calls = [c | {"what": "  " * c["depth"] + c["what"]} for c in told["calls"]]
        told = told | {"calls": [{k: v for k, v in c.items() if k != "depth"} for c in calls]}
    emit_record(desk, told)
