"""Search in lists: the words of a record find it at once, in any spelling, on both databases alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Mapped

from clientela.access.principal import SYSTEM
from clientela.app import App
from clientela.entity import Entity
from clientela.errors import BadSyntax
from clientela.fields import choice, integer, person_name, phone, rich_text, tags, text
from clientela.plugins.card import Plugin
from clientela.query import Question, list_page
from clientela.search import DOCUMENT
from clientela.values import PersonName
from clientela_sdk.testing.factory import Make

Find = Callable[[str], list[str]]


class Book(Entity, plugin="ksearch", label="Book", prefix="kbo"):
    """A book that is found by its words."""

    title: Mapped[str] = text(search=True, priority=1)
    author: Mapped[PersonName | None] = person_name(search=True)
    summary: Mapped[str | None] = rich_text(search=True)
    labels: Mapped[list[str]] = tags(search=True)
    call: Mapped[str | None] = phone(search=True)
    shelf: Mapped[str | None] = text()
    genre: Mapped[str | None] = choice({"novel": "Novel"}, search=True)


class Stone(Entity, plugin="ksearch", label="Stone", prefix="kst"):
    """A thing without words."""

    weight: Mapped[int] = integer()


@pytest.fixture
def plugins() -> Sequence[Plugin]:
    return [Plugin(name="ksearch", title="Search", entities=[Book, Stone])]


@pytest.fixture
def find(app: App) -> Find:
    """Give the titles of the books that are found."""

    def search(words: str) -> list[str]:
        with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
            question = Question(search=words, sort="id", count="exact")
            page = list_page(ctx, Book.info, question)
            assert page.count == len(page.rows)
            return [row["title"] for row in page.rows]

    return search


@pytest.fixture
def books(make: Make) -> None:
    """Give a few books."""
    make(Book, title="Пётр и Ёлка", labels=["сказка"], shelf="hidden")
    make(Book, title="O'Reilly & Söhne", author=PersonName("Müller", "Jürgen"))
    make(
        Book,
        title="Clean roofs",
        summary="<p>All about <b>gutters</b> &amp; tiles</p>",
        genre="novel",
    )
    make(Book, title="100% C++ for Anna_Maria", call="+79261234567")


TALE, REILLY, ROOFS, ANNA = (
    "Пётр и Ёлка", "O'Reilly & Söhne", "Clean roofs", "100% C++ for Anna_Maria",
)  # fmt: skip
FOUND = {
    "пётр": [TALE], "ПЕТР": [TALE], "елка": [TALE], "ёлка петр": [TALE], "сказка": [TALE],
    "oreilly": [REILLY], "O’Reilly": [REILLY], "söhne": [REILLY], "müller jürgen": [REILLY],
    "gutters": [ROOFS], "clean gutt": [ROOFS], "roofs tiles clean": [ROOFS], "clean  ,  roofs!": [ROOFS],
    "clean roofs " * 20: [ROOFS], "anna maria": [ANNA], "+79261234567": [ANNA], "79261234567": [ANNA],
    "nothing": [], "roofs nothing": [], "hidden": [], "strong": [],
}  # fmt: skip


def test_words_find_what_holds_all_of_them(books: None, find: Find) -> None:
    assert {words: find(words) for words in FOUND} == FOUND


SIGNS = [
    "!!!", "%", "%%%", "...", "&", "|", "'", "''", '"', '"""', "\\", "\\'", "*", "***", "-", ":*", "( )", "<->",
    "!a & b", "a:*", "NOT", "AND OR", "NEAR(a b)", "title:x", "{a b}", "^a", "^", "~", "$", "=", "a'b", "a\\b",
    "'; drop table x; --", "\u0301", "\u200d", "\u200b", "😀", "a" * 5_000, "я " * 2_000, "١٢", "ﬀ", "İ", "ß",
]  # fmt: skip


def test_signs_of_the_databases_own_languages_are_no_commands(books: None, find: Find) -> None:
    for words in SIGNS:
        assert len(find(words)) <= 4


def test_words_that_are_only_signs_find_nothing(books: None, find: Find) -> None:
    """Finding everything on one database and nothing on the other would be the worst of both."""
    for words in ("!!!", "...", "«»", "()", "'"):
        assert find(words) == []


def test_blanks_are_no_search(books: None, find: Find) -> None:
    assert len(find("   ")) == 4


def test_any_text_can_be_looked_for_and_finds_the_record_that_holds_it(
    app: App, make: Make, find: Find
) -> None:
    letters = st.text(alphabet="abz яжЁ019'\"%_\\-+&|!*():<>.^~$=", min_size=1, max_size=12)

    @given(letters)
    @example("0000001")  # without its zeros it is no number any more
    @settings(max_examples=60, deadline=None)
    def holds(words: str) -> None:
        with app.acting_as(SYSTEM, face="test", dry_run=True) as ctx:
            made = ctx.add(Book(title=f"{words} unmistakable"))
            ctx.flush()
            ctx.app.search.write(ctx)
            page = list_page(ctx, Book.info, Question(search=f"{words} unmistakable"))
            assert [row["id"] for row in page.rows] == [made.public_id]
            list_page(ctx, Book.info, Question(search=words))

    holds()


def test_a_changed_record_is_found_by_its_new_words_only(make: Make, find: Find, act: Any) -> None:
    book = make(Book, title="Clean roofs")
    act("ksearch.book.update", book.id, {"title": "Dirty walls", "labels": ["new"]})

    assert (find("clean"), find("dirty"), find("new")) == ([], ["Dirty walls"], ["Dirty walls"])


def test_the_trash_is_not_searched_until_it_is_emptied_or_restored(
    make: Make, find: Find, act: Any, rows: Callable[..., list[Any]]
) -> None:
    book = make(Book, title="Clean roofs")
    act("ksearch.book.trash", book.id)
    assert find("clean") == []
    act("ksearch.book.restore", book.id)
    assert find("clean") == ["Clean roofs"]
    act("ksearch.book.purge", book.id)

    assert find("clean") == []
    assert rows(DOCUMENT, entity="ksearch.book") == []


def test_words_come_and_go_with_the_transaction(app: App, make: Make, find: Find, act: Any) -> None:
    book = make(Book, title="Clean roofs")
    with pytest.raises(RuntimeError), app.acting_as(SYSTEM, face="test") as ctx:
        ctx.get(Book, book.id).title = "Dirty walls"
        ctx.add(Book(title="Dirty floors"))
        ctx.flush()
        raise RuntimeError
    act("ksearch.book.update", book.id, {"title": "Dirty walls"}, dry_run=True)

    assert (find("clean"), find("dirty")) == (["Clean roofs"], [])


def test_a_record_made_and_changed_in_one_transaction_is_found_once(
    app: App, find: Find, rows: Any
) -> None:
    with app.acting_as(SYSTEM, face="test") as ctx:
        book = ctx.add(Book(title="first"))
        ctx.flush()
        book.title = "second"
        ctx.flush()
        gone = ctx.add(Book(title="third"))
        ctx.flush()
        ctx.delete(gone)

    assert (find("first"), find("second"), find("third")) == ([], ["second"], [])
    assert len(rows(DOCUMENT, entity="ksearch.book")) == 1


def test_search_and_filter_and_pages_go_together(app: App, make: Make) -> None:
    from clientela.filters import parse

    for number in range(7):
        make(Book, title=f"Roof {number}", shelf="ab"[number % 2])
    found: list[str] = []
    after = None
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        while True:
            page = list_page(
                ctx, Book.info,
                Question(search="roof", filter=parse("shelf = a"), sort="-title", limit=3, after=after),
            )  # fmt: skip
            found += [row["title"] for row in page.rows]
            after = page.after
            if after is None:
                break

    assert found == ["Roof 6", "Roof 4", "Roof 2", "Roof 0"]


def test_what_has_no_words_cannot_be_searched(app: App) -> None:
    with (
        app.acting_as(SYSTEM, face="test", writing=False) as ctx,
        pytest.raises(BadSyntax, match="Stones have no fields to search in; use a filter"),
    ):
        list_page(ctx, Stone.info, Question(search="x"))
