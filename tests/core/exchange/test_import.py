from __future__ import annotations

import io
import tracemalloc
from typing import Any

import pytest
from sqlalchemy import func, select

from clientela.access.principal import SYSTEM, Principal, RoleRules
from clientela.customers.entities import Customer, Identifier
from clientela.errors import Forbidden, Invalid
from clientela.exchange import ImportOptions, import_file
from clientela.history import CHANGE, CHANGE_SET
from clientela.outbox import OUTBOX
from clientela.query import Question, list_page


def counts(report: Any) -> dict[str, int]:
    words = ("read", "created", "updated", "unchanged", "failed", "held_back")
    return {word: getattr(report, word) for word in words if getattr(report, word)}


def groups(report: Any) -> list[tuple[str, str, int, list[int]]]:
    return [(g.column, g.code, g.count, g.rows) for g in report.groups]


def test_rows_become_records(take, rows):
    report = take(
        Customer,
        "Name;E-mail;Телефон;Country;Date of birth;Shoe size\r\n"
        "Anna Petrova;ANNA@Example.com;+7 926 123-45-67;Germany;31.01.1990;38\r\n"
        "Пётр;;;ru;;\r\n",
    )

    assert counts(report) == {"read": 2, "created": 2}
    assert report.delimiter == ";"
    assert report.unmapped == ["Shoe size"]
    anna, peter = rows(Customer)
    assert (anna["email"], anna["phone"]) == ("anna@example.com", "+79261234567")
    assert (anna["country"], anna["birth_date"]) == ("DE", "1990-01-31")
    assert (peter["name"], peter["country"], peter["kind"]) == ("Пётр", "RU", "person")
    assert (peter["email"], peter["tags"]) == (None, [])


def test_an_import_is_logged_searched_and_told_once_per_batch(app, take):
    report = take(Customer, "name\nAnna\nBoris\nClara\n", batch=2, file="fair.csv")

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        ours = CHANGE_SET.c.face == "import"
        sets = ctx.connection.execute(
            select(CHANGE_SET).where(ours).order_by(CHANGE_SET.c.id)
        ).all()
        kinds = ctx.connection.execute(
            select(CHANGE.c.kind, CHANGE.c.rev).where(CHANGE.c.set_id.in_(report.sets))
        ).all()
        told = ctx.connection.execute(select(OUTBOX.c.fact, OUTBOX.c.payload)).all()
        found = list_page(ctx, Customer.info, Question(search="clar")).rows
    assert [(s.rows, s.reason, s.face, s.action) for s in sets] == [
        (2, "import fair.csv", "import", "core.customer.import"),
        (1, "import fair.csv", "import", "core.customer.import"),
    ]
    assert [s.id for s in sets] == report.sets
    assert [tuple(k) for k in kinds] == [("create", 1)] * 3
    assert [t.fact for t in told] == ["core.records_imported"] * 2
    assert [t.payload["created"] for t in told] == [2, 1]
    assert [r["name"] for r in found] == ["Clara"]


def test_subscribers_hear_of_each_record_only_when_asked_for(app, take):
    take(Customer, "name\nAnna\n", notify=True)

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        told = ctx.connection.execute(select(OUTBOX.c.fact)).scalars().all()
    assert sorted(told) == ["core.record_created", "core.records_imported"]


def test_one_bad_row_keeps_the_whole_file_back(take, rows):
    file = "name,email\nA,a@example.com\nB,nonsense\nC,\nD,\n"

    report = take(Customer, file, batch=2)

    assert counts(report) == {"read": 4, "failed": 1, "held_back": 3}
    assert rows(Customer) == []


def test_bad_rows_may_be_left_out(take, rows):
    report = take(Customer, "name,email\nA,a@example.com\nB,nonsense\nC,\n", skip_bad_rows=True)

    assert counts(report) == {"read": 3, "created": 2, "failed": 1}
    assert [r["name"] for r in rows(Customer)] == ["A", "C"]


def test_errors_stand_in_groups_with_rows_and_samples(take):
    lines = [f"P{n},{'Philipines' if n % 3 == 0 else 'Kenya'},{n}" for n in range(90)]
    file = "name,country,birth_date\n" + "\n".join(lines) + "\n"

    report = take(Customer, file)

    by_column = {g.column: g for g in report.groups}
    country = by_column["country"]
    assert (country.count, country.rows, country.samples) == (
        30, [2 + 3 * n for n in range(20)], ["Philipines"],
    )  # fmt: skip
    assert "Philipines" not in country.sentence
    assert by_column["birth_date"].count == 90
    assert counts(report) == {"read": 90, "failed": 90}


def test_a_dry_run_says_the_same_and_writes_nothing(app, take, rows):
    file = "name,email\nA,a@example.com\nB,nonsense\nC,\n"

    report = take(Customer, file, batch=2, dry_run=True)

    assert counts(report) == {"read": 3, "created": 2, "failed": 1}
    assert report.sets == []
    assert rows(Customer) == []
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        logged = select(func.count()).where(CHANGE_SET.c.face == "import")
        assert ctx.connection.execute(logged).scalar() == 0


def test_rows_are_numbered_as_a_spreadsheet_does(take):
    report = take(Customer, 'name,note,email\n"A","two\nlines",\n\nB,,wrong\n')

    assert groups(report) == [("email", "value-error", 1, [4])]


# the record's own rules ----------------------------------------------------------------------------------------------


def test_rules_and_guards_hold_for_every_row(take, rows, parcel, guard):
    report = take(parcel, "code,weight\nb1,2\nb2,1001\ngold,1\n", skip_bad_rows=True)

    assert groups(report) == [("weight", "too-heavy", 1, [3]), ("", "conflict", 1, [4])]
    assert [r["code"] for r in rows(parcel)] == ["B1"]
    assert guard.asked == [("B1", {}, True), ("GOLD", {}, True)]


def test_a_name_is_made_of_its_parts(take, rows):
    take(Customer, "Фамилия,Имя,Отчество,language\nПетрова,Анна,Ивановна,ru\n,Ян,,\n")

    assert [(r["name"], r["person"]) for r in rows(Customer)] == [
        ("Петрова Анна Ивановна", {"family": "Петрова", "given": "Анна", "patronymic": "Ивановна"}),
        ("Ян", {"given": "Ян"}),
    ]


def test_required_fields_are_asked_for(take, parcel):
    report = take(parcel, "code,pieces\n,1\n   ,2\n")
    assert groups(report) == [("code", "missing", 2, [2, 3])]

    with pytest.raises(Invalid, match="Parcels need code"):
        take(parcel, "pieces\n1\n")


def test_the_owner_of_an_imported_record_is_who_imports(app, take, rows, make):
    from clientela.access.entities import User

    user = make(User, name="Olga", email="olga@example.com")
    olga = Principal(
        kind="user", id=User.info.public_id(user.id), name="Olga", user=user.id,
        roles=(RoleRules("all", ("core.*",)),),
    )  # fmt: skip
    take(Customer, "name\nAnna\n", principal=olga)

    assert rows(Customer)[0]["owner_id"] == User.info.public_id(user.id)


# unique values and references ---------------------------------------------------------------------------------------


def test_unique_values_are_taken_once(take, rows, parcel):
    take(parcel, "code\nA\n")
    report = take(parcel, "code\nB\nb\na\nC\n", skip_bad_rows=True)

    assert groups(report) == [("code", "not-unique", 2, [3, 4])]
    assert "Another parcel has the same code" in report.groups[0].sentence
    assert [r["code"] for r in rows(parcel)] == ["A", "B", "C"]


def test_a_reference_is_found_by_id_or_by_a_field_of_its_target(take, rows, parcel):
    take(Customer, "name,email\nAnna,a@example.com\nOne,twin@example.com\nTwo,twin@example.com\n")
    from clientela import ids

    stranger = Customer.info.public_id(ids.new_key())
    file = "code,to\nP1,A@example.com\nP2,nobody@example.com\nP3,twin@example.com\nP4,\n"
    report = take(parcel, file, mapping={"to": "customer:email"}, skip_bad_rows=True)

    assert groups(report) == [
        ("to", "no-such-record", 1, [3]), ("to", "several-records", 1, [4]),
    ]  # fmt: skip
    first, second = rows(parcel, "code", "customer_id")
    assert first["customer_id"].startswith("cus_")
    assert second["customer_id"] is None

    report = take(parcel, f"code,customer\nQ1,{first['customer_id']}\nQ2,{stranger}\n")
    assert groups(report) == [("customer", "no-such-record", 1, [3])]


def test_a_reference_costs_one_statement_a_batch(app, take, parcel):
    from clientela.storage.database import count_statements

    take(Customer, "name,email\n" + "".join(f"N{n},n{n}@example.com\n" for n in range(30)))
    counter = count_statements(app.db.engine)
    file = "code,to\n" + "".join(f"P{n},n{n}@example.com\n" for n in range(30))
    report = take(parcel, file, mapping={"to": "customer:email"}, batch=10, skip_bad_rows=True)

    assert report.created == 30
    assert sum("core_customer" in s for s in counter.statements) == 3


# upsert -------------------------------------------------------------------------------------------------------------


def test_known_records_are_changed_and_their_past_kept(app, take, rows):
    take(Customer, "name,email,country\nAnna,a@example.com,DE\nBoris,b@example.com,FR\n")
    file = "name,email,country\nAnna,A@EXAMPLE.com,IT\nBoris,b@example.com,\nClara,c@example.com,\n"
    report = take(Customer, file, key=("email",))

    assert counts(report) == {"read": 3, "created": 1, "updated": 1, "unchanged": 1}
    assert [(r["name"], r["country"]) for r in rows(Customer)] == [
        ("Anna", "IT"), ("Boris", "FR"), ("Clara", None),
    ]  # fmt: skip
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        change = ctx.connection.execute(select(CHANGE).where(CHANGE.c.kind == "update")).one()
        revs = ctx.connection.execute(select(Customer.info.table.c.rev)).scalars().all()
        words = list_page(ctx, Customer.info, Question(search="anna")).rows
    assert (change.before, change.rev) == ({"country": "DE"}, 2)
    assert sorted(revs) == [1, 1, 2]
    assert len(words) == 1


def test_later_rows_see_what_earlier_ones_did(take, rows, parcel, guard):
    take(parcel, "code,pieces\nA,1\n")
    report = take(parcel, "code,pieces,weight\nA,2,\nB,1,\nB,1,5\nA,,7\nB,1,5\n", key=("code",))

    assert counts(report) == {"read": 5, "created": 1, "updated": 3, "unchanged": 1}
    assert [(r["code"], r["pieces"], r["weight"]) for r in rows(parcel)] == [
        ("A", 2, "7.000"), ("B", 1, "5.000"),
    ]  # fmt: skip
    assert ("A", {"pieces": 1}, False) in guard.asked


def test_a_key_must_match_one_record(take):
    take(Customer, "name,email\nOne,t@example.com\nTwo,t@example.com\n")
    report = take(Customer, "name,email\nX,t@example.com\nY,\n", key=("email",))

    assert [(g.code, g.rows) for g in report.groups] == [("several-records", [2]), ("missing", [3])]
    with pytest.raises(Invalid, match="filled by no column"):
        take(Customer, "name\nX\n", key=("email",))


def test_immutable_fields_stay(take, parcel):
    take(parcel, "code,wrapped by\nA,Olga\n")
    report = take(parcel, "code,wrapped by\nA,Olga\n", key=("code",))
    assert counts(report) == {"read": 1, "unchanged": 1}

    report = take(parcel, "code,wrapped by\nA,Ivan\n", key=("code",))
    assert groups(report) == [("wrapped by", "immutable", 1, [2])]


# who may ------------------------------------------------------------------------------------------------------------


def role(*permissions: str, **more: Any) -> Principal:
    return Principal(
        kind="user", id="usr_x", name="x", roles=(RoleRules("r", permissions, **more),)
    )


@pytest.mark.parametrize("missing", ["import", "create", "update"])
def test_an_import_needs_its_permissions(take, missing):
    granted = [f"core.customer.{v}" for v in ("import", "create", "update", "read") if v != missing]
    with pytest.raises(Forbidden, match=missing):
        take(Customer, "name,email\nA,a@b.com\n", principal=role(*granted), key=("email",))


def test_a_hidden_field_cannot_be_asked_letter_by_letter(take, parcel):
    masked = role("*", hidden_classes=frozenset({"pii"}))
    with pytest.raises(Forbidden, match="hidden"):
        take(Customer, "name,email\nA,a@b.com\n", principal=masked, key=("email",))
    with pytest.raises(Forbidden, match="hidden"):
        take(parcel, "code,to\nA,a@b.com\n", principal=masked, mapping={"to": "customer:email"})


def test_rows_out_of_reach_are_not_changed(take, rows):
    take(Customer, "name,email,country\nA,a@b.com,DE\nB,b@b.com,FR\n")
    german = Principal(
        kind="user", id="usr_x", name="x",
        roles=(
            RoleRules("see", ("core.customer.read", "core.customer.import", "core.customer.create")),
            RoleRules("change", ("core.customer.update",), {"core.customer": "country = DE"}),
        ),
    )  # fmt: skip
    file = "email,source\na@b.com,fair\nb@b.com,fair\n"
    report = take(Customer, file, key=("email",), principal=german, skip_bad_rows=True)

    assert groups(report) == [("email", "forbidden", 1, [3])]
    assert [r["source"] for r in rows(Customer)] == ["fair", None]


@pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)
def test_memory_does_not_grow_with_the_file(app):
    class Endless(io.RawIOBase):
        """Rows that are made while they are read."""

        def __init__(self, rows: int) -> None:
            # Of few names, because words are kept in caches, which are bounded but not full after few rows.
            self.lines = (f"Name {n % 50}\n".encode() for n in range(rows))
            self.rest = b"name\n"

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            line = self.rest or next(self.lines, b"")
            taken, self.rest = line[: len(buffer)], line[len(buffer) :]
            buffer[: len(taken)] = taken
            return len(taken)

    def peak(rows: int) -> int:
        tracemalloc.start()
        report = import_file(
            app, SYSTEM, Customer.info, io.BufferedReader(Endless(rows)),
            options=ImportOptions(batch=500),
        )  # fmt: skip
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert report.created == rows
        return found

    # What is made once and kept, such as statements, is there after the first.
    peak(1_000)
    few = peak(2_000)

    assert peak(10_000) < few + 2**19


def test_identifiers_are_normalized_by_their_rule(take, rows):
    take(Customer, "name,email\nA,a@b.com\n")
    report = take(
        Identifier, "who,kind,value\na@b.com,INN,7707 083 893\na@b.com,inn,123\n",
        mapping={"who": "customer:email"}, skip_bad_rows=True,
    )  # fmt: skip

    assert [r["value"] for r in rows(Identifier)] == ["7707083893"]
    assert groups(report) == [("value", "invalid", 1, [3])]
