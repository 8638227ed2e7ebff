"""`clientela plugin`: what is installed, read without importing any of it."""

from __future__ import annotations

import tomllib

import click

from clientela.cli.desk import Desk
from clientela.cli.groups import command, group
from clientela.cli.output import emit_rows
from clientela.i18n import _
from clientela.plugins.discovery import found

plugin = group("plugin", "The installed plugins.", example="clientela plugin list")
plugin.lazy = {
    name: f"clientela.cli.life:{name}" for name in ("plan", "apply", "remove", "upgrade")
}


@command(plugin, name="list")
@click.pass_obj
def list_(desk: Desk) -> None:
    """List the installed plugins and which are disabled; no plugin is imported, so a broken one is listed too."""
    disabled = disabled_in(desk)
    rows = [
        one.as_dict() | {"state": "disabled" if one.name in disabled else "enabled"}
        for one in found()
    ]
    rows += [
        {"name": name, "state": "not installed"} for name in disabled - {r["name"] for r in rows}
    ]
    if not rows:
        desk.say(_("No plugin is installed; the core alone is there."))
    emit_rows(desk, rows, ["name", "version", "state", "needs", "summary"])


def disabled_in(desk: Desk) -> set[str]:
    """Read which plugins the deployment leaves out, if there is a deployment."""
    path = desk.folder / "clientela.toml"
    if not path.is_file():
        return set()
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        desk.say(_("{path} cannot be read: {reason}.", path=path, reason=wrong))
        return set()
    named = values.get("disabled", [])
    return {str(name) for name in named} if isinstance(named, list) else set()
