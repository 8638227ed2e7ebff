"""`clientela i18n`: which messages a language lacks, and the files to write them into."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from clientela.app import App
from clientela.cli.commands.files import add_options, get_options
from clientela.cli.desk import Desk
from clientela.cli.editing import filter_options
from clientela.cli.groups import Group, argument, command, group, option
from clientela.cli.inputs import extra_options, secret_options
from clientela.cli.output import emit_rows
from clientela.cli.reading import list_options, show_options
from clientela.cli.tools import tools
from clientela.cli.writing import key_options
from clientela.i18n import Message, _
from clientela.i18n.declared import declared_messages
from clientela.i18n.extract import messages_in, missing, update_po
from clientela.plugins.card import Plugin
from clientela.plugins.core import CORE

DIFFERENCES = 10

i18n = group("i18n", "Translations.", example="clientela i18n check\nclientela i18n extract")

_LANG = option("language --language", "The language.", default="ru", show_default=True)


@command(i18n, operator=True, params=[_LANG])
@click.pass_context
def check(ctx: click.Context, language: str) -> None:
    """Name the messages that a language lacks; exit code 10 when there are any."""
    desk: Desk = ctx.obj
    found = lacking(desk.app, language)
    rows = [
        {"package": package, "problem": one}
        for package, problems in found.items()
        for one in problems
    ]
    emit_rows(desk, rows, ["package", "problem"])
    if rows:
        desk.say(_("{count} messages are to be written.", count=len(rows)))
        ctx.exit(DIFFERENCES)
    desk.say(_("Every message is there."))


@command(
    i18n,
    operator=True,
    params=[
        _LANG,
        argument("plugins", "Whose files; all when left out.", nargs=-1, metavar="[PLUGIN]..."),
    ],
)
@click.pass_obj
def extract(desk: Desk, language: str, plugins: tuple[str, ...]) -> None:
    """Bring the files of a language to exactly the messages that are shown; translations are kept."""
    rows = []
    for card in desk.app.plugins:
        if not plugins or card.name in plugins:
            changed = update_po(card.import_name, language, wanted_of(desk.app, card))
            rows.append({"package": card.import_name, "changed": changed})
    for package, wanted in ({} if plugins else wanted_of_tools()).items():
        rows.append({"package": package, "changed": update_po(package, language, wanted)})
    emit_rows(desk, rows, ["package", "changed"])


def lacking(app: App, language: str) -> dict[str, list[str]]:
    """Give for each package the sentences about messages that it lacks."""
    wanted = {card.import_name: wanted_of(app, card) for card in app.plugins} | wanted_of_tools()
    return {package: missing(package, language, words) for package, words in wanted.items()}


def wanted_of(app: App, card: Plugin) -> list[Message]:
    """Give every message that a plugin shows: in its code, on its card and in its commands."""
    del app  # a card says it all
    texts: set[str] = set()
    if card.name == "core":
        texts = texts_of_commands()
    elif isinstance(card.commands, click.Command):
        texts = set(_texts_of(card.commands))
    commands = (Message(None, one, None) for one in sorted(texts) if one)
    return [*messages_in(card.import_name), *declared_messages(card), *commands]


def wanted_of_tools() -> dict[str, list[Message]]:
    """Give the messages of the packages that bring commands for ours, as the sdk does."""
    wanted: dict[str, set[Message]] = {}
    for point in tools():
        package = point.module.partition(".")[0]
        texts = {Message(None, one, None) for one in _texts_of(point.load()) if one}
        wanted.setdefault(package, set(messages_in(package))).update(texts)
    known = {
        *messages_in(CORE.import_name),
        *(Message(None, one, None) for one in texts_of_commands()),
    }
    return {package: list(words - known) for package, words in wanted.items()}


def texts_of_commands() -> set[str]:
    """Give the help of the core commands, walked as help itself does."""
    from clientela.cli import ABOUT, COMMANDS, root  # noqa: PLC0415 - the root fetches this module

    ctx = click.Context(root, info_name="clientela")
    found = {ABOUT, *(about for _, about in COMMANDS.values())}
    derived = [
        *list_options(), *show_options(), *key_options(), *extra_options(), *add_options(),
        *get_options(["file"]), *filter_options(()),
    ]  # fmt: skip
    found |= {str(getattr(param, "help", "")) for param in (*derived, *secret_options(""))}
    for name in COMMANDS:
        made = root.get_command(ctx, name)
        assert made is not None  # noqa: S101 - it is in the table
        found |= set(_texts_of(made))
    return found | {str(p.help) for p in root.get_params(ctx) if getattr(p, "help", None)}


def _texts_of(made: click.Command) -> Iterator[str]:
    yield made.help or ""
    ctx = click.Context(made, info_name=made.name)
    yield from (str(param.help) for param in made.get_params(ctx) if getattr(param, "help", None))
    if not isinstance(made, click.Group):
        return
    # What other distributions bring is walked with their own words.
    own = {**made.commands, **{name: made.get_command(ctx, name) for name in _late(made)}}
    for one in own.values():
        if one is not None:
            yield from _texts_of(one)


def _late(made: click.Group) -> Iterable[str]:
    return made.lazy if isinstance(made, Group) else ()
