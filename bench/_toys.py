"""Toy plugins: two entities, an action and a hook each, written as packages and put on the app as cards."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from string import Template

from clientela.plugins.card import Plugin

_PACKAGE = Template('''
"""A toy."""

from datetime import datetime

from sqlalchemy.orm import Mapped

from clientela_sdk import Context, Customer, Entity, Plugin, action, choice, hookimpl, instant, ref, text
from pydantic import BaseModel


class Toy${n}(Entity, plugin="toy${n}", label="Toy", prefix="t${letters}", plural="toys"):
    """A toy."""

    name: Mapped[str] = text(max_length=100, sort=True, search=True)
    state: Mapped[str] = choice({"new": "New", "old": "Old"}, default="new")
    customer_id: Mapped[str] = ref(Customer)


class Piece${n}(Entity, plugin="toy${n}", label="Piece", prefix="p${letters}", plural="pieces"):
    """A piece of a toy."""

    toy_id: Mapped[str] = ref(Toy${n}, parent=True, on_delete="cascade")
    name: Mapped[str] = text(max_length=100)
    made_at: Mapped[datetime | None] = instant()


class Repair(BaseModel):
    """How."""

    note: str = ""


@action("toy${n}.toy.repair", on=Toy${n})
def repair(ctx: Context, toy: Toy${n}, data: Repair) -> Toy${n}:
    """Repair a toy."""
    toy.state = "new"
    return toy


class Hooks:
    """Has a say when a record is saved."""

    @hookimpl
    def record_saving(self, ctx, record):
        """Look at toys only."""
        if isinstance(record, Toy${n}):
            record.name = record.name.strip()


plugin = Plugin(
    name="toy${n}", title="Toy ${n}", entities=[Toy${n}, Piece${n}], actions=[repair], hooks=[Hooks()], migrations=False
)
''')


def write_toys(folder: Path, count: int) -> None:
    """Write the packages."""
    for number in range(count):
        package = folder / f"toy_package_{number}"
        package.mkdir()
        letters = chr(97 + number // 26) + chr(97 + number % 26)
        text = _PACKAGE.substitute(n=number, letters=letters)
        (package / "__init__.py").write_text(text.lstrip())


def cards_of(folder: str, count: int) -> list[Plugin]:
    """Import the cards of the first so many."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
    found = [importlib.import_module(f"toy_package_{number}").plugin for number in range(count)]
    return [card for card in found if isinstance(card, Plugin)]
