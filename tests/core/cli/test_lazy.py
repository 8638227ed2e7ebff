"""What needs no deployment imports nothing slow, and no plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SLOW = ("sqlalchemy", "pydantic", "babel", "alembic", "uvicorn", "starlette", "phonenumbers")
PROBE = """
import sys
from clientela.cli import root
try:
    root.main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("modules:", *sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "--version",
        "plugin list",
        "plugin --help",
        "plugin doctor",
        "plugin why contacts",
        "plugin info contacts",
        "completion bash",
        "completion zsh",
        "completion fish",
        "help filters",
        "help",
        "nonsense",
    ],
)
def test_a_light_command_imports_neither_a_plugin_nor_what_is_slow(
    words: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words.split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    modules = set(done.stderr.rpartition("modules:")[2].split())

    assert done.returncode == (2 if words == "nonsense" else 0), done.stderr
    assert modules.isdisjoint(SLOW)
    assert not {name for name in modules if name.startswith("clientela_")}


def test_a_plugin_that_cannot_be_imported_is_listed_all_the_same(tmp_path: Path) -> None:
    info = tmp_path / "clientela_broken-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: clientela-broken\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[clientela.plugins]\nbroken = no_such_module:plugin\n")
    command = [sys.executable, "-m", "clientela"]
    env = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    listed = subprocess.run(
        [*command, "plugin", "list", "-o", "json"],
        capture_output=True,
        text=True,
        env=env,
        cwd=tmp_path,
        check=False,
    )
    (tmp_path / "clientela.toml").write_text("")
    refused = subprocess.run(
        [*command, "core", "customer", "list"],
        capture_output=True,
        text=True,
        env=env,
        cwd=tmp_path,
        check=False,
    )

    assert '"name": "broken", "distribution": "clientela-broken", "version": "1.2"' in listed.stdout
    # The core starts without it, and misses its tables.
    assert refused.returncode == 3
    assert "clientela db migrate" in refused.stderr


def test_ctrl_c_in_the_middle_ends_with_130(tmp_path: Path) -> None:
    probe = (
        "import clientela.cli as c\nfrom clientela.cli.commands import plugins\n"
        "def stop(_folder): raise KeyboardInterrupt\nplugins.Standing = stop\nc.root.main(['plugin', 'list'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, cwd=tmp_path, check=False
    )

    assert done.returncode == 130
    assert "Interrupted." in done.stderr
    assert "Traceback" not in done.stderr
