"""Fetching a file: whole, in parts, not again when it is known; always as a download."""

from __future__ import annotations

from pathlib import Path

import pytest

from clientela.rest.ranges import Unsatisfiable, wanted_part

HELLO = b"hello world"


@pytest.mark.parametrize(
    ("sent", "part"),
    [
        ("bytes=0-4", (0, 5)),
        ("bytes=6-", (6, 5)),
        ("bytes=-5", (6, 5)),
        ("bytes=-500", (0, 11)),
        ("bytes=10-10", (10, 1)),
        ("bytes=0-999999999999999999", (0, 11)),
        ("Bytes = 0-0", (0, 1)),
    ],
)
def test_one_range_is_a_part(sent, part):
    found = wanted_part(sent, 11)

    assert found is not None
    assert (found.start, found.length) == part


@pytest.mark.parametrize(
    "sent",
    [
        None, "", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=0-1,3-4", "lines=0-1",
        "bytes=0x1-2", "bytes=1-2-3", "bytes=+1-2", "bytes=" + "9" * 40 + "-", "bytes=" + "0-0," * 5_000,
    ],
)  # fmt: skip
def test_what_is_not_one_range_is_the_whole(sent):
    assert wanted_part(sent, 11) is None


@pytest.mark.parametrize("sent", ["bytes=-0", "bytes=11-", "bytes=11-20", "bytes=999-"])
def test_a_range_behind_the_end_cannot_be_given(sent):
    with pytest.raises(Unsatisfiable) as refused:
        wanted_part(sent, 11)

    assert refused.value.headers == {"Content-Range": "bytes */11"}


def test_an_empty_file_has_no_parts():
    with pytest.raises(Unsatisfiable):
        wanted_part("bytes=0-", 0)


# over REST ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def content(attach, anna) -> str:
    """Give the address of the bytes of `hello world`, attached to Anna."""
    return f"{attach(anna, HELLO, 'Счёт 7.txt')}/content"


def test_a_file_is_given_as_a_download(client, content):
    got = client.get(content)

    assert (got.status_code, got.content) == (200, HELLO)
    assert got.headers["content-type"] == "text/plain"
    assert got.headers["content-length"] == "11"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].startswith("default-src 'none'")
    assert got.headers["content-disposition"] == (
        "attachment; filename=\"____ 7.txt\"; filename*=UTF-8''%D0%A1%D1%87%D1%91%D1%82%207.txt"
    )


def test_a_part_is_given_alone(client, content):
    got = client.get(content, headers={"Range": "bytes=6-8"})

    assert (got.status_code, got.content) == (206, b"wor")
    assert got.headers["content-range"] == "bytes 6-8/11"
    assert got.headers["content-length"] == "3"


def test_a_part_that_is_not_there_is_416(client, content):
    got = client.get(content, headers={"Range": "bytes=11-"})

    assert (got.status_code, got.headers["content-range"]) == (416, "bytes */11")
    assert got.json()["code"] == "range-not-satisfiable"


def test_a_head_tells_all_but_the_bytes(client, content):
    got = client.head(content)

    assert (got.status_code, got.content, got.headers["content-length"]) == (200, b"", "11")
    assert got.headers["accept-ranges"] == "bytes"


def test_who_has_the_bytes_already_does_not_get_them_again(client, content):
    tag = client.get(content).headers["etag"]

    assert client.get(content, headers={"If-None-Match": f'"x", W/{tag}'}).status_code == 304
    assert client.get(content, headers={"If-None-Match": '"x"'}).status_code == 200


def test_a_part_of_another_file_is_not_given(client, content):
    tag = client.get(content).headers["etag"]

    same = client.get(content, headers={"Range": "bytes=0-0", "If-Range": tag})
    other = client.get(content, headers={"Range": "bytes=0-0", "If-Range": '"x"'})

    assert (same.status_code, other.status_code, other.content) == (206, 200, HELLO)


def test_a_page_is_never_given_as_one(client, attach, anna):
    page = attach(anna, b"<script>alert(1)</script>", "page.html")

    assert client.get(page).json()["file"]["type"] == "text/html"
    assert client.get(f"{page}/content").headers["content-type"] == "application/octet-stream"


def test_a_name_cannot_break_out_of_its_header(client, attach, anna):
    got = client.get(f"{attach(anna, HELLO, 'a%22; x=%0d%0aSet-Cookie: b.txt')}/content")

    assert "set-cookie" not in got.headers
    assert got.headers["content-disposition"].count('"') == 2


def test_a_file_has_a_long_address_too_and_no_other(client, content):
    record = content.removesuffix("/content")

    assert client.get(f"{record}/file/content").content == HELLO
    assert client.get(f"{record}/note/content").status_code == 404
    assert client.get(f"{record}/file/file/content").status_code == 404
    assert client.get(content.replace("att_", "att_0")).status_code == 404
    assert client.put(content).status_code == 405


def test_bytes_that_are_lost_are_said_to_be(app, client, content):
    for path in Path(app.files.where).rglob("*"):
        if path.is_file():
            path.unlink()

    got = client.get(content)

    assert (got.status_code, got.json()["code"]) == (404, "file-missing")


def test_a_large_file_comes_in_pieces(client, upload, anna):
    big = bytes(range(256)) * 8_192  # 2 MiB
    described = upload(big, "big.bin").json()
    made = client.post(
        "/api/v1/core/attachments", json={"subject": anna.public_id, "file": described}
    )

    with client.stream("GET", f"{made.headers['location']}/content") as got:
        assert b"".join(got.iter_bytes()) == big


def test_a_reader_who_hangs_up_is_read_to_no_further(app, client, upload, anna):
    from clientela.rest.asgi import create_asgi

    described = upload(b"x" * 2**20, "big.txt").json()
    made = client.post(
        "/api/v1/core/attachments", json={"subject": anna.public_id, "file": described}
    )
    path = f"{made.headers['location']}/content".encode()
    messages = iter([{"type": "http.request"}, {"type": "http.disconnect"}])
    sent: list[dict] = []

    async def receive():
        return next(messages)

    async def send(message):
        import asyncio

        sent.append(message)
        await asyncio.sleep(0)

    scope = {
        "type": "http", "method": "GET", "path": path.decode(), "raw_path": path, "query_string": b"",
        "headers": [(b"authorization", client.headers["authorization"].encode())],
    }  # fmt: skip
    client.portal.call(create_asgi(app), scope, receive, send)

    assert sum(len(message.get("body", b"")) for message in sent) < 2**20
