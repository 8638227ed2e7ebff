"""What an import tells after its commit."""

from __future__ import annotations

from clientela.facts import Fact


class RecordsImported(Fact, plugin="core"):
    """A batch of a file was imported; one fact for the batch, whatever the number of its rows."""

    entity: str
    created: int
    updated: int
    set_id: str
