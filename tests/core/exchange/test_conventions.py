"""How dates and numbers are written: found by column and file, and told where they may be read otherwise."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.customers.entities import Customer
from clientela.errors import Invalid
from clientela.exchange import steps_from_json
from clientela.normalize.dates import order_of, read_day, read_moment
from clientela.normalize.decimals import read_number, sign_of
from clientela.normalize.encodings import detect_encoding
from clientela.settings import Settings

MOSCOW = ZoneInfo("Europe/Moscow")


@pytest.fixture
def abroad(app, monkeypatch):
    """Move the deployment: `abroad("US")`."""

    def moved(country: str) -> None:
        monkeypatch.setattr(app, "settings", Settings(country=country))

    return moved


def days(rows):
    return [row["birth_date"] for row in rows(Customer, "birth_date")]


# dates --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("31.01.2026", "dmy", "2026-01-31"), ("1/31/26", "mdy", "2026-01-31"), ("31-1-2026", "dmy", "2026-01-31"),
        ("26/01/31", "ymd", "2026-01-31"), ("2026/1/31", "dmy", "2026-01-31"), ("2026-01-31", "mdy", "2026-01-31"),
        ("31 января 2026 г.", "dmy", "2026-01-31"), ("31 янв. 2026", "mdy", "2026-01-31"),
        ("January 31st, 2026", "dmy", "2026-01-31"), ("Sat, 31-Jan-26", "dmy", "2026-01-31"),
        ("Суббота, 31 Января 2026 года", "dmy", "2026-01-31"), ("01.02.68", "dmy", "2068-02-01"),
        ("01.02.69", "dmy", "1969-02-01"), ("soon", "dmy", None), ("before 5 May 2026", "dmy", None), ("", "dmy", None),
        ("5 Мау 2026", "dmy", None),
    ],
)  # fmt: skip
def test_a_day_as_people_write_it(text, order, day):
    assert read_day(text, order) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("31.01.2026 14:05", "2026-01-31T14:05:00+03:00"),
        ("31.01.2026, 14:05:09.5", "2026-01-31T14:05:09.500000+03:00"),
        ("31.01.2026 2:05 pm", "2026-01-31T14:05:00+03:00"), ("31.01.2026 12:00 a.m.", "2026-01-31T00:00:00+03:00"),
        ("31 января 2026 г. в 14:05", "2026-01-31T14:05:00+03:00"), ("31.01.2026", "2026-01-31T00:00:00+03:00"),
        ("2026-01-31T14:05:00Z", "2026-01-31T14:05:00+00:00"),
        ("2026-01-31 14:05:00+0500", "2026-01-31T14:05:00+05:00"),
        ("14:05", None),
    ],
)  # fmt: skip
def test_a_moment_as_people_write_it(text, moment):
    assert read_moment(text, "dmy", MOSCOW) == moment


def test_a_day_that_never_was_is_refused():
    with pytest.raises(ValueError, match="not a day of the calendar"):
        read_day("31.02.2026", "dmy")
    with pytest.raises(ValueError, match="not a moment of the calendar"):
        read_moment("31.01.2026 25:00", "dmy", MOSCOW)


@given(st.text("0123456789 .,/-:TапрMay", max_size=80))
def test_no_text_breaks_the_reading_of_dates(text):
    for read in (lambda: read_day(text, "dmy"), lambda: read_moment(text, "mdy", MOSCOW)):
        try:
            read()
        except ValueError as wrong:
            assert "calendar" in str(wrong)


@given(st.dates())
def test_every_order_reads_its_own_dates(day):
    assert read_day(f"{day:%d}/{day:%m}/{day.year:04}", "dmy") == day.isoformat()
    assert read_day(f"{day:%m}/{day:%d}/{day.year:04}", "mdy") == day.isoformat()


def test_one_day_beyond_twelve_tells_the_order_of_a_column():
    assert order_of(["1/2/2026", "2/13/2026"]).value == "mdy"
    assert order_of(["13/2/2026", "1/2/2026"]).value == "dmy"
    assert order_of(["13/2/2026", "2/13/2026"]).value is None


def test_a_file_with_the_month_first(take, rows):
    report = take(Customer, "name,birth_date\nA,1/31/1990\nB,2/1/1990\n")
    assert days(rows) == ["1990-01-31", "1990-02-01"]
    (convention,) = report.conventions
    assert (convention.value, convention.certain) == ("mdy", True)


@pytest.mark.parametrize(("country", "day"), [("US", "1990-01-02"), ("DE", "1990-02-01")])
def test_an_ambiguous_column_is_read_as_at_home_and_said(take, rows, abroad, country, day):
    abroad(country)
    report = take(Customer, "name,birth_date\nA,1/2/1990\n")
    assert days(rows) == [day]
    (convention,) = report.conventions
    assert not convention.certain
    assert "fit both" in convention.as_dict()["reason"]


def test_dots_mean_the_day_first_everywhere(take, rows, abroad):
    abroad("US")
    take(Customer, "name,birth_date\nA,01.02.1990\n")
    assert days(rows) == ["1990-02-01"]


def test_an_order_may_be_told_for_the_file_or_for_a_column(take, rows):
    take(Customer, "name,birth_date\nA,01.02.1990\n", dates="mdy")
    told = steps_from_json([{"column": "birth_date", "dates": "ymd"}])
    take(Customer, "name,birth_date\nB,90/02/03\n", transforms=told, dates="dmy")
    assert days(rows) == ["1990-01-02", "1990-02-03"]


def test_impossible_days_are_one_group(take):
    report = take(Customer, "name,birth_date\nA,31.02.1990\nB,30.02.1991\n", skip_bad_rows=True)
    (group,) = report.groups
    assert (group.count, group.column) == (2, "birth_date")


# numbers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "decimal", "plain"),
    [
        ("1 234,56", ",", "1234.56"), ("1\u00a0234,56", ",", "1234.56"), ("1\u202f234.56", ".", "1234.56"),
        ("1,234.56", ".", "1234.56"), ("1'234.56", ".", "1234.56"), ("1.234.567,8", ",", "1234567.8"),
        ("−5,20", ",", "-5.20"), ("\u20115", ".", "-5"), ("1,23,456.7", ".", "123456.7"),
        ("EUR 1.234,50", ",", "EUR 1234.50"),
        ("12", ",", "12"), ("1,5", ".", "1,5"), ("1.2.3", ",", "1.2.3"), ("63,15 %", ",", "63.15 %"), ("", ".", ""),
    ],
)  # fmt: skip
def test_a_number_as_people_write_it(text, decimal, plain):
    assert read_number(text, decimal) == plain


@given(st.decimals(-(10**9), 10**9, places=2))
def test_every_convention_reads_its_own_numbers(number):
    english = f"{number:,}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert read_number(english, ".") == read_number(german, ",") == str(number)
    assert sign_of([german]).value in (",", None)


def test_a_column_shows_its_sign(take, rows, parcel):
    report = take(parcel, 'code;weight;price\nA;"1,5";"1.234,50 EUR"\nB;"1.000";"2,00 EUR"\n')
    assert [(r["weight"], r["price"]["amount"]) for r in rows(parcel, "weight", "price")] == [
        ("1.500", "1234.50"), ("1000.000", "2.00"),
    ]  # fmt: skip
    assert {c.column: c.value for c in report.conventions} == {"weight": ",", "price": ","}


def test_what_fits_both_is_read_as_the_other_columns_are(take, rows, parcel):
    report = take(parcel, 'code;weight;discount\nA;"1.500";"2,5"\n', skip_bad_rows=True)
    weight = next(c for c in report.conventions if c.column == "weight")
    assert (weight.value, weight.certain) == (",", False)
    # 1,500 kg is more than anybody carries.
    assert report.failed == 1


def test_our_own_numbers_have_a_point_in_every_country(take, rows, parcel, abroad):
    abroad("DE")
    take(parcel, "code,weight\nA,12.500\n")
    assert rows(parcel, "weight")[0]["weight"] == "12.500"


def test_the_sign_may_be_told(take, rows, parcel):
    take(parcel, "code;weight\nA;1.500\n", decimal=".")
    told = steps_from_json([{"column": "weight", "decimal": ","}])
    take(parcel, "code;weight\nB;0,500\n", transforms=told)
    assert [r["weight"] for r in rows(parcel, "weight")] == ["1.500", "0.500"]


@pytest.mark.parametrize("how", [{"dates": "ydm"}, {"decimal": ";"}])
def test_a_convention_that_is_none_is_refused(take, how):
    with pytest.raises(Invalid):
        take(Customer, "name\nA\n", **how)


# encodings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "koi8-r", "cp866", "windows-1251"]
)
@pytest.mark.parametrize(
    "text",
    [
        "имя,город\nАнна,Москва\n",
        "ФАМИЛИЯ;ИМЯ\nИВАНОВ;ИВАН\n",
        "name,note\nA,Договор подписан 31.01.2026\n",
    ],
)
def test_russian_encodings_are_told_by_their_letters(encoding, text):
    found = detect_encoding(text.encode(encoding))
    assert text.encode(encoding).decode(found) == text


# meaning ------------------------------------------------------------------------------------------------------------


def test_a_column_without_a_telling_name_is_suggested_by_its_content(take):
    report = take(Customer, "name,x1,x2,x3,x4\nA,a@b.com,+7 926 123-45-67,1990-01-31,38\n")

    assert {(s.column, s.field) for s in report.suggestions} == {
        ("x1", "email"), ("x2", "phone"), ("x3", "birth_date"),
    }  # fmt: skip
    assert all(s.confidence == 1 and s.as_dict()["reason"] for s in report.suggestions)
    assert report.unmapped == ["x1", "x2", "x3", "x4"]
