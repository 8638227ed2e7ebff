"""Messages are shown in the language asked for, or in English, and never fail."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clientela.i18n import Catalogues, Note, Text, Translator, _
from clientela.i18n.catalogue import Entry, Notes, folder_of
from clientela.i18n.texts import parse

Package = Callable[..., str]

RUSSIAN = """
msgid ""
msgstr ""
"Language: ru\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && "
"(n%100<10 || n%100>=20) ? 1 : 2);\\n"

msgid "Save"
msgstr "Сохранить"

msgid "Hello, {name}!"
msgstr "Здравствуйте, {name}!"

msgid "Order"
msgstr "Заказ"

msgctxt "verb"
msgid "Order"
msgstr "Заказать"

#, fuzzy
msgid "Guess"
msgstr "Может быть"

msgid "Empty"
msgstr ""

msgid "{n} customer"
msgid_plural "{n} customers"
msgstr[0] "{n} клиент"
msgstr[1] "{n} клиента"
msgstr[2] "{n} клиентов"

msgid "{n} half"
msgid_plural "{n} halves"
msgstr[0] "{n} половина"
msgstr[1] ""
msgstr[2] ""
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Make a package with the catalogues given as ru="...", pt_BR="..."."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, **catalogues: str | bytes) -> str:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('never imported')")
        for language, content in catalogues.items():
            folder = tmp_path / name / "locale" / language / "LC_MESSAGES"
            folder.mkdir(parents=True)
            raw = content if isinstance(content, bytes) else content.encode()
            (folder / f"{name}.po").write_bytes(raw)
        return name

    return make


@pytest.fixture
def russian(package: Package) -> Translator:
    return Catalogues([package("shop", ru=RUSSIAN)]).translator("ru")


def translating(key: str, translation: str, language: str = "ru") -> Translator:
    return Translator(language, {(None, key): Entry((translation,), lambda _: 0)}, Notes())


def test_a_translation_is_shown(russian: Translator) -> None:
    assert russian.text("Save") == "Сохранить"
    assert russian.text("Hello, {name}!", name="Анна") == "Здравствуйте, Анна!"
    assert russian.notes == frozenset()


def test_the_context_tells_two_messages_apart(russian: Translator) -> None:
    assert russian.text("Order") == "Заказ"
    assert russian.text("Order", context="verb") == "Заказать"
    assert russian.text("Order", context="unknown") == "Order"


@pytest.mark.parametrize("key", ["Nowhere", "Guess", "Empty"])
def test_a_missing_fuzzy_or_empty_translation_is_english_and_noted(
    russian: Translator, key: str
) -> None:
    assert russian.text(key) == key
    assert russian.notes == {Note("missing", "ru", key)}


def test_english_needs_no_catalogue_and_notes_nothing(package: Package) -> None:
    english = Catalogues([package("shop")]).translator("en")

    assert english.text("Hello, {name}!", name="Ann") == "Hello, Ann!"
    assert english.plural("{n} customer", "{n} customers", 1) == "1 customer"
    assert english.plural("{n} customer", "{n} customers", 12345) == "12,345 customers"
    assert english.notes == frozenset()


def test_english_may_have_a_catalogue(package: Package) -> None:
    catalogues = Catalogues([package("shop", en='msgid "Colour"\nmsgstr "Color"\n')])

    assert catalogues.translator("en").text("Colour") == "Color"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 клиентов"),
        (1, "1 клиент"),
        (2, "2 клиента"),
        (5, "5 клиентов"),
        (11, "11 клиентов"),
        (21, "21 клиент"),
        (22, "22 клиента"),
        (25, "25 клиентов"),
        (-1, "-1 клиент"),
        (2.0, "2 клиента"),
        (1.5, "1,5 клиента"),
        (Decimal("0.1"), "0,1 клиента"),
        (1001, "1 001 клиент"),
        (float("inf"), "∞ клиента"),
    ],
)
def test_russian_counts(russian: Translator, count: float | Decimal, expected: str) -> None:
    shown = russian.plural("{n} customer", "{n} customers", count)

    assert " ".join(shown.split()) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 days"),
        (1, "1 day"),
        (1.0, "1 day"),
        (1.5, "1.5 days"),
        (2, "2 days"),
        (11, "11 days"),
        (21, "21 days"),
        (float("nan"), "NaN days"),
        (Decimal("1e999999999"), "1E+999999999 days"),
    ],
)
def test_english_counts(count: float | Decimal, expected: str) -> None:
    assert Catalogues().translator("en").plural("{n} day", "{n} days", count) == expected


def test_a_fraction_takes_the_form_of_its_own_where_the_catalogue_has_one(package: Package) -> None:
    po = RUSSIAN.replace("nplurals=3", "nplurals=4") + 'msgstr[3] "{n} половины"\n'
    russian = Catalogues([package("shop", ru=po)]).translator("ru")

    assert russian.plural("{n} half", "{n} halves", 1.5) == "1,5 половины"


def test_a_french_fraction_below_two_is_singular(package: Package) -> None:
    po = 'msgid "{n} day"\nmsgid_plural "{n} days"\nmsgstr[0] "{n} jour"\nmsgstr[1] "{n} jours"\n'
    header = 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
    french = Catalogues([package("shop", fr=header + po)]).translator("fr")

    assert french.plural("{n} day", "{n} days", 1.5) == "1,5 jour"
    assert french.plural("{n} day", "{n} days", 2.5) == "2,5 jours"


def test_a_count_without_its_form_is_english(russian: Translator) -> None:
    assert russian.plural("{n} half", "{n} halves", 1) == "1 половина"
    assert russian.plural("{n} half", "{n} halves", 5) == "5 halves"
    assert Note("missing", "ru", "{n} half") in russian.notes


def test_a_caller_may_write_the_number_itself(russian: Translator) -> None:
    assert russian.plural("{n} customer", "{n} customers", 5, n="пять") == "пять клиентов"


@pytest.mark.parametrize(
    "header",
    [
        "nplurals=3; plural=n%0;",
        "nplurals=1; plural=n;",
        "nplurals=3; plural=__import__('os');",
        "nplurals=0; plural=0;",
        "nplurals=3; plural=" + "(" * 5000 + ";",
        "nplurals=3; plural=n < 300 ? 0 : n/(n-500);",
    ],
)
def test_a_broken_plural_header_never_raises(package: Package, header: str) -> None:
    po = f'msgid ""\nmsgstr "Plural-Forms: {header}\\n"\n\nmsgid "a"\nmsgid_plural "b"\nmsgstr[0] "в"\n'
    russian = Catalogues([package("shop", ru=po)]).translator("ru")

    for count in (0, 1, 2, 5, 1.5, 500):
        assert russian.plural("a", "b", count) in {"a", "b", "в"}


@pytest.mark.parametrize(
    "translation",
    [
        "{x.__class__}",
        "{0}",
        "{",
        "}",
        "{}",
        "{name!r}",
        "{name:>9}",
        "{name[0]}",
        "{ name }",
        "{other}",
    ],
)
def test_a_broken_translation_is_english_and_noted(translation: str) -> None:
    translator = translating("Hello, {name}!", translation)

    assert translator.text("Hello, {name}!", name="Ann", x=object()) == "Hello, Ann!"
    assert translator.notes == {Note("broken", "ru", "Hello, {name}!", None, translation)}


@pytest.mark.parametrize("key", ["{x.__class__}", "{0}", "{", "{x[0]}", "{x!r}", "{x:d}"])
def test_a_hostile_key_is_inert_too(key: str) -> None:
    english = Catalogues().translator("en")

    assert english.text(key, x="secret") == key
    assert {note.kind for note in english.notes} == {"broken"}


def test_a_value_is_never_read_as_a_message(russian: Translator) -> None:
    shown = russian.text("Hello, {name}!", name="{name} {name.__class__} {{")

    assert shown == "Здравствуйте, {name} {name.__class__} {{!"


def test_a_forgotten_value_stays_visible() -> None:
    english = Catalogues().translator("en")

    assert english.text("Hello, {name}!") == "Hello, {name}!"
    assert english.notes == {Note("broken", "en", "Hello, {name}!", None, "Hello, {name}!")}


def test_double_braces_are_braces() -> None:
    assert parse("{{name}} is {name}").fill({"name": "Ann"}) == "{name} is Ann"


@given(translation=st.text(), value=st.text())
def test_no_translation_makes_text_raise(translation: str, value: str) -> None:
    translator = translating("Hello, {name}!", translation)

    assert isinstance(translator.text("Hello, {name}!", name=value), str)
    assert isinstance(translator.plural("Hello, {name}!", "Hello, {name}s!", 3, name=value), str)


@given(
    key=st.text(alphabet="ab{}.0!:"),
    translation=st.text(alphabet="ab{}.0!:_[]"),
    count=st.one_of(st.integers(), st.floats(), st.decimals()),
)
def test_no_braces_make_a_message_raise(key: str, translation: str, count: float | Decimal) -> None:
    translator = translating(key, translation)

    assert isinstance(translator.text(key, a=1), str)
    assert isinstance(translator.plural(key, key, count, b=2), str)


@given(name=st.text())
def test_the_value_arrives_as_it_is(name: str) -> None:
    assert (
        translating("Hello, {name}!", "«{name}»").text("Hello, {name}!", name=name) == f"«{name}»"
    )


def test_notes_stay_few_and_short() -> None:
    translator = translating("a", "b")
    for number in range(2000):
        translator.text(f"{number}" * 1000)

    assert len(translator.notes) == 500
    assert max(len(note.key) for note in translator.notes) == 200


def test_a_marked_text_reads_english_and_is_shown_in_any_language(russian: Translator) -> None:
    label = _("Order", context="verb")

    assert (label, label.key, label.context) == ("Order", "Order", "verb")
    assert russian.show(label) == russian.text(label) == "Заказать"
    assert russian.show("Order") == "Order"


def test_a_marked_text_keeps_its_values(russian: Translator) -> None:
    greeting = _("Hello, {name}!", name=_("Save"))

    assert greeting == "Hello, Save!"
    assert greeting.key == "Hello, {name}!"
    assert russian.show(greeting) == "Здравствуйте, Сохранить!"


@pytest.mark.parametrize(
    "again", [copy.deepcopy, copy.copy, lambda text: pickle.loads(pickle.dumps(text))]
)
def test_a_marked_text_survives_copying(again: Callable[[Text], Text]) -> None:
    text = again(_("Hello, {name}!", context="c", name="Ann"))

    assert (text, text.key, text.context, text.values) == (
        "Hello, Ann!", "Hello, {name}!", "c", {"name": "Ann"},
    )  # fmt: skip


def test_the_nearest_language_is_shown(package: Package) -> None:
    catalogues = Catalogues(
        [package("shop", ru='msgid "a"\nmsgstr "б"\n', pt_BR='msgid "a"\nmsgstr "c"\n')],
        default="ru",
    )

    assert catalogues.languages == ("en", "pt-BR", "ru")
    wanted = ["ru", "ru_RU.UTF-8", "RU-ru", "pt-br", "pt_BR", "pt", "en-GB", "../../etc", "", "de"]
    shown = ["ru", "ru", "ru", "pt-BR", "pt-BR", "ru", "en", "ru", "ru", "ru"]
    assert [catalogues.resolve(each) for each in wanted] == shown
    assert catalogues.translator("ru-RU") is catalogues.translator("ru") is catalogues.translator()


def test_a_dialect_falls_back_to_its_language(package: Package) -> None:
    po = 'msgid "{key}"\nmsgstr "{text}"\n\n'
    broad = po.format(key="a", text="wide") + po.format(key="b", text="wide")
    catalogues = Catalogues([package("shop", pt=broad, pt_BR=po.format(key="a", text="narrow"))])

    assert [catalogues.translator("pt-BR").text(key) for key in "ab"] == ["narrow", "wide"]


def test_the_earlier_package_is_heard_unless_one_is_put_first(package: Package) -> None:
    po = 'msgid "a"\nmsgstr "{}"\n\nmsgid "only {}"\nmsgstr "{}"\n'
    catalogues = Catalogues([package("one", ru=po.format(*"111"))])
    assert catalogues.translator("ru").text("a") == "1"

    catalogues.add(package("two", ru=po.format(*"222")))
    russian = catalogues.translator("ru")
    assert (russian.text("a"), russian.text("only 2")) == ("1", "2")

    catalogues.add(package("three", ru=po.format(*"333")), first=True)
    assert catalogues.translator("ru").text("a") == "3"
    assert catalogues.packages == ("three", "one", "two")


def test_threads_share_one_translator(package: Package) -> None:
    catalogues = Catalogues([package("shop", ru=RUSSIAN)])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(catalogues.translator, ["ru"] * 64))

    assert {id(translator) for translator in found} == {id(found[0])}


def test_two_catalogues_know_nothing_of_each_other(package: Package) -> None:
    one, two = Catalogues([package("shop", ru=RUSSIAN)]), Catalogues()

    assert one.translator("ru").text("Save") == "Сохранить"
    assert two.translator("ru").text("Save") == "Save"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b'msgid "a"\n',
        b'msgid "a"\nmsgstr "b"\nnonsense\n',
        b'"a"',
        b'msgid ""\nmsgstr "Content-Type: text/plain; charset=nope\\n"\n\nmsgid "a"\nmsgstr "b"\n',
        b'msgid ""\nmsgstr "Plural-Forms: nplurals=x\\n"\n',
        b'msgid ""\nmsgstr "POT-Creation-Date: yesterday\\n"\n',
    ],
)
def test_an_unreadable_file_is_english_and_noted(
    package: Package, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogues = Catalogues([package("good", ru=RUSSIAN), package("bad", ru=content)])
    russian = catalogues.translator("ru")

    assert [russian.text("a"), russian.text("Save")] == ["a", "Сохранить"]
    assert {(note.kind, note.key) for note in catalogues.notes} == {
        ("unreadable", "bad.po"),
        ("missing", "a"),
    }
    assert capsys.readouterr().out == ""


@given(content=st.binary())
def test_no_bytes_make_reading_raise(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("po") / "shop.po"
    path.write_bytes(content)

    assert isinstance(Catalogues()._read_file(path, "ru"), dict)


@pytest.mark.parametrize(
    "name", ["no_such_package", "", "..", "no.such.package", "json.decoder", "math"]
)
def test_a_package_without_a_folder_brings_nothing(name: str) -> None:
    assert Catalogues([name]).languages == ("en",)


def test_a_package_is_found_without_being_imported(package: Package) -> None:
    name = package("shop")
    folder = folder_of(name)

    assert folder is not None
    assert folder.name == "shop"
    assert name not in sys.modules


def test_importing_does_not_import_babel() -> None:
    code = "import sys, clientela.i18n, clientela.i18n.extract as _; print('babel' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"


def test_english_texts_do_not_import_babel() -> None:
    code = (
        "import sys; from clientela.i18n import Catalogues; t = Catalogues(['clientela']).translator('en');"
        "t.text('a'); t.plural('{n} a', '{n} b', 5); print('babel' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
