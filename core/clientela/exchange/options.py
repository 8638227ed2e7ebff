"""What may be said of an import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from clientela.errors import Invalid
from clientela.exchange.steps import DECIMALS, ORDERS, Step
from clientela.i18n.texts import _

BATCH = 2_000
# A batch is one statement with a bind per row at most; PostgreSQL takes 65,535 of them, SQLite 32,766.
MOST_IN_BATCH = 10_000


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How a file is read and what becomes of its rows.

    `mapping` says for a column which field it fills: `email`, a part such as `person.family`, a reference by a field
    of its target such as `customer:email`, or nothing. `constants` fill fields of every row. With `key` rows that are
    there already are changed instead of created; blank cells leave what is there. A batch in which any row fails is
    not written, unless `skip_bad_rows`. Subscribers hear of single records only with `notify`. What is not said of
    the format, the sheet, the sign before decimals (`,` or `.`) and the order of dates (`dmy`, `mdy` or `ymd`) is
    found out.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()
    skip_bad_rows: bool = False
    notify: bool = False
    extra_into: str | None = None
    format: str | None = None
    sheet: str | None = None
    decimal: str | None = None
    dates: str | None = None
    transforms: tuple[Step, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    batch: int = BATCH
    file: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= MOST_IN_BATCH:
            raise Invalid(_("A batch has from 1 to {most} rows.", most=MOST_IN_BATCH))
        if self.decimal not in (None, *DECIMALS):
            raise Invalid(_("The sign before decimals is a comma or a point."))
        if self.dates not in (None, *ORDERS):
            raise Invalid(
                _(
                    "The order of dates is one of {orders}: day, month, year.",
                    orders=", ".join(ORDERS),
                )
            )
