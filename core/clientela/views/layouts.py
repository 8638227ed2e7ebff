"""How a view may be laid out, and what each layout takes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ValidationError

from clientela.errors import Invalid
from clientela.schemas import Input, invalid


class ListLayout(Input):
    """Rows under each other."""

    group_by: str | None = Field(default=None, max_length=120, description="A heading per value.")
    density: Literal["compact", "normal", "airy"] = "normal"


class TableLayout(ListLayout):
    """A grid with columns of chosen widths."""

    widths: dict[str, int] = Field(default_factory=dict, max_length=100, description="In pixels.")
    frozen: int = Field(default=0, ge=0, le=10, description="So many columns stay in sight.")


class BoardLayout(Input):
    """A column of cards for each value of a field."""

    by: str = Field(max_length=120, description="The field whose values are the columns.")
    card: list[str] = Field(default_factory=list, max_length=20, description="What a card shows.")


class CalendarLayout(Input):
    """Records on their days."""

    on: str = Field(max_length=120, description="The field with the day or the moment.")
    until: str | None = Field(default=None, max_length=120, description="Where it ends.")
    span: Literal["month", "week", "day", "agenda"] = "month"


class ChartLayout(Input):
    """Counts or sums as a picture."""

    by: str = Field(max_length=120, description="What the records are grouped by.")
    kind: Literal["bar", "line", "pie"] = "bar"
    sum: str | None = Field(
        default=None, max_length=120, description="Summed; counted when left out."
    )


LAYOUTS: dict[str, type[Input]] = {
    "list": ListLayout,
    "board": BoardLayout,
    "calendar": CalendarLayout,
    "chart": ChartLayout,
    "table": TableLayout,
}


def read_options(layout: str, raw: object) -> Input:
    """Read the options of a layout; `Invalid` names what it does not take."""
    model = LAYOUTS[layout]
    try:
        return model.model_validate(raw)
    except ValidationError as wrong:
        raise invalid(wrong, model.model_fields, at="/options") from None


def named_fields(layout: str, raw: object) -> list[str]:
    """Give the fields that the options of a layout name."""
    try:
        made = read_options(layout, raw).model_dump(exclude_none=True)
    except Invalid:
        return []
    single = (made.get(name) for name in ("group_by", "by", "on", "until", "sum"))
    return [*filter(None, single), *made.get("card", []), *made.get("widths", {})]


def schemas() -> dict[str, Any]:
    """Describe the options of each layout for programs."""
    return {name: model.model_json_schema() for name, model in LAYOUTS.items()}
