"""The page that teaches plugins is run: its plugin works, and so do the tests it shows."""

from __future__ import annotations

import importlib
import re
import sys
from datetime import date
from pathlib import Path

import pytest

from clientela.access.principal import SYSTEM
from clientela.customers.card import customer_card
from clientela_sdk import App, Customer
from clientela_sdk.testing.postgres import postgres_url

PAGE = Path(__file__).parents[2] / "docs/how-to/write-a-plugin.md"
MODULE, TESTS = re.findall(
    r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
)


def test_the_plugin_of_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "clientela_visits.py").write_text(MODULE, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    visits = importlib.import_module("clientela_visits")
    monkeypatch.delitem(sys.modules, "clientela_visits")
    app = App("sqlite://", plugins=[visits.plugin])
    app.create_all()

    with app.acting_as(SYSTEM, face="test") as ctx:
        anna = ctx.add(Customer(name="Anna"))
        visit = ctx.add(visits.Visit(customer_id=anna.id, on=date(2026, 1, 31)))
        ctx.flush()
        visits.report(ctx, visit, visits.Report(report="They want a second roof."))
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        section = customer_card(ctx, anna.id)["sections"]["visits"]

    assert [one["report"] for one in section["visits"]] == ["They want a second roof."]
    app.close()


def test_the_tests_of_the_page_pass(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["clientela_sdk.testing.fixtures"]')
    pytester.mkpydir("clientela_visits").joinpath("__init__.py").write_text(MODULE, "utf-8")
    pytester.makepyfile(TESTS)
    pytester.syspathinsert()

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    result.assert_outcomes(passed=6 if postgres_url() else 3, skipped=0 if postgres_url() else 3)
