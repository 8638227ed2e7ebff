"""Facts: they leave with the commit or not at all, and each subscriber hears each of them, however long it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Mapped

from clientela.access.principal import SYSTEM, Principal
from clientela.actions import action
from clientela.app import App
from clientela.context import Context
from clientela.entity import Entity
from clientela.errors import Conflict, Misconfigured
from clientela.facts import Fact, RecordCreated, on
from clientela.fields import text
from clientela.history import CHANGE_SET
from clientela.outbox import ATTEMPTS, BATCH, DELIVERY, OUTBOX
from clientela.plugins.card import Plugin
from clientela.values import Money
from clientela_sdk.testing.clock import HeldClock
from clientela_sdk.testing.databases import opened


class Letter(Entity, plugin="koutbox", label="Letter", prefix="kle"):
    """A letter that is sent, and of which others hear."""

    words: Mapped[str] = text()


class LetterSent(Fact, plugin="koutbox"):
    """A letter was sent."""

    letter: str
    copies: int = 1


class LetterLost(Fact, plugin="koutbox"):
    """A letter was lost."""

    letter: str
    price: str | None = None


@action("koutbox.letter.send", on=Letter)
def send(ctx: Context, letter: Letter) -> Letter:
    """Send a letter and tell it."""
    letter.words = f"{letter.words}!"
    ctx.tell(LetterSent(letter=letter.public_id))
    return letter


@action("koutbox.letter.send_and_fail", on=Letter)
def send_and_fail(ctx: Context, letter: Letter) -> None:
    """Send a letter, tell it, and fail."""
    send(ctx, letter)
    raise Conflict("The post office is closed.")


Hear = Callable[[Context, Any], object]


class Ears:
    """Two subscribers to letters, whose behaviour a test chooses: `ears.does["filer"] = function`."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Fact]] = []
        self.does: dict[str, Hear] = {}

    def hear(self, who: str, ctx: Context, fact: Any) -> None:
        self.heard.append((who, fact))
        self.does.get(who, lambda _ctx, _fact: None)(ctx, fact)

    def of(self, who: str) -> list[Fact]:
        return [fact for name, fact in self.heard if name == who]


EARS: list[Ears] = []


@on(LetterSent)
def filer(ctx: Context, fact: LetterSent) -> None:
    """File the letter."""
    EARS[-1].hear("filer", ctx, fact)


@on(LetterSent)
def counter(ctx: Context, fact: LetterSent) -> None:
    """Count the letter."""
    EARS[-1].hear("counter", ctx, fact)


@on(LetterLost)
def seeker(ctx: Context, fact: LetterLost) -> None:
    """Look for the letter."""
    EARS[-1].hear("seeker", ctx, fact)


CARD: dict[str, Any] = {
    "name": "koutbox", "title": "Letters", "entities": [Letter],
    "actions": [send, send_and_fail], "facts": [LetterSent, LetterLost],
}  # fmt: skip

Rows = Callable[..., list[Any]]
Dump = Callable[[], Any]


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin(**CARD, subscriptions=[filer, counter, seeker])]


@pytest.fixture
def ears() -> Iterator[Ears]:
    """Give what the subscribers hear in this test."""
    EARS.append(Ears())
    yield EARS[-1]
    EARS.pop()


@pytest.fixture
def letter(app: App) -> Letter:
    """Give a letter."""
    with app.acting_as(SYSTEM, face="test") as ctx:
        return ctx.add(Letter(words="Dear Anna"))


def debts(rows: Rows) -> list[tuple[str, int, bool]]:
    """Give who has not heard yet, how often it was tried and whether it was given up."""
    return sorted(
        (d["subscriber"].rpartition(".")[2], d["attempts"], d["dead"]) for d in rows(DELIVERY)
    )


def fails(*errors: BaseException) -> Hear:
    waiting = list(errors)

    def fail(_ctx: Context, _fact: Any) -> None:
        if waiting:
            raise waiting.pop(0)

    return fail


# leaving with the commit ----------------------------------------------------------------------------------------------


def test_a_fact_is_written_with_what_it_tells_of(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows, as_role: Callable[..., Principal]
) -> None:
    act("koutbox.letter.send", letter.id, by=as_role("koutbox.*"))

    [told] = rows(OUTBOX, fact="koutbox.letter_sent")
    assert told["payload"] == {"letter": letter.public_id, "copies": 1}
    assert (told["actor"], told["set_id"]) == ("tester", rows(CHANGE_SET)[-1]["id"])
    assert debts(rows) == [("counter", 0, False), ("filer", 0, False)]
    assert ears.heard == []


@pytest.mark.parametrize("name", ["koutbox.letter.send_and_fail"])
def test_what_did_not_happen_is_not_told(
    ears: Ears, letter: Letter, act: Any, dump: Dump, app: App, name: str
) -> None:
    before = dump()
    with pytest.raises(Conflict):
        act(name, letter.id)

    assert dump() == before
    assert app.outbox.deliver() == 0
    assert ears.heard == []


def test_a_dry_run_tells_nobody(app: App, ears: Ears, letter: Letter, act: Any) -> None:
    act("koutbox.letter.send", letter.id, dry_run=True)

    assert app.outbox.deliver() == 0
    assert ears.heard == []


def test_a_fact_nobody_wants_is_kept_for_the_feed_and_owed_to_nobody(
    app: App, ears: Ears, letter: Letter, rows: Rows
) -> None:
    assert len(rows(OUTBOX, fact="core.record_created")) >= 1
    assert debts(rows) == []
    assert app.outbox.deliver() == 0


def test_a_fact_may_be_told_where_nothing_was_changed(app: App, ears: Ears, rows: Rows) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.tell(LetterLost(letter="?"))

    assert rows(OUTBOX, fact="koutbox.letter_lost")[0]["set_id"] is None
    assert app.outbox.deliver() == 1
    assert ears.of("seeker") == [LetterLost(letter="?")]


# hearing --------------------------------------------------------------------------------------------------------------


def test_each_subscriber_hears_each_fact_once_in_its_order(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows
) -> None:
    for _ in range(3):
        act("koutbox.letter.send", letter.id)

    assert app.outbox.deliver() == 6
    assert app.outbox.deliver() == 0
    assert [who for who, _ in ears.heard].count("filer") == 3
    assert ears.of("counter") == [LetterSent(letter=letter.public_id)] * 3
    assert debts(rows) == []
    assert len(rows(OUTBOX, fact="koutbox.letter_sent")) == 3


def test_what_a_subscriber_writes_names_its_cause(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows
) -> None:
    ears.does["filer"] = lambda ctx, _fact: ctx.add(Letter(words="a copy"))
    act("koutbox.letter.send", letter.id)
    cause = rows(CHANGE_SET)[-1]["id"]
    app.outbox.deliver()

    effect = rows(CHANGE_SET)[-1]
    assert effect["cause"] == cause
    assert effect["face"] == "subscriber"
    assert effect["actor"].startswith("system:")
    assert "filer" in effect["actor"]


def test_a_subscriber_may_act_and_tell_in_its_turn(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows
) -> None:
    ears.does["filer"] = lambda ctx, fact: ctx.tell(LetterLost(letter=fact.letter))
    act("koutbox.letter.send", letter.id)

    assert app.outbox.deliver() == 2
    assert app.outbox.deliver() == 1
    assert ears.of("seeker") == [LetterLost(letter=letter.public_id)]


# failing --------------------------------------------------------------------------------------------------------------


def test_who_fails_is_asked_again_later_and_the_others_are_not_kept_waiting(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows, clock: HeldClock
) -> None:
    ears.does["filer"] = fails(RuntimeError("the cabinet is locked"))
    act("koutbox.letter.send", letter.id)

    assert app.outbox.deliver() == 1
    assert debts(rows) == [("filer", 1, False)]
    assert rows(DELIVERY)[0]["error"] == "RuntimeError: the cabinet is locked"
    assert app.outbox.deliver() == 0

    clock.forward(seconds=2)
    assert app.outbox.deliver() == 1
    assert debts(rows) == []
    assert ears.of("counter") == ears.of("filer")[:1]


def test_the_pauses_grow_and_at_last_the_letter_is_dead(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows, clock: HeldClock
) -> None:
    ears.does["filer"] = fails(*[RuntimeError("boom")] * 100)
    act("koutbox.letter.send", letter.id)

    pauses: list[timedelta] = []
    while not (rows(DELIVERY)[0]["dead"] if pauses else False):
        app.outbox.deliver()
        due = rows(DELIVERY)[0]["due_at"]
        pauses.append(due - clock.now)
        clock.at(due - timedelta(microseconds=1))
        assert app.outbox.deliver() == 0
        clock.at(due)

    assert pauses == [timedelta(seconds=2**n) for n in range(1, ATTEMPTS + 1)]
    assert debts(rows) == [("filer", ATTEMPTS, True)]
    assert len(ears.of("filer")) == ATTEMPTS

    clock.forward(days=365)
    assert app.outbox.deliver() == 0
    assert len(ears.of("filer")) == ATTEMPTS


def test_a_dead_letter_that_is_revived_is_heard(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows, clock: HeldClock
) -> None:
    ears.does["filer"] = fails(RuntimeError("boom"))
    act("koutbox.letter.send", letter.id)
    app.outbox.deliver()
    with app.db.write() as connection:
        connection.execute(DELIVERY.update().values(dead=True))
    clock.forward(hours=1)
    assert app.outbox.deliver() == 0

    with app.db.write() as connection:
        connection.execute(DELIVERY.update().values(dead=False, due_at=clock.now))
    assert app.outbox.deliver() == 1


@pytest.mark.parametrize(
    "error",
    [RuntimeError("boom"), Conflict("no"), SystemExit(1), MemoryError(), GeneratorExit()],
    ids=repr,
)
def test_what_a_failing_subscriber_wrote_is_not_there_and_its_debt_is(
    app: App,
    ears: Ears,
    letter: Letter,
    act: Any,
    rows: Rows,
    clock: HeldClock,
    error: BaseException,
) -> None:
    """What it writes and that it heard stand or fall together; not even an exit takes the others along."""

    def write_and_fail(ctx: Context, fact: LetterSent) -> None:
        ctx.add(Letter(words="a copy"))
        ctx.tell(LetterLost(letter=fact.letter))
        ctx.flush()
        if len(ears.of("filer")) == 1:
            raise error

    ears.does["filer"] = write_and_fail
    act("koutbox.letter.send", letter.id)
    app.outbox.deliver()
    assert [row["words"] for row in rows(Letter.info.table)] == ["Dear Anna!"]
    assert debts(rows) == [("filer", 1, False)]
    assert rows(OUTBOX, fact="koutbox.letter_lost") == []

    clock.forward(seconds=2)
    app.outbox.deliver()
    assert [row["words"] for row in rows(Letter.info.table)] == ["Dear Anna!", "a copy"]
    assert len(rows(OUTBOX, fact="koutbox.letter_lost")) == 1


def test_whoever_interrupts_a_delivery_is_obeyed_and_the_debt_stays(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows
) -> None:
    ears.does["filer"] = fails(KeyboardInterrupt())
    act("koutbox.letter.send", letter.id)
    with pytest.raises(KeyboardInterrupt):
        app.outbox.deliver()

    assert ("filer", 0, False) in debts(rows)
    app.outbox.deliver()
    assert debts(rows) == []


def test_a_fact_that_no_longer_fits_its_class_is_a_dead_letter_in_the_end(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows
) -> None:
    act("koutbox.letter.send", letter.id)
    with app.db.write() as connection:
        connection.execute(OUTBOX.update().values(payload={"lettre": "x"}))

    assert app.outbox.deliver() == 0
    assert [d[1] for d in debts(rows)] == [1, 1]
    assert "ValidationError" in rows(DELIVERY)[0]["error"]
    assert ears.heard == []


def test_a_very_long_error_is_cut(
    app: App, ears: Ears, letter: Letter, act: Any, rows: Rows
) -> None:
    ears.does["filer"] = fails(RuntimeError("x" * 10_000))
    act("koutbox.letter.send", letter.id)
    app.outbox.deliver()

    assert len(rows(DELIVERY)[0]["error"]) == 500


# disabled plugins -----------------------------------------------------------------------------------------------------


@pytest.fixture
def without_filer(db_url: str, clock: HeldClock) -> Iterator[App]:
    """Give the same deployment without the plugin that files letters."""
    with opened(
        App(db_url, plugins=[Plugin(**CARD, subscriptions=[counter, seeker])], clock=clock)
    ) as made:
        yield made


def test_the_debt_to_a_disabled_plugin_waits_until_it_is_back(
    app: App, without_filer: App, ears: Ears, letter: Letter, act: Any, rows: Rows, clock: HeldClock
) -> None:
    act("koutbox.letter.send", letter.id)

    assert without_filer.outbox.deliver() == 1
    clock.forward(days=30)
    assert without_filer.outbox.deliver() == 0
    assert debts(rows) == [("filer", 0, False)]

    assert app.outbox.deliver() == 1
    assert ears.of("filer") == [LetterSent(letter=letter.public_id)]


def test_the_debts_to_a_disabled_plugin_keep_nobody_else_waiting(
    app: App, without_filer: App, ears: Ears, letter: Letter, rows: Rows
) -> None:
    """Deliveries go in batches; one that is full of debts that wait must not be all there is."""
    with app.acting_as(SYSTEM, face="test") as ctx:
        for _ in range(BATCH + 5):
            ctx.tell(LetterSent(letter="x"))
    with app.db.write() as connection:
        connection.execute(DELIVERY.delete().where(DELIVERY.c.subscriber == counter.name))
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.tell(LetterLost(letter="y"))

    without_filer.outbox.deliver()

    assert ears.of("seeker") == [LetterLost(letter="y")]


# several at once ------------------------------------------------------------------------------------------------------


def test_two_processes_deliver_each_fact_once(
    app: App,
    db_url: str,
    plugins: Sequence[Plugin],
    ears: Ears,
    letter: Letter,
    act: Any,
    clock: HeldClock,
) -> None:
    """Each of two apps stands for a process; both begin at the same moment."""
    for _ in range(10):
        act("koutbox.letter.send", letter.id)
    start = threading.Barrier(2)

    with opened(App(db_url, plugins=plugins, clock=clock)) as other:

        def deliver(one: App) -> None:
            start.wait()
            while one.outbox.deliver():
                pass

        threads = [threading.Thread(target=deliver, args=(one,)) for one in (app, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        deliver_rest = app.outbox.deliver() + other.outbox.deliver()

    assert deliver_rest == 0
    assert (len(ears.of("filer")), len(ears.of("counter"))) == (10, 10)


def test_one_thread_of_a_process_delivers_at_a_time(
    app: App, ears: Ears, letter: Letter, act: Any
) -> None:
    seen: list[int] = []
    ears.does["filer"] = lambda _ctx, _fact: seen.append(app.outbox.deliver())
    act("koutbox.letter.send", letter.id)

    assert app.outbox.deliver() == 2
    assert seen == [0]


# facts ----------------------------------------------------------------------------------------------------------------


def test_a_fact_says_whose_it_is_and_is_named_after_its_class() -> None:
    assert LetterSent.name == "koutbox.letter_sent"
    assert RecordCreated.name == "core.record_created"
    with pytest.raises(Misconfigured, match="must say whose fact it is"):

        class Orphan(Fact):
            """A fact of nobody."""


def test_a_fact_is_frozen_and_carries_what_it_declares() -> None:
    from pydantic import ValidationError

    fact = LetterSent(letter="x")
    with pytest.raises(ValidationError, match="frozen"):
        fact.letter = "y"
    with pytest.raises(ValidationError, match="Extra inputs"):
        LetterSent(letter="x", more=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        LetterLost(letter="x", price=Money(1, "EUR"))  # type: ignore[arg-type]
