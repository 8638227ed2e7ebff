"""The custom fields of one deployment, read from its definitions, whoever in which process wrote them."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from clientela.custom.entities import CustomField
from clientela.custom.kinds import shape_of
from clientela.errors import FieldProblem, Invalid, Refusal, sentence_of
from clientela.i18n.texts import Spoken, _
from clientela.members import MemberField, could_be_kept

if TYPE_CHECKING:
    from sqlalchemy import ScalarSelect

    from clientela.app import App
    from clientela.context import Context
    from clientela.entity import EntityInfo
    from clientela.kinds.base import Kind

# Within this time another process may not have heard of a change; the one that made it always has.
SECONDS_REMEMBERED = 1.0

_TABLE = CustomField.info.table


def version_columns() -> list[ScalarSelect[Any]]:
    """Give what differs after every change of a definition, to be selected beside something else."""
    found = (func.count(), func.coalesce(func.sum(_TABLE.c.rev), 0), func.max(_TABLE.c.updated_at))
    return [select(one).select_from(_TABLE).scalar_subquery() for one in found]


class Definitions:
    """Keeps the registry of an app in step with the definitions in its database."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._seen_at = float("-inf")
        self._version: tuple[Any, ...] | None = None
        self._rows: dict[str, list[dict[str, Any]]] = {}
        self._fields: dict[str, list[MemberField]] = {}
        self._turn = threading.Lock()
        # Counts the changes of what is declared, for whoever keeps something made of it.
        self.count = 0

    def refresh(self, connection: Connection) -> None:
        """Look whether the definitions changed, at most once a second."""
        if time.monotonic() - self._seen_at >= SECONDS_REMEMBERED:
            self.load(connection)

    def load(self, connection: Connection) -> None:
        """Look whether the definitions changed."""
        self.see(connection, tuple(connection.execute(select(*version_columns())).one()))

    def see(self, connection: Connection, version: tuple[Any, ...]) -> None:
        """Read the definitions again, if their version is another one than before."""
        self._seen_at = time.monotonic()
        if version == self._version:
            return
        with self._turn:
            self._read(connection)
            self._version = version

    def of(self, info: EntityInfo) -> list[MemberField]:
        """Give the custom fields of an entity."""
        return self._fields.get(info.name, [])

    def _read(self, connection: Connection) -> None:
        query = (
            select(_TABLE)
            .where(_TABLE.c.deleted_at.is_(None))
            .order_by(_TABLE.c.entity, _TABLE.c.position, _TABLE.c.id)
        )
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in connection.execute(query).mappings():
            rows.setdefault(row["entity"], []).append(dict(row))
        if rows == self._rows:
            return
        fields = {
            name: self._fields[name]
            if rows[name] == self._rows.get(name)
            else self._made(rows[name])
            for name in rows
        }
        self._rows, self._fields = rows, fields
        self._app.registry.customize(fields)
        self._app.forget_statements()
        self.count += 1

    def _made(self, rows: list[dict[str, Any]]) -> list[MemberField]:
        made = []
        for row in rows:
            try:
                made.append(field_of(self._app, row))
            except Refusal as refusal:
                self._app.note(
                    _(
                        "The custom field {field} of {entity} cannot be used: {reason}",
                        field=row["name"],
                        entity=row["entity"],
                        reason=refusal.detail,
                    )
                )
        return made


def field_of(app: App, row: Mapping[str, Any]) -> MemberField:
    """Make the field of a definition; `Invalid` says what is wrong with it."""
    shape = shape_of(app.registry, row["kind"], row["options"] or {})
    kind = shape.kind
    could_be_kept(kind)
    field_class = row["field_class"] or kind.field_class
    made = MemberField(
        name=row["name"],
        kind=kind,
        label=Spoken(row["label"], {"ru": row["label_ru"] or ""}),
        help=Spoken(row["help"] or "", {"ru": row["help_ru"] or ""}),
        optional=not row["required"],
        unique=row["unique"],
        index=row["indexed"],
        filter=row["filter"],
        search=row["search"],
        field_class=None if field_class == "open" else field_class,
        hidden=row["hidden"],
        references=None if shape.target is None else shape.target.cls,
        on_delete=shape.on_delete,
        default_factory=_default(app, kind, row["default"]),
        sqlite=app.db.is_sqlite,
        definition=row["id"],
        offer=row["kind"],
        options=row["options"] or {},
    )
    _check(made)
    return made


def _default(app: App, kind: Kind, raw: Any) -> Callable[[], Any] | None:
    """Give what makes the default: each record has a value of its own."""
    if raw is None:
        return None
    made = partial(kind.at_home(app.home).load, raw)
    try:
        made()
    except ValueError as wrong:
        raise _refused("default", sentence_of(wrong)) from None
    return made


def _check(made: MemberField) -> None:
    """Refuse what the kind cannot do, and a reference whose opened record would stand in the place of its id."""
    if made.references is not None and not made.name.endswith("_id"):
        raise _refused("name", _("The name of a reference ends with _id, such as x_friend_id."))
    plain = made.width == 1 and "eq" in made.kind.operators
    if made.unique and not plain:
        raise _refused("unique", _("Values of this kind cannot be unique."))
    if made.unique and made.default_factory is not None:
        raise _refused("default", _("A unique field has no default: all would have the same."))
    if made.search and not made.kind.search_text(made.kind.sample(random.Random(7))):  # noqa: S311 - no secret
        raise _refused("search", _("Records cannot be found by words of this kind."))


def _refused(name: str, sentence: str) -> Invalid:
    return Invalid(sentence, [FieldProblem(f"/{name}", "invalid", sentence)])


def entity_within(ctx: Context, name: str) -> EntityInfo:
    """Give an entity with the custom fields as this very transaction leaves them."""
    info = ctx.app.registry.entity(name)
    changed = [one for one in ctx.session if isinstance(one, CustomField) and one.entity == name]
    if not changed and not _has_written(ctx):
        return info
    query = select(_TABLE).where(_TABLE.c.entity == name)
    rows = {row["id"]: dict(row) for row in ctx.connection.execute(query).mappings()}
    rows |= {one.id: definition_row(one) for one in changed}
    there = [row for row in rows.values() if row["deleted_at"] is None]
    return info.of_deployment(ctx.app.registry, [field_of(ctx.app, row) for row in there])


def _has_written(ctx: Context) -> bool:
    """Say whether this transaction has written a definition, which the session need not know any more."""
    made, name = ctx.changes, CustomField.info.name
    return made is not None and (
        name in made.entities or any(change.entity == name for change in made.changes)
    )


def definition_row(record: CustomField) -> dict[str, Any]:
    """Give the values of a definition by field, as its row has them."""
    return {name: declared.get(record) for name, declared in CustomField.info.fields.items()}
