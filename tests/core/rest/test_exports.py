"""Lists as files over REST."""

from __future__ import annotations

import csv
import io

import openpyxl
import orjson
import pytest

from clientela.access.principal import SYSTEM
from clientela.customers.entities import Customer

CUSTOMERS = "/api/v1/core/customers"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
def people(make):
    return [
        make(Customer, name=name, country=c)
        for name, c in [("Anna", "DE"), ("Ян", "RU"), ("=1", "RU")]
    ]


def test_an_ending_gives_the_list_as_a_file(client, people):
    answer = client.get(f"{CUSTOMERS}.csv", params={"fields": "name,country", "sort": "-name"})

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="customers.csv"'
    assert answer.headers["cache-control"] == "no-store"
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert rows == [["name", "country"], ["Ян", "RU"], ["Anna", "DE"], ["'=1", "RU"]]


@pytest.mark.parametrize("ending", [".jsonl", ""])
def test_json_lines_by_ending_or_by_what_is_accepted(client, people, ending):
    headers = {} if ending else {"Accept": "application/x-ndjson, application/json"}
    answer = client.get(
        CUSTOMERS + ending, params={"filter": "country = RU", "sort": "name"}, headers=headers
    )
    assert [orjson.loads(line)["name"] for line in answer.text.splitlines()] == ["=1", "Ян"]


def test_a_workbook(client, people):
    answer = client.get(CUSTOMERS, params={"q": "anna", "fields": "name"}, headers={"Accept": XLSX})

    assert answer.headers["content-type"] == XLSX
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert [cell.value for cell in sheet["A"]] == ["name", "Anna"]


def test_csv_for_excel(client, people):
    answer = client.get(f"{CUSTOMERS}.csv", params={"fields": "name,country", "excel": "true"})
    assert answer.content.startswith("\ufeffname;country\r\n".encode())


def test_json_stays_what_a_list_is(client, people):
    for accept in ("*/*", "application/json", "application/json, text/csv"):
        answer = client.get(CUSTOMERS, headers={"Accept": accept})
        assert len(answer.json()["data"]) == 3


def test_a_head_says_what_a_file_would_be(client, people):
    answer = client.head(f"{CUSTOMERS}.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.content == b""


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"{CUSTOMERS}.csv?limit=5", 400),
        (f"{CUSTOMERS}.csv?filter=nam%20%3D%201", 422),
        (f"{CUSTOMERS}.xlsx?excel=true", 422),
        (f"{CUSTOMERS}.doc", 404),
        ("/api/v1/core/custmers.csv", 404),
    ],
)
def test_a_refusal_comes_before_the_file(client, address, status):
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_file_needs_the_permission_to_export(client, token, people):
    reader = {"Authorization": f"Bearer {token('core.customer.read')}"}
    assert client.get(CUSTOMERS, headers=reader).status_code == 200
    assert client.get(f"{CUSTOMERS}.csv", headers=reader).status_code == 403


def test_many_rows_come_in_pieces(client, app):
    with app.acting_as(SYSTEM, face="test") as ctx:
        for number in range(2_500):
            ctx.add(Customer(name=f"N{number:05}"))
    answer = client.get(f"{CUSTOMERS}.csv", params={"fields": "name"})
    assert len(answer.text.splitlines()) == 2_501
    assert "content-length" not in answer.headers
