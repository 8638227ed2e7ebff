"""What goes for good is written to a file first, and nothing goes when the file cannot be written."""

from __future__ import annotations

import errno
import os

import orjson
import pytest

from clientela.access.principal import SYSTEM
from clientela.customers.entities import Customer, Interaction
from clientela.errors import Unavailable


def purge(app, key, **how):
    with app.acting_as(SYSTEM, face="test", **how) as ctx:
        ctx.run(app.registry.action("core.customer.purge"), key)


@pytest.fixture
def anna(make, clock):
    made = make(Customer, name="Анна", country="RU")
    make(Interaction, customer_id=made.id, channel="phone", at=clock())
    return made


def kept(tmp_path):
    return [
        orjson.loads(line)
        for file in (tmp_path / "purged").glob("chs_*.jsonl")
        for line in file.read_bytes().splitlines()
    ]


def test_a_purge_is_exported_first(app, anna, tmp_path):
    purge(app, anna.id)

    call, customer = kept(tmp_path)
    assert (call["entity"], call["values"]["channel"]) == ("core.interaction", "phone")
    assert customer["id"] == anna.public_id
    assert (customer["values"]["name"], customer["values"]["country"]) == ("Анна", "RU")


def test_a_dry_run_exports_nothing(app, anna, tmp_path):
    purge(app, anna.id, dry_run=True)

    assert not (tmp_path / "purged").exists()


def test_what_cannot_be_exported_is_not_purged(app, anna, tmp_path):
    (tmp_path / "purged").write_text("a file where the folder should be")

    with pytest.raises(Unavailable, match="Nothing was purged"):
        purge(app, anna.id)
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        assert ctx.find(Customer, anna.id) is not None


def test_a_disk_that_is_full_leaves_no_half_file_behind(app, anna, tmp_path, monkeypatch):
    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="No space left"):
        purge(app, anna.id)

    assert list((tmp_path / "purged").iterdir()) == []


def test_the_name_of_the_export_is_on_the_disk_before_the_records_go(
    app, anna, tmp_path, monkeypatch
):
    flushed = []
    monkeypatch.setattr(os, "fsync", lambda handle: flushed.append(os.fstat(handle).st_ino))
    purge(app, anna.id)

    folders = [(tmp_path / "purged").stat().st_ino, tmp_path.stat().st_ino]
    assert flushed[-2:] == folders
