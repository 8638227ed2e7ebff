"""`/-/health` says a word to everybody, and to operators what became of each plugin."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from clientela.access.entities import Token
from clientela.access.tokens import SHOWN, digest, new_token
from clientela.app import App
from clientela.plugins.card import Plugin
from clientela.plugins.loading import installed_cards
from clientela.rest.asgi import create_asgi


@contextmanager
def caller(app: App, *permissions: str) -> Iterator[TestClient]:
    """Give somebody with permissions of their own, who calls the app."""
    from clientela.access.entities import Role
    from clientela.access.principal import SYSTEM

    secret = new_token()
    with app.acting_as(SYSTEM, face="test") as ctx:
        ctx.add(Role(name=f"r{secret[-6:].lower()}", permissions=list(permissions)))
        ctx.flush()
        token = Token(name="t", start=secret[:SHOWN], digest=digest(secret))
        token.roles = [f"r{secret[-6:].lower()}"]
        ctx.add(token)
    headers = {"Authorization": f"Bearer {secret}"} if permissions else {}
    with TestClient(create_asgi(app), headers=headers) as client:
        yield client


def test_everybody_hears_a_word_and_no_more(migrated_url) -> None:
    app = App(migrated_url, plugins=[])
    with caller(app) as client:
        assert client.get("/-/health").json() == {"status": "ok"}
        wrong = {"Authorization": "Bearer clt_wrong"}
        assert client.get("/-/health", headers=wrong).json() == {"status": "ok"}
    with caller(app, "core.customer.read") as client:
        assert client.get("/-/health").json() == {"status": "ok"}
    app.close()


def test_an_operator_hears_what_became_of_each_plugin(migrated_shop) -> None:
    shop = migrated_shop
    shop.plugin("hgood")
    shop.broken("hworm", "1 / 0\n")
    with shop.open() as app, caller(app, "core.system.operate") as client:
        told = client.get("/-/health").json()

    plugins = {one["name"]: one for one in told["boot"]["plugins"]}
    assert told["status"] == "degraded"
    assert plugins["hgood"]["state"] == "active"
    assert "ZeroDivisionError" in plugins["hworm"]["reason"]
    assert {"schema", "hooks", "failures", "checks", "notes"} <= told.keys()


def test_a_database_that_is_not_migrated_is_down(shop) -> None:
    with shop.open() as app, TestClient(create_asgi(app)) as client:
        reply = client.get("/-/health")

    assert (reply.status_code, reply.json()) == (503, {"status": "down"})


def test_the_last_request_that_was_timed_can_be_looked_at_from_outside(migrated_shop) -> None:
    migrated_shop.say("server_timing = true", 'disabled = ["contacts"]')
    with migrated_shop.open() as app, caller(app, "core.customer.read") as client:
        assert "core;dur=" in client.get("/api/v1/core/customers").headers["Server-Timing"]

    told = migrated_shop.json("trace", "--last")

    assert (told["path"], told["status"]) == ("/api/v1/core/customers", 200)
    assert told["calls"][0]["what"] == "rest"


def subsets() -> list[list[Plugin]]:
    """Give every choice of the first-party plugins."""
    cards = installed_cards()
    return [list(c) for n in range(len(cards) + 1) for c in itertools.combinations(cards, n)]


def names(cards: Sequence[Plugin]) -> str:
    return "+".join(card.name for card in cards) or "core"


@pytest.mark.parametrize("cards", subsets(), ids=names)
def test_every_subset_of_the_first_party_plugins_boots_and_answers(migrated_url, cards) -> None:
    app = App(migrated_url, plugins=cards)

    with caller(app, "*") as client:
        assert client.get("/-/health").json()["status"] == "ok"
        assert client.get("/readyz").status_code == 200
        assert client.get("/api/v1/core/customers").status_code == 200
        for card in cards:
            info = card.entities[0].info
            assert client.get(f"/api/v1/{info.plugin}/{info.collection}").status_code == 200
    app.close()
