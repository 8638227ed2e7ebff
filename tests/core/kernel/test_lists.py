"""Lists: pages joined together are the whole list, in every order, in both directions, while others write."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Mapped

from clientela import ids
from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.context import Context
from clientela.entity import Entity
from clientela.errors import BadSyntax, Invalid, NotFound, Refusal
from clientela.fields import (
    boolean,
    choice,
    country,
    currency,
    day,
    decimal,
    duration,
    email,
    instant,
    integer,
    json,
    language,
    money,
    percent,
    phone,
    ref,
    tags,
    text,
    url,
)
from clientela.filters import parse
from clientela.plugins.card import Plugin
from clientela.query import COUNT_BOUND, MOST_ROWS, Page, Question, get_row, list_page, stream
from clientela.rows import reader
from clientela.storage.database import count_statements
from clientela.values import Money
from clientela_sdk.testing.factory import Make

LEVELS = {"low": "Low", "high": "High"}
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


class Hall(Entity, plugin="klist", label="Hall", prefix="kha"):
    """A building with rooms."""

    name: Mapped[str] = text(search=True)
    motto: Mapped[str | None] = text()


class Room(Entity, plugin="klist", label="Room", prefix="kro"):
    """A room in a hall."""

    name: Mapped[str] = text(search=True)
    hall_id: Mapped[str | None] = ref(Hall)


class Seat(Entity, plugin="klist", label="Seat", prefix="kse"):
    """A seat in a room, with a field of every kind that sorts."""

    name: Mapped[str] = text(sort=True, search=True)
    number: Mapped[int] = integer(default=0, sort=True)
    price: Mapped[Money] = money(default_factory=lambda: Money(0, "EUR"))
    free: Mapped[bool] = boolean(default=False)
    since: Mapped[date] = day(default=date(2026, 1, 1), sort=True)

    nick: Mapped[str | None] = text(sort=True)
    row: Mapped[int | None] = integer()
    weight: Mapped[Decimal | None] = decimal()
    fee: Mapped[Money | None] = money()
    share: Mapped[Decimal | None] = percent()
    broken: Mapped[bool | None] = boolean()
    until: Mapped[date | None] = day()
    cleaned_at: Mapped[datetime | None] = instant(sort=True)
    stay: Mapped[int | None] = duration()
    level: Mapped[str | None] = choice(LEVELS)
    mail: Mapped[str | None] = email()
    call: Mapped[str | None] = phone()
    link: Mapped[str | None] = url()
    land: Mapped[str | None] = country()
    tongue: Mapped[str | None] = language()
    coin: Mapped[str | None] = currency()
    labels: Mapped[list[str]] = tags()
    data: Mapped[Any | None] = json()
    room_id: Mapped[str | None] = ref(Room)
    spare_id: Mapped[str | None] = ref(Room)


INFO = Seat.info
SORTABLE = [n for n, f in INFO.visible.items() if f.kind.sortable]

# A few values each, so that many records have the same one, and every third has none.
FEW: dict[str, list[Any]] = {
    "name": ["b", "a", "Б", "а", "Ё", "ё", "é", "", "%", "B", "😀"],
    "number": [3, -1, 0, 3, 2**63 - 1, -(2**63) + 1],
    "price": [Money(100, "EUR"), Money(1, "JPY"), Money(1000, "KWD"), Money(-5, "EUR"), Money(10**13 - 1, "JPY")],
    "free": [True, False, False],
    "since": [date(2026, 1, 1), date(2025, 12, 31), date(1, 1, 1), date(9999, 12, 31)],
    "nick": ["x", "X", "", "й", None],
    "row": [1, 2, 1, None], "weight": [Decimal("0.50"), Decimal("-1.00"), Decimal("0.50"), None],
    "fee": [Money(100, "EUR"), Money(1, "JPY"), Money(1001, "KWD"), None],
    "share": [Decimal("99.99"), Decimal("0.00"), None], "broken": [True, None, False],
    "until": [date(2026, 1, 1), None], "stay": [0, 60, None], "level": ["low", None, "high"],
    "cleaned_at": [
        NOON, NOON + timedelta(microseconds=1), None, NOON - timedelta(days=1), datetime(1, 1, 1, tzinfo=UTC),
    ],
    "mail": ["a@example.com", None, "b@example.com"], "call": ["+79261234567", None], "link": [None, "https://a.co/Я"],
    "land": ["RU", "DE", None], "tongue": [None, "ru"], "coin": ["EUR", None, "RUB"],
}  # fmt: skip


@pytest.fixture
def plugins() -> list[Plugin]:
    return [Plugin(name="klist", title="Lists", entities=[Hall, Room, Seat])]


@pytest.fixture
def reading(app: App) -> Iterator[Context]:
    """Give a context that reads, and sees what was committed meanwhile."""
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        yield ctx


def seat(number: int, **values: Any) -> Seat:
    """Make the seat of a number: the numbers of one seat differ in most fields from those of the next."""
    few = {
        name: some[number * (place + 1) % len(some)]
        for place, (name, some) in enumerate(FEW.items())
    }
    return Seat(**few | values)


@pytest.fixture
def seats(app: App) -> list[Seat]:
    """Give 23 seats, a few of which are in the trash."""
    with app.acting_as(SYSTEM, face="test") as ctx:
        made = [ctx.add(seat(number)) for number in range(23)]
        ctx.flush()
        for one in made[::7]:
            one.deleted_at = ctx.now
    return [one for one in made if one.deleted_at is None]


def every_page(reading: Context, back: bool = False, **question: Any) -> list[str]:
    """Give the ids of a list page by page; `back` walks from its end to its beginning."""
    found: list[list[str]] = []
    cursor: dict[str, Any] = {"before": last_cursor(reading, **question)} if back else {}
    if back:
        found.append(
            [list_page(reading, INFO, Question(**question | {"limit": MOST_ROWS})).rows[-1]["id"]]
        )
    while True:
        page = list_page(reading, INFO, Question(**question, **cursor))
        assert len(page.rows) <= question.get("limit", 50)
        found.append([row["id"] for row in page.rows])
        following = page.before if back else page.after
        if following is None:
            break
        cursor = {"before": following} if back else {"after": following}
    return [one for page_ids in (reversed(found) if back else found) for one in page_ids]


def last_cursor(reading: Context, **question: Any) -> str | None:
    """Give the cursor of the last record: the page before it is all the rest."""
    all_but_one = (
        len(list_page(reading, INFO, Question(**question | {"limit": MOST_ROWS})).rows) - 1
    )
    page = list_page(reading, INFO, Question(**question | {"limit": all_but_one}))
    after = list_page(reading, INFO, Question(**question | {"limit": 1}, after=page.after))
    return after.before


def in_order(records: list[Seat], sort: str) -> list[str]:
    """Sort as people expect: what is missing comes last in both directions, and the key decides in the end."""
    words = sort.split(",") if sort else ["-id"]
    if words[-1].lstrip("-") != "id":
        words.append("-id" if words[-1].startswith("-") else "id")
    for word in reversed(words):
        name = word.lstrip("-")
        present = [r for r in records if r.get(name) is not None]
        missing = [r for r in records if r.get(name) is None]
        records = (
            sorted(present, key=lambda r: weight(r.get(name)), reverse=word[0] == "-") + missing
        )
    return [r.public_id for r in records]


def weight(value: Any) -> Any:
    return value.amount if isinstance(value, Money) else value


@pytest.mark.parametrize("limit", [3, 200])
def test_pages_joined_together_are_the_whole_list_in_every_order(
    reading: Context, seats: list[Seat], limit: int
) -> None:
    for name in SORTABLE:
        for sort in (name, f"-{name}"):
            wanted = in_order(seats, sort)
            assert every_page(reading, sort=sort, limit=limit) == wanted, sort


def test_pages_can_be_turned_back_in_every_order(reading: Context, seats: list[Seat]) -> None:
    for name in SORTABLE:
        for sort in (name, f"-{name}"):
            assert every_page(reading, back=True, sort=sort, limit=4) == in_order(seats, sort), sort


def test_several_keys_sort_one_after_another(reading: Context, seats: list[Seat]) -> None:
    words = st.sampled_from(SORTABLE).flatmap(lambda n: st.sampled_from([n, f"-{n}"]))

    @given(
        st.lists(words, min_size=2, max_size=4, unique_by=lambda w: w.lstrip("-")),
        st.integers(1, 7),
        st.booleans(),
    )
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def holds(keys: list[str], limit: int, back: bool) -> None:
        sort = ",".join(keys)
        wanted = in_order(seats, sort)
        assert every_page(reading, back=back, sort=sort, limit=limit) == wanted

    holds()


def test_without_a_sort_the_newest_come_first(reading: Context, seats: list[Seat]) -> None:
    wanted = [s.public_id for s in reversed(seats)]

    assert every_page(reading, limit=4) == wanted
    assert every_page(reading, limit=4, sort="-created") == wanted


def test_a_page_says_whether_there_is_more(reading: Context, seats: list[Seat]) -> None:
    first = list_page(reading, INFO, Question(limit=12))
    last = list_page(reading, INFO, Question(limit=12, after=first.after))
    back = list_page(reading, INFO, Question(limit=12, before=last.before))

    assert (first.has_more, first.before is None, first.after is None) == (True, True, False)
    assert (last.has_more, last.before is None, last.after is None) == (False, False, True)
    assert [r["id"] for r in back.rows] == [r["id"] for r in first.rows]
    assert (back.has_more, back.before) == (True, None)
    assert first.as_dict()["page"] == {"after": first.after, "before": None, "has_more": True}


def test_an_empty_list_is_a_page_without_neighbours(reading: Context) -> None:
    page = list_page(reading, INFO, Question(count="exact"))

    assert page == Page([], count=0)
    assert page.as_dict()["count"] == {"value": 0, "exact": True}


@pytest.mark.parametrize("sort", ["name", "-name", "nick", "-fee", "cleaned_at,-number", "-id"])
def test_what_others_write_meanwhile_moves_no_record_from_page_to_page(
    app: App, reading: Context, seats: list[Seat], sort: str
) -> None:
    """An offset would show one record twice and another never."""
    wanted = in_order(seats, sort)
    seen: list[str] = []
    after = None
    for number in range(100):
        page = list_page(reading, INFO, Question(sort=sort, limit=3, after=after))
        seen += [row["id"] for row in page.rows]
        after = page.after
        if after is None:
            break
        with app.acting_as(SYSTEM, face="test") as ctx:
            ctx.add(seat(number))

    assert [key for key in seen if key in wanted] == wanted
    assert len(seen) == len(set(seen))


def test_a_cursor_stands_where_its_record_was_even_when_that_is_gone(
    app: App, reading: Context, seats: list[Seat]
) -> None:
    wanted = in_order(seats, "name")
    page = list_page(reading, INFO, Question(sort="name", limit=5))
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.run(app.registry.action("klist.seat.purge"), page.rows[-1]["id"])

    following = list_page(reading, INFO, Question(sort="name", limit=5, after=page.after))

    assert [row["id"] for row in following.rows] == wanted[5:10]


def test_text_that_was_stored_in_another_spelling_is_not_skipped(
    app: App, reading: Context
) -> None:
    """An action may write what no kind has read; its list must not lose it."""
    with app.acting_as(SYSTEM, face="test") as ctx:
        for spelling in ("e\u0301", "é", "e"):
            for _ in range(2):
                ctx.add(Seat(name=spelling))

    assert len(every_page(reading, sort="name", limit=1)) == 6


# cursors --------------------------------------------------------------------------------------------------------------


def test_a_cursor_of_another_order_is_refused(reading: Context, seats: list[Seat]) -> None:
    after = list_page(reading, INFO, Question(sort="name", limit=3)).after

    for other in ("-name", "name,number", "number", ""):
        with pytest.raises(BadSyntax, match="does not belong to this list and order"):
            list_page(reading, INFO, Question(sort=other, after=after))


def test_a_cursor_of_another_entity_is_refused(app: App, reading: Context, make: Make) -> None:
    for name in "abc":
        make(Room, name=name)
    after = list_page(reading, Room.info, Question(limit=1)).after

    with pytest.raises(BadSyntax, match="start again without it"):
        list_page(reading, INFO, Question(after=after))


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


SIGNED = "klist.seat:{}"
ORDER = SIGNED.format("number,id")
KEY = "01JD0000000000000000000000"
SPOILT = [
    "", "x", "====", "%%%", "ÿ", "\x00", "a" * 5_000, encoded(1), encoded(None), encoded([]), encoded({}), encoded("x"),
    encoded([ORDER]), encoded([ORDER, 1]),
    encoded([ORDER, 1, 2, 3]), encoded([ORDER, None, KEY]),
    encoded([ORDER, "1", KEY]),
    encoded([ORDER, 1.5, KEY]),
    encoded([ORDER, True, KEY]),
    encoded([ORDER, 2**63, KEY]),
    encoded([ORDER, [1], KEY]),
    encoded([ORDER, {"a": 1}, KEY]),
    encoded([ORDER, 1, "x"]), encoded([ORDER, 1, None]),
    encoded([ORDER, 1, 5]), encoded([[ORDER], 1, 5]),
]  # fmt: skip


def test_a_spoilt_cursor_is_refused(reading: Context) -> None:
    for cursor in SPOILT:
        for question in (
            Question(sort="number", after=cursor),
            Question(sort="number", before=cursor),
        ):
            with pytest.raises(BadSyntax, match="does not belong"):
                pytest.fail(f"{cursor[:60]!r} gives {list_page(reading, INFO, question)}")


def test_a_cursor_that_was_changed_somehow_never_breaks_a_list(
    reading: Context, seats: list[Seat]
) -> None:
    """Whatever a program sends as a cursor is refused or is a place in the list, and never an error of the database."""
    nasty: list[Any] = [
        None,
        True,
        2**63,
        2**64 - 1,
        -(2**63),
        1.5,
        1e300,
        "",
        "\x00",
        "x",
        [],
        {},
        "2026-13-01",
        "9" * 30,
    ]
    for name in SORTABLE:
        for wrong in nasty:
            cursor = encoded([SIGNED.format(f"{name},id"), wrong, KEY])
            with suppress(BadSyntax):
                list_page(reading, INFO, Question(sort=name, after=cursor))

    anything = (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats()
        | st.text(max_size=5)
    )
    listed = anything | st.lists(anything, max_size=2)

    @given(st.sampled_from(SORTABLE), st.lists(listed, min_size=1, max_size=2), st.booleans())
    @settings(max_examples=150, deadline=None)
    def holds(name: str, values: list[Any], back: bool) -> None:
        sort = name if name == "id" else f"{name},id"
        cursor = encoded([SIGNED.format(sort), *values[: 1 if name == "id" else 2]])
        question = Question(sort=name, before=cursor) if back else Question(sort=name, after=cursor)
        try:
            list_page(reading, INFO, question)
        except BadSyntax:
            return

    holds()


def test_a_cursor_that_was_cut_off_is_refused(reading: Context, seats: list[Seat]) -> None:
    after = list_page(reading, INFO, Question(sort="name", limit=3)).after
    assert after is not None

    for length in range(len(after)):
        with pytest.raises(BadSyntax):
            list_page(reading, INFO, Question(sort="name", after=after[:length]))


# counting -------------------------------------------------------------------------------------------------------------


def test_counting_stops_at_a_bound_unless_asked_to_go_on(app: App, reading: Context) -> None:
    stamp = {
        "rev": 1,
        "created_at": NOON,
        "updated_at": NOON,
        "created_by": "x",
        "updated_by": "x",
        "custom": {},
    }
    rows: list[dict[str, Any]] = [
        {"id": ids.new_key(), "name": "x", **stamp} for _ in range(COUNT_BOUND + 5)
    ]
    with app.db.write() as connection:
        connection.execute(Room.info.table.insert(), rows)

    def count(how: Any, question: str = "name = x") -> tuple[int | None, bool]:
        page = list_page(reading, Room.info, Question(filter=parse(question), count=how, limit=1))
        return page.count, page.exact

    assert count("none") == (None, True)
    assert count("bounded") == (COUNT_BOUND + 1, False)
    assert count("exact") == (COUNT_BOUND + 5, True)
    assert count("bounded", "name = y") == (0, True)
    assert count("bounded", f"id in ({', '.join(r['id'] for r in rows[:7])})") == (7, True)


def test_a_count_is_of_the_whole_list_and_not_of_the_page(
    reading: Context, seats: list[Seat]
) -> None:
    first = list_page(reading, INFO, Question(limit=3, count="exact"))
    second = list_page(reading, INFO, Question(limit=3, count="exact", after=first.after))
    trash = list_page(reading, INFO, Question(trashed=True, count="exact"))
    both = list_page(reading, INFO, Question(trashed=None, count="exact"))

    assert (first.count, second.count) == (len(seats), len(seats))
    assert (trash.count, len(trash.rows)) == (23 - len(seats), 23 - len(seats))
    assert (both.count, len(both.rows)) == (23, 23)


@pytest.mark.parametrize("limit", [0, -1, MOST_ROWS + 1])
def test_a_page_has_a_bound(reading: Context, limit: int) -> None:
    with pytest.raises(BadSyntax, match=f"from 1 to {MOST_ROWS}"):
        list_page(reading, INFO, Question(limit=limit))


@pytest.mark.parametrize(
    ("sort", "sentence"),
    [
        ("nmae", "cannot be sorted by 'nmae'. Did you mean 'name'"),
        ("labels", "cannot be sorted by 'labels'"),
        ("data", "cannot be sorted by 'data'"),
        ("room", "cannot be sorted by 'room'"),
        ("custom", "cannot be sorted by 'custom'"),
        ("name;drop table", "cannot be sorted by"),
        ("a,b,c,d,e", "at most 4 fields"),
    ],
)
def test_a_list_is_sorted_by_declared_fields_only(
    reading: Context, sort: str, sentence: str
) -> None:
    with pytest.raises(Refusal, match=sentence) as refused:
        list_page(reading, INFO, Question(sort=sort))
    assert refused.value.errors[0].pointer == "/sort"


# shapes ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def placed(make: Make) -> dict[str, Any]:
    """Give a seat in a room in a hall."""
    hall = make(Hall, name="Great hall", motto="Quiet please")
    room = make(Room, name="Blue room", hall_id=hall)
    one = make(Seat, name="A1", room_id=room, spare_id=None)
    return {"hall": hall, "room": room, "seat": one}


def rows(reading: Context, **question: Any) -> list[dict[str, Any]]:
    return list_page(reading, INFO, Question(**question)).rows


def test_a_reply_holds_the_fields_that_were_asked_for_and_the_id(
    reading: Context, placed: dict[str, Any]
) -> None:
    key = placed["seat"].public_id

    assert rows(reading, fields=("name",)) == [{"id": key, "name": "A1"}]
    assert rows(reading, fields=("id",)) == [{"id": key}]
    assert rows(reading, fields=("name", "name")) == [{"id": key, "name": "A1"}]
    assert set(rows(reading)[0]) == set(INFO.visible)


def test_a_reference_is_opened_into_its_record(reading: Context, placed: dict[str, Any]) -> None:
    [row] = rows(reading, fields=("name",), expand=("room", "spare"))

    assert row["room_id"] == placed["room"].public_id
    assert row["room"]["name"] == "Blue room"
    assert set(row["room"]) == set(Room.info.visible)
    assert row["spare"] is None


def test_references_are_opened_two_deep(reading: Context, placed: dict[str, Any]) -> None:
    [row] = rows(reading, fields=("name",), expand=("room.hall",))

    assert row["room"]["hall"]["name"] == "Great hall"


def test_a_dotted_field_opens_only_what_was_asked_for(
    reading: Context, placed: dict[str, Any]
) -> None:
    [row] = rows(reading, fields=("name", "room.name"))

    assert row == {
        "id": placed["seat"].public_id, "name": "A1", "room_id": placed["room"].public_id,
        "room": {"id": placed["room"].public_id, "name": "Blue room"},
    }  # fmt: skip


def test_a_field_two_references_away_is_opened_too(
    reading: Context, placed: dict[str, Any]
) -> None:
    [row] = rows(reading, fields=("room.hall.name",))

    hall = row["room"]["hall"]
    assert hall == {"id": placed["hall"].public_id, "name": "Great hall"}


def test_a_record_in_the_trash_is_not_opened(
    app: App, reading: Context, placed: dict[str, Any]
) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.run(app.registry.action("klist.room.trash"), placed["room"].id)

    assert rows(reading, expand=("room",))[0]["room"] is None


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"fields": ("nmae",)}, "has no field 'nmae'. Did you mean 'name'"),
        ({"fields": ("custom",)}, "has no field 'custom'"),
        ({"fields": ("room.nmae",)}, "Room has no field 'nmae'. Did you mean 'name'"),
        ({"fields": ("room.hall.nmae",)}, "Hall has no field 'nmae'. Did you mean 'name'"),
        ({"fields": ("rom.name",)}, "has no reference 'rom'. Did you mean 'room'"),
        ({"fields": ("name.x",)}, "has no reference 'name'"),
        ({"expand": ("rom",)}, "has no reference 'rom'. Did you mean 'room'"),
        ({"expand": ("name",)}, "has no reference 'name'"),
        ({"expand": ("",)}, "has no reference ''"),
        ({"expand": ("room.hal",)}, "Room has no reference 'hal'. Did you mean 'hall'"),
        ({"expand": ("room.hall.keeper",)}, "2 levels deep"),
        ({"fields": ("room.hall.keeper.name",)}, "2 levels deep"),
        ({"expand": tuple("abcdef")}, "At most 5 references"),
    ],
    ids=repr,
)
def test_what_cannot_be_shown_is_named_with_the_nearest(
    reading: Context, placed: dict[str, Any], question: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((Invalid, BadSyntax), match=sentence.replace(".", r"\.")):
        rows(reading, **question)


def test_one_record_is_shown_like_the_same_record_in_a_list(
    reading: Context, placed: dict[str, Any]
) -> None:
    how: dict[str, Any] = {"fields": ("name", "room.name"), "expand": ("spare",)}

    def shown(row: dict[str, Any]) -> Any:
        return orjson.loads(orjson.dumps(row))

    assert shown(get_row(reading, INFO, placed["seat"].public_id, **how)) == shown(
        rows(reading, **how)[0]
    )
    assert shown(get_row(reading, INFO, placed["seat"].id.lower())) == shown(rows(reading)[0])
    for wrong in ("kse_01JD0000000000000000000000", placed["room"].public_id, "", "x", "' or 1=1"):
        with pytest.raises(NotFound, match="There is no seat"):
            get_row(reading, INFO, wrong)


# cost -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def counted(app: App) -> Callable[[], int]:
    """Give how many statements were sent since the last time."""
    counter = count_statements(app.db.engine)

    def since() -> int:
        sent = len(counter.statements)
        counter.statements.clear()
        return sent

    return since


def test_a_page_costs_as_many_statements_however_long_it_is(
    app: App, reading: Context, make: Make, counted: Callable[[], int]
) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        halls = [ctx.add(Hall(name=f"Hall {n}")) for n in range(5)]
        ctx.flush()
        rooms = [ctx.add(Room(name=f"Room {n}", hall_id=halls[n % 5].id)) for n in range(20)]
        ctx.flush()
        for n in range(60):
            ctx.add(seat(n, room_id=rooms[n % 20].id, spare_id=rooms[-1].id))
    counted()

    def cost(limit: int, **question: Any) -> int:
        rows(reading, limit=limit, **question)
        return counted()

    assert cost(1) == cost(60) == 1
    assert cost(1, count="exact") == cost(60, count="bounded") == 2
    assert cost(1, expand=("room",)) == cost(60, expand=("room",)) == 2
    assert cost(1, expand=("room.hall", "spare")) == cost(60, expand=("room.hall", "spare")) == 4
    assert cost(5, sort="name", search="b") == 1
    get_row(reading, INFO, rows(reading, limit=1)[0]["id"], expand=("room.hall",))
    assert counted() == 4


# everything at once ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_stream_gives_everything_once_in_its_order(
    app: App, reading: Context, seats: list[Seat], size: int
) -> None:
    names = ("id", "fee")
    read = reader(INFO, names, sqlite=app.db.is_sqlite)
    for sort in ("-fee", "nick,-free", ""):
        streamed = stream(reading, INFO, Question(sort=sort), names, size)
        assert [read.render(row)["id"] for row in streamed] == in_order(seats, sort)
