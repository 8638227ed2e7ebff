"""The directory: who a token or a user is, with the roles as they are now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, select

from clientela.access.entities import Role, Token, User
from clientela.access.passwords import verify_password
from clientela.access.principal import SYSTEM, Principal, rules_of, system
from clientela.access.tokens import MARK, digest
from clientela.custom.loading import version_columns
from clientela.errors import Unauthenticated
from clientela.i18n.texts import _
from clientela.normalize import normalize_email

if TYPE_CHECKING:
    from clientela.app import App

# Within this time another process may not have heard that a token was withdrawn; this process always has.
SECONDS_REMEMBERED = 1.0

ACCESS_ENTITIES = frozenset({User.info.name, Role.info.name, Token.info.name})

# Who a person without a role is called in refusals that must not tell whether the person exists.
_UNKNOWN = _("This token or password is not known, or has been withdrawn.")


class Directory:
    """Finds principals and remembers them for a moment."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._known: dict[str, tuple[float, Principal]] = {}

    def forget(self) -> None:
        """Forget everybody: a user, role or token changed."""
        self._known.clear()

    def by_token(self, token: str) -> Principal:
        """Give the principal of a token, or refuse."""
        key = digest(token)
        known = self._known.get(key)
        now = time.monotonic()
        if known is not None and now - known[0] < SECONDS_REMEMBERED:
            return known[1]
        mine = Token.info.table.c.digest == key
        principal = self._of_token(mine) if token.startswith(MARK) else None
        if principal is None:
            raise Unauthenticated(
                _UNKNOWN, headers={"WWW-Authenticate": 'Bearer realm="clientela"'}
            )
        if len(self._known) > 10_000:  # noqa: PLR2004 - a bound, not a measure
            self._known.clear()
        self._known[key] = (now, principal)
        return principal

    def _of_token(self, which: ColumnElement[bool]) -> Principal | None:
        token, user = Token.info.table, User.info.table.alias("u")
        query = (
            select(
                token.c.id, token.c.name, token.c.roles, token.c.permissions, token.c.expires_at, token.c.user_id,
                user.c.roles.label("user_roles"), user.c.active, user.c.deleted_at, user.c.language,
                *version_columns(),
            )
            .join_from(token, user, token.c.user_id == user.c.id, isouter=True)
            .where(which, token.c.deleted_at.is_(None))
        )  # fmt: skip
        with self._app.db.read() as connection:
            row = connection.execute(query).first()
            if row is not None:
                # Beside the token, so that nobody else need ask: what is declared is noticed as fast as a role.
                self._app.definitions.see(connection, tuple(row[-3:]))
            if row is None or (row.expires_at is not None and row.expires_at <= self._app.clock()):
                return None
            if row.user_id is not None and (not row.active or row.deleted_at is not None):
                return None
            names = row.user_roles if row.user_id is not None else row.roles
            return Principal(
                kind="token", id=Token.info.public_id(row.id), name=row.name, roles=_rules(connection, names),
                user=row.user_id, narrowed=None if row.permissions is None else tuple(row.permissions),
                language=row.language,
            )  # fmt: skip

    def by_id(self, public_id: str) -> Principal:
        """Give the principal that the history names: for work that somebody began and that goes on without them."""
        prefix, _underscore, key = public_id.partition("_")
        if public_id == SYSTEM.id or public_id.startswith(f"{SYSTEM.id}:"):
            return system(public_id.partition(":")[2]) if ":" in public_id else SYSTEM
        if prefix == User.info.prefix:
            return self.by_user(key)
        principal = self._of_token(Token.info.table.c.id == key)
        if principal is None:
            raise Unauthenticated(_UNKNOWN)
        return principal

    def by_password(self, email: str, password: str) -> Principal:
        """Give the principal of a user who knows the password; an unknown user costs as much time as a known one."""
        users = User.info.table
        try:
            address = normalize_email(email)
        except ValueError:
            address = ""
        with self._app.db.read() as connection:
            row = connection.execute(
                select(users).where(users.c.email == address, users.c.deleted_at.is_(None))
            ).first()
            right = verify_password(password, row.password_hash if row is not None else None)
            if row is None or not right or not row.active:
                raise Unauthenticated(_UNKNOWN)
            return self._user(connection, row)

    def by_user(self, key: str) -> Principal:
        """Give the principal of a user."""
        users = User.info.table
        with self._app.db.read() as connection:
            row = connection.execute(
                select(users).where(
                    users.c.id == key, users.c.deleted_at.is_(None), users.c.active.is_(True)
                )
            ).first()
            if row is None:
                raise Unauthenticated(_UNKNOWN)
            return self._user(connection, row)

    def _user(self, connection: Connection, row: Any) -> Principal:
        return Principal(
            kind="user", id=User.info.public_id(row.id), name=row.name, roles=_rules(connection, row.roles),
            user=row.id, language=row.language,
        )  # fmt: skip


def _rules(connection: Connection, names: list[str]) -> tuple[Any, ...]:
    roles = Role.info.table
    rows = connection.execute(
        select(roles.c.name, roles.c.permissions, roles.c.scopes, roles.c.hidden_classes)
        .where(roles.c.name.in_(list(names or ())), roles.c.deleted_at.is_(None))
        .order_by(roles.c.name)
    )
    return rules_of(dict(row._mapping) for row in rows)  # noqa: SLF001 - SQLAlchemy's spelling
