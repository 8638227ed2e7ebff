"""An integrator and what they say to define a field over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CUSTOMERS = "/api/v1/core/customers"
FIELDS = "/api/v1/core/custom-fields"


@pytest.fixture
def define(client) -> Callable[..., Any]:
    """Define a custom field of customers and give its record, or the reply with `status`."""

    def define(name: str, kind: str = "text", *, status: int = 201, **more: Any) -> Any:
        body = {
            "entity": "core.customer",
            "name": name,
            "kind": kind,
            "label": name[2:].capitalize(),
        }
        reply = client.post(FIELDS, json=body | more)
        assert reply.status_code == status, reply.text
        return reply.json()

    return define


@pytest.fixture
def customer(client) -> Callable[..., Any]:
    """Create a customer with these values."""

    def create(name: str, *, status: int = 201, **values: Any) -> Any:
        reply = client.post(CUSTOMERS, json={"kind": "person", "name": name} | values)
        assert reply.status_code == status, reply.text
        return reply.json()

    return create


@pytest.fixture
def names(client) -> Callable[..., list[str]]:
    """Give the names of the customers in a list."""

    def listed(**parameters: str) -> list[str]:
        reply = client.get(CUSTOMERS, params={"sort": "name"} | parameters)
        assert reply.status_code == 200, reply.text
        return [row["name"] for row in reply.json()["data"]]

    return listed


@pytest.fixture
def act(client) -> Callable[..., Any]:
    """POST an action on a custom field and give the reply's body."""

    def act(field: Any, verb: str, *, status: int = 200, **data: Any) -> Any:
        reply = client.post(f"{FIELDS}/{field['id']}:{verb}", json=data or None)
        assert reply.status_code == status, reply.text
        return reply.json() if reply.content else None

    return act
