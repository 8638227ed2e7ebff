"""`clientela config`: the settings as they are read."""

from __future__ import annotations

import os
from typing import Any

import click
from sqlalchemy.engine import make_url

from clientela.cli.desk import Desk
from clientela.cli.groups import command, group
from clientela.cli.output import emit_rows
from clientela.settings import Settings

config = group("config", "The settings.", example="clientela config show")


@command(config, operator=True)
@click.pass_obj
def show(desk: Desk) -> None:
    """Show every setting, where it comes from, and what it is for; passwords are left out."""
    settings = desk.settings
    rows = [
        {
            "setting": name,
            "value": _value(settings, name),
            "from": _source(settings, name),
            "about": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]
    emit_rows(desk, rows, ["setting", "value", "from", "about"])


def _value(settings: Settings, name: str) -> Any:
    if name == "database":
        return make_url(settings.database_url).render_as_string(hide_password=True)
    value = getattr(settings, name)
    return list(value) if isinstance(value, tuple) else value if value is None else str(value)


def _source(settings: Settings, name: str) -> str:
    if f"CLIENTELA_{name.upper()}" in os.environ:
        return "environment"
    return "clientela.toml" if name in settings.model_fields_set else "default"
