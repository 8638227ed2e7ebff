"""An index over a custom field is made on demand, and the planner uses it."""

from __future__ import annotations

import pytest
from sqlalchemy import Select, inspect, select, text

from clientela.app import App
from clientela.custom.indexes import drop_index, put_back_indexes
from clientela.customers.entities import Customer
from clientela.filters import bind, parse
from clientela.filters.sql import to_sql
from clientela.storage.database import count_statements

CUSTOMERS = "/api/v1/core/customers"

INDEXABLE = {
    "text": ('x_it = "abc"', {}),
    "integer": ("x_it > 900", {}),
    "decimal": ("x_it = 12.50", {}),
    "boolean": ("x_it = true", {}),
    "day": ("x_it > 2999-01-01", {}),
    "instant": ("x_it > 2999-01-01T00:00:00Z", {}),
    "country": ("x_it = DE", {}),
    "money": ('x_it = "12.50 EUR"', {}),
    "ref": ("x_it_id = cus_01JD0000000000000000000000", {"target": "core.customer"}),
}


def indexes(app: App) -> set[str]:
    """Name the indexes of customers that belong to custom fields."""
    with app.db.read() as connection:
        table = Customer.info.table.name
        if app.db.is_sqlite:  # SQLAlchemy leaves out what is over expressions
            query = text(
                "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = :table"
            )
            found = list(connection.execute(query, {"table": table}).scalars())
        else:
            found = [one["name"] for one in inspect(connection).get_indexes(table)]
        return {name for name in found if name and name[2:].startswith("_x_")}


def plan(app: App, query: Select[tuple[str]]) -> str:
    """Give how the database would answer a query, if it had many rows."""
    made = str(query.compile(app.db.engine, compile_kwargs={"literal_binds": True}))
    with app.db.write() as connection:
        if app.db.is_sqlite:
            return str(connection.exec_driver_sql("EXPLAIN QUERY PLAN " + made).fetchall())
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        return str(connection.exec_driver_sql("EXPLAIN " + made.replace("%", "%%")).fetchall())


@pytest.mark.parametrize("kind", INDEXABLE)
def test_the_planner_uses_the_index(define, act, app: App, clock, kind: str) -> None:
    question, options = INDEXABLE[kind]
    field = define("x_it_id" if kind == "ref" else "x_it", kind, options=options)
    act(field, "index")
    info = app.registry.entity("core.customer")
    node = parse(question)
    assert node is not None
    bound = bind(node, info, now=clock(), today=clock().date(), me=None)

    answered = plan(app, select(info.table.c.id).where(to_sql(bound, info.table)))

    assert indexes(app) & set(answered.replace("'", " ").split()) == indexes(app) != set()


def test_an_index_comes_and_goes_with_its_field(define, act, app: App) -> None:
    field = define("x_card")
    act(field, "index")
    made = indexes(app)
    act(field, "remove")
    removed = indexes(app)
    act(field, "restore")
    restored = indexes(app)
    act(field, "unindex")

    assert len(made) == 1
    assert removed == indexes(app) == set()
    assert restored == made


@pytest.mark.parametrize("kind", ["tags", "long_text", "address", "json"])
def test_what_is_not_compared_is_not_indexed(define, act, kind: str) -> None:
    refused = act(define("x_it", kind), "index", status=422)

    assert refused["errors"][0]["code"] == "not-indexable"


def test_an_index_over_a_purged_field_does_not_come_back_by_itself(
    define, act, app: App, client
) -> None:
    field = define("x_card", unique=True)
    act(field, "purge", status=204)

    def newest() -> str:
        changes = client.get("/api/v1/core/changes", params={"entity": "core.custom_field"}).json()
        return str(changes["data"][0]["id"])

    undone = client.post(f"/api/v1/core/changes/{newest()}:undo").json()["id"]
    there = indexes(app)
    client.post(f"/api/v1/core/changes/{undone}:undo").raise_for_status()

    assert len(there) == 1
    assert indexes(app) == set()


def test_custom_fields_cost_no_further_statement(define, customer, client, app: App) -> None:
    for name in ("x_a", "x_b", "x_c"):
        define(name)
    anna = customer("Anna", x_a="one", x_b="two")
    client.get(CUSTOMERS)
    counter = count_statements(app.db.engine)
    shown = client.get(f"{CUSTOMERS}/{anna['id']}").json()
    listed = client.get(CUSTOMERS, params={"filter": 'x_a = "one"', "sort": "x_b"}).json()
    asked = [one for one in counter.statements if "core_customer" in one]

    assert (shown["x_a"], listed["data"][0]["x_b"]) == ("one", "two")
    assert len(asked) == 2


def test_an_index_that_a_migration_lost_is_put_back(define, app: App) -> None:
    field = define("x_card", unique=True)
    made = indexes(app)
    with app.db.write() as connection:
        drop_index(
            connection, app.registry.entity("core.customer"), app.definitions.of(Customer.info)[0]
        )
    lost = indexes(app)
    put_back_indexes(app)

    assert lost == set()
    assert indexes(app) == made == {f"uq_x_{field['id'].removeprefix('cfd_').lower()}"}
