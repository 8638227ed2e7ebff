"""A guard that is missing closes what it guarded, until somebody removes it on purpose."""

from __future__ import annotations

import pytest

from clientela.access.principal import Principal, RoleRules
from clientela.app import App
from clientela.customers.entities import Customer
from clientela.errors import Conflict, Unavailable
from clientela.plugins.guarding import NOTE, forget_guard
from clientela.query import Question, list_page
from clientela.storage.meta import recall

WATCHES = """
from clientela_sdk import Conflict

@hookimpl
def record_saving(ctx, record, before, created):
    if record.info.name == "core.customer" and record.name == "Nobody":
        raise Conflict("Nobody is no customer.")

"""
HIDES = """
@hookimpl
def row_scope(ctx, entity, table, verb):
    return table.c.name != "Hidden" if entity.name == "core.customer" else None

@hookimpl
def action_running(ctx, action, record, data):
    pass

"""
GUARDS = ', hooks=[sys.modules[__name__]], guards=["core.customer"]'
EVERYTHING = Principal("user", "tester", "the tester", (RoleRules("r", ("*",), {}, frozenset()),))


def add_customer(app: App, name: str) -> None:
    with app.acting_as(EVERYTHING, face="test") as ctx:
        ctx.add(Customer(name=name, kind="person"))


def customers(app: App) -> list[object]:
    with app.acting_as(EVERYTHING, face="test", writing=False) as ctx:
        return [row["name"] for row in list_page(ctx, Customer.info, Question()).rows]


def test_a_guard_that_is_there_does_its_work(open_shop) -> None:
    open_shop.plugin("gsave", WATCHES, GUARDS)

    with open_shop.open() as app:
        add_customer(app, "Ann")
        with pytest.raises(Conflict, match="Nobody is no customer"):
            add_customer(app, "Nobody")


@pytest.mark.parametrize("how", ["gone", "broken", "disabled"])
def test_what_it_guarded_is_closed_when_it_is_missing(open_shop, how: str) -> None:
    path = open_shop.plugin("gsave", WATCHES, GUARDS)
    with open_shop.open() as app:
        add_customer(app, "Ann")
    if how == "gone":
        path.unlink()
    elif how == "broken":
        open_shop.broken("gsave", "1 / 0\n")
    else:
        open_shop.cli("plugin", "disable", "gsave")

    with open_shop.open() as app:
        with pytest.raises(Unavailable) as refused:
            add_customer(app, "Bob")
        assert customers(app) == ["Ann"]
        with app.acting_as(EVERYTHING, face="test") as ctx:
            ctx.add(ctx.app.registry.entity("core.role").cls(name="readers"))

    assert refused.value.code == "guard-missing"
    assert "the plugin gsave, which guards it, is missing" in refused.value.detail
    assert any("clientela plugin remove gsave" in note for note in app.notes)


def test_rows_and_actions_are_closed_too(open_shop) -> None:
    path = open_shop.plugin("ghide", HIDES, GUARDS)
    with open_shop.open() as app:
        add_customer(app, "Ann")
        add_customer(app, "Hidden")
        assert customers(app) == ["Ann"]
    path.unlink()

    with open_shop.open() as app:
        with pytest.raises(Unavailable, match="ghide"):
            customers(app)
        create = app.registry.action("core.customer.create")
        with (
            pytest.raises(Unavailable, match="ghide"),
            app.acting_as(EVERYTHING, face="test") as ctx,
        ):
            ctx.run(create, data={"name": "Bob", "kind": "person"})


def test_one_that_was_removed_on_purpose_closes_nothing(open_shop) -> None:
    path = open_shop.plugin("gsave", WATCHES, GUARDS)
    with open_shop.open() as app:
        add_customer(app, "Ann")
    path.unlink()
    with open_shop.open() as app, app.db.write() as connection:
        forget_guard(connection, "gsave")

    with open_shop.open() as app:
        add_customer(app, "Bob")


def test_one_that_comes_back_opens_again(open_shop) -> None:
    open_shop.plugin("gsave", WATCHES, GUARDS)
    with open_shop.open() as app:
        add_customer(app, "Ann")
    open_shop.cli("plugin", "disable", "gsave")
    open_shop.cli("plugin", "enable", "gsave")

    with open_shop.open() as app:
        add_customer(app, "Bob")


def test_a_new_version_without_guards_takes_its_note_away(open_shop) -> None:
    open_shop.plugin("gsave", WATCHES, GUARDS)
    with open_shop.open() as app:
        add_customer(app, "Ann")
        with app.db.read() as connection:
            assert recall(connection, NOTE) == {
                "gsave": {"hooks": ["record_saving"], "guards": ["core.customer"]}
            }
    open_shop.plugin("gsave")

    with open_shop.open() as app:
        add_customer(app, "Bob")
        with app.db.read() as connection:
            assert recall(connection, NOTE) == {}


def test_one_that_says_nothing_of_what_it_guards_guards_everything(open_shop) -> None:
    path = open_shop.plugin("gsave", WATCHES, ", hooks=[sys.modules[__name__]]")
    with open_shop.open() as app:
        add_customer(app, "Ann")
    path.unlink()

    with open_shop.open() as app, pytest.raises(Unavailable):  # noqa: SIM117 - one story
        with app.acting_as(EVERYTHING, face="test") as ctx:
            ctx.add(app.registry.entity("core.role").cls(name="readers"))


def test_safe_mode_does_not_open_what_is_guarded(open_shop) -> None:
    open_shop.plugin("gsave", WATCHES, GUARDS)
    with open_shop.open() as app:
        add_customer(app, "Ann")

    with open_shop.open(safe=True) as app, pytest.raises(Unavailable):
        add_customer(app, "Bob")


def test_the_doctor_says_why_and_how_to_mend_it(open_shop) -> None:
    path = open_shop.plugin("gsave", WATCHES, GUARDS)
    with open_shop.open() as app:
        add_customer(app, "Ann")
    path.unlink()

    rows = open_shop.json("plugin", "doctor", code=1)["data"]

    assert {
        "plugin": "gsave",
        "state": "fail",
        "finding": "It guards core.customer and is not there, so that is closed.",
        "fix": "clientela plugin enable gsave    # or: clientela plugin remove gsave",
    } in rows
