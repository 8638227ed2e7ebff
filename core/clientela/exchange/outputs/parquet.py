"""Writing Parquet: typed columns in groups of rows, for programs that analyse; needs the extra `parquet`."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from clientela.errors import Misconfigured
from clientela.exchange.outputs.tables import Asked, Column, Table, table_of
from clientela.i18n.texts import _
from clientela.kinds.choices import ListKind
from clientela.kinds.numbers import BooleanKind, DecimalKind, IntegerKind, MoneyKind
from clientela.kinds.times import DayKind, InstantKind

if TYPE_CHECKING:
    import pyarrow as pa

GROUP = 50_000
# Eighteen digits fit 64 bits; an amount has four decimals at most.
_DIGITS, _AMOUNT_DIGITS, _AMOUNT_PLACES = 18, 19, 4

Read = Callable[[str], Any]


def write_parquet(asked: Asked) -> Iterator[bytes]:
    """Write Parquet, a group of rows at a time."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        raise Misconfigured(
            _(
                "Parquet needs a library that is not installed; run pip install 'clientela[parquet]'."
            )
        ) from None
    table = table_of(asked, split_money=True)
    typed = [_typed(pa, column) for column in table.columns]
    return _written(table, typed)


class _Sink(io.RawIOBase):
    """Takes what the library writes and gives it away, so that no file is held."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """Give what came since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _written(table: Table, typed: list[tuple[pa.DataType, Read]]) -> Iterator[bytes]:
    import pyarrow as pa  # noqa: PLC0415 - see above
    from pyarrow import parquet  # noqa: PLC0415

    schema = pa.schema(list(zip(table.header, [kind for kind, _ in typed], strict=True)))
    sink = _Sink()
    with parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema) as writer:
        for columns in table.chunks(GROUP):
            arrays = [
                pa.array([read(text) if text else None for text in texts], type=kind)
                for texts, (kind, read) in zip(columns, typed, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _typed(pa: Any, column: Column) -> tuple[Any, Read]:
    """Give the type of a column, and how its texts are read; a part of a value is a text."""
    kind: Any = column.field.kind
    known: list[tuple[type, Callable[[], Any], Read]] = [
        (MoneyKind, lambda: pa.decimal128(_AMOUNT_DIGITS, _AMOUNT_PLACES), _amount),
        (DecimalKind, lambda: pa.decimal128(_DIGITS, kind.places), Decimal),
        (IntegerKind, pa.int64, int),
        (BooleanKind, pa.bool_, lambda text: text == "true"),
        (DayKind, pa.date32, date.fromisoformat),
        (InstantKind, lambda: pa.timestamp("us", tz="UTC"), datetime.fromisoformat),
        (ListKind, lambda: pa.list_(pa.string()), lambda text: text.split("; ")),
    ]
    for one, type_, read in known if not column.part else ():
        if isinstance(kind, one):
            return type_(), read
    return pa.string(), str


def _amount(text: str) -> Decimal:
    return Decimal(text.partition(" ")[0])
