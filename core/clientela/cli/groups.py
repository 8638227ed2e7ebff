"""Commands and groups that share their global options, guess at typos, and speak the user's language."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from clientela.cli.desk import Desk
from clientela.cli.tools import about as about_of
from clientela.cli.tools import tools
from clientela.errors import nearest
from clientela.i18n import _

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

# What click itself writes into help.
HEADINGS = (
    _("Options"),
    _("Commands"),
    _("Positional arguments"),
    _("Show this message and exit."),
)

FORMATS = ("table", "json", "jsonl", "csv", "tsv", "id")

# The values that must be known before the command line is read to its end: help and errors are shown by them.
EARLY = {
    "-C": "folder_given",
    "--folder": "folder_given",
    "--lang": "lang",
    "-o": "output",
    "--output": "output",
}


def peek(args: Sequence[str], desk: Desk) -> None:
    """Look for the early options wherever they stand; the parser reads them properly later."""
    for place, word in enumerate(args):
        if word == "--":
            return
        flag, equals, value = word.partition("=")
        if not equals and word[:2] in ("-C", "-o") and len(word) > 2:  # noqa: PLR2004 - `-ojson`
            flag, equals, value = word[:2], "=", word[2:]
        if word == "--safe":
            desk.safe = True
        if flag in EARLY:
            found = value if equals else next(iter(args[place + 1 : place + 2]), "")
            if EARLY[flag] != "output" or found in FORMATS:
                setattr(desk, EARLY[flag], found)


def desk_of(ctx: click.Context) -> Desk:
    """Give the desk of a call."""
    return ctx.ensure_object(Desk)


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        desk_of(ctx).kept.add(str(param.name))
        setattr(desk_of(ctx), str(param.name), value)


def _common(name: str, *declared: str, **options: Any) -> click.Option:
    return click.Option([name, *declared], expose_value=False, callback=_keep, **options)


@lru_cache(maxsize=1)
def common_options() -> tuple[click.Option, ...]:
    """Give the options that every command takes, at its end or before its name."""
    return (
        _common(
            "folder_given",
            "-C",
            "--folder",
            metavar="DIR",
            help="The deployment's folder; else $CLIENTELA_DIR or this one.",
        ),
        _common(
            "output",
            "-o",
            "--output",
            type=click.Choice(FORMATS),
            help="The form of the result; a table when left out.",
        ),
        _common(
            "lang", "--lang", type=click.Choice(["en", "ru"]), help="The language of messages."
        ),
        _common(
            "as_email", "--as", metavar="EMAIL", help="Act as this user, with this user's rights."
        ),
        _common("yes", "--yes", is_flag=True, help="Answer yes where a question would be asked."),
        _common("no_input", "--no-input", is_flag=True, help="Never ask; fail instead."),
        _common("safe", "--safe", is_flag=True, help="Start the core alone, without any plugin."),
        _common("quiet", "--quiet", is_flag=True, help="Print results and errors only."),
        _common("verbose", "-v", "--verbose", count=True, help="Say more; -vv says everything."),
    )  # fmt: skip


@lru_cache(maxsize=1)
def write_options() -> tuple[click.Option, ...]:
    """Give the options of every command that changes something."""
    return (
        _common(
            "dry_run", "--dry-run", is_flag=True, help="Show what would change; change nothing."
        ),
        _common("reason", "--reason", metavar="TEXT", help="Why; kept in the history."),
    )  # fmt: skip


class Formatter(click.HelpFormatter):
    """Writes help with headings in the user's language."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write the usage line."""
        super().write_usage(prog, args, prefix or _shown(_("Usage")) + ": ")

    def section(self, name: str) -> Any:
        """Open a section."""
        return super().section(_shown(name))


class Context(click.Context):
    """A click context with our formatter."""

    formatter_class = Formatter


class Command(click.Command):
    """A command that takes the global options too.

    `writes` adds the options of a change; `operator` says that it is about the machine and not about records, so that
    no user's rights could be measured.
    """

    context_class = Context

    def __init__(
        self,
        *args: Any,
        writes: bool = False,
        operator: bool = False,
        example: str = "",
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.writes = writes
        self.operator = operator
        self.example = example

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Add the global options whose names are free, and translate what help will show."""
        own = super().get_params(ctx)
        return shown_params(ctx, [*own, *self._added(own)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run, unless the command line means something else than it seemed to."""
        desk = desk_of(ctx)
        if desk.folder_given and "folder_given" not in desk.kept:
            # It was the value of another option: the command may have been derived from the wrong deployment.
            raise click.UsageError(
                desk.text("A value that begins with -C is written --option=VALUE."), ctx
            )
        if self.operator and desk.as_email:
            raise click.UsageError(
                desk.text("This is for the operator of the machine; leave out --as."), ctx
            )
        return super().invoke(ctx)

    def _added(self, own: list[click.Parameter]) -> list[click.Parameter]:
        taken = {opt for param in own for opt in param.opts}
        writes = [o for o in write_options() if taken.isdisjoint(o.opts)] if self.writes else []
        common = [copy.copy(o) for o in common_options() if taken.isdisjoint(o.opts)]
        for option in common:
            option.hidden = "-o" not in option.opts
        return [*writes, *common]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, then an example."""
        del ctx
        with formatter.indentation():
            formatter.write_paragraph()
            formatter.write_text(_shown(self.help or ""))
        write_example(formatter, self.example)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Point at the options that are the same everywhere."""
        del ctx
        formatter.write_paragraph()
        formatter.write_text(
            _shown(_("Global options such as -C, --as and --yes: see clientela --help."))
        )

    def get_short_help_str(self, limit: int = 90) -> str:
        """Give the first sentence, translated and whole: half a sentence helps nobody."""
        del limit
        return first_sentence(_shown(self.help or ""))


class Group(click.Group):
    """A group whose commands may be found late: `lazy` names `module:attribute` for each.

    A group that is `open` takes commands of other distributions too, see `tools`.
    """

    context_class = Context
    command_class = Command

    def __init__(
        self,
        *args: Any,
        lazy: dict[str, str] | None = None,
        example: str = "",
        open: bool = False,  # noqa: A002 - the word for it
        **options: Any,
    ) -> None:
        options.setdefault("no_args_is_help", True)
        super().__init__(*args, **options)
        self.lazy = lazy or {}
        self.open = open
        self.example = example

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the commands that are here and those that can be fetched."""
        return sorted({*super().list_commands(ctx), *self.lazy, *self.brought()})

    def brought(self) -> dict[str, EntryPoint]:
        """Give the commands that other distributions bring."""
        return {one.name: one for one in tools(self.name or "")} if self.open else {}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Fetch a command."""
        if cmd_name in self.lazy:
            module, _, attribute = self.lazy[cmd_name].partition(":")
            found: click.Command = getattr(import_module(module), attribute)
            return found
        own = super().get_command(ctx, cmd_name)
        if own is None and cmd_name in (brought := self.brought()):
            made: click.Command = brought[cmd_name].load()
            return made
        return own

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands; those that others bring are not imported for it."""
        brought, rows = self.brought(), []
        for name in self.list_commands(ctx):
            if name in brought and name not in self.commands:
                rows.append((name, first_sentence(_shown(about_of(brought[name])))))
                continue
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str()))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest ones when there is none, and run none of them."""
        name = args[0]
        command = self.get_command(ctx, name)
        if command is None and not ctx.resilient_parsing:
            if name.startswith("-"):
                self.parse_args(ctx, args)
            raise unknown_command(ctx, name, self.list_commands(ctx))
        return name, command, args[1:]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Translate what help will show."""
        return shown_params(ctx, super().get_params(ctx))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the group is for, then an example."""
        del ctx
        with formatter.indentation():
            formatter.write_paragraph()
            formatter.write_text(_shown(self.help or ""))
        write_example(formatter, self.example)

    def get_short_help_str(self, limit: int = 90) -> str:
        """Give the first sentence, translated and whole."""
        del limit
        return first_sentence(_shown(self.help or ""))


def option(names: str, about: str = "", **options: Any) -> click.Option:
    """Declare an option: its names with spaces between, and its help."""
    return click.Option(names.split(), help=about, **options)


def argument(name: str, about: str, **options: Any) -> click.Argument:
    """Declare an argument."""
    return click.Argument([name], help=about, **options)


def group(name: str, about: str, **options: Any) -> Group:
    """Make a group."""
    return Group(name, help=about, **options)


def command(parent: Group | None = None, **options: Any) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function; its docstring is its help."""

    def make(function: Callable[..., Any]) -> Command:
        options.setdefault("name", function.__name__.rstrip("_").replace("_", "-"))
        made = click.command(cls=Command, **options)(function)
        if parent is not None:
            parent.add_command(made)
        return made

    return make


def unknown_command(ctx: click.Context, name: str, names: Sequence[str]) -> click.UsageError:
    """Say that there is no such command, and which ones are near."""
    desk = desk_of(ctx)
    near = nearest(name, names)
    error = click.UsageError(
        desk.text("There is no command {command}.", command=repr(name[:60])), ctx
    )
    error.hints = [f"{ctx.command_path} {one}" for one in near]  # type: ignore[attr-defined]
    return error


def shown_params(ctx: click.Context, params: list[click.Parameter]) -> list[click.Parameter]:
    """Give the parameters with their help in the user's language."""
    desk = desk_of(ctx)
    if desk.language == "en":
        return params
    made = [copy.copy(param) for param in params]
    for param in made:
        if getattr(param, "help", None):
            param.help = desk.text(param.help or "")
    return made


def write_example(formatter: click.HelpFormatter, example: str) -> None:
    """Write an example as it is typed."""
    if example:
        formatter.write_paragraph()
        formatter.write("".join(f"  $ {line}\n" for line in example.splitlines()))


def first_sentence(text: str) -> str:
    """Give the first sentence, without its full stop."""
    return text.partition("\n")[0].partition(". ")[0].rstrip(".")


def _shown(text: str) -> str:
    ctx = click.get_current_context(silent=True)
    return text if ctx is None or not text else desk_of(ctx).text(text)
