"""The command line. This module imports no plugin and nothing slow: `clientela --help` must answer at once.

Each core command is in a module of the room `commands`, found when it is called. The commands of records are derived
from the declarations of the installed plugins, by `records`, when one of them is called.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from clientela import __version__, gate
from clientela.cli.desk import Desk
from clientela.cli.errors import report
from clientela.cli.groups import Context, Group, common_options, desk_of, peek
from clientela.i18n.texts import _

HERE = "clientela.cli"

# name: (where it is, what help says of it, in the order in which a newcomer needs them)
COMMANDS = {
    "demo": ("commands.start:demo", "Serve a filled CRM to look at"),
    "init": ("commands.start:init", "Create a deployment in a folder"),
    "serve": ("commands.serving:serve", "Serve REST until it is stopped"),
    "user": ("commands.users:user", "People who may sign in: add, list, disable, enable, password"),
    "role": (
        "commands.roles:role",
        "What people and programs may do: list, show, add, grant, revoke",
    ),
    "api": ("commands.tokens:api", "Tokens for programs: add, list, revoke"),
    "search": ("commands.look:search", "Find records of every kind by their words"),
    "entity": ("commands.look:entity", "The kinds of records there are, and their fields"),
    "view": (
        "commands.views:view",
        "Saved views: list, show, run, save, edit, remove, share, check",
    ),
    "custom": ("commands.custom:custom", "What this deployment added: field, export, import"),
    "change": ("commands.changes:change", "The change log: list, show, undo, redo"),
    "event": ("commands.look:event", "The facts that were told, newest first"),
    "data": ("commands.data:data", "Files in and out: import, resume, undo, export"),
    "import": ("commands.imports:import_", "Import a file: CSV, XLSX, JSON lines, vCard"),
    "export": ("commands.data:export", "Export records: CSV, XLSX, JSON lines, Parquet, vCard"),
    "db": ("commands.database:db", "The database: status, migrate, revert, reindex"),
    "doctor": ("commands.doctor:doctor", "Check the deployment, with a fix for each finding"),
    "plugin": (
        "commands.plugins:plugin",
        "Plugins: list, info, why, doctor, plan, apply, remove, upgrade",
    ),
    "trace": ("commands.trace:trace", "What a request costs, by plugin"),
    "config": ("commands.config:config", "The settings as they are read"),
    "i18n": ("commands.translations:i18n", "Translations: check, extract"),
    "x": ("records:extra", "Commands that plugins bring"),
    "completion": ("commands.manual:completion", "The script that lets a shell complete commands"),
    "help": (
        "commands.manual:help_",
        "Explain a topic: filters, output, exit-codes, roles, environment",
    ),
    "version": ("commands.manual:version", "The version"),
}

ABOUT = "Clientela, a CRM composed of plugins."

EXAMPLES = """\
clientela demo
clientela init shop --name "Corner shop" --lang ru --time-zone Europe/Moscow
clientela core customer create --name "Roof & Sons" --kind organization
clientela core customer list --filter 'country = RU' --sort -created_at
clientela core customer list -o json | jq '.data[].email'"""


class Root(Group):
    """`clientela` itself."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the core commands, then a group for each plugin."""
        return [*COMMANDS, *plugin_names(desk_of(ctx))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a core command, or derive the group of a plugin."""
        if cmd_name in COMMANDS:
            return super().get_command(ctx, cmd_name)
        if cmd_name not in plugin_names(desk_of(ctx)):
            return None
        from clientela.cli.records import plugin_group  # noqa: PLC0415 - builds the app

        return plugin_group(desk_of(ctx), cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Look for what must be known early, then read as usual."""
        peek(args, desk_of(ctx))
        for word in args:
            gate.check_text(word)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the tables of commands without importing one of them."""
        show = desk_of(ctx).text
        with formatter.section("Commands"):
            formatter.write_dl([(name, show(about)) for name, (_, about) in COMMANDS.items()])
        with formatter.section(_("Records")):
            formatter.write_dl(list(_records(desk_of(ctx))))

    def main(self, *args: Any, **options: Any) -> Any:
        """Run, and turn whatever goes wrong into a sentence and an exit code."""
        desk = options.setdefault("obj", None) or Desk()
        options |= {"obj": desk, "standalone_mode": False}
        options["prog_name"] = options.get("prog_name") or "clientela"
        peek(options.get("args") or (args[0] if args else None) or sys.argv[1:], desk)
        try:
            code = super().main(*args, **options)
            code = code if isinstance(code, int) else 0
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the outermost edge
            code = report(error, desk)
        finally:
            desk.close()
        sys.exit(code)


def plugin_names(desk: Desk) -> list[str]:
    """List the plugins of the deployment without importing them, the core first."""
    from clientela.plugins.discovery import found  # noqa: PLC0415 - only help and derived commands

    # A plugin named like a core command must not shadow it; it is reached through `x`.
    names = {one.name for one in found(desk.folder)}
    return ["core", *sorted(names - COMMANDS.keys() - {"core"})]


def _records(desk: Desk) -> Iterator[tuple[str, str]]:
    """Give the plugins, each with what its package says of it."""
    from clientela.plugins.discovery import found  # noqa: PLC0415 - reads metadata

    about = {one.name: one.summary for one in found(desk.folder)}
    about["core"] = _("Customers, users, roles and tokens")
    for name in plugin_names(desk):
        yield name, desk.text(about[name])


def _version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's
    if wanted:
        click.echo(f"clientela {__version__}")
        ctx.exit()


def _prepare(verbose: int) -> None:
    if verbose:
        import logging  # noqa: PLC0415 - only who asked for it

        logging.basicConfig(level=logging.DEBUG if verbose > 1 else logging.INFO)


root = Root(
    "clientela",
    help=ABOUT,
    example=EXAMPLES,
    lazy={name: f"{HERE}.{place}" for name, (place, _) in COMMANDS.items()},
    params=[
        *common_options(),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Show the version.",
        ),
    ],
)


@root.result_callback()
def _done(*_results: Any, **_options: Any) -> None:
    """Nothing is left to do."""


def main() -> None:
    """Run the command line."""
    root.main()


__all__ = ["Context", "main", "root"]
