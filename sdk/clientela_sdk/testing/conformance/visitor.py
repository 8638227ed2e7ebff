"""Somebody who comes over REST with a role of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from clientela.access.tokens import SHOWN, digest, new_token
from clientela_sdk import App, EntityInfo, Role, Token, _
from clientela_sdk.testing.conformance.subject import NotNow
from clientela_sdk.testing.factory import CORE_RECIPES, Make

if TYPE_CHECKING:
    from starlette.testclient import TestClient

API = "/api/v1"


class Visitor:
    """Asks the app under test over REST, as one who holds a token."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def ask(self, method: str, path: str, **how: Any) -> Any:
        """Ask, and give the response."""
        return self.client.request(method, path, **how)

    def get(self, path: str, **parameters: Any) -> Any:
        """Ask for something."""
        return self.ask("GET", path, params=parameters)


@contextmanager
def visitor(
    app: App,
    *permissions: str,
    scopes: Mapping[str, str] | None = None,
    hidden_classes: Sequence[str] = (),
) -> Iterator[Visitor]:
    """Let somebody in with these permissions, rows and field classes."""
    try:
        from starlette.testclient import TestClient  # noqa: PLC0415 - a deployment has no HTTP client
    except (ImportError, RuntimeError) as missing:
        raise NotNow(
            _("There is no HTTP client to try it with: pip install 'clientela-sdk[testing]'")
        ) from missing
    from clientela.rest.asgi import create_asgi  # noqa: PLC0415 - few rules need a face

    make, secret = Make(app, CORE_RECIPES), new_token()
    role = make(
        Role,
        name=f"visitor {uuid4().hex}",
        permissions=list(permissions),
        scopes=dict(scopes or {}),
        hidden_classes=list(hidden_classes),
    )
    make(Token, start=secret[:SHOWN], digest=digest(secret), roles=[role.name])
    with TestClient(
        create_asgi(app),
        headers={"Authorization": f"Bearer {secret}"},
        raise_server_exceptions=False,
    ) as client:
        yield Visitor(client)


def collection(info: EntityInfo) -> str:
    """Give the address of an entity's list."""
    return f"{API}/{info.plugin}/{info.collection}"


def address(info: EntityInfo, key: str) -> str:
    """Give the address of a record."""
    return f"{collection(info)}/{info.public_id(key)}"
