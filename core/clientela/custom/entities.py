"""The definition of a custom field: data, so that it is listed, changed, logged and undone like all data."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.orm import Mapped

from clientela.entity import Entity
from clientela.errors import FieldProblem, Invalid
from clientela.fields import boolean, choice, integer, json, text
from clientela.i18n.texts import Spoken, _

NAME = re.compile(r"x_[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = 60


class CustomField(
    Entity,
    plugin="core",
    label="Custom field",
    prefix="cfd",
    unique_together=[("entity", "name")],
    verbs={"read", "export", "create", "update", "trash", "restore", "purge"},
):
    """A field that this deployment added to an entity."""

    entity: Mapped[str] = text(
        max_length=120, priority=1, immutable=True, sort=True, help="Such as core.customer."
    )
    name: Mapped[str] = text(
        max_length=LONGEST, priority=2, immutable=True, sort=True,
        help="x_ and small letters, such as x_colour.",
    )  # fmt: skip
    kind: Mapped[str] = text(
        max_length=60, priority=3, immutable=True, help="Such as text, choice, money, ref."
    )
    options: Mapped[dict[str, Any]] = json(
        default_factory=dict, help=_('What the kind takes, such as {{"max_length": 40}}.')
    )
    label: Mapped[str] = text(max_length=120, priority=4, help="What people read, in English.")
    label_ru: Mapped[str | None] = text(max_length=120, help="The same in Russian.")
    help: Mapped[str | None] = text(max_length=500, help="What the field is for, in English.")
    help_ru: Mapped[str | None] = text(max_length=500, help="The same in Russian.")
    required: Mapped[bool] = boolean(default=False, help="A record must have it.")
    unique: Mapped[bool] = boolean(default=False, help="No two records have the same.")
    default: Mapped[Any | None] = json(help="What a record has that names nothing else.")
    filter: Mapped[bool] = boolean(default=True, help="Lists may be narrowed by it.")
    search: Mapped[bool] = boolean(default=False, help="Records are found by its words.")
    field_class: Mapped[str | None] = choice(
        {"pii": "Personal", "financial": "Financial", "open": "Open"},
        help="Who may see it; what the kind says when left out.",
    )
    position: Mapped[int] = integer(
        at_least=0, at_most=10_000, default=1_000, help="Its place among the custom fields."
    )
    hidden: Mapped[bool] = boolean(default=False, help="Faces do not show it; its values stay.")
    indexed: Mapped[bool] = boolean(
        default=False, read_only=True, priority=5, help="The database has an index over it."
    )

    def check(self) -> None:
        """Refuse a name that could not stand beside declared ones."""
        if not NAME.fullmatch(self.name):
            sentence = _(
                "{name} cannot be the name of a custom field: x_ and small letters, such as x_colour.",
                name=repr(self.name),
            )
            raise Invalid(sentence, [FieldProblem("/name", "invalid", sentence)])
        if not isinstance(self.options, dict):
            sentence = _('Options are an object such as {{"max_length": 40}}.')
            raise Invalid(sentence, [FieldProblem("/options", "invalid", sentence)])

    @property
    def said(self) -> Spoken:
        """Give the label in both languages."""
        return Spoken(self.label, {"ru": self.label_ru or ""})
