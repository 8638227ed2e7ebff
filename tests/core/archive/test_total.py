"""The whole of a deployment as one file: equal data give equal members, and another deployment becomes the same."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import orjson
import pytest

from clientela.access.principal import SYSTEM
from clientela.access.seed import seed_roles
from clientela.app import App
from clientela.archive.loading import Damaged, NotEmpty, read_total
from clientela.archive.total import write_total
from clientela.changes import Wanted, list_sets, record_history, undo
from clientela.custom.entities import CustomField
from clientela.customers.entities import Address, Customer, Interaction
from clientela.errors import Conflict, Forbidden
from clientela.exchange import ImportOptions, import_file
from clientela.external import find_external, name_external
from clientela.query import Question, list_page
from clientela.schemas import create_schema, load
from clientela.settings import Settings
from clientela.values import PersonName, PostalAddress


@pytest.fixture
def settings(tmp_path):
    return Settings(pool_size=4, folder=tmp_path / "here")


@pytest.fixture
def plugins():
    return []


@pytest.fixture
def elsewhere(sqlite_databases, plugins, tmp_path):
    """Give an empty deployment beside the one under test."""
    for url in sqlite_databases.fresh(plugins):
        app = App(url, plugins=plugins, settings=Settings(folder=tmp_path / "there"))
        yield app
        app.close()


def acting(app, work, **how):
    with app.acting_as(SYSTEM, face="test", **how) as ctx:
        return work(ctx)


def exported(app):
    out = io.BytesIO()
    manifest = write_total(app, SYSTEM, out)
    return manifest, out.getvalue()


def members(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as read:
        return {name: read.read(name) for name in read.namelist()}


def facts_of(archive):
    """Give the members that say what is so."""
    return {n: m for n, m in members(archive).items() if not n.startswith(("log/", "manifest"))}


@pytest.fixture
def filled(app, clock):
    """Fill a deployment with a little of everything: both alphabets, trash, history, names elsewhere."""
    run = lambda ctx, name, *a: ctx.run(app.registry.action(f"core.{name}"), *a)  # noqa: E731

    def fill(ctx):
        seed = {
            "name": "Anna",
            "person": PersonName("Иванова", "Анна"),
            "birth_date": date(1990, 1, 31),
        }
        anna = run(
            ctx, "customer.create", None, seed | {"tags": ["vip", "ё"], "note": "two\nlines"}
        )
        roof = run(ctx, "customer.create", None, {"name": "Roof & Sons", "kind": "organization"})
        ctx.add(Address(customer_id=roof.id, address=PostalAddress(country="RU", city="Казань")))
        at = datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC)
        ctx.add(Interaction(customer_id=anna.id, channel="phone", at=at, parties=[{"who": "Анна"}]))
        name_external(ctx, Customer.info, "erp", "17", anna.id)
        ctx.flush()
        return anna.id, roof.id

    anna, roof = acting(app, fill)
    clock.forward(days=1)
    acting(app, lambda ctx: run(ctx, "customer.update", anna, {"country": "DE"}))
    acting(app, lambda ctx: run(ctx, "customer.trash", roof))
    return anna


def test_a_process_that_has_done_nothing_yet_describes_custom_fields_too(app, db_url, plugins):
    values = {"entity": "core.customer", "name": "x_code", "kind": "text", "label": "Code"}
    read = load(create_schema(CustomField.info), values)
    acting(app, lambda ctx: ctx.run(app.registry.action("core.custom_field.create"), data=read))

    fresh = App(db_url, plugins=plugins, settings=app.settings)
    _manifest, archive = exported(fresh)
    fresh.close()

    schema = orjson.loads(members(archive)["schema.json"])
    assert "x_code" in schema["core.customer"]["fields"]


def test_another_deployment_becomes_the_same(app, elsewhere, filled):
    manifest, archive = exported(app)
    seed_roles(elsewhere)

    loaded = read_total(elsewhere, SYSTEM, io.BytesIO(archive))
    again, same = exported(elsewhere)

    assert loaded == manifest
    assert members(same) == members(archive)
    assert again["data"] == manifest["data"]
    history = acting(
        elsewhere, lambda ctx: record_history(ctx, Customer.info, filled), writing=False
    )
    assert [line["kind"] for line in history["data"]] == ["update", "create"]
    found = Question(search="анна")
    assert [
        r["name"] for r in acting(elsewhere, lambda c: list_page(c, Customer.info, found).rows)
    ] == ["Anna"]
    assert acting(elsewhere, lambda ctx: find_external(ctx, Customer.info, "erp", "17")) == filled


def test_both_databases_write_the_same_archive(app, elsewhere, filled):
    """Through SQLite and back: nothing of it depends on where it was kept."""
    _, archive = exported(app)
    read_total(elsewhere, SYSTEM, io.BytesIO(archive))

    assert exported(elsewhere)[1] == archive


def test_what_was_loaded_lives_on(app, elsewhere, filled):
    """The log came along, so what was done there can be taken back here."""
    read_total(elsewhere, SYSTEM, io.BytesIO(exported(app)[1]))
    [newest] = acting(elsewhere, lambda ctx: list_sets(ctx, Wanted(limit=1)))
    acting(elsewhere, lambda ctx: undo(ctx, newest["id"]))

    names = [
        r["name"] for r in acting(elsewhere, lambda c: list_page(c, Customer.info, Question()).rows)
    ]
    assert sorted(names) == ["Anna", "Roof & Sons"]


def test_an_import_that_was_taken_back_leaves_equal_data(app, filled):
    before = facts_of(exported(app)[1])
    text = "name,email,country\nAnna,a@example.com,FR\nNew,new@example.com,IT\n"
    import_file(app, SYSTEM, Customer.info, io.BytesIO(text.encode()))
    changed = facts_of(exported(app)[1])
    [one] = acting(app, lambda ctx: list_sets(ctx, Wanted(action="core.customer.import")))
    acting(app, lambda ctx: undo(ctx, one["id"]))

    assert changed != before
    assert facts_of(exported(app)[1]) == before


def test_updates_of_an_import_too(app, filled):
    acting(
        app,
        lambda ctx: ctx.run(
            app.registry.action("core.customer.update"), filled, {"email": "a@b.com"}
        ),
    )
    before = facts_of(exported(app)[1])
    options = ImportOptions(key=("email",))
    import_file(
        app, SYSTEM, Customer.info, io.BytesIO(b"email,country\na@b.com,IT\n"), options=options
    )
    [one] = acting(app, lambda ctx: list_sets(ctx, Wanted(action="core.customer.import")))
    acting(app, lambda ctx: undo(ctx, one["id"]))

    assert facts_of(exported(app)[1]) == before


def test_a_deployment_with_records_is_left_alone(app, elsewhere, filled):
    _, archive = exported(app)
    acting(elsewhere, lambda ctx: ctx.add(Customer(name="Mine")).id)

    with pytest.raises(NotEmpty, match="1 customers here already"):
        read_total(elsewhere, SYSTEM, io.BytesIO(archive))
    names = [
        r["name"] for r in acting(elsewhere, lambda c: list_page(c, Customer.info, Question()).rows)
    ]
    assert names == ["Mine"]


def rewritten(archive, name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for member, content in members(archive).items():
            made.writestr(member, data if member == name else content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda a: a[: len(a) // 2], "no whole ZIP"),
        (lambda a: b"PK nonsense", "no whole ZIP"),
        (lambda a: rewritten(a, "data/core.customer.jsonl", b'{"id":"x"}\n'), "not what the manifest says"),
        (lambda a: rewritten(a, "manifest.json", b"{}"), "no manifest"),
        (lambda a: rewritten(a, "manifest.json", b'{"format": 9}'), "format 9"),
    ],
    ids=["half", "no zip", "changed", "no manifest", "newer"],
)  # fmt: skip
def test_a_damaged_archive_is_refused_and_nothing_is_written(app, elsewhere, filled, spoil, says):
    with pytest.raises(Damaged, match=says):
        read_total(elsewhere, SYSTEM, io.BytesIO(spoil(exported(app)[1])))

    assert acting(elsewhere, lambda ctx: list_page(ctx, Customer.info, Question()).rows) == []


def test_a_plugin_that_is_not_here_is_named(app, elsewhere, filled):
    archive = exported(app)[1]
    manifest = orjson.loads(members(archive)["manifest.json"])
    manifest["plugins"]["sales"] = "0001_initial"

    with pytest.raises(Conflict, match="plugin sales; install it first"):
        read_total(
            elsewhere,
            SYSTEM,
            io.BytesIO(rewritten(archive, "manifest.json", orjson.dumps(manifest))),
        )


def test_secrets_stay_behind(app, make, filled):
    from clientela.access.entities import User

    make(User, email="u@example.com", password_hash="$argon2-hash")
    assert b"$argon2-hash" not in b"".join(members(exported(app)[1]).values())


def test_it_needs_a_permission_of_its_own(app, as_role):
    with pytest.raises(Forbidden, match=r"core\.system\.export"):
        write_total(app, as_role("*.read", "*.export", "-core.system.export"), io.BytesIO())
