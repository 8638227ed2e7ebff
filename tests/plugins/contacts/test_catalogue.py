"""Contacts speaks Russian as well as English."""

from __future__ import annotations

from typing import Any

import pytest

from clientela.cli.commands.translations import wanted_of
from clientela.i18n import phrase
from clientela.i18n.extract import missing
from clientela_contacts import plugin
from clientela_sdk import App, Customer
from clientela_sdk.testing.factory import Make

sqlite_only = pytest.mark.parametrize("db_url", ["sqlite"], indirect=True)


@sqlite_only
def test_every_message_is_translated(app: App) -> None:
    assert missing("clientela_contacts", "ru", wanted_of(app, plugin)) == []


@sqlite_only
def test_numbers_decline_their_noun(app: App) -> None:
    russian = app.catalogues.translator("ru")

    shown = [
        phrase(russian, "contacts.group", "group", None, "count", n=number) for number in (1, 2, 5)
    ]

    assert shown == ["1 группа", "2 группы", "5 групп"]


@sqlite_only
def test_a_refusal_is_said_in_the_language_of_who_asks(client: Any, make: Make) -> None:
    anna = make(Customer, name="Анна")

    reply = client.post(
        "/api/v1/contacts/employments",
        json={"person_id": anna.public_id, "organization_id": anna.public_id},
        headers={"Accept-Language": "ru"},
    )

    assert reply.status_code == 422
    assert reply.json()["errors"][0]["pointer"] == "/organization_id"
    assert reply.json()["detail"] == "Человек работает в организации; выберите организацию."


@sqlite_only
def test_the_note_of_who_left_is_russian_where_the_deployment_is(app: App) -> None:
    text = app.catalogues.translator("ru").text(
        "{person} left {organization}", person="Анна", organization="ООО «Крыша»"
    )

    assert text == "Анна больше не работает в организации ООО «Крыша»"
