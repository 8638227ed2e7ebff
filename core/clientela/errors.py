"""What can go wrong, as sentences with a status.

Every refusal that a person or a program may meet is a `Refusal`. It carries the HTTP status, the exit code of the
command line and a language-neutral code, so that REST, the command line and the log say the same thing once.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import reduce
from typing import ClassVar

from clientela.i18n.texts import Text, _

# Shows a text in somebody's language.
Show = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one value.

    `pointer` is a JSON pointer into what was sent (`/name`, `/identifiers/0/value`), `code` a stable word,
    `detail` the sentence, `hint` how to mend it and `allowed` the values that would have been taken.
    """

    pointer: str
    code: str
    detail: str
    hint: str | None = None
    allowed: tuple[str, ...] = ()

    def as_dict(self, show: Show = str) -> dict[str, object]:
        """Give the JSON form in the language of `show`, without the empty parts."""
        parts: dict[str, object] = {
            "pointer": self.pointer,
            "code": self.code,
            "detail": show(self.detail),
        }
        if self.hint:
            parts["hint"] = show(self.hint)
        if self.allowed:
            parts["allowed"] = list(self.allowed)
        return parts


@dataclass
class Refusal(Exception):
    """A sentence that says what is so and what to do, with its status."""

    status: ClassVar[int] = 400
    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "refused"
    title: ClassVar[str] = _("Refused")

    detail: str
    errors: list[FieldProblem] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.detail

    def as_problem(self, show: Show = str) -> dict[str, object]:
        """Give the problem document of RFC 9457 in the language of `show` (`Translator.show`)."""
        body: dict[str, object] = {
            "type": f"https://clientela.invalid/problems/{self.code}",
            "title": show(self.title),
            "status": self.status,
            "detail": show(self.detail),
            "code": self.code,
        }
        if self.errors:
            body["errors"] = [error.as_dict(show) for error in self.errors]
        told = {n: show(v) if isinstance(v, Text) else v for n, v in self.extra.items()}
        return body | told


class BadSyntax(Refusal):
    """What was sent cannot be read at all: JSON, a filter, a cursor, a parameter."""

    status = 400
    exit_code = 2
    code = "bad-syntax"
    title = _("This cannot be read")


class Unauthenticated(Refusal):
    """Nobody, or somebody unknown, is asking."""

    status = 401
    exit_code = 5
    code = "unauthenticated"
    title = _("Sign in first")


class Forbidden(Refusal):
    """The one who asks may not do this."""

    status = 403
    exit_code = 5
    code = "forbidden"
    title = _("Not allowed")


class NotFound(Refusal):
    """Not there, or not to be known by the one who asks: the same answer for both."""

    status = 404
    exit_code = 4
    code = "not-found"
    title = _("Not found")


class MethodNotAllowed(Refusal):
    """The address exists, the method does not fit it."""

    status = 405
    exit_code = 2
    code = "method-not-allowed"
    title = _("This method does not fit the address")


class Conflict(Refusal):
    """The state of things forbids it."""

    status = 409
    exit_code = 6
    code = "conflict"
    title = _("The state of things forbids it")


class Stale(Refusal):
    """Somebody else changed the same fields first."""

    status = 412
    exit_code = 6
    code = "stale"
    title = _("Changed by somebody else meanwhile")


class TooLarge(Refusal):
    """More was sent than is taken."""

    status = 413
    exit_code = 2
    code = "too-large"
    title = _("Too much at once")


class UnsupportedMedia(Refusal):
    """The content type is not one that is read here."""

    status = 415
    exit_code = 2
    code = "unsupported-media-type"
    title = _("This content type is not read here")


class Invalid(Refusal):
    """The shape can be read, a value cannot be taken."""

    status = 422
    exit_code = 2
    code = "invalid"
    title = _("Some values cannot be taken")


class Unavailable(Refusal):
    """Not now; the same request may succeed a little later."""

    status = 503
    exit_code = 8
    code = "unavailable"
    title = _("Not available right now")


class Misconfigured(Refusal):
    """The deployment or the composition of plugins is wrong."""

    status = 500
    exit_code = 3
    code = "misconfigured"
    title = _("The deployment is not composed correctly")


def nearest(word: str, words: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """Give the words most like the one that was not known, best first.

    >>> nearest("stauts", ["status", "stage", "owner"])
    ('status',)
    """
    return tuple(difflib.get_close_matches(word, list(words), n=most, cutoff=0.6))


def sentence_of(error: Exception) -> str:
    """Give the sentence of an error; one that was marked with `_` can still be translated."""
    said = error.args[0] if error.args else None
    return said if isinstance(said, Text) else str(error)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Give ` Did you mean 'x' or 'y'?` to follow a sentence, or nothing when no word is near."""
    near: list[str] = [repr(name) for name in nearest(word, words)]
    if not near:
        return Text("")
    choice = reduce(
        lambda first, second: _("{first} or {second}", first=first, second=second), near
    )
    return _(" Did you mean {words}?", words=choice)
