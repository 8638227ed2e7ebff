"""Refusals in the language of whoever asks; the codes are the same in every language."""

from __future__ import annotations

import pytest

from clientela.access.entities import Token, User
from clientela.access.tokens import SHOWN, digest, new_token
from clientela.customers.entities import Customer, Identifier

CUSTOMERS = "/api/v1/core/customers"
RUSSIAN = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.5"}


@pytest.fixture
def both(client):
    """Send the same call in both languages, and give the two problem documents."""

    def send(method, path, *, headers=None, **how):
        english = client.request(method, path, headers=headers or {}, **how)
        russian = client.request(method, path, headers=(headers or {}) | RUSSIAN, **how)
        assert english.status_code == russian.status_code
        assert english.json()["code"] == russian.json()["code"]
        return english.json(), russian.json()

    return send


def test_what_is_not_there_is_not_there_in_russian(both):
    english, russian = both("GET", f"{CUSTOMERS}/cus_01JD0000000000000000000000")

    assert english["detail"] == "There is no customer cus_01JD0000000000000000000000."
    assert russian["detail"] == "Нет записи «клиент» cus_01JD0000000000000000000000."
    assert (russian["title"], russian["code"]) == ("Не найдено", "not-found")


def test_every_wrong_value_is_told_in_russian(both):
    body = {"nme": "Roof", "kind": "persom", "email": "anna", "birth_date": 7}
    english, russian = both("POST", CUSTOMERS, json=body)

    assert codes(english) == codes(russian)
    assert english["detail"] == "4 values cannot be taken."
    assert russian["detail"] == "Значений, которые нельзя принять: 4."
    said = {error["pointer"]: error["detail"] for error in russian["errors"]}
    assert said["/nme"] == "Поля 'nme' здесь нет. Может быть, 'name'?"
    assert said["/kind"] == "'persom' — не одно из: person, organization. Может быть, 'person'?"
    assert said["/birth_date"] == "Здесь ожидается: Дата вида 2026-01-31; получено: целое число."
    assert said["/email"] == (
        "В адресе электронной почты должен быть знак @. Напишите адрес вида name@example.com."
    )


def test_the_library_that_reads_input_says_nothing_itself(both):
    english, russian = both("POST", CUSTOMERS, json={"name": 7, "tags": "roof"})

    for problem in (*english["errors"], *russian["errors"]):
        assert "Value error" not in problem["detail"]
        assert "Input should" not in problem["detail"]


def test_a_misspelt_filter_is_mended_in_russian(both):
    english, russian = both("GET", CUSTOMERS, params={"filter": "naem = Anna"})

    assert english["detail"] == "core.customer has no field 'naem'. Did you mean 'name'?"
    assert russian["detail"] == "У core.customer нет поля 'naem'. Может быть, 'name'?"
    assert codes(english) == codes(russian) == [("/filter", "unknown-field")]


def test_a_broken_filter_says_where_in_russian(both):
    _english, russian = both("GET", CUSTOMERS, params={"filter": "name ="})

    assert russian["detail"] == (
        "Позиция 7: здесь конец, а ожидается значение; "
        "текст с другими знаками или служебное слово берут в кавычки."
    )


def test_a_change_of_the_past_is_refused_in_russian(both, client, make):
    roof = make(Customer, name="Roof")
    path = f"{CUSTOMERS}/{roof.public_id}"
    client.patch(path, json={"name": "Wall"}, headers={"If-Match": '"1"'})
    english, russian = both("PATCH", path, json={"name": "Door"}, headers={"If-Match": '"1"'})

    assert english["detail"] == "Somebody else changed name meanwhile."
    assert russian["detail"] == "Кто-то тем временем изменил name."
    assert (russian["status"], russian["code"]) == (412, "stale")


def test_a_value_that_is_taken_is_refused_in_russian(both, make):
    roof = make(Customer, name="Roof")
    make(Identifier, customer_id=roof, kind="email", value="anna@example.com")
    body = {"customer_id": roof.public_id, "kind": "email", "value": "anna@example.com"}
    english, russian = both("POST", "/api/v1/core/identifiers", json=body)

    assert english["detail"].startswith("Another identifier has the same customer_id and kind")
    assert russian["detail"] == (
        "Такое же значение (customer_id и kind и value) уже есть у другой записи "
        "«идентификатор»; возможно, она в корзине."
    )
    assert codes(english) == codes(russian)


def test_the_composition_is_described_in_russian(client):
    entities = client.get("/api/v1/meta", headers=RUSSIAN).json()["entities"]
    customer = next(entity for entity in entities if entity["name"] == "core.customer")

    assert customer["label"] == "Клиент"
    assert {"Вид", "Язык"} <= {field["label"] for field in customer["fields"]}


def test_an_unknown_language_falls_back_to_that_of_the_deployment(client):
    answer = client.get(
        f"{CUSTOMERS}/cus_01JD0000000000000000000000", headers={"Accept-Language": "tlh"}
    )

    assert answer.json()["title"] == "Not found"


def test_a_person_is_told_in_their_own_language_without_asking(client, make):
    anna = make(User, name="Anna", language="ru", roles=["administrator"])
    secret = new_token()
    make(Token, start=secret[:SHOWN], digest=digest(secret), user_id=anna)
    mine = {"Authorization": f"Bearer {secret}"}
    path = f"{CUSTOMERS}/cus_01JD0000000000000000000000"

    assert client.get(path, headers=mine).json()["title"] == "Не найдено"
    assert client.get("/api/v1/core/nothing", headers=mine).json()["title"] == "Не найдено"
    asked = mine | {"Accept-Language": "en"}
    assert client.get(path, headers=asked).json()["title"] == "Not found"


def test_who_is_not_known_is_told_in_the_language_they_ask_for(client):
    stranger = {"Authorization": "Bearer nobody"}
    answer = client.get(CUSTOMERS, headers=stranger | RUSSIAN)

    assert answer.status_code == 401
    assert answer.json()["detail"] == "Этот токен или пароль неизвестен или отозван."
    assert client.get(CUSTOMERS, headers=stranger).json()["title"] == "Sign in first"


def codes(problem):
    return sorted((error["pointer"], error["code"]) for error in problem.get("errors", ()))
