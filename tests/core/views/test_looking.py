"""Looking through a saved view: its question, with the reader's rights and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, update

from clientela.customers.entities import Customer
from clientela.errors import Forbidden, NotFound
from clientela.query import Question, list_page
from clientela.views.entities import SavedView
from clientela.views.questions import ViewBroken, over_view

VIEWS = "/api/v1/core/saved-views"
CUSTOMERS = "/api/v1/core/customers"
READS = ("core.customer.read", "core.saved_view.read")


@pytest.fixture(autouse=True)
def firms(make):
    """Give three firms of two countries."""
    for name, country in (("Ada", "RU"), ("Bor", "DE"), ("Cyd", "RU")):
        make(Customer, name=name, kind="organization", country=country)


@pytest.fixture
def save(client) -> Callable[..., Any]:
    """Save a view of customers over REST and give its record, or the reply with `status`."""

    def save(name: str, *, status: int = 201, **more: Any) -> Any:
        reply = client.post(VIEWS, json={"entity": "core.customer", "name": name} | more)
        assert reply.status_code == status, reply.text
        return reply.json()

    return save


def names(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [row["name"] for row in reply.json()["data"]]


def test_a_list_shows_a_view_by_its_id_or_its_name(client, save):
    view = save("russian", filter="country = RU", sort="-name", columns="name")

    for word in (view["id"], "russian"):
        reply = client.get(CUSTOMERS, params={"view": word})
        assert names(reply) == ["Cyd", "Ada"]
        assert set(reply.json()["data"][0]) == {"id", "name"}


def test_what_is_typed_narrows_the_filter_and_goes_before_the_rest(client, save):
    save("russian", filter="country = RU", sort="-name", columns="name")

    narrowed = client.get(CUSTOMERS, params={"view": "russian", "filter": 'name != "Ada"'})
    assert names(narrowed) == ["Cyd"]
    turned = client.get(
        CUSTOMERS, params={"view": "russian", "sort": "name", "fields": "name,country"}
    )
    assert names(turned) == ["Ada", "Cyd"]
    assert turned.json()["data"][0]["country"] == "RU"


def test_the_pages_of_a_view_follow_each_other(client, save):
    save("russian", filter="country = RU", sort="-name")

    first = client.get(CUSTOMERS, params={"view": "russian", "limit": 1})
    address = first.headers["link"].split(">")[0].lstrip("<")

    assert names(first) + names(client.get(address)) == ["Cyd", "Ada"]


def test_a_query_in_json_and_a_view_hold_together(client, save):
    save("russian", filter="country = RU")

    body = {"view": "russian", "filter": {"field": "name", "op": "eq", "value": "Ada"}}

    assert names(client.post(f"{CUSTOMERS}:query", json=body)) == ["Ada"]


def test_an_unknown_view_is_told_with_the_nearest(client, save):
    save("russian")

    reply = client.get(CUSTOMERS, params={"view": "rusian"})

    assert reply.status_code == 404
    assert "'russian'" in reply.json()["detail"]


def test_a_view_of_another_entity_is_refused(client, save):
    view = save("russian")

    reply = client.get("/api/v1/core/roles", params={"view": view["id"]})

    assert reply.status_code == 400
    assert "core.customer" in reply.json()["detail"]


def test_a_view_costs_a_list_one_statement(app, client, save):
    save("russian", filter="country = RU")

    def statements(**parameters: str) -> int:
        seen: list[str] = []

        def hear(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(app.db.engine, "before_cursor_execute", hear)
        names(client.get(CUSTOMERS, params=parameters))
        event.remove(app.db.engine, "before_cursor_execute", hear)
        return len([one for one in seen if one.startswith("SELECT")])

    statements(filter="country = RU")  # the token is looked up once
    assert statements(view="russian") == statements(filter="country = RU") + 1


def test_a_view_runs_and_is_copied_as_link_command_curl_and_filter(client, save):
    view = save("russian", filter="country = RU", sort="-name", columns="name")

    assert names(client.get(f"{VIEWS}/{view['id']}/run")) == ["Cyd", "Ada"]
    copied = client.get(f"{VIEWS}/{view['id']}/copy").json()

    assert names(client.get(copied["link"])) == names(client.get(copied["whole"])) == ["Cyd", "Ada"]
    assert copied["filter"] == "country = RU"
    assert copied["cli"] == (
        "clientela core customer list --filter 'country = RU' --sort -name --fields name"
    )
    assert copied["whole"] in copied["curl"]
    body = {"filter": copied["filter_json"], "sort": "-name"}
    assert names(client.post(f"{CUSTOMERS}:query", json=body)) == ["Cyd", "Ada"]


# broken views ---------------------------------------------------------------------------------------------------------


def broken(app: Any, **values: Any) -> None:
    """Let the views name what is not there, as if a field had gone since."""
    with app.db.write() as connection:
        connection.execute(update(SavedView.info.table).values(**values))


def test_a_broken_view_says_what_is_gone_and_how_to_mend_it(app, client, save):
    view = save("russian", filter="country = RU", sort="name", columns="name")
    broken(app, filter="x_colour = red", sort="nmae")

    for address in (f"{CUSTOMERS}?view=russian", f"{VIEWS}/{view['id']}/run"):
        reply = client.get(address)
        assert (reply.status_code, reply.json()["code"]) == (409, "view-broken")
        assert [one["pointer"] for one in reply.json()["errors"]] == ["/filter", "/sort"]
        assert reply.json()["errors"][1]["allowed"] == ["name"]
        assert view["id"] in reply.json()["fix"]
    told = client.get(f"{VIEWS}/{view['id']}/problems").json()["data"]
    assert [one["pointer"] for one in told] == ["/filter", "/sort"]

    mended = client.patch(f"{VIEWS}/{view['id']}", json={"filter": "country = RU", "sort": "name"})
    assert mended.status_code == 200, mended.text
    assert names(client.get(CUSTOMERS, params={"view": "russian"})) == ["Ada", "Cyd"]


# never more than the reader's rights ----------------------------------------------------------------------------------


@pytest.fixture
def look(app) -> Callable[..., list[dict[str, Any]]]:
    """Look through a view as somebody."""

    def look(principal: Any, name: str = "shared-one") -> list[dict[str, Any]]:
        with app.acting_as(principal, face="test", writing=False) as ctx:
            question = over_view(ctx, Customer.info, Question(), name)
            return list_page(ctx, Customer.info, question).rows

    return look


PII = next(n for n, f in Customer.info.fields.items() if f.field_class == "pii" and f.kind.sortable)


def test_hidden_columns_are_left_out_for_the_reader(save, look, as_role):
    save("shared-one", columns=f"country,{PII},owner.email", sharing="shared")

    rows = look(as_role(*READS, "core.user.read", hidden_classes=["pii"]))
    assert rows
    assert all(PII not in row and "email" not in (row.get("owner") or {}) for row in rows)
    assert PII in look(as_role(*READS, "core.user.read"))[0]


def test_a_view_of_hidden_columns_alone_shows_ids(save, look, as_role):
    save("shared-one", columns=PII, sharing="shared")

    assert set(look(as_role(*READS, hidden_classes=["pii"]))[0]) == {"id"}


def test_a_filter_over_a_hidden_field_is_refused_as_if_typed(save, look, as_role):
    save("shared-one", filter=f"{PII} is not null", sharing="shared")

    with pytest.raises(Forbidden, match="hidden from your roles"):
        look(as_role(*READS, hidden_classes=["pii"]))


def test_an_order_by_a_hidden_field_is_refused_as_if_typed(save, look, as_role):
    save("shared-one", sort=PII, sharing="shared")

    with pytest.raises(Exception, match="cannot be sorted by"):
        look(as_role(*READS, hidden_classes=["pii"]))


def test_a_reference_that_may_not_be_read_is_not_opened(save, look, as_role):
    save("shared-one", columns="country,owner.name", expand="owner", sharing="shared")

    assert all("owner" not in row for row in look(as_role(*READS)))


def test_the_rows_are_those_of_the_reader(save, look, as_role):
    save("shared-one", sharing="shared")

    rows = look(as_role(*READS, scopes={"core.customer": "country = DE"}))

    assert [row["name"] for row in rows] == ["Bor"]


def test_an_entity_that_may_not_be_read_stays_closed(save, look, as_role):
    save("shared-one", sharing="shared")

    with pytest.raises(Forbidden, match=r"core\.customer\.read"):
        look(as_role("core.saved_view.read"))


def test_a_view_that_is_not_for_the_reader_is_not_there(save, look, as_role):
    save("shared-one")

    with pytest.raises(NotFound):
        look(as_role(*READS))


def test_whoever_is_refused_by_a_hidden_field_does_not_hear_that_it_is_broken(
    app, save, look, as_role
):
    save("shared-one", sharing="shared")
    broken(app, filter="x_gone = 1")

    with pytest.raises(ViewBroken, match="x_gone"):
        look(as_role(*READS))
