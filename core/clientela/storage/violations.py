"""What a database constraint says, as one of our sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from clientela.errors import Conflict, FieldProblem, Refusal
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.registry import Registry

_SQLITE_INDEX = re.compile(r"index '(.+)'")
_SQLITE_UNIQUE = re.compile(r"UNIQUE constraint failed: (.+)")


def as_refusal(violated: IntegrityError, registry: Registry) -> Refusal:
    """Turn a violated constraint into a conflict that names the fields."""
    unique = _unique_columns(violated, registry)
    if unique is not None:
        table, columns = unique
        info = registry.by_table.get(table)
        noun = info.noun if info else _("record")
        names = all_of(columns)
        sentence = _(
            "Another {noun} has the same {names}; it may stand in the trash.",
            noun=noun,
            names=names,
        )
        return Conflict(
            sentence, [FieldProblem(f"/{column}", "not-unique", sentence) for column in columns]
        )
    reason = str(violated.orig)
    if "FOREIGN KEY" in reason or "foreign key" in reason:
        return Conflict(
            _("Other records still refer to this one, or it refers to one that is gone.")
        )
    if "NOT NULL" in reason or "not-null" in reason:
        return Conflict(_("A value that must be there is missing."))
    return Conflict(_("The database refused the change because it breaks a constraint."))


def all_of(columns: Sequence[str]) -> str:
    """Give the names with `and` between them."""
    return reduce(
        lambda first, second: _("{first} and {second}", first=first, second=second), columns
    )


def _unique_columns(violated: IntegrityError, registry: Registry) -> tuple[str, list[str]] | None:
    found = _SQLITE_UNIQUE.search(str(violated.orig))
    if found:
        named = _SQLITE_INDEX.fullmatch(found[1])
        if named:
            return _of_custom_field(named[1], registry)
        pairs = [part.strip().split(".", 1) for part in found[1].split(",") if "." in part]
        return (pairs[0][0], [column for _, column in pairs]) if pairs else None
    if getattr(violated.orig, "sqlstate", None) != "23505":
        return None
    diag = violated.orig.diag  # type: ignore[union-attr]
    for info in registry.entities.values():
        for index in info.table.indexes:
            if index.name == diag.constraint_name:
                return info.table.name, [column.name for column in index.columns]
    custom = _of_custom_field(str(diag.constraint_name), registry)
    if custom is not None:
        return custom
    return diag.table_name or "", ["key"]


def _of_custom_field(index: str, registry: Registry) -> tuple[str, list[str]] | None:
    """Find the custom field whose values an index keeps unique."""
    for info in registry.entities.values():
        for declared in info.custom:
            if index == getattr(declared, "index_name", ""):
                return info.table.name, [declared.name]
    return None
