"""Every format out, and in again; and what a spreadsheet makes of it."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import orjson
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from clientela.access.principal import SYSTEM, Principal, RoleRules
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.errors import Forbidden, Invalid, Misconfigured
from clientela.exchange import (
    ImportOptions,
    export,
    export_jsonl,
    format_of,
    import_file,
)
from clientela.exchange.guarding import is_risky, unguarded
from clientela.exchange.outputs import xlsx
from clientela.exchange.outputs.xlsx import sheet_name, wall_clock
from clientela.query import Question

FORMULAS = [
    "=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\ufeff=1",
    "'=1", '"=1"', "＝1", "＋1", "－1", "＠a", '=HYPERLINK("http://x")', "-", "''=1", "«=1»",
]  # fmt: skip
AWKWARD = [
    "=1+1", "'=1", "two\nlines", "two\r\nlines", 'quo"te', "semi;colon, comma", "Ёж", "'", '"', "-", "a\tb",
    "\ufeffmark", "sep=;", "'quoted'", "100%", "_x0041_", "007", "1e5", "true", "2026-01-31", "NaN", "{", "http://x.y",
]  # fmt: skip


def exported(app: App, entity: Any, format_: str, *columns: str, **how: Any) -> bytes:
    principal = how.pop("principal", SYSTEM)
    question = how.pop("question", Question(sort="id"))
    with app.acting_as(principal, face="test", writing=False) as ctx:
        return b"".join(export(ctx, entity.info, question, format_, columns, **how))


def everything(app: App, entity: Any) -> list[dict[str, Any]]:
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        data = b"".join(export_jsonl(ctx, entity.info, Question(sort="id")))
    rows = [orjson.loads(line) for line in data.splitlines()]
    return [{n: v for n, v in row.items() if n in entity.info.writable} for row in rows]


def emptied(app: App, entity: Any) -> None:
    with app.db.write() as connection:
        connection.execute(entity.info.table.delete())


def loaded(app: App, entity: Any, data: bytes, file: str) -> Any:
    return import_file(app, SYSTEM, entity.info, io.BytesIO(data), options=ImportOptions(file=file))


def cells(data: bytes) -> list[list[Any]]:
    (sheet, *_) = openpyxl.load_workbook(io.BytesIO(data)).worksheets
    return [list(row) for row in sheet.iter_rows()]


def clock(text: str) -> datetime:
    """Give a moment without a zone, as a cell holds it."""
    return datetime.fromisoformat(text)


# there and back -----------------------------------------------------------------------------------------------------


@pytest.fixture
def parcels(app, parcel):
    """A parcel for every awkward text, with fields of every kind filled at random."""
    rng = random.Random(7)
    kept = [f for n, f in parcel.info.writable.items() if f.target is None]
    with app.acting_as(SYSTEM, face="test") as ctx:
        for number, awkward in enumerate(AWKWARD):
            values = {f.name: f.kind.sample(rng) for f in kept if rng.random() < 0.8 or f.required}
            texts = {n: parcel.info.fields[n].kind.load(awkward) for n in ("note", "secret")}
            ctx.add(parcel(**values | {"code": f"C{number}"} | texts))
    return everything(app, parcel)


@pytest.mark.parametrize("format_", ["csv", "xlsx", "jsonl"])
def test_a_field_of_every_kind_comes_back(app, parcel, parcels, format_):
    data = exported(app, parcel, format_)
    emptied(app, parcel)

    report = loaded(app, parcel, data, f"parcels.{format_}")

    assert report.format == format_
    assert report.groups == []
    assert everything(app, parcel) == parcels


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("format_", ["csv", "xlsx", "jsonl"])
@given(data=st.data())
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_parcels_come_back(app, parcel, format_, data):
    texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=60)
    moments = st.datetimes(timezones=st.just(UTC))
    drawn = st.fixed_dictionaries(
        {"note": texts, "secret": texts, "picked_at": moments, "due": st.dates(date(1, 1, 1)),
         "weight": st.decimals(0, 1000, places=3), "pieces": st.integers(0, 2**63 - 1),
         "discount": st.decimals(0, 100, places=2)}
    )  # fmt: skip
    emptied(app, parcel)
    with app.acting_as(SYSTEM, face="test") as ctx:
        for number, values in enumerate(data.draw(st.lists(drawn, min_size=1, max_size=5))):
            kinds = {name: parcel.info.fields[name].kind for name in values}
            given = {name: kinds[name].load(value) for name, value in values.items() if value != ""}
            ctx.add(parcel(code=f"C{number}", **{n: v for n, v in given.items() if v != ""}))
    before = everything(app, parcel)

    file = exported(app, parcel, format_)
    emptied(app, parcel)
    report = loaded(app, parcel, file, f"x.{format_}")

    assert report.groups == []
    assert everything(app, parcel) == before


def test_parquet_has_types_and_groups_of_rows(app, parcel, parcels):
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(io.BytesIO(exported(app, parcel, "parquet")))

    kinds = {field.name: field.type for field in table.schema}
    assert kinds["weight"] == pa.decimal128(18, 3)
    assert kinds["price"] == pa.decimal128(19, 4)
    assert kinds["due"] == pa.date32()
    assert kinds["picked_at"] == pa.timestamp("us", tz="UTC")
    assert kinds["tags"] == pa.list_(pa.string())
    assert (kinds["fragile"], kinds["pieces"]) == (pa.bool_(), pa.int64())
    rows = table.to_pylist()
    assert [row["note"] for row in rows] == [row["note"] for row in parcels]
    assert [row["price"] and Decimal(row["price"]) for row in rows] == [
        row["price"] and Decimal(row["price"]["amount"]) for row in parcels
    ]


def test_parquet_without_its_library_says_how_to_get_it(app, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(Misconfigured, match=r"pip install 'clientela\[parquet\]'"):
        exported(app, Customer, "parquet")


# workbooks ----------------------------------------------------------------------------------------------------------


def test_a_workbook_has_types(app, parcel):
    with app.acting_as(SYSTEM, face="test") as ctx:
        from clientela.values import Money

        ctx.add(parcel(
            code="A", weight=Decimal("1.250"), discount=Decimal("12.50"), due=date(2026, 1, 31), fragile=True,
            picked_at=datetime(2026, 1, 31, 10, 5, tzinfo=UTC), price=Money.of(1200, "EUR"), pieces=7,
        ))  # fmt: skip
    columns = ("code", "weight", "discount", "due", "fragile", "picked_at", "price", "pieces")
    header, row = cells(exported(app, parcel, "xlsx", *columns))

    assert [cell.value for cell in header] == [*columns[:7], "price.currency", "pieces"]
    assert [cell.value for cell in row] == [
        "A", 1.25, 12.5, clock("2026-01-31"), True, clock("2026-01-31 10:05"), 1200, "EUR", 7,
    ]  # fmt: skip
    assert [cell.data_type for cell in row] == ["s", "n", "n", "d", "b", "d", "n", "s", "n"]


def test_what_a_cell_would_round_is_a_text(app, parcel):
    with app.acting_as(SYSTEM, face="test") as ctx:
        moment = datetime(2026, 1, 31, 10, 5, 0, 123456, tzinfo=UTC)
        ctx.add(parcel(code="A", pieces=2**62 + 1, due=date(1899, 12, 31), picked_at=moment))
    _header, row = cells(exported(app, parcel, "xlsx", "pieces", "due", "picked_at"))
    assert [cell.value for cell in row] == [
        str(2**62 + 1), "1899-12-31", "2026-01-31T10:05:00.123456Z",
    ]  # fmt: skip


def test_the_hour_that_comes_twice_keeps_its_offset():
    berlin = ZoneInfo("Europe/Berlin")
    once = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert wall_clock(once, berlin) == clock("2026-10-25 02:30")
    assert wall_clock(once + timedelta(hours=1), berlin) is None


def test_rows_beyond_a_sheet_go_on_the_next(app, take, monkeypatch):
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    take(Customer, "name\nA\nB\nC\nD\nE\n")
    book = openpyxl.load_workbook(io.BytesIO(exported(app, Customer, "xlsx", "name")))
    assert book.sheetnames == ["Customers", "Customers 2", "Customers 3"]
    names = [[c.value for c in sheet["A"]] for sheet in book.worksheets]
    assert names == [["name", "A", "B"], ["name", "C", "D"], ["name", "E"]]


def test_a_text_too_long_for_a_cell_is_refused_and_never_cut(app, parcel):
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.add(parcel(code="A", data={"long": "x" * 40_000}))
    with pytest.raises(Invalid, match="Row 2: data does not fit"):
        exported(app, parcel, "xlsx")
    assert b"x" * 40_000 in exported(app, parcel, "csv")


@pytest.mark.parametrize("title", ["History of [all] things: a/b*c?", "'", "x" * 50])
def test_any_title_names_a_sheet(title):
    import xlsxwriter

    book = xlsxwriter.Workbook(io.BytesIO())
    book.add_worksheet(sheet_name(title))
    book.close()


# formulas -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_no_spreadsheet_computes_what_was_exported(app, parcel):
    blanks = ["", " ", "\t", "\n", "\u00a0", "\ufeff", "'", '"', "\u200b", "\u2060", " '", "\u3000"]
    with app.acting_as(SYSTEM, face="test") as ctx:
        for number, formula in enumerate(b + f for b in blanks for f in FORMULAS):
            ctx.add(
                parcel(
                    code=f"C{number:04}",
                    note=parcel.info.fields["note"].kind.load("x" + formula)[1:],
                )
            )
    stored = [row["note"] or "" for row in everything(app, parcel)]

    workbook = cells(exported(app, parcel, "xlsx", "note"))[1:]
    text = exported(app, parcel, "csv", "note").decode()
    table = [row for (row,) in csv.reader(io.StringIO(text, newline=""))][1:]

    assert {cell.data_type for (cell,) in workbook} == {"s"}
    shown = [unescape(str(cell.value)) for (cell,) in workbook]
    for written in (shown, table):
        assert all(one.startswith("'") for one in written if is_risky(one))
        assert [unguarded(one).replace("\r\n", "\n") for one in written] == [
            one.replace("\r\n", "\n") for one in stored
        ]


# asking -------------------------------------------------------------------------------------------------------------


def test_excel_csv_is_a_form_of_csv(app, take):
    take(Customer, "name,email\nАнна,a@b.com\n")
    assert exported(app, Customer, "csv", "name", "email", excel=True) == (
        "\ufeffname;email\r\nАнна;a@b.com\r\n".encode()
    )
    with pytest.raises(Invalid, match="Only CSV"):
        exported(app, Customer, "xlsx", excel=True)


@pytest.mark.parametrize("format_", ["csv", "xlsx", "jsonl", "parquet"])
def test_rows_are_counted(app, take, format_):
    take(Customer, "name\nA\nB\nC\n")
    heard: list[int] = []
    exported(app, Customer, format_, heard=heard.append)
    assert sum(heard) == 3


@pytest.mark.parametrize("format_", ["csv", "xlsx", "jsonl", "parquet"])
def test_every_format_needs_the_permission(app, format_):
    reader = Principal(
        kind="user", id="usr_x", name="x", roles=(RoleRules("r", ("core.customer.read",)),)
    )
    with pytest.raises(Forbidden, match="export"):
        exported(app, Customer, format_, principal=reader)


def test_an_unknown_format_is_refused(app):
    with pytest.raises(Invalid, match="no format 'xslx'.*Did you mean 'xlsx'"):
        exported(app, Customer, "xslx")


def test_a_name_tells_the_format():
    assert [format_of(n) for n in ("a.csv", "a.ndjson", "a.XLSX", "a.parquet", "a.doc")] == [
        "csv", "jsonl", "xlsx", "parquet", None,
    ]  # fmt: skip
