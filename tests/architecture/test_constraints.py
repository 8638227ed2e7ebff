"""constraints.txt keeps up with the dependencies that the packages ask for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8")
PROJECTS = ["", "core/", "sdk/", *(f"{path.relative_to(ROOT)}/" for path in ROOT.glob("plugins/*"))]


def requirements(file: Path) -> list[Requirement]:
    """Give all that one pyproject.toml asks for, in whatever group, without our own packages."""
    data = tomllib.loads(file.read_text("utf-8"))
    groups = [
        data["project"].get("dependencies", []),
        *data["project"].get("optional-dependencies", {}).values(),
        *data.get("dependency-groups", {}).values(),
    ]
    wanted = [Requirement(line) for group in groups for line in group if isinstance(line, str)]
    return [one for one in wanted if not one.name.startswith("clientela")]


@pytest.mark.parametrize("project", PROJECTS)
def test_every_dependency_is_pinned_within_its_range(project: str) -> None:
    """When this fails, `make constraints` writes the file anew."""
    pinned = dict(re.findall(r"^([\w.-]+)==([\w.!+-]+)", CONSTRAINTS, re.MULTILINE))

    for wanted in requirements(ROOT / project / "pyproject.toml"):
        assert wanted.specifier.contains(pinned.get(canonicalize_name(wanted.name), "")), wanted


def test_no_address_is_written_down() -> None:
    """A lock file would name the servers that somebody happened to download from."""
    assert "uv.lock" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert "://" not in CONSTRAINTS
    assert "--hash=sha256:" in CONSTRAINTS
