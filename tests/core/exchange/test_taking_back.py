"""An import is one act: it is shown as one, looked back over, and taken back as one, updates included."""

from __future__ import annotations

import orjson
import pytest
from sqlalchemy import select

from clientela.access.principal import SYSTEM
from clientela.changes import Wanted, list_sets, record_history, redo, show_set, undo
from clientela.customers.entities import Customer, Interaction
from clientela.external import find_external, name_external
from clientela.history import CHANGE_SET
from clientela.outbox import OUTBOX
from clientela.query import Question, list_page
from clientela.undoing import CannotUndo


def acting(app, work, **how):
    with app.acting_as(SYSTEM, face="test", **how) as ctx:
        return work(ctx)


def stored(app, *, trashed=None):
    """Give the customers whole, but for what every write counts up."""
    question = Question(sort="id", limit=200, trashed=trashed)
    rows = acting(app, lambda ctx: list_page(ctx, Customer.info, question).rows, writing=False)
    plain = orjson.loads(orjson.dumps(rows))
    return [{n: v for n, v in row.items() if not n.startswith(("rev", "updated"))} for row in plain]


def imports(app):
    wanted = Wanted(action="core.customer.import")
    return acting(app, lambda ctx: list_sets(ctx, wanted), writing=False)


FILE = "name,email,country\n" + "".join(f"N{n},n{n}@example.com,DE\n" for n in range(7))


def test_the_batches_of_a_file_are_one_set(app, take):
    report = take(Customer, FILE, batch=3)

    [one] = imports(app)
    assert (one["rows"], len(report.sets)) == (7, 3)
    shown = acting(app, lambda ctx: show_set(ctx, one["id"]), writing=False)
    by_part = acting(app, lambda ctx: show_set(ctx, f"chs_{report.sets[2]}"), writing=False)
    assert len(shown["changes"]) == 7
    assert by_part["id"] == one["id"]
    last = shown["changes"][-1]["id"]
    history = acting(app, lambda ctx: record_history(ctx, Customer.info, last), writing=False)
    assert [line["id"] for line in history["data"]] == [one["id"]]


def test_each_batch_has_its_own_moment(app, take, clock):
    """A look back into the middle of an import sees what was there by then."""
    moments = []
    with_clock = take(
        Customer, FILE, batch=3, skip_bad_rows=True,
        progress=lambda *_: (moments.append(clock()), clock.forward(seconds=10)),
    )  # fmt: skip

    assert with_clock.created == 7
    seen = [
        acting(app, lambda ctx: len(list_page(ctx, Customer.info, Question()).rows), as_of=moment)
        for moment in moments
    ]
    assert seen == [3, 6, 7]


def test_updates_are_taken_back_with_the_creations(app, take):
    take(Customer, FILE)
    before = stored(app)
    take(Customer, FILE.replace("DE", "IT") + "New,new@example.com,FR\n", key=("email",), batch=3)
    assert len(stored(app)) == 8

    acting(app, lambda ctx: undo(ctx, imports(app)[0]["id"]))

    assert stored(app) == before


def test_a_redo_brings_the_same_records_with_their_names_elsewhere(app, take):
    take(Customer, FILE)
    there, [one] = stored(app), imports(app)
    key = there[0]["id"].removeprefix("cus_")
    acting(app, lambda ctx: name_external(ctx, Customer.info, "erp", "17", key))

    acting(app, lambda ctx: undo(ctx, one["id"]))
    gone = acting(app, lambda ctx: find_external(ctx, Customer.info, "erp", "17"))
    acting(app, lambda ctx: redo(ctx, one["id"]))

    assert gone is None
    assert stored(app) == there
    assert acting(app, lambda ctx: find_external(ctx, Customer.info, "erp", "17")) == key


def test_what_was_taken_back_does_not_stand_in_the_way(app, take, parcel):
    take(parcel, "code\nA1\nA2\n")
    [one] = acting(app, lambda ctx: list_sets(ctx, Wanted(action="parcels.parcel.import")))
    acting(app, lambda ctx: undo(ctx, one["id"]))

    again = take(parcel, "code\nA1\nA3\n")

    assert (again.created, again.failed) == (2, 0)


def test_later_work_is_listed_and_nothing_is_touched(app, take):
    take(Customer, FILE)
    there = stored(app)
    edited, called = there[0]["id"], there[1]["id"]
    update = app.registry.action("core.customer.update")
    acting(app, lambda ctx: ctx.run(update, edited, {"country": "FR"}))
    call = {"customer_id": called.removeprefix("cus_"), "channel": "phone"}
    create = app.registry.action("core.interaction.create")
    contact = acting(app, lambda ctx: ctx.run(create, data=call | {"at": ctx.now}).public_id)
    now = stored(app)

    with pytest.raises(CannotUndo) as refused:
        acting(app, lambda ctx: undo(ctx, imports(app)[0]["id"]))

    listed = refused.value.extra["conflicts"]
    assert listed == [
        {"entity": "core.customer", "id": edited, "field": "country", "left": "DE", "now": "FR"}
    ]
    assert stored(app) == now
    acting(app, lambda ctx: ctx.run(update, edited, {"country": "DE"}))
    with pytest.raises(CannotUndo) as refused:
        acting(app, lambda ctx: undo(ctx, imports(app)[0]["id"]))
    assert refused.value.extra["conflicts"] == [
        {"entity": "core.interaction", "id": contact, "field": "customer_id", "left": None, "now": called}
    ]  # fmt: skip


def test_a_record_may_be_touched_twice_by_one_set(app):
    """Created, changed and connected in one action, and gone again with it in the right order."""

    def work(ctx):
        made = ctx.add(Customer(name="Anna"))
        ctx.flush()
        made.country = "DE"
        ctx.flush()
        ctx.add(Interaction(customer_id=made.id, channel="phone", at=ctx.now))
        ctx.flush()
        return ctx.change_set().id

    key = acting(app, work)
    acting(app, lambda ctx: undo(ctx, f"chs_{key}"))
    assert stored(app) == []

    acting(app, lambda ctx: redo(ctx, f"chs_{key}"))
    assert [(r["name"], r["country"]) for r in stored(app)] == [("Anna", "DE")]


def test_subscribers_hear_of_the_undo_and_of_each_record(app, take):
    take(Customer, FILE)
    acting(app, lambda ctx: undo(ctx, imports(app)[0]["id"]))

    told = acting(app, lambda ctx: ctx.connection.execute(select(OUTBOX.c.fact)).scalars().all())
    assert told.count("core.record_purged") == 7
    assert told.count("core.changes_undone") == 1


def test_a_dry_run_shows_what_an_undo_would_do(app, take, client):
    take(Customer, FILE)
    [one] = imports(app)

    answer = client.post(f"/api/v1/core/changes/{one['id']}:undo?dry_run=true").json()

    assert [c["kind"] for c in answer["changes"]] == ["purge"] * 7
    assert len(stored(app)) == 7
    with app.db.read() as connection:
        undoing = select(CHANGE_SET.c.id).where(CHANGE_SET.c.undoes.is_not(None))
        assert connection.execute(undoing).first() is None
