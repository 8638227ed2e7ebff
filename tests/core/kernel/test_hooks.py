"""Hooks: plugins are asked one by one in the order of their needs, and one that fails costs only its own part."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.context import Context
from clientela.customers.card import customer_card
from clientela.customers.entities import Customer
from clientela.entity import Entity
from clientela.errors import Conflict, Misconfigured
from clientela.hooks import FAILURES_TO_OPEN, SECONDS_OPEN, PluginFailed
from clientela.hookspecs import hookimpl, hookspec
from clientela.plugins.card import Plugin
from clientela_sdk.testing.factory import Make


@hookspec("compute")
def khook_guess(ctx: Context, question: str) -> str | None:
    """Asked for a guess."""


@hookspec("guard")
def khook_agreeing(question: str) -> None:
    """Asked whether all agree."""


SPECS = ModuleType("khook_specs")
for spec in (khook_guess, khook_agreeing):
    setattr(SPECS, spec.__name__, spec)


class Answers:
    """A plugin whose answers a test may choose: `does(hook=function)`."""

    def __init__(self, asked: list[str], name: str) -> None:
        self.name = name
        self.asked = asked
        self.does: dict[str, Callable[..., Any]] = {}

    def _answer(self, hook: str, **given: Any) -> Any:
        self.asked.append(f"{self.name}:{hook}")
        return self.does.get(hook, lambda **_: None)(**given)

    @hookimpl
    def record_saving(
        self, ctx: Context, record: Entity, before: dict[str, Any], created: bool
    ) -> None:
        self._answer("record_saving", ctx=ctx, record=record, before=before, created=created)

    @hookimpl
    def record_trashing(self, record: Entity) -> None:
        self._answer("record_trashing", record=record)

    @hookimpl
    def record_purging(self, ctx: Context, record: Entity) -> None:
        self._answer("record_purging", record=record)

    @hookimpl
    def action_running(self, action: Any, data: Any) -> None:
        self._answer("action_running", action=action, data=data)

    @hookimpl
    def customer_card_section(self, customer: Customer) -> Any:
        return self._answer("customer_card_section", customer=customer)

    @hookimpl
    def khook_guess(self, question: str) -> Any:
        return self._answer("khook_guess", question=question)

    @hookimpl
    def khook_agreeing(self, question: str) -> Any:
        return self._answer("khook_agreeing", question=question)


@pytest.fixture
def asked() -> list[str]:
    """Give who was asked what, in the order of asking."""
    return []


@pytest.fixture
def cast(asked: list[str]) -> SimpleNamespace:
    """Give three plugins: upper needs middle, middle needs lower."""
    return SimpleNamespace(**{name: Answers(asked, name) for name in ("lower", "middle", "upper")})


@pytest.fixture
def plugins(cast: SimpleNamespace) -> list[Plugin]:
    return [
        Plugin(name="khook_upper", title="Upper", needs=["khook_middle"], hooks=[cast.upper]),
        Plugin(name="khook_lower", title="Lower", hooks=[cast.lower], hookspecs=SPECS),
        Plugin(name="khook_middle", title="Middle", needs=["khook_lower"], hooks=[cast.middle]),
    ]


def fails(error: BaseException) -> Callable[..., Any]:
    def fail(**_given: Any) -> Any:
        raise error

    return fail


def just(answer: Any) -> Callable[..., Any]:
    return lambda **_given: answer


Dump = Callable[[], Any]
BREAKS: list[BaseException] = [
    RuntimeError("boom"), SystemExit(3), MemoryError(), GeneratorExit(), AttributeError("x"), RecursionError(),
    AssertionError("no"), StopIteration(),
]  # fmt: skip


# who is asked ---------------------------------------------------------------------------------------------------------


def test_those_who_are_needed_are_asked_before_those_who_need_them(
    app: App, asked: list[str]
) -> None:
    asked.clear()
    app.hooks.ask("khook_agreeing", question="?")

    assert asked == [f"{name}:khook_agreeing" for name in ("lower", "middle", "upper")]


def test_answers_of_none_are_left_out_and_the_rest_keeps_its_order(
    app: App, cast: SimpleNamespace
) -> None:
    cast.upper.does["khook_guess"] = just("three")
    cast.lower.does["khook_guess"] = just("one")

    assert app.hooks.call.khook_guess(ctx=None, question="?") == ["one", "three"]
    assert app.hooks.ask_each("khook_guess", ctx=None, question="?") == [
        ("khook_lower", "one"), ("khook_upper", "three"),
    ]  # fmt: skip


def test_an_empty_answer_is_an_answer(app: App, cast: SimpleNamespace) -> None:
    empty: list[Any] = [0, "", [], False, {}]
    for answer in empty:
        cast.middle.does["khook_guess"] = just(answer)
        assert app.hooks.ask("khook_guess", ctx=None, question="?") == [answer]


def test_an_implementation_names_only_the_arguments_it_needs(
    app: App, cast: SimpleNamespace
) -> None:
    heard: list[dict[str, Any]] = []
    cast.middle.does["khook_guess"] = lambda **given: heard.append(given)
    app.hooks.ask("khook_guess", ctx=None, question="why?")

    assert heard == [{"question": "why?"}]


def test_two_apps_ask_their_own_plugins_only(
    app: App, cast: SimpleNamespace, asked: list[str]
) -> None:
    alone = App(
        "sqlite://",
        plugins=[Plugin(name="khook_lower", title="L", hooks=[cast.lower], hookspecs=SPECS)],
    )
    asked.clear()
    alone.hooks.ask("khook_agreeing", question="?")

    assert asked == ["lower:khook_agreeing"]


# guards ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        ("record_saving", "core.customer.update"), ("record_trashing", "core.customer.trash"),
        ("record_purging", "core.customer.purge"), ("action_running", "core.customer.update"),
    ],
)  # fmt: skip
def test_a_guard_may_refuse_and_its_sentence_passes(
    cast: SimpleNamespace, make: Make, act: Any, dump: Dump, hook: str, name: str
) -> None:
    anna = make(Customer, name="Anna")
    before = dump()
    cast.middle.does[hook] = fails(Conflict("Anna is being audited; wait until Monday."))

    with pytest.raises(Conflict, match=r"^Anna is being audited; wait until Monday\.$"):
        act(name, anna.id, *([{"name": "Eve"}] if name.endswith("update") else []))
    assert dump() == before


@pytest.mark.parametrize("hook", ["record_saving", "action_running"])
def test_a_guard_that_breaks_refuses_too(
    app: App, cast: SimpleNamespace, make: Make, act: Any, dump: Dump, hook: str
) -> None:
    """A guard that cannot answer must close what it guards, and its plugin is named."""
    anna = make(Customer, name="Anna")
    before = dump()
    for error in BREAKS:
        cast.middle.does[hook] = fails(error)
        with pytest.raises(PluginFailed) as refused:
            act("core.customer.update", anna.id, {"name": "Eve"})
        assert refused.value.detail == (
            f"The plugin khook_middle failed while it was asked {hook}; nothing was changed."
        )
        assert (refused.value.status, refused.value.code) == (500, "plugin-failed")
    assert dump() == before
    assert [(f.hook, f.plugin) for f in app.hooks.failures] == [(hook, "khook_middle")] * len(
        BREAKS
    )


def test_after_a_guard_has_refused_nobody_else_is_asked(
    app: App, cast: SimpleNamespace, asked: list[str]
) -> None:
    cast.lower.does["khook_agreeing"] = fails(Conflict("No."))
    asked.clear()
    with pytest.raises(Conflict):
        app.hooks.ask("khook_agreeing", question="?")

    assert asked == ["lower:khook_agreeing"]


def test_a_guard_is_never_left_out(app: App, cast: SimpleNamespace) -> None:
    """What was guarded stays closed, however often its guard has failed."""
    cast.lower.does["khook_agreeing"] = fails(RuntimeError("boom"))
    for _ in range(FAILURES_TO_OPEN + 2):
        with pytest.raises(PluginFailed):
            app.hooks.ask("khook_agreeing", question="?")


def test_a_user_who_interrupts_is_obeyed(app: App, cast: SimpleNamespace) -> None:
    for hook in ("khook_guess", "khook_agreeing"):
        cast.lower.does[hook] = fails(KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            app.hooks.ask(hook, ctx=None, question="?")


def test_a_guard_hears_what_changes(app: App, cast: SimpleNamespace, act: Any) -> None:
    heard: list[tuple[str, dict[str, Any], bool]] = []
    cast.upper.does["record_saving"] = lambda record, before, created, **_: heard.append(
        (record.name, before, created)
    )
    anna = act("core.customer.create", data={"name": "Anna"})
    act("core.customer.update", anna.id, {"name": "Anna P.", "country": None})
    act("core.customer.trash", anna.id)

    assert heard == [
        ("Anna", {}, True),
        ("Anna P.", {"name": "Anna"}, False),
        ("Anna P.", {"deleted_at": None}, False),
    ]


# computing ------------------------------------------------------------------------------------------------------------


def test_who_fails_to_compute_is_dropped_and_counted(app: App, cast: SimpleNamespace) -> None:
    cast.lower.does["khook_guess"] = just("one")
    cast.upper.does["khook_guess"] = just("three")
    for error in [*BREAKS, Conflict("no")]:
        cast.middle.does["khook_guess"] = fails(error)
        assert app.hooks.ask("khook_guess", ctx=None, question="?") == ["one", "three"]
        cast.middle.does["khook_guess"] = just(None)
        app.hooks.ask("khook_guess", ctx=None, question="?")

    timings = {t["plugin"]: t for t in app.hooks.timings() if t["hook"] == "khook_guess"}
    assert [t["errors"] for t in timings.values()] == [0, len(BREAKS) + 1, 0]
    assert {t["calls"] for t in timings.values()} == {2 * len(BREAKS) + 2}


def test_who_fails_three_times_is_left_out_for_a_while(
    app: App, cast: SimpleNamespace, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1_000.0]
    monkeypatch.setattr("clientela.hooks.time.monotonic", lambda: moment[0])
    cast.middle.does["khook_guess"] = fails(RuntimeError("boom"))

    def is_asked() -> bool:
        asked.clear()
        app.hooks.ask("khook_guess", ctx=None, question="?")
        return "middle:khook_guess" in asked

    assert [is_asked() for _ in range(FAILURES_TO_OPEN + 2)] == [True] * FAILURES_TO_OPEN + [
        False
    ] * 2
    moment[0] += SECONDS_OPEN - 0.1
    assert not is_asked()

    # One more chance, which it misses, and then one that it takes.
    moment[0] += 0.1
    assert is_asked()
    assert not is_asked()
    moment[0] += SECONDS_OPEN
    cast.middle.does["khook_guess"] = just("back")
    assert is_asked()
    assert is_asked()
    assert app.hooks.ask("khook_guess", ctx=None, question="?") == ["back"]


def test_a_success_between_failures_begins_the_count_anew(
    app: App, cast: SimpleNamespace, asked: list[str]
) -> None:
    for _ in range(3):
        for answer in (fails(RuntimeError("boom")), fails(RuntimeError("boom")), just("fine")):
            cast.middle.does["khook_guess"] = answer
            app.hooks.ask("khook_guess", ctx=None, question="?")

    assert asked.count("middle:khook_guess") == 9


def test_the_memory_of_failures_is_bounded(app: App, cast: SimpleNamespace) -> None:
    cast.lower.does["khook_agreeing"] = fails(RuntimeError("boom"))
    for _ in range(120):
        with pytest.raises(PluginFailed):
            app.hooks.ask("khook_agreeing", question="?")

    assert len(app.hooks.failures) == 100


@pytest.mark.parametrize("error", [RuntimeError("boom"), SystemExit(1)], ids=repr)
def test_the_section_of_a_failing_plugin_is_absent_from_the_card(
    app: App, cast: SimpleNamespace, make: Make, error: BaseException
) -> None:
    anna = make(Customer, name="Anna")
    cast.lower.does["customer_card_section"] = just({"visits": 3})
    cast.middle.does["customer_card_section"] = fails(error)
    cast.upper.does["customer_card_section"] = just({})

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        card = customer_card(ctx, anna.id)

    assert set(card["sections"]) == {"core", "khook_lower", "khook_upper"}
    assert card["sections"]["khook_lower"] == {"visits": 3}


def test_a_section_that_breaks_its_sql_costs_only_itself(
    app: App, cast: SimpleNamespace, make: Make
) -> None:
    """PostgreSQL refuses everything after a failed statement, up to the end of the transaction."""
    from sqlalchemy import text

    anna = make(Customer, name="Anna")
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        cast.lower.does["customer_card_section"] = lambda **_: ctx.connection.execute(
            text("select nonsense")
        )
        card = customer_card(ctx, anna.id)

    assert set(card["sections"]) == {"core"}


def test_a_section_that_breaks_its_sql_in_the_middle_of_an_action_costs_only_itself(
    app: App, cast: SimpleNamespace, make: Make
) -> None:
    """An action may look at a card before it decides; what it writes afterwards must still be written."""
    from sqlalchemy import text

    anna = make(Customer, name="Anna")
    with app.acting_as(SYSTEM, face="test") as ctx:
        cast.lower.does["customer_card_section"] = lambda **_: ctx.connection.execute(
            text("select nonsense")
        )
        customer_card(ctx, anna.id)
        ctx.get(Customer, anna.id).note = "seen"


# registering ----------------------------------------------------------------------------------------------------------


def refusal(*plugins: Plugin) -> str:
    with pytest.raises(Misconfigured) as refused:
        App("sqlite://", plugins=plugins)
    return refused.value.detail


def plugin(hooks: object, **more: Any) -> Plugin:
    return Plugin(name="khook_other", title="Other", hooks=[hooks], **more)


def test_a_misspelt_hook_stops_the_start_with_the_nearest() -> None:
    class Misspelt:
        @hookimpl
        def record_savign(self, record: Entity) -> None: ...

    assert refusal(plugin(Misspelt())) == (
        "khook_other implements the hook record_savign, which no one specifies. "
        "Did you mean 'record_saving' or 'record_trashing' or 'record_purging'?"
    )


def test_a_wrong_argument_stops_the_start() -> None:
    class Wrong:
        @hookimpl
        def record_saving(self, recrod: Entity) -> None: ...

    sentence = refusal(plugin(Wrong()))
    assert sentence.startswith("khook_other implements a hook with arguments it does not have")
    assert "recrod" in sentence


def test_the_hooks_of_a_plugin_that_is_not_there_are_unknown(cast: SimpleNamespace) -> None:
    assert "implements the hook khook_agreeing, which no one specifies" in refusal(
        plugin(cast.lower)
    )


def test_a_function_without_the_mark_is_no_implementation() -> None:
    class Plain:
        def record_saving(self, record: Entity) -> None:
            raise AssertionError

        record_savign = 3

    App("sqlite://", plugins=[plugin(Plain())]).hooks.ask(
        "record_saving", ctx=None, record=Customer(), before={}, created=True
    )


def test_a_module_is_a_holder_of_hooks_too() -> None:
    module = ModuleType("khook_module")

    @hookimpl
    def khook_guess(question: str) -> str:
        return question.upper()

    module.khook_guess = khook_guess  # type: ignore[attr-defined]
    app = App("sqlite://", plugins=[plugin(module, hookspecs=SPECS)])

    assert app.hooks.ask("khook_guess", ctx=None, question="why?") == ["WHY?"]


def test_asking_what_no_one_specifies_names_the_nearest(app: App) -> None:
    with pytest.raises(
        AttributeError, match=r"No one specifies the hook khook_gues\. Did you mean 'khook_guess'"
    ):
        app.hooks.call.khook_gues(ctx=None, question="?")


def test_every_hook_is_of_one_of_three_kinds(app: App) -> None:
    kinds = app.hooks.kinds()

    assert set(kinds.values()) == {"contribute", "guard", "compute"}
    assert (kinds["khook_guess"], kinds["khook_agreeing"], kinds["row_scope"]) == (
        "compute",
        "guard",
        "guard",
    )
    assert len([name for name in kinds if not name.startswith("khook_")]) <= 28


def test_a_hook_of_this_process_is_no_hook_of_the_next_app() -> None:
    assert "khook_guess" not in App("sqlite://", plugins=[]).hooks.kinds()
