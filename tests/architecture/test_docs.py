"""What is written down leads somewhere and keeps its form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "core/*.md", "sdk/*.md", "plugins/*/*.md", "bench/*.md")
    for path in ROOT.glob(pattern)
)
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
HEADINGS = ["Context", "Decision", "Consequences", "Alternatives", "The check"]


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(path: Path) -> str:
    """Give the page without its code, in which brackets mean something else."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=short)
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\[[^]]*]\(([^)\s#]+)(?:#[^)]*)?\)", prose(page))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]

    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", DECISIONS, ids=short)
def test_a_decision_has_its_five_headings_and_a_short_context(page: Path) -> None:
    text = page.read_text("utf-8")
    number = page.name[:4]
    context = re.search(r"## Context\n(.*?)\n## ", text, re.DOTALL)

    assert text.startswith(f"# {number} ")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == HEADINGS
    assert context
    assert len(re.findall(r"[.?!](?=\s|$)", context[1])) <= 4


def test_decisions_are_numbered_without_gaps_and_all_on_the_map() -> None:
    listed = re.findall(r"decisions/(\d{4})-", (ROOT / "docs/README.md").read_text("utf-8"))

    assert [page.name[:4] for page in DECISIONS] == [
        f"{n:04}" for n in range(1, len(DECISIONS) + 1)
    ]
    assert listed == [page.name[:4] for page in DECISIONS]


def test_the_readme_is_one_screen() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()

    assert len(lines) < 60
    for command in ("uv run clientela demo", "uv run pytest"):
        assert any(command in line for line in lines[:25])
