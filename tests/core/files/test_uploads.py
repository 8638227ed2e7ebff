"""Sending a file: streamed, measured, compared, and put into a record by nobody but the one who sent it."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select

from clientela.customers.entities import Customer
from clientela.files.uploads import UPLOAD
from clientela.settings import Settings

SENDER = ("core.file.create", "core.attachment.*", "core.customer.*")


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(pool_size=4, folder=tmp_path, file_most_bytes=1_000)


def on_disk(app) -> list[str]:
    from pathlib import Path

    return [path.name for path in Path(app.files.where).rglob("*") if path.is_file()]


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def code(response) -> str:
    body = response.json()
    return str(body["errors"][0]["code"] if "errors" in body else body["code"])


def test_an_upload_answers_what_arrived(app, upload):
    sent = upload(b"a;b\n1;2\n", "Счёт № 7.csv")

    assert sent.status_code == 201
    assert sent.json() == {
        "name": "Счёт № 7.csv", "type": "text/csv", "size": 8, "sha256": sha(b"a;b\n1;2\n"),
    }  # fmt: skip
    assert on_disk(app) == [sha(b"a;b\n1;2\n")]


def test_the_name_may_come_in_a_content_disposition(client):
    given = "attachment; filename=x.txt; filename*=UTF-8''%D0%B0%2F%D0%B1.txt"

    sent = client.post("/api/v1/core/files", content=b"x", headers={"Content-Disposition": given})

    assert sent.json()["name"] == "б.txt"


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/passwd", "passwd"),
        ("nul\0.txt", "_nul.txt"),
        ("a" * 300 + ".txt", "a" * 196 + ".txt"),
        ("gnp.\u202etxt", "gnp.txt"),
        ("photo.png.txt", "photo.png.txt"),
    ],
)
def test_a_hostile_name_becomes_a_harmless_one(upload, name, kept):
    assert upload(b"hello", name).json()["name"] == kept


def test_a_name_that_is_no_text_is_refused(client):
    sent = client.post("/api/v1/core/files", content=b"x", headers={"X-File-Name": "%ff"})

    assert (sent.status_code, code(sent)) == (400, "bad-syntax")


# what is not taken ----------------------------------------------------------------------------------------------------


def test_a_file_that_says_it_is_too_large_is_refused_unread(app, upload):
    sent = upload(b"x" * 1_001)

    assert (sent.status_code, code(sent)) == (413, "too-large")
    assert on_disk(app) == []


def test_a_file_that_becomes_too_large_is_refused_and_leaves_nothing(app, client):
    def without_end():
        for _ in range(20):
            yield b"x" * 100

    sent = client.post("/api/v1/core/files", content=without_end())

    assert "content-length" not in sent.request.headers
    assert (sent.status_code, code(sent)) == (413, "too-large")
    assert on_disk(app) == []


def test_a_page_that_calls_itself_an_image_is_refused(app, upload):
    sent = upload(b"<script>alert(1)</script>", "photo.png")

    assert (sent.status_code, code(sent)) == (422, "wrong-type")
    assert on_disk(app) == []


def test_a_program_is_refused_under_whatever_name(app, upload):
    sent = upload(b"MZ\x90\0" + b"\0" * 60, "invoice.pdf")

    assert (sent.status_code, code(sent)) == (415, "unsupported-media-type")
    assert on_disk(app) == []


@pytest.mark.parametrize("header", ["Content-Digest", "Digest"])
def test_a_digest_that_does_not_fit_is_refused(app, upload, header):
    other = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    value = f"sha-256=:{other}:" if header == "Content-Digest" else f"SHA-256={other}"

    sent = upload(b"hello", **{header: value})

    assert (sent.status_code, code(sent)) == (422, "wrong-digest")
    assert on_disk(app) == []


def test_a_digest_that_fits_is_taken_and_one_that_cannot_be_read_is_not(upload):
    mine = base64.b64encode(hashlib.sha256(b"hello").digest()).decode()

    assert upload(b"hello", Content_Digest=f"sha-256=:{mine}:").status_code == 201
    assert upload(b"hello", Content_Digest="sha-512=:abc=:").status_code == 201
    assert upload(b"hello", Content_Digest="sha-256=:short:").status_code == 400


def test_who_may_not_send_files_is_refused_before_a_byte_is_read(app, client, token):
    stranger = {"Authorization": f"Bearer {token('core.customer.*')}"}

    def never():
        raise AssertionError("the body was read")
        yield b""  # pragma: no cover

    from clientela.rest.asgi import create_asgi

    async def receive():
        never()

    answers: list[dict] = []

    async def send(message):
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/core/files", "raw_path": b"/api/v1/core/files",
        "query_string": b"", "headers": [(b"authorization", stranger["Authorization"].encode())],
    }  # fmt: skip
    client.portal.call(create_asgi(app), scope, receive, send)

    assert answers[0]["status"] == 403
    assert on_disk(app) == []


def test_a_caller_who_hangs_up_leaves_nothing(app, client):
    from clientela.rest.asgi import create_asgi

    messages = iter(
        [{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}]
    )
    answers: list[dict] = []

    async def receive():
        return next(messages)

    async def send(message):
        answers.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/core/files", "raw_path": b"/api/v1/core/files",
        "query_string": b"", "headers": [(b"authorization", client.headers["authorization"].encode())],
    }  # fmt: skip
    client.portal.call(create_asgi(app), scope, receive, send)

    assert answers == []
    assert on_disk(app) == []


def test_the_address_is_known_by_its_plain_spelling_and_method_only(client):
    assert client.post("/api/v1/core/%66iles", content=b"x").status_code == 400
    assert client.get("/api/v1/core/files").status_code == 405
    assert client.post("/api/v1/core/files?dry_run=true", content=b"x").status_code == 400


# once -----------------------------------------------------------------------------------------------------------------


def test_a_retried_upload_has_one_receipt(app, upload):
    first = upload(b"hello", Idempotency_Key="k1")
    again = upload(b"hello", Idempotency_Key="k1")
    other = upload(b"other", Idempotency_Key="k1")

    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    assert (other.status_code, code(other)) == (422, "key-reused")
    with app.db.read() as connection:
        assert len(connection.execute(select(UPLOAD)).fetchall()) == 1


# whose it is ----------------------------------------------------------------------------------------------------------


def test_who_knows_a_hash_has_no_right_to_its_bytes(client, upload, token, anna):
    described = upload(b"the salary of the director").json()
    thief = {"Authorization": f"Bearer {token(*SENDER)}"}

    refused = client.post(
        "/api/v1/core/attachments",
        json={"subject": anna.public_id, "file": described},
        headers=thief,
    )

    assert (refused.status_code, code(refused)) == (422, "not-uploaded")


def test_what_one_may_see_one_may_attach_again(client, attach, token, make, anna):
    mine = client.get(attach(anna)).json()["file"]
    bert = make(Customer, name="Bert")
    colleague = {"Authorization": f"Bearer {token(*SENDER)}"}

    copied = client.post(
        "/api/v1/core/attachments",
        json={"subject": bert.public_id, "file": mine},
        headers=colleague,
    )

    assert copied.status_code == 201


@pytest.mark.parametrize("change", [{"type": "image/png"}, {"size": 4}])
def test_the_description_must_be_the_one_that_the_upload_answered(client, upload, anna, change):
    described = upload(b"hello").json() | change

    refused = client.post(
        "/api/v1/core/attachments", json={"subject": anna.public_id, "file": described}
    )

    assert (refused.status_code, code(refused)) == (422, "not-uploaded")


def test_the_name_may_be_another_as_long_as_it_is_safe(client, upload, anna):
    described = upload(b"hello", "hello.txt").json()

    def named(name):
        body = {"subject": anna.public_id, "file": described | {"name": name}}
        return client.post("/api/v1/core/attachments", json=body)

    assert named("Договор.txt").status_code == 201
    assert named("../up.txt").status_code == 422


def test_a_receipt_is_forgotten_after_a_day(app, client, clock, upload, anna):
    from clientela.files.sweeping import sweep

    described = upload(b"hello").json()
    clock.forward(days=1, seconds=1)

    swept = sweep(app, young=timedelta())

    assert (swept.receipts, swept.files, swept.bytes) == (1, 1, 5)
    refused = client.post(
        "/api/v1/core/attachments", json={"subject": anna.public_id, "file": described}
    )
    assert (refused.status_code, code(refused)) == (422, "not-uploaded")


def test_a_file_of_many_pieces_arrives_whole(tmp_path, app, client, monkeypatch):
    monkeypatch.setattr("clientela.rest.streaming.PIECE", 64)

    sent = client.post("/api/v1/core/files", content=(bytes([n]) * 30 for n in range(20)))

    assert sent.json()["sha256"] == sha(b"".join(bytes([n]) * 30 for n in range(20)))
