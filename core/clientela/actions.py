"""Actions: named, typed, permissioned functions; the one door for every write that means something."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from clientela.entity import Entity
from clientela.errors import Misconfigured
from clientela.i18n.texts import _

if TYPE_CHECKING:
    from clientela.context import Context

Effect = Literal["read", "write", "destructive", "outside"]

# A chain of actions that call each other is a design that should be looked at, long before the stack ends.
DEEPEST = 8

_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}")


@dataclass(frozen=True, eq=False)
class Action:
    """What faces need to know of an action.

    `effect` says what it does to the world: `read` nothing, `write` changes records and can be undone, `destructive`
    cannot, `outside` reaches beyond the database (a mail, a call). `takes` is the model of its input, `on` the entity
    of the record it is about; an action without `on` is about the whole plugin.
    """

    name: str
    function: Callable[..., Any]
    on: type[Entity] | None = None
    takes: type[BaseModel] | None = None
    permission: str = ""
    effect: Effect = "write"
    undo: bool | str = True
    label: str = ""
    about: str = ""
    # Where the record may stand: False outside the trash, True in it, None either.
    trashed: bool | None = False
    # The row rules that apply to the record; declared actions use those of `update`.
    row_verb: str = "update"

    @property
    def verb(self) -> str:
        """Give the last word of the name."""
        return self.name.rsplit(".", 1)[1]

    @property
    def plugin(self) -> str:
        """Give the first word of the name."""
        return self.name.split(".", 1)[0]

    @property
    def writes(self) -> bool:
        """Say whether it needs a transaction that may write."""
        return self.effect != "read"

    def __call__(self, ctx: Context, *arguments: Any) -> Any:
        """Run inside the caller's transaction, through the same gate as from outside."""
        record, data = _split(self, arguments)
        return ctx.run(self, record, data)


def _split(action: Action, arguments: tuple[Any, ...]) -> tuple[Any, Any]:
    rest = list(arguments)
    record = rest.pop(0) if action.on is not None and rest else None
    return record, rest.pop(0) if rest else None


def action(
    name: str,
    *,
    on: type[Entity] | None = None,
    permission: str = "",
    effect: Effect = "write",
    undo: bool | str = True,
    label: str = "",
) -> Callable[[Callable[..., Any]], Action]:
    """Make an action of a function `(ctx, record, data)`; record and data are there when they are declared.

    The type of `data` must be a pydantic model: it is the input of every face. The docstring's first sentence is what
    help pages say of the action; `undo` is True, or a sentence why it cannot be undone.
    """

    def declare(function: Callable[..., Any]) -> Action:
        if not _NAME.fullmatch(name):
            raise Misconfigured(
                _(
                    "{name} cannot name an action; write plugin.entity.verb in small letters.",
                    name=repr(name),
                )
            )
        about = inspect.getdoc(function) or ""
        if not about:
            raise Misconfigured(
                _("The action {name} needs a docstring: its first sentence is its help.", name=name)
            )
        verb = name.rsplit(".", 1)[1]
        return Action(
            name=name,
            function=function,
            on=on,
            takes=_input_model(name, function, on),
            permission=permission or name,
            effect=effect,
            undo=undo,
            label=label or verb.replace("_", " ").capitalize(),
            about=about.split("\n")[0],
        )

    return declare


def _input_model(
    name: str, function: Callable[..., Any], on: type[Entity] | None
) -> type[BaseModel] | None:
    """Read the model of the input from the signature."""
    parameters = list(inspect.signature(function).parameters)
    expected = 1 if on is None else 2
    if len(parameters) < expected or parameters[0] != "ctx":
        shape = "(ctx, data)" if on is None else "(ctx, record, data)"
        raise Misconfigured(
            _(
                "The action {name} must be a function {shape}; data may be left out.",
                name=name,
                shape=shape,
            )
        )
    if len(parameters) == expected:
        return None
    try:
        hint = typing.get_type_hints(function).get(parameters[expected])
    except NameError as unknown:
        raise Misconfigured(
            _(
                "The action {name} has a type that cannot be found: {reason}. Import it outside TYPE_CHECKING.",
                name=name,
                reason=unknown,
            )
        ) from unknown
    if not (isinstance(hint, type) and issubclass(hint, BaseModel)):
        raise Misconfigured(
            _("The input of the action {name} must be a pydantic model.", name=name)
        )
    return hint
