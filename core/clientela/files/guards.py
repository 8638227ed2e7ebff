"""Asked before a record is written, whether it may belong to its subject, and whether these bytes may go into it.

Without the second question whoever knows a SHA-256 could read its bytes through a record of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import exists, select, update

from clientela.access.scopes import subject_verb, visible
from clientela.errors import FieldProblem, Forbidden, Invalid
from clientela.files.uploads import UPLOAD, hold
from clientela.hookspecs import hookimpl
from clientela.i18n import _
from clientela.undoing import CannotUndo

if TYPE_CHECKING:
    from clientela.context import Context
    from clientela.entity import Entity
    from clientela.fields import Field


@hookimpl
def record_saving(ctx: Context, record: Entity, before: dict[str, Any], created: bool) -> None:  # noqa: FBT001 - called by name
    """Refuse a subject that may not be changed, and bytes that the writer neither sent nor may see."""
    for declared in record.info.subjects:
        value = record.get(declared.name)
        if value is not None and (created or declared.name in before):
            _check_subject(ctx, declared, value)
    for declared in record.info.file_fields:
        value = record.get(declared.name)
        if value is not None and (created or declared.name in before):
            _check_file(ctx, declared, value)


def _check_subject(ctx: Context, declared: Field, value: str) -> None:
    prefix, key = declared.kind.to_columns(value)
    target = ctx.app.registry.by_prefix.get(prefix)
    if target is None or target.subjects:
        sentence = _("Nothing can belong to {id}.", id=value)
        raise Invalid(sentence, [FieldProblem(f"/{declared.name}", "no-such-record", sentence)])
    if any(isinstance(new, target.cls) and new.id == key for new in ctx.session.new):
        return
    if _is_undoing(ctx):
        _check_there(ctx, target.cls, key)
        return
    ctx.check_reference(declared.name, target, key)
    if ctx.find(target.cls, key, verb=subject_verb(target, "update"), lock=True) is None:
        raise Forbidden(
            _("Your roles let you see this {noun}, but not change it.", noun=target.noun)
        )


def _is_undoing(ctx: Context) -> bool:
    """Say whether the change log writes what was there before, which asks for rights of its own."""
    return ctx.changes is not None and ctx.changes.undoes is not None


def _check_there(ctx: Context, entity: type[Entity], key: str) -> None:
    table = entity.info.table
    if not ctx.connection.execute(select(exists().where(table.c.id == key))).scalar_one():
        raise CannotUndo(
            _(
                "The {noun} {id} that it belonged to is not there any more.",
                noun=entity.info.noun,
                id=entity.info.public_id(key),
            )
        )


def _check_file(ctx: Context, declared: Field, value: dict[str, Any]) -> None:
    hold(ctx.connection)
    if _is_undoing(ctx):
        if ctx.app.files.size(value["sha256"]) is None:
            raise CannotUndo(
                _(
                    "The bytes of {name} were removed for good, so it cannot come back.",
                    name=value["name"],
                )
            )
        return
    sent = _sent(ctx, value)
    if ctx.principal.is_system:
        return
    if not (sent or _seen(ctx, value)) or ctx.app.files.size(value["sha256"]) is None:
        sentence = _("Upload the file first, and give what the upload answered.")
        raise Invalid(sentence, [FieldProblem(f"/{declared.name}", "not-uploaded", sentence)])


def _sent(ctx: Context, value: dict[str, Any]) -> bool:
    """Use the writer's own receipt, if there is one for exactly this; who only looks leaves it unused."""
    same = (
        UPLOAD.c.sha256 == value["sha256"], UPLOAD.c.by == ctx.principal.id,
        UPLOAD.c.size == value["size"], UPLOAD.c.type == value["type"],
    )  # fmt: skip
    if not ctx.writing:
        return bool(ctx.connection.execute(select(exists().where(*same))).scalar_one())
    return bool(ctx.connection.execute(update(UPLOAD).where(*same).values(used=True)).rowcount)


def _seen(ctx: Context, value: dict[str, Any]) -> bool:
    """Say whether a record that the writer may read holds exactly this."""
    for info, declared in ctx.app.registry.with_files():
        if declared.hidden or declared.field_class in ctx.principal.hidden_classes:
            continue
        table = info.table
        described, sha256 = (table.c[column.name] for column in declared.columns)
        query = select(described).where(sha256 == value["sha256"], *visible(ctx, info, table))
        for found in ctx.connection.execute(query.limit(20)).scalars():
            if (found["type"], found["size"]) == (value["type"], value["size"]):
                return True
    return False
