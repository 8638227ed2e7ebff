"""The app: one deployment as a value. Ten may live in one process, and none knows of another."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError

from clientela.access.directory import ACCESS_ENTITIES, Directory
from clientela.access.principal import Principal
from clientela.clock import Clock, wall_clock
from clientela.context import Context
from clientela.custom.entities import CustomField
from clientela.custom.loading import Definitions
from clientela.entity import Entity
from clientela.errors import Misconfigured, Refusal, Unavailable
from clientela.external import EXTERNAL
from clientela.files.places import open_store
from clientela.files.sweeping import remove_freed
from clientela.files.uploads import UPLOAD
from clientela.history import CHANGE, CHANGE_SET
from clientela.i18n import Catalogues, _
from clientela.kinds.base import Home
from clientela.outbox import DELIVERY, OUTBOX, Outbox
from clientela.plugins.card import Plugin
from clientela.plugins.compose import compose, describe, with_partners
from clientela.plugins.fates import BootReport
from clientela.plugins.guarding import Guarding
from clientela.plugins.journal import Journal
from clientela.plugins.policies import FILE, Policy
from clientela.plugins.settings import settings_of
from clientela.replies import REPLY
from clientela.search import DOCUMENT, Search
from clientela.settings import Settings
from clientela.storage.database import TRIES, Database, is_transient
from clientela.storage.meta import META
from clientela.timeline import Timeline, asking

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from clientela.files.store import Store

log = logging.getLogger("clientela")

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

MOST_STATEMENTS = 2_000


class App:
    """A kernel with its plugins, its database and its settings.

    `plugins` are cards, and all of them must fit; None means the plugins of the deployment, of which those that cannot
    come up are left out (`report` says why). `clock` gives the present, so that a test can hold it.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        plugins: Sequence[Plugin] | None = None,
        settings: Settings | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        self.settings = settings or Settings()
        self.clock = clock
        self.notes: list[str] = []
        folder = self.settings.folder
        self.journal = Journal(folder) if (folder / FILE).is_file() else None
        self._statements: dict[tuple[object, ...], Select[Any]] = {}
        self._start(plugins)
        self.db = Database(url or self.settings.database_url, pool_size=self.settings.pool_size)
        self.search = Search(sqlite=self.db.is_sqlite)
        self.outbox = Outbox(self)
        self.directory = Directory(self)
        self.definitions = Definitions(self)

    def _start(self, cards: Sequence[Plugin] | None) -> None:
        self.report = BootReport()
        if cards is None:
            from clientela.plugins.boot import Boot  # noqa: PLC0415 - reads the environment

            boot = Boot(self.settings, self.journal)
            made, self._plugin_settings, self.report = boot.composition, boot.settings, boot.report
        else:
            made = compose(with_partners(cards))
            policies = self.settings.plugins
            read = [settings_of(card, policies.get(card.name, Policy())) for card in cards]
            self._plugin_settings = {type(one): one for one in read if one is not None}
            describe(made, self.report.plugins)
        self.plugins, self.registry, self.hooks = made.plugins, made.registry, made.hooks
        # A composition that was written out in code has nobody who could be missing.
        self.guarding = Guarding(self) if cards is None else None

    def settings_of(self, model: type[M]) -> M:
        """Give the settings of a plugin, by the model that its card declares."""
        found = self._plugin_settings.get(model)
        if not isinstance(found, model):
            raise Misconfigured(
                _("{model} are the settings of no plugin here.", model=model.__name__)
            )
        return found

    @cached_property
    def home(self) -> Home:
        """Give the country and currency that are meant where none is named."""
        return Home(self.settings.country, self.settings.currency)

    @cached_property
    def catalogues(self) -> Catalogues:
        """Give the translations of all packages."""
        return Catalogues([plugin.import_name for plugin in self.plugins])

    @cached_property
    def files(self) -> Store:
        """Give the store of files; where the database is in memory, so to speak, are they: they go with the app."""
        return open_store(self.settings, lasting=not self.db.in_memory)

    # acting -----------------------------------------------------------------------------------------------------

    @contextmanager
    def acting_as(  # noqa: PLR0913 - each says one thing of who acts
        self,
        principal: Principal,
        *,
        face: str,
        writing: bool = True,
        language: str | None = None,
        reason: str | None = None,
        confidence: int | None = None,
        cause: str | None = None,
        request_id: str | None = None,
        dry_run: bool = False,
        as_of: datetime | None = None,
        timeline: Timeline | None = None,
    ) -> Iterator[Context]:
        """Open a context and commit it when the block ends well: the only place of the kernel that does.

        A dry run goes the whole way, with all rules and constraints, and is rolled back at the end. With `as_of` the
        context reads everything as it was at that moment, and cannot write. With a `timeline` what each plugin costs is
        written on it.
        """
        if self.guarding is not None:
            self.guarding.settle()
        if as_of is not None:
            opened = self.db.snapshot
            writing = False
        else:
            opened = self.db.write if writing else self.db.read
        with opened() as connection:
            if principal.kind != "token":  # for tokens, the directory has just looked
                self.definitions.refresh(connection)
            ctx = Context(
                self, principal, connection, face=face, writing=writing, language=language, reason=reason,
                confidence=confidence, cause=cause, request_id=request_id, dry_run=dry_run, as_of=as_of,
                timeline=timeline,
            )  # fmt: skip
            if timeline is not None:
                timeline.listen(connection)
            try:
                with asking(timeline, "core", face):
                    yield ctx
                    ctx.finish()
                if dry_run and writing:
                    _roll_back(connection)
            finally:
                if "session" in ctx.__dict__:
                    ctx.session.close()
        self._after(ctx)

    def _after(self, ctx: Context) -> None:
        if ctx.dry_run or ctx.changes is None:
            return
        touched = ctx.changes.entities
        if touched & ACCESS_ENTITIES:
            self.directory.forget()
        if CustomField.info.name in touched:
            self._follow_definitions()
        if not self.settings.file_grace_days:
            remove_freed(self, ctx.changes.changes)

    def _follow_definitions(self) -> None:
        """Take notice of a change of custom fields, and let what is searched by now be found."""
        from clientela.search.rebuilding import rebuild_one  # noqa: PLC0415 - only after such a change

        before = self.registry.searched()
        self.look_again()
        for name, fields in self.registry.searched().items():
            if before.get(name) != fields:
                try:
                    rebuild_one(self, self.registry.entity(name))
                except (DBAPIError, Refusal):  # the change itself is committed
                    self.note(
                        _(
                            "The words of {entity} could not be read anew; run `clientela db reindex`.",
                            entity=name,
                        )
                    )

    def look_again(self) -> None:
        """Take notice of what was declared meanwhile, at once."""
        with self.db.read() as connection:
            self.definitions.load(connection)

    def perform(self, principal: Principal, work: Callable[[Context], T], **how: object) -> T:
        """Do a unit of work in a context, again when PostgreSQL reports a deadlock or a serialization failure.

        The work may run more than once, so its only effects are those in the transaction; that is also why mails and
        calls leave through the outbox.
        """
        for attempt in range(TRIES):
            try:
                with self.acting_as(principal, **how) as ctx:  # type: ignore[arg-type]
                    result = work(ctx)
            except DBAPIError as failed:
                if not is_transient(failed):
                    raise
                if attempt == TRIES - 1:
                    raise Unavailable(
                        _("Others kept changing the same records; nothing was written. Try again."),
                        headers={"Retry-After": "1"},
                    ) from failed
                # House rule exempt: the unit is tried again after a random pause, or both would meet again.
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter, not a secret
            else:
                return result
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def statement(
        self,
        key: tuple[object, ...],
        rules: Sequence[Any],
        build: Callable[[Sequence[Any]], Select[Any]],
    ) -> Select[Any]:
        """Give a statement that was built before, unless row rules make it one of its own.

        Building and hashing a select costs more than running a short one.
        """
        if rules:
            return build(rules)
        known = self._statements.get(key)
        if known is None:
            if len(self._statements) >= MOST_STATEMENTS:
                self._statements.clear()
            known = self._statements[key] = build(rules)
        return known

    def forget_statements(self) -> None:
        """Forget the statements: they may name fields that are no more. A late one does no harm, its key says whose."""
        self._statements = {}

    # storage ----------------------------------------------------------------------------------------------------

    def create_all(self) -> None:
        """Create every table at once, for tests and memory databases; a deployment migrates instead."""
        with self.db.write() as connection:
            tables = [info.table for info in self.registry.entities.values()]
            names = {t.name for t in tables} | {t.name for p in self.plugins for t in p.tables}
            own = [
                t
                for t in Entity.metadata.sorted_tables
                if t.name in names or t.name in KERNEL_TABLES
            ]
            Entity.metadata.create_all(connection, tables=own)
            self.search.create_index(connection)

    def unready(self) -> str | None:
        """Say why the app must not be sent requests yet, or None."""
        from clientela.plugins import life  # noqa: PLC0415 - Alembic is slow to import
        from clientela.storage import migrations  # noqa: PLC0415 - the same

        try:
            if not self.db.in_memory and (broken_off := life.interrupted(self)) is not None:
                return broken_off
            if not self.db.in_memory and migrations.pending(self):
                return _("The database is not migrated; run `clientela db migrate`.")
        except Refusal as refusal:
            return refusal.detail
        return None

    def note(self, sentence: str) -> None:
        """Keep a sentence for the health page, once."""
        if sentence not in self.notes and len(self.notes) < 100:  # noqa: PLR2004 - a bound
            log.warning("%s", sentence)
            self.notes.append(sentence)

    def close(self) -> None:
        """Close the database connections."""
        self.db.dispose()


# The kernel's own tables, which are no entities.
KERNEL_TABLES = frozenset(
    table.name
    for table in (CHANGE_SET, CHANGE, OUTBOX, DELIVERY, DOCUMENT, REPLY, EXTERNAL, META, UPLOAD)
)


def _roll_back(connection: Connection) -> None:
    transaction = connection.get_transaction()
    if transaction is not None:
        transaction.rollback()
