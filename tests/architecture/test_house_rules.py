"""House rules that ruff cannot know, each a small function over the syntax tree.

A rule gives the lines that break it. Every rule is tried on planted snippets first, and then on the house.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNEL = ROOT / "core/clientela"
FACES = (
    "rest", "cli", "cli/commands", "archive", "demo",
    "exchange", "exchange/cards", "exchange/outputs", "exchange/sources", "exchange/vcards",
)  # fmt: skip
# What stands on the kernel and could be missing: each has its own tables or its own commands (decision 0025).
SERVICES = ("custom", "customizing", "files", "plugins/life", "search", "views")
# The pure rooms: what values are and how they are written, without a database, a transaction or a person.
VOCABULARY = ("values", "normalize", "kinds", "filters", "i18n")
KERNEL_BUDGET = 8_000
VOCABULARY_BUDGET = 4_000
FACE_BUDGET = 2_500
SERVICE_BUDGET = 1_000

Rule = Callable[[ast.Module], Iterator[int]]


def sources() -> list[Path]:
    """Give every Python file that is shipped."""
    return sorted(
        path
        for pattern in ("core/clientela", "sdk/clientela_sdk", "plugins/*/clientela_*")
        for package in ROOT.glob(pattern)
        for path in package.rglob("*.py")
    )


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def last_name(node: ast.expr) -> str:
    """Give `c` of `a.b.c`, `a` of `a`, and nothing of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def commits(tree: ast.Module) -> Iterator[int]:
    """Nobody but the rim commits."""
    for call in calls(tree):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit":
            yield call.lineno


def naive_moments(tree: ast.Module) -> Iterator[int]:
    """Every moment knows its zone."""
    for call in calls(tree):
        function = call.func
        if not isinstance(function, ast.Attribute) or last_name(function.value) != "datetime":
            continue
        naive_now = function.attr in {"now", "today"} and not (call.args or call.keywords)
        if naive_now or function.attr in {"utcnow", "utcfromtimestamp"}:
            yield call.lineno


def sql_built_from_strings(tree: ast.Module) -> Iterator[int]:
    """Values travel as parameters, identifiers through declared maps."""
    for call in calls(tree):
        statement = call.args[:1] if last_name(call.func) in {"text", "exec_driver_sql"} else []
        if any(is_built(node) for argument in statement for node in ast.walk(argument)):
            yield call.lineno


def is_built(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr in {"format", "format_map"}
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mod | ast.Add)
    return isinstance(node, ast.FormattedValue)


def sleeps(tree: ast.Module) -> Iterator[int]:
    """Wait for something: an event, a lock, a due time in the database."""
    for call in calls(tree):
        function = call.func
        if not isinstance(function, ast.Attribute):
            continue
        if (last_name(function.value), function.attr) == ("time", "sleep"):
            yield call.lineno
    yield from (line for line, name in imported_names(tree) if name == "time.sleep")


def imports_of_requests(tree: ast.Module) -> Iterator[int]:
    """What goes out goes through `ctx.http`."""
    yield from (line for line, name in imported_names(tree) if name.split(".")[0] == "requests")


def imported_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Give line and full name of everything that is imported from another package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


BREAKING = [
    (commits, "session.commit()"),
    (commits, "with engine.connect() as c:\n    c.commit()"),
    (naive_moments, "datetime.now()"),
    (naive_moments, "datetime.datetime.now()"),
    (naive_moments, "datetime.today()"),
    (naive_moments, "datetime.utcnow()"),
    (naive_moments, "datetime.utcfromtimestamp(0)"),
    (sql_built_from_strings, "text(f'select {column}')"),
    (sql_built_from_strings, "sa.text('select ' 'x' f' from {table}')"),
    (sql_built_from_strings, "text('select {}'.format(column))"),
    (sql_built_from_strings, "text('select %s' % column)"),
    (sql_built_from_strings, "text('select ' + column)"),
    (sql_built_from_strings, "connection.exec_driver_sql(f'pragma {name}')"),
    (sql_built_from_strings, "text(dedent(f'select {column}'))"),
    (sleeps, "time.sleep(1)"),
    (sleeps, "from time import monotonic, sleep"),
    (imports_of_requests, "import requests"),
    (imports_of_requests, "import os, requests.adapters"),
    (imports_of_requests, "from requests import get"),
    (imports_of_requests, "def late():\n    import requests"),
]
KEEPING = [
    (commits, "session.flush()\ncommit(session)\nsession.committed"),
    (naive_moments, "datetime.now(UTC)\ndatetime.now(tz=zone)\nclock.now()"),
    (sql_built_from_strings, "text('select :name')\ntext(max_length=200)\nprint(f'{x}')"),
    (sql_built_from_strings, "text(STATEMENT)\nconnection.exec_driver_sql('pragma user_version')"),
    (sleeps, "event.wait(1)\nfrom time import monotonic\njob.sleep(3)"),
    (imports_of_requests, "import requests_of_customers\nfrom . import requests"),
]


def label(case: object) -> str | None:
    return getattr(case, "__name__", None)


@pytest.mark.parametrize(("rule", "snippet"), BREAKING, ids=label)
def test_a_rule_notices(rule: Rule, snippet: str) -> None:
    assert list(rule(ast.parse(snippet)))


@pytest.mark.parametrize(("rule", "snippet"), KEEPING, ids=label)
def test_a_rule_leaves_good_lines_alone(rule: Rule, snippet: str) -> None:
    assert not list(rule(ast.parse(snippet)))


# Who may do it all the same, as files or folders, each with its reason.
EXEMPT: dict[Rule, list[Path]] = {
    commits: [KERNEL / "app.py", KERNEL / "storage"],  # the rim
    sleeps: [
        KERNEL / "app.py"
    ],  # a deadlocked unit of work waits a random moment before it is tried again
}


def exempt(rule: Rule, path: Path) -> bool:
    return any(one in (path, *path.parents) for one in EXEMPT.get(rule, []))


@pytest.mark.parametrize(
    "rule", [commits, naive_moments, sql_built_from_strings, sleeps, imports_of_requests], ids=label
)
def test_the_house_keeps_the_rule(rule: Rule) -> None:
    broken = [
        f"{path.relative_to(ROOT)}:{line}: {rule.__doc__}"
        for path in sources()
        if not exempt(rule, path)
        for line in rule(ast.parse(path.read_text("utf-8")))
    ]

    assert not broken


def statements(source: str) -> int:
    """Count the statements of a file, without docstrings: what a reader has to understand.

    >>> statements("# why\\nx = 1\\ny = [\\n  1,\\n]\\n")
    2
    """
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = sum(
        isinstance(node, documented) and ast.get_docstring(node) is not None
        for node in ast.walk(ast.parse(source))
    )
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sum(token.type == tokenize.NEWLINE for token in tokens) - docstrings


def test_statements_are_counted_as_a_reader_would() -> None:
    assert statements("") == 0
    assert statements("# why\n\nx = 1  # so\n") == 1
    assert statements('"""First.\n\n# Not a comment.\n"""\n') == 0
    assert statements("if x:\n    y = [\n        1,\n        # two\n        3,\n    ]\n") == 2


def count(paths: Iterable[Path]) -> int:
    return sum(
        statements(path.read_text("utf-8"))
        for path in paths
        if "migrations/versions" not in path.as_posix()
    )


@pytest.mark.parametrize("face", FACES)
def test_a_face_stays_small(face: str) -> None:
    """Whoever reaches the budget becomes a distribution of its own (decision 0014)."""
    inner = [KERNEL / other for other in FACES if other.startswith(f"{face}/")]
    paths = [p for p in (KERNEL / face).rglob("*.py") if not any(map(p.is_relative_to, inner))]
    assert count(paths) <= FACE_BUDGET


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_stays_small(service: str) -> None:
    """Whoever reaches the budget becomes a distribution of its own (decision 0025)."""
    assert count((KERNEL / service).rglob("*.py")) <= SERVICE_BUDGET


def test_the_vocabulary_stays_small() -> None:
    """A value that only one module knows belongs to that module's plugin."""
    rooms = [path for room in VOCABULARY for path in (KERNEL / room).rglob("*.py")]

    assert count(rooms) <= VOCABULARY_BUDGET


def test_the_kernel_stays_small() -> None:
    """Whoever reaches the budget moves something into a plugin, or asks whether it is needed at all."""
    others = [KERNEL / room for room in (*FACES, *SERVICES, *VOCABULARY)]
    own = [path for path in KERNEL.rglob("*.py") if not any(o in path.parents for o in others)]

    assert count(own) <= KERNEL_BUDGET
