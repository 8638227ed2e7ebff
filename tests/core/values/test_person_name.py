"""Names by part, in the orders people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.values import PersonName

IVAN = PersonName("Иванов", "Иван", "Иванович")
JOHN = PersonName("Smith", "John")


def test_the_locale_decides_the_order() -> None:
    assert IVAN.full("ru") == "Иванов Иван Иванович"
    assert IVAN.full("ru-RU") == "Иванов Иван Иванович"
    assert IVAN.full() == "Иван Иванович Иванов"
    assert JOHN.full("de") == "John Smith"
    assert PersonName("King", "Martin", "", "Dr.", "Jr.").full() == "Dr. Martin King Jr."


def test_empty_parts_leave_no_blanks() -> None:
    assert PersonName(given="Анна").full("ru") == "Анна"
    assert PersonName().full() == ""


@pytest.mark.parametrize(
    ("name", "short"),
    [
        (IVAN, "Иванов И. И."),
        (JOHN, "Smith J."),
        (PersonName("Петрова", "Анна-Мария"), "Петрова А.-М."),
        (PersonName("Tolkien", "John Ronald Reuel"), "Tolkien J. R. R."),
        (PersonName("", "Иван", "Иванович"), "Иван Иванович"),
        (PersonName("Smith"), "Smith"),
    ],
)
def test_initials(name: PersonName, short: str) -> None:
    assert name.initials() == short


@pytest.mark.parametrize(
    ("text", "family", "given", "patronymic"),
    [
        ("Иванов Иван Иванович", "Иванов", "Иван", "Иванович"),
        ("Иван Иванович Иванов", "Иванов", "Иван", "Иванович"),
        ("Иванова  Анна\tПетровна", "Иванова", "Анна", "Петровна"),
        ("Чайковский Пётр Ильич", "Чайковский", "Пётр", "Ильич"),
        ("Мария Ильинична Толстая", "Толстая", "Мария", "Ильинична"),
        ("Петров-Водкин Кузьма Сергеевич", "Петров-Водкин", "Кузьма", "Сергеевич"),
        ("Коваленко Олена Іванівна", "Коваленко", "Олена", "Іванівна"),
        ("Иван Иванович", "", "Иван", "Иванович"),
        ("Иванова Петровна", "Иванова", "", "Петровна"),
        ("Роман Аркадьевич Абрамович", "Абрамович", "Роман", "Аркадьевич"),
        ("Абрамович Роман Аркадьевич", "Абрамович", "Роман", "Аркадьевич"),
        ("Абрамович Роман", "Абрамович", "Роман", ""),
        ("Алиев Гейдар Али оглы", "Алиев", "Гейдар", "Али оглы"),
        ("Гейдар Али оглы Алиев", "Алиев", "Гейдар", "Али оглы"),
        ("Каримова Лейла Али кызы", "Каримова", "Лейла", "Али кызы"),
        ("Ivan Ivanovich Ivanov", "Ivanov", "Ivan", "Ivanovich"),
        ("Ivanov Ivan Ivanovich", "Ivanov", "Ivan", "Ivanovich"),
        ("Roman Abramovich", "Abramovich", "Roman", ""),
        ("Пушкин Александр", "Пушкин", "Александр", ""),
        ("Анна Ахматова", "Ахматова", "Анна", ""),
        ("Ирина Никитина", "Никитина", "Ирина", ""),
        ("Никитина Ирина", "Никитина", "Ирина", ""),
        ("Яков Левин", "Левин", "Яков", ""),
        ("Джон Смит", "Смит", "Джон", ""),
        ("Иванов", "Иванов", "", ""),
        ("Марина", "", "Марина", ""),
        ("Madonna", "", "Madonna", ""),
        ("Иванов И.И.", "Иванов", "И.", "И."),
        ("Иванов И. И.", "Иванов", "И.", "И."),
        ("И.И.Иванов", "Иванов", "И.", "И."),
        ("И. Иванов", "Иванов", "И.", ""),
        ("J. R. R. Tolkien", "Tolkien", "J. R. R.", ""),
        ("Tolkien J.R.R.", "Tolkien", "J. R. R.", ""),
        ("Smith, John Paul", "Smith", "John Paul", ""),
        ("Иванов, Пётр Ильич", "Иванов", "Пётр", "Ильич"),
        ("Иванов, П. И.", "Иванов", "П.", "И."),
        ("Ludwig van Beethoven", "van Beethoven", "Ludwig", ""),
        ("Hans von der Leyen", "von der Leyen", "Hans", ""),
        ("John Ronald Reuel Tolkien", "Tolkien", "John Ronald Reuel", ""),
    ],
)
def test_a_full_name_is_split(text: str, family: str, given: str, patronymic: str) -> None:
    assert PersonName.parse(text) == PersonName(family, given, patronymic)


@pytest.mark.parametrize(
    ("text", "prefix", "suffix"),
    [
        ("Dr. John Smith Jr.", "Dr.", "Jr."),
        ("Prof. Dr. John Smith", "Prof. Dr.", ""),
        ("John Smith, PhD", "", "PhD"),
        ("John Smith Ph.D.", "", "Ph.D."),
        ("Smith, John, Jr.", "", "Jr."),
        ("Smith, Mr. John", "Mr.", ""),
    ],
)
def test_titles_stand_apart(text: str, prefix: str, suffix: str) -> None:
    assert PersonName.parse(text) == PersonName("Smith", "John", "", prefix, suffix)


def test_the_locale_decides_only_what_the_words_leave_open() -> None:
    assert PersonName.parse("Смит Джон", "ru") == PersonName("Смит", "Джон")
    assert PersonName.parse("Анна Ахматова", "ru") == PersonName("Ахматова", "Анна")
    assert PersonName.parse("John Smith", "ru") == JOHN
    assert PersonName.parse("Nagy Anna", "hu") == PersonName("Nagy", "Anna")


@pytest.mark.parametrize("text", ["", "  ", "123", ",", "., -"])
def test_a_name_has_letters(text: str) -> None:
    with pytest.raises(ValueError, match="needs at least one letter; write it such as"):
        PersonName.parse(text)


@given(
    st.lists(
        st.text(
            st.characters(categories=["Lu", "Ll"], max_codepoint=0x4FF), min_size=1, max_size=9
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([None, "ru", "en", "hu"]),
)
def test_no_word_is_lost(words: list[str], locale: str | None) -> None:
    text = " ".join(words)
    name = PersonName.parse(text, locale)

    spread = " ".join(name.as_dict().values()).split()
    assert sorted(spread) == sorted(PersonName.from_dict({"given": text}).given.split())


@given(st.text(max_size=60))
def test_any_text_gives_a_name_or_a_sentence(text: str) -> None:
    try:
        name = PersonName.parse(text)
    except ValueError as refusal:
        told = str(refusal)
    else:
        assert PersonName.from_dict(name.as_dict()) == name
        told = "A name."
    assert told.endswith(".")


def test_the_json_form_has_no_empty_parts() -> None:
    assert JOHN.as_dict() == {"family": "Smith", "given": "John"}
    assert PersonName.from_dict({"family": " Smith ", "given": "John", "prefix": None}) == JOHN


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"famly": "Smith"}, "no part named 'famly'.*Did you mean 'family'"),
        ({"given": 5}, "The part 'given' is text, not int"),
        ({"given": "x" * 101}, "The part 'given' has 101 characters; shorten it to 100"),
        ({}, "A person's name needs at least one part"),
        ({"family": "", "given": " "}, "needs at least one part that is not empty"),
    ],
)
def test_the_json_form_is_strict(mapping: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        PersonName.from_dict(mapping)
