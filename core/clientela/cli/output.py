"""Results on stdout: tables for people, and JSON, CSV, TSV or ids for programs."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import click

from clientela.cli.desk import Desk

Row = dict[str, Any]
Cell = Callable[[str, Any], str]

# A table in a pipe is read by people too; one cell must not make every line a page wide.
WIDEST = 60


def emit_rows(
    desk: Desk, rows: Iterable[Row], columns: Sequence[str], *, cell: Cell | None = None
) -> None:
    """Print rows in the form that was asked for, as they come."""
    lines = _FORMS[desk.format](iter(rows), list(columns), cell or plain_cell)
    for line in lines:
        click.echo(line)


def emit_record(desk: Desk, record: Row, *, cell: Cell | None = None) -> None:
    """Print one record: an object in JSON, a list of names and values for people."""
    if desk.format in ("json", "jsonl"):
        click.echo(to_json(record, indent=2 if desk.format == "json" else None))
    elif desk.format == "table":
        for line in tree(plain(record), cell or plain_cell):
            click.echo(line)
    else:
        emit_rows(desk, [record], list(record), cell=cell)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """Write JSON; `indent` for a person who reads it."""
    return json.dumps(plain(value), ensure_ascii=False, indent=indent, default=str)


def plain(value: Any) -> Any:
    """Give values without the raw JSON fragments that rows carry on their way to the wire."""
    import orjson  # noqa: PLC0415 - only the results of records need it

    try:
        return orjson.loads(orjson.dumps(value, default=str))
    except orjson.JSONEncodeError:
        return value


def plain_cell(name: str, value: Any) -> str:
    """Write a value into one cell."""
    del name
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    if isinstance(value, dict) and "id" in value:
        return str(value.get("name") or value["id"])
    return to_json(value) if isinstance(value, dict | list) else str(value)


# forms --------------------------------------------------------------------------------------------------------------


def _as_json(rows: Iterator[Row], columns: list[str], cell: Cell) -> Iterator[str]:
    del columns, cell
    before = '{"data": ['
    for row in rows:
        yield before + to_json(row)
        before = ","
    yield "]}" if before == "," else '{"data": []}'


def _as_jsonl(rows: Iterator[Row], columns: list[str], cell: Cell) -> Iterator[str]:
    del columns, cell
    return (to_json(row) for row in rows)


def _as_csv(rows: Iterator[Row], columns: list[str], cell: Cell) -> Iterator[str]:
    yield _csv_line(columns)
    for row in map(plain, rows):
        yield _csv_line([cell(name, row.get(name)) for name in columns])


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _as_tsv(rows: Iterator[Row], columns: list[str], cell: Cell) -> Iterator[str]:
    yield "\t".join(columns)
    for row in map(plain, rows):
        yield "\t".join(one_line(cell(name, row.get(name))) for name in columns)


def _as_ids(rows: Iterator[Row], columns: list[str], cell: Cell) -> Iterator[str]:
    del cell
    key = "id" if "id" in columns or not columns else columns[0]
    return (str(row.get("id", row.get(key))) for row in rows)


def _as_table(rows: Iterator[Row], columns: list[str], cell: Cell) -> Iterator[str]:
    """Align the columns by the first hundred rows, so that a long list begins at once."""
    texts = ([one_line(cell(n, row.get(n))) for n in columns] for row in map(plain, rows))
    first = list(islice(texts, 100))
    if not first:
        return
    widths = [
        min(WIDEST, max(width(c) for c in column)) for column in zip(columns, *first, strict=True)
    ]
    yield (
        click.style(_aligned(columns, widths), bold=True) if styled() else _aligned(columns, widths)
    )
    for line in chain(first, texts):
        yield _aligned(line, widths)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    # Beyond the first hundred rows a wider cell pushes its neighbours, so that an id stays whole.
    fitted = (_fitted(c, max(w, min(width(c), WIDEST))) for c, w in zip(cells, widths, strict=True))
    line = "  ".join(fitted).rstrip()
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    return _fitted(line, room).rstrip() if room and width(line) > room else line


_FORMS: dict[str, Callable[[Iterator[Row], list[str], Cell], Iterator[str]]] = {
    "table": _as_table,
    "json": _as_json,
    "jsonl": _as_jsonl,
    "csv": _as_csv,
    "tsv": _as_tsv,
    "id": _as_ids,
}


def tree(record: Row, cell: Cell = plain_cell, indent: str = "") -> Iterator[str]:
    """Write a record as lines; objects and lists of objects inside it become sections of their own."""
    flat = {n: v for n, v in record.items() if not _is_section(v)}
    longest = max((width(n) for n in flat), default=0)
    for name, value in flat.items():
        text = one_line(cell(name, value))
        if text:
            yield f"{indent}{_fitted(name, longest)}  {text}"
    for name, value in record.items():
        if not _is_section(value) or not value:
            continue
        yield ""
        yield f"{indent}{name}"
        yield from _section(value, cell, indent + "  ")


def _is_section(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(v, dict | list) for v in value.values())
    return isinstance(value, list) and any(isinstance(v, dict) for v in value)


def _section(value: Any, cell: Cell, indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from tree(value, cell, indent)
        return
    names = [n for n in value[0] if n not in _BOOKKEEPING and any(row.get(n) for row in value)]
    yield from (indent + line for line in _as_table(iter(value), names[:8], cell))


_BOOKKEEPING = frozenset(
    {
        "id",
        "rev",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "deleted_at",
        "customer_id",
    }
)


# text on a terminal -------------------------------------------------------------------------------------------------


def styled() -> bool:
    """Say whether colour may be used."""
    import os  # noqa: PLC0415 - one question

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def one_line(text: str) -> str:
    """Give a text that stays in its line: a record must not move the cursor or write escape codes."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def width(text: str) -> int:
    """Count the columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def _fitted(text: str, room: int) -> str:
    """Pad a text, or cut it with an ellipsis."""
    taken = width(text)
    if taken <= room:
        return text + " " * (room - taken)
    while width(text) >= room:
        text = text[:-1]
    return text + "…" + " " * (room - 1 - width(text))
