"""Filling the templates, and putting the files in their place all at once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from tempfile import mkdtemp

from clientela_sdk import Conflict, _
from clientela_sdk.scaffold.names import Names

# Templates end so, because what is no Python yet should not be taken for it.
ENDING = ".txt"
README = "README.md"


class PlaceTaken(Conflict):
    """Something is already where the plugin was to be written."""

    code = "place-taken"
    title = _("There is something already")

    def __init__(self, place: Path) -> None:
        super().__init__(
            _(
                "{place} is there already, and nothing was written; name another folder with --dir.",
                place=place,
            )
        )


def write(names: Names, folder: Path, language: str = "en") -> list[Path]:
    """Write a package into a folder of the plugin's name, and give its files; nothing is left of half a plugin."""
    place = folder / names.plugin
    _refuse_taken(place)
    folder.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f".{names.plugin}-", dir=folder))
    try:
        for inner, content in rendered(names, language).items():
            path = draft / inner
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        draft.chmod(0o755)  # mkdtemp makes folders that only their maker may enter
        draft.rename(place)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return sorted(path for path in place.rglob("*") if path.is_file())


def write_single_file(names: Names, folder: Path) -> list[Path]:
    """Write one file into the `plugins` folder of a deployment, and give it."""
    place = folder / f"{names.plugin}.py"
    _refuse_taken(place)
    _refuse_taken(folder / names.plugin)
    folder.mkdir(parents=True, exist_ok=True)
    template = _templates() / "single" / f"plugin.py{ENDING}"
    place.write_text(_filled(template, names.words()), encoding="utf-8")
    return [place]


def rendered(names: Names, language: str = "en") -> dict[str, str]:
    """Give the files of a package by their places in its folder."""
    words = names.words()
    made = {}
    for inner, template in _walk(_templates() / "package"):
        made[_place(inner, names.package)] = _filled(template, words)
    readme = made.pop("README.ru.md")
    if language == "ru":
        made[README] = readme
    return made | {f"{names.package}/py.typed": ""}


def _place(inner: str, package: str) -> str:
    """Say where a template belongs: beside the package, or in it."""
    is_outside = inner.startswith(("tests/", "README", "pyproject"))
    place = inner.replace("PACKAGE", package)
    return place if is_outside else f"{package}/{place}"


def _walk(folder: Traversable, inner: str = "") -> Iterator[tuple[str, Traversable]]:
    for one in sorted(folder.iterdir(), key=lambda each: each.name):
        if one.is_dir():
            yield from _walk(one, f"{inner}{one.name}/")
        elif one.name.endswith(ENDING):
            yield inner + one.name.removesuffix(ENDING), one


def _filled(template: Traversable, words: dict[str, str]) -> str:
    return Template(template.read_text(encoding="utf-8")).substitute(words)


def _templates() -> Traversable:
    return files("clientela_sdk.scaffold") / "templates"


def _refuse_taken(place: Path) -> None:
    # A link that leads nowhere is something too.
    if place.exists() or place.is_symlink():
        raise PlaceTaken(place)
