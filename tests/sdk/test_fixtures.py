"""The test kit keeps what its fixtures promise, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result
from starlette.testclient import TestClient

from clientela.access.principal import SYSTEM
from clientela.query import Question, list_page
from clientela_sdk import (
    Address,
    App,
    Consent,
    Context,
    Customer,
    Decision,
    Forbidden,
    Identifier,
    Interaction,
    Invalid,
    Principal,
    RecordCreated,
    Role,
    Token,
    User,
)
from clientela_sdk.testing.clock import HeldClock
from clientela_sdk.testing.factory import Make, Recipes
from clientela_sdk.testing.postgres import postgres_url
from clientela_sdk.testing.told import Facts, Post


def test_a_database_is_fresh_and_has_the_tables(app: App) -> None:
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        assert ctx.find(Customer, "cus_01JD0000000000000000000000") is None


@pytest.mark.parametrize("time", ["first", "second"])
def test_what_one_test_writes_the_next_does_not_see(app: App, make: Make, time: str) -> None:
    make(Customer, name="Anna")

    with app.db.read() as connection:
        assert len(connection.execute(Customer.info.table.select()).all()) == 1


def test_make_fills_in_what_the_test_does_not_care_about(ctx: Context, make: Make) -> None:
    anna = make(Customer, name="Anna", email="ANNA@Example.com")

    assert anna.name == "Anna"
    assert anna.email == "anna@example.com"
    assert ctx.get(Customer, anna.public_id) is anna


@pytest.mark.parametrize(
    "entity", [Customer, Identifier, Address, Consent, Interaction, Decision, User, Role, Token]
)
def test_make_knows_every_entity_of_the_core(make: Make, entity: type[Customer]) -> None:
    """The record that a reference needs is made too, and no two are in each other's way."""
    made = [make(entity) for _ in range(5)]

    assert len({record.id for record in made}) == 5
    assert all(record.rev == 1 for record in made)


def test_make_takes_a_record_where_an_id_is_meant(make: Make) -> None:
    anna = make(Customer, name="Anna")

    assert make(Address, customer_id=anna).customer_id == anna.id


def test_make_names_the_field_that_was_meant(make: Make) -> None:
    with pytest.raises(TypeError, match="Did you mean 'name'"):
        make(Customer, nmae="Anna")


def test_make_keeps_the_rules_of_a_record(make: Make) -> None:
    with pytest.raises(Invalid):
        make(Customer, name="")


def test_two_runs_make_up_the_same(app: App, recipes: Recipes) -> None:
    first, second = (Make(app, recipes)(Customer).name for _ in range(2))

    assert first == second


def test_the_clock_stands_still_until_it_is_moved(app: App, clock: HeldClock, make: Make) -> None:
    clock.at(datetime(2026, 1, 31, 23, 0, tzinfo=UTC))
    before = make(Customer)
    clock.forward(hours=2)
    after = make(Customer)

    assert after.created_at - before.created_at == timedelta(hours=2)
    with pytest.raises(ValueError, match="time zone"):
        clock.at(datetime(2026, 1, 31))  # noqa: DTZ001 - that is the point


def test_a_role_may_do_what_it_says(
    app: App, make: Make, as_role: Callable[..., Principal]
) -> None:
    make(Customer, name="Anna", country="RU")
    make(Customer, name="Bob", country="US")
    reader = as_role("core.customer.read", scopes={"core.customer": 'country = "RU"'})

    with app.acting_as(reader, face="test") as ctx:
        assert [row["name"] for row in list_page(ctx, Customer.info, Question()).rows] == ["Anna"]
        with pytest.raises(Forbidden):
            ctx.require("core.customer.update")


def test_a_user_owns_what_they_create(app: App, as_user: Callable[..., Principal]) -> None:
    olga = as_user("core.customer.*", name="Olga", language="ru")
    create = app.registry.action("core.customer.create")

    with app.acting_as(olga, face="test") as ctx:
        made = ctx.run(create, data={"name": "Roof & Sons"})

    assert made.owner_id == olga.user
    assert made.created_by == olga.id
    assert olga.language == "ru"


def test_a_token_is_a_way_in(app: App, token: Callable[..., str]) -> None:
    principal = app.directory.by_token(token("core.customer.read"))

    assert principal.can("core.customer.read")
    assert not principal.can("core.customer.update")


def test_facts_are_seen_before_and_after_the_commit(ctx: Context, facts: Facts) -> None:
    anna = ctx.add(Customer(name="Anna"))

    assert facts(RecordCreated) == [RecordCreated(entity="core.customer", record=anna.public_id)]


def test_committed_facts_are_read_back(make: Make, facts: Facts) -> None:
    anna = make(Customer, name="Anna")

    assert facts() == [RecordCreated(entity="core.customer", record=anna.public_id)]


def test_the_outbox_has_nothing_for_nobody(make: Make, outbox: Post) -> None:
    make(Customer, name="Anna")

    assert outbox.owed() == []
    assert outbox.deliver() == 0


def test_the_client_is_an_administrator(client: TestClient, make: Make) -> None:
    anna = make(Customer, name="Anna")

    assert client.get(f"/api/v1/core/customers/{anna.public_id}").json()["name"] == "Anna"


def test_a_stranger_is_sent_away(client: TestClient, token: Callable[..., str]) -> None:
    stranger = {"Authorization": f"Bearer {token('contacts.*')}"}

    assert client.get("/api/v1/core/customers", headers=stranger).status_code == 403


def test_the_command_line_works_on_the_same_app(cli: Callable[..., Result], make: Make) -> None:
    make(Customer, name="Anna")

    assert "Anna" in cli("core", "customer", "list").stdout
    assert cli("core", "customer", "show", "cus_01JD0000000000000000000000").exit_code == 4


def test_ctx_and_a_face_do_not_mix(pytester: pytest.Pytester) -> None:
    """A face would not see the open transaction; on SQLite it would wait for it in vain."""
    pytester.makeconftest('pytest_plugins = ["clientela_sdk.testing.fixtures"]')
    pytester.makepyfile("def test_both(ctx, outbox): ...")

    result = pytester.runpytest("-k", "sqlite", "-p", "no:cacheprovider")

    result.assert_outcomes(errors=1, deselected=1)
    result.stdout.fnmatch_lines(["*asks for ctx and outbox*"])


def test_a_plugin_brings_its_own_card_and_recipes(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["clientela_sdk.testing.fixtures"]')
    pytester.makepyfile(
        """
        import pytest
        from clientela_sdk import Customer, Entity, Mapped, Plugin, ref, text
        from clientela_sdk.testing.factory import Make

        class Parcel(Entity, plugin="parcels", prefix="pcl"):
            customer_id: Mapped[str] = ref(Customer)
            label: Mapped[str] = text(unique=True)

        @pytest.fixture
        def plugins():
            return [Plugin(name="parcels", title="Parcels", entities=[Parcel])]

        @pytest.fixture
        def recipes(recipes):
            return recipes | {Parcel: {"customer_id": lambda make: make(Customer, name="Anna")}}

        def test_make(app, make):
            assert list(app.registry.plugins) == ["core", "parcels"]
            assert len({make(Parcel).label for _ in range(30)}) == 30

        def test_fresh(app):
            with app.db.read() as connection:
                assert connection.execute(Parcel.info.table.select()).all() == []
        """
    )

    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(
        passed=4 if postgres_url() else 2, skipped=0 if postgres_url() else 2
    )
