"""Records as plain values by field: what was read, what it becomes, and the difference as the log keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clientela.entity import EntityInfo
from clientela.members import members_before, with_members

Values = dict[str, Any]

# The column that holds the custom fields.
CUSTOM = "custom"


@dataclass
class Known:
    """A record that was there before: what it had, and what it will have."""

    info: EntityInfo
    stored: Values
    values: Values

    @property
    def before(self) -> Values:
        """Give the old values of the fields that change, as JSON."""
        return differences(self.info, self.stored, self.values)

    @property
    def kind(self) -> str:
        """Name the change as the log does: to the trash and back are words of their own."""
        if (self.stored["deleted_at"] is None) is (self.values["deleted_at"] is None):
            return "update"
        return "trash" if self.stored["deleted_at"] is None else "restore"


def differences(info: EntityInfo, old: Values, new: Values) -> Values:
    """Give the old values, as the log keeps them, of the fields that differ; custom fields one by one."""
    changed = {n: logged(info, old, n) for n in info.fields if n != CUSTOM and old[n] != new[n]}
    if old[CUSTOM] != new[CUSTOM]:
        before = members_before(old[CUSTOM], new[CUSTOM])
        # Those of which nothing is known just now; the others were compared as values.
        changed |= {name: raw for name, raw in before.items() if name not in info.fields}
    return changed


def logged(info: EntityInfo, values: Values, name: str) -> Any:
    """Give a value as the log keeps it: JSON, and of a secret only that there was one to change."""
    declared = info.fields.get(name)
    if declared is None:
        return (values[CUSTOM] or {}).get(name)
    return None if declared.field_class == "secret" else declared.logged(values[name])


def whole_of(info: EntityInfo, values: Values) -> Values:
    """Give all values as the log keeps them when the record goes for good; secrets are not among them."""
    declared = info.cls.info.fields
    kept = {n: logged(info, values, n) for n, f in declared.items() if f.field_class != "secret"}
    return kept | {CUSTOM: members_of(info, values)}


def members_of(info: EntityInfo, values: Values) -> Values:
    """Give the stored members of a record: of its custom fields, and those of which nothing is known just now."""
    return with_members(values[CUSTOM], {f.name: f.logged(values[f.name]) for f in info.custom})


def stored_values(info: EntityInfo, row: Any) -> Values:
    """Give the values of a stored row, by field."""
    return {name: declared.stored(row) for name, declared in info.fields.items()}
