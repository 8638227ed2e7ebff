"""Custom fields in files and on the command line."""

from __future__ import annotations

import io
import json
from typing import Any

from clientela.access.entities import Role
from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.exchange import ImportOptions, import_file

CUSTOMERS = "/api/v1/core/customers"
COLOURS = {
    "options": [
        {"key": "red", "label": "Red", "label_ru": "Красный"},
        {"key": "blue", "label": "Blue"},
    ]
}


def take(app: App, file: str, **how: Any) -> Any:
    return import_file(
        app, SYSTEM, Customer.info, io.BytesIO(file.encode()), options=ImportOptions(**how)
    )


def test_a_file_fills_custom_fields_by_their_labels_in_both_languages(
    define, app: App, client
) -> None:
    define("x_colour", "choice", options=COLOURS, label="Favourite colour", label_ru="Любимый цвет")
    define("x_price", "money", label="Top price", label_ru="Потолок")

    take(app, "name,favourite colour,x_price\nAnna,Red,12.50 EUR\n")
    take(app, "name,Любимый цвет,Потолок\nBoris,blue,\n")

    rows = client.get(CUSTOMERS, params={"sort": "name"}).json()["data"]
    assert [(row["x_colour"], row["x_price"]) for row in rows] == [
        ("red", {"amount": "12.50", "currency": "EUR"}), ("blue", None),
    ]  # fmt: skip


def test_a_second_file_changes_custom_fields_by_a_custom_key(define, app: App, client) -> None:
    define("x_card", unique=True)
    define("x_size", "integer")
    take(app, "name,x_card,x_size\nAnna,0815,1\nBoris,4711,2\n")
    again = take(app, "name,x_card,x_size\nAnna,0815,1\nBoris,4711,3\n", key=("x_card",))
    taken = take(app, "name,x_card\nClara,0815\n")

    key = client.get(CUSTOMERS, params={"filter": 'x_card = "4711"'}).json()["data"][0]["id"]
    history = client.get(f"{CUSTOMERS}/{key}/history").json()["data"]
    assert (again.created, again.updated, again.unchanged) == (0, 1, 1)
    assert history[0]["fields"] == [{"field": "x_size", "before": 2, "after": 3}]
    assert taken.failed == 1


def test_the_command_line_defines_fills_and_removes_a_field(cli, app: App) -> None:
    def run(*words: str, code: int = 0) -> str:
        result = cli(*words)
        assert result.exit_code == code, result.output
        return str(result.stdout)

    run("custom", "field", "create", "customer", "x_colour", "choice",
        "--choice", "red=Red/Красный", "--choice", "blue=Blue", "--label-ru", "Цвет",
        "--default", "красный")  # fmt: skip
    run("custom", "field", "create", "customer", "x_size", "integer", "--option", "at_most=60")
    run("core", "customer", "create", "--name", "Anna", "--x-size", "12")
    shown = json.loads(run("core", "customer", "list", "--filter", "x_size > 5", "-o", "json"))
    rows = shown["data"] if isinstance(shown, dict) else shown
    run("custom", "field", "edit", "x_size", "--label", "Shoe size", "--option", "at_most=70")
    run("custom", "field", "move", "x_size", "--before", "x_colour")
    run("custom", "field", "index", "x_size")
    run("custom", "field", "hide", "x_colour")
    listed = json.loads(run("custom", "field", "list", "customer", "-o", "json"))
    run("custom", "field", "show-again", "x_colour")
    run("custom", "field", "rename", "x_size", "x_shoe")
    run("custom", "field", "remove", "x_shoe")
    run("core", "customer", "list", "--filter", "x_shoe > 5", code=2)
    run("custom", "field", "restore", "x_shoe")
    run("custom", "field", "remove", "x_colour")
    run("custom", "field", "purge", "x_colour", "--yes")

    assert [(row["x_size"], row["x_colour"]) for row in rows] == [(12, "red")]
    fields = listed["data"] if isinstance(listed, dict) else listed
    assert [(f["name"], f["indexed"], f["hidden"]) for f in fields] == [
        ("x_size", True, False), ("x_colour", False, True),
    ]  # fmt: skip
    assert "Shoe size" in run("entity", "show", "core.customer")


def test_a_dry_run_of_a_removal_tells_what_names_the_field(cli, define, make) -> None:
    define("x_vip", "boolean")
    make(Role, name="north", permissions=["*"], scopes={"core.customer": "x_vip = true"})

    told = cli("custom", "field", "remove", "x_vip", "--dry-run")
    refused = cli("custom", "field", "remove", "x_vip")

    assert "north" in told.stdout
    assert "still-referred-to" in refused.stderr
    assert cli("custom", "field", "show", "x_vip").exit_code == 0
    assert "x_vpi" in cli("custom", "field", "show", "x_vpi").stderr
