"""A deployment starts without the plugins that cannot come up, and says why."""

from __future__ import annotations

import json

import pytest

from clientela.errors import Misconfigured


def test_every_plugin_that_can_come_up_does(shop, install) -> None:
    install("bapples", "1.2", "clientela-sdk")
    install("bcider", "0.1", "clientela-bapples>=1", "clientela-bglass; extra == 'jars'")
    shop.plugin("bpress", more=', needs=["bcider"]')

    with shop.open() as app:
        assert [card.name for card in app.plugins] == ["core", "bapples", "bcider", "bpress"]
    fates = app.report.plugins
    assert {name: one.state for name, one in fates.items()} == {
        "bapples": "active", "bcider": "active", "bpress": "active", "contacts": "disabled",
    }  # fmt: skip
    assert (fates["bcider"].version, fates["bcider"].needs) == ("0.1", ["bapples"])
    assert fates["bpress"].source.endswith("plugins/bpress.py")


def test_a_plugin_that_cannot_be_imported_is_left_out_with_those_that_need_it(shop) -> None:
    path = shop.broken("bworm", "1 / 0\n")
    shop.plugin("bapple", more=', needs=["bworm"]')
    shop.plugin("bcrate", more=', needs=["bapple"]')
    shop.plugin("bpear")

    fates = shop.fates()

    assert (fates["bworm"].state, fates["bworm"].reason) == (
        "quarantined",
        f"The plugin bworm cannot be imported: ZeroDivisionError: division by zero ({path}, line 1).",
    )
    assert fates["bapple"].reason == "bapple needs bworm, which is quarantined."
    assert fates["bcrate"].reason == "bcrate needs bapple, which is incompatible."
    assert fates["bpear"].state == "active"


def test_a_typing_error_is_told_with_its_line(shop) -> None:
    path = shop.broken("btypo", "x = 1\ndef y(:\n")

    assert shop.fate("btypo") == (
        "quarantined",
        f"The plugin btypo cannot be imported: SyntaxError: invalid syntax ({path}, line 2).",
    )


@pytest.mark.parametrize("ending", ["SystemExit(3)", "GeneratorExit()", "BaseException('no')"])
def test_an_import_that_wants_to_end_the_process_does_not(shop, ending: str) -> None:
    shop.broken("bquit", f"raise {ending}\n")

    state, reason = shop.fate("bquit")

    assert state == "quarantined"
    assert ending.partition("(")[0] in reason
    assert shop.fate("bquit")[0] == "quarantined"


def test_ctrl_c_is_the_persons_and_no_fault_of_the_plugin(shop) -> None:
    path = shop.broken("bslow", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt), shop.open():
        pass
    path.unlink()
    shop.plugin("bslow")

    assert shop.fate("bslow")[0] == "active"


def test_a_misspelt_hook_is_named_with_the_nearest(shop) -> None:
    shop.plugin(
        "bhook",
        """
        @hookimpl
        def record_savign(ctx, record):
            pass

        """,
        more=", hooks=[sys.modules[__name__]]",
    )
    shop.plugin("bgood")

    fates = shop.fates()

    assert fates["bhook"].state == "incompatible"
    assert fates["bhook"].reason.startswith(
        "bhook implements the hook record_savign, which no one specifies. Did you mean 'record_saving'"
    )
    assert fates["bgood"].state == "active"


def test_a_reference_to_an_entity_that_is_not_there(shop) -> None:
    """The neighbour's class can be imported, and the neighbour itself is disabled."""
    shop.plugin(
        "bbooks",
        """
        from clientela_contacts.entities import Group
        from clientela_sdk import Entity, Mapped, ref

        class Shelf(Entity, plugin="bbooks", prefix="bsh"):
            \"\"\"A shelf of a group.\"\"\"

            group_id: Mapped[str] = ref(Group)

        """,
        more=", entities=[Shelf]",
    )

    assert shop.fate("bbooks") == (
        "incompatible",
        "bbooks.shelf.group_id refers to contacts.group, whose plugin is not installed.",
    )


def test_the_wrong_version_of_a_neighbour(shop, install) -> None:
    install("bmalt", "1.2")
    install("bbeer", "3.0", "clientela-bmalt~=2.0", "clientela-bhops; python_version < '3'")

    assert shop.fate("bbeer") == (
        "incompatible",
        "bbeer 3.0 needs clientela-bmalt~=2.0, and 1.2 is installed.",
    )


def test_a_neighbour_that_is_not_installed_at_all(shop, install) -> None:
    install("bmalted", "1.2")
    install("bstout", "3.0", "clientela-bmaltd")

    assert shop.fate("bstout") == (
        "incompatible",
        "bstout needs bmaltd, which is not installed. Did you mean 'bmalted'?",
    )


def test_a_version_that_the_deployment_does_not_want(shop, install) -> None:
    install("bwine", "1.2")
    shop.say("[plugins]", 'bwine = "~=2.0"')

    fate = shop.fates()["bwine"]

    assert fate.reason == "clientela.toml wants bwine ~=2.0, and 1.2 is installed."
    assert fate.fix == 'pip install "clientela-bwine~=2.0"'


def test_a_plugin_that_is_wanted_and_not_installed(shop) -> None:
    shop.say("[plugins]", 'contcts = "*"')

    assert shop.fate("contcts") == (
        "orphaned",
        "contcts stands in clientela.toml and is not installed. Did you mean 'contacts'?",
    )


def test_plugins_that_need_each_other_in_a_circle(shop) -> None:
    shop.plugin("begg", more=', needs=["bhen"]')
    shop.plugin("bhen", more=', needs=["begg"]')
    shop.plugin("bfarm")

    fates = shop.fates()

    assert fates["begg"].reason.startswith("Plugins need each other in a circle: ")
    assert {n: f.state for n, f in fates.items() if n != "contacts"} == {
        "begg": "incompatible", "bfarm": "active", "bhen": "incompatible",
    }  # fmt: skip


def test_a_plugin_that_is_there_twice(shop, install) -> None:
    install("btwin", "1.0")
    shop.plugin("btwin")

    state, reason = shop.fate("btwin")

    assert state == "incompatible"
    assert reason.startswith("It is there twice: clientela-btwin and ")


def test_what_does_not_lead_to_a_card(shop, install) -> None:
    shop.broken("bnone", "plugin = 3\n")
    install(
        "bname",
        "1.0",
        source="from clientela_sdk import Plugin\nplugin = Plugin(name='x', title='X')\n",
    )

    fates = shop.fates()

    assert "does not lead to a Plugin(…)" in fates["bnone"].reason
    assert "installed under the name bname; they must be equal" in fates["bname"].reason


def test_what_a_careless_author_writes_costs_that_plugin_alone(shop, install) -> None:
    install("bloose", "1.0", "clientela-(what")
    shop.plugin("bneeds", more=', needs="contacts"')
    shop.plugin("bnone", more=", needs=None")
    shop.plugin("bentities", more=", entities=[3]")
    shop.plugin("bhooks", more=", hookspecs=3, hooks=[None, 3]")
    shop.plugin("bgood")

    fates = shop.fates()

    assert fates["bneeds"].reason.startswith(
        "The plugin bneeds cannot be imported: needs and guards of bneeds are lists of names"
    )
    assert {name: one.is_well for name, one in fates.items() if one.state != "disabled"} == {
        "bentities": False, "bgood": True, "bhooks": False, "bloose": True, "bneeds": False,
        "bnone": False,
    }  # fmt: skip


# required -------------------------------------------------------------------------------------------------------------


def test_required_plugins_that_cannot_come_up_stop_the_start_with_all_their_reasons(shop) -> None:
    shop.broken("bfirst", "1 / 0\n")
    shop.broken("bsecond", "raise SystemExit\n")
    shop.say("[plugins]", "bfirst = { required = true }", "[plugins.bsecond]", "required = true")

    with pytest.raises(Misconfigured) as refused, shop.open():
        pass

    assert "ZeroDivisionError" in refused.value.detail
    assert "SystemExit" in refused.value.detail
    assert [one.pointer for one in refused.value.errors] == ["/plugins/bfirst", "/plugins/bsecond"]


def test_a_required_plugin_that_is_disabled_is_set_aside_on_purpose(shop) -> None:
    shop.broken("bfirst", "1 / 0\n")
    shop.say('disabled = ["bfirst"]', "[plugins]", "bfirst = { required = true }")

    assert shop.fate("bfirst") == ("disabled", "It is disabled in clientela.toml.")


def test_safe_starts_the_core_alone_whatever_is_said_of_plugins(shop) -> None:
    shop.broken("bfirst", "import os\nos._exit(1)\n")
    shop.say("[plugins]", "bfirst = { requird = true }")

    with shop.open(safe=True) as app:
        assert [card.name for card in app.plugins] == ["core"]
    assert app.report.plugins["bfirst"].reason == "The core was started alone."


# the report -----------------------------------------------------------------------------------------------------------


def test_the_report_is_kept_for_those_who_cannot_start(shop) -> None:
    shop.plugin("bgood")
    shop.broken("bworm", "1 / 0\n")
    shop.fates()

    kept = json.loads((shop.folder / ".clientela/boot.json").read_text())
    good, worm, _contacts = kept["plugins"]

    assert (good["name"], good["state"], good["seconds"] > 0) == ("bgood", "active", True)
    assert (worm["state"], worm["fix"]) == ("quarantined", "clientela plugin disable bworm")


def test_a_folder_that_cannot_be_written_starts_all_the_same(shop) -> None:
    """As in a container whose file system is read-only; a file in the way stands for it."""
    (shop.folder / ".clientela").write_text("")
    shop.plugin("bgood")

    assert shop.fate("bgood")[0] == "active"
