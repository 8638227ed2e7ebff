"""Retries, batches and who may."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from clientela.customers.entities import Customer
from clientela.history import CHANGE

CUSTOMERS = "/api/v1/core/customers"


def count(app):
    with app.db.read() as connection:
        return connection.execute(
            select(func.count()).select_from(Customer.info.table)
        ).scalar_one()


def test_a_retried_call_has_one_effect_and_one_answer(app, client):
    key = {"Idempotency-Key": "order-17"}
    first = client.post(CUSTOMERS, json={"name": "Roof"}, headers=key)
    again = client.post(CUSTOMERS, json={"name": "Roof"}, headers=key)

    assert again.content == first.content
    assert again.status_code == 201
    assert again.headers["idempotency-replayed"] == "true"
    assert count(app) == 1


def test_a_key_is_for_one_call(app, client):
    key = {"Idempotency-Key": "order-17"}
    client.post(CUSTOMERS, json={"name": "Roof"}, headers=key)

    assert client.post(CUSTOMERS, json={"name": "Wall"}, headers=key).status_code == 422
    assert count(app) == 1


def test_the_key_of_another_caller_is_another_key(app, client, token):
    key = {"Idempotency-Key": "order-17"}
    client.post(CUSTOMERS, json={"name": "Roof"}, headers=key)
    other = key | {"Authorization": f"Bearer {token('core.customer.*')}"}

    assert (
        "idempotency-replayed"
        not in client.post(CUSTOMERS, json={"name": "Roof"}, headers=other).headers
    )
    assert count(app) == 2


def test_a_refused_call_may_be_mended_under_its_key(client):
    key = {"Idempotency-Key": "order-17"}

    assert client.post(CUSTOMERS, json={"nme": "Roof"}, headers=key).status_code == 422
    assert client.post(CUSTOMERS, json={"name": "Roof"}, headers=key).status_code == 201


def test_parallel_retries_have_one_effect(app, client):
    def send(_n):
        return client.post(
            CUSTOMERS, json={"name": "Roof"}, headers={"Idempotency-Key": "k"}
        ).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = set(pool.map(send, range(12)))

    assert statuses <= {201, 409}
    assert count(app) == 1


def test_a_batch_answers_for_each_item_in_order(app, client, make):
    old = make(Customer, name="Old")
    items = [
        {"op": "create", "data": {"name": "New"}},
        {"op": "create", "data": {"nme": "typo"}},
        {"op": "update", "id": old.public_id, "rev": 1, "data": {"name": "Renamed"}},
        {"op": "trash", "id": "cus_01JD0000000000000000000000"},
    ]
    answer = client.post(f"{CUSTOMERS}:batch", json={"items": items}).json()

    assert [r["status"] for r in answer["data"]] == [201, 422, 200, 404]
    assert answer["data"][1]["problem"]["errors"][0]["pointer"] == "/items/1/data/nme"
    assert answer["failed"] == 2
    assert count(app) == 2


def test_an_atomic_batch_is_whole_or_nothing(app, client):
    items = [{"op": "create", "data": {"name": "New"}}, {"op": "create", "data": {"nme": "typo"}}]
    answer = client.post(f"{CUSTOMERS}:batch", json={"atomic": True, "items": items})

    assert answer.status_code == 422
    assert [i["status"] for i in answer.json()["items"]] == [424, 422]
    assert count(app) == 0


def test_a_failed_item_leaves_no_trace_in_the_log(app, client):
    items = [
        {"op": "create", "data": {"name": "New"}},
        {"op": "create", "data": {"kind": "person"}},
    ]
    client.post(f"{CUSTOMERS}:batch", json={"items": items})

    with app.db.read() as connection:
        logged = connection.execute(
            select(CHANGE.c.entity).where(CHANGE.c.entity == "core.customer")
        ).all()
    assert len(logged) == 1


def test_a_batch_has_bounds(client):
    too_many = {"items": [{"op": "create", "data": {"name": "x"}}] * 1001}

    assert client.post(f"{CUSTOMERS}:batch", json=too_many).status_code == 413
    assert client.post(f"{CUSTOMERS}:batch", json={"items": []}).status_code == 400
    assert client.post(f"{CUSTOMERS}:batch", json={"itms": []}).status_code == 400


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer clt_wrong", "Basic eDp5", "Bearer "])
def test_nobody_is_let_in(client, header):
    headers = {"Authorization": header} if header is not None else {"Authorization": ""}
    answer = client.get(CUSTOMERS, headers=headers)

    assert answer.status_code == 401
    assert "bearer" in answer.headers["www-authenticate"].lower()


def test_a_refusal_names_the_permission_and_writes_nothing(app, client, token):
    reader = {"Authorization": f"Bearer {token('core.customer.read')}"}
    answer = client.post(CUSTOMERS, json={"name": "x"}, headers=reader)

    assert answer.status_code == 403
    assert answer.json()["permission"] == "core.customer.create"
    assert count(app) == 0


def test_what_one_may_not_see_is_not_there(client, token, make):
    hidden = make(Customer, name="Hidden", country="DE")
    scoped = {
        "Authorization": f"Bearer {token('core.*', scopes={'core.customer': 'country = RU'})}"
    }
    address = f"{CUSTOMERS}/{hidden.public_id}"

    unseen = client.get(address, headers=scoped)
    absent = client.get(f"{CUSTOMERS}/cus_01JD0000000000000000000000", headers=scoped)
    assert unseen.status_code == absent.status_code == 404
    assert client.patch(address, json={"note": "x"}, headers=scoped).status_code == 404
    assert client.delete(address, headers=scoped).status_code == 404
    assert client.get(f"{address}/card", headers=scoped).status_code == 404
    assert client.get(f"{address}/interactions", headers=scoped).status_code == 404
    assert client.get(CUSTOMERS, headers=scoped).json()["data"] == []
