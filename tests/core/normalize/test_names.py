"""Keys by which names are compared and found."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.normalize import fold, keyboard_swap, normalize_organization, transliterate

LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
RUSSIAN = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("  Пётр  ПЕТРОВ ", "петр петров"),
        ("Йод", "йод"),
        ("Рога & Копыта, «Юг»", "рога копыта юг"),
        ("О’Нил", "онил"),
        ("O'Neil-Smith", "oneil smith"),
        ("Straße", "strasse"),
        ("ﬁrma №5", "firma no5"),
        ("C++", "c++"),
        ("И.И.", "и и"),
        ("со\N{SOFT HYPHEN}юз", "союз"),
        ("е\N{ZERO WIDTH JOINER}\N{COMBINING DIAERESIS}ж", "еж"),
        ("!?", ""),
    ],
)
def test_folding_leaves_what_is_compared(text: str, key: str) -> None:
    assert fold(text) == key


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_folding_settles_on_every_character() -> None:
    for code in range(sys.maxunicode + 1):
        key = fold("a" + chr(code) + "b")
        assert fold(key) == key


@given(st.text(RUSSIAN + LATIN + " -"))
def test_folding_ignores_case_and_composition(text: str) -> None:
    assert fold(text.upper()) == fold(text.lower()) == fold(unicodedata.normalize("NFD", text))


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("Юлия Щукина", "Iuliia Shchukina"),
        ("ЩУКИН", "SHCHUKIN"),
        ("Хрущёв", "Khrushchev"),
        ("Объезд", "Obieezd"),
        ("Ильич", "Ilich"),
        ("НИИ ЖБ", "NII ZHB"),
        ("Ж. Иванов", "Zh. Ivanov"),
        ("Smith 5", "Smith 5"),
        ("Чай\N{COMBINING BREVE}", "Chai\N{COMBINING BREVE}"),
        ("Сергеи\N{COMBINING BREVE}", "Sergei"),
    ],
)
def test_cyrillic_in_latin_letters(text: str, latin: str) -> None:
    assert transliterate(text) == latin


@given(st.text(RUSSIAN))
def test_nothing_cyrillic_stays(text: str) -> None:
    assert transliterate(text).isascii()


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ООО «Ромашка»", "ромашка"),
        ("Ромашка, ООО", "ромашка"),
        ("О.О.О. Ромашка", "ромашка"),
        ('Общество с ограниченной ответственностью "Ромашка"', "ромашка"),
        ("ПАО Сбербанк", "сбербанк"),
        ("Публичное акционерное общество Сбербанк", "сбербанк"),
        ("ИП Иванов И.И.", "иванов и и"),
        ("ИП Иванов А. О.", "иванов а о"),
        ("OOO Romashka", "romashka"),
        ("Romashka, L.L.C.", "romashka"),
        ("Apple Inc.", "apple"),
        ("Müller GmbH & Co. KG", "müller"),
        ("Foo S.A.", "foo"),
        ("Foo Sp. z o.o.", "foo"),
        ("Maersk A/S", "maersk"),
        ("Ford Motor Company, Corp.", "ford motor"),
        ("AS Roma", "as roma"),
        ("Incognito", "incognito"),
        ("ООО", "ооо"),
        ("АО «ИП»", "ип"),
        ("", ""),
    ],
)
def test_an_organization_without_its_legal_form(text: str, key: str) -> None:
    assert normalize_organization(text) == key


words = st.sampled_from(
    ["ООО", "АО", "«Ромашка»", "LLC", "Ltd.", "GmbH", "S.A.", "и Ко", "AB", "О.О.О.", "Sp. z o.o."]
)


@given(st.lists(words).map(" ".join))
def test_no_form_is_left_over(text: str) -> None:
    once = normalize_organization(text)

    assert normalize_organization(once) == once
    assert bool(once) is bool(text)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ghbdtn", "привет"),
        ("руддщ", "hello"),
        ("Bdfyjd", "Иванов"),
        ("[kt,", "хлеб"),
        ("хлеб", "[kt,"),
        ("ghbdtn? vbh/", "привет, мир."),
        ("ЁЖ", "~:"),
        ("123 №", "123 №"),
    ],
)
def test_the_other_keyboard_layout(typed: str, meant: str) -> None:
    assert keyboard_swap(typed) == meant


@given(st.text(LATIN + " 0123456789") | st.text(RUSSIAN + " ", min_size=1))
def test_swapping_twice_changes_nothing(text: str) -> None:
    assert keyboard_swap(keyboard_swap(text)) == text


def test_mixed_layouts_swap_letter_by_letter() -> None:
    assert keyboard_swap("ghbвет") == "приdtn"
