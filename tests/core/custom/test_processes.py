"""Several apps: each has its own custom fields, and those over one database notice what the others define."""

from __future__ import annotations

import pytest

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.custom import loading
from clientela.custom.entities import CustomField
from clientela.schemas import create_schema, load
from clientela.settings import Settings


def define(app: App, name: str) -> None:
    values = {"entity": "core.customer", "name": name, "kind": "text", "label": "A field"}
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
