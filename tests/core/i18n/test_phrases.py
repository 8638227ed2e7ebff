"""Every entity has its phrases: English ones made from its noun, others written in a catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from clientela.errors import Misconfigured
from clientela.i18n import PHRASES, Catalogues, Note, expected_messages, phrase, pluralize
from clientela.i18n.extract import missing, update_po
from clientela.i18n.phrases import phrase as of_entity

ENGLISH = Catalogues().translator("en")


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("customer", "customers"),
        ("company", "companies"),
        ("survey", "surveys"),
        ("address", "addresses"),
        ("status", "statuses"),
        ("tax", "taxes"),
        ("branch", "branches"),
        ("wish", "wishes"),
        ("person", "people"),
        ("Person", "People"),
        ("contact person", "contact people"),
        ("price list", "price lists"),
        ("point of sale", "points of sale"),
        ("criterion", "criteria"),
        ("equipment", "equipment"),
        ("y", "ys"),
    ],
)
def test_plural(noun: str, plural: str) -> None:
    assert pluralize(noun) == plural


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ("new", "New customer"),
        ("create", "Create customer"),
        ("trash", "Move customer to trash"),
        ("purged", "Customer deleted forever"),
        ("delete_confirm", "Delete this customer?"),
        ("in", "in customers"),
        ("of", "of the customer"),
        ("none", "No customers yet"),
        ("not_found", "Customer not found"),
    ],
)
def test_english_is_made_from_the_noun(which: str, expected: str) -> None:
    assert phrase(ENGLISH, "core.customer", "customer", None, which) == expected


@pytest.mark.parametrize(("n", "expected"), [(1, "1 goose"), (0, "0 geese"), (5, "5 geese")])
def test_the_plural_may_be_said(n: int, expected: str) -> None:
    assert phrase(ENGLISH, "farm.goose", "goose", "geese", "count", n=n) == expected


def test_a_noun_is_never_read_as_a_message() -> None:
    assert phrase(ENGLISH, "a.b", "{many} {x.y}", None, "new") == "New {many} {x.y}"
    assert ENGLISH.notes == frozenset()


def test_an_unknown_phrase_is_a_sentence() -> None:
    with pytest.raises(Misconfigured, match="Did you mean 'restore'"):
        phrase(ENGLISH, "core.customer", "customer", None, "restroe")


def test_a_count_wants_its_number() -> None:
    with pytest.raises(Misconfigured, match="wants the number n"):
        phrase(ENGLISH, "core.customer", "customer", None, "count")


def test_all_phrases_are_expected_once() -> None:
    messages = expected_messages("core.customer", "customer")

    assert len(set(messages)) == len(PHRASES) == 18
    assert {message.context for message in messages} == {"entity:core.customer"}
    assert ("entity:core.customer", "{n} customer", "{n} customers") in messages


def test_russian_is_written_in_the_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "shop"
    folder.mkdir()
    wanted = expected_messages("shop.person", "person")
    assert len(missing(folder, "ru", wanted)) == len(PHRASES)
    update_po(folder, "ru", wanted)
    path = folder / "locale/ru/LC_MESSAGES/shop.po"
    forms = ("человек", "человека", "человек")
    text = path.read_text().replace(
        'msgid "New person"\nmsgstr ""', 'msgid "New person"\nmsgstr "Новый человек"'
    )
    for place, form in enumerate(forms):
        text = text.replace(f'msgstr[{place}] ""', f'msgstr[{place}] "{{n}} {form}"')
    path.write_text(text)
    russian = Catalogues(["shop"]).translator("ru")

    def shown(which: str, n: int | None = None) -> str:
        return of_entity(russian, "shop.person", "person", None, which, n=n)

    assert shown("new") == "Новый человек"
    assert [shown("count", n) for n in (1, 2, 5)] == ["1 человек", "2 человека", "5 человек"]
    assert shown("edit") == "Edit person"
    assert russian.notes == {Note("missing", "ru", "Edit person", "entity:shop.person")}
    assert len(missing("shop", "ru", wanted)) == len(PHRASES) - 2
