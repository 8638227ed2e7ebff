"""One grammar, two engines: SQL finds the very records that Python finds, on both databases.

Hypothesis makes up records and filters over all kinds, over references and parts; what differs is a defect of one of
the engines, because the meaning of a filter is one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Mapped

from clientela.access.entities import User
from clientela.access.principal import SYSTEM, Principal
from clientela.app import App
from clientela.context import Context
from clientela.entity import Entity
from clientela.errors import Invalid
from clientela.fields import (
    Field,
    address,
    boolean,
    choice,
    choices,
    country,
    currency,
    day,
    decimal,
    duration,
    email,
    instant,
    integer,
    language,
    money,
    owner,
    percent,
    person_name,
    phone,
    ref,
    rich_text,
    tags,
    text,
    url,
)
from clientela.filters import (
    And,
    Compare,
    Me,
    Node,
    Not,
    Or,
    Raw,
    Relative,
    Word,
    bind,
    from_json,
    matcher,
    parse,
    to_json,
    unparse,
)
from clientela.kinds.choices import ListKind
from clientela.kinds.links import RefKind
from clientela.kinds.text import WORDS
from clientela.plugins.card import Plugin
from clientela.query import Question, list_page
from clientela.values import Money, PersonName, PostalAddress

SIZES = {"s": "Small", "m": "Medium", "l": "Large"}
LETTERS = "abAB XyzАаБбЁёЙйЯ019%_\\'\""


class Maker(Entity, plugin="kgram", label="Maker", prefix="kgm"):
    """Who makes gadgets, under some boss."""

    name: Mapped[str | None] = text(max_length=40)
    rating: Mapped[int | None] = integer()
    who: Mapped[PersonName | None] = person_name()
    labels: Mapped[list[str] | None] = tags(default_factory=lambda: None)
    turnover: Mapped[Money | None] = money()
    boss_id: Mapped[str | None] = ref("self", on_delete="set_null")


class Gadget(Entity, plugin="kgram", label="Gadget", prefix="kgg"):
    """What can be filtered by every kind that takes a filter."""

    code: Mapped[str] = text(max_length=40)
    title: Mapped[str | None] = text(max_length=40, lines=True)
    note: Mapped[str | None] = rich_text()
    count: Mapped[int | None] = integer()
    weight: Mapped[Decimal | None] = decimal(places=3)
    price: Mapped[Money | None] = money()
    share: Mapped[Decimal | None] = percent()
    on: Mapped[bool | None] = boolean()
    made_on: Mapped[date | None] = day()
    seen_at: Mapped[datetime | None] = instant()
    length: Mapped[int | None] = duration()
    size: Mapped[str | None] = choice(SIZES)
    sizes: Mapped[list[str] | None] = choices(SIZES, default_factory=lambda: None)
    labels: Mapped[list[str]] = tags()
    mail: Mapped[str | None] = email()
    call: Mapped[str | None] = phone()
    link: Mapped[str | None] = url()
    where: Mapped[PostalAddress | None] = address()
    who: Mapped[PersonName | None] = person_name()
    land: Mapped[str | None] = country()
    tongue: Mapped[str | None] = language()
    coin: Mapped[str | None] = currency()
    maker_id: Mapped[str | None] = ref(Maker)
    keeper_id: Mapped[str | None] = owner()


@pytest.fixture
def plugins() -> list[Plugin]:
    return [Plugin(name="kgram", title="Grammar", entities=[Maker, Gadget])]


# records --------------------------------------------------------------------------------------------------------------

words = st.text(alphabet=LETTERS, max_size=5)
word = words.filter(str.strip)
amounts = st.sampled_from(["0", "1", "1.5", "-1.5", "2", "10", "0.5"])
moneys = st.builds(
    lambda amount, code: Money.of(amount if code != "JPY" else amount.split(".")[0], code),
    amounts,
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
days = st.sampled_from([date(2026, 6, d) for d in (1, 14, 15, 16)] + [date(1, 1, 1)])
moments = st.sampled_from([datetime(2026, 6, 15, h, tzinfo=UTC) for h in (0, 8, 9, 10)]) | st.just(
    datetime(2026, 6, 15, 9, 0, 0, 1, tzinfo=UTC)
)
tag = word.map(str.strip).filter(lambda t: not set(t) & set(",;"))
names = st.builds(
    PersonName.from_dict,
    st.dictionaries(st.sampled_from(["family", "given", "prefix"]), word, min_size=1),
)
places = st.builds(
    PostalAddress.from_dict,
    st.dictionaries(st.sampled_from(["city", "street", "text"]), word, min_size=1),
)
decimals = st.sampled_from(["0", "0.001", "-1.5", "2.5", "10", "1.50"]).map(Decimal)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": words, "rich_text": words, "integer": st.integers(-2, 3), "decimal": decimals, "money": moneys,
    "percent": st.sampled_from(["0", "50", "99.99"]).map(Decimal), "boolean": st.booleans(), "date": days,
    "instant": moments, "duration": st.sampled_from([0, 60, 3600]), "choice": st.sampled_from(list(SIZES)),
    "multi_choice": st.lists(st.sampled_from(list(SIZES)), max_size=3), "tags": st.lists(tag, max_size=3),
    "email": st.sampled_from(["anna@example.com", "анна@example.com", "bob@example.com"]),
    "phone": st.sampled_from(["+79261234567", "+12125550123"]),
    "url": st.sampled_from(["https://a.co/%20_x", "https://b.co/'?Я"]),
    "person_name": names, "address": places, "country": st.sampled_from(["RU", "DE"]),
    "language": st.sampled_from(["ru", "en"]), "currency": st.sampled_from(["RUB", "EUR"]),
}  # fmt: skip

Values = dict[str, Any]


def values_of(info: Any, *leave_out: str) -> st.SearchStrategy[Values]:
    fields = {n: f for n, f in info.writable.items() if n not in leave_out}
    return st.fixed_dictionaries(
        {n: VALUES[f.kind.name].map(f.kind.load) for n, f in fields.items() if not f.optional},
        optional={n: VALUES[f.kind.name].map(f.kind.load) for n, f in fields.items() if f.optional},
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Values], list[Values]]:
    """Give makers and gadgets; references are numbers of makers, `trashed` sends one to the trash."""
    makers = draw(st.lists(values_of(Maker.info, "boss_id"), max_size=4))
    numbers = st.none() | st.integers(0, len(makers) - 1) if makers else st.none()
    for maker in makers:
        maker |= {"boss": draw(numbers), "trashed": draw(st.integers(0, 3)) == 0}
    gadgets = draw(
        st.lists(values_of(Gadget.info, "maker_id", "keeper_id"), min_size=1, max_size=6)
    )
    for gadget in gadgets:
        gadget |= {"maker": draw(numbers), "kept": draw(st.booleans())}
    return makers, gadgets


# filters --------------------------------------------------------------------------------------------------------------


def paths(info: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Give every path a filter may take, with its kind: fields, parts, and up to two references deep."""
    for name, declared in info.fields.items():
        if not declared.filterable or name in {"created_by", "updated_by", "rev"}:
            continue
        yield (*before, name), declared.kind
        for part, kind in declared.kind.parts.items():
            yield (*before, name, part), kind
        if declared.target is Maker.info and len(before) < 2:
            yield from paths(Maker.info, (*before, name.removesuffix("_id")))


PATHS = [*paths(Gadget.info), (("keeper", "name"), User.info.fields["name"].kind)]


@st.composite
def comparisons(draw: st.DrawFn) -> Compare:
    path, kind = draw(st.sampled_from(PATHS))
    op = draw(st.sampled_from([*sorted(kind.operators), "null"]))
    if op == "null":
        return Compare(path, op, draw(st.booleans()))
    if op == "in":
        return Compare(path, op, tuple(draw(st.lists(written(kind, op), min_size=1, max_size=3))))
    return Compare(path, op, draw(written(kind, op)))


def written(kind: Any, op: str) -> st.SearchStrategy[Raw]:
    """Give what may stand on the right side of a comparison, as people write it."""
    if isinstance(kind, RefKind):
        return st.just(Me()) if kind.name == "owner" else st.sampled_from(KEYS[kind.prefix])
    if op in WORDS:
        return st.text(alphabet=LETTERS, max_size=2).map(Word)
    if isinstance(kind, ListKind):
        return (tag if kind.name == "tags" else st.sampled_from(list(SIZES))).map(Word)
    if kind.name == "currency_code":
        return st.sampled_from([Word("EUR"), Word("jpy"), Word("USD")])
    ready: st.SearchStrategy[Raw] = VALUES[kind.name].map(lambda value: Word(kind.csv(value)))
    return ready | MORE[kind.name] if kind.name in MORE else ready


# What a value may be compared with beside the values of its own kind.
MORE: dict[str, st.SearchStrategy[Raw]] = {
    "money": amounts.map(Word),
    "date": st.builds(Relative, st.just("today"), st.integers(-2, 2), st.sampled_from("dwmy")),
    "instant": st.builds(Relative, st.just("now"), st.integers(-2, 2), st.sampled_from(["h", "d"])),
}


filters: st.SearchStrategy[Node] = st.recursive(
    comparisons(),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=1, max_size=3))
    ),
    max_leaves=5,
)

# The keys of all records of an example are known beforehand, so that a filter can name them.
MAKER_KEYS = [f"01JD000000000000000000000{n}" for n in range(4)]
GADGET_KEYS = [f"01JE000000000000000000000{n}" for n in range(6)]
NOBODY = "01JF0000000000000000000000"
KEYS = {
    "kgm": [Word(f"kgm_{key}") for key in [*MAKER_KEYS, NOBODY]],
    "kgg": [Word(f"kgg_{key}") for key in [*GADGET_KEYS, NOBODY]],
    "usr": [Word(f"usr_{NOBODY}")],
}


# the two engines ------------------------------------------------------------------------------------------------------

KEEPER = "01JG0000000000000000000000"
CAST = Principal(kind="system", id="system", name="the keeper", user=KEEPER)


@contextmanager
def world(
    app: App, makers: list[Values], gadgets: list[Values]
) -> Iterator[tuple[Context, list[Gadget]]]:
    """Write the records of an example, and take them back at its end."""
    with app.db.write() as connection:
        ctx = Context(app, CAST, connection, face="test", writing=True)
        try:
            ctx.add(User(id=KEEPER, name="Ключник", email="keeper@example.com"))
            ctx.flush()
            there = [
                ctx.add(Maker(id=key, **without(maker, "boss", "trashed")))
                for key, maker in zip(MAKER_KEYS, makers, strict=False)
            ]
            ctx.flush()
            for maker, record in zip(makers, there, strict=True):
                record.boss_id = None if maker["boss"] is None else MAKER_KEYS[maker["boss"]]
                record.deleted_at = ctx.now if maker["trashed"] else None
            ctx.flush()
            made = [
                ctx.add(
                    Gadget(
                        id=key,
                        maker_id=None if gadget["maker"] is None else MAKER_KEYS[gadget["maker"]],
                        keeper_id=KEEPER if gadget["kept"] else None,
                        **without(gadget, "maker", "kept"),
                    )
                )
                for key, gadget in zip(GADGET_KEYS, gadgets, strict=False)
            ]
            ctx.flush()
            yield ctx, made
        finally:
            ctx.session.close()
            transaction = connection.get_transaction()
            if transaction is not None:
                transaction.rollback()


def without(values: Values, *names: str) -> Values:
    return {n: v for n, v in values.items() if n not in names}


def by_sql(ctx: Context, node: Node, limit: int = 4) -> list[str]:
    """Give the keys that lists find, page by page."""
    found: list[str] = []
    after = None
    while True:
        page = list_page(
            ctx, Gadget.info, Question(filter=node, sort="id", limit=limit, after=after)
        )
        found += [row["id"] for row in page.rows]
        after = page.after
        if after is None:
            return found


def by_python(ctx: Context, node: Node, records: list[Gadget]) -> list[str]:
    """Give the keys that the function finds which is made of the same filter."""
    bound = bind(node, Gadget.info, now=ctx.now, today=ctx.today, me=ctx.principal.user)

    def follow(record: Entity, declared: Any) -> Entity | None:
        key = record.get(declared.name)
        target: type[Entity] = declared.target.cls
        linked = None if key is None else ctx.session.get(target, key)
        # What lies in the trash is not there for those who walk by.
        return None if linked is None or linked.deleted_at is not None else linked

    def get(record: Entity, declared: Any) -> object:
        return record.get(declared.name)

    question = matcher(bound, get=get, follow=follow)
    return sorted(record.public_id for record in records if question(record))


def test_both_engines_find_the_same_records(app: App) -> None:
    @given(worlds(), st.lists(filters, min_size=1, max_size=6))
    @settings(
        max_examples=40, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    def holds(there: tuple[list[Values], list[Values]], nodes: list[Node]) -> None:
        with world(app, *there) as (ctx, records):
            for node in nodes:
                assert by_sql(ctx, node) == by_python(ctx, node, records), unparse(node)

    holds()


def test_what_does_not_hold_is_all_the_rest(app: App) -> None:
    """The logic has two values: a record passes a filter or its negation, whatever is missing in it."""

    @given(worlds(), filters)
    @settings(
        max_examples=25, deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )  # fmt: skip
    def holds(there: tuple[list[Values], list[Values]], node: Node) -> None:
        with world(app, *there) as (ctx, records):
            passed, failed = by_sql(ctx, node), by_sql(ctx, Not(node))
            assert sorted(passed + failed) == sorted(r.public_id for r in records), unparse(node)
            assert by_sql(ctx, parse(unparse(node)) or node) == passed
            assert by_sql(ctx, from_json(to_json(node))) == passed

    holds()


def test_every_operator_of_every_path_finds_the_same(app: App) -> None:
    """Random filters meet each path now and then; here each meets each of its operators, plainly and negated."""
    rng = random.Random(3)
    makers = [filled(Maker.info, rng) | {"boss": 0, "trashed": False} for _ in range(2)]
    gadgets = [filled(Gadget.info, rng) | {"maker": n % 2, "kept": True} for n in range(4)]
    gadgets += [{"code": "ё", "maker": None, "kept": False}]

    with world(app, makers, gadgets) as (ctx, records):
        for path, kind in PATHS:
            for op in sorted(kind.operators):
                for value in right_sides(path, kind, op, records, ctx)[:1]:
                    compare = Compare(path, op, (value,) if op == "in" else value)
                    for node in (compare, Not(compare)):
                        assert by_sql(ctx, node, 200) == by_python(ctx, node, records), unparse(
                            node
                        )


def filled(info: Any, rng: random.Random) -> Values:
    fields = {n: f for n, f in info.writable.items() if not isinstance(f.kind, RefKind)}
    return {n: f.kind.sample(rng) for n, f in fields.items()}


def right_sides(
    path: tuple[str, ...], kind: Any, op: str, records: list[Gadget], ctx: Context
) -> list[Raw]:
    """Give what the records themselves hold there, as far as it can be compared with."""
    if isinstance(kind, RefKind):
        return [Me()] if kind.name == "owner" else list(KEYS[kind.prefix][:2])
    if kind.name == "currency_code":
        return [Word("EUR"), Word("RUB")]
    if path == ("keeper", "name"):
        return [Word("Ключник"), Word("КЛЮЧ")]
    if path[0] == "maker":
        there: Sequence[Entity] = [ctx.get(Maker, key) for key in MAKER_KEYS[:2]]
    else:
        there = records
    found: list[Any] = [r.get(next(n for n in path[::-1] if n in r.info.fields)) for r in there]
    if len(path) > 1 and path[-1] not in there[0].info.fields:
        found = [getattr(value, path[-1]) for value in found if value is not None]
    present = [value for value in found if value not in (None, "", [])]
    if isinstance(kind, ListKind):
        return [Word(value[0]) for value in present[:1]]
    cells = [kind.csv(value) for value in present]
    return [Word(cell[:3].upper() if op in WORDS else cell) for cell in dict.fromkeys(cells[:2])]


# stories --------------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 6, 15, 9, tzinfo=UTC)


@pytest.fixture
def find(app: App) -> Iterator[Callable[[str], set[str]]]:
    """Find the codes of gadgets by a filter as people write it, in one small shop."""
    acme = {
        "name": "Acme % Sons",
        "rating": 5,
        "boss": 1,
        "trashed": False,
        "who": PersonName("Ёлкина", "Anna"),
    }
    boss = {"name": "АННА", "rating": None, "boss": None, "trashed": False}
    gone = {"name": "Gone", "rating": 1, "boss": 0, "trashed": True}
    lamp = {
        "code": "lamp", "title": "Лампа НАСТОЛЬНАЯ", "price": Money(150_00, "EUR"), "labels": ["vip", "опт"],
        "maker": 0, "kept": True, "on": True, "made_on": date(2026, 6, 14), "seen_at": NOW - timedelta(hours=1),
    }  # fmt: skip
    desk = {
        "code": "desk", "title": "100%_desk\\", "price": Money(150, "JPY"), "labels": [], "maker": 2, "kept": False,
        "on": False, "made_on": date(2026, 5, 31), "seen_at": NOW + timedelta(hours=1),
    }  # fmt: skip
    nail = {
        "code": "nail",
        "labels": ["VIP"],
        "maker": None,
        "kept": False,
        "price": Money(150_001, "KWD"),
    }

    with world(app, [acme, boss, gone], [lamp, desk, nail]) as (ctx, _):
        yield lambda question: {
            row["code"]
            for row in list_page(ctx, Gadget.info, Question(filter=parse(question))).rows
        }


QUESTIONS: dict[str, set[str]] = {
    # Words are looked for without regard to case, in every alphabet; signs of LIKE are plain signs.
    'title contains "настольная"': {"lamp"},
    'title starts "ЛАМ"': {"lamp"},
    'title ends "НАЯ"': {"lamp"},
    'title contains "%"': {"desk"},
    'title contains "0%_D"': {"desk"},
    r'title ends "\\"': {"desk"},
    'title contains ""': {"lamp", "desk"},
    'code > "desk"': {"lamp", "nail"},
    # Tags are whole words in their own spelling.
    "labels has vip": {"lamp"},
    "not labels has vip": {"desk", "nail"},
    # Amounts are compared across currencies as written, moneys within their own.
    "price = 150": {"lamp", "desk"},
    "price > 150": {"nail"},
    "price <= 150": {"lamp", "desk"},
    'price = "150 EUR"': {"lamp"},
    'price != "150 EUR"': {"desk", "nail"},
    'price >= "1 EUR"': {"lamp"},
    'price in ("150 JPY", 150.001)': {"desk", "nail"},
    "price.currency = kwd": {"nail"},
    # What is missing equals nothing and differs from nothing.
    "on != true": {"desk"},
    "not on = true": {"desk", "nail"},
    "on is null": {"nail"},
    # Through references; what lies in the trash is not there.
    'maker.name contains "acme"': {"lamp"},
    "maker.rating is null": {"desk", "nail"},
    "maker.rating is not null": {"lamp"},
    "maker is null": {"nail"},
    'maker.boss.name = "АННА"': {"lamp"},
    'maker.boss.name contains "анна"': {"lamp"},
    'not maker.boss.name = "x"': {"lamp", "desk", "nail"},
    'maker.who.family starts "ёл"': {"lamp"},
    "maker.who.given is null": {"desk", "nail"},
    "keeper = me": {"lamp"},
    # Counted from now and today.
    "seen < now": {"lamp"},
    "seen > now-1h": {"desk"},
    "seen >= now-1h": {"lamp", "desk"},
    "made_on < today": {"lamp", "desk"},
    "made_on < today-1w": {"desk"},
}


def test_a_question_finds_what_is_meant(find: Callable[[str], set[str]]) -> None:
    assert {question: find(question) for question in QUESTIONS} == QUESTIONS


def test_a_filter_through_many_references_stops_somewhere(app: App) -> None:
    deep: Field = Gadget.info.fields["maker_id"]
    assert deep.target is Maker.info
    with (
        app.acting_as(SYSTEM, face="test", writing=False) as ctx,
        pytest.raises(Invalid, match="follows more than 3 references"),
    ):
        list_page(ctx, Gadget.info, Question(filter=parse("maker.boss.boss.boss.name = x")))
