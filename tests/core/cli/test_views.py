"""Saved views and the file of customizations at the command line."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from clientela.views.entities import SavedView


@pytest.fixture(autouse=True)
def people(cli):
    for name, country in (("Anna", "RU"), ("Bert", "DE")):
        cli.customer("--name", name, "--kind", "person", "--country", country)


def test_a_view_is_saved_run_narrowed_edited_and_removed(cli):
    said = ("--filter", "country = RU", "--columns", "name", "--share", "shared")
    cli("view", "save", "customer", "russian", *said)

    assert cli.json("view", "run", "russian")["data"][0]["name"] == "Anna"
    assert (
        cli("core", "customer", "list", "--view", "russian", "-o", "csv").stdout == "name\nAnna\n"
    )
    assert cli("view", "run", "russian", "--filter", "country = DE", "--count").stdout == "0\n"
    assert cli("export", "customer", "--view", "russian").stdout.splitlines() == ["name", "Anna"]
    assert cli.json("view", "show", "russian")["copy"]["filter"] == "country = RU"

    cli("view", "edit", "russian", "--filter", "", "--rename", "all", "--pin")
    assert cli.json("view", "list", "customer")["data"][0]["name"] == "all"
    assert cli("view", "run", "all", "--count").stdout == "2\n"
    cli("view", "remove", "all")
    assert "all" not in cli("view", "list").stdout
    assert "no saved view" in cli("view", "run", "all", code=4).stderr


def test_a_view_is_shared_with_a_role(cli):
    cli("role", "add", "sales")
    cli("view", "save", "customer", "hot", "--share", "team:sales")
    assert cli.json("view", "show", "hot")["team"] == ["sales"]

    cli("view", "share", "hot", "shared")
    assert cli.json("view", "show", "hot")["sharing"] == "shared"
    assert "team:ROLE" in cli("view", "share", "hot", "sales", code=2).stderr
    assert "'sales'" in cli("view", "share", "hot", "team:salse", code=2).stderr


def test_a_layout_takes_options_as_json(cli):
    cli("view", "save", "customer", "board", "--layout", "board", "--options", '{"by": "kind"}')

    assert cli.json("view", "show", "board")["options"] == {"by": "kind"}
    assert "JSON" in cli("view", "edit", "board", "--options", "by=kind", code=2).stderr
    assert "Nothing" in cli("view", "edit", "board", code=2).stderr


def test_a_check_lists_what_is_broken(cli, app):
    cli("view", "save", "customer", "russian", "--filter", "country = RU")
    assert cli("view", "check").exit_code == 0
    with app.db.write() as connection:
        connection.execute(update(SavedView.info.table).values(filter="x_gone = 1"))

    (found,) = cli.json("view", "check", code=10)["data"]
    assert (found["view"], found["where"]) == ("russian", "filter")
    assert "x_gone" in found["reason"]
    assert cli.json("view", "show", "russian")["problems"][0]["pointer"] == "/filter"
    assert "view edit" in cli("view", "run", "russian", code=6).stderr


def test_the_file_of_customizations_goes_out_and_comes_in(cli, tmp_path):
    cli("view", "save", "customer", "russian", "--filter", "country = RU", "--share", "shared")
    file = tmp_path / "shop.json"
    cli("custom", "export", str(file), "--only", "views")
    assert cli("custom", "export", "-", "--only", "views").stdout == file.read_text("utf-8")

    cli("view", "remove", "russian")
    assert "--yes" in cli("custom", "import", str(file), code=2).stderr
    assert (
        cli("custom", "import", str(file), "--dry-run").stdout == "+ views  core.customer russian\n"
    )
    cli("custom", "import", str(file), "--yes")

    changed = json.loads(file.read_text("utf-8"))
    changed["views"][0]["filter"] = "country = DE"
    shown = cli("custom", "import", "-", "--mode", "upsert", "--yes", stdin=json.dumps(changed))
    assert shown.stdout.splitlines() == [
        "~ views  core.customer russian",
        '    filter: "country = RU" → "country = DE"',
    ]


def test_a_file_that_is_not_there_or_says_something_else_is_refused(cli, tmp_path):
    assert "cannot be read" in cli("custom", "import", str(tmp_path / "no.json"), "--yes", code=1).stderr  # fmt: skip
    assert "something else" in cli("custom", "import", "-", "--yes", stdin="[]", code=2).stderr
    assert "no part" in cli("custom", "export", "-", "--only", "veiws", code=2).stderr
