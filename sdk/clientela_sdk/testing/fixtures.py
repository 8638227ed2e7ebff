"""The fixtures. Each may be overridden by one of the same name, as pytest has it.

`plugins`, `settings` and `recipes` are there to be overridden; the others build on them:

    @pytest.fixture
    def plugins():
        return [visits.plugin]

    def test_a_visit_is_told_to_whoever_listens(app, make, outbox):
        make(Visit, on=date(2026, 6, 1))
        assert outbox.deliver() == 1

A test that asks for `ctx` works inside one transaction, and `make` and `facts` join it; it is rolled back at the end.
A test that goes through a face (`client`, `cli`) or delivers facts (`outbox`) asks for no `ctx`, because it must see
what was committed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from clientela.access.entities import Role, Token, User
from clientela.access.principal import SYSTEM, Principal, RoleRules
from clientela.access.tokens import SHOWN, digest, new_token
from clientela.app import App
from clientela.context import Context
from clientela.plugins.card import Plugin
from clientela.plugins.loading import installed_cards
from clientela.settings import Settings
from clientela_sdk.testing.clock import HeldClock
from clientela_sdk.testing.databases import (
    Databases,
    PostgresDatabases,
    SqliteDatabases,
    opened,
)
from clientela_sdk.testing.factory import CORE_RECIPES, Make, Recipes
from clientela_sdk.testing.postgres import postgres_url, why_no_postgres
from clientela_sdk.testing.told import Facts, Post

if TYPE_CHECKING:
    from starlette.testclient import TestClient

# What a test must not ask for together with `ctx`, whose transaction nobody else can see into.
OUTSIDE = ("client", "cli", "outbox", "token")


# the deployment -------------------------------------------------------------------------------------------------------


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    """Give the cards of the app under test: the installed ones, unless a test module says otherwise.

    @pytest.fixture
    def plugins():
        return [visits.plugin]
    """
    return installed_cards()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Give the settings of the app under test; what it keeps beside the database is in a folder of the test's own."""
    return Settings(pool_size=4, folder=tmp_path)


@pytest.fixture
def clock() -> HeldClock:
    """Give the app's clock, which stands still: `clock.at(moment)`, `clock.forward(days=1)`."""
    return HeldClock()


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SqliteDatabases:
    """Give the folder of this session's SQLite files."""
    return SqliteDatabases(tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[PostgresDatabases]:
    """Give the PostgreSQL server of this session; without one its tests are skipped, and say why."""
    server = postgres_url()
    if server is None:
        pytest.skip(why_no_postgres() or "no PostgreSQL")
    databases = PostgresDatabases(server)
    yield databases
    databases.drop_templates()


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, plugins: Sequence[Plugin]) -> Iterator[str]:
    """Give the address of a database of the test's own; every test runs once on each kind.

    Say `@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)` where one is enough.
    """
    kind = "sqlite_databases" if request.param == "sqlite" else "postgres_databases"
    databases: Databases = request.getfixturevalue(kind)
    yield from databases.fresh(plugins)


@pytest.fixture
def app(
    db_url: str, plugins: Sequence[Plugin], settings: Settings, clock: HeldClock
) -> Iterator[App]:
    """Give an app over a fresh database, with all tables.

    def test_an_app_knows_its_plugins(app):
        assert "contacts" in app.registry.plugins
    """
    with opened(App(db_url, plugins=plugins, settings=settings, clock=clock)) as made:
        yield made


# working inside one transaction ---------------------------------------------------------------------------------------


@pytest.fixture
def ctx(request: pytest.FixtureRequest, app: App) -> Iterator[Context]:
    """Give a context that may write, as the system; rolled back when the test ends.

    def test_a_name_is_needed(ctx):
        with pytest.raises(Invalid):
            ctx.add(Customer())
            ctx.flush()
    """
    outside = [name for name in OUTSIDE if name in request.fixturenames]
    if outside:
        pytest.fail(
            f"{request.node.name} asks for ctx and {outside[0]}: a face does not see an open transaction. "
            "Leave ctx out, and write with make or app.perform."
        )
    with app.db.write() as connection:
        made = Context(app, SYSTEM, connection, face="test", writing=True)
        yield made
        made.session.close()
        transaction = connection.get_transaction()
        if transaction is not None:
            transaction.rollback()


def _own_context(request: pytest.FixtureRequest) -> Context | None:
    """Give the test's own transaction, if it asked for one."""
    return request.getfixturevalue("ctx") if "ctx" in request.fixturenames else None


@pytest.fixture
def recipes() -> Recipes:
    """Say what `make` takes where no sample would do; extend it where a record has rules of its own.

    @pytest.fixture
    def recipes(recipes):
        return recipes | {Visit: {"on": date(2026, 6, 1), "customer_id": lambda make: make(Customer)}}
    """
    return CORE_RECIPES


@pytest.fixture
def make(request: pytest.FixtureRequest, app: App, recipes: Recipes) -> Make:
    """Make valid records, in the transaction of `ctx` if the test has one, else committed one by one.

    def test_an_address_belongs_to_somebody(make):
        anna = make(Customer, name="Anna")
        assert make(Address, customer_id=anna).customer_id == anna.id
    """
    return Make(app, recipes, _own_context(request))


@pytest.fixture
def facts(request: pytest.FixtureRequest, app: App) -> Facts:
    """Give the facts told so far: `facts()` are all of them, `facts(EmploymentEnded)` those of one class."""
    return Facts(app, _own_context(request))


# somebody who acts ----------------------------------------------------------------------------------------------------


@pytest.fixture
def as_role() -> Callable[..., Principal]:
    """Give somebody with permissions, and with the rows and field classes of a role.

    def test_a_reader_reads(app, as_role):
        reader = as_role("core.customer.read", scopes={"core.customer": 'country = "RU"'})
        with app.acting_as(reader, face="test", writing=False) as ctx:
            ...
    """

    def give(
        *permissions: str,
        scopes: Mapping[str, str] | None = None,
        hidden_classes: Sequence[str] = (),
    ) -> Principal:
        rules = RoleRules("test", permissions, dict(scopes or {}), frozenset(hidden_classes))
        return Principal(kind="user", id="tester", name="the tester", roles=(rules,))

    return give


@pytest.fixture
def as_user(make: Make, as_role: Callable[..., Principal]) -> Callable[..., Principal]:
    """Give a user who is in the database and so may own records, with permissions as `as_role` has them.

    def test_who_creates_a_group_owns_it(app, as_user):
        anna = as_user("contacts.*", name="Anna")
    """

    def give(
        *permissions: str,
        scopes: Mapping[str, str] | None = None,
        hidden_classes: Sequence[str] = (),
        **fields: Any,
    ) -> Principal:
        user = make(User, **fields)
        role = as_role(*permissions, scopes=scopes, hidden_classes=hidden_classes)
        return Principal(
            kind="user", id=user.public_id, name=user.name, roles=role.roles,
            user=user.id, language=user.language,
        )  # fmt: skip

    return give


@pytest.fixture
def token(make: Make) -> Callable[..., str]:
    """Issue a token for a program with these permissions, for a request of one's own.

    def test_a_stranger_sees_nothing(client, token):
        stranger = {"Authorization": f"Bearer {token('knowledge.*')}"}
        assert client.get("/api/v1/core/customers", headers=stranger).status_code == 403
    """

    def issue(
        *permissions: str,
        scopes: Mapping[str, str] | None = None,
        hidden_classes: Sequence[str] = (),
    ) -> str:
        role = make(
            Role, permissions=list(permissions), scopes=dict(scopes or {}),
            hidden_classes=list(hidden_classes),
        )  # fmt: skip
        return _issue(make, role.name)

    return issue


def _issue(make: Make, *roles: str) -> str:
    secret = new_token()
    make(Token, start=secret[:SHOWN], digest=digest(secret), roles=list(roles))
    return secret


# from outside ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def outbox(app: App) -> Post:
    """Deliver what was told: `outbox.deliver()` gives how many subscribers heard something."""
    return Post(app)


@pytest.fixture
def client(app: App, make: Make) -> Iterator[TestClient]:
    """Give an HTTP client with the token of an administrator.

    def test_a_customer_is_shown(client, make):
        anna = make(Customer, name="Anna")
        assert client.get(f"/api/v1/core/customers/{anna.public_id}").json()["name"] == "Anna"
    """
    from starlette.testclient import TestClient  # noqa: PLC0415 - few tests need HTTP

    from clientela.rest.asgi import create_asgi  # noqa: PLC0415 - the same

    headers = {"Authorization": f"Bearer {_issue(make, 'administrator')}"}
    with TestClient(create_asgi(app), headers=headers) as made:
        yield made


@pytest.fixture
def cli(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `clientela` on the app, in an empty folder; keywords are those of click's `CliRunner.invoke`.

    def test_a_customer_is_listed(cli, make):
        make(Customer, name="Anna")
        assert "Anna" in cli("core", "customer", "list").stdout
    """
    from clientela.cli import root  # noqa: PLC0415 - few tests need the command line
    from clientela.cli.desk import Desk  # noqa: PLC0415 - the same

    monkeypatch.setenv("CLIENTELA_DATABASE", app.db.url.render_as_string(hide_password=False))
    monkeypatch.chdir(tmp_path)

    def run(*words: str, **options: Any) -> Result:
        return CliRunner().invoke(root, words, obj=Desk(given_app=app), **options)

    return run
