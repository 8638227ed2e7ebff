"""The change log: only what was before is kept, and the past is folded backwards from the present."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.orm import Mapped

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.context import Context
from clientela.entity import Entity
from clientela.errors import Conflict
from clientela.fields import decimal, json, money, person_name, tags, text
from clientela.history import BOOKKEEPING, CHANGE, CHANGE_SET, whole
from clientela.plugins.card import Plugin
from clientela.values import Money, PersonName


class Paper(Entity, plugin="khist", label="Paper", prefix="kpa"):
    """A paper with values of several columns and of JSON."""

    title: Mapped[str] = text()
    price: Mapped[Money | None] = money()
    author: Mapped[PersonName | None] = person_name()
    labels: Mapped[list[str]] = tags()
    weight: Mapped[Decimal | None] = decimal()
    data: Mapped[Any | None] = json()
    inner: Mapped[str] = text(default="", hidden=True)
    secret: Mapped[str] = text(default="", hidden=True, field_class="secret")


FIELDS = ("title", "price", "author", "labels", "weight", "data", "inner")
values = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["a", "b", ""]),
        "price": st.sampled_from([None, Money(1, "EUR"), Money(1, "JPY"), Money(100, "EUR")]),
        "author": st.sampled_from([None, PersonName("Иванова", "Анна"), PersonName("Smith")]),
        "labels": st.sampled_from([[], ["x"], ["x", "y"], ["y", "x"]]),
        "weight": st.sampled_from([None, Decimal("1.00"), Decimal("1.50")]),
        "data": st.sampled_from([None, {}, [], 0, False, "", {"a": None}, {"b": 1, "a": 2}]),
        "inner": st.sampled_from(["", "p", "q"]),
    },
)


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin(name="khist", title="History", entities=[Paper])]


Rows = Callable[..., list[Any]]


class Life(RuleBasedStateMachine):
    """The life of one paper; each of its states is remembered beside the log."""

    app: ClassVar[App]

    def __init__(self) -> None:
        super().__init__()
        self.states: list[dict[str, Any]] = []
        self.key = ""

    def remember(self, record: Paper) -> None:
        if record.rev > len(self.states):
            self.states.append(whole(record))

    @initialize(first=values)
    def create(self, first: dict[str, Any]) -> None:
        with self.app.acting_as(SYSTEM, face="test") as ctx:
            record = ctx.add(Paper(**{"title": "a"} | first))
            ctx.flush()
            self.key = record.id
            self.remember(record)

    def act(self, verb: str, trashed: bool, *data: Any) -> None:
        with self.app.acting_as(SYSTEM, face="test") as ctx:
            if ctx.find(Paper, self.key, trashed=trashed) is not None:
                action = self.app.registry.action(f"khist.paper.{verb}")
                self.remember(ctx.run(action, self.key, *data))

    @rule(data=values)
    def update(self, data: dict[str, Any]) -> None:
        self.act("update", False, data)

    @rule()
    def trash(self) -> None:
        self.act("trash", False)

    @rule()
    def restore(self) -> None:
        self.act("restore", True)

    @rule(first=values, second=values)
    def write_twice_in_one_action(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        with self.app.acting_as(SYSTEM, face="test") as ctx:
            record = ctx.get(Paper, self.key, trashed=None)
            for data in (first, second):
                for name, value in data.items():
                    setattr(record, name, value)
                ctx.flush()
                self.remember(record)

    @invariant()
    def folds_back(self) -> None:
        with self.app.acting_as(SYSTEM, face="test", writing=False) as ctx:
            record = ctx.get(Paper, self.key, trashed=None)
            assert record.rev == len(self.states)
            assert folded(ctx, record) == [without_bookkeeping(s) for s in self.states]


def test_any_order_of_actions_can_be_folded_back_state_by_state(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was done to a record, each of its former states follows from the present and the log."""
    monkeypatch.setattr(Life, "app", app, raising=False)
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=15, stateful_step_count=8, deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )  # fmt: skip


def folded(ctx: Context, record: Paper) -> list[dict[str, Any]]:
    """Fold the log backwards: the present, then each state before it, back to the first."""
    query = select(CHANGE).where(CHANGE.c.record_id == record.id).order_by(CHANGE.c.id.desc())
    states = [whole(record)]
    for change in ctx.connection.execute(query):
        assert change.rev == record.rev - len(states) + 1
        if change.kind != "create":
            states.append(states[-1] | change.before)
    return [without_bookkeeping(state) for state in reversed(states)]


def without_bookkeeping(state: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in state.items() if name not in BOOKKEEPING}


@pytest.fixture
def paper(app: App) -> Paper:
    """Give a paper of some weight and price."""
    with app.acting_as(SYSTEM, face="test") as ctx:
        return ctx.add(
            Paper(title="Offer", price=Money(150, "EUR"), data={"a": [1]}, secret="s3cr3t")
        )


def test_a_creation_stores_nothing_of_before(paper: Paper, rows: Rows) -> None:
    [change] = rows(CHANGE, entity="khist.paper")

    assert (change["kind"], change["rev"], change["before"]) == ("create", 1, None)
    assert (change["entity"], change["record_id"]) == ("khist.paper", paper.id)


def test_an_update_stores_the_old_values_of_what_changed_and_nothing_else(
    paper: Paper, act: Any, rows: Rows
) -> None:
    act(
        "khist.paper.update", paper.id,
        {"title": "Offer", "price": Money(150, "JPY"), "author": PersonName("Smith"), "data": None},
    )  # fmt: skip

    assert rows(CHANGE)[-1]["before"] == {
        "price": {"amount": "1.50", "currency": "EUR"}, "author": None, "data": {"a": [1]},
    }  # fmt: skip


def test_the_trash_is_one_change_with_the_moment(
    paper: Paper, act: Any, rows: Rows, clock: Any
) -> None:
    act("khist.paper.trash", paper.id)
    act("khist.paper.restore", paper.id)

    _, trash, restore = rows(CHANGE, entity="khist.paper")
    assert (trash["kind"], trash["before"]) == ("trash", {"deleted_at": None})
    assert (restore["kind"], restore["before"]) == (
        "restore",
        {"deleted_at": "2026-06-15T09:00:00.000000Z"},
    )


def test_a_purge_keeps_hidden_fields_and_no_secret(
    paper: Paper, act: Any, rows: Rows, dump: Callable[[], Any]
) -> None:
    act("khist.paper.update", paper.id, {"inner": "kept"})
    act("khist.paper.update", paper.id, {"secret": "0th3r"})
    act("khist.paper.purge", paper.id)

    before = rows(CHANGE)[-1]["before"]
    assert before["inner"] == "kept"
    assert before["custom"] == {}
    assert (before["rev"], before["created_by"]) == (3, "system")
    assert "secret" not in before
    assert [c["before"] for c in rows(CHANGE, kind="update")] == [{"inner": ""}, {"secret": None}]
    assert "s3cr3t" not in repr(dump())
    assert "0th3r" not in repr(dump())


def test_the_changes_of_a_set_are_counted_and_in_their_order(app: App, rows: Rows) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        for number in range(5):
            ctx.add(Paper(title=str(number)))
            ctx.flush()

    [the_set] = rows(CHANGE_SET, face="test")
    assert the_set["rows"] == 5
    titles = {row["id"]: row["title"] for row in rows(Paper.info.table)}
    assert [titles[c["record_id"]] for c in rows(CHANGE, entity="khist.paper")] == list("01234")


def test_two_writers_of_one_moment_have_sets_in_their_order(
    app: App, rows: Rows, clock: Any
) -> None:
    """The clock stands still here; the keys of the sets do not."""
    for name in "ab":
        with app.acting_as(SYSTEM, face=name) as ctx:
            ctx.add(Paper(title=name))

    sets = [s for s in rows(CHANGE_SET) if s["face"] in "ab"]
    assert [s["face"] for s in sets] == ["a", "b"]
    assert sets[0]["at"] == sets[1]["at"]


def test_a_set_that_fails_to_commit_is_not_there(
    app: App, paper: Paper, dump: Callable[[], Any]
) -> None:
    before = dump()
    with (
        pytest.raises(Conflict, match="A value that must be there is missing"),
        app.acting_as(SYSTEM, face="test") as ctx,
    ):
        ctx.add(Paper(title="good"))
        ctx.flush()
        ctx.add(Paper())
    assert dump() == before
