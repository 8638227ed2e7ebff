"""Which views and import templates name a field."""

from __future__ import annotations

import pytest

from clientela.exchange.entities import ImportTemplate
from clientela.views.entities import SavedView
from clientela.views.references import field_references


@pytest.fixture
def named(ctx):
    """Give what names a field of customers, as `what name where`."""

    def named(field: str, entity: str = "core.customer") -> list[str]:
        ctx.flush()
        found = field_references(ctx, entity, field)
        return [f"{one.what} {one.name} {one.where}" for one in found]

    return named


def view(ctx, **values):
    return ctx.add(SavedView(**{"entity": "core.customer", "name": "hot"} | values))


def test_a_view_names_fields_in_each_of_its_parts(ctx, named):
    view(
        ctx, filter="country = RU or owner.email = a@example.com", sort="-created_at",
        columns="name,owner.name", expand="owner", layout="board", options={"by": "kind"},
    )  # fmt: skip

    assert named("country") == ["view core.customer hot filter"]
    assert named("created_at") == ["view core.customer hot sort"]
    assert named("name") == ["view core.customer hot columns"]
    assert named("kind") == ["view core.customer hot options"]
    assert named("owner_id") == [
        "view core.customer hot filter", "view core.customer hot columns", "view core.customer hot expand",
    ]  # fmt: skip
    assert named("email", "core.user") == ["view core.customer hot filter"]
    assert named("email") == named("name", "core.role") == []


def test_a_template_names_fields_in_its_mapping_constants_and_key(ctx, named):
    options = {
        "mapping": {"Name": "name", "City": "person.family", "Boss": "owner:email"},
        "constants": {"country": "RU"},
        "key": ["email"],
    }
    ctx.add(ImportTemplate(name="shop", entity="core.customer", options=options))

    assert named("name") == ["import template core.customer shop options.mapping"]
    assert named("person") == ["import template core.customer shop options.mapping"]
    assert named("email", "core.user") == ["import template core.customer shop options.mapping"]
    assert named("country") == ["import template core.customer shop options.constants"]
    assert named("email") == ["import template core.customer shop options.key"]


def test_what_lies_in_the_trash_names_nothing(ctx, named):
    trashed = view(ctx, filter="country = RU")
    ctx.flush()
    trashed.deleted_at = ctx.now

    assert named("country") == []
