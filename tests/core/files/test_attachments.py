"""An attachment is seen and changed by exactly those who may see and change the record that it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.orm import Mapped

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.customers.entities import Consent, Customer, Decision
from clientela.entity import Entity
from clientela.errors import Forbidden, Invalid, NotFound
from clientela.fields import text
from clientela.files.entities import Attachment
from clientela.files.opening import file_of
from clientela.hookspecs import hookimpl
from clientela.plugins.card import Plugin
from clientela.query import Question, list_page
from clientela.storage.database import count_statements


class Ship(Entity, plugin="fleet", label="Ship", prefix="shp"):
    """A record of a plugin that knows nothing of files."""

    name: Mapped[str] = text(max_length=60)


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin(name="fleet", title="Fleet", entities=[Ship])]


def seen(app: App, principal: Any, **question: Any) -> set[str]:
    """Give the names of the files that a list shows to somebody."""
    with app.acting_as(principal, face="test", writing=False) as ctx:
        rows = list_page(
            ctx, Attachment.info, Question(fields=("note", "subject"), **question)
        ).rows
    return {row["subject"] for row in rows}


def run(app: App, principal: Any, verb: str, key: Any, data: Any = None) -> Any:
    with app.acting_as(principal, face="test") as ctx:
        return ctx.run(app.registry.action(f"core.attachment.{verb}"), key, data)


# seeing ---------------------------------------------------------------------------------------------------------------


def test_a_scope_on_customers_is_a_scope_on_what_is_attached_to_them(
    app, make, as_role, anna, attached
):
    bert = make(Customer, name="Bert")
    his, hers = attached(bert), attached(anna)
    scoped = as_role("core.*", scopes={"core.customer": "name = Anna"})

    assert seen(app, scoped) == {anna.public_id}
    with app.acting_as(scoped, face="test", writing=False) as ctx:
        assert file_of(ctx, Attachment.info, hers.public_id, "file")["name"] == "hello.txt"
        with pytest.raises(NotFound):
            file_of(ctx, Attachment.info, his.public_id, "file")


def test_a_scope_reaches_through_the_parents_of_a_subject(app, make, as_role, anna, attached):
    bert = make(Customer, name="Bert")
    hers = make(Decision, customer_id=anna)
    attached(hers)
    attached(make(Decision, customer_id=bert))

    assert seen(app, as_role("core.*", scopes={"core.customer": "name = Anna"})) == {hers.public_id}


def test_who_may_not_read_an_entity_sees_nothing_that_is_attached_to_it(
    app, make, as_role, anna, attached
):
    ship = make(Ship, name="Aurora")
    attached(anna)
    attached(ship)

    assert seen(app, as_role("core.*")) == {anna.public_id}
    assert seen(app, as_role("core.attachment.*", "fleet.*")) == {ship.public_id}
    assert seen(app, as_role("*")) == {anna.public_id, ship.public_id}
    with (
        app.acting_as(as_role("core.customer.*"), face="test", writing=False) as ctx,
        pytest.raises(Forbidden),
    ):
        list_page(ctx, Attachment.info, Question())


def test_a_guarding_plugin_hides_what_is_attached_as_well(
    db_url, make, app, as_role, anna, attached
):
    class Guard:
        @hookimpl
        def row_scope(self, ctx, entity, table, verb):
            return table.c.name != "Anna" if entity.name == "core.customer" else None

    attached(anna)
    guarded = App(
        db_url,
        plugins=[Plugin(name="guard", title="Guard", hooks=[Guard()])],
        settings=app.settings,
    )

    assert seen(guarded, as_role("*")) == set()
    guarded.close()


def test_what_is_attached_to_a_record_of_an_absent_plugin_is_closed(
    db_url, app, make, as_role, attached
):
    attached(make(Ship, name="Aurora"))
    without = App(db_url, plugins=[], settings=app.settings)

    assert seen(without, as_role("*")) == set()
    without.close()


def test_the_search_finds_only_what_may_be_seen(app, make, as_role, anna, attached):
    attached(anna, name="contract.txt")

    def found(principal):
        with app.acting_as(principal, face="test", writing=False) as ctx:
            from clientela.search.finding import find

            return [hit.title for hit in find(ctx, "contract")]

    assert found(as_role("*")) == ["contract.txt"]
    assert found(as_role("core.*", scopes={"core.customer": "name = Bert"})) == []


def test_the_search_of_the_system_opens_nothing_to_others(db_url, app, make, as_role, attached):
    from clientela.search.finding import find

    attached(make(Ship, name="Aurora"), name="plan.txt")
    without = App(db_url, plugins=[], settings=app.settings)

    def found(principal):
        with without.acting_as(principal, face="test", writing=False) as ctx:
            return len(find(ctx, "plan"))

    assert [found(SYSTEM), found(as_role("*")), found(SYSTEM)] == [1, 0, 1]
    without.close()


def test_the_history_shows_only_what_may_be_seen(app, client, token, anna, attached):
    attached(anna)
    stranger = {"Authorization": f"Bearer {token('*', scopes={'core.customer': 'name = Bert'})}"}

    def changes(**headers):
        return client.get("/api/v1/core/changes?entity=core.attachment", headers=headers).json()[
            "data"
        ]

    assert len(changes()) == 1
    assert changes(**stranger) == []


def test_a_page_of_attachments_takes_as_many_statements_as_one(app, make, as_role, anna, attached):
    scoped = as_role("core.*", scopes={"core.customer": "name = Anna"})
    counter = count_statements(app.db.engine)
    attached(anna)
    counter.statements.clear()
    seen(app, scoped)
    one = len(counter.statements)
    for _ in range(5):
        attached(anna)
    counter.statements.clear()
    seen(app, scoped)

    assert len(counter.statements) == one


# changing -------------------------------------------------------------------------------------------------------------


def test_who_may_only_look_at_a_record_may_not_touch_what_is_attached(
    app, as_role, anna, attached, send_as
):
    mine = attached(anna)
    looker = as_role("core.attachment.*", "core.customer.read", "core.file.create")
    described = send_as(looker, b"more")

    with pytest.raises(Forbidden):
        run(app, looker, "update", mine.public_id, {"note": "x"})
    with pytest.raises(Forbidden):
        run(app, looker, "trash", mine.public_id)
    with pytest.raises(Forbidden):
        run(app, looker, "purge", mine.public_id)
    with pytest.raises(Forbidden):
        run(app, looker, "create", None, {"subject": anna.public_id, "file": described})


def test_a_line_of_a_ledger_takes_files_from_those_who_may_write_lines(app, make, as_role, send_as):
    consent = make(Consent)
    writer = as_role(
        "core.attachment.*", "core.consent.*", "core.customer.read", "core.file.create"
    )
    reader = as_role(
        "core.attachment.*", "core.consent.read", "core.customer.read", "core.file.create"
    )

    def attach_as(principal):
        described = send_as(principal, b"proof")
        return run(
            app, principal, "create", None, {"subject": consent.public_id, "file": described}
        )

    assert attach_as(writer).id
    with pytest.raises(Forbidden):
        attach_as(reader)


def test_a_subject_that_is_not_there_and_one_that_is_hidden_are_refused_alike(
    app, make, as_role, anna, send_as
):
    scoped = as_role("core.*", scopes={"core.customer": "name = Bert"})
    described = send_as(scoped, b"x")

    def refusal(subject):
        with pytest.raises(Invalid) as refused:
            run(app, scoped, "create", None, {"subject": subject, "file": described})
        return refused.value.detail.replace(subject, "…"), refused.value.errors[0].code

    hidden = refusal(anna.public_id)
    absent = refusal("cus_" + "0" * 26)
    assert hidden == absent
    assert hidden[1] == "no-such-record"


def test_a_file_cannot_be_attached_to_a_file_or_to_nothing(app, anna, attached, send_as):
    mine = attached(anna)
    described = send_as(SYSTEM, b"x")

    for subject in (mine.public_id, "xyz_" + "0" * 26, anna.public_id.replace("cus", "att")):
        with pytest.raises(Invalid, match="Nothing can belong"):
            run(app, SYSTEM, "create", None, {"subject": subject, "file": described})


def test_what_is_in_the_trash_takes_no_files(app, client, anna, send_as):
    client.delete(f"/api/v1/core/customers/{anna.public_id}")
    described = send_as(SYSTEM, b"x")

    with pytest.raises(Invalid, match="There is no customer"):
        run(app, SYSTEM, "create", None, {"subject": anna.public_id, "file": described})


def test_an_import_asks_the_same_questions(app, as_role, tmp_path, anna, send_as):
    from clientela.exchange import ImportOptions, import_file

    thief = as_role("*")
    described = send_as(SYSTEM, b"secret")
    cell = (
        '"{""name"":""a.txt"",""type"":""text/plain"",""size"":6,""sha256"":""'
        + described["sha256"]
        + '""}"'
    )
    path = tmp_path / "attachments.csv"
    path.write_text(f"subject,file\n{anna.public_id},{cell}\n")

    report = import_file(
        app, thief, Attachment.info, path, options=ImportOptions(skip_bad_rows=True)
    )

    assert (report.created, report.failed) == (0, 1)


def test_an_export_can_be_imported_by_who_may_see_the_files(app, as_role, tmp_path, anna, attached):
    from clientela.exchange import ImportOptions, export_csv, import_file

    attached(anna, name="Договор.txt")
    clerk = as_role("*")
    path = tmp_path / "attachments.csv"
    with app.acting_as(clerk, face="test", writing=False) as ctx:
        path.write_bytes(
            b"".join(export_csv(ctx, Attachment.info, Question(), ("subject", "file")))
        )

    report = import_file(app, clerk, Attachment.info, path, options=ImportOptions())

    assert report.created == 1
    with app.acting_as(clerk, face="test", writing=False) as ctx:
        rows = list_page(ctx, Attachment.info, Question(filter=None)).rows
    assert len(rows) == 2


# beside the record ----------------------------------------------------------------------------------------------------


def test_a_record_of_any_entity_lists_what_is_attached_to_it(client, attach, make, anna):
    ship = make(Ship, name="Aurora")
    attach(anna)
    attach(ship, name="plan.txt")

    def names(address):
        return [row["file"]["name"] for row in client.get(address).json()["data"]]

    assert names(f"/api/v1/fleet/ships/{ship.public_id}/attachments") == ["plan.txt"]
    assert names(f"/api/v1/core/customers/{anna.public_id}/core.attachments") == ["hello.txt"]
    assert names(f"/api/v1/core/attachments?filter=subject = {ship.public_id}") == ["plan.txt"]
    assert client.get(f"{attach(anna)}/attachments").status_code == 404


def test_an_attachment_goes_to_the_trash_and_comes_back(client, attach, anna):
    mine = attach(anna)

    assert client.delete(mine).status_code == 204
    assert client.get(f"{mine}/content").status_code == 404
    assert client.get(f"{mine}/content?include_deleted=true").status_code == 200
    assert client.post(f"{mine}:restore").status_code == 200
    assert client.get(f"{mine}/content").status_code == 200
    kinds = [line["kind"] for line in client.get(f"{mine}/history").json()["data"]]
    assert kinds == ["restore", "trash", "create"]


def test_a_moment_is_looked_back_to(client, clock, attach, anna):
    before = clock.now.isoformat().replace("+00:00", "Z")
    clock.forward(hours=1)
    mine = attach(anna)
    clock.forward(hours=1)
    between = clock.now.isoformat().replace("+00:00", "Z")
    clock.forward(hours=1)
    client.post(f"{mine}:purge")

    assert client.get(f"{mine}/content?as_of={between}").content == b"hello"
    assert client.get(f"{mine}/content?as_of={before}").status_code == 404
    assert client.get(f"{mine}/content").status_code == 404


def test_neither_the_subject_nor_the_file_is_exchanged(client, attach, make, anna):
    mine = attach(anna)

    for change in (
        {"subject": make(Customer).public_id},
        {"file": client.get(mine).json()["file"]},
    ):
        assert client.patch(mine, json=change).status_code == 422
