"""Users, roles and tokens: access is data, so that it can be listed, changed, logged and undone like all data."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args

from sqlalchemy.orm import Mapped

from clientela.entity import Entity
from clientela.errors import FieldProblem, Invalid, did_you_mean
from clientela.fields import FieldClass, boolean, email, instant, json, language, ref, tags, text
from clientela.i18n.texts import _

# Patterns of permissions: `core.customer.read`, `core.customer.*`, `sales.*`, `*`; a leading minus denies.
EVERYTHING = "*"


class User(
    Entity,
    plugin="core",
    label="User",
    prefix="usr",
    verbs={"read", "create", "update", "trash", "restore"},
):
    """A person who works with the system."""

    email: Mapped[str] = email(unique=True, priority=2, search=True)
    name: Mapped[str] = text(max_length=120, priority=1, search=True, sort=True)
    language: Mapped[str | None] = language(help="The language of this person's screens and mails.")
    time_zone: Mapped[str | None] = text(max_length=60)
    roles: Mapped[list[str]] = tags(priority=3, help="Names of roles; their permissions add up.")
    active: Mapped[bool] = boolean(default=True, priority=4)
    password_hash: Mapped[str | None] = text(max_length=300, hidden=True, field_class="secret")


class Role(
    Entity,
    plugin="core",
    label="Role",
    prefix="rol",
    verbs={"read", "create", "update", "trash", "restore"},
):
    """A set of permissions with the rows and field classes they reach."""

    name: Mapped[str] = text(max_length=60, unique=True, priority=1)
    about: Mapped[str | None] = text(max_length=300, priority=2)
    permissions: Mapped[list[str]] = json(
        default_factory=list,
        help="Patterns such as core.customer.*; a leading minus denies, and deny wins.",
    )
    scopes: Mapped[dict[str, str]] = json(
        default_factory=dict,
        help=_('Which rows: {{"core.customer": "owner = me"}}. No entry means all rows.'),
    )
    hidden_classes: Mapped[list[str]] = json(
        default_factory=list, help="Field classes this role does not see: pii, financial."
    )

    def check(self) -> None:
        """Refuse permissions and scopes that could not be read later: a role must never fail open."""
        self._check_list("permissions", self.permissions)
        self._check_list("hidden_classes", self.hidden_classes)
        for unknown in set(self.hidden_classes) - set(get_args(FieldClass)):
            raise _bad(
                "hidden_classes",
                _("There is no field class {name}.", name=repr(unknown[:60]))
                + did_you_mean(unknown, get_args(FieldClass)),
            )
        scopes: Any = self.scopes
        if not isinstance(scopes, dict) or not all(
            isinstance(v, str) for v in self.scopes.values()
        ):
            raise _bad(
                "scopes", _('Scopes are an object such as {{"core.customer": "owner = me"}}.')
            )
        from clientela.filters import parse  # noqa: PLC0415 - the grammar is needed only where a role changes

        for entity, rule in self.scopes.items():
            if parse(rule) is None:
                raise _bad(
                    "scopes",
                    _(
                        "The scope of {entity} is empty; leave it out to mean all rows.",
                        entity=entity,
                    ),
                )

    @staticmethod
    def _check_list(name: str, value: Any) -> None:
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise _bad(name, _("This is a list of words."))


class Token(Entity, plugin="core", label="Token", prefix="tok", verbs={"read", "trash", "restore"}):
    """A key for a program: its hash is kept, the token itself is shown once."""

    name: Mapped[str] = text(max_length=120, priority=1)
    start: Mapped[str] = text(
        max_length=16, read_only=True, priority=2, help="The first letters, to recognise it by."
    )
    digest: Mapped[str] = text(max_length=64, hidden=True, unique=True, field_class="secret")
    user_id: Mapped[str | None] = ref(
        User, on_delete="cascade", read_only=True, help="Whose rights it has a part of."
    )
    roles: Mapped[list[str]] = tags(read_only=True, priority=3)
    permissions: Mapped[list[str] | None] = json(
        read_only=True, help="Narrows what the roles allow; empty narrows nothing."
    )
    expires_at: Mapped[datetime | None] = instant(read_only=True, priority=4)


def _bad(name: str, sentence: str) -> Invalid:
    return Invalid(
        _("The role cannot be kept like this."), [FieldProblem(f"/{name}", "invalid", sentence)]
    )
