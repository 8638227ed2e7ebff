"""Hostile input: always a problem document with the right status, never a 5xx."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from starlette.testclient import TestClient

CUSTOMERS = "/api/v1/core/customers"
JSON = {"content-type": "application/json"}
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def refused(answer, *statuses):
    assert answer.status_code in statuses, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "code", "request_id"} <= set(answer.json())


BODIES = {
    "not json": b"{name: x}",
    "cut off": b'{"name": "x"',
    "nan": b'{"name": NaN}',
    "infinity": b'{"name": 1e999}',
    "nul": b'{"name": "a\\u0000b"}',
    "surrogate": b'{"name": "\\ud800"}',
    "raw control": b'{"name": "a\x01b"}',
    "duplicate key": b'{"name": "x", "name": "y"}',
    "65 bits": b'{"name": 36893488147419103232}',
    "latin-1": '{"name": "é"}'.encode("latin-1"),
    "utf-16": '{"name": "x"}'.encode("utf-16"),
    "deep": b'{"name":' + b"[" * 100 + b"]" * 100 + b"}",
    "very deep": b"[" * 50_000,
    "list": b"[]",
    "number": b"7",
    "null": b"null",
    "empty": b"",
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_that_cannot_be_read(client, name):
    refused(client.post(CUSTOMERS, content=BODIES[name], headers=JSON), 400, 422)


def test_ten_megabytes_are_too_much(client):
    huge = b'{"name": "' + b"x" * 10_485_760 + b'"}'

    refused(client.post(CUSTOMERS, content=huge, headers=JSON), 413)
    refused(client.post(CUSTOMERS, content=huge[:2_000_000] + b'"}', headers=JSON), 413)


def test_a_long_value_is_named(client):
    answer = client.post(CUSTOMERS, json={"name": "x" * 10_000})

    refused(answer, 422)
    assert "200" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    "values",
    [
        {"name": 7},
        {"name": None},
        {"name": ["x"]},
        {"name": {"a": 1}},
        {"name": "x", "tags": "vip"},
        {"name": "x", "tags": [1]},
        {"name": "x", "birth_date": "31.02.2026"},
        {"name": "x", "birth_date": 20260131},
        {"name": "x", "person": "Anna"},
        {"name": "x", "person": {"family": "a\u0007b"}},
        {"name": "x", "phone": "call me"},
        {"name": "x", "kind": "robot"},
        {"name": "x", "owner_id": "usr_1"},
    ],
)
def test_a_value_of_the_wrong_shape(client, values):
    refused(client.post(CUSTOMERS, json=values), 422)


@pytest.mark.parametrize(
    "media",
    ["text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded"],
)
def test_another_content_type(client, media):
    refused(client.post(CUSTOMERS, content=b'{"name":"x"}', headers={"content-type": media}), 415)


@pytest.mark.parametrize(
    "query",
    [
        "filter=%ff%fe",
        "filter=%00",
        "a=1&a=2",
        "filter=" + "(" * 9_000,
        "sort=name;drop",
        "%",
        "limit=1e1",
        "filter=name=%27",
    ],
)
def test_a_query_string_that_cannot_be_read(client, query):
    refused(client.get(f"{CUSTOMERS}?{query}"), 400, 422)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_a_method_that_does_not_fit(client, method):
    answer = client.request(method, CUSTOMERS)

    refused(answer, 405)
    assert answer.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/v1/",
        "/api/v1/core",
        "/api/v1/core/",
        "/api/v1/core/nothing",
        "/api/v1/core/customers/x",
        "/api/v1/core/customers/cus_x:fly",
        "/api/v1/core/customers/%ff",
        "/api/v1/core/customers/%00",
        "/api/v1/core/customers:explode",
        "/api/v1/nobody/customers",
    ],
)
def test_an_address_that_leads_nowhere(client, path):
    refused(client.get(path), 400, 404, 405)


@pytest.mark.parametrize("key", ["", "x" * 300, "a\tb"])
def test_a_key_that_is_none(client, key):
    refused(client.post(CUSTOMERS, json={"name": "x"}, headers={"Idempotency-Key": key}), 400)


def test_nothing_of_a_refused_call_stays(client):
    for body in BODIES.values():
        client.post(CUSTOMERS, content=body, headers=JSON)

    assert client.get(CUSTOMERS, params={"count": "exact"}).json()["count"]["value"] == 0


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
class TestAnything:
    """Random input on the faster database; the other one sees the same gate."""

    @MANY
    @given(body=st.binary(max_size=200))
    def test_bytes(self, client: TestClient, body: bytes):
        assert client.post(CUSTOMERS, content=body, headers=JSON).status_code < 500

    @MANY
    @given(text=st.text(max_size=60))
    def test_filters_sorts_and_words(self, client: TestClient, text: str):
        for name in (
            "filter",
            "sort",
            "fields",
            "expand",
            "after",
            "before",
            "q",
            "count",
            "limit",
        ):
            clean = text.encode("utf-8", "replace").decode()
            assert client.get(CUSTOMERS, params={name: clean}).status_code < 500

    @MANY
    @given(
        value=st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=5), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        field=st.sampled_from(
            ["name", "person", "tags", "email", "birth_date", "owner_id", "country", "note", "kind"]
        ),
    )
    def test_values(self, client: TestClient, value: object, field: str):
        import json

        body = json.dumps({"name": "x", field: value}).encode()
        assert client.post(CUSTOMERS, content=body, headers=JSON).status_code < 500
