"""`clientela api token`: keys for programs."""

from __future__ import annotations

from typing import Any

import click
from pydantic import ValidationError

from clientela.access.actions import NewToken, issue
from clientela.access.entities import Token, User
from clientela.cli.commands.users import the
from clientela.cli.desk import Desk
from clientela.cli.errors import Usage
from clientela.cli.groups import argument, command, group, option
from clientela.cli.output import emit_record
from clientela.cli.reading import emit_all
from clientela.cli.writing import emit_outcome, perform
from clientela.context import Context
from clientela.errors import Forbidden, Invalid
from clientela.i18n import _
from clientela.schemas import invalid

api = group("api", "Access for programs.")
token = group(
    "token", "Keys for programs: shown once, kept as a hash.", example="clientela api token list"
)
api.add_command(token)


@command(
    token, writes=True,
    params=[
        argument("name", "What the token is for."),
        option("roles --role", "A role of a service token; may be repeated.", multiple=True, metavar="ROLE"),
        option("--user", "A token of this user, with the user's rights.", metavar="EMAIL"),
        option("permissions --permission", "Narrows what the roles allow.", multiple=True, metavar="PATTERN"),
        option("--days", "Days until it expires.", type=click.IntRange(1, 3650)),
    ],
    example="TOKEN=$(clientela api token add ci --role reader --days 90 -o id)",
)  # fmt: skip
@click.pass_obj
def add(desk: Desk, /, user: str | None, **given: Any) -> None:
    """Issue a token and show it once; -o id prints the token alone."""
    if bool(given["roles"]) == bool(user):
        raise Usage(desk.text("Say whose rights it has: --role for a service, or --user EMAIL."))
    data = token_input(**given)
    made = desk.do(lambda ctx: issue_token(ctx, data, user), writing=True)
    if desk.dry_run:
        desk.say(_("A dry run: nothing was changed."))
    elif desk.format == "id":
        click.echo(made["token"])
    else:
        emit_record(desk, made)
        desk.say(_("Keep it now; it is not shown again."))


def token_input(
    *, name: str, roles: Any = (), permissions: Any = (), days: int | None = None
) -> NewToken:
    """Read what a token is for and what it may do."""
    try:
        return NewToken(
            name=name, roles=list(roles), permissions=list(permissions) or None, days=days
        )
    except ValidationError as wrong:
        raise invalid(wrong, NewToken.model_fields) from None


def issue_token(ctx: Context, data: NewToken, user: str | None = None) -> dict[str, Any]:
    """Issue a service token, or a token of a user, who is then its owner."""
    if user is None:
        return issue(ctx, data)  # type: ignore[no-any-return]
    owner = the(ctx, User, verb="read", email=user)
    if not ctx.principal.is_system and owner.id != ctx.principal.user:
        raise Forbidden(_("A token of another user would raise you to that user's rights."))
    if not owner.active:
        raise Invalid(_("{user} is disabled; a token of a disabled user opens nothing.", user=user))
    made: dict[str, Any] = issue(ctx, data)
    ctx.get(Token, made["id"]).user_id = owner.id
    return made


@command(token, name="list")
@click.pass_obj
def list_(desk: Desk) -> None:
    """List the tokens by their first letters; the tokens themselves are not kept."""
    emit_all(
        desk, Token.info, ("id", "name", "start", "roles", "user_id", "expires_at", "created_at")
    )


@command(
    token, writes=True,
    params=[argument("keys", "Their ids.", nargs=-1, required=True, metavar="ID...")],
)  # fmt: skip
@click.pass_obj
def revoke(desk: Desk, keys: tuple[str, ...]) -> None:
    """Withdraw tokens at once."""
    trash = desk.app.registry.action(Token.info.permission("trash"))
    emit_outcome(desk, trash, perform(desk, trash, keys, None))
