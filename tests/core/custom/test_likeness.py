"""A custom field is a field like any other: beside a declared one of the same kind nobody could tell which is which."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Mapped

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.custom.entities import CustomField
from clientela.customers.entities import Customer
from clientela.entity import Entity
from clientela.errors import Invalid
from clientela.exchange import export_csv, import_file
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
    instant,
    integer,
    json,
    language,
    money,
    percent,
    person_name,
    phone,
    ref,
    rich_text,
    tags,
    text,
    url,
)
from clientela.filters import Compare, Scalar
from clientela.plugins.card import Plugin
from clientela.query import Question, list_page
from clientela.schemas import create_schema, load
from clientela.values import Money, PersonName, PostalAddress

SIZES = {"s": "Small", "m": "Medium", "l": "Large"}


class Twin(Entity, plugin="twins", label="Twin", prefix="twi"):
    """A record whose declared fields have custom twins."""

    code: Mapped[str] = text(max_length=40)
    v_text: Mapped[str | None] = text(max_length=24)
    v_long_text: Mapped[str | None] = text(max_length=60, lines=True)
    v_rich_text: Mapped[str | None] = rich_text(max_length=100)
    v_integer: Mapped[int | None] = integer(at_least=-5, at_most=5_000)
    v_decimal: Mapped[Decimal | None] = decimal(places=3, at_least=0)
    v_percent: Mapped[Decimal | None] = percent(places=1)
    v_money: Mapped[Money | None] = money(currency="EUR")
    v_boolean: Mapped[bool | None] = boolean()
    v_day: Mapped[date | None] = day()
    v_instant: Mapped[datetime | None] = instant()
    v_duration: Mapped[int | None] = duration()
    v_choice: Mapped[str | None] = choice(SIZES)
    v_choices: Mapped[list[str] | None] = choices(SIZES, default_factory=lambda: None)
    v_tags: Mapped[list[str] | None] = tags(default_factory=lambda: None)
    v_email: Mapped[str | None] = email()
    v_phone: Mapped[str | None] = phone(region="RU")
    v_url: Mapped[str | None] = url()
    v_address: Mapped[PostalAddress | None] = address()
    v_person_name: Mapped[PersonName | None] = person_name()
    v_country: Mapped[str | None] = country()
    v_language: Mapped[str | None] = language()
    v_currency: Mapped[str | None] = currency()
    v_json: Mapped[Any | None] = json()
    v_ref_id: Mapped[str | None] = ref(Customer)


LISTED = {"options": [{"key": key, "label": label} for key, label in SIZES.items()]}
OPTIONS: dict[str, dict[str, Any]] = {
    "text": {"max_length": 24},
    "long_text": {"max_length": 60},
    "rich_text": {"max_length": 100},
    "integer": {"at_least": -5, "at_most": 5_000},
    "decimal": {"places": 3, "at_least": "0"},
    "percent": {"places": 1},
    "money": {"currency": "EUR"},
    "choice": LISTED,
    "choices": LISTED,
    "phone": {"region": "RU"},
    "ref": {"target": "core.customer"},
}
KINDS = [
    name.removeprefix("v_").removesuffix("_id")
    for name in Twin.info.fields
    if name.startswith("v_")
]

# What people and programs send, right and wrong.
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=70),
    st.sampled_from(
        ["", " ", "2026-02-30", "2026-01-31", "2026-01-31T10:00:00+03:00", "12.5", "1e5", "RU", "ru", "\x00"]
    ),
    st.lists(st.sampled_from(["s", "m", "vip", "a;b", 3]), max_size=4),
    st.dictionaries(
        st.sampled_from(["amount", "currency", "city", "family", "x"]),
        st.sampled_from(["1.50", "EUR", "", 3]),
        max_size=3,
    ),
)  # fmt: skip


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin(name="twins", title="Twins", entities=[Twin])]


def names(kind: str) -> tuple[str, str]:
    """Give the declared and the custom field of a kind."""
    ending = "_id" if kind == "ref" else ""
    return f"v_{kind}{ending}", f"x_{kind}{ending}"


def defined(app: App, kind: str) -> None:
    values = {
        "entity": "twins.twin", "name": names(kind)[1], "kind": kind, "label": kind.capitalize(),
        "options": OPTIONS.get(kind, {}),
    }  # fmt: skip
    with app.acting_as(SYSTEM, face="test") as ctx:
        create = app.registry.action("core.custom_field.create")
        ctx.run(create, data=load(create_schema(CustomField.info), values))


def said(app: App, name: str, raw: object) -> Any:
    """Give the value that a field takes, or what is said against it."""
    model = create_schema(app.registry.entity("twins.twin"), app.home)
    try:
        return load(model, {"code": "one", name: raw})[name]
    except Invalid as refused:
        return [(error.code, str(error.detail)) for error in refused.errors]


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=JUNK, seed=st.integers(0, 10_000), sampled=st.booleans())
def test_both_take_and_refuse_the_same_with_the_same_sentence(
    app: App, kind: str, raw: object, seed: int, sampled: bool
) -> None:
    declared, custom = names(kind)
    if custom not in app.registry.entity("twins.twin").fields:
        defined(app, kind)
    if sampled:
        sample = Twin.info.fields[declared].kind
        raw = sample.dump(sample.sample(random.Random(seed)))

    assert said(app, declared, raw) == said(app, custom, raw)


def written(app: App, kind: str, seed: int) -> list[Any]:
    """Write records with made-up values, the same in both fields; give the values."""
    declared, custom = names(kind)
    rng = random.Random(seed)
    one = Twin.info.fields[declared].kind
    create = app.registry.action("twins.twin.create")
    with app.acting_as(SYSTEM, face="test") as ctx:
        if kind == "ref":
            customer = app.registry.action("core.customer.create")
            people = [ctx.run(customer, data={"name": f"Customer {n}"}).id for n in range(3)]
            values = [rng.choice(people) for _ in range(7)]
        else:
            values = [one.sample(rng) for _ in range(7)]
        for number, value in enumerate([*values, None]):
            ctx.run(create, data={"code": f"twin {number}", declared: value, custom: value})
    return values


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_both_are_shown_filtered_and_sorted_alike(app: App, kind: str, seed: int) -> None:
    declared, custom = names(kind)
    defined(app, kind)
    values = written(app, kind, seed)
    one = Twin.info.fields[declared].kind

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:

        def asked(**how: Any) -> list[dict[str, Any]]:
            page = list_page(ctx, Twin.info, Question(limit=200, **how))
            rows: list[dict[str, Any]] = orjson.loads(orjson.dumps(page.rows))
            return rows

        def codes(**how: Any) -> list[str]:
            return [row["code"] for row in asked(**how)]

        def walked(sort: str) -> list[str]:
            found, after = [], None
            while True:
                page = list_page(
                    ctx, Twin.info, Question(sort=sort, limit=3, after=after, fields=("code",))
                )
                found += [row["code"] for row in page.rows]
                after = page.after
                if after is None:
                    return found

        assert [row[declared] for row in asked()] == [row[custom] for row in asked()]
        for mine, other in questions(declared, custom, values):
            assert codes(filter=mine) == codes(filter=other), mine
        assert codes(filter=Compare((custom,), "null", True)) == ["twin 7"]
        for sign in ("", "-") if one.sortable else ():
            assert walked(f"{sign}{declared},code") == walked(f"{sign}{custom},code")


def questions(declared: str, custom: str, values: list[Any]) -> Iterator[tuple[Compare, Compare]]:
    """Give the same questions about both fields: every operator, and what is missing of every part."""
    one = Twin.info.fields[declared].kind
    first, second = one.dump(values[0]), one.dump(values[1])
    rights: dict[str, Any] = {"in": (Scalar(first), Scalar(second))}
    rights |= dict.fromkeys(("contains", "starts", "ends"), Scalar("o"))
    if isinstance(first, list):
        rights["has"] = Scalar([*first, *second, "s"][0])
    for op in sorted(one.operators):
        right = rights.get(op, Scalar(first))
        yield Compare((declared,), op, right), Compare((custom,), op, right)
    for path in ((), *((part,) for part in one.parts)):
        yield Compare((declared, *path), "null", True), Compare((custom, *path), "null", True)


@pytest.mark.parametrize("kind", KINDS)
def test_both_go_out_and_come_in_alike(app: App, kind: str) -> None:
    declared, custom = names(kind)
    defined(app, kind)
    written(app, kind, 3)

    def exported(*columns: str) -> bytes:
        with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
            return b"".join(export_csv(ctx, Twin.info, Question(sort="code"), ("code", *columns)))

    apart = [exported(declared), exported(custom)]
    both = exported(declared, custom).replace(b"twin", b"copy")
    report = import_file(app, SYSTEM, Twin.info, io.BytesIO(both))
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        page = list_page(ctx, Twin.info, Question(sort="code", fields=("code", declared, custom)))
        rows = orjson.loads(orjson.dumps(page.rows))
    copies, twins = rows[:8], rows[8:]

    assert apart[0].split(b"\r\n")[1:] == apart[1].split(b"\r\n")[1:]
    assert (report.created, report.failed) == (8, 0)
    assert [row[custom] for row in copies] == [row[declared] for row in copies]
    # An empty cell says nothing, so an empty list comes back as none, in both.
    assert [row[custom] or None for row in copies] == [row[custom] or None for row in twins]
