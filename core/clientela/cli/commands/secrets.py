"""Secrets never stand on a command line, where every process of the machine could read them."""

from __future__ import annotations

import os
import sys

import click

from clientela.cli.desk import Desk
from clientela.cli.errors import Usage
from clientela.i18n.texts import _


def read_secret(desk: Desk, name: str, *, stdin: bool, env: str | None) -> str | None:
    """Read a secret from stdin, from the environment, or by asking; None when nobody can be asked."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if env is not None:
        value = os.environ.get(env)
        if value is None:
            raise Usage(_("The environment variable {name} is not set.", name=env[:60]))
        return value
    if not desk.asks:
        return None
    label = desk.text(name.replace("_", " ").capitalize())
    asked: str = click.prompt(label, hide_input=True, confirmation_prompt=True, err=True)
    return asked
