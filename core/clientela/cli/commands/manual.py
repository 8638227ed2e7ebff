"""`clientela help`, `completion` and `version`: what is known without a deployment."""

from __future__ import annotations

import os
import platform

import click
from click.shell_completion import get_completion_class

from clientela import __version__
from clientela.cli.desk import Desk
from clientela.cli.groups import Context, command
from clientela.cli.output import emit_record
from clientela.errors import NotFound, did_you_mean
from clientela.i18n import _

TOPICS = {
    "filters": _("""\
--filter takes comparisons with and, or, not and brackets:

  country = RU and not tags has "vip"
  created > now-30d or name contains "roof"
  kind in (person, organization) and email is not null
  owner = me

Operators: = != < <= > >= contains starts ends has in, is null. Times: now, today, now-2h, today+1w.
Words with spaces or signs stand in quotes."""),
    "output": _("""\
-o table   aligned columns; the default
-o json    {"data": [...]} for a list, the bare object for one record
-o jsonl   one object per line
-o csv     with a header line; also tsv
-o id      ids only, for the next command:

  clientela core customer list --filter 'tags has "old"' -o id | xargs clientela core customer trash

Results go to stdout, everything else to stderr."""),
    "exit-codes": _("""\
 0  done                               6  conflict, or changed by somebody else
 1  failed                             7  some items failed
 2  usage, or a value not taken        8  not available now; try again
 3  configuration or composition      10  differences found (check)
 4  not found                         70  a defect
 5  not allowed                      130  interrupted"""),
    "roles": _("""\
A role is a list of permissions such as core.customer.read; a pattern such as core.customer.* stands for many, and a
leading minus denies. Deny wins.

  clientela role add support --permission 'core.customer.*' --permission '-*.purge'
  clientela role grant support --to anna@example.com
  clientela --as anna@example.com core customer list

Scopes narrow a role to rows: --scope 'core.customer=owner = me'."""),
    "environment": _("""\
CLIENTELA_DIR        the deployment's folder, instead of -C
CLIENTELA_LANGUAGE   the language of messages, instead of --lang
CLIENTELA_DATABASE   the address of the database; wins over clientela.toml
NO_COLOR             no colour"""),
}


@command(name="help")
@click.argument("topic", required=False, help="One of the topics; a list when left out.")
@click.pass_context
def help_(ctx: click.Context, topic: str | None) -> None:
    """Explain a topic: filters, output, exit-codes, roles, environment."""
    desk = ctx.ensure_object(Desk)
    if topic is None:
        click.echo("\n".join(TOPICS))
        return
    if topic in TOPICS:
        click.echo(desk.text(TOPICS[topic]))
        return
    root = ctx.find_root()
    assert isinstance(root.command, click.Group)  # noqa: S101 - told to the type checker
    found = root.command.get_command(root, topic)
    if found is None:
        names = [*TOPICS, *root.command.list_commands(root)]
        raise NotFound(
            _("There is no topic {name}.", name=repr(topic[:60])) + did_you_mean(topic, names)
        )
    with Context(found, info_name=topic, parent=root) as inner:
        click.echo(found.get_help(inner))


@command(example='eval "$(clientela completion bash)"')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), help="The shell.")
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that lets a shell complete commands, options and fields."""
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - the three shells are known
    # Its `source` would start bash to ask for its version; the script itself needs no shell.
    script = made(ctx.find_root().command, {}, "clientela", "_CLIENTELA_COMPLETE")
    click.echo(script.source_template % script.source_vars())


@command()
@click.pass_obj
def version(desk: Desk) -> None:
    """Print the version of Clientela and of Python."""
    versions = {
        "clientela": __version__,
        "python": platform.python_version(),
        "system": os.uname().sysname if hasattr(os, "uname") else os.name,
    }
    emit_record(desk, versions)
