"""Keeping views: what is checked, who sees them, and who changes them."""

from __future__ import annotations

from typing import Any

import pytest

from clientela.access.entities import Role
from clientela.access.principal import Principal, RoleRules
from clientela.errors import Conflict, Forbidden, Invalid, NotFound
from clientela.query import Question, list_page
from clientela.views.entities import SavedView

EMPLOYEE = tuple(
    f"core.saved_view.{verb}" for verb in ("read", "export", "create", "update", "trash", "restore")
)
SHARES = (*EMPLOYEE, "core.saved_view.share")


@pytest.fixture
def anna(as_user):
    """Give somebody who keeps views."""
    return as_user(*EMPLOYEE, "core.customer.read", name="Anna")


@pytest.fixture
def boss(as_user):
    """Give somebody who may share views as well."""
    return as_user(*SHARES, "core.customer.read", name="Boss")


def of_role(principal: Principal, name: str) -> Principal:
    """Give the same person in a role of this name."""
    rules = RoleRules(name, principal.roles[0].permissions)
    return Principal(
        kind="user", id=principal.id, name=principal.name, roles=(rules,), user=principal.user
    )


@pytest.fixture
def act(app):
    """Run an action on views by its verb, as somebody."""

    def act(by: Principal, verb: str, record: Any = None, **data: Any) -> Any:
        action = app.registry.action(f"core.saved_view.{verb}")
        if verb == "share":
            data = action.takes.model_validate(data)
        return app.perform(by, lambda ctx: ctx.run(action, record, data or None), face="test")

    return act


@pytest.fixture
def save(act):
    """Save a view of customers as somebody."""

    def save(by: Principal, name: str = "hot", **values: Any) -> Any:
        return act(by, "create", **{"entity": "core.customer", "name": name} | values)

    return save


@pytest.fixture
def seen(app):
    """Give the names of the views that somebody sees."""

    def seen(by: Principal) -> list[str]:
        with app.acting_as(by, face="test", writing=False) as ctx:
            rows = list_page(ctx, SavedView.info, Question(sort="name")).rows
        return [row["name"] for row in rows]

    return seen


@pytest.mark.parametrize(
    ("values", "pointer", "sentence"),
    [
        ({"filter": "contry = RU"}, "/filter", "'country'"),
        ({"filter": "country > 7 and"}, "/filter", ""),
        ({"filter": "country has RU"}, "/filter", "does not take"),
        ({"sort": "nmae"}, "/sort", "'name'"),
        ({"columns": "name,contry"}, "/columns", "'country'"),
        ({"expand": "ownr"}, "/expand", "'owner'"),
        ({"layout": "board", "options": {}}, "/options/by", ""),
        ({"layout": "board", "options": {"by": "knd"}}, "/options", "'kind'"),
        ({"layout": "calendar", "options": {"on": "name"}}, "/options/on", "neither"),
        ({"layout": "list", "options": {"groop_by": "kind"}}, "/options/groop_by", "'group_by'"),
        ({"entity": "core.customr"}, "/entity", "'core.customer'"),
        ({"name": "Hot Leads"}, "/name", "small letters"),
        ({"sharing": "team"}, "/team", "names its roles"),
    ],
)
def test_what_no_list_could_answer_is_refused_with_the_nearest(client, values, pointer, sentence):
    body = {"entity": "core.customer", "name": "hot"} | values

    reply = client.post("/api/v1/core/saved-views", json=body)

    assert reply.status_code == 422, reply.text
    assert reply.json()["errors"][0]["pointer"] == pointer
    assert sentence in reply.text


def test_layouts_take_their_options(client):
    for layout, options in {
        "board": {"by": "kind", "card": ["name"]},
        "calendar": {"on": "created_at", "span": "agenda"},
        "chart": {"by": "country", "kind": "pie"},
        "table": {"widths": {"name": 200}, "frozen": 1},
        "list": {"group_by": "kind"},
    }.items():
        body = {"entity": "core.customer", "name": layout, "layout": layout, "options": options}
        reply = client.post("/api/v1/core/saved-views", json=body)
        assert reply.status_code == 201, reply.text
        assert reply.json()["options"] == options
    assert set(client.get("/api/v1/meta").json()["layouts"]) >= {"board", "chart"}


def test_one_sees_what_is_shared_what_is_for_ones_roles_and_ones_own(make, save, seen, anna, boss):
    make(Role, name="sales")
    save(anna, "annas")
    save(boss, "bosss")
    save(boss, "for-all", sharing="shared")
    save(boss, "for-sales", sharing="team", team=["sales"])

    assert seen(anna) == ["annas", "for-all"]
    assert seen(of_role(anna, "sales")) == ["annas", "for-all", "for-sales"]
    assert seen(of_role(anna, "sale")) == ["annas", "for-all"]
    assert seen(boss) == ["bosss", "for-all", "for-sales"]


def test_only_whoever_may_share_makes_a_view_for_others(save, act, anna, boss, seen):
    view = save(anna)

    with pytest.raises(Forbidden, match=r"core\.saved_view\.share"):
        act(anna, "share", view.id, sharing="shared")
    with pytest.raises(Forbidden, match=r"core\.saved_view\.share"):
        act(anna, "update", view.id, sharing="shared")
    with pytest.raises(Forbidden, match=r"core\.saved_view\.share"):
        save(anna, "other", sharing="shared")

    mine = save(boss)
    act(boss, "share", mine.id, sharing="shared")
    assert seen(anna) == ["hot", "hot"]


def test_others_views_are_changed_only_by_whoever_may_share(save, act, as_user, anna, boss):
    view = save(boss, sharing="shared")

    with pytest.raises(Forbidden, match="not change it"):
        act(anna, "update", view.id, sort="name")
    with pytest.raises(Forbidden, match="not change it"):
        act(anna, "trash", view.id)
    other = as_user(*SHARES, "core.customer.read")
    act(other, "update", view.id, sort="name")
    with pytest.raises(NotFound):
        act(other, "update", save(anna).id, sort="name")


def test_the_owner_is_whoever_saves_and_nobody_else(client, make, save, anna):
    assert save(anna).owner_id == anna.user
    body = {"entity": "core.customer", "name": "hot", "owner_id": f"usr_{anna.user}"}
    assert client.post("/api/v1/core/saved-views", json=body).status_code == 422


def test_a_team_is_of_roles_that_are_there(make, save, boss):
    make(Role, name="sales")

    with pytest.raises(Invalid, match="'sales'"):
        save(boss, sharing="team", team=["salse"])


def test_a_name_is_taken_among_ones_own_and_among_what_others_see(save, act, anna, boss):
    view = save(anna)
    save(boss)
    with pytest.raises(Conflict, match="already"):
        save(anna)
    save(boss, "news", sharing="shared")
    with pytest.raises(Conflict, match="already"):
        save(boss, "news", sharing="shared")

    act(anna, "trash", view.id)
    save(anna)
    with pytest.raises(Conflict, match="already"):
        act(anna, "restore", view.id)


def test_nobody_saves_what_they_could_not_ask(save, as_user):
    reader = as_user(*EMPLOYEE, "core.customer.read", hidden_classes=["pii"])
    with pytest.raises(Forbidden, match="hidden from your roles"):
        save(reader, filter="email is not null")
    with pytest.raises(Invalid, match="has no field") as refused:
        save(reader, columns="emial")
    assert "email" not in str(refused.value)

    with pytest.raises(Forbidden, match=r"core\.role\.read"):
        save(reader, entity="core.role")


def test_a_view_changes_and_is_undone_like_all_data(client):
    body = {"entity": "core.customer", "name": "hot", "filter": "country = RU"}
    view = client.post("/api/v1/core/saved-views", json=body).json()
    address = f"/api/v1/core/saved-views/{view['id']}"
    client.patch(address, json={"filter": "country = DE"})

    newest = client.get("/api/v1/core/changes", params={"limit": 1}).json()["data"][0]
    assert client.post(f"/api/v1/core/changes/{newest['id']}:undo").status_code == 200

    assert client.get(address).json()["filter"] == "country = RU"


def test_views_are_listed_by_their_entity(client):
    for entity in ("core.customer", "core.user"):
        client.post("/api/v1/core/saved-views", json={"entity": entity, "name": "hot"})

    found = client.get("/api/v1/core/saved-views", params={"entity": "core.user"}).json()["data"]

    assert [view["entity"] for view in found] == ["core.user"]
    assert client.get("/api/v1/core/customers", params={"entity": "core.user"}).status_code == 400


def test_a_program_has_no_views_of_its_own(client, token):
    secret = token("core.saved_view.create", "core.saved_view.share", "core.customer.read")
    headers = {"Authorization": f"Bearer {secret}"}
    body = {"entity": "core.customer", "name": "hot"}

    refused = client.post("/api/v1/core/saved-views", json=body, headers=headers)
    assert refused.json()["errors"][0]["pointer"] == "/sharing"
    shared = client.post(
        "/api/v1/core/saved-views", json=body | {"sharing": "shared"}, headers=headers
    )
    assert shared.status_code == 201
