"""What the scaffold writes runs, is clean, and passes its own tests; it cannot rot."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import clientela
import clientela_sdk
from clientela.cli import root
from clientela_sdk import scaffold
from clientela_sdk.scaffold.names import LONGEST, LONGEST_ENTITY

FOLDERS = [str(Path(one.__path__[0]).parent) for one in (clientela, clientela_sdk)]
LONG = "x" * LONGEST
LONG_CLASS = "X" + "x" * (LONGEST_ENTITY - 1)


def python(folder: Path, *words: str) -> str:
    """Run a tool in a plugin's folder, as its author would."""
    paths = os.pathsep.join([str(folder), *FOLDERS])
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": paths, "MYPYPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def new(*words: str, code: int | None = 0) -> str:
    done = CliRunner().invoke(root, ["plugin", "new", *words])
    assert done.exit_code == code or (code is None and done.exit_code in {2, 6}), done.output
    return done.output


def test_it_runs_its_own_tests(install) -> None:
    folder = install("site_visits", noun_ru="визит,визиты,визита,визитов")

    told = python(folder, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis")

    assert "failed" not in told
    assert " passed" in told


@pytest.mark.parametrize(
    ("plugin", "answers"),
    [
        ("visits", {}),
        ("equipment_checks", {"about": "What we look after, and when it was last checked", "prefix": "eqc"}),
        (LONG, {"entity": LONG_CLASS}),
        ("ox", {"entity": "Ox"}),
    ],
    ids=["short", "two words", "longest", "shortest"],
)  # fmt: skip
def test_whatever_its_name_it_is_clean(
    tmp_path: Path, plugin: str, answers: dict[str, Any]
) -> None:
    scaffold.write(scaffold.name(plugin, **answers), tmp_path)

    python(tmp_path / plugin, "ruff", "check", "--no-cache", ".")
    python(tmp_path / plugin, "ruff", "format", "--no-cache", "--check", ".")


def test_its_types_are_sound(tmp_path: Path) -> None:
    scaffold.write(scaffold.name("visits"), tmp_path)

    python(tmp_path / "visits", "mypy", "--cache-dir", str(tmp_path / "cache"), "clientela_visits")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["Visits"], "cannot be the name of a plugin"),
        (["2visits"], "cannot be the name of a plugin"),
        (["../visits"], "cannot be the name of a plugin"),
        (["visits_"], "cannot be the name of a plugin"),
        (["v" * 21], "at most 20 small letters"),
        (["contacts"], "A plugin contacts is installed already"),
        (["sdk"], "clientela_sdk can be imported already"),
        (["core"], "a command of Clientela itself"),
        (["search"], "a command of Clientela itself"),
        (["visits", "--entity", "visit"], "cannot be the name of an entity"),
        (["visits", "--entity", "Customer"], "Customer means something else"),
        (["visits", "--entity", "Class"], "Class means something else"),
        (["visits", "--prefix", "cus"], "Ids of the core begin with cus_ already"),
        (["visits", "--prefix", "V1"], "cannot begin ids"),
        (["visits", "--title", 'A "title"'], "--title is one line"),
        (["visits", "--about", "$plugin"], "--about is one line"),
        (["visits", "--about", "two\nlines"], "--about is one line"),
        (["visits", "--noun-ru", "визит"], "in four forms"),
    ],
)
def test_a_name_that_cannot_be_is_refused(tmp_path: Path, words: list[str], sentence: str) -> None:
    told = " ".join(new(*words, "--dir", str(tmp_path), code=None).split())

    assert sentence in told
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "visits" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")

    told = new("visits", "--dir", str(tmp_path), code=6)

    assert "is there already, and nothing was written" in " ".join(told.split())
    assert [path.name for path in tmp_path.rglob("*")] == ["visits", "mine.txt"]


def test_half_a_plugin_is_not_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: object, **_how: object) -> None:
        raise OSError(28, "No space left on device")

    names = scaffold.name("visits")
    monkeypatch.setattr(Path, "write_text", full)

    with pytest.raises(OSError, match="No space"):
        scaffold.write(names, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_its_readme_is_in_the_language_of_the_author(tmp_path: Path) -> None:
    new("visits", "--dir", str(tmp_path), "--lang", "ru")

    assert "## Попробовать" in (tmp_path / "visits/README.md").read_text("utf-8")
    assert not (tmp_path / "visits/README.ru.md").exists()


def test_a_single_file_is_a_plugin_of_its_deployment(tmp_path: Path) -> None:
    runner = CliRunner()
    folder = ["-C", str(tmp_path)]
    runner.invoke(root, ["init", str(tmp_path)])
    new("last_words", "--single-file", *folder)

    listed = runner.invoke(root, ["plugin", "list", *folder]).stdout
    checked = runner.invoke(root, ["plugin", "check", "last_words", "--level", "bronze", *folder])

    sys.modules.pop("clientela_last_words", None)
    assert "Last words of customers." in listed
    assert checked.exit_code == 0, checked.output
    again = new("last_words", "--single-file", *folder, code=6)
    assert "installed already" in " ".join(again.split())
