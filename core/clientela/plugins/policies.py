"""What a deployment wants of its plugins: `disabled` and `[plugins]` of `clientela.toml`.

Read and edited without anything slow and without the rest of the settings, because whoever mends a deployment must get
at these few lines while everything else is broken.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from clientela.errors import Misconfigured, did_you_mean
from clientela.i18n.texts import _

FILE = "clientela.toml"

# Where a package is to be installed from is the composer's affair.
KEYS = frozenset({"version", "required", "config", "index", "path", "git", "rev"})

_HEADER = re.compile(r"(?m)^[ \t]*\[")
_DISABLED = re.compile(r"(?m)^[ \t]*disabled[ \t]*=")


@dataclass(frozen=True)
class Policy:
    """What is wanted of one plugin: which versions, whether the start may go on without it, and its settings."""

    version: str = ""
    required: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)

    def takes(self, version: str) -> bool:
        """Say whether a version is one of those that are wanted."""
        from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - most name no version

        return not self.version or SpecifierSet(self.version).contains(version, prereleases=True)


@dataclass(frozen=True)
class Wishes:
    """All that the file says of plugins; `problem` says why the rest of it could not be read."""

    policies: Mapping[str, Policy] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    problem: str = ""


def policies_of(values: Any) -> dict[str, Policy]:
    """Read `[plugins]`: `name = "~=1.0"`, or a table with version, required and config."""
    if not isinstance(values, dict):
        raise ValueError(_("plugins is a table of plugins."))  # noqa: TRY004 - pydantic hears values
    return {name: _policy(name, said) for name, said in values.items()}


def _policy(name: str, said: Any) -> Policy:
    if isinstance(said, Policy):
        return said
    if isinstance(said, str):
        said = {"version": said}
    if not isinstance(said, dict):
        raise ValueError(  # noqa: TRY004 - pydantic hears values
            _(
                "{plugin} is a version such as ~=1.0, or a table with version, required and config.",
                plugin=name,
            )
        )
    for key in said.keys() - KEYS:
        raise ValueError(
            _("{plugin} has no policy {key}.", plugin=name, key=repr(key)) + did_you_mean(key, KEYS)
        )
    required, config = said.get("required", False), said.get("config", {})
    if not isinstance(required, bool) or not isinstance(config, dict):
        raise ValueError(  # noqa: TRY004 - pydantic hears values
            _("{plugin}: required is true or false, and config a table.", plugin=name)
        )
    return Policy(_specifier(name, said.get("version", "")), required, config)


def _specifier(name: str, version: Any) -> str:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet  # noqa: PLC0415 - see `takes`

    text = "" if version == "*" else str(version)
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        raise ValueError(
            _(
                "{plugin}: {version} is no version specifier; write ~=1.0, >=1.2,<2 or ==1.0.3.",
                plugin=name,
                version=repr(text),
            )
        ) from None
    return text


# reading what can be read ---------------------------------------------------------------------------------------------


def read_wishes(folder: Path) -> Wishes:
    """Read what the folder's file says of plugins, whatever else is wrong with it."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return Wishes()
    except (OSError, UnicodeDecodeError) as wrong:
        return Wishes(problem=str(wrong))
    values, problem = _readable(text)
    named = values.get("disabled", [])
    disabled = frozenset(map(str, named)) if isinstance(named, list) else frozenset()
    try:
        return Wishes(policies_of(values.get("plugins", {})), disabled, problem)
    except ValueError as wrong:
        return Wishes({}, disabled, problem or str(wrong))


def _readable(text: str) -> tuple[dict[str, Any], str]:
    try:
        return tomllib.loads(text), ""
    except tomllib.TOMLDecodeError as wrong:
        problem = str(wrong)
    plugins: dict[str, Any] = {}
    values: dict[str, Any] = {"plugins": plugins}
    for piece in _pieces(text):
        try:
            part = tomllib.loads(piece)
        except tomllib.TOMLDecodeError:
            continue
        plugins |= part.pop("plugins", {})
        values |= part
    return values, problem


def _pieces(text: str) -> Iterator[str]:
    """Give the tables one by one, and of what stands before them the list of disabled plugins."""
    start, end = _place_of_disabled(text)
    yield text[start:end]
    heads = [found.start() for found in _HEADER.finditer(text)]
    for begin, stop in pairwise([*heads, len(text)]):
        yield text[begin:stop]


def _place_of_disabled(text: str) -> tuple[int, int]:
    """Give where `disabled = […]` stands, or an empty place at the top."""
    header = _HEADER.search(text)
    found = _DISABLED.search(text, 0, header.start() if header else len(text))
    if found is None:
        return 0, 0
    for line in re.finditer(r"\n|\Z", text[found.start() :]):
        end = found.start() + line.end()
        try:
            tomllib.loads(text[found.start() : end])
        except tomllib.TOMLDecodeError:
            continue
        return found.start(), end
    raise Misconfigured(_("The list of disabled plugins cannot be read; mend it by hand."))


# writing --------------------------------------------------------------------------------------------------------------


def disable(folder: Path, plugin: str) -> bool:
    """Write the plugin into the list of those left out; False when it stood there."""
    return _edit(folder, lambda names: None if plugin in names else names.append(plugin))


def enable(folder: Path, plugin: str) -> bool:
    """Take the plugin out of the list; False when it did not stand there."""
    return _edit(folder, lambda names: names.remove(plugin) if plugin in names else None)


def _edit(folder: Path, change: Callable[[Any], object]) -> bool:
    """Change the one statement and leave every other letter of the file as it is."""
    import tomlkit  # noqa: PLC0415 - who only reads does not need it

    path = (folder / FILE).resolve()
    text = path.read_bytes().decode("utf-8") if path.is_file() else ""
    start, end = _place_of_disabled(text)
    piece = tomlkit.parse(text[start:end])
    names: Any = piece.setdefault("disabled", tomlkit.array())
    before = list(names)
    change(names)
    if before == list(names):
        return False
    replace_file(path, (text[:start] + piece.as_string() + text[end:]).encode("utf-8"))
    return True


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Put a whole file in place of the old one, or leave the old one as it is."""
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    if path.exists():
        shutil.copymode(path, draft)
    draft.replace(path)
