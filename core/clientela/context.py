"""The context: who acts, when, through which face, in which transaction. Everything that touches data gets it first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from sqlalchemy import Select, bindparam, event, inspect, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.orm.unitofwork import UOWTransaction, _SaveUpdateAll

from clientela import facts as told
from clientela import ids
from clientela.access.scopes import in_trash, visible
from clientela.actions import DEEPEST, Action
from clientela.entity import Entity, EntityInfo
from clientela.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound, Stale
from clientela.external import forget_names, names_of
from clientela.history import EXTERNAL_NAMES, Change, ChangeSet, before_values, whole
from clientela.i18n.texts import _
from clientela.past import Past
from clientela.purging import export_purged
from clientela.storage.violations import as_refusal
from clientela.timeline import Timeline, asking

if TYPE_CHECKING:
    from sqlalchemy import Connection, FromClause, Select

    from clientela.access.principal import Principal
    from clientela.app import App
    from clientela.facts import Fact

E = TypeVar("E", bound=Entity)
M = TypeVar("M", bound=BaseModel)

# What one transaction may tell beside what the kernel tells of each record: a flood would fill memory and the outbox.
MOST_FACTS = 10_000


class Context:
    """One principal in one transaction. Made by `App.acting_as`, which alone commits."""

    def __init__(  # noqa: PLR0913 - each says one thing of who acts
        self,
        app: App,
        principal: Principal,
        connection: Connection,
        *,
        face: str,
        writing: bool,
        language: str | None = None,
        reason: str | None = None,
        confidence: int | None = None,
        cause: str | None = None,
        request_id: str | None = None,
        dry_run: bool = False,
        as_of: datetime | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        self.app = app
        self.principal = principal
        self.connection = connection
        self.face = face
        self.writing = writing
        self.language = language or principal.language or app.settings.language
        self.reason = reason
        self.confidence = confidence
        self.cause = cause
        self.request_id = request_id
        self.dry_run = dry_run
        self.timeline = timeline
        self.past = Past(self, as_of) if as_of is not None else None
        self.now: datetime = app.clock()
        self.hook = app.hooks.call
        self.facts: list[Fact] = []
        self._told = 0
        self.changes: ChangeSet | None = None
        self._chain: tuple[str, ...] = ()

    @cached_property
    def today(self) -> date:
        """Give the day it is where the deployment is."""
        return self.now.astimezone(ZoneInfo(self.app.settings.time_zone)).date()

    @cached_property
    def session(self) -> Session:
        """Give the ORM session of this transaction; flush it, never commit it."""
        session = Session(bind=self.connection, autoflush=False, expire_on_commit=False)
        event.listen(session, "before_flush", self._before_flush)
        return session

    def show(self, text: str) -> str:
        """Give a marked text in the language of the one who asks."""
        return self.app.catalogues.translator(self.language).show(text)

    def text(self, key: str, /, **values: Any) -> str:
        """Translate a whole message into the language of the one who asks."""
        return self.app.catalogues.translator(self.language).text(key, **values)

    def table(self, info: EntityInfo) -> FromClause:
        """Give what to select an entity's records from: its table, or what it was at the context's moment."""
        return info.table if self.past is None else self.past.table(info)

    def info(self, what: EntityInfo | type[Entity] | Entity) -> EntityInfo:
        """Give an entity, or that of a record, as this deployment has it: with its custom fields."""
        return self.app.registry.of(what.info if isinstance(what, Entity) else what)

    def statement(
        self,
        key: tuple[object, ...],
        rules: Sequence[Any],
        build: Callable[[Sequence[Any]], Select[Any]],
    ) -> Select[Any]:
        """Give a statement the app remembers, unless this context looks at the past."""
        return build(rules) if self.past is not None else self.app.statement(key, rules, build)

    def settings_of(self, model: type[M]) -> M:
        """Give the settings of a plugin, by the model that its card declares: `ctx.settings_of(MailSettings)`."""
        return self.app.settings_of(model)

    # permissions ------------------------------------------------------------------------------------------------

    def can(self, permission: str) -> bool:
        """Say whether the principal has the permission."""
        return self.principal.can(permission)

    def require(self, permission: str) -> None:
        """Refuse when the permission is missing."""
        self.principal.require(permission)

    # reading records --------------------------------------------------------------------------------------------

    def find(
        self,
        entity: type[E],
        key: str,
        *,
        verb: str = "read",
        trashed: bool | None = False,
        lock: bool = False,
    ) -> E | None:
        """Find a record by its key or public id, if this principal may reach it with the verb."""
        letters = ids.parse_key(key, entity.info.prefix)
        if letters is None:
            return None
        table, locked = self.table(entity.info), lock and not self.app.db.is_sqlite
        source: Any = entity if self.past is None else aliased(entity, table, adapt_on_names=True)

        def build(rules: Sequence[Any]) -> Select[Any]:
            query = select(source).where(
                table.c.id == bindparam("key"), *in_trash(table, trashed=trashed), *rules
            )
            return query.with_for_update(of=entity) if locked else query

        query = self.statement(
            ("find", entity, trashed, locked),
            visible(self, entity.info, table, verb=verb, trashed=None),
            build,
        )
        return self.session.execute(query, {"key": letters}).scalar_one_or_none()

    def get(
        self,
        entity: type[E],
        key: str,
        *,
        verb: str = "read",
        trashed: bool | None = False,
        lock: bool = False,
    ) -> E:
        """Get a record, or refuse: `NotFound` when it is not there or not to be known."""
        found = self.find(entity, key, verb=verb, trashed=trashed, lock=lock)
        if found is not None:
            return found
        if verb != "read" and self.find(entity, key, trashed=trashed) is not None:
            self.require(entity.info.permission(verb))
            raise Forbidden(
                _("Your roles let you see this {noun}, but not change it.", noun=entity.info.noun)
            )
        raise NotFound(_("There is no {noun} {id}.", noun=entity.info.noun, id=str(key)[:60]))

    def check_reference(self, name: str, target: EntityInfo, key: str) -> None:
        """Refuse a reference to a record that is not there or may not be seen."""
        if any(isinstance(r, target.cls) and r.id == key for r in self.session.new):
            return
        table = target.table
        query = select(table.c.id).where(table.c.id == key, *visible(self, target, table))
        if self.connection.execute(query).first() is None:
            sentence = _("There is no {noun} {id}.", noun=target.noun, id=target.public_id(key))
            raise Invalid(sentence, [FieldProblem(f"/{name}", "no-such-record", sentence)])

    # writing records --------------------------------------------------------------------------------------------

    def add(self, record: E) -> E:
        """Add a new record to the transaction; it is written by the next `flush`."""
        if record.id is None:
            record.id = ids.new_key()
        for declared in self.info(record).fields.values():
            if declared.has_default and declared.get(record) is None:
                declared.put(record, declared.initial())
        self.session.add(record)
        return record

    def delete(self, record: Entity) -> None:
        """Delete a record for good; the change log keeps it whole. Purging is an action of its own: see `verbs`."""
        self.session.delete(record)

    def flush(self) -> None:
        """Write what was changed so far, through the records' rules and the guarding hooks."""
        try:
            self.session.flush()
        except StaleDataError:
            raise Stale(_("Somebody else changed this record meanwhile; read it again.")) from None
        except IntegrityError as violated:
            raise as_refusal(violated, self.app.registry) from violated

    def _before_flush(self, session: Session, flush: UOWTransaction, _instances: Any) -> None:
        if not self.writing:
            raise Conflict(_("This context only reads; open one that writes."))
        _referred_first(flush, {type(r) for r in session.new if isinstance(r, Entity)})
        for record in [r for r in session.new if isinstance(r, Entity)]:
            self._stamp_new(record)
            record.check()
            self.hook.record_saving(ctx=self, record=record, before={}, created=True)
            self._remember(record, "create", record.rev, None)
            self.facts.append(told.RecordCreated(entity=record.info.name, record=record.public_id))
        for record in [
            r for r in session.dirty if isinstance(r, Entity) and session.is_modified(r)
        ]:
            self._save_changed(record)
        for record in [r for r in session.deleted if isinstance(r, Entity)]:
            self._remember(record, "purge", record.rev + 1, whole(record) | self._names(record))
            self.facts.append(told.RecordPurged(entity=record.info.name, record=record.public_id))

    def _names(self, record: Entity) -> dict[str, Any]:
        """Give, and forget, how other systems call a record that goes for good."""
        names = names_of(self, [record.id]).get(record.id)
        forget_names(self, [record.id])
        return {EXTERNAL_NAMES: names} if names else {}

    def _stamp_new(self, record: Entity) -> None:
        # A record that is brought back keeps who created it, and when.
        record.created_at = record.created_at or self.now
        record.created_by = record.created_by or self.principal.id
        record.updated_at, record.updated_by = self.now, self.principal.id

    def _save_changed(self, record: Entity) -> None:
        before = before_values(record)
        if not before:
            return
        record.check()
        self.hook.record_saving(ctx=self, record=record, before=before, created=False)
        record.rev += 1
        record.updated_at = self.now
        record.updated_by = self.principal.id
        kind = "update"
        fact: Fact = told.RecordChanged(
            entity=record.info.name, record=record.public_id, fields=tuple(sorted(before))
        )
        if "deleted_at" in before:
            kind = "restore" if record.deleted_at is None else "trash"
            made = told.RecordRestored if kind == "restore" else told.RecordTrashed
            fact = made(entity=record.info.name, record=record.public_id)
        self._remember(record, kind, record.rev, before)
        self.facts.append(fact)

    def _remember(self, record: Entity, kind: str, rev: int, before: dict[str, Any] | None) -> None:
        if self.info(record).search_fields:
            changed = before if kind == "update" else None
            self.app.search.note(self, record, gone=kind in {"trash", "purge"}, changed=changed)
        self.change_set().changes.append(Change(record.info.name, record.id, kind, rev, before))

    def spill(self) -> None:
        """Write what a sweep has changed so far, unless a part of the transaction may still fail alone."""
        if not self.session.in_nested_transaction():
            self.change_set().spill(self)

    def change_set(self) -> ChangeSet:
        """Give the change set of this transaction, begun by its outermost action."""
        if self.changes is None:
            self.changes = ChangeSet(ids.new_key(), self._chain[0] if self._chain else "direct")
        return self.changes

    # acting -----------------------------------------------------------------------------------------------------

    def tell(self, fact: Fact) -> None:
        """Tell a fact after the commit; it is written with the change."""
        self._told += 1
        if self._told > MOST_FACTS:
            raise Conflict(
                _(
                    "More than {most} facts such as {fact} were told in one transaction; "
                    "tell one that sums them up.",
                    most=str(MOST_FACTS),
                    fact=fact.name,
                )
            )
        self.facts.append(fact)

    def run(
        self, action: Action, record: Any = None, data: Any = None, *, base_rev: int | None = None
    ) -> Any:
        """Run an action: authorize, load and lock, ask the guards, change. A nested run joins the transaction."""
        self.require(action.permission)
        self._enter(action)
        before = self._chain
        self._chain = (*before, action.name)
        try:
            arguments: list[Any] = []
            if action.on is not None:
                record = self._load(action, record, base_rev)
                arguments.append(record)
            if action.takes is not None:
                arguments.append(data)
            self.hook.action_running(ctx=self, action=action, record=record, data=data)
            with asking(self.timeline, action.plugin, action.name):
                result = action.function(self, *arguments)
            if action.writes:
                self.flush()
            return result
        finally:
            self._chain = before

    def _load(self, action: Action, record: Any, base_rev: int | None) -> Any:
        assert action.on is not None  # noqa: S101 - told to the type checker
        if not isinstance(record, Entity):
            verb = action.row_verb if action.writes else "read"
            if not self.can(action.on.info.permission(verb)):
                # The action's own permission is enough to act on what one may read.
                verb = "read"
            record = self.get(
                action.on, record, verb=verb, trashed=action.trashed, lock=action.writes
            )
        if base_rev is not None and record.rev != base_rev:
            raise Stale(
                _(
                    "This {noun} is at revision {rev}, you have seen {base_rev}; read it again.",
                    noun=record.info.noun,
                    rev=record.rev,
                    base_rev=base_rev,
                )
            )
        return record

    def _enter(self, action: Action) -> None:
        if action.writes and not self.writing:
            raise Conflict(_("{action} writes, and this context only reads.", action=action.name))
        if len(self._chain) >= DEEPEST:
            raise Conflict(
                _(
                    "Actions call each other too deeply: {chain}.",
                    chain=_arrows((*self._chain, action.name)),
                )
            )
        if self._chain.count(action.name) > 1:
            raise Conflict(
                _(
                    "Actions call each other in a circle: {chain}.",
                    chain=_arrows((*self._chain, action.name)),
                )
            )

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Let a part of the transaction fail alone: what it did is undone, the rest stands."""
        self.flush()
        known = len(self.facts)
        changes = len(self.changes.changes) if self.changes is not None else 0
        words = dict(self.__dict__.get("_search", {}))
        try:
            with self.session.begin_nested():
                yield
                self.flush()
        except BaseException:
            del self.facts[known:]
            if self.changes is not None:
                del self.changes.changes[changes:]
            self.__dict__["_search"] = words
            raise

    def finish(self) -> None:
        """Write what the transaction owes: the records, the change set and the outbox. The rim calls it."""
        if not self.writing:
            return
        if "session" in self.__dict__:
            self.flush()
        export_purged(self)
        if self.changes is not None:
            self.changes.write(self)
        self.app.outbox.write(self, self.facts)
        self.app.search.write(self)


def _arrows(names: Iterable[str]) -> str:
    return " → ".join(names)


def _referred_first(flush: UOWTransaction, entities: set[type[Entity]]) -> None:
    """Insert what is referred to before what refers to it; the ORM itself asks only relationships, and we have none."""
    for entity in entities:
        for declared in entity.info.fields.values():
            target = declared.target
            if target is not None and target.cls in entities - {entity}:
                save: Any = _SaveUpdateAll
                order = (save(flush, inspect(target.cls)), save(flush, inspect(entity)))
                flush.dependencies.add(order)
