"""How far something long is: one line on stderr, written again and again."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from clientela.cli.desk import Desk
from clientela.i18n import _


@contextmanager
def progress_line(desk: Desk) -> Iterator[ProgressLine | None]:
    """Show rows, rows a second and how long it will take: on a terminal only, on stderr, in one line."""
    if desk.quiet or not sys.stderr.isatty():
        yield None
        return
    try:
        yield ProgressLine(desk)
    finally:
        click.echo("", err=True)


class ProgressLine:
    """How fast it goes, measured since the first batch that was heard of."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._begun: tuple[float, int, float] | None = None

    def __call__(self, rows: int, share: float) -> None:
        """Write the line again."""
        now = time.monotonic()
        begun, first, at = self._begun or (now, rows, share)
        self._begun = begun, first, at
        words = _("{rows} rows", rows=f"{rows:,}")
        if now > begun and share > at:
            rate = (rows - first) / (now - begun)
            minutes, seconds = divmod(int((1 - share) * (now - begun) / (share - at)), 60)
            words = _(
                "{rows} rows, {rate} a second, {left} left",
                rows=f"{rows:,}", rate=f"{rate:,.0f}", left=f"{minutes}:{seconds:02}",
            )  # fmt: skip
        click.echo(f"\r\x1b[K{self._desk.text(words)}", nl=False, err=True)
