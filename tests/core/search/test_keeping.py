"""Documents are written with the records, and made anew to the same."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import delete, func, insert, select, update

from clientela import ids
from clientela.access.principal import SYSTEM
from clientela.customers.entities import Customer, Interaction
from clientela.exchange import import_file
from clientela.search import DOCUMENT, rebuilding, words_from
from clientela.search.finding import find
from clientela.search.rebuilding import rebuild
from clientela.storage.database import count_statements
from clientela.values import PersonName


@pytest.fixture
def plugins():
    return []


@pytest.fixture
def act(app):
    def run(name, record=None, data=None):
        return app.perform(
            SYSTEM, lambda ctx: ctx.run(app.registry.action(name), record, data), face="test"
        )

    return run


@pytest.fixture
def documents(app):
    """Give the words of all documents by record."""

    def read():
        words = DOCUMENT.c.words
        if not app.db.is_sqlite:
            words = func.array_to_string(func.tsvector_to_array(words), " ")
        with app.db.read() as connection:
            rows = connection.execute(select(DOCUMENT.c.record_id, words))
            return {key: sorted(text.split()) for key, text in rows}

    return read


@pytest.fixture
def look(app):
    def search(query):
        with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
            return [hit.title for hit in find(ctx, query)]

    return search


def test_words_follow_the_record(make, act, look):
    anna = make(Customer, name="Anna")
    act("core.customer.update", anna.id, {"name": "Olga"})
    assert (look("anna"), look("olga")) == ([], ["Olga"])
    act("core.customer.trash", anna.id)
    assert look("olga") == []
    act("core.customer.restore", anna.id)
    assert look("olga") == ["Olga"]
    act("core.customer.purge", anna.id)
    assert look("olga") == []


def test_words_are_rolled_back_with_the_record(app, make, look, documents):
    make(Customer, name="Anna")
    before = documents()
    with pytest.raises(RuntimeError), app.acting_as(SYSTEM, face="test") as ctx:
        ctx.add(Customer(name="Olga"))
        ctx.finish()
        raise RuntimeError

    assert documents() == before
    assert look("olga") == []


def test_an_undo_brings_the_words_back(app, make, act, look):
    from clientela.undoing import take_back

    anna = make(Customer, name="Anna")
    act("core.customer.purge", anna.id)
    with app.db.read() as connection:
        from clientela.history import CHANGE

        set_id = connection.execute(
            select(CHANGE.c.set_id).where(CHANGE.c.record_id == anna.id, CHANGE.c.kind == "purge")
        ).scalar_one()
    app.perform(SYSTEM, lambda ctx: take_back(ctx, set_id), face="test")

    assert look("anna") == ["Anna"]


def test_a_write_costs_one_statement_more(app, make, act):
    anna = make(Customer, name="Anna")
    counter = count_statements(app.db.engine)
    act("core.customer.create", None, {"name": "Olga"})
    assert len([s for s in counter.statements if "core_search" in s]) == 1
    counter.statements.clear()
    act("core.customer.update", anna.id, {"name": "Anne"})
    assert len([s for s in counter.statements if "core_search" in s]) == 1
    counter.statements.clear()
    act("core.customer.update", anna.id, {"country": "DE"})
    assert [s for s in counter.statements if "core_search" in s] == []


def test_an_import_writes_the_same_documents(app, make, documents):
    values = {
        "name": "Иванов Пётр",
        "email": "a.b@example.com",
        "phone": "+79261234567",
        "note": "8 (812) 123-45-67 x@y.org",
    }
    one = make(Customer, **values)
    lines = ",".join(values) + "\n" + ",".join(f'"{v}"' for v in values.values()) + "\n"
    import_file(app, SYSTEM, Customer.info, io.BytesIO(lines.encode()))
    found = documents()
    other = next(key for key in found if key != one.id)

    assert found[one.id] == found[other]


def fill(make):
    for number in range(7):
        make(
            Customer, name=f"Анна {number}", phone="+79261234567", person=PersonName("Ким", "Анна")
        )
    anna = make(Customer, name="Anna", tags=["a b", "c"])
    make(Interaction, customer_id=anna, subject="Roofs", body="договорами x@y.org " * 50)
    return anna


def test_a_rebuilt_index_is_the_one_that_was_kept(app, make, act, documents):
    anna = fill(make)
    act("core.customer.trash", anna.id)
    act("core.customer.restore", anna.id)
    act("core.customer.update", anna.id, {"note": "new words"})
    kept = documents()
    with app.db.write() as connection:
        connection.execute(delete(DOCUMENT).where(DOCUMENT.c.record_id == anna.id))
        connection.execute(update(DOCUMENT).values(words="wrong"))
        stray = {"record_id": ids.new_key(), "entity": "core.customer", "words": "stray"}
        connection.execute(insert(DOCUMENT), [stray])

    assert rebuild(app, batch=3) == len(kept)
    assert documents() == kept


def test_what_was_broken_off_goes_on(app, make, documents):
    fill(make)
    kept = documents()
    with app.db.write() as connection:
        connection.execute(update(DOCUMENT).values(words="wrong"))
    seen = []

    def stop(entity, number):
        seen.append(number)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(app, batch=3, progress=stop)
    assert rebuild(app, batch=3) == len(kept) - sum(seen)
    assert documents() == kept
    assert rebuild(app, batch=100) == len(kept)
    assert rebuilding._place(app) == []


def test_the_command_line_rebuilds(app, make, cli, documents):
    fill(make)
    kept = documents()
    done = cli("db", "reindex", "-o", "json")

    assert done.exit_code == 0, done.output
    assert f'"records": {len(kept)}' in done.stdout
    assert documents() == kept


def test_a_huge_text_is_kept(make, look):
    make(Customer, name="Anna")
    make(Interaction, subject="Huge", body=" ".join(f"слово{n}" for n in range(9_000)))
    assert look("слово17") == ["Huge"]


def test_an_enormous_text_is_kept_up_to_a_bound(make, look):
    """PostgreSQL refuses a `tsvector` of more than a megabyte, and a write must not fail by the length of a text."""
    words = " ".join(f"длинноеслово{n}" for n in range(5_000))
    customer = make(Customer, name="Enormous", note=words[:10_000])
    make(Interaction, customer_id=customer, subject="Anna", body=words[:100_000])

    assert "Anna" in look("длинноеслово5")


def test_a_secret_has_no_words():
    from sqlalchemy.orm import Mapped

    from clientela.entity import Entity
    from clientela.fields import text

    class Vault(Entity, plugin="tsearch", label="Vault", prefix="tva"):
        name: Mapped[str] = text(search=True)
        code: Mapped[str] = text(search=True, field_class="secret")
        salary: Mapped[str] = text(search=True, field_class="financial")

    words = words_from(Vault.info, {"name": "open", "code": "hush", "salary": "much"})
    assert words == "open ^open $much"
