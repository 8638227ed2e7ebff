"""Workbooks and JSON lines, read as people have them; and those that would break the reader."""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import datetime
from typing import Any

import pytest
import xlsxwriter

from clientela import unpacking
from clientela.customers.entities import Customer
from clientela.errors import BadSyntax, Invalid, TooLarge
from clientela.exchange.sources import xlsx_files

pytestmark = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)


def workbook(*rows: list[Any], name: str = "A", **more: list[list[Any]]) -> bytes:
    data = io.BytesIO()
    with xlsxwriter.Workbook(data, {"default_date_format": "dd/mm/yy"}) as book:
        for title, table in {name: rows, **more}.items():
            sheet = book.add_worksheet(title)
            for number, row in enumerate(table):
                sheet.write_row(number, 0, row)
    return data.getvalue()


def package(**parts: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in parts.items():
            zipped.writestr(name.replace("__", "/"), content)
    return data.getvalue()


def changed(data: bytes, part: str, old: bytes, new: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as before, zipfile.ZipFile(made, "w") as after:
        for name in before.namelist():
            content = before.read(name)
            after.writestr(name, content.replace(old, new) if name == part else content)
    return made.getvalue()


# workbooks ----------------------------------------------------------------------------------------------------------


def test_a_workbook_is_known_by_its_content(take, rows):
    report = take(Customer, workbook(["name", "birth_date"], ["Анна", datetime(1990, 1, 31)]))  # noqa: DTZ001
    assert (report.format, report.sheet) == ("xlsx", "A")
    assert rows(Customer, "name", "birth_date") == [{"name": "Анна", "birth_date": "1990-01-31"}]


def test_typed_cells_become_values(take, rows, parcel):
    header = ["code", "weight", "pieces", "fragile", "due", "picked_at"]
    moment = datetime(2026, 1, 31, 14, 5, 9)  # noqa: DTZ001 - as a cell holds it
    take(
        parcel,
        workbook(
            header, [7, 0.1 + 0.2, 3.0, True, moment.replace(hour=0, minute=0, second=0), moment]
        ),
    )
    assert rows(parcel, *header) == [
        {"code": "7", "weight": "0.300", "pieces": 3, "fragile": True, "due": "2026-01-31",
         "picked_at": "2026-01-31T14:05:09.000000Z"},
    ]  # fmt: skip


def test_a_share_is_read_as_it_is_shown(take, rows, parcel):
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet, share = book.add_worksheet(), book.add_format({"num_format": "0.0%"})
        sheet.write_row(0, 1, ["code", "discount"])
        for number in (1, 2):
            sheet.write(number, 1, f"C{number}")
            sheet.write_number(number, 2, number / 8, share)
    take(parcel, data.getvalue())
    assert [row["discount"] for row in rows(parcel, "discount")] == ["12.50", "25.00"]


def test_titles_above_the_table_blank_rows_and_formulas(take, rows):
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet()
        sheet.write("A1", "Our customers in 2026")
        sheet.write_row("B4", ["name", "country", "note"])
        sheet.write_row("B5", ["Anna", "DE"])
        sheet.write_formula("D5", '="x"&1', None, "x1")
        sheet.write_row("B8", ["Ян", "RU"])
        sheet.write("C9", "nowhere")
    report = take(Customer, data.getvalue(), skip_bad_rows=True)

    assert [r["name"] for r in rows(Customer, "name", "note")] == ["Anna", "Ян"]
    assert rows(Customer, "note")[0]["note"] == "x1"
    assert {row for group in report.groups for row in group.rows} == {9}


def test_a_cell_merged_over_rows_counts_for_each(take, rows):
    data = io.BytesIO()
    with xlsxwriter.Workbook(data) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 1, ["country", "name"])
        sheet.merge_range(1, 1, 2, 1, "DE")
        sheet.write(3, 1, "RU")
        sheet.write_column(1, 2, ["A", "B", "C"])
    take(Customer, data.getvalue())
    assert [row["country"] for row in rows(Customer, "country")] == ["DE", "DE", "RU"]


def test_a_sheet_is_the_first_with_data_or_the_one_named(take, rows):
    file = workbook(name="Empty", First=[["name"], ["A"]], Second=[["name"], ["B"]])
    assert take(Customer, file).sheet == "First"
    assert take(Customer, file, sheet="Second").sheet == "Second"
    assert [row["name"] for row in rows(Customer, "name")] == ["A", "B"]
    with pytest.raises(Invalid, match="no sheet 'Secnd'.*Did you mean 'Second'"):
        take(Customer, file, sheet="Secnd")


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (workbook(), "empty"),
        (workbook([1, 2], [3, 4]), "names the columns"),
        (workbook(["name", "name"], ["A", "B"]), "'name' twice"),
        (b"PK\x03\x04 and nothing more", "damaged"),
        (package(a=b"x"), "cannot be read"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "save it as XLSX"),
    ],
)
def test_what_is_no_table_is_refused(take, file, sentence):
    with pytest.raises(BadSyntax, match=sentence):
        take(Customer, file)


# bombs --------------------------------------------------------------------------------------------------------------

GOOD = workbook(["name"], ["A"])
SHEET = "xl/worksheets/sheet1.xml"


def test_a_bomb_is_refused_by_its_ratio(take):
    with pytest.raises(TooLarge, match="unpacks to more"):
        take(Customer, package(xl__worksheets__sheet1=b"\0" * (unpacking.RATIO_FROM + 1)))


def test_a_bomb_is_refused_by_its_size(take, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_UNPACKED", 1_000)
    with pytest.raises(TooLarge, match="unpacks to more"):
        take(Customer, GOOD)


def test_a_bomb_that_lies_about_its_size_is_found_out(take):
    bomb = package(x=b"\0" * (unpacking.RATIO_FROM + 1))
    size = struct.pack("<I", unpacking.RATIO_FROM + 1)
    assert bomb.count(size) == 2
    with pytest.raises(TooLarge, match="unpacks to more"):
        take(Customer, bomb.replace(size, struct.pack("<I", 10)))


def test_too_many_parts_are_refused(take, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_ENTRIES", 3)
    with pytest.raises(TooLarge, match="more than 3 parts"):
        take(Customer, GOOD)


def test_a_cell_far_away_is_refused_before_the_room_is_taken(take):
    far = changed(GOOD, SHEET, b'r="A2"', b'r="XFD1048576"')
    with pytest.raises(TooLarge, match="spans more than"):
        take(Customer, far)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_entities_are_refused(take, encoding):
    doctype = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    with pytest.raises(BadSyntax, match="entities"):
        take(Customer, package(xl__workbook=doctype.encode(encoding)))


def test_a_workbook_too_large_is_refused_while_it_comes(take, monkeypatch):
    monkeypatch.setattr(xlsx_files, "MOST_BYTES", 100)
    with pytest.raises(TooLarge, match="save it as CSV"):
        take(Customer, GOOD)


# JSON lines ---------------------------------------------------------------------------------------------------------


def test_objects_are_rows_and_their_members_columns(take, rows, parcel):
    report = take(
        parcel,
        '{"code": "A", "addressee": {"family": "Kern"}, "price": {"amount": "1.50", "currency": "EUR"}}\n\n'
        '{"code": "B", "pieces": 3, "fragile": true, "due": null, "tags": ["x", "y"], "data": {"a": {"b": [1.5]}}}\n',
    )
    assert report.format == "jsonl"
    first, second = rows(
        parcel, "code", "addressee", "price", "pieces", "fragile", "due", "tags", "data"
    )
    assert (first["addressee"]["family"], first["price"]) == (
        "Kern",
        {"amount": "1.50", "currency": "EUR"},
    )
    assert (second["pieces"], second["fragile"], second["due"]) == (3, True, None)
    assert (second["tags"], second["data"]) == (["x", "y"], {"a": {"b": [1.5]}})


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ('{"name": "B", "name": "C"}', "bad-json", "stands twice"),
        ('{"name": NaN}', "bad-json", "not a JSON number"),
        ('{"name": ' + "[" * 70 + "]" * 70 + "}", "bad-json", "nested deeper"),
        ('{"name": "\\ud800"}', "bad-json", "surrogate"),
        ('{"name": 99999999999999999999}', "bad-json", "64 bits"),
        ('["B"]', "bad-json", "one object"),
        ("{", "bad-json", "not JSON"),
    ],
)
def test_a_line_that_is_no_object_is_told_with_its_number(take, rows, line, code, sentence):
    report = take(Customer, '{"name": "A"}\n' + line + "\n", skip_bad_rows=True)
    (group,) = report.groups
    assert (group.code, group.rows) == (code, [2])
    assert sentence in str(group.sentence)
    assert [row["name"] for row in rows(Customer, "name")] == ["A"]


def test_a_member_that_comes_late_is_told(take, monkeypatch):
    monkeypatch.setattr("clientela.exchange.sources.jsonl_files.HEADER_ROWS", 1)
    report = take(Customer, '{"name": "A"}\n{"name": "B", "note": "x"}\n', skip_bad_rows=True)
    (group,) = report.groups
    assert (group.code, group.rows) == ("unknown-member", [2])


def test_json_lines_without_an_object_are_refused(take):
    with pytest.raises(BadSyntax, match="nested|not JSON|object"):
        take(Customer, "{\n")
    with pytest.raises(BadSyntax, match="UTF-8"):
        take(Customer, '{"name": "A"}\n', encoding="cp1251")


# which --------------------------------------------------------------------------------------------------------------


def test_a_name_wins_over_the_content_and_what_is_told_over_both(take, rows):
    take(Customer, '{name}\n{"A"}\n', file="x.csv", mapping={"{name}": "name"})
    take(Customer, '{"name": "B"}\n', file="x.csv", format="jsonl")
    assert [row["name"] for row in rows(Customer, "name")] == ['{"A"}', "B"]


def test_a_format_that_nobody_reads_is_refused(take):
    with pytest.raises(Invalid, match="no format 'xslx'.*Did you mean 'xlsx'"):
        take(Customer, "name\nA\n", format="xslx")
