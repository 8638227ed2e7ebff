"""`clientela config`: the settings as they are read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import click
from sqlalchemy.engine import make_url

from clientela.cli.desk import Desk
from clientela.cli.groups import command, group
from clientela.cli.output import emit_rows
from clientela.errors import Misconfigured
from clientela.plugins.card import Plugin
from clientela.plugins.policies import FILE, Policy
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
        if name != "plugins"
    ]
    try:
        rows += _rows_of_plugins(desk)
    except Misconfigured as broken:
        desk.say(broken.detail)
    emit_rows(desk, rows, ["setting", "value", "from", "about"])


@command(config, operator=True, example="clientela config schema > clientela.schema.json")
@click.pass_obj
def schema(desk: Desk) -> None:
    """Give the JSON Schema of clientela.toml with the settings of all active plugins, for editors."""
    made = Settings.model_json_schema()
    made["properties"]["plugins"] = {
        "type": "object",
        "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "object"}]},
        "properties": {card.name: _policy_schema(card) for card in desk.app.plugins[1:]},
    }
    click.echo(json.dumps(made, ensure_ascii=False, indent=2))


def _policy_schema(card: Plugin) -> dict[str, Any]:
    config = (
        card.settings.model_json_schema()
        if card.settings
        else {"type": "object", "maxProperties": 0}
    )
    long = {"version": {"type": "string"}, "required": {"type": "boolean"}, "config": config}
    return {"anyOf": [{"type": "string"}, {"type": "object", "properties": long}]}


def _rows_of_plugins(desk: Desk) -> Iterator[dict[str, Any]]:
    """Show the policies, and the settings of those plugins that are there."""
    policies = desk.settings.plugins
    for card in desk.app.plugins[1:]:
        policy = policies.get(card.name, Policy())
        given = desk.app.settings_of(card.settings) if card.settings else None
        for name, field in (card.settings.model_fields if card.settings else {}).items():
            said = policy.config.get(name)
            # What is kept elsewhere is kept there for a reason.
            hidden = isinstance(said, dict) and set(said) <= {"env", "file"}
            yield {
                "setting": f"plugins.{card.name}.config.{name}",
                "value": str(said) if hidden else str(getattr(given, name)),
                "from": FILE if name in policy.config else "default",
                "about": field.description,
            }
    for name, policy in policies.items():
        for key, value in (("version", policy.version), ("required", policy.required)):
            if value:
                yield {
                    "setting": f"plugins.{name}.{key}",
                    "value": str(value),
                    "from": FILE,
                    "about": "",
                }


def _value(settings: Settings, name: str) -> Any:
    if name == "database":
        return make_url(settings.database_url).render_as_string(hide_password=True)
    value = getattr(settings, name)
    return list(value) if isinstance(value, tuple) else value if value is None else str(value)


def _source(settings: Settings, name: str) -> str:
    if f"CLIENTELA_{name.upper()}" in os.environ:
        return "environment"
    return "clientela.toml" if name in settings.model_fields_set else "default"
