"""History over REST: who changed what, what it was, and taking it back."""

from __future__ import annotations

import pytest

from clientela.customers.entities import Customer

CUSTOMERS = "/api/v1/core/customers"
CHANGES = "/api/v1/core/changes"


@pytest.fixture
def roof(client, clock):
    """Give a customer that was created, moved and renamed, an hour between."""
    address = client.post(CUSTOMERS, json={"name": "Roof", "kind": "organization"}).headers[
        "location"
    ]
    for values in ({"country": "RU"}, {"name": "Roof & Sons", "note": "grew"}):
        clock.forward(hours=1)
        client.patch(address, json=values)
    return address


def newest(client):
    return client.get(CHANGES, params={"limit": 1}).json()["data"][0]


def test_a_record_tells_its_history(client, roof):
    lines = client.get(f"{roof}/history").json()["data"]

    assert [line["kind"] for line in lines] == ["update", "update", "create"]
    assert lines[0]["fields"] == [
        {"field": "name", "before": "Roof", "after": "Roof & Sons"},
        {"field": "note", "before": None, "after": "grew"},
    ]
    assert lines[0]["face"] == "rest"
    assert lines[0]["action"] == "core.customer.update"
    assert lines[0]["actor"].startswith("tok_")


def test_the_card_shows_what_happened_last(client, roof):
    shown = client.get(f"{roof}/card").json()["sections"]["core"]["history"]

    assert shown == client.get(f"{roof}/history").json()["data"]


def test_the_history_of_the_past_ends_there(client, roof, clock):
    then = clock().isoformat()
    before = client.get(f"{roof}/history").json()
    clock.forward(hours=1)
    client.patch(roof, json={"name": "Dach"})

    assert client.get(f"{roof}/history", params={"as_of": then}).json() == before


def test_every_read_looks_back(client, roof, clock):
    then = (clock().replace(microsecond=0)).isoformat().replace("+00:00", "Z")
    clock.forward(hours=1)
    client.patch(roof, json={"country": "DE", "name": "Dach"})
    client.post(CUSTOMERS, json={"name": "Later"})

    past = {"as_of": then}
    assert client.get(roof, params=past).json()["name"] == "Roof & Sons"
    assert client.get(f"{roof}/card", params=past).json()["customer"]["country"] == "RU"
    listed = client.get(
        CUSTOMERS, params=past | {"count": "exact", "filter": "country = RU"}
    ).json()
    assert (listed["count"]["value"], listed["data"][0]["rev"]) == (1, 3)
    assert client.get(CUSTOMERS, params=past | {"filter": "country = DE"}).json()["data"] == []


def test_what_was_purged_is_there_in_the_past(client, roof, clock):
    then = clock().isoformat()
    clock.forward(hours=1)
    client.post(f"{roof}:purge")

    assert client.get(roof).status_code == 404
    assert client.get(roof, params={"as_of": then}).json()["name"] == "Roof & Sons"


def test_a_change_is_taken_back_and_made_again(client, roof):
    change = newest(client)["id"]

    undone = client.post(f"{CHANGES}/{change}:undo").json()
    assert client.get(roof).json()["name"] == "Roof"
    assert newest(client)["undoes"] == change
    assert client.get(f"{CHANGES}/{change}").json()["undone_by"] == undone["id"]

    client.post(f"{CHANGES}/{change}:redo")
    assert client.get(roof).json()["name"] == "Roof & Sons"
    assert client.get(roof).json()["note"] == "grew"


def test_what_somebody_else_changed_since_is_listed_and_kept(client, roof):
    change = newest(client)["id"]
    client.patch(roof, json={"note": "shrank"})
    answer = client.post(f"{CHANGES}/{change}:undo")

    assert answer.status_code == 409
    assert [(c["field"], c["left"], c["now"]) for c in answer.json()["conflicts"]] == [
        ("note", "grew", "shrank")
    ]
    assert client.get(roof).json()["name"] == "Roof & Sons"


def test_an_undo_can_be_tried_first(client, roof):
    answer = client.post(f"{CHANGES}/{newest(client)['id']}:undo", params={"dry_run": "true"})

    assert answer.json()["dry_run"] is True
    assert client.get(roof).json()["name"] == "Roof & Sons"


def test_all_of_a_record_is_taken_back_in_reverse(client, roof):
    for change in client.get(CHANGES, params={"record": roof.rsplit("/", 1)[1]}).json()["data"]:
        assert client.post(f"{CHANGES}/{change['id']}:undo").status_code == 200

    assert client.get(CUSTOMERS).json()["data"] == []


def test_even_a_purge_is_taken_back_with_what_it_took_along(client, roof, clock):
    customer = roof.rsplit("/", 1)[1]
    call = {
        "customer_id": customer,
        "channel": "phone",
        "at": "2026-01-31T10:00:00Z",
        "subject": "asked",
    }
    interaction = client.post("/api/v1/core/interactions", json=call).headers["location"]
    before, then = client.get(roof).json(), clock().isoformat()
    clock.forward(hours=1)
    client.post(f"{roof}:purge")
    client.post(f"{CHANGES}/{newest(client)['id']}:undo")

    back = client.get(roof).json()
    kept = set(back) - {"rev", "created_at", "created_by", "updated_at", "updated_by"}
    assert {name: back[name] for name in kept} == {name: before[name] for name in kept}
    assert client.get(interaction).json()["subject"] == "asked"
    assert client.get(roof, params={"as_of": then}).json() == before


def test_what_cannot_be_undone_says_why(client):
    user = client.post(
        "/api/v1/core/users", json={"name": "Anna", "email": "anna@example.com"}
    ).json()
    client.post(
        f"/api/v1/core/users/{user['id']}:set_password", json={"password": "long enough, I think"}
    )
    answer = client.post(f"{CHANGES}/{newest(client)['id']}:undo")

    assert answer.status_code == 409
    assert "never read back" in answer.json()["detail"]


def test_one_sees_only_the_changes_of_what_one_may_see(client, roof, token, make):
    make(Customer, name="Hidden", country="DE")
    scoped = token("core.change.*", "core.customer.*", scopes={"core.customer": "country = RU"})
    mine = {"Authorization": f"Bearer {scoped}"}

    seen = client.get(CHANGES, headers=mine).json()["data"]
    assert {row["action"] for row in seen} == {"core.customer.create", "core.customer.update"}
    everything = client.get(CHANGES, params={"limit": 200}).json()["data"]
    hidden = next(row for row in everything if row["id"] not in {s["id"] for s in seen})
    assert client.get(f"{CHANGES}/{hidden['id']}", headers=mine).status_code == 404
    assert client.post(f"{CHANGES}/{hidden['id']}:undo", headers=mine).status_code == 404


def test_the_log_is_closed_by_default(client, roof, token):
    nobody = {"Authorization": f"Bearer {token('core.customer.*')}"}

    assert client.get(CHANGES, headers=nobody).status_code == 403
    change = newest(client)["id"]
    assert client.post(f"{CHANGES}/{change}:undo", headers=nobody).status_code == 403


@pytest.mark.parametrize(
    "path", ["zzz", "chs_1", "chs_01JD0000000000000000000000", "chs_01JD0000000000000000000000:fly"]
)
def test_an_address_that_leads_nowhere(client, path):
    assert client.get(f"{CHANGES}/{path}").status_code in (404, 405)
    assert client.get(CUSTOMERS, params={"as_of": "yesterday"}).status_code == 400
