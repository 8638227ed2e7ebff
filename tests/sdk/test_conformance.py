"""The rules of the conformance kit are broken one by one, to see that they notice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from clientela.cli import root
from clientela_sdk import NotFound
from clientela_sdk.testing import conformance
from clientela_sdk.testing.postgres import postgres_url

SECTION = 'return {"things": rows}'
RAW = """from sqlalchemy import select
    table = Thing.info.table
    found = ctx.connection.execute(select(table).where(table.c.customer_id == customer.id))
    return {"things": [{"id": Thing.info.public_id(r.id), "about": r.about} for r in found]}"""
RAW_ALL = 'views={"{plugin}.thing": {"raw": lambda ctx, key: {"key": key}}},\n    guards=[]'

REVISION = "migrations/versions/0001_initial.py"

# The rule, the file, and the change that breaks it.
BREAKING = [
    ("imports", "hooks.py", "MOST = 5", "from clientela import query\n\nMOST = 5"),
    ("card-alone", "__init__.py", "plugin = Plugin(", "import uvicorn\nplugin = Plugin("),
    ("card-complete", "__init__.py", 'about="Things of customers."', 'about=""'),
    ("permissions", "actions.py", 'label="Close"', 'label="Close", permission="core.customer.read"'),
    ("tables", "__init__.py", "guards=[]", "guards=[],\n    tables=[Table('stray', MetaData())]"),
    ("fence", REVISION, "def down", "    op.drop_table('core_meta')\n\ndef down"),
    ("schema", "entities.py", "    owner_id:", "    more: Mapped[str | None] = text(max_length=9)\n    owner_id:"),
    ("round-trip", REVISION, "    op.drop_table(", "    1 / 0; op.drop_table("),
    ("round-trip-postgresql", REVISION, "    op.drop_table(", "    1 / 0; op.drop_table("),
    ("documented", "facts.py", '    """A thing got its result."""\n', ""),
    ("russian", "locale/ru/LC_MESSAGES/{package}.po", 'msgstr "О чём"', 'msgstr ""'),
    ("closed", "__init__.py", "guards=[]", RAW_ALL),
    ("row-scope", "__init__.py", "guards=[]", RAW_ALL),
    ("row-scope", "hooks.py", SECTION, RAW),
    ("hidden-classes", "hooks.py", SECTION, RAW),
    ("hooks", "hooks.py", SECTION, 'return {"thing": rows["data"][0]}'),
    ("hooks", "demo.py", "    for customer in", "    rng.choice(customers)\n    for customer in"),
    ("neighbour", "hooks.py", SECTION, 'return None if "raising" in ctx.app.registry.plugins else {"things": []}'),
    ("partners", "__init__.py", "guards=[]", "guards=[], needs=['contacts'], partners={'contacts': '{package}.rules'}"),
    ("budget", "__init__.py", "plugin = Plugin(", "LARGE = bytearray(64_000_000)\nplugin = Plugin("),
]  # fmt: skip

# What no plugin can break by what it declares, because the core alone does it; they are there for the core's mistakes.
UNBROKEN = {"constant-queries", "export", "keep", "purge"}

# What these breaches need besides.
BESIDES = [
    (
        "tables",
        "__init__.py",
        "import Plugin",
        "import Plugin\nfrom sqlalchemy import MetaData, Table",
    ),
    ("hidden-classes", "entities.py", "search=True,", 'search=True, field_class="pii",'),
]


@pytest.mark.parametrize(
    ("number", "case"), list(enumerate(BREAKING)), ids=[f"{case[0]}-{n}" for n, case in enumerate(BREAKING)]
)  # fmt: skip
def test_a_rule_notices(install: Any, number: int, case: tuple[str, str, str, str]) -> None:
    rule, file, old, new = case
    plugin = f"k{number}things"
    package = f"clientela_{plugin}"
    changes = [
        (
            file.replace("{package}", package),
            old,
            new.replace("{plugin}", plugin).replace("{package}", package),
        )
    ]
    changes += [(file, old, new) for broken, file, old, new in BESIDES if broken == rule]
    install(plugin, *changes, entity="Thing", about="Things of customers.")

    [outcome] = conformance.check(plugin, only=[rule])

    if rule == "round-trip-postgresql" and postgres_url() is None:
        pytest.skip("no PostgreSQL")
    assert outcome.state == "failed", outcome
    assert outcome.findings
    assert "It broke off" not in outcome.findings[0]


def test_no_rule_is_forgotten_here() -> None:
    assert {case[0] for case in BREAKING} | UNBROKEN == {one.id for one in conformance.rules()}


def test_what_the_scaffold_writes_is_gold(install: Any) -> None:
    install("goldthings", entity="Thing")

    done = CliRunner().invoke(root, ["plugin", "check", "goldthings", "--fast", "-o", "json"])

    rows = json.loads(done.stdout)["data"]
    assert done.exit_code == 0, [row for row in rows if row["state"] != "passed"]
    assert {row["state"] for row in rows} == {"passed"}
    assert "2 slow rules were left out" in done.stderr


def test_a_rule_that_does_not_hold_is_exit_code_ten(install: Any) -> None:
    install(
        "poorthings", ("__init__.py", 'about="Things of customers."', 'about=""'), entity="Thing"
    )

    done = CliRunner().invoke(root, ["plugin", "check", "poorthings", "--level", "bronze"])

    assert done.exit_code == 10
    assert "card-complete: failed\n  The card says nothing under about=." in done.stdout


def test_a_plugin_that_cannot_be_imported_is_told_where() -> None:
    done = CliRunner().invoke(root, ["plugin", "check", "contactz"])

    assert done.exit_code == 4
    assert "There is no plugin 'contactz' to check. Did you mean 'contacts'?" in done.stderr


def test_each_level_asks_for_more() -> None:
    bronze, silver, gold = (
        {one.id for one in conformance.chosen(level)} for level in conformance.LEVELS
    )

    assert bronze < silver < gold
    with pytest.raises(NotFound, match="Did you mean 'row-scope'"):
        conformance.chosen(only=["row-scop"])


def test_what_was_skipped_is_not_gold() -> None:
    skipped = [conformance.Outcome(conformance.rules()[0], "skipped", ("Why.",))]

    assert conformance.holds(skipped, "silver")
    assert not conformance.holds(skipped, "gold")


def test_a_rule_that_cannot_run_says_why(install: Any) -> None:
    """Records with rules of their own need `demo_records`, and without it nothing is proved."""
    strict = (
        "    def is_overdue",
        "    def check(self) -> None:\n        raise Conflict('No.')\n\n    def is_overdue",
    )
    nothing = ("demo.py", "customers[::SHARE]", "customers[:0]")
    install("stricthings", ("entities.py", *strict), nothing, entity="Thing")

    [outcome] = conformance.check("stricthings", only=["keep"])

    assert outcome.state == "skipped"
    assert outcome.findings == ("No record could be made; let demo_records make some.",)
