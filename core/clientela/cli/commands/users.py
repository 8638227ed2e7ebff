"""`clientela user`: people who may sign in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import click

from clientela.access.actions import NewPassword, set_password
from clientela.access.entities import Role, User
from clientela.cli.commands.secrets import read_secret
from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, group, option
from clientela.cli.inputs import secret_options
from clientela.cli.reading import emit_all
from clientela.cli.writing import change
from clientela.context import Context
from clientela.entity import Entity
from clientela.errors import NotFound
from clientela.filters import Compare, Word
from clientela.i18n import _
from clientela.query import Question, list_page
from clientela.schemas import create_schema, load

E = TypeVar("E", bound=Entity)

user = group("user", "People who may sign in.", example="clientela user list")

EMAIL = argument("email", "The address that the user signs in with.")
SECRET = secret_options("password")


@command(
    user, writes=True,
    params=[
        EMAIL,
        option("--name", "The name; the first part of the address when left out."),
        option("roles --role", "A role; may be repeated.", multiple=True, metavar="ROLE"),
        *SECRET,
    ],
    example="clientela user add anna@example.com --name Anna --role administrator",
)  # fmt: skip
@click.pass_obj
def add(desk: Desk, /, email: str, name: str | None, roles: tuple[str, ...], **how: Any) -> None:
    """Add a user. The password is asked for, or comes from stdin or the environment; without one nobody signs in."""
    password = _password(desk, how)
    values = {"email": email, "name": name or email.partition("@")[0], "roles": list(roles)}
    change(desk, lambda ctx: [add_user(ctx, values, password)])
    if password is None and not desk.dry_run:
        desk.say(_("There is no password yet: clientela user password {email}", email=email))


def add_user(ctx: Context, values: dict[str, Any], password: str | None) -> User:
    """Create a user with roles that exist, and set the password through its own action."""
    require_roles(ctx, values["roles"])
    create = ctx.app.registry.action(User.info.permission("create"))
    made: User = ctx.run(create, data=load(create_schema(User.info), values))
    if password is not None:
        set_password(ctx, made, _secret(password))
    return made


@command(user, name="list")
@click.pass_obj
def list_(desk: Desk) -> None:
    """List the users."""
    emit_all(desk, User.info, ("id", "email", "name", "roles", "active"))


@command(user, params=[EMAIL], writes=True)
@click.pass_obj
def disable(desk: Desk, email: str) -> None:
    """Keep a user from signing in, and the user's tokens from being used."""
    change(desk, lambda ctx: [changed(ctx, the(ctx, User, email=email), active=False)])


@command(user, params=[EMAIL], writes=True)
@click.pass_obj
def enable(desk: Desk, email: str) -> None:
    """Let a disabled user sign in again."""
    change(desk, lambda ctx: [changed(ctx, the(ctx, User, email=email), active=True)])


@command(user, params=[EMAIL, *SECRET], writes=True)
@click.pass_obj
def password(desk: Desk, /, email: str, **how: Any) -> None:
    """Set a user's password: asked for, from stdin, or from an environment variable."""
    secret = _password(desk, how)
    if secret is None:
        raise click.UsageError(desk.text("Name a source: --password-stdin or --password-env."))
    change(desk, lambda ctx: [set_password(ctx, the(ctx, User, email=email), _secret(secret))])


def _password(desk: Desk, how: dict[str, Any]) -> str | None:
    return read_secret(desk, "password", stdin=how["stdin__password"], env=how["env__password"])


def _secret(password: str) -> NewPassword:
    # Input takes no text for a secret where types are strict.
    return NewPassword.model_validate({"password": password}, strict=False)


# what users, roles and tokens share ---------------------------------------------------------------------------------


def find(ctx: Context, entity: type[E], **key: str) -> str | None:
    """Find the id of a record by a field that tells it from others."""
    ((name, value),) = key.items()
    question = Question(filter=Compare((name,), "eq", Word(value)), fields=("id",), limit=1)
    rows = list_page(ctx, entity.info, question).rows
    return str(rows[0]["id"]) if rows else None


def the(ctx: Context, entity: type[E], *, verb: str = "update", **key: str) -> E:
    """Get a record by a field that tells it from others, or refuse."""
    found = find(ctx, entity, **key)
    if found is None:
        info, (value,) = entity.info, key.values()
        fix = f"clientela {info.singular} list"
        raise NotFound(
            _("There is no {phrase} {value}.", phrase=info.phrase, value=repr(value[:120])),
            extra={"fix": fix},
        )
    return ctx.get(entity, found, verb=verb)


def changed(ctx: Context, record: E, **values: Any) -> E:
    """Change fields of a record through its action."""
    update = ctx.app.registry.action(record.info.permission("update"))
    return ctx.run(update, record, values)  # type: ignore[no-any-return]


def require_roles(ctx: Context, names: Iterable[str]) -> None:
    """Refuse roles that are not there: a misspelt one would give nobody anything."""
    for name in names:
        the(ctx, Role, verb="read", name=name)
