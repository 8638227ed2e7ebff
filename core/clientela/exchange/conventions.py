"""How the dates and numbers of each column are written: told, found in the column, in the file, or taken from home."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from clientela.errors import Show
from clientela.exchange.options import ImportOptions
from clientela.i18n.texts import _
from clientela.kinds.base import Kind
from clientela.kinds.numbers import DecimalKind, DurationKind, IntegerKind, MoneyKind
from clientela.kinds.times import DayKind, InstantKind
from clientela.normalize.dates import Found, order_of, read_day, read_moment
from clientela.normalize.decimals import read_number, sign_of

if TYPE_CHECKING:
    from clientela.app import App

Parse = Callable[[str], Any]

DATES, DECIMAL = "dates", "decimal"


@dataclass(frozen=True)
class Convention:
    """How one column is written; `reason` says how that is known, and `certain` whether it could be otherwise."""

    column: str
    what: str
    value: str
    reason: str
    certain: bool = field(default=True, kw_only=True)

    def as_dict(self, show: Show = str) -> dict[str, Any]:
        """Give the JSON form in the language of `show`."""
        return {
            "column": self.column, self.what: self.value, "certain": self.certain,
            "reason": show(self.reason),
        }  # fmt: skip


def what_of(kind: Kind) -> str | None:
    """Say which convention the texts of a kind follow, if any."""
    if isinstance(kind, DayKind | InstantKind):
        return DATES
    if isinstance(kind, DecimalKind | IntegerKind | MoneyKind) and not isinstance(
        kind, DurationKind
    ):
        return DECIMAL
    return None


def conventions_of(
    app: App,
    header: Sequence[str],
    kinds: Mapping[int, Kind],
    sample: Sequence[Sequence[str]],
    options: ImportOptions,
) -> dict[int, Convention]:
    """Decide for each column that is mapped to a date or a number."""
    asked = {place: what for place, kind in kinds.items() if (what := what_of(kind))}
    found = {place: _FIND[what](row[place] for row in sample) for place, what in asked.items()}
    told = {(s.columns[0], s.verb): s.value for s in options.transforms}
    made = {}
    for place, what in asked.items():
        name = header[place]
        own = told.get((name, what)) or getattr(options, what)
        if own is not None:
            made[place] = Convention(name, what, own, _("as you say"))
        elif found[place].value is not None:
            made[place] = Convention(name, what, str(found[place].value), _("as its values show"))
        elif found[place].is_needed or what == DATES:
            others = Counter(f.value for p, f in found.items() if f.value and asked[p] == what)
            made[place] = _assumed(app, name, what, found[place], others)
    return made


_FIND: dict[str, Callable[[Iterable[str]], Found]] = {DATES: order_of, DECIMAL: sign_of}


def _assumed(app: App, name: str, what: str, found: Found, others: Counter[str]) -> Convention:
    """Take the convention of the file's other columns, of the signs, or of the deployment's country."""
    value = found.usual or at_home(app, what)
    if not found.is_needed:
        return Convention(name, what, value, _("no value needs it"))
    if others:
        value = others.most_common(1)[0][0]
        return Convention(
            name, what, value, _("its values fit both; as in the other columns"), certain=False
        )
    return Convention(name, what, value, _("its values fit both; as is usual"), certain=False)


def at_home(app: App, what: str) -> str:
    """Give what is usual in the deployment's country, or in its language."""
    from babel import Locale  # noqa: PLC0415 - babel is slow to import

    country = app.settings.country
    locale = Locale.parse(f"und_{country}" if country else app.settings.language)
    if what == DECIMAL:
        return "," if locale.number_symbols["latn"].get("decimal") == "," else "."
    pattern = locale.date_formats["short"].pattern.lower()
    return "".join(sorted("dmy", key=pattern.index))


def reading(kind: Kind, convention: Convention | None, zone: Any) -> Parse:
    """Give the kind's own reading, after its texts were brought into the form that it knows."""
    if convention is None:
        return kind.parse
    parse, value = kind.parse, convention.value
    if convention.what == DECIMAL:
        return lambda text: parse(read_number(text, value))
    if isinstance(kind, InstantKind):
        return lambda text: parse(read_moment(text, value, zone) or text)
    return lambda text: parse(read_day(text.removesuffix(_MIDNIGHT), value) or text)


_MIDNIGHT = " 00:00:00"
