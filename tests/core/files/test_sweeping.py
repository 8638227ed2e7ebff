"""What becomes of the bytes: they go with their record, later, and never while something still wants them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from clientela.access.principal import SYSTEM
from clientela.files.sweeping import YOUNG, check, sweep
from clientela.settings import Settings


def swept(app) -> int:
    """Sweep as if everything had come in long ago, and give how many files went."""
    return sweep(app, young=timedelta()).files


def states(app) -> list[str]:
    return sorted(one.state for one in check(app))


def hold(app, attachment) -> bool:
    return app.files.size(attachment.file["sha256"]) is not None


def purge(app, record) -> str:
    """Purge and give the id of the change set."""
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.run(app.registry.action(record.info.permission("purge")), record.public_id)
        return f"chs_{ctx.change_set().id}"


def test_a_record_takes_what_is_attached_to_it_along(app, client, attached, anna):
    mine = attached(anna)

    purge(app, anna)

    assert client.get(f"/api/v1/core/attachments/{mine.public_id}").status_code == 404
    assert hold(app, mine)


def test_a_purge_is_taken_back_as_long_as_the_bytes_are_kept(app, client, clock, attached, anna):
    mine = attached(anna)
    done = purge(app, anna)
    clock.forward(days=29)
    assert swept(app) == 0

    assert client.post(f"/api/v1/core/changes/{done}:undo").status_code == 200
    assert client.get(f"/api/v1/core/attachments/{mine.public_id}/content").content == b"hello"
    assert states(app) == []


def test_after_the_grace_time_the_bytes_go_and_nothing_brings_them_back(
    app, client, clock, attached, anna
):
    mine = attached(anna)
    done = purge(app, anna)
    clock.forward(days=31)

    assert swept(app) == 1
    assert not hold(app, mine)
    refused = client.post(f"/api/v1/core/changes/{done}:undo")
    assert (refused.status_code, refused.json()["code"]) == (409, "cannot-undo")
    assert "hello.txt" in refused.json()["detail"]
    assert client.get(f"/api/v1/core/customers/{anna.public_id}").status_code == 404


def test_an_attachment_that_was_purged_alone_comes_back_alone(app, client, attached, anna):
    mine = attached(anna)
    done = purge(app, mine)

    assert client.post(f"/api/v1/core/changes/{done}:undo").status_code == 200
    assert client.get(f"/api/v1/core/attachments/{mine.public_id}/content").status_code == 200


def test_an_attachment_does_not_come_back_to_a_record_that_is_gone(app, client, attached, anna):
    mine = attached(anna)
    done = purge(app, mine)
    purge(app, anna)

    refused = client.post(f"/api/v1/core/changes/{done}:undo")

    assert (refused.status_code, refused.json()["code"]) == (409, "cannot-undo")


def test_bytes_that_two_records_hold_stay_for_the_second(app, clock, attached, make, anna):
    from clientela.customers.entities import Customer

    mine, other = attached(anna), attached(make(Customer))
    purge(app, mine)
    clock.forward(days=31)

    assert swept(app) == 0
    assert hold(app, other)


def test_the_trash_keeps_its_bytes(app, client, clock, attached, anna):
    mine = attached(anna)
    client.delete(f"/api/v1/core/attachments/{mine.public_id}")
    clock.forward(days=400)

    assert swept(app) == 0


def test_what_came_in_just_now_is_left_alone(app, send_as, clock):
    send_as(SYSTEM, b"hello")
    clock.forward(days=2)

    assert sweep(app, young=YOUNG).files == 0
    assert swept(app) == 1


def test_a_check_names_what_is_missing_damaged_and_unwanted(app, attached, clock, send_as, anna):
    lost, bad, short = (attached(anna, content) for content in (b"lost", b"bad", b"short"))
    send_as(SYSTEM, b"unwanted")
    clock.forward(days=2)
    place = Path(app.files.where)

    def path(one):
        sha256 = one.file["sha256"]
        return place / sha256[:2] / sha256[2:4] / sha256

    path(lost).unlink()
    path(bad).write_bytes(b"BAD")
    path(short).write_bytes(b"s")

    assert states(app) == ["damaged", "damaged", "missing", "orphaned"]
    assert sorted(one.state for one in check(app, deep=False)) == ["damaged", "missing", "orphaned"]


# where nothing is kept for later --------------------------------------------------------------------------------------


class TestNoGrace:
    @pytest.fixture
    def settings(self, tmp_path) -> Settings:
        return Settings(pool_size=4, folder=tmp_path, file_grace_days=0)

    def test_bytes_go_with_the_purge(self, app, attach, client, anna):
        mine = attach(anna)
        client.post(f"{mine}:purge")

        assert list(app.files.list()) == []

    def test_bytes_stay_when_the_purge_does_not_happen(self, app, attach, client, anna):
        mine = attach(anna)
        client.post(f"{mine}:purge?dry_run=true")

        assert client.get(f"{mine}/content").status_code == 200

    def test_bytes_that_cannot_be_removed_wait_for_the_sweep(
        self, app, attach, client, anna, caplog
    ):
        mine = attach(anna)
        (kept,) = app.files.list()
        folder = Path(app.files.where) / kept.sha256[:2] / kept.sha256[2:4]
        moved = folder.rename(folder.with_name("away"))
        folder.mkdir()
        (folder / kept.sha256).mkdir()  # what is no file cannot be unlinked

        assert client.post(f"{mine}:purge").status_code == 204
        assert "the next sweep will" in caplog.text
        (folder / kept.sha256).rmdir()
        folder.rmdir()
        moved.rename(folder)
        assert swept(app) == 1
