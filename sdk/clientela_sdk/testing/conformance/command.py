"""`clientela plugin check`: the conformance kit at the command line."""

from __future__ import annotations

from typing import Any

import click

from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, option
from clientela.cli.output import emit_rows
from clientela_sdk.testing.conformance.kit import LEVELS, Outcome

# As `clientela i18n check` has it: something is to be done.
FOUND = 10


@command(
    operator=True,
    params=[
        argument("name", "The plugin's name."),
        option("level --level", "How much is asked.", type=click.Choice(LEVELS), default="gold", show_default=True),
        option("fast --fast", "Leave out what is slow: PostgreSQL and measurements.", is_flag=True),
        option("only --only", "Run this rule alone; may be said again.", multiple=True, metavar="RULE"),
    ],
    example="clientela plugin check visits --level silver --fast\nclientela plugin check visits --only row-scope",
)  # fmt: skip
@click.pass_context
def check(ctx: click.Context, /, name: str, **how: Any) -> None:
    """Try what a plugin owes its neighbours, in databases of its own; exit code 10 when a rule does not hold."""
    from clientela_sdk.testing import conformance  # noqa: PLC0415 - Alembic is slow

    desk: Desk = ctx.obj
    outcomes = list(conformance.check(name, folder=desk.folder, **how))
    emit_rows(desk, [_row(desk, one) for one in outcomes], ["rule", "level", "state", "sentence"])
    if desk.format == "table":
        for one in outcomes:
            _tell(desk, one)
    states = [one.state for one in outcomes]
    desk.say(
        desk.text(
            "{passed} passed, {failed} failed, {skipped} skipped.",
            passed=states.count("passed"), failed=states.count("failed"), skipped=states.count("skipped"),
        )
    )  # fmt: skip
    left = len(conformance.chosen(how["level"])) - len(conformance.chosen(how["level"], fast=True))
    if how["fast"] and left and not how["only"]:
        desk.say(
            desk.text("{count} slow rules were left out; leave out --fast to run them.", count=left)
        )
    if not conformance.holds(outcomes, how["level"]):
        ctx.exit(FOUND)


def _row(desk: Desk, one: Outcome) -> dict[str, Any]:
    told = one.as_dict()
    return told | {
        "sentence": desk.text(told["sentence"]),
        "findings": [desk.text(each) for each in told["findings"]],
    }


def _tell(desk: Desk, one: Outcome) -> None:
    """Say what is to be mended; a sentence is not cut as a cell would be."""
    if one.findings:
        click.echo(f"\n{one.rule.id}: {desk.text(one.state)}")
        for finding in one.findings:
            click.echo(f"  {desk.text(finding)}")
