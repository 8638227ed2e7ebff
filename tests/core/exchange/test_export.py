from __future__ import annotations

import csv
import io
import random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from clientela.access.principal import SYSTEM, Principal, RoleRules
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.errors import Forbidden, Invalid
from clientela.exchange import export_csv, export_jsonl, import_file
from clientela.exchange.guarding import guarded, is_risky, unguarded
from clientela.exchange.quick import quick_email, quick_parser, quick_phone, quick_text
from clientela.kinds.text import EmailKind, PhoneKind, TextKind
from clientela.normalize import normalize_email, normalize_phone
from clientela.query import Question


def exported(app: App, entity: Any, *columns: str, principal: Any = SYSTEM, **how: Any) -> bytes:
    question = how.pop("question", Question(sort="id"))
    with app.acting_as(principal, face="test", writing=False) as ctx:
        return b"".join(export_csv(ctx, entity.info, question, columns, **how))


def table(data: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_a_file_has_field_names_and_rows(app, take):
    take(Customer, "name,email,birth_date,family\nAnna,a@b.com,1990-01-31,\nЯн,,,Кац\n")

    data = exported(app, Customer, "name", "email", "birth_date", "person.family", "tags")

    assert data.decode() == (
        "name,email,birth_date,person.family,tags\r\nAnna,a@b.com,1990-01-31,,\r\nЯн,,,Кац,\r\n"
    )


def test_excel_gets_semicolons_and_a_mark(app, take):
    take(Customer, "name\nАнна\n")
    assert exported(app, Customer, "name", excel=True) == "\ufeffname\r\nАнна\r\n".encode()
    assert exported(app, Customer, "name", "email", excel=True).startswith(
        b"\xef\xbb\xbfname;email"
    )


def test_objects_are_those_of_a_list(app, take):
    take(Customer, "name,tags\nAnna,vip; press\n")
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        data = b"".join(export_jsonl(ctx, Customer.info, Question(), ("name", "tags")))
    (row,) = [orjson.loads(line) for line in data.splitlines()]
    assert row["id"].startswith("cus_")
    assert (row["name"], row["tags"]) == ("Anna", ["vip", "press"])


def test_an_export_obeys_the_question(app, take):
    take(Customer, "name\nAnna\nBoris\n")
    question = Question(search="bori")
    assert exported(app, Customer, "name", question=question) == b"name\r\nBoris\r\n"


# who may ------------------------------------------------------------------------------------------------------------


def role(*permissions: str, **more: Any) -> Principal:
    return Principal(
        kind="user", id="usr_x", name="x", roles=(RoleRules("r", permissions, **more),)
    )


def test_an_export_needs_its_permission(app):
    with pytest.raises(Forbidden, match="export"):
        exported(app, Customer, principal=role("core.customer.read"))


def test_masked_fields_are_left_out(app, take):
    take(Customer, "name,email,country\nAnna,a@b.com,DE\n")
    masked = role("*", hidden_classes=frozenset({"pii"}))

    data = exported(app, Customer, principal=masked)

    assert b"a@b.com" not in data
    assert b"Anna" not in data
    assert b"country" in data
    with pytest.raises(Invalid, match="email"):
        exported(app, Customer, "email", principal=masked)


def test_one_may_export_less_than_one_reads(app, take):
    take(Customer, "name,country\nAnna,DE\nBoris,FR\n")
    both = Principal(
        kind="user", id="usr_x", name="x",
        roles=(
            RoleRules("see", ("core.customer.read",)),
            RoleRules("take", ("core.customer.export",), {"core.customer": "country = DE"}),
        ),
    )  # fmt: skip
    assert exported(app, Customer, "name", principal=both) == b"name\r\nAnna\r\n"


# formulas -----------------------------------------------------------------------------------------------------------

FORMULAS = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\ufeff=1",
    "'=1", '"=1"', "＝1", "＋1", "－1", "＠a", '=HYPERLINK("http://x")', "+7 926 123", "-", "''=1",
    "+7926x", "«=1»",
]  # fmt: skip
HARMLESS = [
    "",
    "a",
    "1",
    "-5",
    "+5",
    "-5.20",
    "+79261234567",
    "a=b",
    "x-y",
    "'quoted'",
    "3@x",
    "«a»",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_gets_an_apostrophe(cell):
    assert guarded([cell]) == [f"'{cell}"]
    assert unguarded(f"'{cell}") == cell


@pytest.mark.parametrize("cell", HARMLESS)
def test_other_cells_stay_as_they_are(cell):
    assert guarded([cell]) == [cell]
    assert unguarded(cell) == cell


@given(st.text())
def test_what_is_guarded_comes_back(cell):
    (safe,) = guarded([cell])
    assert unguarded(safe) == cell
    assert not is_risky(safe) or safe.startswith("'")


# there and back -----------------------------------------------------------------------------------------------------


def everything(app: App, entity: Any) -> list[dict[str, Any]]:
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        data = b"".join(export_jsonl(ctx, entity.info, Question(sort="id")))
    rows = [orjson.loads(line) for line in data.splitlines()]
    return [{n: v for n, v in row.items() if n in entity.info.writable} for row in rows]


def emptied(app: App, entity: Any) -> None:
    with app.db.write() as connection:
        connection.execute(entity.info.table.delete())


AWKWARD = [
    "=1+1", "'=1", "two\nlines", "two\r\nlines", 'quo"te', "semi;colon, comma", "Ёж", "'", '"', "-", "a\tb",
    "\ufeffmark", "sep=;", "'quoted'", "100%",
]  # fmt: skip


def test_a_field_of_every_kind_comes_back(app, parcel):
    from sqlalchemy import select

    rng = random.Random(7)
    info = parcel.info
    kept = [f for n, f in info.writable.items() if f.target is None]
    with app.acting_as(SYSTEM, face="test") as ctx:
        for number, awkward in enumerate(AWKWARD):
            values = {f.name: f.kind.sample(rng) for f in kept if rng.random() < 0.8 or f.required}
            texts = {n: info.fields[n].kind.load(awkward) for n in ("note", "secret")}
            ctx.add(parcel(**values | {"code": f"C{number}"} | texts))
    before = everything(app, parcel)
    for excel in (False, True):
        data = exported(app, parcel, excel=excel)
        emptied(app, parcel)
        report = import_file(app, SYSTEM, info, io.BytesIO(data))
        assert report.groups == []
        assert everything(app, parcel) == before
    with app.db.read() as connection:
        assert len(connection.execute(select(info.table.c.id)).all()) == len(AWKWARD)


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
@given(data=st.data())
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_customers_come_back(app, data):
    texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
    people = st.fixed_dictionaries(
        {
            "name": texts,
            "note": texts,
            "source": texts,
            "family": texts,
            "seed": st.integers(0, 9999),
        }
    )
    emptied(app, Customer)
    with app.acting_as(SYSTEM, face="test") as ctx:
        for one in data.draw(st.lists(people, max_size=6)):
            _add_customer(ctx, one)
    before = everything(app, Customer)

    file = exported(app, Customer)
    emptied(app, Customer)
    report = import_file(app, SYSTEM, Customer.info, io.BytesIO(file))

    assert report.groups == []
    assert everything(app, Customer) == before


def _add_customer(ctx: Any, one: dict[str, Any]) -> None:
    from clientela.schemas import create_schema, load

    rng = random.Random(one["seed"])
    fields = Customer.info.fields
    raw = {
        n: fields[n].kind.sample(rng) for n in ("email", "phone", "country", "birth_date", "tags")
    }
    raw |= {"name": one["name"].strip() or "x", "note": one["note"], "source": one["source"]}
    if one["family"].strip():
        raw["person"] = {"family": one["family"], "given": "Anna Maria", "prefix": "Dr."}
    ctx.add(Customer(**load(create_schema(Customer.info), raw)))


# the fast ways ------------------------------------------------------------------------------------------------------


def agrees(quick: Any, slow: Any, text: str) -> None:
    fast = quick(text)
    if fast is None:
        return
    try:
        expected = slow(text)
    except ValueError as wrong:
        expected = wrong
    assert fast == expected


@given(st.text(st.characters(max_codepoint=0x250), max_size=12))
def test_quick_text_is_text(text):
    kind = TextKind(max_length=10)
    agrees(quick_text(kind), kind.parse, text)


@given(st.from_regex(r"\A[A-Za-z0-9._+-]{1,66}@[A-Za-z0-9.-]{1,30}\.[a-zA-Z]{1,4}\Z") | st.emails())
def test_quick_email_is_email(text):
    agrees(quick_email(EmailKind()), normalize_email, text)


@given(st.from_regex(r"\A\+(7[3-9][0-9]{9}|49[0-9]{6,11}|[1-9][0-9]{6,14})\Z"))
@hypothesis_settings(max_examples=500)
def test_quick_phone_is_phone(text):
    agrees(quick_phone(PhoneKind()), normalize_phone, text)


def test_only_kinds_without_rules_of_their_own_are_hurried():
    class Shouted(TextKind):
        """Text that a plugin reads its own way."""

    assert quick_parser(TextKind()) is not None
    assert quick_parser(Shouted()) is None
