"""Binding: which names lead where, what values become, and what each nonsense is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from clientela.errors import Invalid
from clientela.filters import (
    And,
    Bound,
    BoundAnd,
    BoundCompare,
    BoundNot,
    BoundOr,
    Compare,
    FilterField,
    FilterKind,
    Node,
    Not,
    Null,
    Relative,
    Scalar,
    Word,
    bind,
    from_json,
    parse,
    to_json,
)

NOW = datetime(2026, 3, 31, 12, 30, tzinfo=UTC)
TODAY = date(2026, 3, 31)
ORDER = frozenset({"eq", "ne", "lt", "le", "gt", "ge", "in"})


@dataclass(frozen=True)
class AnyKind:
    """Takes everything as it is and tells by which door it came."""

    name: str = "any"
    operators: frozenset[str] = ORDER
    parts: Mapping[str, FilterKind] = field(default_factory=dict)

    def parse(self, text: str) -> object:
        return ("parsed", text)

    def load(self, raw: object) -> object:
        return ("loaded", raw)

    def matches(self, op: str, left: object, right: object) -> bool:
        raise AssertionError(op, left, right)


class Number(AnyKind):
    """Reads `1 000` from people, and from JSON a number only."""

    def parse(self, text: str) -> object:
        if not text.replace(" ", "").isdecimal():
            raise ValueError(f"{text!r} is no number.")
        return int(text.replace(" ", ""))

    def load(self, raw: object) -> object:
        if isinstance(raw, int):
            return raw
        raise ValueError("A number is expected.")


class Tags(AnyKind):
    """A list that is asked for its members."""

    def parse_operand(self, op: str, text: str) -> object:
        return (op, text)

    def load_operand(self, op: str, raw: object) -> object:
        return (op, raw)


@dataclass(frozen=True)
class Column:
    name: str
    kind: FilterKind = field(default_factory=AnyKind)
    filterable: bool = True
    target: Entity | None = None


@dataclass
class Entity:
    name: str
    columns: dict[str, Column] = field(default_factory=dict)

    def add(self, *columns: Column) -> Entity:
        self.columns |= {column.name: column for column in columns}
        return self

    def filter_field(self, name: str) -> Column | None:
        return self.columns.get(name)

    def filter_names(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.filterable]

    def __hash__(self) -> int:
        return id(self)


customer = Entity("core.customer").add(
    Column("country"),
    Column("tax_id"),
    Column("secret", filterable=False),
)
customer.add(
    Column("parent_id", target=customer),
    Column("vault_id", filterable=False, target=customer),
)
opportunity = Entity("sales.opportunity").add(
    Column("name"),
    Column(
        "amount", AnyKind("money", ORDER, {"currency": Number("code", frozenset({"eq", "in"}))})
    ),
    Column("count", Number("number")),
    Column("tags", Tags("tags", frozenset({"has"}))),
    Column("customer_id", target=customer),
)


def bound(node: Node | str | None, me: str | None = "usr_1") -> Bound:
    tree = parse(node) if isinstance(node, str) else node
    assert tree is not None
    return bind(tree, opportunity, now=NOW, today=TODAY, me=me)


def compared(node: Node | str, me: str | None = "usr_1") -> BoundCompare:
    result = bound(node, me)
    assert isinstance(result, BoundCompare)
    return result


def refused(node: Node | str, me: str | None = "usr_1") -> Invalid:
    with pytest.raises(Invalid) as caught:
        bound(node, me)
    return caught.value


def column(entity: Entity, name: str) -> FilterField:
    return entity.columns[name]


def test_the_tree_keeps_its_shape() -> None:
    a, b = compared("name = x"), compared("count in (1, 2)")

    assert bound("name = x and not count in (1, 2)") == BoundAnd((a, BoundNot(b)))
    assert bound("name = x or count in (1, 2)") == BoundOr((a, b))
    assert b.value == (1, 2)


@pytest.mark.parametrize(
    ("path", "steps", "name", "part"),
    [
        ("name", [], "name", None),
        ("customer", [], "customer_id", None),
        ("customer_id", [], "customer_id", None),
        ("customer.country", ["customer_id"], "country", None),
        ("customer_id.country", ["customer_id"], "country", None),
        (
            "customer.parent.parent.country",
            ["customer_id", "parent_id", "parent_id"],
            "country",
            None,
        ),
        ("customer.parent", ["customer_id"], "parent_id", None),
        ("amount.currency", [], "amount", "currency"),
    ],
)
def test_where_a_path_leads(path: str, steps: list[str], name: str, part: str | None) -> None:
    found = compared(f"{path} is null")

    assert [step.name for step in found.steps] == steps
    assert (found.field.name, found.part) == (name, part)


def test_a_part_is_read_by_its_own_kind() -> None:
    found = compared("amount.currency = 643")

    assert found.value == 643
    assert found.kind.name == "code"
    assert compared("amount = 1").kind.name == "money"


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (Word("x"), ("parsed", "x")),
        (Scalar(1), ("loaded", 1)),
        (Scalar("x"), ("loaded", "x")),
        (Scalar(value=True), ("loaded", True)),
        (Relative("now", -30, "d"), ("loaded", datetime(2026, 3, 1, 12, 30, tzinfo=UTC))),
        (Relative("now", -90, "min"), ("loaded", datetime(2026, 3, 31, 11, 0, tzinfo=UTC))),
        (Relative("now", 3600, "s"), ("loaded", datetime(2026, 3, 31, 13, 30, tzinfo=UTC))),
        (Relative("now", 12, "h"), ("loaded", datetime(2026, 4, 1, 0, 30, tzinfo=UTC))),
        (Relative("now", -1, "m"), ("loaded", datetime(2026, 2, 28, 12, 30, tzinfo=UTC))),
        (Relative("now"), ("loaded", NOW)),
        (Relative("today"), ("loaded", TODAY)),
        (Relative("today", 2, "w"), ("loaded", date(2026, 4, 14))),
        (Relative("today", -25, "m"), ("loaded", date(2024, 2, 29))),
        (Relative("today", 9, "m"), ("loaded", date(2026, 12, 31))),
        (Relative("now", 9999, "m"), ("loaded", datetime(2859, 6, 30, 12, 30, tzinfo=UTC))),
        (Relative("today", -1, "y"), ("loaded", date(2025, 3, 31))),
    ],
)
def test_what_a_value_becomes(raw: Word | Scalar | Relative, value: object) -> None:
    assert compared(Compare(("name",), "eq", raw)).value == value


def test_me_is_the_one_who_asks() -> None:
    assert compared("name = me").value == ("loaded", "usr_1")

    refusal = refused("name = me", me=None)
    assert refusal.detail == "'name': 'me' means nobody here; name a person."


@pytest.mark.parametrize("kind", ["name", "count", "tags", "customer", "amount.currency"])
def test_every_field_may_be_missing(kind: str) -> None:
    assert compared(f"{kind} is null").value is True
    assert compared(f"{kind} is not null").value is False


def test_null_in_a_tree_made_by_hand() -> None:
    assert compared(Compare(("name",), "eq", Null())) == compared("name is null")
    assert compared(Compare(("name",), "ne", Null())) == compared("name is not null")
    assert "ask 'is null'" in refused(Compare(("name",), "lt", Null())).detail


def test_a_kind_may_read_what_it_is_compared_with_differently_from_its_values() -> None:
    assert compared("tags has vip").value == ("has", "vip")
    assert compared(Compare(("tags",), "has", Scalar("vip"))).value == ("has", "vip")


@pytest.mark.parametrize(
    "text",
    [
        "count = 1000",
        "count in ('1 000', 5)",
        "amount.currency = 643 or count != 5",
        "not tags has vip",
        "customer = me and customer.parent is null",
    ],
)
def test_the_json_form_of_a_text_finds_the_same(text: str) -> None:
    """JSON strings are loaded strictly first, and read as people write them when that fails."""
    node = parse(text)
    assert node is not None
    again = from_json(to_json(node))

    assert bound(again) == bound(node)


@pytest.mark.parametrize(
    ("text", "code", "detail", "allowed"),
    [
        (
            "contry = x",
            "unknown-field",
            "sales.opportunity has no field 'contry'. Did you mean 'count'?",
            ("count",),
        ),
        (
            "custmer = x",
            "unknown-field",
            "sales.opportunity has no field 'custmer'. Did you mean 'customer'?",
            ("customer",),
        ),
        (
            "customer.contry = x",
            "unknown-field",
            "core.customer has no field 'contry'. Did you mean 'country'?",
            ("country",),
        ),
        (
            "customer.tax = x",
            "unknown-field",
            "core.customer has no field 'tax'. Did you mean 'tax_id'?",
            ("tax_id",),
        ),
        ("xyzzy = 1", "unknown-field", "sales.opportunity has no field 'xyzzy'.", ()),
        (
            "customer.secret = x",
            "not-filterable",
            "core.customer cannot be filtered by 'secret'.",
            (),
        ),
        ("customer.vault.country = x", "not-filterable", "cannot be filtered by 'vault'.", ()),
        ("name.first = x", "unknown-field", "'name' (any) has no part 'first'.", ()),
        (
            "amount.curency = 1",
            "unknown-field",
            "'amount' (money) has no part 'curency'. Did you mean 'currency'?",
            ("currency",),
        ),
        (
            "amount.currency.code = 1",
            "unknown-field",
            "has no part 'currency.code'.",
            ("currency",),
        ),
        ("customer.parent.parent.parent.country = x", "too-deep", "more than 3 references", ()),
        (
            "tags = vip",
            "unknown-operator",
            "'tags' (tags) does not take '=', only has, is null.",
            ("has", "is null"),
        ),
        (
            "amount.currency > 1",
            "unknown-operator",
            "'amount.currency' (code) does not take '>', only =, in, is null.",
            ("=", "in", "is null"),
        ),
        ("count = many", "bad-value", "'count': 'many' is no number.", ()),
        ("count in (1, many)", "bad-value", "'count': 'many' is no number.", ()),
        ("count = true and count = x", "bad-value", "'count': 'x' is no number.", ()),
        ("name > now-9999y", "bad-value", "now-9999y lies outside the calendar.", ()),
        ("name > today+999999999w", "bad-value", "today+999999999w lies outside", ()),
        ("name > now-999999999s and name > now-999999999h", "bad-value", "now-999999999h lies", ()),
    ],
)
def test_every_refusal(text: str, code: str, detail: str, allowed: tuple[str, ...] | None) -> None:
    refusal = refused(text)
    problem = refusal.errors[0]

    assert refusal.status == 422
    assert detail in refusal.detail
    assert (problem.pointer, problem.code, problem.detail) == ("/filter", code, refusal.detail)
    assert allowed is None or problem.allowed == allowed


def test_a_refusal_tells_where_in_the_text() -> None:
    assert refused("name = x and contry = y").extra == {"position": 14}
    assert refused(Compare(("contry",), "eq", Word("y"))).extra == {}


def test_the_limits_hold_for_trees_made_by_hand_too() -> None:
    leaf: Node = Compare(("name",), "eq", Word("x"))
    deep = leaf
    for _ in range(33):
        deep = Not(deep)

    assert bound(And((leaf,) * 100)) == BoundAnd((bound(leaf),) * 100)
    assert refused(And((leaf,) * 101)).errors[0].code == "too-many-comparisons"
    assert refused(deep).errors[0].code == "too-deep"
    many = Compare(("name",), "in", (Word("x"),) * 1001)
    assert refused(many).errors[0].code == "too-many-values"


@pytest.mark.parametrize(
    ("base", "amount", "unit"), [("today", 1, "h"), ("now", 1, "mon"), ("now", 10**9, "d")]
)
def test_a_relative_moment_that_means_nothing_cannot_be_made(
    base: str, amount: int, unit: str
) -> None:
    with pytest.raises(ValueError, match=r"counts in|nine digits"):
        Relative("now" if base == "now" else "today", amount, unit)
