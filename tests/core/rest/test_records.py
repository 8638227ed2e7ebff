"""Single records over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clientela.customers.entities import Customer, Interaction

if TYPE_CHECKING:
    from starlette.testclient import TestClient

CUSTOMERS = "/api/v1/core/customers"


@pytest.fixture
def roof(client: TestClient) -> str:
    """Give the address of a customer that was just created."""
    made = client.post(CUSTOMERS, json={"name": "Roof & Sons", "kind": "organization"})
    return f"{CUSTOMERS}/{made.json()['id']}"


def test_a_created_record_is_at_its_location(client):
    made = client.post(CUSTOMERS, json={"name": "Roof & Sons", "kind": "organization"})

    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    assert client.get(made.headers["location"]).json() == made.json()


def test_a_person_is_called_by_the_parts_of_the_name(client):
    made = client.post(
        CUSTOMERS, json={"person": {"family": "Иванова", "given": "Анна"}, "language": "ru"}
    )

    assert made.json()["name"] == "Иванова Анна"


def test_every_wrong_value_is_named_with_its_place(client):
    answer = client.post(CUSTOMERS, json={"nme": "x", "email": "nowhere", "country": "Atlantis"})

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert {e["pointer"] for e in answer.json()["errors"]} == {"/nme", "/email", "/country"}
    unknown = next(e for e in answer.json()["errors"] if e["pointer"] == "/nme")
    assert unknown["allowed"] == ["name"]


def test_server_owned_fields_cannot_be_bound(client):
    answer = client.post(CUSTOMERS, json={"name": "x", "rev": 7, "created_by": "me", "custom": {}})

    assert {e["pointer"] for e in answer.json()["errors"]} == {"/rev", "/created_by", "/custom"}


def test_edits_of_different_fields_merge(client, roof):
    """Two people opened the same customer; one fills in the country, the other the note."""
    client.patch(roof, json={"country": "RU"}, headers={"If-Match": '"1"'})
    answer = client.patch(roof, json={"note": "called"}, headers={"If-Match": '"1"'})

    assert answer.status_code == 200
    assert (answer.json()["country"], answer.json()["note"], answer.json()["rev"]) == (
        "RU",
        "called",
        3,
    )


def test_edits_of_the_same_field_are_refused_with_both_values(client, roof):
    client.patch(roof, json={"country": "RU"}, headers={"If-Match": '"1"'})
    answer = client.patch(roof, json={"country": "DE"}, headers={"If-Match": '"1"'})

    assert answer.status_code == 412
    assert answer.json()["conflicts"] == [{"field": "country", "yours": "DE", "theirs": "RU"}]
    assert answer.json()["current"]["country"] == "RU"
    assert answer.headers["etag"] == '"2"'


@pytest.mark.parametrize("tag", ['"99"', '"x"', "7", '"-1"'])
def test_a_tag_that_was_never_given_out_matches_nothing(client, roof, tag):
    assert client.patch(roof, json={"country": "DE"}, headers={"If-Match": tag}).status_code == 412


def test_an_unchanged_record_is_not_sent_again(client, roof):
    answer = client.get(roof, headers={"If-None-Match": '"1"'})

    assert (answer.status_code, answer.content) == (304, b"")


def test_a_dry_run_shows_the_change_and_keeps_nothing(client, roof):
    answer = client.patch(f"{roof}?dry_run=true", json={"country": "RU"})

    assert answer.json()["result"]["country"] == "RU"
    assert [(c["kind"], c["before"]) for c in answer.json()["changes"]] == [
        ("update", {"country": None})
    ]
    assert client.get(roof).json()["country"] is None


def test_the_trash_gives_back(client, roof):
    assert client.delete(roof).status_code == 204
    assert client.get(roof).status_code == 404
    assert client.get(f"{roof}?include_deleted=true").json()["deleted_at"] is not None

    assert client.post(f"{roof}:restore").status_code == 200
    assert client.get(roof).json()["deleted_at"] is None


def test_a_purge_takes_along_what_belongs_to_the_record(client, roof):
    interaction = {
        "customer_id": roof.rsplit("/", 1)[1],
        "channel": "phone",
        "at": "2026-01-31T10:00:00Z",
    }
    call = client.post("/api/v1/core/interactions", json=interaction).headers["location"]

    assert client.post(f"{roof}:purge").status_code == 204
    assert client.get(call).status_code == 404
    assert client.get(f"{roof}?include_deleted=true").status_code == 404


def test_another_systems_key_creates_once_and_then_changes(client):
    address = f"{CUSTOMERS}/by/sap/00%2F17"
    first = client.put(address, json={"name": "Roof"})
    second = client.put(address, json={"name": "Roof & Sons"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert client.get(address).json() == second.json()
    assert second.json()["id"] == first.json()["id"]


def test_a_record_answers_to_its_uuid_too(client, roof):
    from clientela.ids import uuid_from_key

    key = roof.rsplit("_", 1)[1]
    assert client.get(f"{CUSTOMERS}/{uuid_from_key(key)}").json()["name"] == "Roof & Sons"


def test_minimal_is_minimal(client):
    answer = client.post(CUSTOMERS, json={"name": "Roof"}, headers={"Prefer": "return=minimal"})

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["preference-applied"] == "return=minimal"


def test_a_reference_to_nothing_is_refused(client):
    body = {
        "customer_id": "cus_01JD0000000000000000000000",
        "channel": "phone",
        "at": "2026-01-31T10:00:00Z",
    }
    answer = client.post("/api/v1/core/interactions", json=body)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/customer_id"


def test_the_card_has_a_section_per_plugin(client, make):
    anna = make(Customer, name="Anna")
    make(Interaction, customer_id=anna, subject="asked for a roof")

    card = client.get(f"{CUSTOMERS}/{anna.public_id}/card").json()

    assert card["customer"]["name"] == "Anna"
    assert card["sections"]["core"]["interactions"][0]["subject"] == "asked for a roof"
    assert card["sections"]["core"]["interaction_count"] == 1
    assert set(card["sections"]) >= {"core", "contacts"}


def test_an_issued_token_works_until_it_is_withdrawn(client):
    issued = client.post("/api/v1/core/tokens:issue", json={"name": "feed"})
    assert issued.status_code == 200
    secret = issued.json()["token"]

    stored = client.get(f"/api/v1/core/tokens/{issued.json()['id']}").json()
    assert secret not in str(stored)
    assert "digest" not in stored

    client.delete(f"/api/v1/core/tokens/{issued.json()['id']}")
    refused = client.get(CUSTOMERS, headers={"Authorization": f"Bearer {secret}"})
    assert refused.status_code == 401


def test_a_password_is_set_and_never_shown(client):
    user = client.post(
        "/api/v1/core/users", json={"name": "Anna", "email": "anna@example.com"}
    ).json()
    answer = client.post(
        f"/api/v1/core/users/{user['id']}:set_password", json={"password": "long enough, I think"}
    )

    assert answer.status_code == 200
    assert "password_hash" not in answer.json()
    too_short = client.post(
        f"/api/v1/core/users/{user['id']}:set_password", json={"password": "short"}
    )
    assert too_short.status_code == 422


def test_the_composition_is_described(client):
    described = client.get("/api/v1/meta").json()

    customer = next(e for e in described["entities"] if e["name"] == "core.customer")
    assert {"contacts", "core"} <= {p["name"] for p in described["plugins"]}
    assert next(f for f in customer["fields"] if f["name"] == "email")["kind"] == "email"


def test_a_customer_answers_as_a_business_card(client, roof):
    answer = client.get(f"{roof}/vcard")

    assert answer.headers["content-type"] == "text/vcard; charset=utf-8"
    assert "FN:Roof & Sons\r\n" in answer.text
    assert "VERSION:3.0" in client.get(f"{roof}/vcard?version=3.0").text
    assert client.get(f"{roof}/vcard?version=1").status_code == 422
    assert client.get(f"{CUSTOMERS}/cus_01JD0000000000000000000000/vcard").status_code == 404
