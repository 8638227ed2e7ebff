"""The global search: the same words find the same records in the same order on both databases."""

from __future__ import annotations

import pytest

from clientela.access.principal import SYSTEM
from clientela.customers.entities import Address, Customer, Decision, Identifier, Interaction
from clientela.errors import BadSyntax, Forbidden, NotFound
from clientela.query import Question, list_page
from clientela.search.finding import find
from clientela.storage.database import count_statements
from clientela.values import PersonName, PostalAddress


@pytest.fixture
def plugins():
    return []


@pytest.fixture
def look(app):
    """Give the titles of what is found."""

    def search(query, by=SYSTEM, **how):
        with app.acting_as(by, face="test", writing=False) as ctx:
            return [hit.title for hit in find(ctx, query, **how)]

    return search


@pytest.fixture
def hits(app):
    """Give the hits themselves."""

    def search(query, by=SYSTEM, **how):
        with app.acting_as(by, face="test", writing=False) as ctx:
            return find(ctx, query, **how)

    return search


def marked(hit):
    return "".join(f"[{text}]" if is_hit else text for text, is_hit in hit.snippet)


@pytest.fixture
def people(make):
    """Give a few customers with all that a search goes by."""
    make(
        Customer,
        name="Иванов Пётр",
        person=PersonName("Иванов", "Пётр"),
        email="petr.ivanov@example.com",
    )
    make(Customer, name="Юлия Щукина", phone="+79261234567", note="Договор на ремонт крыши")
    make(Customer, name="Roof & Sons", kind="organization", legal_name="Roof and Sons Ltd")
    make(Customer, name="Tchaikovsky Fyodor", note="café on the roofs; call 8 (812) 123-45-67")


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        # Russian and its inflections
        ("договорами", ["Юлия Щукина"]), ("ДОГОВОР крыша", ["Юлия Щукина"]), ("ремонта", ["Юлия Щукина"]),
        ("Ивановым", ["Иванов Пётр"]), ("петр", ["Иванов Пётр"]), ("пётр иванов", ["Иванов Пётр"]),
        # English
        ("roofs", ["Roof & Sons", "Tchaikovsky Fyodor"]), ("ROOF", ["Roof & Sons", "Tchaikovsky Fyodor"]),
        ("cafe", ["Tchaikovsky Fyodor"]), ("café", ["Tchaikovsky Fyodor"]),
        # beginnings: of the last word, and of all where that finds nothing
        ("ива", ["Иванов Пётр"]), ("юлия щу", ["Юлия Щукина"]), ("юл щук", ["Юлия Щукина"]), ("son", ["Roof & Sons"]),
        # names in the other alphabet, however they are spelt
        ("Ivanov", ["Иванов Пётр"]), ("Yulia Shchukina", ["Юлия Щукина"]), ("julia", ["Юлия Щукина"]),
        ("Чайковский Федор", ["Tchaikovsky Fyodor"]), ("чайк", ["Tchaikovsky Fyodor"]),
        # the other keyboard layout
        ("bdfyjd", ["Иванов Пётр"]), ("руфы", []), ("кщща", ["Roof & Sons", "Tchaikovsky Fyodor"]),
        # numbers
        ("+7 926 123-45-67", ["Юлия Щукина"]), ("89261234567", ["Юлия Щукина"]), ("8926123", ["Юлия Щукина"]),
        ("9261234567", ["Юлия Щукина"]), ("4567", ["Tchaikovsky Fyodor", "Юлия Щукина"]), ("6123", ["Юлия Щукина"]),
        ("926 123", ["Юлия Щукина"]), ("+7 812 123 45 67", ["Tchaikovsky Fyodor"]), ("61239", []),
        # addresses
        ("petr.ivanov@example.com", ["Иванов Пётр"]), ("petr.iv", ["Иванов Пётр"]),
        ("petr.ivanov@exa", ["Иванов Пётр"]),
        ("example.com", ["Иванов Пётр"]), ("ivanov.petr@example.com", []),
        ("nothing", []), ("roof nothing", []),
    ],
)  # fmt: skip
def test_words_find_people(people, look, app, query, titles):
    assert sorted(look(query)) == sorted(titles)

    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        rows = list_page(ctx, Customer.info, Question(search=query)).rows
    assert sorted(row["name"] for row in rows) == sorted(titles)


def test_a_surname_is_no_form_of_a_first_name(make, look):
    make(Customer, name="Иван Смирнов")
    make(Customer, name="Иванов Олег")

    assert look("Иванов") == ["Иванов Олег"]
    assert look("Иван") == ["Иван Смирнов", "Иванов Олег"]


def test_the_best_come_first(make, look):
    in_note = make(Customer, name="Elsewhere", note="a roof")
    for name in ("Roof", "Roofing", "Old roof and sons"):
        make(Customer, name=name)
    make(Customer, name="A dog", note="roofing")
    make(Interaction, customer_id=in_note, subject="The dog ponies")

    assert look("roof") == ["Roof", "Old roof and sons", "Roofing", "Elsewhere", "A dog"]
    assert look("dog") == ["A dog", "The dog ponies"]


def test_of_equals_the_newest_comes_first(make, look):
    for note in ("one", "two", "three"):
        make(Customer, name="Anna", note=note)
    make(Customer, name="Anna Bell")

    with_notes = look("anna")
    assert with_notes[-1] == "Anna Bell"


def test_an_exact_name_is_found_among_very_many(make, look, ctx):
    make(Customer, name="Marin")
    for number in range(230):
        make(Customer, name=f"Marina {number}", note="marin")
    ctx.app.search.write(ctx)

    assert find(ctx, "marin")[0].title == "Marin"
    assert len(find(ctx, "marin", limit=200)) == 200


@pytest.mark.parametrize(
    ("query", "field", "snippet"),
    [
        ("иванова", "name", None), ("иванов", "name", "[Иванов] Пётр"), ("ivanov pe", "name", "[Иванов] [Пётр]"),
        ("договорами", "note", "[Договор] на ремонт крыши"), ("26123", "phone", "+79[26123]4567"),
        ("8121234567", "note", "café on the roofs; call 8 ([812) 123-45-67]"), ("кщща", "name", "[Roof] & Sons"),
        ("petr.ivanov", "name", "[Иванов] [Пётр]"),
    ],
)  # fmt: skip
def test_a_snippet_shows_the_words(people, hits, query, field, snippet):
    found = hits(query)
    if snippet is None:
        assert found == [] or found[0].field == field
        return
    best = next(hit for hit in found if marked(hit) == snippet)
    assert best.field == field
    assert 0 < best.score <= 1


def test_a_long_text_is_cut_around_its_words(make, hits):
    make(
        Customer,
        name="Anna",
        note="lorem ipsum " * 300 + "the treasure lies here " + "dolor sit " * 300,
    )
    (hit,) = hits("treasure")

    assert "[treasure]" in marked(hit)
    assert marked(hit)[0] == marked(hit)[-1] == "…"
    assert len(marked(hit)) < 200


def test_markup_is_text(make, hits):
    make(Customer, name="<b>Anna</b>", note="x")
    assert marked(hits("anna")[0]) == "<b>[Anna]</b>"


def test_every_kind_of_record_is_found(make, hits):
    anna = make(Customer, name="Anna Zimmer")
    make(Identifier, customer_id=anna, kind="inn", value="7707083893")
    make(Address, customer_id=anna, address=PostalAddress(country="DE", city="Zimmerau"))
    make(Interaction, customer_id=anna, subject="Zimmer calls")
    make(
        Decision,
        customer_id=anna,
        question="Zimmer?",
        chosen="yes",
        options=["yes"],
        reason="because",
    )

    assert {hit.entity for hit in hits("zimmer")} == {
        "core.customer", "core.address", "core.interaction", "core.decision",
    }  # fmt: skip
    assert [hit.id[:4] for hit in hits("770708")] == ["idn_"]
    assert [hit.entity for hit in hits("zimmer", entities=["core.interaction", Address])] != []
    assert len(hits("zimmer", limit=2)) == 2


def test_what_cannot_be_searched_is_said(hits):
    with pytest.raises(NotFound):
        hits("x", entities=["core.nothing"])
    with pytest.raises(BadSyntax, match="no fields to search in"):
        hits("x", entities=["core.consent"])
    with pytest.raises(BadSyntax, match="1 to 200"):
        hits("x", limit=201)


@pytest.mark.parametrize(
    "query",
    ["", " ", "!!!", "%", "_", "%%%", "\\", "\\'", "'", '"', '"""', "*", "a*", ":*", "AND", "a AND", "OR", "NOT a",
     "NEAR(a b, 2)", "a NEAR b", "{words} : a", "words:a", "^a", "~a", "$", "=a", "(", ")", "a & b | !c", "<->",
     "a\x00b", "\x00", "\ud800", "😀", "😀😀", "a" * 10_000, "я" * 10_000, "a b " * 3_000, "1" * 10_000, "+" * 10_000,
     "1-" * 5_000, "@", "a@", "@b", "a@b", "@@@", "' OR 1=1 --", "'; DROP TABLE core_search; --", "\u202eabc", "İ",
     "ß", "ﬀ", "١٢٣٤٥", "²³", "é́́", "0", "00000", "8", "+7", "ٱلسَّلَام", "हिन्दी", "中文"],
    ids=lambda query: query[:12].encode("unicode_escape", "backslashreplace").decode(),
)  # fmt: skip
def test_no_query_does_harm(people, look, app, query):
    assert len(look(query)) <= 4
    with app.acting_as(SYSTEM, face="test", writing=False) as ctx:
        list_page(ctx, Customer.info, Question(search=query))
    assert len(look("roof")) == 2


@pytest.mark.parametrize(
    "word", ["हिन्दी", "中文字", "ٱلسَّلَام", "łódź", "straße", "œuvre", "O’Brien", "Ёж", "ĐINH"]
)
def test_any_alphabet_finds_itself(make, look, word):
    make(Customer, name=word)
    assert look(word) == [word]


def test_there_are_few_statements_however_much_is_found(app, make, look):
    def counted(query):
        counter.statements.clear()
        look(query)
        return len(
            [one for one in counter.statements if one.lstrip().startswith(("SELECT", "WITH"))]
        )

    make(Customer, name="Anna")
    counter = count_statements(app.db.engine)
    assert counted("anna") == 2
    for number in range(30):
        make(Customer, name=f"Anna {number}")
    assert counted("anna") == 2
    assert counted("qwqwqw") <= 3


# permissions ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def estate(make):
    """Give two customers, each with a talk."""
    for name, country in (("Anna Russian", "RU"), ("Anna German", "DE")):
        one = make(
            Customer, name=name, country=country, note="secret plan", legal_name="Public name"
        )
        make(Interaction, customer_id=one, subject=f"Talk to {name}", body="whispered")


def test_row_rules_hide_records_and_what_belongs_to_them(estate, look, as_role):
    rep = as_role("core.*", scopes={"core.customer": 'country = "RU"'})

    assert set(look("anna", rep)) == {"Anna Russian", "Talk to Anna Russian"}
    assert set(look("anna")) == {
        "Anna Russian", "Anna German", "Talk to Anna Russian", "Talk to Anna German",
    }  # fmt: skip


def test_what_may_not_be_read_is_not_found(estate, look, hits, as_role):
    reader = as_role("core.customer.read")

    assert set(look("anna", reader)) == {"Anna Russian", "Anna German"}
    with pytest.raises(Forbidden):
        hits("anna", reader, entities=["core.interaction"])
    assert look("anna", as_role()) == []


def test_a_hidden_class_neither_finds_nor_is_shown(estate, hits, look, as_role, app):
    outsider = as_role("core.*", hidden_classes=["pii"])

    assert {hit.entity for hit in hits("anna", outsider)} == {
        "core.interaction"
    }  # the subject is open
    assert look("whispered", outsider) == []
    found = hits("plan", outsider)
    assert len(found) == 2
    for hit in found:
        assert "Anna" not in hit.title + marked(hit)
        assert hit.field == "note"
    with app.acting_as(outsider, face="test", writing=False) as ctx:
        rows = list_page(ctx, Customer.info, Question(search="anna")).rows
    assert rows == []


def test_other_layouts_tell_nothing_of_hidden_rows(make, look, as_role, app):
    """Were a hidden record to count, the one that is shown would vanish with it."""
    make(Customer, name="привет", country="RU")
    make(Customer, name="ghbdtn", country="DE")
    rep = as_role("core.*", scopes={"core.customer": 'country = "RU"'})

    assert look("ghbdtn") == ["ghbdtn"]
    assert look("ghbdtn", rep) == ["привет"]
    with app.acting_as(rep, face="test", writing=False) as ctx:
        rows = list_page(ctx, Customer.info, Question(search="ghbdtn")).rows
    assert [row["name"] for row in rows] == ["привет"]


# faces ----------------------------------------------------------------------------------------------------------------


def test_it_is_asked_over_rest(people, client):
    answer = client.get(
        "/api/v1/core/search", params={"q": "юлия", "entity": "core.customer", "limit": 5}
    )
    (hit,) = answer.json()["data"]

    assert hit["entity"] == "core.customer"
    assert hit["id"].startswith("cus_")
    assert hit["title"] == "Юлия Щукина"
    assert hit["snippet"] == [{"text": "Юлия", "hit": True}, {"text": " Щукина", "hit": False}]


@pytest.mark.parametrize(
    ("parameters", "status"),
    [({}, 400), ({"q": " "}, 400), ({"q": "a", "limit": "0"}, 400), ({"q": "a", "limit": "x"}, 400),
     ({"q": "a", "entity": "core.nothing"}, 404), ({"q": "a", "x": "1"}, 400), ({"q": "!!!"}, 200),
     ({"q": "a\x00"}, 422), ({"q": "a" * 9_000}, 200)],
    ids=repr,
)  # fmt: skip
def test_rest_refuses_what_it_cannot_read(client, parameters, status):
    answer = client.get("/api/v1/core/search", params=parameters)
    assert answer.status_code == status or (status == 422 and answer.status_code == 400)


def test_rest_refuses_other_methods_and_strangers(client, token):
    assert client.post("/api/v1/core/search").status_code == 405
    assert client.get("/api/v1/core/search", headers={"Authorization": ""}).status_code == 401
    nobody = {"Authorization": f"Bearer {token('knowledge.*')}"}
    assert client.get("/api/v1/core/search?q=a", headers=nobody).json() == {"data": []}


def test_it_is_asked_at_the_command_line(people, cli):
    found = cli("search", "юлия", "--entity", "core.customer")

    assert "Юлия Щукина" in found.stdout
    assert cli("search", "qwqwqw").exit_code == 0
