"""What a plugin brings for a partner is there when both are, and absent without a word otherwise."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from clientela.app import App
from clientela.errors import Misconfigured
from clientela.hookspecs import hookimpl
from clientela.plugins.card import Part, Plugin

SPEAKS = """
from clientela_sdk import Part, hookimpl

@hookimpl
def health_checks(app):
    return []

part = Part(permissions={"pbread.toast": "Toast"})
"""


def package(shop, name: str, **files: str) -> None:
    folder = shop.folder / "plugins" / name
    folder.mkdir(parents=True)
    for file, source in files.items():
        (folder / f"{file}.py").write_text(source, "utf-8")


def bread(shop, source: str = SPEAKS) -> None:
    for module in ("clientela_pbread", "clientela_pbread.with_pbutter"):
        sys.modules.pop(module, None)
    card = (
        "from clientela_sdk import Plugin\n"
        'plugin = Plugin(name="pbread", title="Bread", migrations=False,\n'
        '    partners={"pbutter": "clientela_pbread.with_pbutter"})\n'
    )
    package(shop, "pbread", __init__=card, with_pbutter=source)


def test_an_absent_partner_is_an_absent_feature(shop) -> None:
    bread(shop, "1 / 0\n")

    fate = shop.fates()["pbread"]

    assert (fate.state, fate.reason, fate.hooks) == ("active", "", [])
    assert "clientela_pbread.with_pbutter" not in sys.modules


def test_both_together_bring_the_part(shop) -> None:
    bread(shop)
    shop.plugin("pbutter")

    with shop.open() as app:
        assert app.report.plugins["pbread"].hooks == ["health_checks"]
        assert "pbread.toast" in app.registry.permissions


def test_a_disabled_partner_is_an_absent_one(shop) -> None:
    bread(shop, "1 / 0\n")
    shop.plugin("pbutter")
    shop.cli("plugin", "disable", "pbutter")

    assert shop.fates()["pbread"].hooks == []


@pytest.mark.parametrize("source", ["1 / 0\n", "raise SystemExit\n", "part = 3\n"])
def test_a_part_that_does_not_work_is_left_out_and_its_plugin_stays(shop, source: str) -> None:
    bread(shop, source)
    shop.plugin("pbutter")

    fate = shop.fates()["pbread"]

    assert (fate.state, fate.hooks) == ("active", [])
    assert fate.reason.startswith("What it brings for pbutter is left out: ")
    assert shop.json("plugin", "doctor")["data"][-2]["state"] == "warn"


def test_a_part_with_a_misspelt_hook_is_left_out_too(shop) -> None:
    bread(shop, SPEAKS.replace("def health_checks", "def health_cheks"))
    shop.plugin("pbutter")

    fate = shop.fates()["pbread"]

    assert (fate.state, fate.hooks) == ("active", [])
    assert "health_cheks, which no one specifies" in fate.reason


def test_cards_in_code_have_partners_too(monkeypatch) -> None:
    module = ModuleType("p_toast")
    module.customer_card_section = hookimpl(lambda ctx: {"toast": 1})  # type: ignore[attr-defined]
    module.customer_card_section.__name__ = "customer_card_section"
    module.part = Part(views={"core.customer": {"toast": lambda _ctx, _key: 1}})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "p_toast", module)
    one = Plugin(name="pone", title="One", partners={"ptwo": "p_toast"})

    alone = App("sqlite://", plugins=[one])
    both = App("sqlite://", plugins=[one, Plugin(name="ptwo", title="Two")])

    assert alone.report.plugins["pone"].hooks == []
    assert both.report.plugins["pone"].hooks == ["customer_card_section"]
    assert ("core.customer", "toast") in both.registry.views


def test_a_part_in_code_that_is_none_is_refused(monkeypatch) -> None:
    module = ModuleType("p_wrong")
    module.part = {"actions": []}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "p_wrong", module)

    with pytest.raises(Misconfigured, match="`part` of p_wrong is not a Part"):
        App(
            "sqlite://",
            plugins=[
                Plugin(name="pone", title="One", partners={"ptwo": "p_wrong"}),
                Plugin(name="ptwo", title="Two"),
            ],
        )
