"""What a request costs is told by plugin, to those who ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest

from clientela.customers.entities import Customer
from clientela.hooks import Hooks, Implementation
from clientela.hookspecs import hookimpl
from clientela.plugins.card import Plugin
from clientela.plugins.costs import Costs, slow_hooks
from clientela.plugins.journal import Journal
from clientela.settings import Settings
from clientela.timeline import MOST_CALLS, Timeline


class Looks:
    """A plugin that looks at the customers whenever a card is shown."""

    @hookimpl
    def customer_card_section(self, ctx: Any) -> dict[str, Any]:
        rows = ctx.connection.execute(Customer.info.table.select()).all()
        return {"customers": len(rows)}


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin(name="tlooks", title="Looks", hooks=[Looks()])]


def timing(reply: Any) -> dict[str, tuple[int, int]]:
    """Give the statements and rows of each plugin."""
    found = re.findall(
        r'(\w+);dur=[\d.]+;desc="(\d+) sql, (\d+) rows"', reply.headers["Server-Timing"]
    )
    return {name: (int(sql), int(rows)) for name, sql, rows in found}


def test_an_operator_asks_with_a_header_what_each_plugin_cost(client, make) -> None:
    customers = [make(Customer, name=name) for name in ("Ann", "Bob", "Cat")]
    address = f"/api/v1/core/customers/{customers[0].public_id}/card"

    reply = client.get(address, headers={"X-Clientela-Trace": "1"})

    assert timing(reply)["tlooks"] == (1, 3)
    assert timing(reply)["core"][0] > 1
    assert "Server-Timing" not in client.get(address).headers


def test_what_a_change_costs_is_told_too(client) -> None:
    reply = client.post(
        "/api/v1/core/customers",
        json={"name": "Ann", "kind": "person"},
        headers={"X-Clientela-Trace": "1"},
    )

    assert reply.status_code == 201
    assert timing(reply)["core"][0] > 0


def test_nobody_else_hears_it(client, token) -> None:
    reader = {"Authorization": f"Bearer {token('core.customer.read')}", "X-Clientela-Trace": "1"}

    assert "Server-Timing" not in client.get("/api/v1/core/customers", headers=reader).headers


class TestForAll:
    """Where the deployment tells everybody."""

    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(pool_size=4, server_timing=True)

    def test_everybody_hears_it_also_with_a_refusal(self, client, token) -> None:
        stranger = {"Authorization": f"Bearer {token('core.role.read')}"}
        reply = client.get("/api/v1/core/customers", headers=stranger)

        assert reply.status_code == 403
        assert "core" in timing(reply)


def test_what_a_plugin_calls_in_turn_is_not_on_its_account() -> None:
    timeline = Timeline()
    with timeline.asking("outer", "a"), timeline.asking("inner", "b"):
        pass

    outer, inner = timeline.calls
    assert (outer.depth, inner.depth) == (0, 1)
    assert set(timeline.by_plugin()) == {"core", "outer", "inner"}


def test_a_timeline_does_not_grow_without_bound() -> None:
    timeline = Timeline()
    for _ in range(MOST_CALLS + 5):
        with timeline.asking("p", "hook"):
            pass

    assert (len(timeline.calls), timeline.as_dict()["left_out"]) == (MOST_CALLS, 5)


def test_trace_shows_the_calls(cli, make) -> None:
    ann = make(Customer, name="Ann")

    shown = cli("trace", "get", f"/api/v1/core/customers/{ann.public_id}/card")

    assert shown.exit_code == 0, shown.output
    assert re.search(r"tlooks +customer_card_section +[\d.]+ +1 +1", shown.stdout)


def test_trace_of_a_change_keeps_nothing_when_it_is_a_rehearsal(cli, app) -> None:
    body = '{"name": "Ann", "kind": "person"}'
    done = cli("trace", "POST", "/api/v1/core/customers", "--data", body, "--dry-run", "-o", "json")

    assert '"status": 200' in done.stdout
    with app.db.read() as connection:
        assert connection.execute(Customer.info.table.select()).all() == []


def test_trace_says_why_a_request_was_refused(cli) -> None:
    done = cli("trace", "GET", "/api/v1/core/nothing")

    assert "There is nothing at /api/v1/core/nothing" in done.stderr


def test_trace_wants_to_know_what(cli) -> None:
    assert cli("trace").exit_code == 2
    assert "No request was timed yet" in cli("trace", "--last").stderr


# who is slow ----------------------------------------------------------------------------------------------------------


def spent(hooks: Hooks, calls: int, seconds: float, errors: int = 0) -> None:
    one: Implementation = hooks._implementations["customer_card_section"][-1]
    one.calls, one.seconds, one.errors = calls, seconds, errors


def test_a_slow_plugin_is_named_with_its_figures(app, tmp_path) -> None:
    journal = Journal(tmp_path)
    costs = Costs(journal, app.hooks)
    spent(app.hooks, calls=4, seconds=1.0)
    costs.write()
    spent(app.hooks, calls=10, seconds=2.5, errors=3)
    costs.write()
    costs.write()

    assert [sentence for _, sentence in slow_hooks(journal)] == [
        "tlooks takes 250 ms for each of 10 calls of customer_card_section.",
        "tlooks failed 3 of 10 times in customer_card_section.",
    ]


def test_a_quick_one_is_not(app, tmp_path) -> None:
    spent(app.hooks, calls=100, seconds=0.1)
    Costs(Journal(tmp_path), app.hooks).write()

    assert list(slow_hooks(Journal(tmp_path))) == []


def test_the_doctor_of_plugins_passes_it_on(open_shop, app) -> None:
    spent(app.hooks, calls=2, seconds=0.5)
    Costs(Journal(open_shop.folder), app.hooks).write()

    rows = open_shop.json("plugin", "doctor")["data"]

    assert "tlooks takes 250 ms" in str(rows)
