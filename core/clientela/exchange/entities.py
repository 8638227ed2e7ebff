"""An import as an object: its file, how it is read, and how far it is; and what is worth doing the same way again."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped

from clientela.entity import Entity
from clientela.errors import FieldProblem, Invalid, Refusal
from clientela.exchange.options import ImportOptions, read_options
from clientela.fields import choice, file, json, owner, text
from clientela.i18n.texts import _

MOST_BYTES = 2 * 2**30

STATES = {
    "draft": "Draft",
    "checking": "Being checked",
    "checked": "Checked",
    "running": "Running",
    "stopped": "Stopped",
    "done": "Done",
    "undone": "Undone",
}


class Import(
    Entity,
    plugin="core",
    label="Import",
    prefix="imp",
    verbs={"read", "create", "update", "trash", "restore", "purge"},
    private=True,
    journal=True,
):
    """A file that is read into records of one entity."""

    entity: Mapped[str] = text(
        max_length=120, priority=1, immutable=True, help="What the rows are: core.customer."
    )
    file: Mapped[Any] = file(most_bytes=MOST_BYTES, immutable=True, priority=2)
    options: Mapped[Any] = json(
        default_factory=dict, help="How the file is read: mapping, mode, key, encoding …"
    )
    state: Mapped[str] = choice(STATES, default="draft", read_only=True, priority=3)
    reason: Mapped[str | None] = text(
        max_length=2_000, read_only=True, priority=4, help="Why it stopped."
    )
    set_id: Mapped[str | None] = text(
        max_length=40, read_only=True, help="The change set with all that it wrote."
    )
    started_by: Mapped[str | None] = text(
        max_length=60, read_only=True, help="With whose rights it runs."
    )
    owner_id: Mapped[str | None] = owner()

    def check(self) -> None:
        """Refuse options that nobody could read a file with."""
        _check_options(self.options)

    def import_options(self) -> ImportOptions:
        """Give the options, with the name of the file."""
        return read_options(self.options | {"file": self.file["name"]})


class ImportTemplate(
    Entity, plugin="core", label="Import template", phrase="import template", prefix="imt"
):
    """How files of one kind are read, kept under a name."""

    name: Mapped[str] = text(max_length=120, unique=True, priority=1, search=True)
    entity: Mapped[str] = text(max_length=120, priority=2)
    options: Mapped[Any] = json(default_factory=dict)
    owner_id: Mapped[str | None] = owner()

    def check(self) -> None:
        """Refuse options that nobody could read a file with."""
        _check_options(self.options)


def _check_options(options: Any) -> None:
    try:
        read_options(options)
    except Refusal as wrong:
        problems = [
            FieldProblem(f"/options{one.pointer}", one.code, one.detail) for one in wrong.errors
        ]
        first = [FieldProblem("/options", wrong.code, wrong.detail)]
        raise Invalid(
            _("The options of the import cannot be read: {reason}", reason=wrong.detail),
            problems or first,
        ) from wrong
