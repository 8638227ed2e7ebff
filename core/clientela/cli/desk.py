"""The desk: what was asked for on this command line, and the deployment it works on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from clientela.cli.tools import packages
from clientela.errors import Misconfigured, Unauthenticated
from clientela.i18n import Catalogues, Text, _
from clientela.plugins.policies import FILE

if TYPE_CHECKING:
    from clientela.access.principal import Principal
    from clientela.app import App
    from clientela.context import Context
    from clientela.i18n import Translator
    from clientela.registry import Registry
    from clientela.settings import Settings

T = TypeVar("T")

FACE = "cli"


@dataclass
class Desk:
    """The global options of one call; the app behind them is built when it is first needed."""

    folder_given: str | None = None
    output: str | None = None
    lang: str | None = None
    quiet: bool = False
    safe: bool = False
    verbose: int = 0
    no_input: bool = False
    yes: bool = False
    as_email: str | None = None
    dry_run: bool = False
    reason: str | None = None
    as_of: datetime | None = None
    # The options that the parser has really read; the others were only seen on the way to a command.
    kept: set[str] = field(default_factory=set)
    # A test puts an app of its own here.
    given_app: App | None = None

    @property
    def folder(self) -> Path:
        """Give the deployment's folder."""
        return Path(self.folder_given or os.environ.get("CLIENTELA_DIR") or ".")

    @property
    def format(self) -> str:
        """Give the output format."""
        return self.output or "table"

    @property
    def asks(self) -> bool:
        """Say whether somebody sits there who can be asked."""
        return not self.no_input and sys.stdin.isatty()

    # the deployment ---------------------------------------------------------------------------------------------

    @cached_property
    def settings(self) -> Settings:
        """Read the settings; a folder without a deployment is refused before anything is created in it."""
        from clientela.settings import load_settings  # noqa: PLC0415 - pydantic is slow

        if not (self.folder / FILE).is_file() and not os.environ.get("CLIENTELA_DATABASE"):
            raise Misconfigured(
                _(
                    "There is no deployment in {folder}: it has no {file}.",
                    folder=self.folder.absolute(),
                    file=FILE,
                ),
                extra={"fix": f"clientela init {self.folder}    # or name another folder with -C"},
            )
        return load_settings(self.folder, safe=self.safe)

    @cached_property
    def app(self) -> App:
        """Build the app of the deployment, with its plugins."""
        if self.given_app is not None:
            return self.given_app
        from clientela.app import App  # noqa: PLC0415 - most of the kernel hangs on it

        return App(settings=self.settings)

    @cached_property
    def registry(self) -> Registry:
        """Give what is declared, with the custom fields; a database that is not there yet has none."""
        from sqlalchemy.exc import DBAPIError  # noqa: PLC0415 - see app

        url = self.app.db.url
        if not self.app.db.is_sqlite or self.app.db.in_memory or Path(url.database or "").is_file():
            # Whatever needs the database says itself that it is not migrated; help needs none.
            with suppress(DBAPIError):
                self.app.look_again()
        return self.app.registry

    @cached_property
    def principal(self) -> Principal:
        """Give who acts: the operator of the machine, or the user named by --as."""
        from clientela.access.principal import system  # noqa: PLC0415 - see app

        if self.as_email is None:
            return system(FACE)
        key = _user_key(self.app, self.as_email)
        if key is None:
            raise Unauthenticated(_("There is no active user {email}.", email=self.as_email[:120]))
        return self.app.directory.by_user(key)

    def do(self, work: Callable[[Context], T], *, writing: bool = False) -> T:
        """Do a unit of work as the one who acts; it may run twice, so it must not print."""
        how: dict[str, Any] = {"as_of": self.as_of}
        if writing:
            how = {"reason": self.reason, "dry_run": self.dry_run}
        return self.app.perform(
            self.principal, work, face=FACE, writing=writing, language=self.lang, **how
        )

    def close(self) -> None:
        """Close what was opened."""
        if "app" in self.__dict__ and self.given_app is None:
            self.app.close()

    # talking ----------------------------------------------------------------------------------------------------

    @property
    def language(self) -> str:
        """Give the language of messages: as asked for, as the environment says, or the deployment's."""
        asked = self.lang or os.environ.get("CLIENTELA_LANGUAGE")
        if asked:
            return asked
        return self.app.settings.language if "app" in self.__dict__ else "en"

    def text(self, key: str, /, **values: object) -> str:
        """Give a message in the language of the one who asks; English reads no catalogue."""
        if self.language == "en":
            return str(Text(key, None, values)) if values else str(key)
        return self.translator.text(Text(key, None, values) if values else key)

    @property
    def translator(self) -> Translator:
        """Give the translator of the one who asks."""
        if "app" in self.__dict__:
            return self.app.catalogues.translator(self.language)
        return self._own_catalogues.translator(self.language)

    @cached_property
    def _own_catalogues(self) -> Catalogues:
        return Catalogues(["clientela", *packages()])

    def say(self, message: str) -> None:
        """Say something that is no result: to stderr, and not at all when --quiet."""
        if not self.quiet:
            click.echo(self.text(message), err=True)

    def confirm(self, question: str) -> None:
        """Go on only with --yes, or when somebody says so."""
        if self.yes or self.dry_run:
            return
        if not self.asks:
            raise click.UsageError(
                self.text("{question} Say --yes, or look first with --dry-run.", question=question)
            )
        click.confirm(question, abort=True, err=True)


def _user_key(app: App, email: str) -> str | None:
    from sqlalchemy import select  # noqa: PLC0415 - see Desk.app

    from clientela.access.entities import User  # noqa: PLC0415 - see Desk.app
    from clientela.normalize import normalize_email  # noqa: PLC0415 - see Desk.app

    users = User.info.table
    try:
        address = normalize_email(email)
    except ValueError:
        return None
    query = select(users.c.id).where(
        users.c.email == address, users.c.deleted_at.is_(None), users.c.active.is_(True)
    )
    with app.db.read() as connection:
        return connection.execute(query).scalar_one_or_none()
