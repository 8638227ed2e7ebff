"""`clientela init` and `clientela demo`: from nothing to something that can be looked at."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from clientela.access.entities import User
from clientela.access.seed import seed_roles
from clientela.app import App
from clientela.cli.commands.serving import listen, refuse_unready
from clientela.cli.commands.tokens import issue_token, token_input
from clientela.cli.commands.users import add_user, find
from clientela.cli.desk import Desk
from clientela.cli.groups import argument, command, option
from clientela.cli.output import emit_record
from clientela.context import Context
from clientela.customers.entities import Customer
from clientela.errors import Conflict
from clientela.i18n import _
from clientela.plugins.policies import FILE
from clientela.query import Question, list_page
from clientela.settings import load_settings
from clientela.storage import migrations

DEMO_EMAIL = "demo@example.com"

_SETTINGS = [
    option("--name", "Shown in prompts and page titles."),
    option("language --lang", "The language where nobody chose another.", type=click.Choice(["en", "ru"])),
    option("--time-zone", "Such as Europe/Moscow.", metavar="ZONE"),
    option("--country", "Where phone numbers without a country code belong: RU.", metavar="CODE"),
    option("--currency", "Taken where an amount names none: RUB.", metavar="CODE"),
    option("--database", "postgresql://…; a file in the folder when left out.", metavar="URL"),
]  # fmt: skip


@command(
    operator=True,
    params=[
        argument("folder", "The folder; this one when left out.", required=False, metavar="DIR"),
        *_SETTINGS,
    ],
    example="clientela init shop --lang ru --country RU --currency RUB",
)  # fmt: skip
@click.pass_obj
def init(desk: Desk, /, folder: str | None, **settings: str | None) -> None:
    """Create a deployment: its settings, its database and the first roles. Nothing is overwritten."""
    place = Path(folder) if folder else desk.folder
    create_deployment(place, {name: value for name, value in settings.items() if value})
    emit_record(desk, {"folder": str(place), "settings": str(place / FILE)})
    desk.say(
        _("Next: clientela -C {place} user add you@example.com --role administrator", place=place)
    )


def create_deployment(folder: Path, values: dict[str, str]) -> None:
    """Write the settings, migrate, and seed the roles; what fails half way leaves no settings behind."""
    path = folder / FILE
    if path.exists():
        raise Conflict(
            _("{path} is there already.", path=path), extra={"fix": f"clientela -C {folder} doctor"}
        )
    if "database" not in values and (folder / "clientela.sqlite3").exists():
        raise Conflict(_("{path} is there already.", path=folder / "clientela.sqlite3"))
    folder.mkdir(parents=True, exist_ok=True)
    # The address of a database may hold a password, so others on the machine must not read it.
    path.touch(mode=0o600, exist_ok=False)
    # A JSON string is a TOML string.
    lines = [
        f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items()
    ]
    path.write_text("".join(lines), encoding="utf-8")
    try:
        _fill(folder)
    except BaseException:
        path.unlink()
        raise


def _fill(folder: Path) -> None:
    app = App(settings=load_settings(folder))
    try:
        migrations.upgrade(app)
        seed_roles(app)
    finally:
        app.close()


# demo ---------------------------------------------------------------------------------------------------------------


@command(
    operator=True,
    params=[
        option("folder --dir", "Where it is kept.", default="demo", show_default=True, metavar="DIR"),
        option("--customers", "How many customers.", type=click.IntRange(1, 1_000_000), default=300, show_default=True),
        option("--port", "Where it is served.", type=click.IntRange(0, 65535), default=8000, show_default=True),
        option("--exit-after-load", "Load, and do not serve.", is_flag=True),
        option("language --lang", "The language of the demo.", type=click.Choice(["en", "ru"]), default="en"),
    ],
    example="clientela demo --customers 5000 --exit-after-load",
)  # fmt: skip
@click.pass_obj
def demo(
    desk: Desk, folder: str, customers: int, port: int, language: str, *, exit_after_load: bool
) -> None:
    """Make a filled CRM in a folder and serve it on this machine; a second call serves it again."""
    place = Path(folder)
    if not (place / FILE).exists():
        create_deployment(place, {"name": "Demo", "language": language, "time_zone": "UTC"})
    desk.folder_given = folder
    if is_loaded(desk):
        desk.say(_("The demo is loaded; its password was printed when it was made."))
    else:
        access = load_demo(desk, customers)
        emit_record(desk, access)
        show_next_steps(desk, folder, port, str(access["token"]))
    if not exit_after_load:
        refuse_unready(desk.app)
        listen(desk, "127.0.0.1", port)


def is_loaded(desk: Desk) -> bool:
    """Say whether the folder holds a demo; one that was interrupted is refused."""
    if desk.do(lambda ctx: find(ctx, User, email=DEMO_EMAIL)) is not None:
        return True
    if desk.do(lambda ctx: list_page(ctx, Customer.info, Question(limit=1))).rows:
        raise Conflict(
            _(
                "{folder} holds records, but no demo that was loaded to its end.",
                folder=desk.folder,
            ),
            extra={"fix": f"rm -r {desk.folder} && clientela demo --dir {desk.folder}"},
        )
    return False


def load_demo(desk: Desk, customers: int) -> dict[str, Any]:
    """Load the records, then the user and the token: they tell that the demo is whole."""
    from clientela import demo as sample  # noqa: PLC0415 - sample data is of no use to anything else

    with progress_bar(desk, customers) as advance:
        counts = sample.load(desk.app, customers=customers, progress=advance)
    password = secrets.token_urlsafe(12)

    def access(ctx: Context) -> str:
        values = {"email": DEMO_EMAIL, "name": "Demo", "roles": ["administrator"]}
        add_user(ctx, values, password)
        made = issue_token(ctx, token_input(name="demo", roles=["administrator"]))
        return str(made["token"])

    token = desk.do(access, writing=True)
    return {"email": DEMO_EMAIL, "password": password, "token": token, "records": counts}


@contextmanager
def progress_bar(desk: Desk, total: int) -> Iterator[Callable[..., None] | None]:
    """Show how far a long piece of work is: on a terminal only, and on stderr."""
    if desk.quiet or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=total, file=sys.stderr) as bar:

        def advance(done: int, of: int | None = None) -> None:
            bar.length = of or bar.length
            bar.update(done - bar.pos)

        yield advance


def show_next_steps(desk: Desk, folder: str, port: int, token: str) -> None:
    """Print three things to try."""
    address = f"http://127.0.0.1:{port}/api/v1/core/customers"
    desk.say(_("Try:"))
    for line in (
        f"curl -H 'Authorization: Bearer {token}' '{address}?limit=3'",
        f"clientela -C {folder} core customer list --sort name",
        f"clientela -C {folder} core customer card $(clientela -C {folder} core customer list --limit 1 -o id)",
    ):
        desk.say(_("  {line}", line=line))
