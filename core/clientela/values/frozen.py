"""Lists and objects that cannot be changed in place: a change that nobody notices would be lost without a word."""

from __future__ import annotations

from typing import Any, NoReturn


def _refuse(*_arguments: object, **_named: object) -> NoReturn:
    raise TypeError(
        "A value is not changed in place; assign a new one: record.tags = [*record.tags, 'vip']."
    )


class FrozenList(list[Any]):
    """A list whose changes are refused; `[*it, more]` makes a new one."""

    append = extend = insert = remove = pop = clear = sort = reverse = _refuse
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse


class FrozenDict(dict[str, Any]):
    """An object whose changes are refused; `{**it, "more": 1}` makes a new one."""

    update = pop = popitem = clear = setdefault = _refuse
    __setitem__ = __delitem__ = __ior__ = _refuse


def frozen(value: Any) -> Any:
    """Freeze a JSON value, all the way down.

    >>> frozen({"a": [1]})["a"] == [1]
    True
    """
    if isinstance(value, list):
        return FrozenList(frozen(part) for part in value)
    if isinstance(value, dict):
        return FrozenDict({name: frozen(part) for name, part in value.items()})
    return value
