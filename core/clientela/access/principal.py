"""The one who acts, and what that one may do.

A principal is built once from a user or a token with its roles and is then asked thousands of times, so its answers
are remembered. It never changes: a changed role makes a new principal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal

from clientela.errors import Forbidden
from clientela.i18n.texts import _

PrincipalKind = Literal["user", "token", "system", "anonymous"]


@dataclass(frozen=True)
class RoleRules:
    """The rules of one role, read from its record."""

    name: str
    permissions: tuple[str, ...] = ()
    scopes: Mapping[str, str] = field(default_factory=dict)
    hidden_classes: frozenset[str] = frozenset()

    def grants(self, permission: str) -> bool:
        """Say whether one of the role's patterns fits."""
        return any(not p.startswith("-") and fnmatchcase(permission, p) for p in self.permissions)

    def denies(self, permission: str) -> bool:
        """Say whether one of the role's minus patterns fits."""
        return any(p.startswith("-") and fnmatchcase(permission, p[1:]) for p in self.permissions)


@dataclass(frozen=True, eq=False)
class Principal:
    """Somebody who acts.

    `id` is the public id that the history keeps (`usr_…`, `tok_…`, `system`), `user` the key of the user behind it,
    who is `me` in filters; `narrowed` keeps a token to a part of what its roles allow.
    """

    kind: PrincipalKind
    id: str
    name: str
    roles: tuple[RoleRules, ...] = ()
    user: str | None = None
    narrowed: tuple[str, ...] | None = None
    language: str | None = None
    _answers: dict[str, bool] = field(default_factory=dict, repr=False)

    @property
    def is_system(self) -> bool:
        """Say whether this is the system itself, to whom no rule applies."""
        return self.kind == "system"

    def can(self, permission: str) -> bool:
        """Say whether the permission is granted by a role and denied by none."""
        known = self._answers.get(permission)
        if known is None:
            known = self._answers[permission] = self._decide(permission)
        return known

    def _decide(self, permission: str) -> bool:
        if self.is_system:
            return True
        if self.narrowed is not None and not any(fnmatchcase(permission, p) for p in self.narrowed):
            return False
        if any(role.denies(permission) for role in self.roles):
            return False
        return any(role.grants(permission) for role in self.roles)

    def require(self, permission: str) -> None:
        """Refuse when the permission is missing, and name it."""
        if not self.can(permission):
            raise Forbidden(
                _("This needs the permission {permission}.", permission=permission),
                extra={"permission": permission},
            )

    def scope_rules(self, entity: str, verb: str) -> tuple[str, ...] | None:
        """Give the filters one of which a row must pass, or None where every row may be reached.

        Only roles that grant the verb count, so that a role for reading does not widen what another may change.
        """
        if self.is_system:
            return None
        permission = f"{entity}.{verb}"
        rules = []
        for role in self.roles:
            if role.grants(permission):
                if entity not in role.scopes:
                    return None
                rules.append(role.scopes[entity])
        return tuple(sorted(set(rules)))

    def beyond(self, role: RoleRules, permissions: Iterable[str]) -> str | None:
        """Name something that a role allows and this principal may not do; None where the role stays within.

        The patterns are compared for what later plugins bring, the known permissions because a minus, a scope or a
        hidden class of one's own takes a part out of the middle of a pattern.
        """
        for pattern in role.permissions:
            if not pattern.startswith("-") and not self.can(pattern):
                return pattern
        for permission in permissions:
            if role.grants(permission) and not role.denies(permission):
                entity, _dot, verb = permission.rpartition(".")
                rows = self.scope_rules(entity, verb)
                if not self.can(permission) or (
                    rows is not None and role.scopes.get(entity) not in rows
                ):
                    return permission
        return next(iter(sorted(self.hidden_classes - role.hidden_classes)), None)

    @cached_property
    def has_scopes(self) -> bool:
        """Say whether any role keeps this principal to some rows."""
        return any(role.scopes for role in self.roles)

    @cached_property
    def hidden_classes(self) -> frozenset[str]:
        """Give the field classes that no role of this principal shows."""
        if self.is_system or not self.roles:
            return frozenset()
        hidden = self.roles[0].hidden_classes
        for role in self.roles[1:]:
            hidden &= role.hidden_classes
        return hidden

    @cached_property
    def signature(self) -> tuple[object, ...]:
        """Tell principals apart for whom the same question has the same SQL."""
        if self.is_system:
            return ("system",)
        rules = tuple(
            (r.permissions, tuple(sorted(r.scopes.items())), tuple(sorted(r.hidden_classes)))
            for r in self.roles
        )
        return (rules, self.narrowed)


SYSTEM = Principal(kind="system", id="system", name="the system")
ANONYMOUS = Principal(kind="anonymous", id="anonymous", name="nobody")


def system(name: str) -> Principal:
    """Give the system acting under a name, such as a job or a subscriber; the history shows the name."""
    return Principal(kind="system", id=f"system:{name}"[:60], name=name)


def rules_of(rows: Iterable[Mapping[str, object]]) -> tuple[RoleRules, ...]:
    """Read role records into rules."""
    return tuple(
        RoleRules(
            name=str(row["name"]),
            permissions=tuple(row["permissions"] or ()),  # type: ignore[arg-type]
            scopes=dict(row["scopes"] or {}),  # type: ignore[call-overload]
            hidden_classes=frozenset(row["hidden_classes"] or ()),  # type: ignore[call-overload]
        )
        for row in rows
    )
