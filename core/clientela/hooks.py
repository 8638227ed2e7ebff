"""The isolated caller: plugins are asked one by one, and one that fails costs only its own part.

Registration and validation are pluggy's. The call is ours, because pluggy's own loop stops at the first implementation
that raises: dependencies answer before those who build on them, a guard that fails refuses, a compute hook that fails
is dropped and after three failures in a row left out for a while.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pluggy

from clientela.errors import Misconfigured, Refusal, did_you_mean
from clientela.hookspecs import PROJECT
from clientela.i18n.texts import _
from clientela.timeline import asking

log = logging.getLogger("clientela.hooks")

FAILURES_TO_OPEN = 3
SECONDS_OPEN = 30.0


class PluginFailed(Refusal):
    """A plugin failed where its answer was needed."""

    status = 500
    exit_code = 70
    code = "plugin-failed"
    title = _("A plugin failed")


class UnsoundAnswer(TypeError):
    """A plugin answered with something that nobody can use."""


@dataclass
class Breaker:
    """Leaves a failing implementation out until some time has passed."""

    failures: int = 0
    opened_at: float = 0.0

    def is_open(self, now: float) -> bool:
        """Say whether the implementation is left out at this moment."""
        return self.failures >= FAILURES_TO_OPEN and now - self.opened_at < SECONDS_OPEN

    def failed(self, now: float) -> None:
        """Count a failure; the third in a row opens."""
        self.failures += 1
        self.opened_at = now


@dataclass
class Implementation:
    """One plugin's answer to one hook, with what it has cost so far."""

    plugin: str
    function: Callable[..., Any]
    arguments: tuple[str, ...]
    breaker: Breaker = field(default_factory=Breaker)
    calls: int = 0
    seconds: float = 0.0
    errors: int = 0

    def ask(self, given: dict[str, Any]) -> Any:
        """Call with the arguments the function names, and count the time."""
        started = time.perf_counter()
        try:
            return self.function(*[given[name] for name in self.arguments])
        finally:
            self.calls += 1
            self.seconds += time.perf_counter() - started


@dataclass(frozen=True)
class Failure:
    """What a health page shows of a failed answer."""

    hook: str
    plugin: str
    error: str


class Hooks:
    """All hooks of one app. `hooks.call.<name>(…)` asks and gives the answers that are not None."""

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager(PROJECT)
        self._kinds: dict[str, str] = {}
        self._implementations: dict[str, tuple[Implementation, ...]] = {}
        self.failures: list[Failure] = []
        self.call = _Caller(self)

    def specify(self, module: Any) -> None:
        """Take the specifications of a module."""
        self._manager.add_hookspecs(module)
        for name in dir(module):
            kind = getattr(getattr(module, name), "clientela_kind", None)
            if kind is not None:
                self._kinds[name] = kind

    def register(self, plugin: str, implementation: object) -> None:
        """Take the implementations of a plugin; `seal` must follow when all are in."""
        self._refuse_unknown(plugin, implementation)
        try:
            self._manager.register(implementation, name=f"{plugin}#{id(implementation)}")
        except pluggy.PluginValidationError as wrong:
            raise Misconfigured(
                _(
                    "{plugin} implements a hook with arguments it does not have: {reason}",
                    plugin=plugin,
                    reason=wrong,
                )
            ) from wrong

    def _refuse_unknown(self, plugin: str, implementation: object) -> None:
        for name in dir(implementation):
            function = getattr(implementation, name, None)
            marked = inspect.isroutine(function) and hasattr(function, f"{PROJECT}_impl")
            if marked and name not in self._kinds:
                raise Misconfigured(
                    _(
                        "{plugin} implements the hook {hook}, which no one specifies.",
                        plugin=plugin,
                        hook=name,
                    )
                    + did_you_mean(name, self._kinds)
                )

    def seal(self, order: Sequence[str]) -> None:
        """Look every implementation up once, those of dependencies first."""
        rank = {name: place for place, name in enumerate(order)}
        for name in self._kinds:
            found = [
                Implementation(impl.plugin_name.split("#")[0], impl.function, tuple(impl.argnames))
                for impl in reversed(getattr(self._manager.hook, name).get_hookimpls())
            ]
            found.sort(key=lambda one: rank.get(one.plugin, len(rank)))
            self._implementations[name] = tuple(found)

    def ask(self, name: str, /, **given: Any) -> list[Any]:
        """Ask everybody; give the answers that are not None."""
        return [answer for _, answer in self.ask_each(name, **given)]

    def ask_each(self, name: str, /, **given: Any) -> list[tuple[str, Any]]:
        """Ask everybody; give each answer with its plugin's name."""
        return self.ask_sound(name, _anything, **given)

    def ask_sound(
        self, name: str, is_sound: Callable[[Any], bool], /, **given: Any
    ) -> list[tuple[str, Any]]:
        """Ask everybody, as `ask_each` does; an answer that is not sound counts as a failure of its plugin."""
        answers = []
        for one in self._implementations[name]:
            answer = self._ask_one(name, one, given, is_sound)
            if answer is not None:
                answers.append((one.plugin, answer))
        return answers

    def _ask_one(
        self,
        name: str,
        one: Implementation,
        given: dict[str, Any],
        is_sound: Callable[[Any], bool],
    ) -> Any:
        optional = self._kinds[name] == "compute"
        now = time.monotonic()
        if optional and one.breaker.is_open(now):
            return None
        try:
            answer = _ask_fenced(name, one, given, optional=optional)
            if answer is not None:
                _refuse_unsound(answer, is_sound)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, Refusal) and not optional:
                raise
            log.exception("plugin %s failed in hook %s", one.plugin, name)
            self._failed(name, one, now)
            if not optional:
                raise PluginFailed(
                    _(
                        "The plugin {plugin} failed while it was asked {hook}; nothing was changed.",
                        plugin=one.plugin,
                        hook=name,
                    )
                ) from error
        else:
            one.breaker.failures = 0
            return answer
        return None

    def _failed(self, name: str, one: Implementation, now: float) -> None:
        one.errors += 1
        one.breaker.failed(now)
        self.failures.append(Failure(name, one.plugin, _("see the log")))
        del self.failures[:-100]

    def anybody(self, name: str) -> bool:
        """Say whether anybody implements the hook."""
        return bool(self._implementations[name])

    def timings(self) -> list[dict[str, Any]]:
        """Give what each implementation has cost so far."""
        return [
            {
                "hook": name,
                "plugin": one.plugin,
                "calls": one.calls,
                "seconds": one.seconds,
                "errors": one.errors,
            }
            for name, found in self._implementations.items()
            for one in found
        ]

    def hooks_of(self, plugin: str) -> list[str]:
        """List the hooks a plugin answers."""
        return sorted(
            name
            for name, found in self._implementations.items()
            if any(one.plugin == plugin for one in found)
        )

    def stand_in(self, name: str, implementation: Implementation) -> None:
        """Let something answer in the place of a plugin that is missing, before all others."""
        if name in self._implementations:
            self._implementations[name] = (implementation, *self._implementations[name])

    def kinds(self) -> dict[str, str]:
        """Give every hook with its kind."""
        return dict(self._kinds)


def _anything(_answer: Any) -> bool:
    return True


def _refuse_unsound(answer: Any, is_sound: Callable[[Any], bool]) -> None:
    if not is_sound(answer):
        raise UnsoundAnswer(type(answer).__name__)


def _ask_fenced(name: str, one: Implementation, given: dict[str, Any], *, optional: bool) -> Any:
    ctx = given.get("ctx")
    timeline = getattr(ctx, "timeline", None)
    if timeline is None and not (optional and ctx is not None and ctx.writing):
        return one.ask(given)
    with _fence(given, optional=optional), asking(timeline, one.plugin, name):
        return one.ask(given)


def _fence(given: dict[str, Any], *, optional: bool) -> AbstractContextManager[Any]:
    """Let a statement that fails in a compute hook cost the hook alone, and not what is being written around it."""
    ctx = given.get("ctx")
    if optional and ctx is not None and ctx.writing:
        fence: AbstractContextManager[Any] = ctx.connection.begin_nested()
        return fence
    return nullcontext()


class _Caller:
    """Lets a call read like a sentence: `ctx.hook.record_saving(ctx=ctx, …)`."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    def __getattr__(self, name: str) -> Callable[..., list[Any]]:
        if name not in self._hooks._kinds:  # noqa: SLF001 - the two are one thing
            raise AttributeError(
                _("No one specifies the hook {hook}.", hook=name)
                + did_you_mean(name, self._hooks.kinds())
            )
        asker = partial(self._hooks.ask, name)
        setattr(self, name, asker)
        return asker
