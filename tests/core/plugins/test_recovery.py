"""The commands that mend a deployment go on whatever is broken, and import no plugin."""

from __future__ import annotations

import pytest


def states(shop) -> dict[str, str]:
    return {row["name"]: row["state"] for row in shop.json("plugin", "list")["data"]}


def test_the_list_tells_what_the_last_start_told(shop) -> None:
    shop.plugin("rgood")
    shop.broken("rworm", "1 / 0\n")
    assert states(shop) == {"contacts": "disabled", "rgood": "found", "rworm": "found"}

    shop.fates()
    assert states(shop) == {"contacts": "disabled", "rgood": "active", "rworm": "quarantined"}


def test_a_new_version_is_looked_at_anew(shop, install) -> None:
    install("rwine", "1.0", source="1 / 0\n")
    shop.fates()
    assert states(shop)["rwine"] == "quarantined"

    (shop.folder / "site/clientela_rwine-1.0.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: clientela-rwine\nVersion: 1.1\n"
    )
    assert states(shop)["rwine"] == "found"


def test_a_broken_plugin_is_disabled_and_enabled_again(shop) -> None:
    shop.broken("rkill", "import os\nos._exit(1)\n")
    shop.plugin("rtail", more=', needs=["rkill"]')

    done = shop.cli("plugin", "disable", "rkill")
    assert "rkill is left out from the next start on" in done.stderr
    assert "With it go those that need it: rtail." in done.stderr
    assert shop.fates()["rtail"].reason == "rtail needs rkill, which is disabled."
    assert "is disabled already" in shop.cli("plugin", "disable", "rkill").stderr

    assert "takes part from the next start on" in shop.cli("plugin", "enable", "rkill").stderr
    assert "is enabled already" in shop.cli("plugin", "enable", "rkill").stderr


def test_why_says_who_needs_it_and_what_it_needs(shop) -> None:
    shop.broken("rbase", "1 / 0\n")
    shop.plugin("rtop", more=', needs=["rbase"]')
    shop.fates()

    base, top = (shop.json("plugin", "why", name) for name in ("rbase", "rtop"))

    assert base["needed_by"] == {"rtop": "incompatible"}
    assert "ZeroDivisionError" in base["reason"]
    assert (top["needs"], top["reason"]) == (
        {"rbase": "quarantined"}, "rtop needs rbase, which is quarantined.",
    )  # fmt: skip


def test_info_shows_the_entities_and_the_ledger(migrated_shop) -> None:
    migrated_shop.say('name = "Shop"')
    migrated_shop.fates()

    told = migrated_shop.json("plugin", "info", "contacts")

    assert told["state"] == "active"
    assert "contacts.group" in told["entities"]
    assert "contacts_group" in str(told["ledger"])
    assert told["entry_point"] == "clientela_contacts:plugin"


def test_a_package_that_is_gone_is_known_by_its_tables(migrated_shop) -> None:
    """The ledger is what is left of it."""
    with migrated_shop.open() as app:
        from clientela.storage.meta import remember

        with app.db.write() as connection:
            remember(connection, "plugin.rgone", {"needs": [], "removal": []})

    told = migrated_shop.json("plugin", "why", "rgone")
    assert (told["state"], told["reason"]) == (
        "orphaned", "Its package is gone, and its tables are there.",
    )  # fmt: skip

    with migrated_shop.open() as app:
        app.guarding.settle()
        assert app.report.plugins["rgone"].state == "orphaned"


@pytest.mark.parametrize("words", [["list"], ["info", "rkill"], ["why", "rkill"]])
def test_they_go_on_while_all_else_is_broken(shop, words: list[str]) -> None:
    shop.broken("rkill", "import os\nos._exit(1)\n")
    shop.say('database = "postgresql://nobody@127.0.0.1:1/none"', 'disabled = ["rkill"]', "x = = 3")

    done = shop.cli("plugin", *words)

    assert "disabled" in done.stdout
    assert "cannot be read" in done.stderr


def test_the_doctor_goes_on_too_and_names_what_is_broken(shop) -> None:
    shop.broken("rworm", "1 / 0\n")
    shop.fates()
    shop.say('database = "postgresql://nobody@127.0.0.1:1/none"', "x = = 3")

    rows = shop.json("plugin", "doctor", code=1)["data"]

    assert {row["plugin"] for row in rows if row["state"] == "fail"} == {"core", "rworm"}
    assert shop.cli("plugin", "disable", "rworm").exit_code == 0


def test_a_database_that_is_away_is_said(shop) -> None:
    shop.say('database = "postgresql://nobody@127.0.0.1:1/none"')

    assert "The ledger could not be read" in shop.cli("plugin", "info", "contacts").stderr


def test_a_plugin_that_nobody_knows(shop) -> None:
    assert "Did you mean 'contacts'?" in shop.cli("plugin", "why", "contcts", code=4).stderr


def test_where_there_is_no_deployment_nothing_is_written(shop) -> None:
    (shop.folder / "clientela.toml").unlink()

    assert "There is no deployment" in shop.cli("plugin", "disable", "contacts", code=3).stderr
    assert list(shop.folder.iterdir()) == []


def test_safe_works_on_any_command(migrated_shop) -> None:
    migrated_shop.broken("rkill", "import os\nos._exit(1)\n")

    assert migrated_shop.cli("core", "customer", "list", "--safe").exit_code == 0
    refused = migrated_shop.cli("--safe", "contacts", "group", "list", code=4)
    assert "The core was started alone." in refused.stderr


def test_the_big_doctor_names_them_as_well(migrated_shop) -> None:
    migrated_shop.broken("rworm", "1 / 0\n")

    done = migrated_shop.cli("doctor", "-o", "json", code=1)

    assert "rworm: The plugin rworm cannot be imported: ZeroDivisionError" in done.stdout
