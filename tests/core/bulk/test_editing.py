"""What a filter finds is changed at once: looked at first, each record by its own rules, and taken back as one."""

from __future__ import annotations

import pytest

from clientela.access.principal import SYSTEM
from clientela.bulk.editing import Edit, EditStale, look, run
from clientela.customers.entities import Customer
from clientela.facts import RecordChanged, RecordsChanged
from clientela.filters import parse
from clientela.storage.database import count_statements

CUSTOMERS = "/api/v1/core/customers"
CRATES = "/api/v1/crates/crates"
CHANGES = "/api/v1/core/changes"


@pytest.fixture
def small_parts(monkeypatch):
    """Cut what is found into parts of three records."""
    monkeypatch.setattr("clientela.bulk.judging.BATCH", 3)


def test_a_look_counts_and_shows_and_changes_nothing(edit, make, crate, crates):
    first = make(crate, code="A", shelf="low")
    make(crate, code="B", shelf="top")
    make(crate, code="C", weight=9)

    found = edit("weight = 1", set_={"shelf": "top"})

    counts = {name: found[name] for name in ("matched", "would_change", "unchanged", "failed")}
    assert counts == {"matched": 2, "would_change": 1, "unchanged": 1, "failed": 0}
    assert found["changes"] == [
        {"id": first.public_id, "fields": [{"field": "shelf", "before": "low", "after": "top"}]}
    ]
    assert crates("shelf") == {"A": "low", "B": "top", "C": None}


def test_the_token_does_what_was_looked_at_and_undo_takes_it_back(do, make, crate, crates, client):
    for code in "AB":
        make(crate, code=code, shelf="low")
    make(crate, code="C")

    done = do("shelf = low", {"shelf": "top", "weight": 7})

    assert (done["matched"], done["changed"]) == (2, 2)
    assert crates("shelf") == {"A": "top", "B": "top", "C": None}
    line = client.get(f"{CHANGES}/{done['set_id']}").json()
    assert (line["action"], line["face"], line["rows"]) == ("crates.crate.update", "rest", 2)
    client.post(f"{CHANGES}/{done['set_id']}:undo")
    assert crates("shelf") == {"A": "low", "B": "low", "C": None}


def test_many_go_in_parts_and_come_back_as_one(small_parts, do, make, crate, crates, client):
    for n in range(8):
        make(crate, code=f"N{n}", shelf="low")

    done = do("shelf = low", {"shelf": "top"})

    assert done["changed"] == 8
    assert set(crates("shelf").values()) == {"top"}
    assert client.get(f"{CHANGES}/{done['set_id']}").json()["rows"] == 8
    client.post(f"{CHANGES}/{done['set_id']}:undo")
    assert set(crates("shelf").values()) == {"low"}


@pytest.mark.parametrize("change", ["changed", "new", "gone", "other values", "other filter"])
def test_a_token_is_of_what_was_looked_at(edit, make, crate, client, crates, change):
    one = make(crate, code="A", shelf="low")
    token = edit("shelf = low", set_={"weight": 5})["token"]
    address = f"{CRATES}/{one.public_id}"
    asked, values = "shelf = low", {"weight": 5}
    if change == "changed":
        client.patch(address, json={"place": 1})
    elif change == "new":
        make(crate, code="B", shelf="low")
    elif change == "gone":
        client.delete(address)
    elif change == "other values":
        values = {"weight": 6}
    else:
        asked = "shelf in (low)"

    assert edit(asked, set_=values, token=token, status=409)["code"] == "edit-stale"
    assert set(crates("weight").values()) <= {1}


def test_a_part_that_was_changed_meanwhile_stops_the_rest(
    small_parts, make, crate, app, client, crates
):
    keys = [make(crate, code=f"N{n}", shelf="low").public_id for n in range(5)]
    edit = Edit(app.registry.of(crate.info), parse("shelf = low"), {"weight": 5})
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        token = edit.token(look(ctx, edit))

    def meddle(_count, share):
        if share == 0.5:
            client.patch(f"{CRATES}/{keys[4]}", json={"place": 7})

    with pytest.raises(EditStale) as stopped:
        run(app, SYSTEM, edit, token, how={"face": "test"}, progress=meddle)

    assert list(crates("weight").values()).count(5) == 3
    client.post(f"{CHANGES}/{stopped.value.extra['set_id']}:undo")
    assert set(crates("weight").values()) == {1}


def test_what_fails_is_listed_in_groups_and_holds_all_back(edit, do, make, crate, crates):
    heavy = [make(crate, code=f"H{n}", weight=200, shelf="low").public_id for n in range(2)]
    customs = make(crate, code="CUSTOMS 1", shelf="low")
    make(crate, code="A", shelf="low")

    found = edit("shelf = low", set_={"shelf": "top"})

    assert (found["would_change"], found["failed"]) == (1, 3)
    assert [(g["field"], g["code"], g["count"], g["ids"]) for g in found["groups"]] == [
        ("weight", "too-heavy", 2, heavy),
        ("", "conflict", 1, [customs.public_id]),
    ]
    refused = do("shelf = low", {"shelf": "top"}, status=409)
    assert (refused["code"], refused["failed"]) == ("rows-refused", 3)
    assert set(crates("shelf").values()) == {"low"}

    done = do("shelf = low", {"shelf": "top"}, skip_bad_rows=True)
    assert (done["changed"], done["failed"]) == (1, 3)
    assert crates("shelf")["A"] == "top"
    assert crates("shelf")["H0"] == "low"


def test_who_guards_the_action_is_asked_of_each_record(do, make, crate, crates):
    make(crate, code="SEALED 1")
    make(crate, code="A")

    done = do("weight = 1", {"weight": 2}, skip_bad_rows=True)

    assert [(group["sentence"], group["count"]) for group in done["groups"]] == [
        ("The crate is sealed.", 1)
    ]
    assert crates("weight") == {"SEALED 1": 1, "A": 2}


def test_only_a_post_changes_what_is_found(client):
    reply = client.get(f"{CRATES}:update")

    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")


def test_what_one_may_see_and_not_change_is_listed(edit, make, crate, as_user, app):
    make(crate, code="A", shelf="low")
    other = make(crate, code="B", shelf="top")
    mover = as_user("crates.crate.read")
    packer = as_user("crates.crate.update", scopes={"crates.crate": "shelf = low"})
    both = type(mover)(
        kind="user", id="u", name="u", roles=(*mover.roles, *packer.roles), user=mover.user
    )
    edit = Edit(app.registry.of(crate.info), parse("weight = 1"), {"weight": 2})

    with app.acting_as(both, face="test", writing=False) as ctx:
        found = look(ctx, edit)

    assert (found.matched, found.changing, found.failed) == (2, 1, 1)
    [group] = found.groups
    assert (group.code, group.ids) == ("forbidden", [other.public_id])


def test_who_may_not_update_may_not_look_either(edit, token):
    reader = {"Authorization": f"Bearer {token('crates.crate.read')}"}
    blind = {"Authorization": f"Bearer {token('crates.crate.update')}"}

    for headers in (reader, blind):
        edit("weight = 1", set_={"weight": 2}, headers=headers, status=403)


def test_hidden_classes_are_neither_asked_for_nor_written_nor_shown(edit, make, crate, token):
    make(crate, code="A", price=5)
    headers = {"Authorization": f"Bearer {token('crates.crate.*', hidden_classes=['financial'])}"}

    edit("price = 5", set_={"weight": 2}, headers=headers, status=403)
    edit("weight = 1", set_={"price": 5}, headers=headers, status=403)
    assert edit("weight = 1", set_={"weight": 2}, headers=headers)["would_change"] == 1


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"filter": "weight = 1", "set": {"made_in": "RU"}}, 422, "/set/made_in"),
        ({"filter": "weight = 1", "set": {"weight": "much"}}, 422, "/set/weight"),
        ({"filter": "weight = 1", "set": {"wieght": 1}}, 422, "/set/wieght"),
        ({"filter": "weight = 1", "set": {}}, 400, "/set"),
        ({"filter": "weight = 1", "values": {}}, 400, "/values"),
        ({"filter": "", "set": {"weight": 2}}, 400, "/filter"),
        ({"set": {"weight": 2}}, 400, "/filter"),
        ({"filter": "wieght = 1", "set": {"weight": 2}}, 422, None),
        ({"filter": "weight = 1", "set": {"pin": "1234"}}, 422, None),
        ({"filter": "weight = 1", "set": {"weight": 2}, "token": 1}, 400, "/token"),
        ({"filter": "weight = 1", "set": {"weight": 2}, "skip_bad_rows": "no"}, 400, "/skip_bad_rows"),
        (
            {"filter": "weight = 1", "set": {"customer_id": "cus_01J8QZJ3Y6V5T4R3E2W1Q0P9N8"}},
            422,
            "/customer_id",
        ),
    ],
)  # fmt: skip
def test_bad_input_is_refused_before_anything_is_looked_at(client, body, status, pointer):
    reply = client.post(f"{CRATES}:update", json=body)

    assert reply.status_code == status, reply.text
    if pointer is not None:
        assert [one["pointer"] for one in reply.json()["errors"]] == [pointer]


@pytest.mark.parametrize("size", [2, 2_000])
def test_a_unique_value_goes_to_one_record_only(edit, make, crate, monkeypatch, size):
    monkeypatch.setattr("clientela.bulk.judging.BATCH", size)
    for n in range(5):
        make(crate, code=f"N{n}")

    found = edit("weight = 1", set_={"code": "same"})

    assert (found["would_change"], found["failed"]) == (1, 4)
    assert [group["code"] for group in found["groups"]] == ["not-unique"]


def test_what_is_unique_together_is_kept_so_across_parts(small_parts, do, make, crate, crates):
    for n in range(6):
        make(crate, code=f"N{n}", place=n % 5)
    make(crate, code="X", shelf="top", place=1, weight=9)

    done = do("weight = 1", {"shelf": "top"}, skip_bad_rows=True)

    assert (done["changed"], done["failed"]) == (4, 2)
    assert [code for code, shelf in crates("shelf").items() if shelf is None] == ["N5", "N1"]


def test_custom_fields_are_asked_for_and_changed_too(do, client):
    body = {"entity": "core.customer", "name": "x_tier", "kind": "text", "label": "Tier"}
    assert client.post("/api/v1/core/custom-fields", json=body).status_code == 201
    address = client.post(CUSTOMERS, json={"kind": "person", "name": "Anna"}).headers["location"]

    done = do("x_tier = null", {"x_tier": "gold"}, at=CUSTOMERS)

    assert done["changed"] == 1
    assert client.get(address).json()["x_tier"] == "gold"
    client.post(f"{CHANGES}/{done['set_id']}:undo")
    assert client.get(address).json()["x_tier"] is None


def test_a_filter_may_be_json_and_a_reference_is_checked(do, make, crate, crates):
    anna = make(Customer, name="Anna")
    make(crate, code="A")

    do({"field": "code", "op": "eq", "value": "A"}, {"customer_id": anna.public_id})

    assert crates("customer_id") == {"A": anna.public_id}


def test_what_was_changed_is_found_by_its_new_words(do, make, client):
    make(Customer, name="Anna", note="old")

    do("name = Anna", {"note": "sailing"}, at=CUSTOMERS)

    found = client.get("/api/v1/core/search", params={"q": "sailing"}).json()["data"]
    assert [hit["title"] for hit in found] == ["Anna"]


def test_subscribers_hear_of_each_or_of_the_whole(do, make, crate, facts, monkeypatch):
    for code in "AB":
        make(crate, code=code)

    do("weight = 1", {"weight": 2})
    assert [fact.fields for fact in facts(RecordChanged)] == [("weight",)] * 2

    monkeypatch.setattr("clientela.bulk.editing.MOST_TOLD", 1)
    done = do("weight = 2", {"weight": 3})
    assert len(facts(RecordChanged)) == 2
    [whole] = facts(RecordsChanged)
    assert (whole.records, whole.set_id) == (2, done["set_id"])


def test_a_retried_call_has_one_effect_and_one_answer(edit, make, crate):
    make(crate, code="A")
    token = edit("weight = 1", set_={"weight": 2})["token"]
    key = {"Idempotency-Key": "once"}

    answers = [
        edit("weight = 1", set_={"weight": 2}, token=token, headers=key) for _again in range(2)
    ]

    assert answers[0] == answers[1]
    assert answers[0]["changed"] == 1


def test_a_dry_run_with_a_token_is_a_look(edit, client, make, crate, crates):
    make(crate, code="A")
    body = {"filter": "weight = 1", "set": {"weight": 2}}
    token = edit("weight = 1", set_={"weight": 2})["token"]

    looked = client.post(f"{CRATES}:update?dry_run=true", json=body | {"token": token}).json()

    assert (looked["would_change"], looked["token"]) == (1, token)
    assert crates("weight") == {"A": 1}


def test_the_statements_of_a_part_do_not_grow_with_its_records(app, edit, make, crate):
    counter = count_statements(app.db.engine)

    def spent(value):
        values = {"weight": value}
        counter.statements.clear()
        looked = edit("shelf = low", set_=values)
        edit("shelf = low", set_=values, token=looked["token"])
        return len([one for one in counter.statements if "outbox" not in one])

    make(crate, code="one", shelf="low")
    spent(2)  # whoever calls for the first time is looked up
    few = spent(3)
    for n in range(40):
        make(crate, code=f"N{n}", shelf="low")

    assert spent(4) == few
