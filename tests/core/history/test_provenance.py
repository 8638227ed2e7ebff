"""Where each value of a record comes from: who wrote it last, when, how, why, and how far it can be trusted."""

from __future__ import annotations

import io

import pytest

from clientela.access.principal import SYSTEM
from clientela.customers.entities import Customer
from clientela.exchange import ImportOptions, import_file
from clientela.provenance import record_provenance
from clientela.storage.database import count_statements

CUSTOMERS = "/api/v1/core/customers"
FILE = b"name,email,country\nAnna,anna@example.com,DE\n"


@pytest.fixture
def anna(app, client):
    """Give the address of somebody who came with a file."""
    options = ImportOptions(file="people.csv", confidence=70)
    import_file(app, SYSTEM, Customer.info, io.BytesIO(FILE), options=options, dry_run=False)
    found = client.get(CUSTOMERS, params={"filter": "name = Anna"}).json()["data"]
    return f"{CUSTOMERS}/{found[0]['id']}"


def lines(client, address, **more):
    reply = client.get(f"{address}/provenance", **more)
    assert reply.status_code == 200, reply.text
    return {line["field"]: line for line in reply.json()["data"]}


def test_a_value_comes_from_the_file_or_from_who_changed_it_since(client, clock, anna):
    clock.forward(hours=1)
    client.patch(anna, params={"confidence": 95}, json={"country": "RU"})

    told = lines(client, anna)

    email, country = told["email"], told["country"]
    assert (email["value"], email["source"], email["face"]) == (
        "anna@example.com", "people.csv", "import",
    )  # fmt: skip
    assert (email["reason"], email["confidence"]) == ("import people.csv", 70)
    assert email["action"] == "core.customer.import"
    assert (country["value"], country["source"], country["confidence"]) == ("RU", "rest", 95)
    assert country["actor"].startswith("tok_")
    assert country["at"] > email["at"]
    assert client.get(f"/api/v1/core/changes/{country['set_id']}").json()["confidence"] == 95


def test_what_was_never_filled_comes_from_nowhere_and_what_was_emptied_from_somebody(client, anna):
    client.patch(anna, json={"country": None})

    told = lines(client, anna)

    assert "note" not in told
    assert (told["country"]["value"], told["country"]["source"]) == (None, "rest")
    assert not told.keys() & {"id", "rev", "updated_at"}


def test_an_undo_is_where_the_old_value_comes_from(app, client, anna):
    client.patch(anna, json={"country": "RU"})
    change = lines(client, anna)["country"]["set_id"]
    client.post(f"/api/v1/core/changes/{change}:undo")

    country = lines(client, anna)["country"]

    assert (country["value"], country["undoes"]) == ("DE", change)


def test_what_was_purged_and_brought_back_comes_from_where_it_came(app, client, anna):
    client.post(f"{anna}:purge")
    newest = client.get("/api/v1/core/changes", params={"limit": 1}).json()["data"][0]
    client.post(f"/api/v1/core/changes/{newest['id']}:undo")

    assert lines(client, anna)["email"]["source"] == "people.csv"


def test_it_looks_back(client, clock, anna):
    then = clock().isoformat()
    clock.forward(hours=1)
    client.patch(anna, json={"country": "RU"})

    country = lines(client, anna, params={"as_of": then})["country"]

    assert (country["value"], country["source"]) == ("DE", "people.csv")


def test_masked_classes_stay_masked_and_hidden_records_hidden(client, anna, token):
    masked = token("core.customer.read", hidden_classes=["pii"])
    scoped = token("core.customer.read", scopes={"core.customer": "country = RU"})

    told = lines(client, anna, headers={"Authorization": f"Bearer {masked}"})
    reply = client.get(f"{anna}/provenance", headers={"Authorization": f"Bearer {scoped}"})

    assert "country" in told
    assert not told.keys() & {"name", "email"}
    assert reply.status_code == 404


def test_custom_fields_come_from_somewhere_too(client, anna):
    body = {"entity": "core.customer", "name": "x_since", "kind": "day", "label": "Since"}
    assert client.post("/api/v1/core/custom-fields", json=body).status_code == 201
    client.patch(anna, json={"x_since": "2026-01-31"})

    since = lines(client, anna)["x_since"]

    assert (since["value"], since["action"]) == ("2026-01-31", "core.customer.update")


def test_the_statements_do_not_grow_with_the_history(app, client, anna):
    key = anna.rpartition("/")[2]
    counter = count_statements(app.db.engine)

    def spent():
        with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
            counter.statements.clear()
            record_provenance(ctx, Customer.info, key)
            return len(counter.statements)

    short = spent()
    for n in range(10):
        client.patch(anna, json={"note": f"note {n}"})

    assert spent() == short == 4


@pytest.mark.parametrize("sent", ["101", "-1", "much"])
def test_a_confidence_is_in_per_cent(client, anna, sent):
    reply = client.patch(anna, params={"confidence": sent}, json={"country": "RU"})

    assert reply.status_code == 400
    assert reply.json()["errors"][0]["pointer"] == "/confidence"


def test_nobody_says_how_far_to_trust_a_read(client, anna):
    assert client.get(anna, params={"confidence": 5}).status_code == 400
