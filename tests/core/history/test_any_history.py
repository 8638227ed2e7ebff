"""Whatever is done to records, every moment can be looked back to, and all of it taken back."""

from __future__ import annotations

from datetime import timedelta

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from clientela.access.principal import SYSTEM
from clientela.changes import redo, undo
from clientela.customers.entities import Customer, Interaction
from clientela.history import CHANGE_SET
from clientela.query import Question, list_page

FEW = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "update", "update", "contact", "trash", "restore", "purge"]),
        st.integers(0, 5),
        st.sampled_from(["Roof", "Wall", "Дом", "Ёлка"]),
        st.sampled_from(["RU", "DE", None]),
    ),
    min_size=3,
    max_size=18,
)


def everything(app, moment=None, *, trashed=None):
    """Give all rows of both entities, as JSON texts."""
    with app.acting_as(SYSTEM, face="test", writing=False, as_of=moment) as ctx:
        return [
            orjson.dumps(row).decode()
            for entity in (Customer, Interaction)
            for row in list_page(
                ctx, entity.info, Question(sort="id", limit=200, trashed=trashed)
            ).rows
        ]


def live(app):
    """Give what an export would show, without the bookkeeping of revisions."""
    rows = [orjson.loads(row) for row in everything(app, trashed=False)]
    for row in rows:
        for name in ("rev", "updated_at", "updated_by", "created_at", "created_by"):
            row.pop(name)
    return rows


def act(app, step, keys):
    """Do one step, if there is something to do it to; give whether it changed anything."""
    verb, place, name, country = step
    with app.acting_as(SYSTEM, face="test") as ctx:
        run = lambda action, *a: ctx.run(app.registry.action(f"core.{action}"), *a)  # noqa: E731
        if verb == "create" or not keys:
            keys.append(run("customer.create", None, {"name": name, "country": country}).id)
            return
        key = keys[place % len(keys)]
        record = ctx.find(Customer, key, trashed=None)
        if record is None:
            return
        gone = record.deleted_at is not None
        if verb == "update" and not gone:
            run("customer.update", key, {"name": name, "country": country})
        elif verb == "contact" and not gone:
            run(
                "interaction.create",
                None,
                {"customer_id": key, "channel": "phone", "at": ctx.now, "subject": name},
            )
        elif verb == "trash" and not gone:
            run("customer.trash", key)
        elif verb == "restore" and gone:
            run("customer.restore", key)
        elif verb == "purge":
            run("customer.purge", key)


def sets(app):
    with app.db.read() as connection:
        return list(connection.execute(select(CHANGE_SET.c.id).order_by(CHANGE_SET.c.id)).scalars())


def clean(app):
    """Empty the tables between two examples of one test."""
    from clientela.external import EXTERNAL
    from clientela.history import CHANGE
    from clientela.outbox import DELIVERY, OUTBOX

    with app.db.write() as connection:
        for table in (
            DELIVERY,
            OUTBOX,
            EXTERNAL,
            CHANGE,
            CHANGE_SET,
            Interaction.info.table,
            Customer.info.table,
        ):
            connection.execute(table.delete())


@FEW
@given(steps=STEPS)
def test_the_past_is_what_was_seen_then(app, clock, steps):
    clean(app)
    keys, seen = [], []
    for step in steps:
        clock.forward(seconds=1)
        act(app, step, keys)
        seen.append((clock(), everything(app)))

    for moment, rows in seen:
        assert everything(app, moment + timedelta(milliseconds=1)) == rows


@FEW
@given(steps=STEPS)
def test_all_is_taken_back_in_reverse_and_made_again(app, clock, steps):
    clean(app)
    keys = []
    for step in steps:
        clock.forward(seconds=1)
        act(app, step, keys)
    end, done = live(app), sets(app)

    for key in reversed(done):
        clock.forward(seconds=1)
        with app.acting_as(SYSTEM, face="test") as ctx:
            undo(ctx, key)
    assert live(app) == []

    for key in done:
        clock.forward(seconds=1)
        with app.acting_as(SYSTEM, face="test") as ctx:
            redo(ctx, key)
    assert live(app) == end
