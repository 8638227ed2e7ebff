"""The one door for files: rows or cards, to be looked at or to be written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from clientela.entity import EntityInfo
from clientela.exchange.cards.importing import CardWork, is_cards
from clientela.exchange.importing import NOBODY, Keeper, Progress, Work, seekable
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import ImportReport

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App


def import_file(  # noqa: PLR0913 - the door of a whole face
    app: App,
    principal: Principal,
    info: EntityInfo,
    source: Path | BinaryIO,
    *,
    options: ImportOptions | None = None,
    dry_run: bool = False,
    face: str = "import",
    progress: Progress | None = None,
    keeper: Keeper = NOBODY,
) -> ImportReport:
    """Import the rows of a file as records of an entity, and say what became of every row.

    Unless bad rows may be skipped, the whole file is looked through first, and one bad row keeps all others back. What
    cannot be read at all, or mapped, is refused before the first row; what is wrong with single rows is told in the
    report, and the rows themselves to the `keeper`. `progress` hears the report after each batch.
    """
    options = options or ImportOptions()
    if isinstance(source, Path) and not options.file:
        options = replace(options, file=source.name)
    with seekable(source) as stream:
        work = work_for(app, principal, info, options, stream, face=face, progress=progress)
        if dry_run:
            return work.check(stream, keeper)
        if work.is_strict:
            report = work.check(stream, keeper)
            if report.failed:
                return report.held()
        return work.run(stream, keeper)


def work_for(  # noqa: PLR0913 - the same
    app: App,
    principal: Principal,
    info: EntityInfo,
    options: ImportOptions,
    source: BinaryIO,
    *,
    face: str = "import",
    progress: Progress | None = None,
) -> Work:
    """Give the import of a file: of cards, or of rows."""
    app.look_again()
    info = app.registry.of(info)
    kind = CardWork if is_cards(source, options.file) else Work
    return kind(app, principal, info, options, face, progress)
