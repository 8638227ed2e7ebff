"""`clientela plugin plan|apply|remove|upgrade` in a deployment with the contacts plugin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from clientela.app import App
from clientela.plugins import life
from clientela.settings import load_settings
from clientela.storage import migrations


@pytest.fixture
def shop(cli: Any) -> Any:
    """The deployment, with the contacts plugin in it and its tables made."""
    settings = cli.folder / "clientela.toml"
    settings.write_text(
        settings.read_text("utf-8").replace('disabled = ["contacts"]\n', ""), "utf-8"
    )
    cli("plugin", "apply", "add", "contacts")
    return cli


def states(shop: Any) -> dict[str, Any]:
    app = App(settings=load_settings(shop.folder))
    found = {one.plugin: one.current for one in migrations.status(app)}
    app.close()
    return found


def test_a_plan_says_what_would_happen_and_nothing_does(cli: Any) -> None:
    settings = cli.folder / "clientela.toml"
    settings.write_text(
        settings.read_text("utf-8").replace('disabled = ["contacts"]\n', ""), "utf-8"
    )
    shown = cli("plugin", "plan", "add", "contacts").stdout
    assert "CREATE TABLE contacts_group" in shown
    assert "There is a way back." in shown
    assert "Carry it out with: clientela plugin apply add contacts" in shown
    assert states(cli)["contacts"] is None
    assert (
        cli.json("plugin", "apply", "add", "contacts", "--dry-run")["steps"][0]["does"] == "migrate"
    )
    assert states(cli)["contacts"] is None
    cli("plugin", "apply", "add", "contacts")
    assert states(cli)["contacts"] == "contacts_0001"


def test_a_plan_is_carried_out_from_its_file(shop: Any, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    shop("plugin", "plan", "remove", "contacts", "--purge", "--out", str(path))
    assert (
        json.loads(path.read_text("utf-8"))["command"]
        == "clientela plugin apply remove contacts --purge"
    )
    told = shop("plugin", "apply", str(path), "--yes")
    assert "contacts: removed, with 4 tables." in told.stdout
    assert list((shop.folder / "snapshots").glob("*-remove-contacts.sqlite3"))
    again = shop("plugin", "apply", str(path), "--yes", code=4)
    assert "has nothing in the database" in again.stderr


def test_removing_needs_one_of_three_words_and_a_yes(shop: Any) -> None:
    assert "--keep leaves its tables" in shop("plugin", "remove", "contacts", code=2).stderr
    assert (
        "--keep leaves its tables"
        in shop("plugin", "remove", "contacts", "--keep", "--purge", code=2).stderr
    )
    assert "Say --yes" in shop("plugin", "remove", "contacts", "--purge", code=2).stderr
    assert states(shop)["contacts"] == "contacts_0001"


def test_what_was_exported_comes_back(shop: Any, tmp_path: Path) -> None:
    shop("contacts", "group", "create", "--name", "Press")
    before = shop.json("contacts", "group", "list")["data"]
    archive = str(tmp_path / "contacts.zip")
    told = shop("plugin", "remove", "contacts", "--export", archive, "--yes").stdout
    assert f"contacts: wrote 1 records to {archive}." in told
    shop("plugin", "apply", "add", "contacts", "--from", archive)
    assert shop.json("contacts", "group", "list")["data"] == before
    assert shop.json("search", "Press")["data"]


def test_what_was_removed_stays_out_until_it_is_added(shop: Any) -> None:
    told = shop("plugin", "remove", "contacts", "--keep").stderr
    assert "contacts is left out from the next start on" in told
    shop("db", "migrate")
    assert [one["state"] for one in shop.json("plugin", "list")["data"]] == ["disabled"]
    assert "takes part again" in shop("plugin", "apply", "add", "contacts").stderr
    shop("contacts", "group", "list")


def test_a_purge_takes_the_settings_about_its_records(shop: Any) -> None:
    shop("custom", "field", "create", "contacts.group", "x_colour", "text")
    shop("view", "save", "contacts.group", "press", "--filter", "name = Press")
    named = [
        one["what"]
        for one in shop.json("plugin", "plan", "remove", "contacts", "--purge")["references"]
    ]
    assert {"custom fields of its records", "saved views of its records"} <= set(named)
    shop("plugin", "remove", "contacts", "--purge", "--yes")
    assert not shop.json("custom", "field", "list")["data"]
    assert not shop.json("view", "list")["data"]


def test_it_speaks_russian(shop: Any) -> None:
    shown = shop("plugin", "plan", "remove", "contacts", "--keep", "--lang", "ru").stdout
    assert "Выполнить: clientela plugin apply remove contacts --keep" in shown
    assert "остаётся" in shown


def test_what_was_broken_off_goes_back_or_on(shop: Any) -> None:
    assert "nothing to resume" in shop("plugin", "apply", "--resume", code=4).stderr
    assert "nothing to go back from" in shop("plugin", "apply", "--restore", "--yes", code=4).stderr
    app = App(settings=load_settings(shop.folder))
    plan = life.plan_remove(app, "contacts", "purge")
    life.applying._begin(app, plan, "")
    assert "clientela plugin apply --resume" in str(app.unready())
    app.close()
    assert "has not ended" in shop("plugin", "upgrade", "contacts", code=6).stderr
    shop("plugin", "apply", "--resume")
    assert "contacts" not in {n for n, revision in states(shop).items() if revision}
