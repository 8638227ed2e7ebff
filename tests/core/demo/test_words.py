"""The words of sample data fit together."""

from __future__ import annotations

import re

import pytest

from clientela.demo.words import LANGUAGES, feminine, words_of


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_words_enough(language: str) -> None:
    words = words_of(language)
    given = [*words.given_male, *words.given_female]

    assert len(set(given)) == len(given) >= 60
    assert len(set(words.family)) == len(words.family) >= 80
    assert len({*words.company_first, *words.company_second}) >= 59
    assert min(len(words.streets), len(words.goods), len(words.cities)) >= 12


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_has_a_reason_and_an_outcome(language: str) -> None:
    for case in words_of(language).decisions:
        assert len(case["options"]) == len(case["reasons"]) == len(case["outcomes"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_goods_are_filled_in(language: str) -> None:
    for channel in words_of(language).interactions.values():
        places = re.findall(r"\{(\w*)\}", " ".join([*channel["subjects"], *channel["bodies"]]))
        assert set(places) <= {"good"}


@pytest.mark.parametrize(
    ("man", "woman"),
    [
        ("Волков", "Волкова"), ("Журавлёв", "Журавлёва"), ("Ильин", "Ильина"), ("Синицын", "Синицына"),
        ("Горский", "Горская"), ("Тихий", "Тихая"), ("Полевой", "Полевая"),
        ("Шевченко", "Шевченко"), ("Черных", "Черных"), ("Мельник", "Мельник"), ("Ковальчук", "Ковальчук"),
    ],
)  # fmt: skip
def test_a_woman_bears_her_form_of_the_name(man: str, woman: str) -> None:
    assert feminine(man) == woman


def test_every_patronymic_has_its_two_forms() -> None:
    for son, daughter in words_of("ru").patronymics:
        assert son.endswith("ич")
        assert daughter.endswith("на")
        assert daughter[:4] == son[:4]
