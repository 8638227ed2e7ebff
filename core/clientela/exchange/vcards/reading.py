"""From a file to its cards, one after another, with everything that could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from clientela.errors import sentence_of
from clientela.exchange.report import Problem
from clientela.exchange.vcards.lines import Unreadable, read_line
from clientela.exchange.vcards.model import Card, CardOptions, CardProperty, escaped
from clientela.exchange.vcards.physical import Lines, RawLine
from clientela.i18n.texts import _

TOO_LONG = "card-too-long"
SHOWN = 60

Found = tuple[int, Card] | Problem


def read_cards(stream: BinaryIO, options: CardOptions | None = None) -> Iterator[Found]:
    """Give every card with its number, from 1, and every problem with the number of its card."""
    reader = _Reader(stream, options or CardOptions())
    for line in reader.lines:
        yield from reader.take(line)
    yield from reader.end()


@dataclass
class _Open:
    """The card that is being read; one within it is kept as text, by its lines and its depth."""

    card: Card
    size: int = 0
    depth: int = 0
    inner: list[str] = field(default_factory=list)

    @property
    def awaits_agent(self) -> bool:
        """Say whether a card that begins now belongs to this one."""
        last = self.card.properties[-1:]
        return self.depth > 0 or (bool(last) and last[0].name == "AGENT" and last[0].is_empty)

    def close_agent(self) -> None:
        """Make the lines of the card within a text of its agent."""
        agent = self.card.properties.pop()
        text = escaped("\n".join(self.inner))
        self.card.properties.append(CardProperty("AGENT", text, agent.params, agent.group, agent.line))  # fmt: skip
        self.inner = []


class _Reader:
    """Reads one file; remembers no more than the card it is in."""

    def __init__(self, stream: BinaryIO, options: CardOptions) -> None:
        self._options = options
        self.lines = Lines(stream, options.longest_line, options.encoding)
        self._number = 0
        self._open: _Open | None = None

    def take(self, line: RawLine) -> Iterator[Found]:
        """Take one content line."""
        bare = line.data[:20].strip().upper()
        if bare == b"BEGIN:VCARD":
            yield from self._begin(line)
        elif bare == b"END:VCARD":
            yield from self._end(line)
        elif self._open is None:
            if line.data.strip():
                yield self._problem(
                    line,
                    "outside",
                    _(
                        "This line stands outside of a card. Put it between BEGIN:VCARD and END:VCARD, or take it out."
                    ),
                )
        elif line.data.strip():
            yield from self._inside(self._open, line)

    def end(self) -> Iterator[Found]:
        """Give the card in which the file ends."""
        if self._open is not None:
            yield Problem(
                self._number,
                "",
                "no-end",
                _("This card has no END:VCARD, so its last lines may be missing."),
                self._open.card.version,
            )
            yield from self._finished()

    def _begin(self, line: RawLine) -> Iterator[Found]:
        if self._open is not None and self._open.awaits_agent:
            self._open.depth += 1
            self._deeper(self._open, line)
            return
        yield from self.end()
        self._number += 1
        self.lines.folds_keep_blanks = False
        self._open = _Open(Card(line=line.number))

    def _end(self, line: RawLine) -> Iterator[Found]:
        if self._open is None:
            yield self._problem(line, "outside", _("A card ends here that has not begun."))
        elif self._open.depth:
            self._deeper(self._open, line)
            self._open.depth -= 1
            if not self._open.depth:
                self._open.close_agent()
        else:
            yield from self._finished()

    def _finished(self) -> Iterator[Found]:
        assert self._open is not None  # noqa: S101 - told to the type checker
        card, size = self._open.card, self._open.size
        if self._open.inner:
            self._open.close_agent()
        self._open = None
        if size > self._options.longest_card:
            sentence = _(
                "This card is larger than {most} MiB and was left out; make its pictures smaller.",
                most=self._options.longest_card >> 20,
            )
            yield Problem(self._number, "", TOO_LONG, sentence)
        else:
            yield self._number, card

    def _inside(self, within: _Open, line: RawLine) -> Iterator[Found]:
        if within.depth:
            self._deeper(within, line)
            return
        within.size += len(line.data)
        if within.size > self._options.longest_card:
            within.card.properties.clear()
        elif line.cut:
            sentence = _(
                "This property is longer than {most} MiB and was left out; make it smaller.",
                most=self._options.longest_line >> 20,
            )
            yield self._problem(line, "line-too-long", sentence)
        else:
            yield from self._property(within.card, line)

    def _deeper(self, within: _Open, line: RawLine) -> None:
        """Keep a line of a card within the card."""
        within.size += len(line.data) + 1
        if within.size <= self._options.longest_card:
            within.inner.append(line.data.decode("utf-8", "replace").replace("\0", ""))

    def _property(self, card: Card, line: RawLine) -> Iterator[Found]:
        try:
            read = read_line(line.data, card.version, self._options.encoding, line.number)
        except Unreadable as wrong:
            yield self._problem(line, wrong.code, sentence_of(wrong))
            return
        made = read.made
        if made.name == "VERSION":
            card.version = made.text.strip()
            self.lines.folds_keep_blanks = card.version.startswith("2")
            return
        card.properties.append(made)
        if read.charset:
            sentence = _(
                "The text is not in the encoding of the file and was read as {encoding}; name "
                "the right one if that is wrong.",
                encoding=read.charset,
            )
            yield self._problem(line, "encoding", sentence, made.name)
        if read.was_cleaned:
            yield self._problem(
                line, "control-signs", _("Signs that no text may hold were taken out."), made.name
            )

    def _problem(self, line: RawLine, code: str, sentence: str, column: str = "") -> Problem:
        text = line.data[:SHOWN].decode("utf-8", "replace").replace("\0", "")
        return Problem(max(self._number, 1), column, code, sentence, f"{line.number}: {text}")
