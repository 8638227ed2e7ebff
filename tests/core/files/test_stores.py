"""Every store keeps, gives, lists and removes bytes alike: a folder, and a bucket of a real S3-compatible server."""

from __future__ import annotations

import hashlib
import os
import sys
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from clientela.errors import Misconfigured, Unavailable
from clientela.files.local import LocalStore
from clientela.files.places import open_store
from clientela.files.store import Missing, Store
from clientela.settings import Settings, load_settings


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{address}/shop", method="PUT")).close()
    yield address
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path) -> Store:
    if request.param == "folder":
        return LocalStore(tmp_path / "files")
    settings = Settings(
        file_bucket=f"shop/{tmp_path.name}", file_endpoint=request.getfixturevalue("s3_server"),
        file_key_id="key", file_key_secret=SecretStr("secret"),
    )  # fmt: skip
    return open_store(settings, lasting=True)


def kept(store: Store, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    staging = store.stage()
    staging.write(content)
    staging.keep(sha256)
    staging.discard()
    return sha256


def test_what_is_kept_can_be_read_again(store):
    sha256 = kept(store, b"hello world")

    assert store.size(sha256) == 11
    assert b"".join(store.open(sha256)) == b"hello world"


def test_a_part_is_read_alone(store):
    sha256 = kept(store, b"hello world")

    assert b"".join(store.open(sha256, 6)) == b"world"
    assert b"".join(store.open(sha256, 3, 4)) == b"lo w"
    assert b"".join(store.open(sha256, 6, 100)) == b"world"


def test_large_bytes_come_in_pieces(store):
    content = os.urandom(9 * 2**20)
    sha256 = kept(store, content)

    pieces = list(store.open(sha256))

    assert b"".join(pieces) == content
    assert len(pieces) > 5


def test_no_bytes_at_all_are_bytes_too(store):
    sha256 = kept(store, b"")

    assert store.size(sha256) == 0
    assert list(store.open(sha256)) == []


def test_the_same_bytes_are_kept_once(store):
    first, second = kept(store, b"same"), kept(store, b"same")

    assert first == second
    assert [one.sha256 for one in store.list()] == [first]


def test_what_is_not_there_is_missing_at_once(store):
    nothing = "0" * 64

    assert store.size(nothing) is None
    with pytest.raises(Missing):
        store.open(nothing)


def test_what_is_removed_is_gone_and_may_be_removed_again(store):
    sha256 = kept(store, b"hello")

    store.delete(sha256)
    store.delete(sha256)

    assert store.size(sha256) is None
    assert list(store.list()) == []


def test_what_was_discarded_was_never_there(store):
    staging = store.stage()
    staging.write(b"half")
    staging.discard()
    staging.discard()

    assert list(store.list()) == []


# a folder -------------------------------------------------------------------------------------------------------------


def test_a_folder_holds_nothing_but_hashes(tmp_path):
    store = LocalStore(tmp_path)
    sha256 = kept(store, b"hello")

    files = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert files == [Path(sha256[:2], sha256[2:4], sha256)]
    assert (tmp_path / files[0]).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", "", "0" * 63, "A" * 64, "0" * 64 + "\0"]
)
def test_only_a_hash_is_a_name(tmp_path, name):
    store = LocalStore(tmp_path)

    with pytest.raises(Missing):
        store.open(name)


def test_what_a_killed_process_left_is_tidied_up_when_it_is_old(tmp_path):
    store = LocalStore(tmp_path)
    killed = store.stage()
    killed.write(b"half")
    (leftover,) = tmp_path.iterdir()

    assert store.tidy(timedelta(days=1)) == 0
    os.utime(leftover, (0, 0))
    assert store.tidy(timedelta(days=1)) == 1
    assert list(tmp_path.iterdir()) == []
    killed.discard()


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """Mount a disk of 64 KiB, where that is allowed."""
    import subprocess

    place = tmp_path / "disk"
    place.mkdir()
    mounted = (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place],
            capture_output=True,
            check=False,
        )
        if sys.platform == "linux" and os.geteuid() == 0
        else None
    )
    if mounted is None or mounted.returncode:
        pytest.skip("mounting a small disk needs root on Linux")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_said_and_leaves_no_half_file(small_disk):
    store = LocalStore(small_disk)
    staging = store.stage()

    with pytest.raises(Unavailable, match="disk is full"):
        for _ in range(40):
            staging.write(b"x" * 8192)
        staging.keep("0" * 64)
    staging.discard()

    assert not [path for path in small_disk.rglob("*") if path.is_file()]
    assert kept(store, b"small")


# where ----------------------------------------------------------------------------------------------------------------


def test_files_lie_in_the_folder_of_the_deployment_unless_it_says_otherwise(tmp_path):
    here = open_store(Settings(folder=tmp_path), lasting=True)
    there = open_store(Settings(folder=tmp_path, file_folder=tmp_path / "disk"), lasting=True)

    assert (here.where, there.where) == (str(tmp_path / "files"), str(tmp_path / "disk"))


def test_files_of_a_database_in_memory_go_with_it(tmp_path):
    store = open_store(Settings(folder=tmp_path), lasting=False)
    kept(store, b"hello")
    place = Path(store.where)

    assert place.is_dir()
    del store
    assert not place.exists()


def test_a_bucket_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    monkeypatch.delitem(sys.modules, "clientela.files.s3", raising=False)

    with pytest.raises(Misconfigured) as refused:
        open_store(Settings(file_bucket="shop"), lasting=True)

    assert refused.value.extra["fix"] == "pip install 'clientela[s3]'"


def test_a_server_that_does_not_answer_is_said_without_its_address():
    settings = Settings(
        file_bucket="shop",
        file_endpoint="http://127.0.0.1:9",
        file_key_id="a",
        file_key_secret=SecretStr("b"),
    )

    with pytest.raises(Unavailable) as refused:
        open_store(settings, lasting=True).size("0" * 64)

    assert "127.0.0.1" not in refused.value.detail


def test_the_keys_of_a_bucket_are_read_by_reference_and_never_shown(tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("hush\n")
    (tmp_path / "clientela.toml").write_text(
        'file_bucket = "shop"\n'
        'file_key_id = { env = "SHOP_KEY" }\n'
        f'file_key_secret = {{ file = "{tmp_path / "secret"}" }}\n'
    )
    monkeypatch.setenv("SHOP_KEY", "key")

    settings = load_settings(tmp_path)

    assert (settings.file_key_id, settings.file_key_secret.get_secret_value()) == ("key", "hush")
    assert "hush" not in f"{settings} {settings!r}"


def test_a_key_that_is_no_reference_says_how_to_write_one(tmp_path):
    (tmp_path / "clientela.toml").write_text('file_key_secret = { value = "hush" }\n')

    with pytest.raises(Misconfigured, match=r"file_key_secret is a text, or \{ env"):
        load_settings(tmp_path)


def test_files_have_one_place(tmp_path):
    (tmp_path / "clientela.toml").write_text('file_bucket = "shop"\nfile_folder = "/srv"\n')

    with pytest.raises(Misconfigured, match="not in both"):
        load_settings(tmp_path)
