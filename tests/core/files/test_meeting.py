"""Two who meet at the same bytes or the same record: on PostgreSQL, where writers do not take turns."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from clientela.access.principal import SYSTEM
from clientela.errors import Refusal
from clientela.files.entities import Attachment
from clientela.files.sweeping import remove
from clientela.files.uploads import hold
from clientela.query import Question, list_page

pytestmark = pytest.mark.parametrize("db_url", ["postgresql"], indirect=True)


def in_thread(work) -> tuple[threading.Thread, list[Any]]:
    """Begin work beside this one, and give what becomes of it."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(work())
        except Refusal as refused:
            outcome.append(refused)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def test_bytes_are_not_removed_while_somebody_puts_them_into_a_record(app, clock, send_as, anna):
    described = send_as(SYSTEM, b"hello")
    clock.forward(days=2)  # the receipt no longer keeps them
    sizes = {described["sha256"]: 5}

    with app.acting_as(SYSTEM, face="test") as ctx:
        values = {"subject": anna.public_id, "file": described}
        ctx.run(app.registry.action("core.attachment.create"), data=values)
        thread, outcome = in_thread(lambda: remove(app, sizes))
        thread.join(0.2)
        assert outcome == []  # it waits for us
    thread.join()

    assert outcome == [[]]
    assert app.files.size(described["sha256"]) == 5


def test_uploads_do_not_wait_for_each_other(app, send_as):
    with app.db.write() as connection:
        hold(connection)

        assert send_as(SYSTEM, b"hello")["size"] == 5


def test_nothing_is_attached_to_a_record_that_is_being_purged(app, send_as, anna):
    values = {"subject": anna.public_id, "file": send_as(SYSTEM, b"hello")}

    def attach():
        with app.acting_as(SYSTEM, face="test") as ctx:
            return ctx.run(app.registry.action("core.attachment.create"), data=values)

    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.run(app.registry.action("core.customer.purge"), anna.public_id)
        thread, outcome = in_thread(attach)
        thread.join(0.2)
        assert outcome == []
    thread.join()

    assert isinstance(outcome[0], Refusal)
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        assert list_page(ctx, Attachment.info, Question()).rows == []
