"""The life of a custom field, from its definition to its end, over REST."""

from __future__ import annotations

import pytest

from clientela.access.entities import Role
from clientela.app import App

CUSTOMERS = "/api/v1/core/customers"
FIELDS = "/api/v1/core/custom-fields"
COLOURS = {
    "options": [
        {"key": "red", "label": "Red", "label_ru": "Красный"},
        {"key": "blue", "label": "Blue"},
    ]
}


def test_a_field_is_there_as_soon_as_it_is_defined(define, customer, names) -> None:
    define("x_colour", "choice", options=COLOURS)
    anna = customer("Anna", x_colour="red")
    customer("Boris", x_colour="blue")
    customer("Clara")

    assert anna["x_colour"] == "red"
    assert names(filter="x_colour = red") == ["Anna"]
    assert names(sort="x_colour") == ["Boris", "Anna", "Clara"]
    assert names(filter="not x_colour = red") == ["Boris", "Clara"]


def test_a_wrong_value_is_refused_as_of_a_declared_field(define, customer) -> None:
    define("x_colour", "choice", options=COLOURS)
    refused = customer("Anna", status=422, x_colour="gren", language="xx")

    said = {error["pointer"]: error["code"] for error in refused["errors"]}
    assert said == {"/x_colour": "value-error", "/language": "value-error"}
    assert "'gren' is not one of red, blue." in str(refused)


def test_a_filter_goes_through_a_reference_to_a_custom_field(
    define, customer, client, names
) -> None:
    define("x_colour", "choice", options=COLOURS)
    define("x_friend_id", "ref", options={"target": "core.customer"})
    anna = customer("Anna", x_colour="red")
    boris = customer("Boris", x_friend_id=anna["id"])

    opened = client.get(f"{CUSTOMERS}/{boris['id']}", params={"expand": "x_friend"}).json()

    assert names(filter="x_friend.x_colour = red") == ["Boris"]
    assert opened["x_friend"]["x_colour"] == "red"
    assert client.get(f"{CUSTOMERS}/{anna['id']}/customers").json()["data"][0]["name"] == "Boris"
    assert customer("Clara", status=422, x_friend_id="cus_01JD0000000000000000000000")["errors"]


def test_the_history_tells_custom_fields_one_by_one(define, customer, client) -> None:
    define("x_price", "money")
    define("x_size", "integer")
    anna = customer("Anna", x_price={"amount": "10.50", "currency": "EUR"}, x_size=1)
    path = f"{CUSTOMERS}/{anna['id']}"
    first = client.patch(path, json={"x_price": {"amount": "12.00", "currency": "EUR"}}).json()
    client.patch(path, json={"x_size": 2}, headers={"If-Match": f'"{first["rev"]}"'})

    newest, older, _created = client.get(f"{path}/history").json()["data"]
    client.post(f"/api/v1/core/changes/{older['id']}:undo").raise_for_status()

    assert newest["fields"] == [{"field": "x_size", "before": 1, "after": 2}]
    assert older["fields"][0]["before"] == {"amount": "10.50", "currency": "EUR"}
    now = client.get(path).json()
    assert (now["x_price"]["amount"], now["x_size"]) == ("10.50", 2)


def test_edits_of_two_custom_fields_are_merged_and_of_one_refused(define, customer, client) -> None:
    define("x_a")
    define("x_b")
    anna = customer("Anna")
    path, seen = f"{CUSTOMERS}/{anna['id']}", {"If-Match": f'"{anna["rev"]}"'}
    client.patch(path, json={"x_a": "one"}).raise_for_status()

    merged = client.patch(path, json={"x_b": "two"}, headers=seen)
    refused = client.patch(path, json={"x_a": "three"}, headers=seen)

    assert (merged.json()["x_a"], merged.json()["x_b"]) == ("one", "two")
    assert refused.status_code == 412
    assert refused.json()["conflicts"] == [{"field": "x_a", "yours": "three", "theirs": "one"}]


def test_the_past_shows_custom_fields_as_they_were(define, customer, client, clock) -> None:
    define("x_size", "integer")
    anna = customer("Anna", x_size=1)
    before = clock().isoformat().replace("+00:00", "Z")
    clock.forward(days=1)
    client.patch(f"{CUSTOMERS}/{anna['id']}", json={"x_size": 2})

    then = client.get(CUSTOMERS, params={"as_of": before, "filter": "x_size = 1"}).json()["data"]

    assert [row["x_size"] for row in then] == [1]
    assert client.get(f"{CUSTOMERS}/{anna['id']}", params={"as_of": before}).json()["x_size"] == 1


def test_a_unique_field_names_itself_in_the_conflict(define, customer) -> None:
    define("x_card", unique=True)
    customer("Anna", x_card="0815")
    customer("Boris")
    customer("Clara")

    refused = customer("Dora", status=409, x_card="0815")

    assert refused["errors"][0]["pointer"] == "/x_card"
    assert "Another customer has the same x_card" in refused["detail"]


def test_uniqueness_is_refused_while_records_share_a_value(define, customer, client) -> None:
    field = define("x_card")
    shared = [customer(name, x_card="0815")["id"] for name in ("Anna", "Boris")]

    refused = client.patch(f"{FIELDS}/{field['id']}", json={"unique": True})

    assert refused.status_code == 409
    assert (refused.json()["count"], refused.json()["records"]) == (2, shared)


def test_a_required_field_needs_a_default_where_records_lack_it(define, customer, client) -> None:
    anna = customer("Anna")
    refused = define("x_size", "integer", status=409, required=True)
    define("x_size", "integer", required=True, default=7)

    assert refused["count"] == 1
    assert client.get(f"{CUSTOMERS}/{anna['id']}").json()["x_size"] == 7
    assert customer("Boris")["x_size"] == 7


def test_a_required_field_without_a_default_must_be_named(define, customer) -> None:
    define("x_size", "integer", required=True)

    refused = customer("Anna", status=422)

    assert refused["errors"][0]["pointer"] == "/x_size"


@pytest.mark.parametrize(
    ("kind", "options", "value", "narrower"),
    [
        ("text", {"max_length": 20}, "a long colour", {"max_length": 5}),
        ("choice", COLOURS, "blue", {"options": COLOURS["options"][:1]}),
        ("integer", {}, 100, {"at_most": 99}),
        ("decimal", {"places": 2}, "1.25", {"places": 1}),
    ],
    ids=["length", "option", "bound", "places"],
)
def test_options_are_not_narrowed_below_stored_values(
    define, customer, client, kind, options, value, narrower
) -> None:
    field = define("x_it", kind, options=options)
    anna = customer("Anna", x_it=value)
    path = f"{FIELDS}/{field['id']}"

    refused = client.patch(path, json={"options": narrower})
    client.patch(f"{CUSTOMERS}/{anna['id']}", json={"x_it": None}).raise_for_status()
    allowed = client.patch(path, json={"options": narrower})

    assert refused.status_code == 409
    assert kind == "decimal" or refused.json()["records"] == [anna["id"]]
    assert allowed.status_code == 200


def test_hiding_keeps_the_values_and_takes_the_field_out_of_faces(
    define, customer, client, names
) -> None:
    field = define("x_size", "integer")
    anna = customer("Anna", x_size=3)
    client.patch(f"{FIELDS}/{field['id']}", json={"hidden": True}).raise_for_status()

    hidden = client.get(f"{CUSTOMERS}/{anna['id']}").json()
    refused = customer("Boris", status=422, x_size=1)
    client.patch(f"{FIELDS}/{field['id']}", json={"hidden": False}).raise_for_status()

    assert "x_size" not in hidden
    assert refused["errors"][0]["code"] == "unknown-field"
    assert names(filter="x_size = 3") == ["Anna"]


def test_a_removed_field_comes_back_with_its_values(define, customer, client, act, names) -> None:
    field = define("x_size", "integer")
    anna = customer("Anna", x_size=3)
    act(field, "remove")
    gone = client.get(f"{CUSTOMERS}/{anna['id']}").json()
    act(field, "restore")

    assert "x_size" not in gone
    assert names(filter="x_size = 3") == ["Anna"]


def test_a_purge_takes_the_values_and_its_undo_brings_them_back(
    define, customer, client, act, names
) -> None:
    field = define("x_card", unique=True)
    customer("Anna", x_card="0815")
    act(field, "purge", status=204)
    gone = client.get(CUSTOMERS).json()["data"][0]
    purged = client.get("/api/v1/core/changes", params={"action": "core.custom_field.purge"}).json()
    client.post(f"/api/v1/core/changes/{purged['data'][0]['id']}:undo").raise_for_status()

    assert "x_card" not in gone
    assert names(filter='x_card = "0815"') == ["Anna"]
    assert customer("Boris", status=409, x_card="0815")["errors"][0]["pointer"] == "/x_card"


def test_a_new_name_takes_values_scopes_and_index_along(
    define, customer, client, act, names, make, app: App
) -> None:
    field = define("x_size", "integer", unique=True)
    customer("Anna", x_size=3)
    reader = make(Role, permissions=["*"], scopes={"core.customer": "x_size > 1 and kind = person"})
    act(field, "rename", name="x_height")
    renamed = client.get(
        "/api/v1/core/changes", params={"action": "core.custom_field.rename"}
    ).json()

    assert names(filter="x_height = 3") == ["Anna"]
    assert customer("Boris", status=409, x_height=3)["errors"][0]["pointer"] == "/x_height"
    with app.db.read() as connection:
        scopes = connection.execute(
            Role.info.table.select().where(Role.info.table.c.id == reader.id)
        )
        assert scopes.one().scopes == {"core.customer": "x_height > 1 and kind = person"}

    answer = client.post(f"/api/v1/core/changes/{renamed['data'][0]['id']}:undo")
    assert answer.status_code == 200, answer.text
    assert names(filter="x_size = 3") == ["Anna"]


def test_what_names_a_field_stands_in_the_way_of_its_removal(define, client, act, make) -> None:
    field = define("x_vip", "boolean")
    make(Role, name="north", permissions=["*"], scopes={"core.customer": "x_vip = true"})
    make(
        Role, name="calls", permissions=["*"], scopes={"core.interaction": "customer.x_vip = true"}
    )

    shown = client.get(f"{FIELDS}/{field['id']}/references").json()["data"]
    refused = act(field, "remove", status=409)
    hidden = client.patch(f"{FIELDS}/{field['id']}", json={"hidden": True})
    trashed = client.delete(f"{FIELDS}/{field['id']}")
    purged = act(field, "purge", status=409)
    act(field, "remove", force=True)

    assert {(one["name"], one["where"]) for one in shown} == {
        ("north", "scopes.core.customer"), ("calls", "scopes.core.interaction"),
    }  # fmt: skip
    assert refused["references"] == shown == purged["references"]
    assert (hidden.status_code, trashed.status_code) == (409, 409)


def test_fields_stand_in_their_order(define, client, act) -> None:
    for name in ("x_a", "x_b", "x_c"):
        last = define(name)
    act(last, "move", before="x_a")

    meta = client.get("/api/v1/meta").json()
    customers = next(one for one in meta["entities"] if one["name"] == "core.customer")
    assert [f["name"] for f in customers["fields"] if f["name"].startswith("x_")] == [
        "x_c",
        "x_a",
        "x_b",
    ]


def test_labels_are_told_in_the_language_of_the_caller(define, client) -> None:
    define(
        "x_colour", "choice", options=COLOURS, label="Colour", label_ru="Цвет", help="Of the roof."
    )

    def told(language: str) -> tuple[str, str]:
        meta = client.get("/api/v1/meta", headers={"Accept-Language": language}).json()
        fields = next(e for e in meta["entities"] if e["name"] == "core.customer")["fields"]
        return next((f["label"], f["help"]) for f in fields if f["name"] == "x_colour")

    assert told("ru") == ("Цвет", "Of the roof.")
    assert told("en") == ("Colour", "Of the roof.")


def test_the_api_document_follows_the_definitions(define, client, act) -> None:
    def described() -> dict[str, object]:
        schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
        return {
            n: schemas[n]["properties"].get("x_size")
            for n in ("core_customer", "core_customer_create")
        }

    before = described()
    field = define("x_size", "integer", options={"at_most": 9})
    during = described()
    act(field, "remove")

    assert before == described() == {"core_customer": None, "core_customer_create": None}
    assert "9" in str(during["core_customer_create"])


def test_a_batch_and_a_dry_run_know_custom_fields(define, client, names) -> None:
    define("x_size", "integer")
    items = [
        {"op": "create", "data": {"kind": "person", "name": n, "x_size": s}}
        for n, s in (("A", 1), ("B", 2))
    ]

    dry = client.post(
        f"{CUSTOMERS}?dry_run=true", json={"kind": "person", "name": "C", "x_size": 3}
    ).json()
    client.post(f"{CUSTOMERS}:batch", json={"items": items}).raise_for_status()

    assert dry["result"]["x_size"] == 3
    assert names(filter="x_size > 0") == ["A", "B"]


def test_a_dry_run_of_a_definition_leaves_nothing(client, customer) -> None:
    body = {
        "entity": "core.customer",
        "name": "x_size",
        "kind": "integer",
        "label": "Size",
        "unique": True,
    }
    shown = client.post(f"{FIELDS}?dry_run=true", json=body)

    assert shown.json()["result"]["name"] == "x_size"
    assert customer("Anna", status=422, x_size=1)["errors"][0]["code"] == "unknown-field"


def test_records_are_found_by_the_words_of_a_custom_field(define, customer, client, names) -> None:
    field = define("x_note", "long_text")
    customer("Anna", x_note="collects lighthouses")
    before = names(q="lighthouses")
    client.patch(f"{FIELDS}/{field['id']}", json={"search": True}).raise_for_status()
    customer("Boris", x_note="paints lighthouses")

    assert before == []
    assert names(q="lighthouses") == ["Anna", "Boris"]
    hit = client.get("/api/v1/core/search", params={"q": "paints lighthouses"}).json()["data"][0]
    assert hit["field"] == "x_note"


def test_a_class_hides_a_custom_field_from_a_role(define, customer, client, token) -> None:
    define("x_income", "integer", field_class="financial")
    anna = customer("Anna", x_income=100)
    masked = {"Authorization": f"Bearer {token('*', hidden_classes=['financial'])}"}

    seen = client.get(f"{CUSTOMERS}/{anna['id']}", headers=masked).json()
    asked = client.get(CUSTOMERS, params={"filter": "x_income > 1"}, headers=masked)

    assert "x_income" not in seen
    assert asked.status_code == 403


def test_a_scope_over_a_custom_field_is_enforced(define, customer, client, token) -> None:
    define("x_vip", "boolean")
    customer("Anna", x_vip=True)
    customer("Boris")
    rule = {"core.customer": "x_vip = true"}
    scoped = {"Authorization": f"Bearer {token('core.customer.*', scopes=rule)}"}

    assert [row["name"] for row in client.get(CUSTOMERS, headers=scoped).json()["data"]] == ["Anna"]


def test_only_who_may_defines_a_field(client, token) -> None:
    body = {"entity": "core.customer", "name": "x_a", "kind": "text", "label": "A"}
    employee = {"Authorization": f"Bearer {token('core.customer.*', 'core.custom_field.read')}"}

    assert client.post(FIELDS, json=body, headers=employee).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": "colour"}, "/name"),
        ({"name": "x_Colour"}, "/name"),
        ({"name": 'x_a"; drop'}, "/name"),
        ({"entity": "core.custmer"}, "/entity"),
        ({"entity": "core.custom_field"}, "/entity"),
        ({"kind": "txt"}, "/kind"),
        ({"options": {"max": 3}}, "/options/max"),
        ({"options": {"max_length": 0}}, "/options/max_length"),
        ({"kind": "choice"}, "/options/options"),
        ({"kind": "ref", "options": {"target": "core.custmer"}}, "/options/target"),
        ({"kind": "ref", "options": {"target": "core.customer"}}, "/name"),
        ({"kind": "integer", "options": {"at_least": 2, "at_most": 1}}, "/options/at_least"),
        ({"kind": "integer", "default": "many"}, "/default"),
        ({"kind": "money", "unique": True}, "/unique"),
        ({"kind": "country", "search": True}, "/search"),
        ({"unique": True, "default": "same"}, "/default"),
    ],
    ids=str,
)
def test_a_definition_that_could_not_work_is_refused(define, wrong, pointer) -> None:
    body = {"entity": "core.customer", "name": "x_a", "kind": "text"} | wrong

    refused = define(body.pop("name"), body.pop("kind"), status=422, **body)

    assert refused["errors"][0]["pointer"] == pointer


def test_a_reference_is_found_and_renamed_by_its_short_name(define, act, make, client) -> None:
    field = define("x_friend_id", "ref", options={"target": "core.customer"})
    role = make(Role, permissions=["*"], scopes={"core.customer": "x_friend.name = Anna"})
    shown = client.get(f"{FIELDS}/{field['id']}/references").json()["data"]
    act(field, "rename", name="x_guide_id")

    renamed = client.get(f"/api/v1/core/roles/{role.public_id}").json()
    assert [one["id"] for one in shown] == [role.public_id]
    assert renamed["scopes"] == {"core.customer": "x_guide.name = Anna"}


def test_a_reference_keeps_its_ending(define, act) -> None:
    field = define("x_friend_id", "ref", options={"target": "core.customer"})

    assert act(field, "rename", status=422, name="x_guide")["errors"][0]["pointer"] == "/name"
