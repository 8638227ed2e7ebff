"""Finding plugins without importing their code: installed distributions, and files in the deployment's folder."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from packaging.requirements import Requirement

GROUP = "clientela.plugins"
FOLDER = "plugins"
PREFIX = "clientela-"
# What every plugin stands on, and what is no plugin.
GROUND = frozenset({"clientela", "clientela-sdk"})

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Found:
    """A plugin as its wheel, or the text of its file, describes it.

    `plugins` tells which distribution brings which plugin, so that a requirement can be read as a need.
    """

    name: str
    distribution: str
    version: str
    summary: str
    target: str
    requires: tuple[str, ...] = ()
    file: Path | None = None
    declared_needs: tuple[str, ...] = ()
    plugins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def requirements(self) -> dict[str, Requirement]:
        """Read `Requires-Dist`, without what another platform or an extra would need, by canonical name."""
        return {
            canonical(one.name): one
            for one in map(_requirement, self.requires)
            if one is not None and (one.marker is None or one.marker.evaluate({"extra": ""}))
        }

    @cached_property
    def needs(self) -> tuple[str, ...]:
        """Give the names of the plugins that must be there."""
        named = (self.plugin_of(name) for name in self.requirements)
        return tuple(sorted({*self.declared_needs, *(name for name in named if name)}))

    def plugin_of(self, distribution: str) -> str | None:
        """Give the plugin a distribution brings, or would bring by its name if it were installed."""
        if distribution in GROUND:
            return None
        if distribution in self.plugins:
            return self.plugins[distribution]
        is_ours = distribution.startswith(PREFIX)
        return distribution.removeprefix(PREFIX).replace("-", "_") if is_ours else None

    @property
    def place(self) -> str:
        """Say where it comes from."""
        return str(self.file) if self.file is not None else self.distribution

    def as_dict(self) -> dict[str, Any]:
        """Give the JSON form."""
        return {
            "name": self.name, "distribution": self.distribution, "version": self.version,
            "summary": self.summary, "entry_point": self.target, "needs": list(self.needs),
        }  # fmt: skip


def found(folder: Path | None = None) -> list[Found]:
    """List the installed plugins and those in the deployment's `plugins` folder, without importing one."""
    points = list(entry_points(group=GROUP))
    plugins = {canonical(point.dist.name): point.name for point in points if point.dist}
    made = [_described(point, plugins) for point in points]
    if folder is not None:
        made += (_read(path, plugins) for path in files_in(folder))
    return sorted(made, key=lambda one: (one.name, one.file is not None))


def files_in(folder: Path) -> Iterator[Path]:
    """List the single files and the packages of a deployment's own plugins."""
    place = folder / FOLDER
    if not place.is_dir():
        return
    for path in sorted(place.iterdir()):
        is_package = (path / "__init__.py").is_file()
        if _NAME.fullmatch(path.stem) and (is_package or path.suffix == ".py"):
            yield path.absolute() / "__init__.py" if is_package else path.absolute()


def _requirement(text: str) -> Requirement | None:
    """Read one `Requires-Dist`; what no installer could read either is passed over, and the import will tell."""
    from packaging.requirements import (  # noqa: PLC0415 - help must be quick
        InvalidRequirement,
        Requirement,
    )

    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def version_of(distribution: str) -> str | None:
    """Give the version of a distribution, or None when it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def canonical(distribution: str) -> str:
    """Write a distribution's name as an index compares it.

    >>> canonical("Clientela_Field.Visits")
    'clientela-field-visits'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _described(point: EntryPoint, plugins: Mapping[str, str]) -> Found:
    dist = point.dist
    return Found(
        name=point.name,
        distribution=dist.name if dist else "",
        version=dist.version if dist else "",
        summary=str(dist.metadata["Summary"] or "") if dist else "",
        target=point.value,
        requires=tuple(dist.requires or ()) if dist else (),
        plugins=plugins,
    )


def _read(path: Path, plugins: Mapping[str, str]) -> Found:
    """Read what a file says of itself; one that is no Python is found all the same, and says so when it is imported."""
    name = path.parent.name if path.name == "__init__.py" else path.stem
    try:
        said = _Said(ast.parse(path.read_text(encoding="utf-8")))
    except (OSError, SyntaxError, ValueError):
        said = _Said(ast.Module([], []))
    return Found(
        name=name, distribution="", version=said.version, summary=said.summary,
        target=f"clientela_{name}:plugin", file=path, declared_needs=said.needs, plugins=plugins,
    )  # fmt: skip


class _Said:
    """The version, the summary and the needs that stand in a module as plain values."""

    def __init__(self, tree: ast.Module) -> None:
        self.version = ""
        self.needs: tuple[str, ...] = ()
        self.summary = (ast.get_docstring(tree) or "").partition("\n")[0]
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self._hear(node.targets[0].id, node.value)

    def _hear(self, name: str, value: ast.expr) -> None:
        if name == "__version__":
            self.version = str(_plain(value) or "")
        elif name == "plugin" and isinstance(value, ast.Call):
            said = {word.arg: _plain(word.value) for word in value.keywords}
            needs = said.get("needs")
            # Whatever else stands there is refused by the card.
            self.needs = tuple(map(str, needs)) if isinstance(needs, list | tuple) else ()
            self.summary = str(said.get("about") or self.summary)


def _plain(value: ast.expr) -> Any:
    try:
        return ast.literal_eval(value)
    except ValueError:
        return None
