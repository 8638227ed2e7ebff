"""`update --filter` at the command line: look, do, and see what failed."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def people(cli):
    for name, country in (("Anna", "RU"), ("Boris", "RU"), ("Carl", "DE")):
        cli.customer("--name", name, "--kind", "person", "--country", country)


def notes(cli):
    rows = cli.json("core", "customer", "list", "--sort", "name", "--columns", "note")["data"]
    return [row["note"] for row in rows]


UPDATE = ("core", "customer", "update", "--filter")


def test_a_filter_is_tried_and_done_and_taken_back(cli):
    looked = cli(*UPDATE, "country = RU", "--note", "north", "--dry-run")
    assert "north" in looked.stdout
    assert "nothing was changed" in looked.stderr
    assert notes(cli) == [None, None, None]

    done = cli(*UPDATE, "country = RU", "--note", "north", "--reason", "a campaign", "--yes")
    assert notes(cli) == ["north", "north", None]
    hint = done.stderr.strip().splitlines()[-1]
    assert "clientela change undo chs_" in hint
    key = hint.rpartition(" ")[2]
    assert cli.json("change", "show", key)["reason"] == "a campaign"

    cli("change", "undo", key)
    assert notes(cli) == [None, None, None]


def test_programs_get_json(cli):
    looked = cli.json(*UPDATE, "country = RU", "--note", "north", "--dry-run")
    done = cli.json(*UPDATE, "country = RU", "--note", "north", "--yes")

    assert (looked["would_change"], len(looked["changes"])) == (2, 2)
    assert (done["matched"], done["changed"]) == (2, 2)
    assert done["set_id"].startswith("chs_")


def test_what_cannot_be_changed_ends_with_seven_and_a_line_for_each_reason(cli):
    for name in ("ann", "bob"):
        cli("core", "user", "create", "--name", name, "--email", f"{name}@example.com")
    same = ("core", "user", "update", "--filter", "rev = 1", "--email", "us@example.com", "--yes")

    told = cli(*same, code=7)
    assert "1 × email" in told.stderr
    assert "--skip-bad-rows" in told.stderr
    assert "us@" not in cli("core", "user", "list", "-o", "csv").stdout

    cli(*same, "--skip-bad-rows", code=7)
    assert cli("core", "user", "list", "-o", "csv").stdout.count("us@example.com") == 1


def test_records_are_named_in_one_way(cli):
    key = cli.customer("--name", "Dora", "--kind", "person")

    assert "ids" in cli("core", "customer", "update", "--note", "x", code=2).stderr
    assert "ids" in cli(*UPDATE, "country = RU", key, "--note", "x", code=2).stderr
    assert "--rev" in cli(*UPDATE, "country = RU", "--rev", "1", "--note", "x", code=2).stderr
    assert "rev >= 1" in cli(*UPDATE, "", "--note", "x", "--yes", code=2).stderr
    assert "--yes" in cli(*UPDATE, "country = RU", "--note", "x", code=2).stderr


def test_nothing_found_changes_nothing(cli):
    told = cli(*UPDATE, "country = FR", "--note", "x", "--yes")

    assert "Nothing was changed" in told.stderr


def test_a_field_called_filter_goes_before_the_option(cli):
    cli("view", "save", "customer", "russian", "--filter", "country = RU")

    cli(
        "core", "saved-view", "update", "--where", "name = russian",
        "--filter", "country = DE", "--yes",
    )  # fmt: skip

    assert cli.json("view", "show", "russian")["copy"]["filter"] == "country = DE"


def test_a_value_tells_where_it_comes_from(cli):
    key = cli.customer("--name", "Dora", "--kind", "person")
    cli("core", "customer", "update", key, "--country", "RU", "--reason", "she moved")

    rows = cli.json("core", "customer", "provenance", key)["data"]
    country = next(row for row in rows if row["field"] == "country")
    assert (country["value"], country["source"], country["reason"]) == ("RU", "cli", "she moved")
    assert "she moved" in cli("core", "customer", "provenance", key).stdout
