"""Several apps: each has its own custom fields, and those over one database notice what the others define."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.custom import loading
from clientela.custom.actions import NewName
from clientela.custom.entities import CustomField
from clientela.custom.kinds import Offer, Plain
from clientela.custom.references import Reference, StillReferredTo, references_to
from clientela.errors import Invalid, Misconfigured
from clientela.hookspecs import hookimpl
from clientela.kinds.numbers import IntegerKind
from clientela.plugins.card import Plugin
from clientela.schemas import create_schema, load
from clientela.settings import Settings


def define(app: App, name: str, kind: str = "text") -> None:
    values = {"entity": "core.customer", "name": name, "kind": kind, "label": "A field"}
    with app.acting_as(SYSTEM, face="test") as ctx:
        create = app.registry.action("core.custom_field.create")
        ctx.run(create, data=load(create_schema(CustomField.info), values))


def fields(app: App) -> list[str]:
    return [field.name for field in app.registry.entity("core.customer").custom]


def test_another_process_notices_within_a_second(app: App, db_url, plugins, monkeypatch) -> None:
    other = App(db_url, plugins=plugins, settings=Settings(pool_size=2))
    with other.acting_as(SYSTEM, face="test", writing=False):
        define(app, "x_one")
    with other.acting_as(SYSTEM, face="test", writing=False):
        early = fields(other)
    monkeypatch.setattr(loading, "SECONDS_REMEMBERED", 0.0)
    with other.acting_as(SYSTEM, face="test", writing=False):
        late = fields(other)
    other.close()

    assert fields(app) == late == ["x_one"]
    assert early == []


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_two_deployments_in_one_process_know_nothing_of_each_other(app: App, plugins) -> None:
    other = App("sqlite://", plugins=plugins)
    other.create_all()
    define(app, "x_one")
    define(other, "x_two")

    assert (fields(app), fields(other)) == (["x_one"], ["x_two"])
    assert "x_one" not in app.registry.entity("core.customer").cls.info.fields
    other.close()


def test_a_definition_that_cannot_be_read_is_left_out_and_noted(app: App) -> None:
    define(app, "x_one")
    define(app, "x_two")
    table = CustomField.info.table
    with app.db.write() as connection:
        connection.execute(table.update().where(table.c.name == "x_one").values(kind="gone", rev=2))
    app.look_again()

    assert fields(app) == ["x_two"]
    assert any("x_one" in note for note in app.notes)


class Temperature(IntegerKind):
    """Degrees, which a plugin keeps."""

    name = "temperature"


WEATHER = Plugin(
    name="weather",
    title="Weather",
    custom_kinds=[
        Offer("temperature", Plain, lambda _options: Temperature(at_least=-90, at_most=60))
    ],
)


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("plugins", [[WEATHER]])
def test_a_plugin_offers_a_kind_of_its_own(app: App) -> None:
    define(app, "x_degrees", kind="temperature")
    model = create_schema(app.registry.entity("core.customer"))

    with pytest.raises(Invalid, match="from -90 to 60"):
        load(model, {"name": "Anna", "x_degrees": 100})


def test_two_plugins_do_not_offer_one_kind() -> None:
    other = replace(WEATHER, name="climate")

    with pytest.raises(Misconfigured, match="Two plugins offer a kind named temperature"):
        App("sqlite://", plugins=[WEATHER, other])


def test_a_plugin_tells_what_names_a_field() -> None:
    class Reports:
        @hookimpl
        def field_references(self, entity: str, field: str) -> list[Reference]:
            named = (entity, field) == ("core.customer", "x_one")
            return [Reference("report", "rep_1", "Sizes", "columns")] if named else []

    plugin = Plugin(name="reports", title="Reports", hooks=[Reports()])
    app = App("sqlite://", plugins=[plugin])
    app.create_all()
    define(app, "x_one")
    with app.acting_as(SYSTEM, face="test") as ctx:
        found = references_to(ctx, "core.customer", "x_one")
        rename = app.registry.action("core.custom_field.rename")
        key = ctx.connection.execute(select(CustomField.info.table.c.id)).scalar_one()
        with pytest.raises(StillReferredTo, match="report Sizes"):
            ctx.run(rename, key, NewName(name="x_two"))
    app.close()

    assert [one.name for one in found] == ["Sizes"]
