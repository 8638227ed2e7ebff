"""A deployment in a folder, and a command line to talk to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clientela.access.seed import seed_roles
from clientela.app import App
from clientela.cli import root
from clientela.settings import load_settings
from clientela.storage import migrations


class Cli:
    """`cli("core", "customer", "list")` in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, code: int = 0, stdin: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(root, ["-C", str(self.folder), *words], input=stdin)
        assert result.exit_code == code, f"{result.exit_code}: {result.output} {result.exception!r}"
        return result

    def json(self, *words: str, **how: Any) -> Any:
        """Give the result of a command as JSON."""
        return json.loads(self(*words, "-o", "json", **how).stdout)

    def customer(self, *words: str) -> str:
        """Create a customer and give its id."""
        return self("core", "customer", "create", *words, "-o", "id").stdout.strip()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate once; each test gets a copy of the file."""
    folder = tmp_path_factory.mktemp("cli")
    # The core alone: these tests are about no plugin.
    settings = (
        'name = "Test"\ntime_zone = "Europe/Moscow"\ncountry = "RU"\ndisabled = ["contacts"]\n'
    )
    (folder / "clientela.toml").write_text(settings, "utf-8")
    app = App(settings=load_settings(folder))
    migrations.upgrade(app)
    seed_roles(app)
    app.close()
    return folder


@pytest.fixture
def cli(template: Path, tmp_path: Path) -> Cli:
    """Give a fresh deployment with the seeded roles and nothing else."""
    return Cli(Path(shutil.copytree(template, tmp_path / "deployment")))


@pytest.fixture
def app(cli: Cli) -> Iterator[App]:
    """Give the app of the same deployment."""
    made = App(settings=load_settings(cli.folder))
    yield made
    made.close()
