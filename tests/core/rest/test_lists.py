"""Lists over REST."""

from __future__ import annotations

import pytest

from clientela.customers.entities import Customer, Interaction

CUSTOMERS = "/api/v1/core/customers"


@pytest.fixture
def firms(make):
    """Give seven firms of two countries."""
    return [
        make(Customer, name=f"Firm {n}", kind="organization", country="RU" if n % 2 else "DE")
        for n in range(7)
    ]


def names(answer):
    return [row["name"] for row in answer.json()["data"]]


def test_pages_follow_each_other_to_the_end_and_back(client, firms):
    first = client.get(CUSTOMERS, params={"sort": "name", "limit": 3})
    assert names(first) == ["Firm 0", "Firm 1", "Firm 2"]
    assert 'rel="next"' in first.headers["link"]

    second = client.get(
        CUSTOMERS, params={"sort": "name", "limit": 3, "after": first.json()["page"]["after"]}
    )
    assert names(second) == ["Firm 3", "Firm 4", "Firm 5"]

    third = client.get(
        CUSTOMERS, params={"sort": "name", "limit": 3, "after": second.json()["page"]["after"]}
    )
    assert names(third) == ["Firm 6"]
    assert third.json()["page"]["has_more"] is False

    back = client.get(
        CUSTOMERS, params={"sort": "name", "limit": 3, "before": third.json()["page"]["before"]}
    )
    assert names(back) == ["Firm 3", "Firm 4", "Firm 5"]


def test_the_link_header_leads_on(client, firms):
    first = client.get(
        CUSTOMERS, params={"sort": "-name", "limit": 5, "filter": "kind = organization"}
    )
    address = first.headers["link"].split(">")[0].lstrip("<")

    assert names(client.get(address)) == ["Firm 1", "Firm 0"]


def test_the_filter_means_the_same_as_text_and_as_json(client, firms):
    text = client.get(
        CUSTOMERS, params={"filter": 'country in (RU) and not name = "Firm 3"', "sort": "name"}
    )
    tree = {
        "and": [
            {"field": "country", "op": "in", "value": ["RU"]},
            {"not": {"field": "name", "op": "=", "value": "Firm 3"}},
        ]
    }
    asked = client.post(f"{CUSTOMERS}:query", json={"filter": tree, "sort": "name"})

    assert names(text) == names(asked) == ["Firm 1", "Firm 5"]


def test_counts_say_whether_they_are_exact(client, firms):
    assert client.get(CUSTOMERS, params={"count": "exact"}).json()["count"] == {
        "value": 7,
        "exact": True,
    }
    assert client.get(CUSTOMERS, params={"count": "bounded"}).json()["count"] == {
        "value": 7,
        "exact": True,
    }
    assert "count" not in client.get(CUSTOMERS).json()


def test_references_are_opened_when_asked_for(client, make):
    anna = make(Customer, name="Anna")
    make(Interaction, customer_id=anna)

    opened = client.get("/api/v1/core/interactions", params={"expand": "customer"}).json()["data"][
        0
    ]
    assert opened["customer"]["name"] == "Anna"

    slim = client.get(
        "/api/v1/core/interactions", params={"fields": "channel,customer.name"}
    ).json()["data"][0]
    assert set(slim) == {"id", "channel", "customer", "customer_id"}
    assert set(slim["customer"]) == {"id", "name"}


def test_related_records_are_a_list_of_their_own(client, make):
    anna, boris = make(Customer, name="Anna"), make(Customer, name="Boris")
    for customer in (anna, anna, boris):
        make(Interaction, customer_id=customer)

    related = client.get(f"{CUSTOMERS}/{anna.public_id}/interactions", params={"count": "exact"})
    assert related.json()["count"]["value"] == 2


def test_words_are_found_in_both_alphabets(client, make):
    make(Customer, name="ООО Ёлка")
    make(Customer, name="Roof & Sons")

    assert names(client.get(CUSTOMERS, params={"q": "елка"})) == ["ООО Ёлка"]
    assert names(client.get(CUSTOMERS, params={"q": "ROOF"})) == ["Roof & Sons"]
    assert names(client.get(CUSTOMERS, params={"q": "nothing"})) == []


def test_an_unchanged_list_is_not_sent_again(client, firms):
    tag = client.get(CUSTOMERS).headers["etag"]

    assert tag.startswith("W/")
    assert client.get(CUSTOMERS, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("parameters", "status", "word"),
    [
        ({"filter": "nme = x"}, 422, "'name'"),
        ({"filter": "name ="}, 400, "position"),
        ({"sort": "nam"}, 422, "'name'"),
        ({"sort": "person"}, 422, "cannot be sorted"),
        ({"fields": "nam"}, 422, "'name'"),
        ({"expand": "ownr"}, 400, "'owner'"),
        ({"limit": "0"}, 400, "limit"),
        ({"limit": "201"}, 400, "200"),
        ({"limit": "many"}, 400, "whole number"),
        ({"after": "zzz"}, 400, "cursor"),
        ({"after": "a", "before": "b"}, 400, "not both"),
        ({"count": "maybe"}, 400, "one of"),
        ({"fliter": "x"}, 400, "'filter'"),
    ],
)
def test_what_cannot_be_read_is_said(client, parameters, status, word):
    answer = client.get(CUSTOMERS, params=parameters)

    assert answer.status_code == status
    assert word in answer.text


def test_a_cursor_belongs_to_its_order(client, firms):
    cursor = client.get(CUSTOMERS, params={"sort": "name", "limit": 2}).json()["page"]["after"]

    assert client.get(CUSTOMERS, params={"sort": "-name", "after": cursor}).status_code == 400
    assert client.get(CUSTOMERS, params={"sort": "name", "after": cursor[:-3]}).status_code == 400
