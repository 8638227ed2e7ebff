"""The commands of a plugin's records, derived from its declarations: `clientela PLUGIN ENTITY VERB`."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from clientela.actions import Action
from clientela.changes import record_history
from clientela.cli.desk import Desk
from clientela.cli.groups import Group, desk_of
from clientela.cli.reading import list_command, show_command, view_command
from clientela.cli.writing import action_command
from clientela.context import Context
from clientela.entity import EntityInfo
from clientela.errors import NotFound, did_you_mean
from clientela.files.entities import Attachment
from clientela.i18n.texts import _
from clientela.plugins.card import View
from clientela.plugins.fates import Fate
from clientela.provenance import record_provenance


def plugin_group(desk: Desk, name: str) -> Group:
    """Make the group of a plugin: its entities, and its actions that are about no record."""
    registry = desk.registry
    if name not in registry.plugins:
        fate = desk.app.report.plugins.get(name, Fate(name))
        raise NotFound(
            _(
                "The plugin {name} is {state}: {reason}",
                name=name,
                state=fate.state,
                reason=fate.reason,
            ),
            extra={"fix": fate.fix},
        )
    card = registry.plugins[name]
    made = Group(name, help=card.about or card.title)
    for info in registry.entities.values():
        if info.plugin == name:
            made.add_command(entity_group(desk, info))
    for action in registry.actions.values():
        if action.plugin == name and action.on is None and action.verb != "create":
            _place(desk, made, action)
    return made


def entity_group(desk: Desk, info: EntityInfo) -> Group:
    """Make the group of an entity, with its reads, its plain verbs and its declared actions."""
    registry = desk.app.registry
    made = Group(info.singular.replace("_", "-"), help=info.about or info.label)
    views = {name: view for (entity, name), view in registry.views.items() if entity == info.name}
    if "read" in info.verbs:
        made.add_command(list_command(desk, info))
        made.add_command(show_command(desk, info, views.get("card")))
        derived: dict[str, View] = {
            "history": partial(_history, info),
            "provenance": partial(_provenance, info),
        }
        for name, view in {**views, **derived}.items():
            made.add_command(view_command(desk, info, name, view))
    for action in registry.actions.values():
        plain = action.name in {info.permission("create"), info.permission("update")}
        if action.on is info.cls or plain:
            made.add_command(action_command(desk, action))
    if info.file_fields:
        _add_files(desk, info, made)
    return made


def _add_files(desk: Desk, info: EntityInfo, made: Group) -> None:
    """Add what is said of files only."""
    from clientela.cli.commands.files import add_command, get_command  # noqa: PLC0415 - few entities have files

    made.add_command(get_command(desk, info))
    if info is Attachment.info:
        made.add_command(add_command(desk, info))


def _history(info: EntityInfo, ctx: Context, key: str) -> dict[str, Any]:
    return record_history(ctx, info, key)


def _provenance(info: EntityInfo, ctx: Context, key: str) -> dict[str, Any]:
    return record_provenance(ctx, info, key)


def _place(desk: Desk, made: Group, action: Action) -> None:
    """Put `core.token.issue` into the group `token`, and `sales.recount` beside the entities."""
    parent: click.Group = made
    for word in action.name.split(".")[1:-1]:
        name = word.replace("_", "-")
        inner = parent.commands.get(name)
        if not isinstance(inner, click.Group):
            inner = Group(name, help=name.capitalize() + ".")
            parent.add_command(inner)
        parent = inner
    parent.add_command(action_command(desk, action))


class Extra(Group):
    """`clientela x`: the commands that plugins wrote themselves, under their names, so that none shadows ours."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the plugins that bring commands."""
        plugins = desk_of(ctx).app.registry.plugins
        return [name for name, card in plugins.items() if card.commands is not None]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Give the commands of a plugin."""
        names = self.list_commands(ctx)
        if cmd_name not in names:
            sentence = _("The plugin {name} brings no commands.", name=repr(cmd_name[:60]))
            raise NotFound(sentence + did_you_mean(cmd_name, names))
        found: click.Command = desk_of(ctx).app.registry.plugins[cmd_name].commands
        return found


extra = Extra("x", help="Commands that plugins bring.")
