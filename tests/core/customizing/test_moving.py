"""What a deployment says of itself, given out and taken in as one object."""

from __future__ import annotations

from typing import Any

import pytest

EXPORT, IMPORT = "/api/v1/core:export_custom", "/api/v1/core:import_custom"
VIEWS, ROLES = "/api/v1/core/saved-views", "/api/v1/core/roles"

CONTENT: dict[str, Any] = {
    "clientela": 1,
    "roles": [{"name": "sales", "permissions": ["core.customer.*"], "scopes": {"core.customer": "owner = me"}}],
    "import_templates": [{"name": "shop", "entity": "core.customer", "options": {"key": ["email"]}}],
    "views": [
        {
            "entity": "core.customer", "name": "hot", "filter": "country = RU", "sharing": "team",
            "team": ["sales"], "layout": "board", "options": {"by": "kind"},
        },
    ],
}  # fmt: skip


@pytest.fixture
def take(client):
    """Take in some content and give the steps, or the reply with `status`."""

    def take(content: Any = CONTENT, *, status: int = 200, dry: bool = False, **more: Any) -> Any:
        parameters = {"dry_run": "true"} if dry else {}
        reply = client.post(IMPORT, json={"content": content} | more, params=parameters)
        assert reply.status_code == status, reply.text
        body = reply.json()
        return [(s["part"], s["name"], s["what"]) for s in body["data"]] if "data" in body else body

    return take


@pytest.fixture
def give(client):
    """Give out some parts."""

    def give(*only: str) -> Any:
        return client.post(EXPORT, json={"only": list(only)}).json()

    return give


def test_what_is_taken_in_is_given_out_again(take, give):
    assert take() == [
        ("roles", "sales", "create"), ("import_templates", "shop", "create"),
        ("views", "core.customer hot", "create"),
    ]  # fmt: skip

    given = give()
    assert given["views"] == CONTENT["views"]
    assert given["import_templates"] == CONTENT["import_templates"]
    assert CONTENT["roles"][0] in given["roles"]
    assert {what for _, _, what in take(given)} == {"same"}


def test_no_id_and_no_private_view_leaves(client, give, take):
    take()
    body = {"entity": "core.customer", "name": "mine"}
    assert client.post(VIEWS, json=body).status_code == 201

    text = client.post(EXPORT, json={}).text

    assert "mine" not in text
    assert not any(prefix in text for prefix in ("svw_", "rol_", "imt_", "usr_"))
    assert set(give("views")) == {"clientela", "views"}


def test_what_differs_is_refused_unless_it_may_be_changed(client, take):
    take()
    other = CONTENT | {"views": [CONTENT["views"][0] | {"filter": "country = DE"}]}

    refused = take(other, status=409)
    assert "differs in filter" in refused["detail"]
    assert refused["errors"][0]["pointer"] == "/content/views/0"

    assert take(other, mode="upsert")[-1] == ("views", "core.customer hot", "update")
    assert client.get(VIEWS).json()["data"][0]["filter"] == "country = DE"


def test_it_is_one_change_set_that_is_taken_back_as_one(client, take, give):
    before = give()
    take()

    newest = client.get("/api/v1/core/changes", params={"limit": 1}).json()["data"][0]
    assert newest["action"] == "core.import_custom"
    assert client.post(f"/api/v1/core/changes/{newest['id']}:undo").status_code == 200

    assert give() == before


def test_a_dry_run_shows_and_keeps_nothing(take, give):
    before = give()

    shown = take(dry=True)

    assert [step["what"] for step in shown["result"]["data"]] == ["create"] * 3
    assert give() == before


def test_one_bad_item_keeps_everything_back_and_says_where(take, give):
    before = give()
    bad = CONTENT | {"views": [CONTENT["views"][0] | {"filter": "contry = RU"}]}

    refused = take(bad, status=422)

    assert refused["errors"][0]["pointer"] == "/content/views/0/filter"
    assert "'country'" in refused["detail"]
    assert give() == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (CONTENT | {"veiws": []}, "There is no part 'veiws'"),
        ({"roles": []}, "something else"),
        (CONTENT | {"roles": {}}, "are a list"),
        (CONTENT | {"roles": [{"about": "nameless"}]}, "an object with name"),
        (CONTENT | {"roles": [{"name": "x", "colour": "red"}]}, "have no 'colour'"),
    ],
)
def test_what_is_no_such_content_is_refused_with_a_sentence(take, content, sentence):
    assert sentence in take(content, status=422)["detail"]


def test_parts_may_be_chosen(take):
    assert take(only=["roles"]) == [("roles", "sales", "create")]
    assert "'rolse'" in take(only=["rolse"], status=422)["detail"]


def test_a_file_raises_nobody_above_themselves(client, token):
    weak = token("core.import_custom", "core.role.*")
    headers = {"Authorization": f"Bearer {weak}"}

    reply = client.post(IMPORT, json={"content": CONTENT, "only": ["roles"]}, headers=headers)

    assert reply.status_code == 403
    assert "sales" in reply.json()["detail"]


def test_whoever_may_not_read_a_part_is_refused(client, token):
    headers = {"Authorization": f"Bearer {token('core.export_custom', 'core.saved_view.read')}"}

    assert client.post(EXPORT, json={"only": ["views"]}, headers=headers).status_code == 200
    assert client.post(EXPORT, json={}, headers=headers).status_code == 403


def test_fields_come_with_the_roles_and_views_that_name_them(take, give, client):
    """A scope and a view of the same file name a field that was not there before it."""
    field = {"entity": "core.customer", "name": "x_rank", "kind": "integer", "label": "Rank"}
    role = {"name": "north", "permissions": ["*"], "scopes": {"core.customer": "x_rank > 3"}}
    view = {"entity": "core.customer", "name": "top", "filter": "x_rank = 9", "sharing": "shared"}
    content = {"clientela": 1, "fields": [field], "roles": [role], "views": [view]}

    assert [what for _, _, what in take(content)] == ["create", "create", "create"]
    assert client.post("/api/v1/core/customers", json={"name": "A", "x_rank": 9}).status_code == 201
    assert client.get("/api/v1/core/customers?view=top").json()["data"][0]["x_rank"] == 9
    assert {what for _, _, what in take(give())} == {"same"}
