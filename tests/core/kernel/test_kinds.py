"""Kinds: each value is the same one whether it is loaded, stored, read raw, written into a cell or shown as JSON."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Text
from sqlalchemy.orm import Mapped
from sqlalchemy.types import TypeEngine

from clientela.access.entities import User
from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.entity import Entity
from clientela.errors import Invalid
from clientela.fields import (
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
    field,
    file,
    instant,
    integer,
    json,
    language,
    money,
    owner,
    percent,
    person_name,
    phone,
    ref,
    rich_text,
    subject,
    tags,
    text,
    url,
)
from clientela.filters import parse
from clientela.history import CHANGE
from clientela.kinds import base, codes, links, numbers, structured, times
from clientela.kinds import choices as choice_kinds
from clientela.kinds import text as texts
from clientela.kinds.base import Kind
from clientela.plugins.card import Plugin
from clientela.query import Question, list_page
from clientela.rows import reader, record_dict
from clientela.schemas import create_schema, load, patch_schema
from clientela.values import CURRENCIES, Money, PersonName, PostalAddress
from clientela_sdk.testing.factory import Make

SIZES = {"s": "Small", "m": "Medium", "l": "Large"}


class HexColour(Kind):
    """A colour as a plugin might declare one: kept as a number, written `#ff8800`."""

    name: ClassVar[str] = "kkinds_colour"
    python: ClassVar[Any] = str

    def load(self, raw: object) -> str:
        if not isinstance(raw, str) or not re.fullmatch(r"#[0-9a-f]{6}", raw):
            raise ValueError("A colour is written like #ff8800.")
        return raw

    def parse(self, text: str) -> str:
        return self.load("#" + text.strip().lower().removeprefix("#"))

    def types(self) -> tuple[TypeEngine[Any], ...]:
        return (Text(),)

    def to_columns(self, value: str | None) -> tuple[Any, ...]:
        return (None if value is None else value.removeprefix("#"),)

    def from_columns(self, values: Sequence[Any]) -> str | None:
        return None if values[0] is None else f"#{values[0]}"

    def renderer(self, *, sqlite: bool) -> base.Render | None:
        return lambda raw: None if raw is None else f"#{raw}"

    def from_stored(self, raw: Any) -> str:
        return self.load(f"#{raw}").removeprefix("#")

    def sql(self, op: str, columns: base.type_of_columns, value: Any) -> Any:
        bare = [v[1:] for v in value] if op == "in" else value[1:]
        return super().sql(op, columns, bare)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^#[0-9a-f]{6}$"}

    def sample(self, rng: random.Random) -> str:
        return f"#{rng.randrange(2**24):06x}"


class Thing(Entity, plugin="kkinds", label="Thing", prefix="kth"):
    """A thing with a field of every kind, required and optional."""

    words: Mapped[str] = text(max_length=80)
    lines: Mapped[str] = text(max_length=80, lines=True)
    markup: Mapped[str] = rich_text(max_length=2_000)
    number: Mapped[int] = integer()
    exact: Mapped[Decimal] = decimal()
    fine: Mapped[Decimal] = decimal(places=9)
    whole: Mapped[Decimal] = decimal(places=0)
    price: Mapped[Money] = money()
    roubles: Mapped[Money] = money(currency="RUB")
    share: Mapped[Decimal] = percent()
    yes: Mapped[bool] = boolean()
    on: Mapped[date] = day()
    at: Mapped[datetime] = instant()
    length: Mapped[int] = duration()
    size: Mapped[str] = choice(SIZES)
    sizes: Mapped[list[str]] = choices(SIZES)
    labels: Mapped[list[str]] = tags()
    mail: Mapped[str] = email()
    call: Mapped[str] = phone()
    link: Mapped[str] = url()
    where: Mapped[PostalAddress] = address()
    who: Mapped[PersonName] = person_name()
    land: Mapped[str] = country()
    tongue: Mapped[str] = language()
    coin: Mapped[str] = currency()
    data: Mapped[Any] = json()
    scan: Mapped[dict[str, Any]] = file()
    colour: Mapped[str] = field(HexColour())
    user_id: Mapped[str] = ref(User)
    keeper_id: Mapped[str] = owner()
    topic: Mapped[str] = subject(immutable=False)

    words_2: Mapped[str | None] = text(max_length=80)
    lines_2: Mapped[str | None] = text(max_length=80, lines=True)
    markup_2: Mapped[str | None] = rich_text(max_length=2_000)
    number_2: Mapped[int | None] = integer()
    exact_2: Mapped[Decimal | None] = decimal()
    fine_2: Mapped[Decimal | None] = decimal(places=9)
    whole_2: Mapped[Decimal | None] = decimal(places=0)
    price_2: Mapped[Money | None] = money()
    roubles_2: Mapped[Money | None] = money(currency="RUB")
    share_2: Mapped[Decimal | None] = percent()
    yes_2: Mapped[bool | None] = boolean()
    on_2: Mapped[date | None] = day()
    at_2: Mapped[datetime | None] = instant()
    length_2: Mapped[int | None] = duration()
    size_2: Mapped[str | None] = choice(SIZES)
    sizes_2: Mapped[list[str] | None] = choices(SIZES, default_factory=lambda: None)
    labels_2: Mapped[list[str] | None] = tags(default_factory=lambda: None)
    mail_2: Mapped[str | None] = email()
    call_2: Mapped[str | None] = phone()
    link_2: Mapped[str | None] = url()
    where_2: Mapped[PostalAddress | None] = address()
    who_2: Mapped[PersonName | None] = person_name()
    land_2: Mapped[str | None] = country()
    tongue_2: Mapped[str | None] = language()
    coin_2: Mapped[str | None] = currency()
    data_2: Mapped[Any | None] = json()
    scan_2: Mapped[dict[str, Any] | None] = file()
    colour_2: Mapped[str | None] = field(HexColour())
    user_id_2: Mapped[str | None] = ref(User)
    keeper_id_2: Mapped[str | None] = owner()
    topic_2: Mapped[str | None] = subject(immutable=False)


INFO = Thing.info
REQUIRED = [
    n for n, f in INFO.fields.items() if n not in list(INFO.fields)[:8] and not n.endswith("_2")
]
KINDS = {name: INFO.fields[name].kind for name in REQUIRED}
KEYS = {"user_id", "keeper_id"}
every_kind = pytest.mark.parametrize("name", REQUIRED)

EMPTY_FILE = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

# Values at the edges, and some that were spoilt in other systems.
EDGES: dict[str, list[Any]] = {
    "words": ["%_\\'\"", "Ёлка", "é", "a\u2028b", "😀", "x" * 80, "null", "=1+1"],
    "lines": ["one\ntwo\r\nthree\tfour", "x" * 80],
    "markup": ["<p>a &amp; b</p>", "<b>жирно</b>", "1 &lt; 2"],
    "number": [0, -1, 2**63 - 1, -(2**63) + 1, 2**53 + 1],
    "exact": [Decimal("0.00"), Decimal("-0.01"), Decimal("999999999999999.99"), Decimal("-1.50")],
    "fine": [Decimal("0.000000001"), Decimal("0E-9"), Decimal("-0.000000100"), Decimal("99999999.999999999")],
    "whole": [Decimal(0), Decimal(-7), Decimal(10**17 - 1)],
    "price": [
        Money(0, "EUR"), Money(-1, "EUR"), Money(10**15 - 1, "EUR"), Money(1, "KWD"), Money(10**13 - 1, "JPY"),
        Money(1 - 10**13, "JPY"), Money(12345, "CLF"), Money(5, "JPY"), Money(10**15 - 1, "KWD"),
    ],
    "roubles": [Money(1, "RUB"), Money(150, "EUR")],
    "share": [Decimal("0.00"), Decimal("100.00"), Decimal("63.15")],
    "yes": [True, False],
    "on": [date(1, 1, 1), date(9999, 12, 31), date(2024, 2, 29)],
    "at": [
        datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 6, 15, 9, 0, 0, 1, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
    "length": [0, 59, 3600, 10**10],
    "size": ["s", "m", "l"],
    "sizes": [[], ["s"], ["l", "s", "m"]],
    "labels": [[], ["vip"], ["Опт", "опт", "a b"], ["'\"\\%_"], [f"t{i}" for i in range(100)]],
    "mail": ["анна@example.com", "a+b@example.com"],
    "call": ["+79261234567", "+12125550123"],
    "link": ["https://example.com/?q=%20&b=%D1%8F#x", "http://localhost:8000", "https://пример.рф/путь"],
    "where": [
        PostalAddress(text="1, Main Street; somewhere"), PostalAddress(country="RU", city="Казань"),
        PostalAddress(street="O'Neill \"St\"", house="1/2"),
    ],
    "who": [
        PersonName(family="Smith"), PersonName(given="Anna"), PersonName(patronymic="Петровна", given="Анна"),
        PersonName(family="Smith", given="John", prefix="Dr.", suffix="Jr."), PersonName(prefix="Mr."),
        PersonName(family="van der Berg", given="Anna Maria"), PersonName(family="Jr.", given="Jr."),
        PersonName(family="Иванов", given="И.", patronymic="И."), PersonName(given="Анна Петровна"),
        PersonName(family="O'Neil, Smith", given="Al"), PersonName(family="{", given="}"),
    ],
    "land": ["RU", "ZW"],
    "tongue": ["ru", "zu"],
    "coin": ["JPY", "RUB"],
    "data": [
        {}, [], 0, False, "", "text", 1.5, {"b": 1, "a": [None, {"c": "я"}]}, [[[]]], 2**63 - 1, {"": ""}, -0.5,
        "\\u0000", {"\\u0000": 1},
    ],
    "scan": [
        {"name": "отчёт.pdf", "type": "application/pdf", "size": 25 * 2**20, "sha256": EMPTY_FILE},
    ],
    "colour": ["#000000", "#ffffff"],
}  # fmt: skip


def samples(name: str, most: int = 20) -> list[Any]:
    rng = random.Random(name)
    return EDGES.get(name, []) + [KINDS[name].sample(rng) for _ in range(most)]


@pytest.fixture
def plugins() -> list[Plugin]:
    return [Plugin(name="kkinds", title="Kinds", entities=[Thing])]


@pytest.fixture
def values(make: Make) -> Callable[[], dict[str, Any]]:
    """Give values for the required fields of one thing."""
    rng = random.Random(11)
    user = make(User)
    there = dict.fromkeys(KEYS, user.id) | {"topic": user.public_id}

    def give() -> dict[str, Any]:
        return {n: kind.sample(rng) for n, kind in KINDS.items()} | there

    return give


def through_json(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value))


def test_there_is_a_field_of_every_kind() -> None:
    """A kind that is added must be added here."""
    modules = (choice_kinds, codes, links, numbers, structured, texts, times)
    no_fields = {
        "Kind", "ListKind", "CodeKind", "StructuredKind", "_TagText", "CurrencyCode",
    }  # fmt: skip
    there = {
        found
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Kind) and found.__name__ not in no_fields
    }

    assert there - {type(kind) for kind in KINDS.values()} == set()


# in memory ------------------------------------------------------------------------------------------------------------


@every_kind
def test_a_value_survives_json(name: str) -> None:
    kind = KINDS[name]

    for value in samples(name):
        assert kind.load(through_json(kind.dump(value))) == value
        assert kind.load(value) == value


@every_kind
def test_a_value_survives_a_cell_of_a_table(name: str) -> None:
    kind = KINDS[name]

    for value in samples(name):
        assert kind.parse(kind.csv(value)) == value


@every_kind
def test_what_is_shown_is_what_the_schema_promises(name: str) -> None:
    schemas: Any = pytest.importorskip("jsonschema_rs")
    # The formats `email` and `uri` know no international addresses, and are only a hint.
    formats = name in {"on", "at"}
    described = schemas.Draft202012Validator(KINDS[name].json_schema(), validate_formats=formats)

    for value in samples(name):
        shown = through_json(KINDS[name].dump(value))
        assert described.is_valid(shown), shown


@every_kind
def test_people_read_something_in_both_languages(name: str) -> None:
    kind = KINDS[name]

    for value in samples(name, most=3):
        for locale in ("en", "ru"):
            shown = kind.format(value, locale)
            assert isinstance(shown, str)
            assert shown or value in ("", [])
        assert isinstance(kind.search_text(value), str)


@every_kind
def test_a_model_reads_and_writes_what_the_kind_does(name: str) -> None:
    for value in samples(name, most=3):
        dumped = through_json(KINDS[name].dump(value))
        if dumped == "":
            continue
        model = patch_schema(INFO)
        made = model.model_validate({name: dumped})

        assert getattr(made, name) == value
        assert through_json(made.model_dump(exclude_unset=True)[name]) == dumped


@every_kind
def test_two_values_are_compared_like_the_values_of_python(name: str) -> None:
    kind = KINDS[name]
    found = samples(name)

    for op in kind.operators & {"eq", "ne"}:
        for one in found[:6]:
            for other in found[:6]:
                assert kind.matches(op, one, other) == ((one == other) == (op == "eq"))


# Not one of these is a value of any kind but JSON.
NONSENSE: list[Any] = [
    None, object(), b"bytes", math.nan, math.inf, -math.inf, 1e300, 10**30, -(10**30), 2**63, "\x00", "a\x00b",
    "\ud800", "x\udfff", "x" * 200_000, {"amount": "1"}, {"amount": math.nan, "currency": "EUR"},
    {"amount": "NaN", "currency": "EUR"}, {"family": "\x00"}, {"family": "a\ud800"}, {"family": 1}, {1: 2},
    ["\x00"], ["x" * 1000], [["a"]], ["s"] * 200, [None], Decimal("NaN"), Decimal("Infinity"), Decimal("sNaN"),
    Decimal("1E+999999999"), Decimal("1E-999999999"), 1j, date, {"name": "x"}, set("s"),
]  # fmt: skip
# What one kind takes although the others do not.
FITTING: dict[str, list[Any]] = {
    "data": [
        {"amount": "NaN", "currency": "EUR"}, {"amount": "1"}, {"name": "x"}, {"family": 1}, [["a"]], 1e300, 2**63,
        ["s"] * 200, ["x" * 1000], [None],
    ],
    "sizes": [["s"] * 200],
    "markup": [], "roubles": [{"amount": "1"}],
}  # fmt: skip


@every_kind
def test_nonsense_is_refused_in_a_sentence(name: str) -> None:
    kind = KINDS[name]
    for wrong in NONSENSE:
        if any(wrong is one or repr(wrong) == repr(one) for one in FITTING.get(name, [])):
            continue
        with pytest.raises(ValueError) as refused:
            pytest.fail(f"{name} takes {wrong!r} as {kind.load(wrong)!r}")
        assert is_sentence(str(refused.value)), str(refused.value)


def is_sentence(words: str) -> bool:
    return len(words.split()) > 2 and words.rstrip()[-1] in ".?"


HOSTILE = [
    "1e999999999", "-1e999999999", "1e-999999999", "9" * 5_000, "9" * 5_000 + "s", "NaN", "Infinity", "sNaN", "\x00",
    "a\ud800", "[" * 100_000, '{"a":' * 100_000, "x" * 200_000, '"\\u0000"', '{"name": "\\u0000"}', "NaN EUR",
]  # fmt: skip


@every_kind
def test_a_hostile_cell_is_refused_in_a_sentence_or_read_as_text(name: str) -> None:
    """`1e999999999` fits into a cell, but its digits fill a gigabyte."""
    kind = KINDS[name]
    for wrong in HOSTILE:
        try:
            value = kind.parse(wrong)
        except ValueError as refused:
            assert is_sentence(str(refused)), str(refused)
        else:
            as_text = texts.TextKind | structured.StructuredKind | choice_kinds.ListKind
            assert isinstance(kind, as_text) or value == 0.0, wrong[:20]
            assert kind.load(through_json(kind.dump(value))) == value


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["s", "RU", "ru", "EUR", "2026-01-31", "2026-01-31T10:00:00+03:00", "12.50", "a@b.co",
                       "https://a.co", "<b>x</b>", "+79261234567", "&#1;", "<script>x</script> y"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["amount", "currency", "family", "given", "city", "x"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@every_kind
@given(ANY_JSON)
@settings(max_examples=60, deadline=None)
def test_whatever_json_comes_is_a_value_that_stays_or_is_refused(name: str, raw: object) -> None:
    kind = KINDS[name]
    try:
        value = kind.load(raw)
    except ValueError as refused:
        assert is_sentence(str(refused)), str(refused)
    else:
        assert kind.load(through_json(kind.dump(value))) == value
        assert kind.parse(kind.csv(value)) == value or value == ""


@every_kind
@given(
    st.text(max_size=20)
    | st.from_regex(r"[-+]?[0-9 ]{1,12}([.,][0-9]{1,4})? ?[A-Z%d]{0,3}", fullmatch=True)
)
@settings(max_examples=60, deadline=None)
def test_whatever_people_write_is_a_value_that_stays_or_is_refused(name: str, written: str) -> None:
    kind = KINDS[name]
    try:
        value = kind.parse(written)
    except ValueError as refused:
        assert is_sentence(str(refused)), str(refused)
    else:
        assert kind.load(through_json(kind.dump(value))) == value
        assert kind.parse(kind.csv(value)) == value or value == ""


# one kind at a time ---------------------------------------------------------------------------------------------------


def test_text_of_one_line_is_composed_trimmed_and_kept_on_one_line() -> None:
    assert texts.TextKind().load("  e\u0301\n\tx ") == "é x"
    assert texts.TextKind(lines=True).load(" a\n\tb ") == "a\n\tb"


def test_text_has_a_bound_before_and_after_it_is_composed() -> None:
    with pytest.raises(ValueError, match="may have 3 characters here"):
        texts.TextKind(max_length=3).load("abcd")


def test_a_script_never_gets_as_far_as_the_database() -> None:
    kind = texts.RichTextKind()

    assert kind.load("<p onclick=x()>a<script>alert(1)</script></p>") == "<p>a</p>"
    assert "javascript" not in kind.load('<a href="javascript:alert(1)">x</a>')
    assert kind.load("<script>x</script> after") == "after"
    assert kind.search_text("<p>один<br>two</p>").split() == ["один", "two"]


def test_markup_is_bounded_as_it_is_stored() -> None:
    """An ampersand grows fivefold when it is written as HTML."""
    with pytest.raises(ValueError, match="may have 10 characters"):
        texts.RichTextKind(max_length=10).load("&&&&&")


def test_a_link_can_never_be_a_script() -> None:
    for wrong in (
        "javascript:alert(1)",
        "//example.com",
        "ftp://a.co",
        "https://",
        "https://a b",
        "https://[x",
    ):
        with pytest.raises(ValueError, match="is not a web address"):
            texts.UrlKind().load(wrong)
    assert texts.UrlKind().parse("example.com/x") == "https://example.com/x"


def test_a_whole_number_may_be_written_as_a_float_that_is_whole() -> None:
    kind = numbers.IntegerKind(at_least=0, at_most=10)

    assert kind.load(3.0) == 3
    assert kind.parse("1 0") == 10
    for wrong in (3.5, True, "3", 11, -1):
        with pytest.raises(ValueError, match="whole number|must be from"):
            kind.load(wrong)


def test_a_length_of_time_is_written_as_people_do() -> None:
    kind = numbers.DurationKind()

    assert [kind.parse(t) for t in ("1h30m", "2d 3h", "90", "45 m", "10s")] == [
        5400,
        183600,
        90,
        2700,
        10,
    ]
    with pytest.raises(ValueError, match="is not a number|is not a whole number"):
        kind.parse("m5")


def test_an_ambiguous_comma_is_refused() -> None:
    kind = numbers.DecimalKind()

    assert kind.parse("1 200,50") == Decimal("1200.50")
    with pytest.raises(ValueError, match="is not a number"):
        kind.parse("1,200")


def test_a_decimal_is_never_a_json_number() -> None:
    """0.1 as a float is not 0.1."""
    with pytest.raises(ValueError, match="A decimal as text"):
        numbers.DecimalKind().load(0.1)
    with pytest.raises(ValueError, match="At most 2 decimal places"):
        numbers.DecimalKind().load("0.001")


def test_a_decimal_is_written_without_an_exponent() -> None:
    kind = numbers.DecimalKind(places=9)

    assert kind.dump(kind.load("0")) == "0.000000000"
    assert kind.dump(kind.load("0.000000001")) == "0.000000001"


@pytest.mark.parametrize("code", sorted(CURRENCIES))
def test_money_of_every_currency_is_shown_as_its_schema_says(code: str) -> None:
    schemas: Any = pytest.importorskip("jsonschema_rs")
    kind = numbers.MoneyKind()
    for minor in (0, 1, -123456):
        assert schemas.is_valid(kind.json_schema(), kind.dump(Money(minor, code)))


def test_money_takes_the_currency_of_the_field_where_none_is_given() -> None:
    kind = numbers.MoneyKind(currency="RUB")

    assert kind.load({"amount": "1.50"}) == kind.parse("1,50") == Money(150, "RUB")
    assert kind.parse("1.50 EUR") == Money(150, "EUR")
    with pytest.raises(ValueError, match="currency"):
        numbers.MoneyKind().load({"amount": "1.50"})


def test_money_stays_small_enough_to_be_compared_across_currencies() -> None:
    """Lists are sorted by ten-thousandths; a yen has no minor unit, so it grows most."""
    kind = numbers.MoneyKind()
    for raw in ("999999999999999 JPY", "10000000000000 JPY"):
        with pytest.raises(ValueError, match="it stays below 10000000000000 JPY"):
            kind.parse(raw)
    with pytest.raises(ValueError, match="too large"):
        kind.load(Money(10**18, "EUR"))


def test_a_key_of_a_choice_is_stronger_than_a_label() -> None:
    """A cell holds the key that was exported, even where another choice is labelled so."""
    kind = choice_kinds.ChoiceKind({"open": "New", "new": "Open"})

    assert [kind.parse(w) for w in ("open", "new", " OPEN ")] == ["open", "new", "open"]
    with pytest.raises(ValueError, match=r"is not one of open, new\. Did you mean 'open'\?"):
        kind.load("opne")


def test_a_tag_holds_no_sign_that_separates_tags() -> None:
    kind = choice_kinds.TagsKind()

    assert kind.parse("vip; опт, vip,, ") == ["vip", "опт"]
    for wrong in (["a,b"], ["a;b"], [" "], ["x" * 61]):
        with pytest.raises(ValueError, match="tag|characters"):
            kind.load(wrong)


def test_a_code_is_strict_in_json_and_lenient_in_a_cell() -> None:
    assert codes.CountryKind().parse("ru") == codes.CountryKind().parse("Россия") == "RU"
    assert codes.LanguageKind().parse("RU") == "ru"
    with pytest.raises(ValueError, match=r"is not a code of ISO 3166-1, such as RU\."):
        codes.CountryKind().load("ru")


def test_a_moment_without_its_offset_is_refused() -> None:
    kind = times.InstantKind()

    assert kind.load("2026-01-31T13:00:00+03:00") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert kind.parse("31.01.2026") == datetime(2026, 1, 31, tzinfo=UTC)
    for wrong in ("2026-01-31T13:00:00", datetime(2026, 1, 31)):  # noqa: DTZ001 - that is the point
        with pytest.raises(ValueError, match="needs its offset"):
            kind.load(wrong)
    with pytest.raises(ValueError, match="lies outside the years"):
        kind.load(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))))


def test_a_day_is_a_day_of_the_calendar() -> None:
    kind = times.DayKind()

    assert {kind.parse(t) for t in ("2026-01-31", "31.1.2026", "20260131")} == {date(2026, 1, 31)}
    for wrong in ("2026-02-30", "31/01/2026", "2026-1-31", "2026-01-31T00:00"):
        with pytest.raises(ValueError, match="is not a da"):
            kind.load(wrong)


def test_a_name_with_a_title_loses_nothing_in_a_cell() -> None:
    kind = structured.PersonNameKind()

    assert kind.csv(PersonName("Иванова", "Анна", "Петровна")) == "Иванова, Анна Петровна"
    titled = PersonName("Smith", "John", prefix="Dr.")
    assert kind.parse(kind.csv(titled)) == titled


def test_a_file_is_described_and_carries_no_path() -> None:
    kind = structured.FileKind(most_bytes=10, types=("text/plain",))
    good = {"name": "a.txt", "type": "text/plain", "size": 3, "sha256": "0" * 64}

    assert kind.load(good) == good
    for wrong in (
        {"name": "../a"}, {"name": ""}, {"name": "."}, {"type": "text/html"}, {"type": "x"}, {"size": 11},
        {"size": -1}, {"size": True}, {"sha256": "0" * 63}, {"sha256": "G" * 64}, {"more": 1},
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"\."):
            kind.load(good | wrong)


def test_json_holds_nothing_that_one_of_the_databases_refuses() -> None:
    """PostgreSQL has no NUL, and NaN is no JSON."""
    kind = structured.JsonKind()
    for wrong in (
        "a\x00",
        {"\x00": 1},
        [["\x00"]],
        math.nan,
        [math.inf],
        {"a": {"b": -math.inf}},
        "\ud800",
    ):
        with pytest.raises(ValueError, match=r"JSON|NUL"):
            kind.load(wrong)
    assert kind.load("\\u0000") == "\\u0000"


def test_json_is_what_comes_back() -> None:
    """A date would be stored as text, and the record would change behind the back of its writer."""
    kind = structured.JsonKind()
    for wrong in (
        date(2026, 1, 1),
        datetime(2026, 1, 1, tzinfo=UTC),
        Money(1, "EUR"),
        SIZES.keys(),
    ):
        with pytest.raises(ValueError, match="not a JSON value"):
            kind.load(wrong)
    with pytest.raises(ValueError, match="may have 65536 bytes"):
        kind.load("x" * 70_000)


# in the database ------------------------------------------------------------------------------------------------------


def test_every_value_is_read_back_equal_through_the_orm(
    app: App, values: Callable[[], dict[str, Any]]
) -> None:
    written: dict[str, dict[str, Any]] = {}
    with app.acting_as(SYSTEM, face="test") as ctx:
        for number in range(20):
            thing = values()
            for name, edges in EDGES.items():
                thing[name] = edges[number % len(edges)]
            if number % 2:
                thing |= {f"{name}_2": value for name, value in thing.items()}
            written[ctx.add(Thing(**thing)).id] = thing

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        for key, thing in written.items():
            record = ctx.get(Thing, key)
            missing = {f"{n}_2" for n in REQUIRED} - thing.keys()
            assert {n: record.get(n) for n in thing} == thing
            assert {record.get(n) for n in missing} in ({None}, set())


def test_a_raw_row_shows_what_the_record_shows(
    app: App, values: Callable[[], dict[str, Any]]
) -> None:
    """Lists build no objects; what they render from the stored form must be the same JSON."""
    names = tuple(INFO.visible)
    with app.acting_as(SYSTEM, face="test") as ctx:
        keys = []
        for number in range(12):
            thing = values()
            for name, edges in EDGES.items():
                thing[name] = edges[number % len(edges)]
            if number % 2:
                thing |= {f"{name}_2": value for name, value in thing.items()}
            keys.append(ctx.add(Thing(**thing)).id)

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        read = reader(INFO, names, sqlite=app.db.is_sqlite)
        query = read.select_from(INFO.table).where(INFO.table.c.id.in_(keys))
        shown = [through_json(read.render(row)) for row in ctx.connection.execute(query)]

        assert len(shown) == 12
        for row in shown:
            record = ctx.get(Thing, row["id"])
            assert row == through_json(record_dict(ctx, record))
            for name in names:
                value = record.get(name)
                dumped = None if value is None else INFO.fields[name].kind.dump(value)
                assert row[name] == through_json(dumped)


def test_a_part_of_the_fields_is_rendered_like_the_whole(
    app: App, values: Callable[[], dict[str, Any]]
) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.add(Thing(**values()))
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        whole = list_page(ctx, INFO, Question()).rows[0]
        for name in REQUIRED:
            part = list_page(ctx, INFO, Question(fields=(name,))).rows[0]
            assert through_json(part) == through_json({"id": whole["id"], name: whole[name]})


def test_what_input_holds_is_stored_and_shown_again(
    app: App, values: Callable[[], dict[str, Any]]
) -> None:
    """The way of a face: JSON to values, an action, and the row back to the same JSON."""
    body = {n: through_json(KINDS[n].dump(v)) for n, v in values().items()}
    read = load(create_schema(INFO), body)
    with app.acting_as(SYSTEM, face="test") as ctx:
        made = ctx.run(app.registry.action("kkinds.thing.create"), data=read)
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        shown = list_page(ctx, INFO, Question()).rows[0]

    assert {n: through_json(shown[n]) for n in body} == body
    assert shown["id"] == made.public_id
    assert all(shown[f"{n}_2"] is None for n in REQUIRED)


def test_input_that_cannot_be_taken_is_answered_field_by_field() -> None:
    with pytest.raises(Invalid) as refused:
        load(
            create_schema(INFO), {"words": "", "number": "1", "wodrs": "x", "price": {"amount": 1}}
        )

    problems = {problem.pointer: problem for problem in refused.value.errors}
    assert problems["/words"].detail == "This must not be empty."
    assert problems["/number"].detail == "A whole number is expected here, text was sent."
    assert (
        problems["/wodrs"].detail
        == "There is no field 'wodrs' here. Did you mean 'words' or 'words_2'?"
    )
    assert problems["/price"].detail.startswith("Money is ")
    assert problems["/exact"].detail == "This is required."


def test_the_change_log_keeps_the_very_values_before(
    app: App, values: Callable[[], dict[str, Any]], rows: Callable[..., list[Any]]
) -> None:
    """Of every kind, from a value to another, to nothing, and from nothing; no field that stayed as it was."""
    update = app.registry.action("kkinds.thing.update")
    first, second = values(), values()
    with app.acting_as(SYSTEM, face="test") as ctx:
        key = ctx.add(Thing(**first)).id
    steps = [
        second, {f"{name}_2": value for name, value in first.items()},
        {f"{name}_2": value for name, value in second.items()}, {f"{name}_2": None for name in first}, first | second,
    ]  # fmt: skip
    state = first | {f"{name}_2": None for name in first}
    for step in steps:
        changed = {name: state[name] for name, value in step.items() if state[name] != value}
        with app.acting_as(SYSTEM, face="test") as ctx:
            ctx.run(update, key, step)
        state |= step
        if changed:
            before = rows(CHANGE, record_id=key)[-1]["before"]
            assert before == {n: as_json(n, value) for n, value in changed.items()}
    assert [c["kind"] for c in rows(CHANGE, record_id=key)] == ["create"] + ["update"] * 4


def test_the_change_log_keeps_a_purged_record_whole(
    app: App, values: Callable[[], dict[str, Any]], rows: Callable[..., list[Any]]
) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        thing = ctx.add(Thing(**values()))
    whole = {name: as_json(name, thing.get(name)) for name in INFO.fields}
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.run(app.registry.action("kkinds.thing.purge"), thing.id)

    purge = rows(CHANGE, record_id=thing.id)[-1]
    assert (purge["kind"], purge["rev"], purge["before"]) == ("purge", 2, whole)
    again = {
        name: INFO.fields[name].kind.load(value)
        for name, value in whole.items()
        if value is not None
    }
    assert {name: thing.get(name) for name in again} == again


def as_json(name: str, value: Any) -> Any:
    return None if value is None else through_json(INFO.fields[name].kind.dump(value))


# a kind of one's own --------------------------------------------------------------------------------------------------


@pytest.fixture
def colours(app: App, values: Callable[[], dict[str, Any]]) -> list[str]:
    """Give the colours of some things, unsorted."""
    shades = ["#ff8800", "#000000", "#00ff00", "#ffffff", "#0000ff"]
    with app.acting_as(SYSTEM, face="test") as ctx:
        for shade in shades:
            ctx.add(Thing(**values() | {"colour": shade}))
    return shades


def test_a_kind_of_a_plugin_is_filtered_by(app: App, colours: list[str]) -> None:
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:

        def found(question: str) -> set[str]:
            page = list_page(ctx, INFO, Question(filter=parse(question)))
            return {row["colour"] for row in page.rows}

        assert found('colour = "#FF8800"') == {"#ff8800"}
        assert found("colour in (000000, 00ff00)") == {"#000000", "#00ff00"}
        assert found('colour > "#00ff00"') == {"#ff8800", "#ffffff"}
        assert found("colour_2 is null") == set(colours)
        with pytest.raises(Invalid, match=r"A colour is written like #ff8800\."):
            found("colour = red")


def test_a_kind_of_a_plugin_is_sorted_and_paged_by(app: App, colours: list[str]) -> None:
    seen, after = [], None
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        while True:
            page = list_page(ctx, INFO, Question(sort="-colour", limit=2, after=after))
            seen += [row["colour"] for row in page.rows]
            after = page.after
            if after is None:
                break

    assert seen == sorted(colours, reverse=True)


def test_a_kind_of_a_plugin_is_read_from_input() -> None:
    with pytest.raises(Invalid) as refused:
        load(patch_schema(INFO), {"colour": "red", "colour_2": "#00FF00"})

    assert [p.pointer for p in refused.value.errors] == ["/colour", "/colour_2"]
    assert load(patch_schema(INFO), {"colour_2": None}) == {"colour_2": None}
