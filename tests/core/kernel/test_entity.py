"""Declaring an entity: what the class body becomes, and what is refused."""

from __future__ import annotations

from types import new_class
from typing import Optional

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import Mapped

from clientela.entity import VERBS, Entity
from clientela.errors import Misconfigured
from clientela.fields import boolean, choice, integer, money, owner, ref, tags, text
from clientela.plugins.card import Plugin
from clientela.plugins.core import CORE
from clientela.values import Money


class Shelf(Entity, plugin="kent", label="Shelf", prefix="ksh", plural="shelves"):
    """A place where boxes stand.

    The second paragraph is for developers.
    """

    name: Mapped[str] = text(priority=1, search=True)
    above_id: Mapped[str | None] = ref("self", on_delete="set_null")


class SmallBox(
    Entity, plugin="kent", label="Small box", prefix="ksb", unique_together=[("shelf_id", "place")]
):
    """A box on a shelf."""

    shelf_id: Mapped[str] = ref(Shelf, parent=True, on_delete="cascade", priority=2)
    place: Mapped[int] = integer(default=1, sort=True, priority=1)
    code: Mapped[str] = text(unique=True, immutable=True)
    price: Mapped[Money | None] = money()
    note: Mapped[Optional[str]] = text()  # noqa: UP045 - people write it like this too
    labels: Mapped[list[str]] = tags()
    secret: Mapped[str] = text(default="", hidden=True)
    weight: Mapped[int] = integer(default=0, read_only=True)
    owner_id: Mapped[str | None] = owner()


def test_the_names_follow_from_the_class() -> None:
    info = SmallBox.info

    assert (info.name, info.table.name) == ("kent.small_box", "kent_small_box")
    assert (info.collection, info.phrase, info.plural) == (
        "small-boxes",
        "small box",
        "small boxes",
    )
    assert Shelf.info.collection == "shelves"
    assert Shelf.info.about == "A place where boxes stand."
    assert info.permission("read") == "kent.small_box.read"
    assert info.verbs == VERBS


def test_every_record_has_the_same_beginning() -> None:
    assert list(Shelf.info.fields)[:8] == [
        "id", "rev", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "custom",
    ]  # fmt: skip


def test_what_is_optional_is_read_from_the_annotation() -> None:
    optional = {name for name, declared in SmallBox.info.fields.items() if declared.optional}

    assert optional == {"deleted_at", "price", "note", "owner_id"}


def test_a_creation_must_name_what_has_no_default() -> None:
    assert {n for n, f in SmallBox.info.fields.items() if f.required} == {"shelf_id", "code"}


def test_what_input_may_set_and_what_may_leave() -> None:
    info = SmallBox.info

    assert set(info.writable) == {
        "shelf_id", "place", "code", "price", "note", "labels", "owner_id",
    }  # fmt: skip
    assert "secret" not in info.visible
    assert "custom" not in info.visible
    assert "weight" in info.visible


def test_a_composed_field_has_its_columns_and_one_attribute() -> None:
    assert [c.name for c in SmallBox.info.fields["price"].columns] == ["price", "price_currency"]

    box = SmallBox(price=Money(150, "EUR"))
    assert box.price == Money(150, "EUR")
    box.price = None
    assert box.price is None


def test_references_know_their_target() -> None:
    assert SmallBox.info.fields["shelf_id"].target is Shelf.info
    assert Shelf.info.fields["above_id"].target is Shelf.info
    assert Shelf.info.fields["above_id"].kind.prefix == "ksh"  # type: ignore[attr-defined]
    owners = SmallBox.info.fields["owner_id"].target
    assert owners is not None
    assert owners.name == "core.user"


def test_what_tells_one_record_from_another() -> None:
    assert SmallBox.info.unique_keys == (("code",), ("shelf_id", "place"))
    unique = {i.name: [c.name for c in i.columns] for i in SmallBox.info.table.indexes if i.unique}
    assert sorted(unique.values()) == [["code"], ["shelf_id", "place"]]


def test_what_lists_are_ordered_by_is_indexed_with_the_key_behind() -> None:
    columns = [[c.name for c in i.columns] for i in SmallBox.info.table.indexes]

    assert ["place", "id"] in columns
    assert ["shelf_id"] in columns


def test_a_short_table_shows_the_fields_of_priority() -> None:
    assert SmallBox.info.columns_by_priority() == ["place", "shelf_id"]


def test_a_filter_finds_a_field_by_its_short_name_but_no_hidden_one() -> None:
    info = SmallBox.info

    assert info.filter_field("shelf") is info.fields["shelf_id"]
    assert info.filter_field("created") is info.fields["created_at"]
    assert info.filter_field("secret") is None
    assert info.filter_field("custom") is None


def test_labels_are_made_where_none_is_declared() -> None:
    assert SmallBox.info.fields["shelf_id"].label == "Shelf"
    assert SmallBox.info.fields["created_at"].label == "Created at"


def test_a_new_record_shows_that_it_is_new() -> None:
    assert repr(Shelf(name="Top")) == "<kent.shelf new>"


@pytest.mark.parametrize(
    ("plugin", "name", "prefix"),
    [
        ("Kent", "Good", "kxa"), ("k-ent", "Good", "kxb"), ("1kent", "Good", "kxc"),
        ("kent", "Good", "K"), ("kent", "Good", "toolong"), ("kent", "Good", "k1"),
    ],
)  # fmt: skip
def test_a_name_that_no_table_or_address_could_bear_is_refused(
    plugin: str, name: str, prefix: str
) -> None:
    with pytest.raises(Misconfigured, match="it must match"):
        new_class(name, (Entity,), {"plugin": plugin, "label": "Good", "prefix": prefix})


def test_an_address_in_the_core_is_called_addresses() -> None:
    """REST, permissions and tables are promised by these names; a change of one is a change of the contract."""
    names = {cls.info.name: (cls.info.collection, cls.info.prefix) for cls in CORE.entities}

    assert names == {
        "core.user": ("users", "usr"), "core.role": ("roles", "rol"), "core.token": ("tokens", "tok"),
        "core.customer": ("customers", "cus"), "core.identifier": ("identifiers", "idn"),
        "core.address": ("addresses", "adr"), "core.card_detail": ("card-details", "cdt"),
        "core.consent": ("consents", "con"),
        "core.interaction": ("interactions", "int"), "core.decision": ("decisions", "dec"),
        "core.attachment": ("attachments", "att"), "core.import": ("imports", "imp"),
        "core.import_template": ("import-templates", "imt"),
        "core.custom_field": ("custom-fields", "cfd"),
        "core.saved_view": ("saved-views", "svw"),
    }  # fmt: skip


def test_a_card_may_bear_a_boolean_and_a_choice_with_defaults() -> None:
    class Lamp(Entity, plugin="kent", label="Lamp", prefix="klm"):
        """Gives light."""

        on: Mapped[bool] = boolean(default=False)
        colour: Mapped[str] = choice({"red": "Red"}, default="red")

    assert Plugin(name="kent", title="Rooms", entities=[Lamp]).entities == [Lamp]
    assert not any(f.required for f in Lamp.info.fields.values())
    assert {c.key for c in inspect(Lamp).columns} >= {"on", "colour", "rev"}
