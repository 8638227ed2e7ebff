"""`clientela role`: what people and programs may do."""

from __future__ import annotations

from typing import Any

import click

from clientela.access.entities import Role, User
from clientela.cli.commands.users import changed, the
from clientela.cli.desk import Desk
from clientela.cli.errors import Usage
from clientela.cli.groups import argument, command, group, option
from clientela.cli.output import emit_record
from clientela.cli.reading import emit_all
from clientela.cli.writing import change
from clientela.context import Context
from clientela.entity import Entity
from clientela.rows import record_dict
from clientela.schemas import create_schema, load

role = group(
    "role",
    "What people and programs may do; see clientela help roles.",
    example="clientela role show reader",
)

NAME = argument("name", "The name of the role.", metavar="ROLE")
PATTERNS = argument("permissions", "Permissions of the role.", nargs=-1, metavar="[PATTERN]...")


@command(role, name="list")
@click.pass_obj
def list_(desk: Desk) -> None:
    """List the roles."""
    emit_all(desk, Role.info, ("id", "name", "about", "permissions"))


@command(role, params=[NAME])
@click.pass_obj
def show(desk: Desk, name: str) -> None:
    """Show a role: its permissions, scopes and hidden field classes."""
    emit_record(desk, desk.do(lambda ctx: record_dict(ctx, the(ctx, Role, verb="read", name=name))))


@command(
    role, writes=True,
    params=[
        NAME,
        option("permissions --permission", "Such as core.customer.*; minus denies.", multiple=True, metavar="PATTERN"),
        option("scopes --scope", "Which rows: 'core.customer=owner = me'.", multiple=True, metavar="ENTITY=FILTER"),
        option("hidden_classes --hide", "What this role does not see: pii, financial.", multiple=True, metavar="CLASS"),
        option("--about", "What the role is for."),
    ],
    example="clientela role add support --permission 'core.customer.*' --permission '-*.purge'",
)  # fmt: skip
@click.pass_obj
def add(desk: Desk, /, scopes: tuple[str, ...], **given: Any) -> None:
    """Add a role."""
    values = {name: list(one) if isinstance(one, tuple) else one for name, one in given.items()}
    values["scopes"] = dict(_scope(desk, one) for one in scopes)

    def work(ctx: Context) -> list[Entity]:
        create = ctx.app.registry.action(Role.info.permission("create"))
        return [ctx.run(create, data=load(create_schema(Role.info), values))]

    change(desk, work)


def _scope(desk: Desk, text: str) -> tuple[str, str]:
    entity, equals, rule = (part.strip() for part in text.partition("="))
    if not equals or not rule:
        raise Usage(desk.text("A scope is written ENTITY=FILTER: 'core.customer=owner = me'."))
    return desk.app.registry.entity(entity).name, rule


@command(
    role, writes=True,
    params=[NAME, PATTERNS, option("emails --to", "Users who get the role.", multiple=True, metavar="EMAIL")],
    example="clientela role grant support 'core.decision.*'\nclientela role grant support --to anna@example.com",
)  # fmt: skip
@click.pass_obj
def grant(desk: Desk, name: str, permissions: tuple[str, ...], emails: tuple[str, ...]) -> None:
    """Give a role more permissions, or give the role to users with --to."""
    _give(desk, name, permissions, emails, give=True)


@command(
    role, writes=True,
    params=[NAME, PATTERNS, option("emails --from", "Users who lose the role.", multiple=True, metavar="EMAIL")],
    example="clientela role revoke support --from anna@example.com",
)  # fmt: skip
@click.pass_obj
def revoke(desk: Desk, name: str, permissions: tuple[str, ...], emails: tuple[str, ...]) -> None:
    """Take permissions from a role, or take the role from users with --from."""
    _give(desk, name, permissions, emails, give=False)


def _give(
    desk: Desk, name: str, permissions: tuple[str, ...], emails: tuple[str, ...], *, give: bool
) -> None:
    if not permissions and not emails:
        raise Usage(desk.text("Name permissions, or users with --to or --from."))

    def new(has: list[str], words: tuple[str, ...]) -> list[str]:
        kept = [one for one in has if one not in words]
        return [*kept, *words] if give else kept

    def work(ctx: Context) -> list[Entity]:
        found = the(ctx, Role, name=name)
        people = [the(ctx, User, email=email) for email in emails]
        if permissions:
            changed(ctx, found, permissions=new(found.permissions, permissions))
        for person in people:
            changed(ctx, person, roles=new(person.roles, (name,)))
        return [found, *people] if permissions else [*people]

    change(desk, work)
