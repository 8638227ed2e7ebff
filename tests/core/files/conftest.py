"""How the stories of this folder send, attach and fetch files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from clientela.access.principal import SYSTEM, Principal
from clientela.customers.entities import Customer
from clientela.files.entities import Attachment
from clientela.files.uploads import Receiver, write_receipt


@pytest.fixture
def anna(make) -> Any:
    return make(Customer, name="Anna")


@pytest.fixture
def upload(client) -> Callable[..., Any]:
    """POST bytes under a name; keywords are headers with underscores."""

    def send(
        content: bytes = b"hello", name: str = "hello.txt", *, by: str | None = None, **more: str
    ) -> Any:
        headers = {"X-File-Name": quote(name)}
        headers |= {key.replace("_", "-"): value for key, value in more.items()}
        if by is not None:
            headers["Authorization"] = f"Bearer {by}"
        return client.post("/api/v1/core/files", content=content, headers=headers)

    return send


@pytest.fixture
def attach(client, upload) -> Callable[..., str]:
    """Upload bytes, attach them to a record, and give the address of the attachment."""

    def send(record: Any, content: bytes = b"hello", name: str = "hello.txt") -> str:
        body = {"subject": record.public_id, "file": upload(content, name).json()}
        made = client.post("/api/v1/core/attachments", json=body)
        assert made.status_code == 201, made.json()
        return str(made.headers["location"])

    return send


@pytest.fixture
def send_as(app) -> Callable[..., dict[str, Any]]:
    """Upload without a face, as this principal."""

    def send(principal: Principal, content: bytes, name: str = "hello.txt") -> dict[str, Any]:
        receiver = Receiver(app, name)
        receiver.write(content)
        described = receiver.keep()
        with app.acting_as(principal, face="test") as ctx:
            write_receipt(ctx, described)
        return described

    return send


@pytest.fixture
def attached(app, send_as) -> Callable[..., Attachment]:
    """Attach bytes as the system."""

    def send(record: Any, content: bytes = b"hello", name: str = "hello.txt") -> Attachment:
        values = {"subject": record.public_id, "file": send_as(SYSTEM, content, name)}
        with app.acting_as(SYSTEM, face="test") as ctx:
            made: Attachment = ctx.run(app.registry.action("core.attachment.create"), data=values)
            return made

    return send
