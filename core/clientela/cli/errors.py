"""What went wrong, on stderr: one shape for people, the problem document for programs, and an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator

import click

from clientela.cli.desk import Desk
from clientela.errors import FieldProblem, Misconfigured, Refusal
from clientela.i18n.texts import _

FAILED, USAGE, SOME_FAILED, BUG, INTERRUPTED = 1, 2, 7, 70, 130


class Bug(Refusal):
    """Something that should not have happened."""

    status = 500
    exit_code = BUG
    code = "bug"
    title = _("This is a defect of Clientela or of a plugin")


class Usage(Refusal):
    """The command line cannot be read."""

    status = 400
    exit_code = USAGE
    code = "usage"
    title = _("This command line cannot be read")


class Failed(Refusal):
    """It could not be done: a file, a port, a disk."""

    status = 500
    exit_code = FAILED
    code = "failed"
    title = _("It could not be done")


def report(error: BaseException, desk: Desk) -> int:
    """Print an error and give its exit code."""
    if isinstance(error, click.Abort | KeyboardInterrupt | EOFError):
        click.echo(desk.text("Interrupted."), err=True)
        return INTERRUPTED
    refusal = as_refusal(error)
    if desk.verbose and not isinstance(error, Refusal | click.ClickException):
        from traceback import print_exception  # noqa: PLC0415 - help must be quick

        print_exception(error)
    if desk.format in ("json", "jsonl"):
        problem = refusal.as_problem(desk.text)
        click.echo(json.dumps(problem, ensure_ascii=False, default=str), err=True)
    else:
        for line in lines_of(refusal, desk):
            click.echo(line, err=True)
    return refusal.exit_code


def as_refusal(error: BaseException) -> Refusal:
    """Give every error the same shape."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, click.ClickException):
        return _of_click(error)
    if type(error).__module__.startswith("sqlalchemy") and _is_unmigrated(str(error)):
        return Misconfigured(
            _("The database lacks tables that the installed plugins need."),
            extra={"fix": "clientela db migrate"},
        )
    if isinstance(error, OSError):
        return Failed(f"{error.strerror or error}: {error.filename or ''}".rstrip(": ") + ".")
    return Bug(
        f"{type(error).__name__}: {error}",
        extra={"fix": _("run it again with -v to see where, and report it with what you typed")},
    )


def _of_click(error: click.ClickException) -> Refusal:
    extra: dict[str, object] = {}
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "clientela"
        hints = getattr(error, "hints", None)
        extra = {"fix": " or ".join(hints) if hints else f"{path} --help"}
    kind = Usage if isinstance(error, click.UsageError) else Failed
    return kind(error.format_message(), extra=extra)


def _is_unmigrated(message: str) -> bool:
    return any(
        sign in message
        for sign in ("no such table", "no such column", "UndefinedTable", "UndefinedColumn")
    )


def lines_of(refusal: Refusal, desk: Desk) -> Iterator[str]:
    """Write an error as people read it."""
    head = f"error[{refusal.code}]:"
    yield f"{_red(head)} {desk.text(refusal.detail)}"
    for problem in refusal.errors:
        yield from _problem_lines(problem, refusal, desk)
    for name in ("where", "why", "fix"):
        told = refusal.extra.get(name)
        if told:
            yield f"  {name:<6} {desk.text(told if isinstance(told, str) else str(told))}"


def _problem_lines(problem: FieldProblem, refusal: Refusal, desk: Desk) -> Iterator[str]:
    yield f"  where  {problem.pointer}"
    if problem.detail != refusal.detail:
        yield f"  why    {desk.text(problem.detail)}"
    hint = problem.hint or (
        desk.text("one of: {names}", names=", ".join(problem.allowed)) if problem.allowed else ""
    )
    if hint:
        yield f"  fix    {desk.text(hint)}"


def _red(text: str) -> str:
    fancy = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    return click.style(text, fg="red", bold=True) if fancy else text
