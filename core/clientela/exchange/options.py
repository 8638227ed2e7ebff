"""What may be said of an import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, PlainSerializer, TypeAdapter, ValidationError

from clientela.errors import Invalid, did_you_mean
from clientela.exchange.sources.steps import DECIMALS, ORDERS, Step, steps_from_json, steps_to_json
from clientela.i18n.texts import _
from clientela.schemas import invalid

Mode = Literal["create", "update", "upsert", "fill-blanks"]


def _steps(raw: Any) -> tuple[Step, ...]:
    if isinstance(raw, tuple):
        return raw
    try:
        return steps_from_json(raw)
    except Invalid as wrong:
        raise ValueError(wrong.detail) from wrong


Steps = Annotated[tuple[Step, ...], BeforeValidator(_steps), PlainSerializer(steps_to_json)]

BATCH = 2_000
# A batch is one statement with a bind per row at most; PostgreSQL takes 65,535 of them, SQLite 32,766.
MOST_IN_BATCH = 10_000


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """How a file is read and what becomes of its rows.

    `mapping` says for a column which field it fills: `email`, a part such as `person.family`, a reference by a field
    of its target such as `customer:email`, or nothing. `constants` fill fields of every row. `mode` says what becomes
    of rows: `create` makes a record of each, and refuses those whose `key` is there already; `update` changes the
    records with the same key, `upsert` also creates the others, `fill-blanks` changes only what is blank in known
    records; blank cells always leave what is there. Without a key the entity's own unique one is taken. One bad row
    keeps the whole file back, unless `skip_bad_rows`. Subscribers hear of single records only with `notify`.
    `confidence` says how far the source can be trusted, in per cent; where a value comes from is shown with it. What is
    not said of the format, the sheet, the sign before decimals (`,` or `.`) and the order of dates (`dmy`, `mdy` or
    `ymd`) is found out; `transforms` change columns before they are mapped.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    mapping: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    mode: Mode | None = None
    key: tuple[str, ...] = ()
    skip_bad_rows: bool = False
    notify: bool = False
    extra_into: str | None = None
    format: str | None = None
    sheet: str | None = None
    decimal: str | None = None
    dates: str | None = None
    transforms: Steps = ()
    encoding: str | None = None
    delimiter: str | None = None
    batch: int = BATCH
    file: str = ""
    confidence: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= MOST_IN_BATCH:
            raise Invalid(_("A batch has from 1 to {most} rows.", most=MOST_IN_BATCH))
        if self.mode is not None and self.mode not in get_args(Mode):
            raise Invalid(
                _("There is no mode {mode}.", mode=repr(self.mode[:40]))
                + did_you_mean(self.mode, get_args(Mode))
            )
        if self.confidence is not None and not 0 <= self.confidence <= 100:  # noqa: PLR2004 - per cent
            raise Invalid(_("A confidence is from 0 to 100 per cent."))
        if self.decimal not in (None, *DECIMALS):
            raise Invalid(_("The sign before decimals is a comma or a point."))
        if self.dates not in (None, *ORDERS):
            raise Invalid(
                _(
                    "The order of dates is one of {orders}: day, month, year.",
                    orders=", ".join(ORDERS),
                )
            )

    @property
    def way(self) -> Mode:
        """Give the mode; a key alone means that known records are changed."""
        return self.mode or ("upsert" if self.key else "create")

    @property
    def creates(self) -> bool:
        """Say whether rows may become new records."""
        return self.way in {"create", "upsert"}

    @property
    def changes(self) -> bool:
        """Say whether rows may change known records."""
        return self.way != "create"

    @property
    def matches(self) -> bool:
        """Say whether rows are compared with known records."""
        return self.changes or bool(self.key)


def read_options(raw: object) -> ImportOptions:
    """Read the options of an import from JSON; unknown names and wrong types are refused."""
    try:
        made: ImportOptions = _adapter().validate_python(raw, strict=False)
    except ValidationError as wrong:
        raise invalid(wrong, ImportOptions.__dataclass_fields__) from None
    return made


def write_options(options: ImportOptions) -> dict[str, Any]:
    """Give the JSON form of what differs from the defaults."""
    plain = ImportOptions()
    made = _adapter().dump_python(options, mode="json")
    return {
        n: v for n, v in made.items() if getattr(options, n) != getattr(plain, n) and n != "file"
    }


@lru_cache(maxsize=1)
def _adapter() -> TypeAdapter[ImportOptions]:
    return TypeAdapter(ImportOptions)
