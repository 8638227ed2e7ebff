"""A composition that cannot work is refused at the start, in a sentence."""

from __future__ import annotations

from datetime import date

import pytest
from pydantic import BaseModel
from sqlalchemy.orm import Mapped

from clientela.actions import Action, action
from clientela.app import App
from clientela.context import Context
from clientela.entity import Entity
from clientela.errors import Misconfigured, NotFound
from clientela.facts import Fact, on
from clientela.fields import day, ref, text
from clientela.plugins.card import Plugin


class Room(Entity, plugin="kreg_rooms", label="Room", prefix="kra"):
    """A room that can be booked."""

    name: Mapped[str] = text()


class Booking(Entity, plugin="kreg_bookings", label="Booking", prefix="krb"):
    """A day on which a room is taken."""

    room_id: Mapped[str] = ref(Room)
    on: Mapped[date] = day()


class Reserve(Entity, plugin="kreg_reserves", label="Reserve", prefix="kra"):
    """An entity whose ids would begin like those of rooms."""


class RoomOpened(Fact, plugin="kreg_rooms"):
    """A room was opened."""


class RoomClosed(Fact, plugin="kreg_rooms"):
    """A room was closed."""


@action("kreg_rooms.room.open", on=Room)
def open_room(ctx: Context, room: Room) -> Room:
    """Open a room."""
    return room


@action("kreg_rooms.room.open", on=Room)
def open_again(ctx: Context, room: Room) -> Room:
    """Open a room once more."""
    return room


def heard(ctx: Context, fact: Fact) -> None:
    """Hear of a room."""


rooms = Plugin(name="kreg_rooms", title="Rooms", entities=[Room])
bookings = Plugin(name="kreg_bookings", title="Bookings", entities=[Booking], needs=["kreg_rooms"])


def composed(*plugins: Plugin) -> App:
    return App("sqlite://", plugins=plugins)


def refusal(*plugins: Plugin) -> str:
    with pytest.raises(Misconfigured) as refused:
        composed(*plugins)
    return refused.value.detail


def named(name: str, *needs: str) -> Plugin:
    return Plugin(name=name, title=name, needs=needs)


def test_plugins_come_after_what_they_need_however_they_are_listed() -> None:
    for plugins in ((bookings, rooms), (rooms, bookings)):
        app = composed(*plugins)

        assert [p.name for p in app.plugins] == ["core", "kreg_rooms", "kreg_bookings"]


def test_ten_apps_live_side_by_side_and_know_their_own_plugins_only() -> None:
    alone, both = composed(rooms), composed(rooms, bookings)

    assert "kreg_bookings.booking" not in alone.registry.entities
    assert "kreg_bookings.booking" in both.registry.entities


def test_two_plugins_of_one_name() -> None:
    """One of them would be left out, and nobody would know which."""
    assert refusal(rooms, Plugin(name="kreg_rooms", title="Other rooms")) == (
        "Two plugins are named kreg_rooms."
    )


def test_a_plugin_cannot_call_itself_core() -> None:
    assert refusal(named("core")) == "Two plugins are named core."


def test_two_entities_of_one_name() -> None:
    twice = Plugin(name="kreg_rooms", title="Rooms", entities=[Room, Room])

    assert refusal(twice) == "Two entities are named kreg_rooms.room."


def test_two_entities_of_one_prefix() -> None:
    reserves = Plugin(name="kreg_reserves", title="Reserves", entities=[Reserve])

    assert refusal(rooms, reserves) == (
        "kreg_rooms.room and kreg_reserves.reserve both begin their ids with kra_; give one of them a prefix=."
    )


def test_two_actions_of_one_name() -> None:
    twice = Plugin(
        name="kreg_rooms", title="Rooms", entities=[Room], actions=[open_room, open_again]
    )

    assert refusal(twice) == "Two actions are named kreg_rooms.room.open."


def test_an_action_cannot_take_the_name_of_a_plain_verb() -> None:
    @action("kreg_rooms.room.trash", on=Room)
    def trash(ctx: Context, room: Room) -> Room:
        """Put a room into a trash of its own."""
        return room

    assert refusal(Plugin(name="kreg_rooms", title="Rooms", entities=[Room], actions=[trash])) == (
        "Two actions are named kreg_rooms.room.trash."
    )


def test_one_handler_for_two_facts_is_refused_rather_than_half_forgotten() -> None:
    """Retries are remembered under the name of the handler, so it cannot stand for two debts."""
    both = Plugin(
        name="kreg_rooms", title="Rooms", entities=[Room],
        facts=[RoomOpened, RoomClosed], subscriptions=[on(RoomOpened)(heard), on(RoomClosed)(heard)],
    )  # fmt: skip

    assert "heard" in refusal(both)


def test_a_reference_to_an_entity_that_is_not_installed() -> None:
    alone = Plugin(name="kreg_bookings", title="Bookings", entities=[Booking])

    assert refusal(alone) == (
        "kreg_bookings.booking.room_id refers to kreg_rooms.room, whose plugin is not installed."
    )


def test_a_need_that_is_not_installed_names_the_nearest() -> None:
    assert refusal(named("kreg_a", "kreg_romos"), rooms) == (
        "The plugin kreg_a needs kreg_romos, which is not installed or is disabled. "
        "Did you mean 'kreg_rooms' or 'kreg_a'?"
    )


def test_circular_needs_name_the_circle() -> None:
    circle = named("kreg_a", "kreg_b"), named("kreg_b", "kreg_c"), named("kreg_c", "kreg_b")

    assert refusal(*circle) == "Plugins need each other in a circle: kreg_b → kreg_c → kreg_b."


def test_a_plugin_that_needs_itself_is_a_circle_too() -> None:
    assert refusal(named("kreg_a", "kreg_a")) == (
        "Plugins need each other in a circle: kreg_a → kreg_a."
    )


def test_a_card_holds_its_own_entities_and_actions_only() -> None:
    with pytest.raises(Misconfigured, match=r"says plugin='kreg_rooms'"):
        Plugin(name="kreg_bookings", title="Bookings", entities=[Room])
    with pytest.raises(Misconfigured, match=r"must begin with kreg_bookings"):
        Plugin(name="kreg_bookings", title="Bookings", actions=[open_room])


def test_an_unknown_entity_or_action_is_answered_with_the_nearest() -> None:
    registry = composed(rooms).registry

    with pytest.raises(NotFound, match=r"Did you mean 'kreg_rooms\.room'"):
        registry.entity("kreg_rooms.rom")
    with pytest.raises(NotFound, match=r"Did you mean 'kreg_rooms\.room\.create'"):
        registry.action("kreg_rooms.room.creat")


def test_every_verb_and_action_has_its_permission() -> None:
    app = composed(
        Plugin(
            name="kreg_rooms",
            title="Rooms",
            entities=[Room],
            actions=[open_room],
            permissions={"kreg_rooms.keys": "Hand out keys"},
        )
    )

    assert {p for p in app.registry.permissions if p.startswith("kreg_rooms.")} == {
        "kreg_rooms.keys", "kreg_rooms.room.open",
        *(f"kreg_rooms.room.{verb}" for verb in Room.info.verbs),
    }  # fmt: skip
    assert app.registry.actions_on(Room.info) == [open_room]


# declaring actions ----------------------------------------------------------------------------------------------------


class Key(BaseModel):
    """What opens a room."""


def declared(name: str, function: object, on: type[Entity] | None = Room) -> Action:
    return action(name, on=on)(function)  # type: ignore[arg-type]


def test_the_input_of_an_action_is_read_from_its_signature() -> None:
    def lend(ctx: Context, room: Room, data: Key) -> Room:
        """Lend a room."""
        return room

    made = declared("kreg_rooms.room.lend_out", lend)

    assert (made.takes, made.verb, made.plugin, made.label) == (
        Key, "lend_out", "kreg_rooms", "Lend out",
    )  # fmt: skip
    assert made.about == "Lend a room."


@pytest.mark.parametrize("name", ["open", "Rooms.open", "kreg_rooms.", "a.b.c.d.e", "rooms open"])
def test_an_action_is_named_after_its_plugin(name: str) -> None:
    with pytest.raises(Misconfigured, match=r"write plugin\.entity\.verb"):
        declared(name, open_room.function)


def test_an_action_says_what_it_does() -> None:
    def silent(ctx: Context, room: Room) -> None: ...

    with pytest.raises(Misconfigured, match="needs a docstring"):
        declared("kreg_rooms.room.sit", silent)


def test_an_action_takes_ctx_the_record_and_a_model() -> None:
    def without_context(room: Room) -> None:
        """Forget the context."""

    def without_record(ctx: Context) -> None:
        """Forget the record."""

    def with_a_dict(ctx: Context, room: Room, data: dict[str, str]) -> None:
        """Take anything."""

    with pytest.raises(Misconfigured, match=r"\(ctx, record, data\)"):
        declared("kreg_rooms.room.a", without_context)
    with pytest.raises(Misconfigured, match=r"\(ctx, record, data\)"):
        declared("kreg_rooms.room.b", without_record)
    with pytest.raises(Misconfigured, match="must be a pydantic model"):
        declared("kreg_rooms.room.c", with_a_dict)
    with pytest.raises(Misconfigured, match=r"\(ctx, data\)"):
        declared("kreg_rooms.room.d", without_context, None)


def test_a_type_that_is_only_there_for_the_checker_is_named() -> None:
    def lend(ctx: Context, room: Room, data: Nowhere) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Lend a room."""

    with pytest.raises(Misconfigured, match="Import it outside TYPE_CHECKING"):
        declared("kreg_rooms.room.lend", lend)
