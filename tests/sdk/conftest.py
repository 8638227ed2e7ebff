"""Plugins that the scaffold writes, installed by their metadata in a folder of the test's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clientela_sdk import scaffold

# What a test does to one file of a plugin: the file, what stands there, and what shall.
Change = tuple[str, str, str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Write a plugin, change it, and install it; give its folder."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(plugin: str, *changes: Change, **answers: Any) -> Path:
        names = scaffold.name(plugin, **answers)
        scaffold.write(names, tmp_path)
        folder = tmp_path / plugin
        for file, old, new in changes:
            path = folder / f"clientela_{plugin}" / file
            before = path.read_text("utf-8")
            assert old in before, f"{old!r} is not in {file}"
            path.write_text(before.replace(old, new), "utf-8")
        info = site / f"clientela_{plugin}-0.1.0.dist-info"
        info.mkdir()
        head = f"Metadata-Version: 2.1\nName: clientela-{plugin}\nVersion: 0.1.0\n"
        (info / "METADATA").write_text(f"{head}Requires-Dist: clientela-sdk\n")
        point = f"[clientela.plugins]\n{plugin} = clientela_{plugin}:plugin\n"
        (info / "entry_points.txt").write_text(point)
        monkeypatch.syspath_prepend(folder)
        return folder

    before = set(sys.modules)
    yield install
    for module in set(sys.modules) - before:
        del sys.modules[module]
