"""Reading: lists by keyset, single records, related records; every statement carries the row rules.

No list loads everything: pages are bounded, cursors are keysets (the cost of page 1,000 is the cost of page 1), and
counting stops at a bound unless an exact count is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import ColumnElement, Select, bindparam, func, select

from clientela import ids
from clientela.access.scopes import guard, in_trash, reachable, require_readable, visible
from clientela.cursor import Keyset, SortKey, read_cursor, write_cursor
from clientela.errors import (
    BadSyntax,
    FieldProblem,
    Forbidden,
    Invalid,
    NotFound,
    did_you_mean,
    nearest,
)
from clientela.filters import Node, bind
from clientela.filters.sql import to_sql
from clientela.i18n.texts import Text, _
from clientela.rows import Reader, reader

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import EntityInfo
    from clientela.fields import Field

DEFAULT_LIMIT = 50
MOST_ROWS = 200
COUNT_BOUND = 1000
MOST_EXPANDED = 5
DEEPEST_EXPAND = 2
MOST_SORT_KEYS = 4

Count = Literal["none", "bounded", "exact"]


@dataclass(frozen=True)
class Question:
    """What a list is asked for; faces fill it from a query string or from options."""

    filter: Node | None = None
    sort: str = ""
    fields: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    search: str = ""
    limit: int = DEFAULT_LIMIT
    after: str | None = None
    before: str | None = None
    count: Count = "none"
    trashed: bool | None = False


@dataclass
class Page:
    """One page of a list, with the cursors to its neighbours."""

    rows: list[dict[str, Any]]
    after: str | None = None
    before: str | None = None
    has_more: bool = False
    count: int | None = None
    exact: bool = True

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        made: dict[str, Any] = {
            "data": self.rows,
            "page": {"after": self.after, "before": self.before, "has_more": self.has_more},
        }
        if self.count is not None:
            made["count"] = {"value": self.count, "exact": self.exact}
        return made


@dataclass(frozen=True)
class Shape:
    """Which fields a reply holds, and which references are opened with which fields of theirs."""

    names: tuple[str, ...]
    opened: dict[str, Shape] = field(default_factory=dict)


def list_page(ctx: Context, info: EntityInfo, question: Question) -> Page:
    """Give one page of the records this principal may see."""
    info = ctx.info(info)
    ctx.require(info.permission("read"))
    if not 1 <= question.limit <= MOST_ROWS:
        raise _bad_parameter("limit", _("limit is a number from 1 to {most}.", most=MOST_ROWS))
    shape = shape_of(ctx, info, question.fields, question.expand)
    keys = sort_keys(ctx, info, question.sort)
    table = ctx.table(info)
    keyset = Keyset(info, keys, table, backwards=question.before is not None)
    read = reader(info, shape.names, sqlite=ctx.app.db.is_sqlite)
    conditions = conditions_of(ctx, info, question)
    query = read.select_from(table, *keyset.columns()).where(*conditions)
    cursor = question.after if question.before is None else question.before
    if cursor is not None:
        query = query.where(keyset.beyond(read_cursor(cursor, keyset)))
    fetched = ctx.connection.execute(
        query.order_by(*keyset.order()).limit(question.limit + 1)
    ).fetchall()
    page = _page(read, keyset, fetched, question)
    open_references(ctx, info, shape, page.rows)
    if question.count != "none":
        page.count, page.exact = count_rows(ctx, info, conditions, exact=question.count == "exact")
    return page


def _page(read: Reader, keyset: Keyset, fetched: Sequence[Any], question: Question) -> Page:
    more = len(fetched) > question.limit
    kept = list(fetched[: question.limit])
    if keyset.backwards:
        kept.reverse()
    rows = [read.render(row) for row in kept]
    if not kept:
        return Page(rows)
    beyond_end = more if not keyset.backwards else question.before is not None
    beyond_start = more if keyset.backwards else question.after is not None
    last, first = (write_cursor(keyset, row[read.width :]) for row in (kept[-1], kept[0]))
    return Page(
        rows,
        after=last if beyond_end else None,
        before=first if beyond_start else None,
        has_more=beyond_end,
    )


def conditions_of(ctx: Context, info: EntityInfo, question: Question) -> list[ColumnElement[bool]]:
    """Give the row rules, the filter and the search of a question as predicates."""
    table = ctx.table(info)
    conditions = visible(ctx, info, table, trashed=question.trashed)
    if question.filter is not None:
        bound = bind(question.filter, info, now=ctx.now, today=ctx.today, me=ctx.principal.user)
        require_readable(ctx, bound)
        conditions.append(to_sql(bound, table, guard(ctx), ctx.table))
    if question.search.strip():
        _require_searchable(ctx, info)
        found = ctx.app.search.predicate(
            info, table, question.search,
            hidden=ctx.principal.hidden_classes, visible=partial(visible, ctx, info),
        )  # fmt: skip
        conditions.append(found)
    return conditions


def _require_searchable(ctx: Context, info: EntityInfo) -> None:
    if not info.search_fields:
        raise _bad_parameter(
            "q", _("{nouns} have no fields to search in; use a filter.", nouns=info.heading)
        )
    hidden = [f.name for f in info.search_fields if f.field_class in ctx.principal.hidden_classes]
    if len(hidden) == len(info.search_fields):
        raise Forbidden(
            _(
                "{field} is hidden from your roles, so {nouns} cannot be searched by words.",
                field=hidden[0],
                nouns=info.nouns,
            )
        )


def count_rows(
    ctx: Context, info: EntityInfo, conditions: Iterable[ColumnElement[bool]], *, exact: bool
) -> tuple[int, bool]:
    """Count rows, up to a bound unless an exact count is wanted."""
    matching: Select[Any] = select(ctx.table(info).c.id).where(*conditions)
    if not exact:
        matching = matching.limit(COUNT_BOUND + 1)
    number = ctx.connection.execute(
        select(func.count()).select_from(matching.subquery())
    ).scalar_one()
    return int(number), exact or number <= COUNT_BOUND


# single and related records -----------------------------------------------------------------------------------------


def get_row(
    ctx: Context,
    info: EntityInfo,
    key: str,
    *,
    fields: tuple[str, ...] = (),
    expand: tuple[str, ...] = (),
    trashed: bool | None = False,
) -> dict[str, Any]:
    """Give one record as a dict, or refuse with `NotFound`."""
    info = ctx.info(info)
    ctx.require(info.permission("read"))
    shape = shape_of(ctx, info, fields, expand)
    letters = ids.parse_key(key, info.prefix)
    read = reader(info, shape.names, sqlite=ctx.app.db.is_sqlite)
    table = ctx.table(info)
    row = None
    if letters is not None:
        query = ctx.statement(
            ("get", info, shape.names, trashed),
            visible(ctx, info, table, trashed=None),
            lambda rules: read.select_from(table).where(
                table.c.id == bindparam("key"), *in_trash(table, trashed=trashed), *rules
            ),
        )
        row = ctx.connection.execute(query, {"key": letters}).first()
    if row is None:
        raise NotFound(_("There is no {noun} {key}.", noun=info.noun, key=key[:60]))
    rows = [read.render(row)]
    open_references(ctx, info, shape, rows)
    return rows[0]


def related(
    ctx: Context, info: EntityInfo, name: str, key: str, *, sort: str, limit: int
) -> list[dict[str, Any]]:
    """Give the records that refer to one, at most `limit`, in an order."""
    info = ctx.info(info)
    table = ctx.table(info)
    shape = shape_of(ctx, info, (), ())
    keyset = Keyset(info, sort_keys(ctx, info, sort), table, backwards=False)
    read = reader(info, shape.names, sqlite=ctx.app.db.is_sqlite)
    column = info.fields[name].columns_in(table)[0]
    query = ctx.statement(
        ("related", info, shape.names, name, sort, limit),
        visible(ctx, info, table, trashed=None),
        lambda rules: (
            read.select_from(table)
            .where(column == bindparam("key"), *in_trash(table, trashed=False), *rules)
            .order_by(*keyset.order())
            .limit(limit)
        ),
    )
    return [read.render(row) for row in ctx.connection.execute(query, {"key": key})]


def stream(
    ctx: Context, info: EntityInfo, question: Question, names: tuple[str, ...], size: int = 2_000
) -> Iterator[Any]:
    """Give the raw rows of everything that may be exported, batch by batch in keyset order, in bounded memory.

    A question that cannot be answered is refused here, before the first row is asked for.
    """
    info = ctx.info(info)
    read = reader(info, names, sqlite=ctx.app.db.is_sqlite)
    table = ctx.table(info)
    keyset = Keyset(info, sort_keys(ctx, info, question.sort), table, backwards=False)
    conditions = conditions_of(ctx, info, question)
    # A role may let somebody export less than another lets the same one read.
    conditions += reachable(ctx, info, table, verb="export")
    base = read.select_from(table, *keyset.columns()).where(*conditions).order_by(*keyset.order())
    return _batches(ctx, base, keyset, read.width, size)


def _batches(
    ctx: Context, base: Select[Any], keyset: Keyset, width: int, size: int
) -> Iterator[Any]:
    values: Sequence[Any] | None = None
    while True:
        query = base if values is None else base.where(keyset.beyond(values))
        batch = ctx.connection.execute(query.limit(size)).fetchall()
        yield from batch
        if len(batch) < size:
            return
        values = read_cursor(write_cursor(keyset, batch[-1][width:]), keyset)


def words(text: str) -> tuple[str, ...]:
    """Read a list of names with commas between."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


# shapes -------------------------------------------------------------------------------------------------------------


def readable_names(ctx: Context, info: EntityInfo) -> tuple[str, ...]:
    """Give the fields this principal may see."""
    info = ctx.info(info)
    masked = ctx.principal.hidden_classes
    if not masked:
        return tuple(info.visible)
    return tuple(n for n, f in info.visible.items() if f.field_class not in masked)


def shape_of(
    ctx: Context, info: EntityInfo, fields: tuple[str, ...], expand: tuple[str, ...]
) -> Shape:
    """Read `fields=` and `expand=` into a shape; unknown names are refused with the nearest ones."""
    allowed = readable_names(ctx, info)
    if not fields and not expand:
        return Shape(allowed)
    plain = [name for name in fields if "." not in name]
    for name in plain:
        _require_field(info, name, allowed, "fields")
    dotted = [name for name in fields if "." in name]
    if len({*expand, *(name.rpartition(".")[0] for name in dotted)}) > MOST_EXPANDED:
        raise _bad_parameter(
            "expand", _("At most {most} references are opened at once.", most=MOST_EXPANDED)
        )
    names = tuple(dict.fromkeys(["id", *plain])) if fields else allowed
    opened = _opened(ctx, info, expand, dotted, depth=DEEPEST_EXPAND)
    needed = tuple(_reference(ctx, info, name).name for name in opened)
    return Shape(tuple(dict.fromkeys((*names, *needed))), opened)


def _opened(
    ctx: Context, info: EntityInfo, expand: Iterable[str], dotted: Iterable[str], *, depth: int
) -> dict[str, Shape]:
    """Give the shape of each reference that is opened: by a path of `expand`, or by a field behind it."""
    heads: dict[str, tuple[list[str], list[str]]] = {}
    for place, paths in enumerate((expand, dotted)):
        for path in paths:
            head, _dot, rest = path.partition(".")
            heads.setdefault(head, ([], []))[place].extend([rest] if rest else [])
    opened = {}
    for head, (deeper, fields) in heads.items():
        if depth == 0:
            raise _bad_parameter(
                "expand", _("References are opened {most} levels deep.", most=DEEPEST_EXPAND)
            )
        target = _reference(ctx, info, head).target
        assert target is not None  # noqa: S101 - told to the type checker
        ctx.require(target.permission("read"))
        plain = tuple(name for name in fields if "." not in name)
        inner = _opened(
            ctx, target, deeper, [name for name in fields if "." in name], depth=depth - 1
        )
        base = shape_of(ctx, target, plain or (("id",) if fields else ()), ())
        needed = tuple(_reference(ctx, target, name).name for name in inner)
        opened[head] = Shape(tuple(dict.fromkeys((*base.names, *needed))), inner)
    return opened


def _reference(ctx: Context, info: EntityInfo, name: str) -> Field:
    allowed = readable_names(ctx, info)
    found = info.filter_field(name)
    if found is None or found.target is None or found.name not in allowed:
        names = [n.removesuffix("_id") for n in allowed if info.fields[n].target is not None]
        raise _bad_parameter(
            "expand",
            _("{label} has no reference {name}.", label=Text(info.label), name=repr(name[:60]))
            + did_you_mean(name, names),
        )
    return found


def _require_field(info: EntityInfo, name: str, allowed: Sequence[str], parameter: str) -> None:
    if name not in allowed:
        raise Invalid(
            _("{label} has no field {name}.", label=Text(info.label), name=repr(name[:60]))
            + did_you_mean(name, allowed),
            [
                FieldProblem(
                    f"/{parameter}",
                    "unknown-field",
                    _("{name} is unknown.", name=repr(name[:60])),
                    allowed=nearest(name, allowed),
                )
            ],
        )


def open_references(
    ctx: Context, info: EntityInfo, shape: Shape, rows: list[dict[str, Any]]
) -> None:
    """Put the referenced records into the rows: one statement per reference, however many rows."""
    for name, inner in shape.opened.items():
        declared = _reference(ctx, info, name)
        target = declared.target
        assert target is not None  # noqa: S101 - told to the type checker
        prefix = f"{target.prefix}_"
        keys = {row[declared.name].removeprefix(prefix) for row in rows if row[declared.name]}
        found = _rows_by_key(ctx, target, inner, sorted(keys))
        label = declared.name.removesuffix("_id")
        for row in rows:
            row[label] = found.get(row[declared.name])


def _rows_by_key(
    ctx: Context, info: EntityInfo, shape: Shape, keys: list[str]
) -> dict[str, dict[str, Any]]:
    if not keys:
        return {}
    names = tuple(dict.fromkeys(("id", *shape.names)))
    read = reader(info, names, sqlite=ctx.app.db.is_sqlite)
    table = ctx.table(info)
    query = read.select_from(table).where(table.c.id.in_(keys), *visible(ctx, info, table))
    rows = [read.render(row) for row in ctx.connection.execute(query)]
    open_references(ctx, info, shape, rows)
    return {row["id"]: row for row in rows}


def sort_keys(ctx: Context, info: EntityInfo, text: str) -> tuple[SortKey, ...]:
    """Read `-amount,name`; without one the newest come first."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if len(words) > MOST_SORT_KEYS:
        raise _bad_parameter(
            "sort", _("A list is sorted by at most {most} fields.", most=MOST_SORT_KEYS)
        )
    keys = []
    for word in words:
        name = word.lstrip("-+")
        found = info.filter_field(name)
        sortable = [n for n, f in info.visible.items() if f.kind.sortable]
        if (
            found is None
            or not found.kind.sortable
            or found.field_class in ctx.principal.hidden_classes
        ):
            raise Invalid(
                _("{nouns} cannot be sorted by {name}.", nouns=info.heading, name=repr(name[:60]))
                + did_you_mean(name, sortable),
                [
                    FieldProblem(
                        "/sort",
                        "unknown-field",
                        _("{name} is not a field to sort by.", name=repr(name[:60])),
                        allowed=nearest(name, sortable),
                    )
                ],
            )
        keys.append(SortKey(found, descending=word.startswith("-")))
    if not keys or keys[-1].field.name != "id":
        keys.append(SortKey(info.fields["id"], descending=keys[-1].descending if keys else True))
    return tuple(keys)


def _bad_parameter(name: str, sentence: str) -> BadSyntax:
    return BadSyntax(sentence, [FieldProblem(f"/{name}", "bad-parameter", sentence)])
