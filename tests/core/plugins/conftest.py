"""A deployment in a folder, with plugins that are written by the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from clientela.access.seed import seed_roles
from clientela.app import App
from clientela.cli import root
from clientela.plugins.fates import Fate
from clientela.plugins.loading import installed_cards
from clientela.settings import load_settings
from clientela.storage import migrations
from clientela_sdk.testing.postgres import (
    create_database,
    drop_database,
    postgres_url,
    why_no_postgres,
)

START = (
    "import json, sys; from pathlib import Path; from clientela.app import App; "
    "from clientela.settings import load_settings; "
    "print(json.dumps(App(settings=load_settings(Path(sys.argv[1]))).report.as_dict()))"
)
CARD = 'plugin = Plugin(name="{name}", title="{name}", migrations=False{more})\n'


class Shop:
    """The folder of a deployment."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self._head = f"database = {json.dumps(database)}\n" if database else ""
        self.say('disabled = ["contacts"]')

    def say(self, *lines: str) -> None:
        """Write `clientela.toml`."""
        text = self._head + "\n".join(lines) + "\n"
        (self.folder / "clientela.toml").write_text(text, "utf-8")

    def plugin(self, name: str, source: str = "", more: str = "") -> Path:
        """Write a single file; one with no source of its own is a card and nothing else."""
        (self.folder / "plugins").mkdir(exist_ok=True)
        path = self.folder / "plugins" / f"{name}.py"
        sys.modules.pop(f"clientela_{name}", None)
        head = "import sys\nfrom clientela_sdk import Plugin, hookimpl\n\n"
        path.write_text(head + dedent(source) + CARD.format(name=name, more=more), "utf-8")
        return path

    def broken(self, name: str, source: str) -> Path:
        """Write a single file as it is."""
        path = self.plugin(name)
        path.write_text(dedent(source), "utf-8")
        return path

    @contextmanager
    def open(self, *, safe: bool = False) -> Iterator[App]:
        """Start in this process."""
        app = App(settings=load_settings(self.folder, safe=safe))
        try:
            yield app
        finally:
            app.close()

    def fates(self, *, safe: bool = False) -> dict[str, Fate]:
        """Start in this process, and tell what became of each plugin."""
        with self.open(safe=safe) as app:
            return dict(app.report.plugins)

    def fate(self, name: str) -> tuple[str, str]:
        """Start in this process, and tell what became of one plugin."""
        fate = self.fates()[name]
        return fate.state, fate.reason

    def process(self, **env: str) -> subprocess.Popen[str]:
        """Start in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-c", START, str(self.folder)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PATH": "", "PYTHONDONTWRITEBYTECODE": "1", **env},
        )  # fmt: skip

    def cli(self, *words: str, code: int = 0) -> Result:
        """Run `clientela` in the folder."""
        result = CliRunner().invoke(root, ["-C", str(self.folder), *words])
        assert result.exit_code == code, f"{result.exit_code}: {result.output} {result.exception!r}"
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        """Give the result of a command as JSON."""
        return json.loads(self.cli(*words, "-o", "json", code=code).stdout)


@pytest.fixture
def plugins() -> list[Any]:
    """Give nothing: the databases of these tests hold the core's tables alone."""
    return []


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Give a deployment over a file that nobody has migrated."""
    return Shop(tmp_path, "")


@pytest.fixture
def open_shop(tmp_path: Path, db_url: str) -> Shop:
    """Give a deployment over a migrated database, once on each kind."""
    return Shop(tmp_path, db_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a database that was migrated as a deployment's is, with all installed plugins."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'migrated.sqlite3'}"
        migrate(url)
        yield url
        return
    server = postgres_url()
    if server is None:
        pytest.skip(why_no_postgres() or "no PostgreSQL")
    name = f"clientela_{uuid4().hex}"
    url = create_database(server, name)
    migrate(url)
    yield url
    drop_database(server, name)


@pytest.fixture
def migrated_shop(tmp_path: Path, migrated_url: str) -> Shop:
    """Give a deployment whose server may be sent requests."""
    return Shop(tmp_path, migrated_url)


def migrate(url: str) -> None:
    app = App(url, plugins=installed_cards())
    migrations.upgrade(app)
    seed_roles(app)
    app.close()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a distribution `clientela-NAME` by its metadata; its plugin is a module beside them."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def write(name: str, version: str, *requires: str, target: str = "", source: str = "") -> None:
        info = site / f"clientela_{name}-{version}.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
        head = f"Metadata-Version: 2.1\nName: clientela-{name}\nVersion: {version}\n"
        (info / "METADATA").write_text(head + needs)
        target = target or f"clientela_{name}:plugin"
        (info / "entry_points.txt").write_text(f"[clientela.plugins]\n{name} = {target}\n")
        card = source or f"from clientela_sdk import Plugin\n{CARD.format(name=name, more='')}"
        (site / f"clientela_{name}.py").write_text(card)

    return write
