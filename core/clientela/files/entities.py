"""A file attached to a record: of a customer, an interaction, a quote, whatever there is."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Mapped

from clientela.entity import Entity
from clientela.fields import file, subject, text

# The deployment's own limit is meant (`file_most_bytes`), and this one only has to be above it.
_NO_LIMIT = 2**53 - 1


class Attachment(Entity, plugin="core", label="Attachment", prefix="att"):
    """A file that belongs to a record: who may see or change the record may see or change it."""

    subject: Mapped[str] = subject(
        priority=2, help="The id of the record that the file belongs to."
    )
    file: Mapped[dict[str, Any]] = file(
        most_bytes=_NO_LIMIT, search=True, priority=1, immutable=True,
        help="What the upload answered: name, type, size and sha256.",
    )  # fmt: skip
    note: Mapped[str | None] = text(max_length=1_000, lines=True, search=True, priority=3)
