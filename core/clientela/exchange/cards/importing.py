"""Importing a file of cards, batch by batch in transactions of their own, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO

from clientela.customers.entities import Customer
from clientela.errors import Invalid
from clientela.exchange.cards.taking import CardTaker, Taken
from clientela.exchange.importing import NOBODY, FailedRow, Keeper, Work, require, size_of
from clientela.exchange.making import CREATED
from clientela.exchange.merging import UNCHANGED, UPDATED
from clientela.exchange.options import ImportOptions
from clientela.exchange.report import ImportReport, Problem
from clientela.exchange.vcards import Card, CardOptions, read_cards
from clientela.exchange.vcards.reading import TOO_LONG
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.context import Context

BATCH = 200
# Pictures are large, so a batch ends early when it holds many.
MOST_CHARACTERS = 8 << 20
SUFFIXES = (".vcf", ".vcard")
_HEAD = 200


def is_cards(source: BinaryIO, name: str) -> bool:
    """Say whether a file holds cards, by its name or by how it begins."""
    if PurePath(name).suffix.lower() in SUFFIXES:
        return True
    source.seek(0)
    head = source.read(_HEAD).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n")
    source.seek(0)
    return head.upper().startswith(b"BEGIN:VCARD")


class CardWork(Work):
    """The import of a file of cards; a card that is refused costs itself alone."""

    @property
    def is_strict(self) -> bool:
        """Say that the others are taken all the same."""
        return False

    def mapped(self, source: BinaryIO) -> ImportReport:
        """Refuse what is for columns: a card has none."""
        del source
        if self.info.name != Customer.info.name:
            raise Invalid(
                _(
                    "Business cards are imported as customers, not as {nouns}.",
                    nouns=self.info.nouns,
                )
            )
        for option in ("mapping", "constants", "key", "delimiter", "extra_into"):
            if getattr(self.options, option):
                raise Invalid(
                    _("{option} is for columns, and a business card has none.", option=option)
                )
        return self._begun(dry_run=True)

    def check(self, source: BinaryIO, keeper: Keeper = NOBODY) -> ImportReport:
        """Take all cards in one transaction that is rolled back, so that each meets those before it."""
        report = self._begun(dry_run=True)
        size = size_of(source)
        with self.app.acting_as(self.principal, face=self.face, dry_run=True) as ctx:
            for batch in batches(read_cards(source, self._card_options)):
                self._take(ctx, batch, report, NOBODY)
                ctx.session.expunge_all()
                if ctx.changes is not None:
                    ctx.changes.changes.clear()
                self.hear(report, source, size)
        if keeper.writes:
            self.app.perform(
                self.principal, lambda ctx: keeper.keep(ctx, report, []), face=self.face
            )
        return report

    def run(self, source: BinaryIO, keeper: Keeper = NOBODY) -> ImportReport:
        """Take the cards batch by batch, each batch with where the import stands."""
        report = keeper.resume() or self._begun(dry_run=False)
        size = size_of(source)
        for batch in batches(_beyond(read_cards(source, self._card_options), report.read)):
            report.become(self._one(batch, report, keeper))
            self.hear(report, source, size)
        return report

    def _begun(self, *, dry_run: bool) -> ImportReport:
        require(self.principal, self.info, self._all_options)
        options = self.options
        return ImportReport(
            self.info.name,
            options.file,
            dry_run,
            options.encoding or "",
            mode=options.mode or "upsert",
        )

    @property
    def _all_options(self) -> ImportOptions:
        return ImportOptions(mode=self.options.mode or "upsert")

    @property
    def _card_options(self) -> CardOptions:
        return CardOptions(encoding=self.options.encoding)

    def _one(self, batch: CardBatch, before: ImportReport, keeper: Keeper) -> ImportReport:
        def work(ctx: Context) -> ImportReport:
            report = before.copy()
            self._take(ctx, batch, report, keeper)
            return report

        return self.app.perform(
            self.principal, work, face=self.face, reason=f"import {self.options.file}".strip(),
            confidence=self.options.confidence,
        )  # fmt: skip

    def _take(self, ctx: Context, batch: CardBatch, report: ImportReport, keeper: Keeper) -> None:
        made = ctx.change_set()
        made.action = self.info.permission("import")
        made.part_of = report.sets[0] if report.sets else None
        taken = CardTaker(self.options.mode or "upsert").take(ctx, batch.cards)
        _count(report, batch, taken)
        keeper.keep(ctx, report, _failed(batch, taken))


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


def _beyond(
    found: Iterable[tuple[int, Card] | Problem], done: int
) -> Iterator[tuple[int, Card] | Problem]:
    """Leave out the cards that were taken before, with what was wrong on the way to them."""
    for one in found:
        if done <= 0:
            yield one
        elif not isinstance(one, Problem) or one.code == TOO_LONG:
            done -= 1


def _failed(batch: CardBatch, taken: Taken) -> list[FailedRow]:
    """Give the cards that failed, each with its name for a cell."""
    names = {number: _name(card) for number, card in batch.cards}
    problems: dict[int, list[Problem]] = {}
    for one in taken.problems:
        if one.row in taken.failed:
            problems.setdefault(one.row, []).append(one)
    return [
        FailedRow(number, [names.get(number, "")], problems[number]) for number in sorted(problems)
    ]


def _name(card: Card) -> str:
    return next((line.text for line in card.properties if line.name == "FN"), "")


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
