"""Records as plain values by field: what was read, what it becomes, and the difference as the log keeps it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clientela.entity import EntityInfo

Values = dict[str, Any]


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
    """Give the old values, as JSON, of the fields that differ."""
    return {name: logged(info, old, name) for name in info.fields if old[name] != new[name]}


def logged(info: EntityInfo, values: Values, name: str) -> Any:
    """Give a value as the log keeps it: JSON, and of a secret only that there was one to change."""
    declared, value = info.fields[name], values[name]
    return None if value is None or declared.field_class == "secret" else declared.kind.dump(value)


def whole_of(info: EntityInfo, values: Values) -> Values:
    """Give all values as the log keeps them when the record goes for good; secrets are not among them."""
    kept = (name for name, f in info.fields.items() if f.field_class != "secret")
    return {name: logged(info, values, name) for name in kept}


def stored_values(info: EntityInfo, row: Any) -> Values:
    """Give the values of a stored row, by field."""
    return {
        name: declared.kind.from_columns([row[column.name] for column in declared.columns])
        for name, declared in info.fields.items()
    }
