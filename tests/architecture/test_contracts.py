"""The import contracts of pyproject.toml hold, and each of them would notice if it did not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path for path in ROOT.glob("plugins/*/clientela_*") if path.is_dir())
CONTACTS = '"clientela_contacts", # plugins'


def configuration() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: dict[str, Any] = tomllib.load(file)["tool"]["importlinter"]
    return found


def contract(key: str) -> dict[str, Any]:
    return next(one for one in configuration()["contracts"] if one["id"] == key)


IDS = {one["name"]: one["id"] for one in configuration()["contracts"]}


@dataclass(frozen=True)
class House:
    """A copy of all packages that may be spoiled."""

    root: Path

    def plant(self, module: str, line: str = "") -> None:
        """Add a line to a module, which is made if it is missing."""
        path = self.root.joinpath(*module.split("."))
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n")

    def add_neighbour(self) -> None:
        """Make a second plugin known, as the comment in pyproject.toml tells authors to do it."""
        (self.root / "clientela_neighbour").mkdir()
        self.plant("clientela_neighbour")
        file = self.root / "pyproject.toml"
        file.write_text(
            file.read_text("utf-8").replace(CONTACTS, f'"clientela_neighbour",\n    {CONTACTS}'),
            "utf-8",
        )

    def broken(self) -> set[str]:
        """Run import-linter and give the ids of the contracts that are broken."""
        run = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
            cwd=self.root,
            env=os.environ | {"PYTHONPATH": str(self.root), "COLUMNS": "200", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        verdicts = re.findall(r"^(.+) (KEPT|BROKEN)\b", run.stdout, re.MULTILINE)
        assert {name for name, _ in verdicts} == set(IDS), run.stdout + run.stderr
        return {IDS[name] for name, verdict in verdicts if verdict == "BROKEN"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    for package in [ROOT / "core/clientela", ROOT / "sdk/clientela_sdk", *PLUGINS]:
        shutil.copytree(
            package, tmp_path / package.name, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return House(tmp_path)


def test_the_house_as_it_stands_keeps_every_contract(house: House) -> None:
    assert house.broken() == set()


# Which contract must notice -> the lines planted, as (module, line).
PLANTED = {
    "floors": [
        [("clientela_sdk.planted", "import clientela_contacts")],
        [("clientela_sdk.planted", "from clientela_contacts import api")],
    ],
    "core": [
        [("clientela.planted", "import clientela_contacts")],
        [("clientela.planted", "def late():\n    import clientela_contacts.api")],
        [("clientela.planted", "import clientela_sdk")],
    ],
    "sdk-door": [
        [("clientela_contacts.actions", "import clientela")],
        [("clientela_contacts.rules", "from clientela.errors import Refusal")],
    ],
    "pure-core": [
        [("clientela.kinds", "import click")],
        [("clientela.values", "from starlette.responses import JSONResponse")],
        [("clientela.normalize", "import uvicorn")],
        [("clientela.filters", "import clientela.planted"), ("clientela.planted", "import click")],
    ],
    "rooms": [
        [("clientela_contacts.rules", "from clientela_contacts import entities")],
        [("clientela_contacts.entities", "from clientela_contacts import actions")],
        [("clientela_contacts.entities", "from clientela_contacts import facts")],
        [("clientela_contacts.actions", "import clientela_contacts.api")],
        [("clientela_contacts.api", "import clientela_contacts.rest")],
        [("clientela_contacts.views", "from clientela_contacts.cli import table")],
        [("clientela_contacts.rest", "from clientela_contacts.demo import people")],
        [("clientela_contacts.helpers", "SIZE = 3")],
        [
            ("clientela_contacts", "from clientela_contacts import rest"),
            ("clientela_contacts.rules", "from clientela_contacts import plugin"),
        ],
    ],
    "pure-plugin": [
        [("clientela_contacts.rules", "import starlette")],
        [("clientela_contacts.entities", "import click")],
    ],
}
ROOMS = ["rules", "entities", "schemas", "facts", "actions", "api", "rest", "views", "cli", "demo"]


@pytest.mark.parametrize(
    ("key", "lines"), [(key, lines) for key, cases in PLANTED.items() for lines in cases]
)
def test_a_contract_notices_what_it_is_for(
    house: House, key: str, lines: list[tuple[str, str]]
) -> None:
    for room in ROOMS:
        house.plant(f"clientela_contacts.{room}")
    for module, line in lines:
        house.plant(module, line)

    assert house.broken() == {key}


def test_a_neighbour_may_use_the_front_door(house: House) -> None:
    house.add_neighbour()
    house.plant("clientela_contacts.api")
    house.plant("clientela_neighbour.actions", "from clientela_contacts.api import anything")

    assert house.broken() == set()


@pytest.mark.parametrize(
    "line",
    [
        "from clientela_contacts.entities import anything",
        "from clientela_contacts import rules",
        "from clientela_contacts import plugin",
    ],
)
def test_a_neighbour_may_not_climb_through_a_window(house: House, line: str) -> None:
    house.add_neighbour()
    house.plant("clientela_contacts.entities")
    house.plant("clientela_contacts.rules")
    house.plant("clientela_neighbour.actions", line)

    assert house.broken() == {"front-door-contacts"}


def test_neighbours_do_not_form_a_circle(house: House) -> None:
    house.add_neighbour()
    house.plant("clientela_contacts.actions", "from clientela_neighbour.api import anything")
    house.plant("clientela_neighbour.api")

    assert house.broken() == {"floors"}


def test_the_card_sees_every_room_and_migrations_stand_aside(house: House) -> None:
    for room in ROOMS:
        house.plant(f"clientela_contacts.{room}")
        house.plant("clientela_contacts", f"from clientela_contacts import {room}")
    house.plant("clientela_contacts.migrations.__init__")
    house.plant("clientela_contacts.migrations.env", "import sqlalchemy")

    assert house.broken() == set()


@pytest.mark.parametrize("package", [path.name for path in PLUGINS])
def test_every_plugin_is_under_contract(package: str) -> None:
    """See the comment above [tool.importlinter] for the six places where a new plugin is named."""
    name = package.removeprefix("clientela_")

    assert package in configuration()["root_packages"]
    assert package in re.findall(r"\w+", " ".join(contract("floors")["layers"]))
    assert package in contract("core")["forbidden_modules"]
    assert package in contract("sdk-door")["source_modules"]
    assert package in contract("rooms")["containers"]
    assert contract(f"front-door-{name}")["protected_modules"] == [package]


def test_every_contract_is_broken_once_above() -> None:
    front_doors = {f"front-door-{path.name.removeprefix('clientela_')}" for path in PLUGINS}

    assert set(IDS.values()) == set(PLANTED) | front_doors
