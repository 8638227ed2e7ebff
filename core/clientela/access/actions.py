"""What is done with users and tokens beyond the plain verbs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, SecretStr

from clientela.access.entities import Token, User
from clientela.access.guards import check_roles, narrowed
from clientela.access.passwords import hash_password
from clientela.access.tokens import SHOWN, digest, new_token
from clientela.actions import action
from clientela.context import Context
from clientela.errors import FieldProblem, Invalid, sentence_of
from clientela.schemas import Input


class NewPassword(Input):
    """A password to be set."""

    password: SecretStr = Field(description="10 to 200 characters.")


class NewToken(Input):
    """What a token is for and what it may do."""

    name: str = Field(min_length=1, max_length=120)
    roles: list[str] = Field(
        default_factory=list, max_length=20, description="Roles of a service token."
    )
    permissions: list[str] | None = Field(
        default=None, max_length=100, description="Narrows the roles."
    )
    days: int | None = Field(default=None, ge=1, le=3650, description="Days until it expires.")


@action("core.user.set_password", on=User, undo="A password is replaced, never read back.")
def set_password(ctx: Context, user: User, data: NewPassword) -> User:
    """Set the password of a user."""
    del ctx
    try:
        user.password_hash = hash_password(data.password.get_secret_value())
    except ValueError as wrong:
        sentence = sentence_of(wrong)
        raise Invalid(sentence, [FieldProblem("/password", "invalid", sentence)]) from None
    return user


@action("core.token.issue", undo="Withdraw the token by putting it into the trash.")
def issue(ctx: Context, data: NewToken) -> dict[str, Any]:
    """Issue a token and show it once."""
    check_roles(ctx, data.roles)
    secret = new_token()
    expires: datetime | None = ctx.now + timedelta(days=data.days) if data.days else None
    token = ctx.add(
        Token(
            name=data.name, start=secret[:SHOWN], digest=digest(secret), roles=data.roles,
            permissions=narrowed(ctx, data.permissions), expires_at=expires,
            user_id=None if data.roles else ctx.principal.user,
        )
    )  # fmt: skip
    return {"id": token.public_id, "token": secret}
