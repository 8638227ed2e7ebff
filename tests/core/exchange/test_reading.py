from __future__ import annotations

import io
from pathlib import Path

import pytest

from clientela.access.principal import SYSTEM
from clientela.customers.entities import Customer
from clientela.errors import BadSyntax, Invalid, Refusal, TooLarge
from clientela.exchange import ImportOptions, import_file

pytestmark = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("cp1251", "windows-1251"),
        ("utf-16", "utf-16"),
    ],
)  # fmt: skip
def test_the_encoding_is_detected(take, rows, encoding, found):
    report = take(Customer, "имя клиента,note\nЁлкина,–\n".encode(encoding))

    assert report.encoding == found
    assert rows(Customer, "name")[0]["name"] == "Ёлкина"


def test_the_encoding_may_be_named(take, rows):
    take(Customer, "name\nÄnne\n".encode("latin-1"), encoding="latin-1")
    assert rows(Customer, "name")[0]["name"] == "Änne"

    with pytest.raises(BadSyntax, match="no encoding"):
        take(Customer, "name\nA\n", encoding="klingon")


def test_wrong_bytes_are_told_with_their_line(take):
    good = "name,note\n" + f"Анна,{'ё' * 2_000}\n" * 300
    with pytest.raises(BadSyntax, match="Line 302 holds bytes that are not utf-8"):
        take(Customer, good.encode() + b"\xff\xfe\n", dry_run=True)
    with pytest.raises(BadSyntax, match="Line 3 "):
        take(Customer, b"name\nA\n\xff\n", encoding="utf-8")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_detected(take, rows, delimiter):
    lines = [["name", "email", "note"], ["A", "a@b.com", "1,5 | 2"], ["B", "", "x"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in line) for line in lines)
    take(Customer, text)

    assert [r["name"] for r in rows(Customer, "name")] == ["A", "B"]


def test_excel_may_name_the_delimiter(take, rows):
    take(Customer, "sep=;\r\nname;note\r\nA;x,y\r\n")
    assert rows(Customer, "name", "note") == [{"name": "A", "note": "x,y"}]


def test_blanks_around_cells_and_headers_do_not_count(take, rows):
    take(Customer, " name , email\n Anna Lee ,  a@b.com \n")
    assert rows(Customer, "name", "email") == [{"name": "Anna Lee", "email": "a@b.com"}]


def test_line_ends_of_all_systems(take, rows):
    take(Customer, "name,note\rA,x\rB,y\r")
    assert len(rows(Customer)) == 2


@pytest.mark.parametrize(
    ("file", "error", "sentence"),
    [
        ("", BadSyntax, "empty"),
        ("\ufeff\n", BadSyntax, "empty"),
        ("\nname\nA\n", BadSyntax, "Line 1 is empty"),
        ("name,email,name\n", BadSyntax, "'name' twice"),
        ("name,,email\n", BadSyntax, "column 2 has no name"),
        ("na\x00me,x\n", BadSyntax, "NUL"),
        ("shoe,hat\n1,2\n", Invalid, "No column of the file fits"),
        ("name\n" + "x" * 2_000_000, TooLarge, "Line 2"),
        ('name\n"' + "x" * 200_000 + '"\n', TooLarge, "Row 2, line 2: a cell"),
        ('name\n"' + "x\n" * 200_000, TooLarge, "never closed"),
    ],
)
def test_what_cannot_be_read_is_refused(take, file, error, sentence):
    with pytest.raises(error, match=sentence):
        take(Customer, file)


def test_a_header_without_rows_is_an_empty_import(take):
    assert take(Customer, "name,email\n").read == 0


def test_broken_rows_are_told_and_the_others_taken(take, rows):
    file = 'name,note\nA,x\nB\nC,y,z\nD,"q"x\nE,n\x00l\nF,,,\nG,"open\n'
    report = take(Customer, file, skip_bad_rows=True)

    assert {(g.code, *g.rows) for g in report.groups} == {
        ("ragged-row", 3), ("ragged-row", 4), ("bad-quotes", 5), ("value-error", 6),
        ("bad-quotes", 8),
    }  # fmt: skip
    assert (report.failed, report.created) == (5, 2)
    assert [r["name"] for r in rows(Customer, "name")] == ["A", "F"]


def test_a_path_that_is_not_there(app):
    with pytest.raises(BadSyntax, match="cannot be read"):
        import_file(app, SYSTEM, Customer.info, Path("/nowhere/x.csv"))


def test_progress_is_told_after_every_batch(app):
    heard: list[tuple[int, float]] = []
    data = io.BytesIO(b"name\nA\nB\nC\n")
    import_file(
        app, SYSTEM, Customer.info, data, options=ImportOptions(batch=2, skip_bad_rows=True),
        progress=lambda report, share: heard.append((report.read, share)),
    )  # fmt: skip
    assert heard == [(2, 1.0), (3, 1.0)]


# mapping ------------------------------------------------------------------------------------------------------------


def test_unmapped_columns_may_be_kept(take, rows):
    report = take(
        Customer, "name,note,shoe,hat\nA,tall,38,\nB,,,XL\nC,,,\n", extra_into="note"
    )  # fmt: skip

    assert report.unmapped == ["shoe", "hat"]
    assert [r["note"] for r in rows(Customer, "note")] == ["tall\nshoe: 38", "hat: XL", None]


def test_parts_and_constants(take, rows, parcel):
    take(
        parcel, "code,city,country,sum,currency\nA,Kazan,Russia,10.50,EUR\nB,,,,USD\nC,,,5 RUB,\n",
        mapping={"sum": "price", "currency": "price.currency"},
        constants={"pieces": "3", "address.region": "Tatarstan"},
    )  # fmt: skip

    assert rows(parcel, "address", "price", "pieces") == [
        {
            "address": {"city": "Kazan", "country": "RU", "region": "Tatarstan"},
            "price": {"amount": "10.50", "currency": "EUR"},
            "pieces": 3,
        },
        {"address": None, "price": None, "pieces": 3},
        {"address": None, "price": {"amount": "5.00", "currency": "RUB"}, "pieces": 3},
    ]


def test_columns_may_be_ignored(take, rows):
    report = take(Customer, "name,email\nA,nonsense\n", mapping={"email": ""})
    assert report.unmapped == []
    assert rows(Customer, "email") == [{"email": None}]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"mapping": {"nam": "name"}}, "no column 'nam'. Did you mean 'name'"),
        ({"mapping": {"email": "e_mial"}}, "no field 'e_mial'"),
        ({"mapping": {"email": "created_at"}}, "written by the system"),
        ({"mapping": {"email": "custom"}}, "written by the system"),
        ({"mapping": {"email": "person.nick"}}, "no part 'nick'"),
        ({"mapping": {"email": "name", "name": "name"}}, "filled twice"),
        ({"mapping": {"email": "name:x"}}, "no reference"),
        ({"mapping": {"email": "owner:passwrd"}}, "cannot be found by"),
        ({"mapping": {"email": "owner:password_hash"}}, "cannot be found by"),
        ({"constants": {"country": "Atlantis"}}, "constant country"),
        ({"extra_into": "name"}, "no text of several lines"),
        ({"batch": 0}, "A batch has"),
    ],
)
def test_what_cannot_be_mapped_is_refused(take, options, sentence):
    with pytest.raises(Refusal, match=sentence):
        take(Customer, "name,email\nA,a@b.com\n", **options)
