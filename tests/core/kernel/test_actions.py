"""Actions: one transaction around all that belongs together, and nothing of it when something fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Mapped

from clientela.access.principal import SYSTEM, Principal
from clientela.actions import DEEPEST, action
from clientela.app import App
from clientela.context import Context
from clientela.customers.entities import Customer, Interaction
from clientela.entity import Entity
from clientela.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from clientela.external import find_external, name_external
from clientela.facts import Fact, RecordChanged, RecordCreated, RecordPurged, RecordTrashed
from clientela.fields import integer, ref, tags, text
from clientela.history import CHANGE, CHANGE_SET
from clientela.outbox import OUTBOX
from clientela.plugins.card import Plugin
from clientela.query import Question, list_page
from clientela.search import DOCUMENT
from clientela_sdk.testing.factory import Make
from clientela_sdk.testing.told import Facts


class Deal(Entity, plugin="kact", label="Deal", prefix="kde"):
    """A deal with lines, and with notes that may outlive it."""

    title: Mapped[str] = text(search=True)
    code: Mapped[str | None] = text(unique=True)
    stage: Mapped[int] = integer(default=0)
    labels: Mapped[list[str]] = tags()
    customer_id: Mapped[str | None] = ref(Customer)
    above_id: Mapped[str | None] = ref("self", on_delete="cascade")

    def check(self) -> None:
        if self.stage < 0:
            raise Invalid("A stage is not below 0.")


class Line(
    Entity, plugin="kact", label="Line", prefix="kli", unique_together=[("deal_id", "place")]
):
    """A line of a deal, which goes with it."""

    deal_id: Mapped[str] = ref(Deal, on_delete="cascade", parent=True)
    place: Mapped[int] = integer(default=1)


class Scrap(Entity, plugin="kact", label="Scrap", prefix="ksc"):
    """A note on a deal, which forgets it."""

    words: Mapped[str] = text(search=True)
    deal_id: Mapped[str | None] = ref(Deal, on_delete="set_null")


class DealWon(Fact, plugin="kact"):
    """A deal was won."""

    deal_id: str


class Trap(Exception):
    """Something that nobody foresaw."""


@action("kact.deal.win", on=Deal)
def win(ctx: Context, deal: Deal) -> Deal:
    """Win a deal, with a line and a note about it."""
    deal.stage = 9
    ctx.add(Line(deal_id=deal.id))
    ctx.add(Scrap(words="won", deal_id=deal.id))
    ctx.tell(DealWon(deal_id=deal.public_id))
    return deal


@action("kact.deal.win_and_fail", on=Deal)
def win_and_fail(ctx: Context, deal: Deal) -> None:
    """Do all of it, and fail at the end."""
    win(ctx, deal)
    ctx.flush()
    raise Trap


@action("kact.deal.win_all")
def win_all(ctx: Context) -> int:
    """Win every deal, each by the action for one."""
    deals = [row["id"] for row in list_page(ctx, Deal.info, Question()).rows]
    for key in deals:
        win(ctx, key)
    return len(deals)


def stair(number: int) -> Any:
    def climb(ctx: Context, deal: Deal) -> int:
        """Climb to the next stair, and say how many there were."""
        return 1 + (int(STAIRS[number + 1](ctx, deal)) if number < DEEPEST else 0)

    return action(f"kact.deal.stair_{number}", on=Deal)(climb)


STAIRS = [stair(number) for number in range(DEEPEST + 1)]


@action("kact.deal.ping", on=Deal)
def ping(ctx: Context, deal: Deal) -> Any:
    """Call pong."""
    return pong(ctx, deal)


@action("kact.deal.pong", on=Deal)
def pong(ctx: Context, deal: Deal) -> Any:
    """Call ping."""
    return ping(ctx, deal)


@action("kact.deal.look", on=Deal, effect="read")
def look(ctx: Context, deal: Deal) -> str:
    """Say what a deal is called."""
    return deal.title


@action("kact.deal.write_in_secret", on=Deal, effect="read")
def write_in_secret(ctx: Context, deal: Deal) -> None:
    """Say one thing and do another."""
    deal.title = "changed"
    ctx.flush()


@action("kact.deal.touch", on=Deal)
def touch(ctx: Context, deal: Deal) -> Deal:
    """Write the very values that are there."""
    deal.title = str(deal.title)
    deal.labels = list(deal.labels)
    deal.stage = int(deal.stage)
    return deal


@action("kact.deal.hand_over", on=Deal, effect="destructive")
def hand_over(ctx: Context, deal: Deal) -> None:
    """Move all lines to a new deal and purge the old one."""
    heir = ctx.add(Deal(title=f"Heir of {deal.title}"))
    ctx.flush()
    for row in list_page(ctx, Scrap.info, Question()).rows:
        ctx.get(Scrap, row["id"]).deal_id = heir.id
    for row in list_page(ctx, Line.info, Question()).rows:
        ctx.get(Line, row["id"]).deal_id = heir.id
    ctx.run(ctx.app.registry.action("kact.deal.purge"), deal)


@action("kact.deal.try_twice", on=Deal)
def try_twice(ctx: Context, deal: Deal) -> Deal:
    """Let the first attempt fail and the second stand."""
    deal.title = "outside"
    try:
        with ctx.savepoint():
            deal.stage = 5
            ctx.add(Scrap(words="lost", deal_id=deal.id))
            ctx.tell(DealWon(deal_id="nobody"))
            ctx.add(Deal(title="twin", code=deal.code))
    except Conflict:
        ctx.add(Scrap(words="kept", deal_id=deal.id))
    return deal


ACTIONS = [
    win, win_and_fail, win_all, ping, pong, look, write_in_secret, touch, hand_over, try_twice, *STAIRS,
]  # fmt: skip

Rows = Callable[..., list[Any]]
Dump = Callable[[], Any]


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [
        Plugin(
            name="kact",
            title="Deals",
            entities=[Deal, Line, Scrap],
            actions=ACTIONS,
            facts=[DealWon],
        )
    ]


@pytest.fixture
def deal(make: Make) -> Deal:
    """Give the deal with the roof."""
    return make(Deal, title="Roof", code="R1")


# one transaction ------------------------------------------------------------------------------------------------------


def test_what_an_action_did_is_there_together(
    app: App, deal: Deal, act: Any, rows: Rows, facts: Facts
) -> None:
    act("kact.deal.win", deal.id, reason="a handshake", request_id="r-1")

    [the_set] = [s for s in rows(CHANGE_SET) if s["action"] == "kact.deal.win"]
    assert (the_set["reason"], the_set["request_id"], the_set["face"], the_set["rows"]) == (
        "a handshake", "r-1", "test", 3,
    )  # fmt: skip
    changes = rows(CHANGE, set_id=the_set["id"])
    assert sorted((c["entity"], c["kind"]) for c in changes) == [
        ("kact.deal", "update"), ("kact.line", "create"), ("kact.scrap", "create"),
    ]  # fmt: skip
    assert facts(DealWon) == [DealWon(deal_id=deal.public_id)]
    assert {o["set_id"] for o in rows(OUTBOX, fact="kact.deal_won")} == {the_set["id"]}
    assert len(rows(DOCUMENT, entity="kact.scrap")) == 1


def test_nothing_is_left_of_an_action_that_fails(deal: Deal, act: Any, dump: Dump) -> None:
    before = dump()
    with pytest.raises(Trap):
        act("kact.deal.win_and_fail", deal.id)
    assert dump() == before


def test_nested_actions_join_the_transaction_and_its_change_set(
    make: Make, act: Any, rows: Rows, dump: Dump
) -> None:
    for number in range(3):
        make(Deal, title=f"Deal {number}")

    assert act("kact.deal.win_all") == 3

    [the_set] = [s for s in rows(CHANGE_SET) if s["action"].startswith("kact.deal.win")]
    assert (the_set["action"], the_set["rows"]) == ("kact.deal.win_all", 9)


def test_a_nested_action_that_fails_takes_all_with_it(make: Make, act: Any, dump: Dump) -> None:
    make(Deal, title="good")
    make(Deal, title="taken", stage=0)
    make(Line, deal_id=make(Deal, title="has a line already"), place=1)
    before = dump()

    with pytest.raises(Conflict, match="Another line has the same"):
        act("kact.deal.win_all")
    assert dump() == before


def test_a_nested_action_needs_its_own_permission(
    deal: Deal, act: Any, as_role: Callable[..., Principal], dump: Dump
) -> None:
    caller = as_role("kact.deal.read", "kact.deal.win_all")
    before = dump()

    with pytest.raises(Forbidden, match=r"kact\.deal\.win\."):
        act("kact.deal.win_all", by=caller)
    assert dump() == before


def test_the_permission_of_an_action_is_enough_to_act_on_what_one_may_read(
    deal: Deal, act: Any, as_role: Callable[..., Principal]
) -> None:
    assert act("kact.deal.win", deal.id, by=as_role("kact.deal.read", "kact.deal.win")).stage == 9
    with pytest.raises(NotFound):
        act("kact.deal.win", deal.id, by=as_role("kact.deal.win"))


def test_a_part_may_fail_alone(deal: Deal, act: Any, app: App, rows: Rows, facts: Facts) -> None:
    """A savepoint takes back its rows, its facts, its changes and its words, and no others."""
    act("kact.deal.try_twice", deal.id)

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        after = ctx.get(Deal, deal.id)
        assert (after.title, after.stage, after.rev) == ("outside", 0, 2)
    assert [s["words"] for s in rows(Scrap.info.table)] == ["kept"]
    assert [d["record_id"] for d in rows(DOCUMENT, entity="kact.scrap")] == [
        rows(Scrap.info.table)[0]["id"]
    ]
    assert facts(DealWon) == []
    the_set = rows(CHANGE_SET)[-1]
    assert [(c["entity"], c["kind"]) for c in rows(CHANGE, set_id=the_set["id"])] == [
        ("kact.deal", "update"), ("kact.scrap", "create"),
    ]  # fmt: skip


# chains ---------------------------------------------------------------------------------------------------------------


def test_a_chain_may_be_so_deep_and_no_deeper(deal: Deal, act: Any, dump: Dump) -> None:
    assert act("kact.deal.stair_1", deal.id) == DEEPEST

    before = dump()
    with pytest.raises(Conflict, match="call each other too deeply") as refused:
        act("kact.deal.stair_0", deal.id)
    names = [f"kact.deal.stair_{number}" for number in range(DEEPEST + 1)]
    assert refused.value.detail.endswith(f": {' → '.join(names)}.")
    assert dump() == before


def test_a_circle_is_named(deal: Deal, act: Any, dump: Dump) -> None:
    before = dump()
    with pytest.raises(Conflict, match="in a circle") as refused:
        act("kact.deal.ping", deal.id)

    names = ["kact.deal.ping", "kact.deal.pong"] * 2 + ["kact.deal.ping"]
    assert refused.value.detail.endswith(f": {' → '.join(names)}.")
    assert dump() == before


# dry runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("kact.deal.win", ["update", "create", "create"]),
        ("kact.deal.trash", ["trash"]),
        ("kact.deal.purge", ["purge"]),
        ("kact.deal.touch", []),
    ],
)
def test_a_dry_run_says_what_would_change_and_changes_nothing(
    app: App, deal: Deal, dump: Dump, name: str, kinds: list[str]
) -> None:
    before = dump()
    with app.acting_as(SYSTEM, face="test", dry_run=True) as ctx:
        ctx.run(app.registry.action(name), deal.id)
    assert dump() == before

    changes = [] if ctx.changes is None else ctx.changes.changes
    assert sorted(c.kind for c in changes) == sorted(kinds)
    if kinds:
        shown = next(c for c in changes if c.entity == "kact.deal").as_dict(Deal.info)
        assert shown["id"] == deal.public_id


def test_a_dry_run_meets_every_rule_and_constraint(app: App, deal: Deal, make: Make) -> None:
    make(Deal, title="other", code="R2")
    update = app.registry.action("kact.deal.update")
    for values, refusal in (({"code": "R2"}, Conflict), ({"stage": -1}, Invalid)):
        with pytest.raises(refusal), app.acting_as(SYSTEM, face="test", dry_run=True) as ctx:
            ctx.run(update, deal.id, values)


def test_a_dry_run_of_a_token_leaves_it_known(app: App, token: Callable[..., str]) -> None:
    """The directory forgets whoever changed, but a dry run changes nobody."""
    secret = token("core.*")
    key = app.directory.by_token(secret).id
    with app.acting_as(SYSTEM, face="test", dry_run=True) as ctx:
        ctx.run(app.registry.action("core.token.trash"), key)

    assert app.directory.by_token(secret).id == key


# revisions ------------------------------------------------------------------------------------------------------------


def test_each_change_counts_one_revision(deal: Deal, act: Any, rows: Rows) -> None:
    act("kact.deal.update", deal.id, {"title": "Wall"})
    act("kact.deal.trash", deal.id)
    act("kact.deal.restore", deal.id)

    assert [(c["kind"], c["rev"]) for c in rows(CHANGE, record_id=deal.id)] == [
        ("create", 1), ("update", 2), ("trash", 3), ("restore", 4),
    ]  # fmt: skip
    assert rows(Deal.info.table)[0]["rev"] == 4


def test_whoever_has_seen_an_older_revision_is_told(deal: Deal, act: Any, dump: Dump) -> None:
    act("kact.deal.update", deal.id, {"title": "Wall"}, base_rev=1)
    before = dump()

    with pytest.raises(Stale, match="is at revision 2, you have seen 1; read it again"):
        act("kact.deal.update", deal.id, {"title": "Door"}, base_rev=1)
    assert dump() == before
    assert act("kact.deal.update", deal.id, {"title": "Door"}, base_rev=2).rev == 3


def test_the_update_itself_compares_the_revision(app: App, deal: Deal, act: Any) -> None:
    """Two readers of one revision cannot both write, even without a lock."""
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        old = ctx.get(Deal, deal.id)
    act("kact.deal.update", deal.id, {"title": "Wall"})

    with (
        pytest.raises(Stale, match="Somebody else changed this record meanwhile"),
        app.acting_as(SYSTEM, face="test") as ctx,
    ):
        mine = ctx.session.merge(old, load=False)
        mine.title = "Door"
        ctx.flush()


def test_an_action_that_changes_nothing_leaves_nothing(deal: Deal, act: Any, dump: Dump) -> None:
    before = dump()
    act("kact.deal.touch", deal.id)
    act("kact.deal.update", deal.id, {"title": "Roof", "stage": 0, "labels": []})
    act("kact.deal.look", deal.id)

    assert dump() == before


def test_a_change_that_was_taken_back_leaves_nothing(app: App, deal: Deal, dump: Dump) -> None:
    before = dump()
    with app.acting_as(SYSTEM, face="test") as ctx:
        record = ctx.get(Deal, deal.id)
        record.title = "Wall"
        record.title = "Roof"
    assert dump() == before


def test_the_stamps_say_who_and_when(
    deal: Deal, act: Any, clock: Any, as_user: Callable[..., Principal], rows: Rows
) -> None:
    olga = as_user("kact.*")
    clock.forward(hours=1)
    act("kact.deal.update", deal.id, {"title": "Wall"}, by=olga)

    after = rows(Deal.info.table)[0]
    assert (after["created_by"], after["updated_by"]) == ("system", olga.id)
    assert (after["created_at"], after["updated_at"]) == (deal.created_at, clock.now)
    assert rows(CHANGE_SET)[-1]["actor"] == olga.id


# reading and writing --------------------------------------------------------------------------------------------------


def test_a_context_that_reads_does_not_write(app: App, deal: Deal, dump: Dump) -> None:
    before = dump()

    def attempts(ctx: Context) -> list[Callable[[], Any]]:
        return [
            lambda: ctx.run(app.registry.action("kact.deal.win"), deal.id),
            lambda: ctx.run(app.registry.action("kact.deal.write_in_secret"), deal.id),
            lambda: (ctx.add(Deal(title="x")), ctx.flush()),
            lambda: (ctx.delete(ctx.get(Deal, deal.id)), ctx.flush()),
        ]

    for number in range(4):
        with (
            app.acting_as(SYSTEM, face="test", writing=False) as ctx,
            pytest.raises(Conflict, match="only reads"),
        ):
            attempts(ctx)[number]()
    assert dump() == before


def test_an_action_that_reads_runs_where_nothing_is_written(deal: Deal, act: Any) -> None:
    assert act("kact.deal.look", deal.id, writing=False) == "Roof"
    assert act("kact.deal.look", deal.public_id, writing=True) == "Roof"


def test_what_was_not_flushed_is_written_at_the_end(app: App, deal: Deal, rows: Rows) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.get(Deal, deal.id).title = "Wall"
        ctx.add(Deal(title="new"))

    assert {d["title"] for d in rows(Deal.info.table)} == {"Wall", "new"}
    assert rows(CHANGE_SET)[-1]["action"] == "direct"


@pytest.mark.parametrize(
    "key", ["", "x", "kde_", "cus_01JD0000000000000000000000", "01JD0000000000000000000000", "1"]
)
def test_what_is_not_there_is_not_found(deal: Deal, act: Any, key: str) -> None:
    with pytest.raises(NotFound, match="There is no deal"):
        act("kact.deal.win", key)


def test_a_naive_moment_is_refused_and_nothing_is_written(app: App, dump: Dump, deal: Deal) -> None:
    from datetime import datetime

    before = dump()
    with (
        pytest.raises((StatementError, ValueError), match="needs a time zone"),
        app.acting_as(SYSTEM, face="test") as ctx,
    ):
        record = ctx.get(Deal, deal.id)
        record.deleted_at = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    assert dump() == before


# the trash and what refers to it --------------------------------------------------------------------------------------


def test_the_trash_is_out_of_the_way_and_has_a_way_back(
    app: App, deal: Deal, act: Any, facts: Facts
) -> None:
    act("kact.deal.trash", deal.id)
    for name in ("win", "update", "trash"):
        with pytest.raises(NotFound):
            act(f"kact.deal.{name}", deal.id, {})
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        assert ctx.find(Deal, deal.id) is None
        assert ctx.find(Deal, deal.id, trashed=True) is not None
        assert list_page(ctx, Deal.info, Question(search="roof")).rows == []

    act("kact.deal.restore", deal.id)
    with pytest.raises(NotFound):
        act("kact.deal.restore", deal.id)
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        assert len(list_page(ctx, Deal.info, Question(search="roof")).rows) == 1
    assert facts(RecordTrashed) == [RecordTrashed(entity="kact.deal", record=deal.public_id)]


def test_a_code_in_the_trash_is_still_taken(deal: Deal, act: Any, make: Make) -> None:
    act("kact.deal.trash", deal.id)

    with pytest.raises(
        Conflict, match="Another deal has the same code; it may stand in the trash"
    ) as refused:
        act("kact.deal.create", data={"title": "x", "code": "R1"})
    assert [(p.pointer, p.code) for p in refused.value.errors] == [("/code", "not-unique")]


def test_two_fields_that_are_unique_together_are_both_named(
    make: Make, deal: Deal, act: Any
) -> None:
    make(Line, deal_id=deal, place=1)

    with pytest.raises(Conflict) as refused:
        act("kact.line.create", data={"deal_id": deal.id, "place": 1})
    assert [p.pointer for p in refused.value.errors] == ["/deal_id", "/place"]


def test_a_purge_takes_along_what_belongs_to_the_record(
    make: Make, deal: Deal, act: Any, rows: Rows, facts: Facts
) -> None:
    line, other = make(Line, deal_id=deal, place=1), make(Line, deal_id=make(Deal), place=1)
    scrap = make(Scrap, words="a note", deal_id=deal)

    act("kact.deal.purge", deal.id)

    assert [row["id"] for row in rows(Line.info.table)] == [other.id]
    assert [(row["id"], row["deal_id"], row["rev"]) for row in rows(Scrap.info.table)] == [
        (scrap.id, None, 2)
    ]
    the_set = rows(CHANGE_SET)[-1]
    by_record = {
        c["record_id"]: (c["kind"], c["before"]) for c in rows(CHANGE, set_id=the_set["id"])
    }
    assert by_record.keys() == {deal.id, line.id, scrap.id}
    assert by_record[line.id][0] == by_record[deal.id][0] == "purge"
    assert by_record[scrap.id] == ("update", {"deal_id": deal.public_id})
    assert by_record[line.id][1]["deal_id"] == deal.public_id
    assert RecordPurged(entity="kact.line", record=line.public_id) in facts(RecordPurged)
    assert [d["record_id"] for d in rows(DOCUMENT, entity="kact.scrap")] == [scrap.id]


def test_a_purge_is_refused_while_others_refer_to_the_record(
    make: Make, act: Any, dump: Dump
) -> None:
    anna = make(Customer, name="Anna")
    make(Interaction, customer_id=anna)
    make(Deal, title="a", customer_id=anna)
    make(Deal, title="b", customer_id=anna)
    before = dump()

    with pytest.raises(
        Conflict, match="2 deals still refer to this customer; purge or change them first"
    ):
        act("core.customer.purge", anna.id)
    assert dump() == before


def test_what_lies_in_the_trash_can_be_purged_and_still_restricts(make: Make, act: Any) -> None:
    anna = make(Customer, name="Anna")
    deal = make(Deal, customer_id=anna)
    act("kact.deal.trash", deal.id)

    with pytest.raises(Conflict, match="1 deal still refer"):
        act("core.customer.purge", anna.id)
    act("kact.deal.purge", deal.id)
    act("core.customer.purge", anna.id)


def test_a_purge_sees_what_the_same_action_has_changed(
    make: Make, deal: Deal, act: Any, rows: Rows
) -> None:
    """The lines were moved away before; they must not go with the deal they have left."""
    make(Line, deal_id=deal, place=1)
    make(Scrap, words="a note", deal_id=deal)

    act("kact.deal.hand_over", deal.id)

    [heir] = rows(Deal.info.table)
    assert [row["deal_id"] for row in rows(Line.info.table)] == [heir["id"]]
    assert [row["deal_id"] for row in rows(Scrap.info.table)] == [heir["id"]]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_records_that_refer_to_each_other_in_a_ring_are_purged_together(
    make: Make, app: App, act: Any, rows: Rows, length: int
) -> None:
    ring = [make(Deal, title=f"Deal {number}") for number in range(length)]
    with app.acting_as(SYSTEM, face="test") as ctx:
        for place, one in enumerate(ring):
            ctx.get(Deal, one.id).above_id = ring[place - 1].id

    act("kact.deal.purge", ring[0].id)

    assert rows(Deal.info.table) == []


def test_a_tree_is_purged_from_its_root(make: Make, act: Any, rows: Rows) -> None:
    root = make(Deal, title="root")
    for number in range(3):
        branch = make(Deal, title=f"branch {number}", above_id=root)
        make(Deal, title=f"leaf {number}", above_id=branch)
        make(Line, deal_id=branch)
    kept = make(Deal, title="another root")

    act("kact.deal.purge", root.id)

    assert [row["id"] for row in rows(Deal.info.table)] == [kept.id]
    assert rows(Line.info.table) == []


def test_a_purge_forgets_what_other_systems_call_the_record(app: App, deal: Deal, act: Any) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        name_external(ctx, Deal.info, "shop", "17", deal.id)
        assert find_external(ctx, Deal.info, "shop", "17") == deal.id

    act("kact.deal.purge", deal.id)
    with app.acting_as(SYSTEM, face="test") as ctx:
        assert find_external(ctx, Deal.info, "shop", "17") is None
        name_external(ctx, Deal.info, "shop", "17", deal.id)


def test_a_record_that_points_at_nothing_is_refused_by_the_database_too(
    app: App, dump: Dump
) -> None:
    before = dump()
    with (
        pytest.raises(Conflict, match="refers to one that is gone"),
        app.acting_as(SYSTEM, face="test") as ctx,
    ):
        ctx.add(Line(deal_id="01JD0000000000000000000000"))
    assert dump() == before


def test_a_value_that_must_be_there_is_missing(deal: Deal, act: Any, dump: Dump) -> None:
    before = dump()
    with pytest.raises(Conflict, match="A value that must be there is missing"):
        act("kact.deal.update", deal.id, {"title": None})
    assert dump() == before


def test_a_rule_of_the_record_refuses_before_the_database_is_asked(
    deal: Deal, act: Any, dump: Dump
) -> None:
    before = dump()
    for name, record, data in (
        ("kact.deal.update", deal.id, {"stage": -1}),
        ("kact.deal.create", None, {"title": "x", "stage": -1}),
    ):
        with pytest.raises(Invalid, match="A stage is not below 0"):
            act(name, record, data)
    assert dump() == before


def test_who_creates_a_record_owns_it(
    as_user: Callable[..., Principal], act: Any, make: Make
) -> None:
    from clientela.access.entities import User

    olga, peter = as_user("core.*"), make(User)

    assert act("core.customer.create", data={"name": "A"}, by=olga).owner_id == olga.user
    assert (
        act("core.customer.create", data={"name": "B", "owner_id": peter.id}, by=olga).owner_id
        == peter.id
    )
    assert act("core.customer.create", data={"name": "C"}).owner_id is None


def test_facts_of_plain_verbs_name_the_entity_the_record_and_the_fields(
    deal: Deal, act: Any, facts: Facts
) -> None:
    act("kact.deal.update", deal.id, {"title": "Wall", "stage": 2, "code": "R1"})

    assert facts(RecordCreated) == [RecordCreated(entity="kact.deal", record=deal.public_id)]
    assert facts(RecordChanged) == [
        RecordChanged(entity="kact.deal", record=deal.public_id, fields=("stage", "title"))
    ]


def test_a_list_is_not_changed_in_place(app: App, deal: Deal, rows: Rows) -> None:
    """`deal.labels.append("vip")` would be lost without a word, so it is refused aloud."""
    with app.acting_as(SYSTEM, face="test") as ctx:
        with pytest.raises(TypeError, match="assign a new one"):
            ctx.get(Deal, deal.id).labels.append("vip")
        ctx.get(Deal, deal.id).labels = ["vip"]

    assert rows(Deal.info.table)[0]["labels"] == ["vip"]
