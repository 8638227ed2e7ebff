"""Importing a file of cards, batch by batch in transactions of their own, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from clientela.customers.entities import Customer
from clientela.exchange.cardtaking import CardMode, CardTaker, Taken
from clientela.exchange.importing import Progress
from clientela.exchange.making import CREATED
from clientela.exchange.merging import UNCHANGED, UPDATED
from clientela.exchange.report import ImportReport, Problem
from clientela.exchange.vcards import Card, CardOptions, read_cards
from clientela.exchange.vcards.reading import TOO_LONG

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App

BATCH = 200
# Pictures are large, so a batch ends early when it holds many.
MOST_CHARACTERS = 8 << 20
SUFFIXES = (".vcf", ".vcard")


def is_cards(path: Path) -> bool:
    """Say whether a file holds cards, by its name or by how it begins."""
    if path.suffix.lower() in SUFFIXES:
        return True
    with path.open("rb") as file:
        return (
            file.read(200)
            .replace(b"\0", b"")
            .lstrip(b"\xef\xbb\xbf\xff\xfe \r\n")
            .upper()
            .startswith(b"BEGIN:VCARD")
        )


def import_vcards(  # noqa: PLR0913 - the door of a whole face
    app: App,
    principal: Principal,
    source: Path | BinaryIO,
    *,
    mode: CardMode = "upsert",
    options: CardOptions | None = None,
    file: str = "",
    dry_run: bool = False,
    face: str = "import",
    progress: Progress | None = None,
) -> ImportReport:
    """Import cards as customers, and say what became of every one of them.

    A dry run does everything and writes nothing. A card that is refused costs itself alone.
    """
    verbs = {"create": ["create"], "update": ["update"]}.get(mode, ["create", "update"])
    for verb in ("import", *verbs):
        principal.require(Customer.info.permission(verb))
    name = file or (source.name if isinstance(source, Path) else "")
    report = ImportReport(Customer.info.name, name, dry_run, (options and options.encoding) or "")
    taker = CardTaker(mode)
    opened = source.open("rb") if isinstance(source, Path) else nullcontext(source)
    with opened as stream:
        for batch in batches(read_cards(stream, options)):
            taken = app.perform(
                principal, partial(taker.take, cards=batch.cards),
                face=face, reason=f"import {name}".strip(), dry_run=dry_run,
            )  # fmt: skip
            _count(report, batch, taken)
            if progress is not None:
                progress(report.read)
    return report


@dataclass
class CardBatch:
    """Some cards of a file, and what could not be read on the way to them."""

    cards: list[tuple[int, Card]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    size: int = 0

    @property
    def is_full(self) -> bool:
        """Say whether no further card should come into it."""
        return len(self.cards) + len(self.problems) >= BATCH or self.size > MOST_CHARACTERS


def batches(found: Iterable[tuple[int, Card] | Problem]) -> Iterator[CardBatch]:
    """Cut the cards into batches of bounded size."""
    batch = CardBatch()
    for one in found:
        if isinstance(one, Problem):
            batch.problems.append(one)
        else:
            batch.cards.append(one)
            batch.size += sum(len(line.value) for line in one[1].properties)
        if batch.is_full:
            yield batch
            batch = CardBatch()
    if batch.cards or batch.problems:
        yield batch


def _count(report: ImportReport, batch: CardBatch, taken: Taken) -> None:
    lost = sum(1 for problem in batch.problems if problem.code == TOO_LONG)
    outcomes = list(taken.outcomes.values())
    report.read += len(batch.cards) + lost
    report.created += outcomes.count(CREATED)
    report.updated += outcomes.count(UPDATED)
    report.unchanged += outcomes.count(UNCHANGED)
    report.failed += len(taken.failed) + lost
    report.note([*batch.problems, *taken.problems])
    if taken.set_id is not None and not report.dry_run:
        report.sets.append(taken.set_id)
