"""Rules about what is written: the card, the imports, the words."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from clientela.cli.commands.translations import wanted_of
from clientela.i18n.extract import missing
from clientela_sdk import VERBS, _
from clientela_sdk.testing.conformance.kit import rule
from clientela_sdk.testing.conformance.subject import NotNow, Subject

# What the import of a card may cost beyond the sdk: a deployment pays it at every start.
MOST_CPU_SECONDS = 0.5
MOST_MEGABYTES = 32

_IMPORT = """
import json, sys, time, tracemalloc
from pathlib import Path
import clientela_sdk
from clientela.plugins.discovery import found
from clientela.plugins.loading import load
from importlib import import_module
name, package, folder = sys.argv[1:]
one = next((o for o in found(Path(folder) if folder else None) if o.name == name), None)
before = set(sys.modules)
tracemalloc.start()
began = time.process_time()
card = load(one) if one else import_module(package).plugin
spent = time.process_time() - began
print(json.dumps({"name": card.name, "seconds": spent, "bytes": tracemalloc.get_traced_memory()[1],
                  "modules": sorted(set(sys.modules) - before)}))
"""


def _imported(subject: Subject) -> dict[str, Any]:
    """Import the card in a process of its own, in which a warning is an error."""
    words = [subject.name, subject.card.import_name, str(subject.deployment or "")]
    paths = os.pathsep.join(one for one in sys.path if one)
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-W", "error", "-c", _IMPORT, *words],
        capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": paths},
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        return {"problem": last[:300]}
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


@rule("card-alone", "bronze", _("The card imports alone, without a warning and without a face."))
def card_alone(subject: Subject) -> Iterator[str]:
    """Import the card in a fresh process, and look at what came with it."""
    told = _imported(subject)
    if "problem" in told:
        yield _("Its import fails: {reason}", reason=told["problem"])
        return
    allowed = {f"clientela_{need}" for need in subject.card.needs} | {
        "clientela_sdk",
        subject.card.import_name,
    }
    for module in told["modules"]:
        package = module.partition(".")[0]
        if package.startswith("clientela_") and package not in allowed:
            yield _(
                "Its import brings {module}, which it does not need by its card.", module=module
            )
        if module in {"uvicorn", "starlette.applications", "pytest"}:
            yield _("Its import brings {module}; import that where it is used.", module=module)


@rule("card-complete", "bronze", _("The card and the package say the same."))
def card_complete(subject: Subject) -> Iterator[str]:
    """Compare the card with the metadata of the distribution."""
    if not subject.card.about:
        yield _("The card says nothing under about=.")
    found = subject.found
    if found is None or found.file is not None:
        return
    if sorted(found.needs) != sorted(subject.card.needs):
        yield _(
            "The card needs {card}, and the distribution depends on {wheel}; make them equal.",
            card=", ".join(subject.card.needs) or "-",
            wheel=", ".join(found.needs) or "-",
        )
    if "clientela-sdk" not in found.requirements:
        yield _("The distribution does not depend on clientela-sdk.")


@rule(
    "imports", "bronze", _("It imports the sdk, and neighbours only by the api of those it needs.")
)
def imports(subject: Subject) -> Iterator[str]:
    """Read its imports; the revisions are written by the machine and may name the core's column types."""
    for path in subject.sources():
        for line, module in _imports_in(ast.parse(path.read_bytes(), filename=str(path))):
            problem = _problem_of(subject, module)
            if problem:
                yield f"{path.name}:{line}: {problem}"


def _imports_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            # `from clientela_x import api` enters by the door as well.
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def _problem_of(subject: Subject, module: str) -> str:
    package, _dot, rest = module.partition(".")
    if package == "clientela":
        return _(
            "{module} is the core behind the sdk; import it from clientela_sdk.", module=module
        )
    if not package.startswith("clientela_") or package in {
        "clientela_sdk",
        subject.card.import_name,
    }:
        return ""
    name = package.removeprefix("clientela_")
    if name not in {*subject.card.needs, *subject.card.partners}:
        return _("{module} belongs to a plugin that the card does not need.", module=module)
    is_door = rest.partition(".")[0] == "api"
    return (
        ""
        if is_door
        else _("Neighbours enter by {package}.api, not {module}.", package=package, module=module)
    )


@rule(
    "permissions",
    "bronze",
    _("Every verb and every action has a permission of its own, with words."),
)
def permissions(subject: Subject) -> Iterator[str]:
    """Compare what can be done with what can be permitted."""
    with subject.empty() as url, subject.app(url) as app:
        known = app.registry.permissions
        for info in subject.entities:
            for verb in sorted(info.verbs & VERBS):
                if not known.get(info.permission(verb)):
                    yield _("There is no permission {name}.", name=info.permission(verb))
        for action in subject.card.actions:
            if not action.permission.startswith(f"{subject.name}.") or not known.get(
                action.permission
            ):
                yield _(
                    "The action {action} is permitted by {name}, which is none of the plugin's.",
                    action=action.name,
                    name=repr(action.permission),
                )
    for name, words in subject.card.permissions.items():
        if not name.startswith(f"{subject.name}.") or not words:
            yield _(
                "The permission {name} needs the plugin's name before it, and words.", name=name
            )


@rule("documented", "silver", _("Everything that others see says what it is."))
def documented(subject: Subject) -> Iterator[str]:
    """Look for what has no sentence of its own: a docstring or a description."""
    card = subject.card
    told = {info.name: info.about for info in subject.entities}
    told |= {fact.name: _own_words(fact) for fact in card.facts}
    told |= {action.name: action.about for action in card.actions}
    told |= {
        f"{action.name}/{name}": str(value.description or "")
        for action in card.actions
        for name, value in (action.takes.model_fields.items() if action.takes else ())
    }
    told |= {
        f"{card.name}.{name}": str(value.description or "")
        for name, value in (card.settings.model_fields.items() if card.settings else ())
    }
    told |= {name: function.__doc__ or "" for name, function in _specs(card.hookspecs)}
    yield from (
        _("{name} does not say what it is.", name=name)
        for name, words in told.items()
        if not words.strip()
    )


def _own_words(cls: type) -> str:
    return str(cls.__dict__.get("__doc__") or "")


def _specs(module: object) -> Iterator[tuple[str, Any]]:
    for name in dir(module) if module is not None else ():
        if hasattr(getattr(module, name), "clientela_kind"):
            yield name, getattr(module, name)


@rule("russian", "silver", _("Every word that people see is there in English and in Russian."))
def russian(subject: Subject) -> Iterator[str]:
    """Look for messages that the Russian catalogue lacks."""
    _package = subject.folder  # a single file has no catalogue, and says so
    with subject.empty() as url, subject.app(url) as app:
        yield from missing(subject.card.import_name, "ru", wanted_of(app, subject.card))


@rule("budget", "gold", _("Its import is quick and small."), slow=True)
def budget(subject: Subject) -> Iterator[str]:
    """Measure what the import costs the processor, in the best of three, and how much memory it takes."""
    told = [_imported(subject) for _time in range(3)]
    if any("problem" in one for one in told):
        raise NotNow(_("Its import fails; see card-alone."))
    seconds = min(one["seconds"] for one in told)
    megabytes = min(one["bytes"] for one in told) / 1e6
    if seconds > MOST_CPU_SECONDS:
        yield _(
            "Its import takes {seconds} s of the processor; {most} are allowed.",
            seconds=f"{seconds:.2f}",
            most=MOST_CPU_SECONDS,
        )
    if megabytes > MOST_MEGABYTES:
        yield _(
            "Its import takes {size} MB; {most} are allowed.",
            size=f"{megabytes:.0f}",
            most=MOST_MEGABYTES,
        )
