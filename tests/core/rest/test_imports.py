"""An import from the browser's side: a file is sent, checked, and what is wrong with it comes back to be mended."""

from __future__ import annotations

import pytest

from clientela.exchange import jobs
from clientela.ids import parse_key
from clientela.settings import Settings

API = "/api/v1/core"
FILE = 'name,email\nАнна,anna@example.com\n=1+1,"no, really"\nBob,bob@example.com\n'


@pytest.fixture
def settings(tmp_path):
    return Settings(folder=tmp_path)


@pytest.fixture
def checked(app, client):
    """Send the file, have it checked, and give the address of the import."""
    kept = client.post(
        f"{API}/files",
        content=FILE.encode(),
        headers={"Content-Disposition": 'attachment; filename="people.csv"'},
    ).json()
    made = client.post(f"{API}/imports", json={"entity": "core.customer", "file": kept}).json()
    address = f"{API}/imports/{made['id']}"
    client.post(f"{address}:check", json={})
    jobs.carry_out(app, parse_key(made["id"], "imp"))
    return address


def test_the_rows_that_failed_come_back_as_a_file_to_mend(client, checked):
    answer = client.get(f"{checked}/failed.csv")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "-failed.csv" in answer.headers["content-disposition"]
    header, row = answer.text.splitlines()
    assert header == "What is wrong,name,email"
    assert row.startswith("3: email: An email address must have an @-sign.")
    # A spreadsheet would have counted.
    assert row.endswith(',\'=1+1,"no, really"')


def test_they_come_in_the_language_of_the_one_who_asks(client, checked):
    answer = client.get(f"{checked}/failed.csv", headers={"Accept-Language": "ru"})

    assert answer.text.startswith("Что не так,name,email")


def test_an_import_that_is_not_there_has_no_failed_rows(client):
    assert client.get(f"{API}/imports/imp_01JD0000000000000000000000/failed.csv").status_code == 404
