"""Messages are found in code, their translations kept in files that change only when words do."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clientela.errors import Misconfigured
from clientela.i18n import Catalogues, Message
from clientela.i18n.extract import messages_in, missing, update_po


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "shop"
    folder.mkdir()
    return folder


def po(folder: Path, language: str = "ru") -> Path:
    return folder / "locale" / language / "LC_MESSAGES" / "shop.po"


def found_in(folder: Path, code: str) -> list[Message]:
    (folder / "code.py").write_text(textwrap.dedent(code), encoding="utf-8")
    return messages_in(folder)


def test_messages_are_found(shop: Path) -> None:
    code = """
        from clientela.i18n import Catalogues, _

        LABEL = _("Customer")
        VERB = _("Order", context="verb")
        LONG = _(
            "One sentence "
            "in two pieces"
        )

        def show(ctx, t):
            t.text("Hello, {name}!", name="Ann")
            ctx.translator.text("Save", context=None)
            Catalogues().translator("ru").plural("{n} day", "{n} days", 5)
            self.t.plural("{n} hour", "{n} hours", 5, context="clock")
    """

    assert found_in(shop, code) == [
        (None, "Customer", None),
        (None, "Hello, {name}!", None),
        (None, "One sentence in two pieces", None),
        ("verb", "Order", None),
        (None, "Save", None),
        (None, "{n} day", "{n} days"),
        ("clock", "{n} hour", "{n} hours"),
    ]


def test_what_is_no_message_is_left_alone(shop: Path) -> None:
    code = """
        import sqlalchemy as sa
        import xml.etree.ElementTree
        from sqlalchemy import sql, text

        text("select 1")
        sa.text("select 2")
        sa.sql.text("select 3")
        sql.text("select 4")
        name: str = text(max_length=200)
        t.text(variable)
        t.text(f"{variable}")
        _(variable)
        _("")
        _()
        t.text("whose", context=variable)
        t.plural("one", variable, 5)
        t.plural("one")
        t.plural(*all)
        "plain".upper()
    """

    assert found_in(shop, code) == []


def test_a_message_is_found_once_and_with_its_plural(shop: Path) -> None:
    code = """
        t.text("{n} day")
        t.plural("{n} day", "{n} days", 2)
        _("{n} day")
    """

    assert found_in(shop, code) == [(None, "{n} day", "{n} days")]


def test_locale_and_caches_are_not_code(shop: Path) -> None:
    for name in ("locale", "__pycache__", "deeper"):
        (shop / name).mkdir()
        (shop / name / "code.py").write_text(f"_({name!r})", encoding="utf-8")

    assert [message.key for message in messages_in(shop)] == ["deeper"]


def test_a_file_that_is_no_python_is_named(shop: Path) -> None:
    (shop / "code.py").write_text("def", encoding="utf-8")

    with pytest.raises(SyntaxError) as caught:
        messages_in(shop)
    assert str(shop / "code.py") in str(caught.value.filename)


def test_round_trip(shop: Path) -> None:
    wanted = [
        Message(None, "Save", None),
        Message("verb", "Order", None),
        Message(None, "{n} day", "{n} days"),
        Message(None, 'Quote " and \\ and\nnew line\tand {name}, 100% sure', None),
    ]
    assert update_po(shop, "ru", wanted)
    text = po(shop).read_text(encoding="utf-8")
    text = text.replace(
        'msgid "Save"\nmsgstr ""', '# as on a button\nmsgid "Save"\nmsgstr "Сохранить"'
    )
    text = text.replace('msgid "Order"\nmsgstr ""', 'msgid "Order"\nmsgstr "Заказать"')
    for place, form in enumerate(("день", "дня", "дней")):
        text = text.replace(f'msgstr[{place}] ""', f'msgstr[{place}] "{{n}} {form}"')
    po(shop).write_text(text, encoding="utf-8")

    update_po(shop, "ru", wanted)
    assert not update_po(shop, "ru", reversed(wanted))
    again = po(shop).read_text(encoding="utf-8")
    russian = Catalogues(["shop"]).translator("ru")

    assert "# as on a button" in again
    assert russian.text("Save") == "Сохранить"
    assert russian.text("Order", context="verb") == "Заказать"
    assert [russian.plural("{n} day", "{n} days", n) for n in (1, 3, 5)] == [
        "1 день",
        "3 дня",
        "5 дней",
    ]
    assert missing(shop, "ru", wanted) == [f"ru: {wanted[3].key!r} is not translated."]


def test_the_file_holds_words_only(shop: Path) -> None:
    update_po(shop, "ru", [Message("c", "{n} b, 100% sure", "{n} bs"), Message(None, "a", None)])

    assert po(shop).read_text(encoding="utf-8") == textwrap.dedent(
        """\
        msgid ""
        msgstr ""
        "Language: ru\\n"
        "MIME-Version: 1.0\\n"
        "Content-Type: text/plain; charset=utf-8\\n"
        "Content-Transfer-Encoding: 8bit\\n"
        "Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

        msgid "a"
        msgstr ""

        #, python-brace-format
        msgctxt "c"
        msgid "{n} b, 100% sure"
        msgid_plural "{n} bs"
        msgstr[0] ""
        msgstr[1] ""
        msgstr[2] ""
        """  # noqa: E501 - the header is one line
    )


def test_obsolete_messages_go_and_the_heading_stays(shop: Path) -> None:
    po(shop).parent.mkdir(parents=True)
    po(shop).write_text(
        '# Translated by Anna.\nmsgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=n>1;\\n"\n\n'
        'msgid "old"\nmsgstr "старое"\n\n#, fuzzy\nmsgid "kept"\nmsgstr "осталось"\n\n'
        '#~ msgid "older"\n#~ msgstr "древнее"\n',
        encoding="utf-8",
    )

    update_po(shop, "ru", [Message(None, "kept", None)])

    text = po(shop).read_text(encoding="utf-8")
    assert text.startswith('# Translated by Anna.\nmsgid ""\n')
    assert "nplurals=2; plural=n>1" in text
    assert "old" not in text
    assert '#, fuzzy\nmsgid "kept"\nmsgstr "осталось"' in text


def test_a_message_may_gain_and_lose_its_plural(shop: Path) -> None:
    po(shop).parent.mkdir(parents=True)
    po(shop).write_text('msgid "day"\nmsgstr "день"\n', encoding="utf-8")
    plural, single = Message(None, "day", "days"), Message(None, "day", None)

    update_po(shop, "ru", [plural])
    assert 'msgstr[0] "день"\nmsgstr[1] ""' in po(shop).read_text(encoding="utf-8")
    assert missing(shop, "ru", [plural]) == ["ru: 'day' has 1 of 3 plural forms."]

    update_po(shop, "ru", [single])
    assert 'msgstr "день"' in po(shop).read_text(encoding="utf-8")
    assert missing(shop, "ru", [single]) == []


@pytest.mark.parametrize(
    ("translation", "problem"),
    [
        ("{who}", "has places that are not in the message: ['who']"),
        ("{name.x}", "has a brace that is no placeholder"),
        ("", "is not translated"),
    ],
)
def test_a_check_names_what_is_broken(shop: Path, translation: str, problem: str) -> None:
    po(shop).parent.mkdir(parents=True)
    po(shop).write_text(
        f'msgctxt "c"\nmsgid "Hi {{name}}"\nmsgstr "{translation}"\n', encoding="utf-8"
    )

    assert missing("shop", "ru", [Message("c", "Hi {name}", None)]) == [
        f"ru: 'Hi {{name}}' [c] {problem}."
    ]


def test_a_check_names_what_is_fuzzy(shop: Path) -> None:
    po(shop).parent.mkdir(parents=True)
    po(shop).write_text('#, fuzzy\nmsgid "a"\nmsgstr "б"\n', encoding="utf-8")

    assert missing(shop, "ru", [Message(None, "a", None)]) == ["ru: 'a' is marked fuzzy."]


def test_english_lacks_nothing(shop: Path) -> None:
    assert missing(shop, "en", [Message(None, "a", None)]) == []


def test_a_broken_file_is_never_overwritten(shop: Path) -> None:
    po(shop).parent.mkdir(parents=True)
    po(shop).write_text('msgid "a"\nmsgstr "б"\nnonsense\n', encoding="utf-8")

    with pytest.raises(Misconfigured, match="mend it first"):
        update_po(shop, "ru", [])
    assert "nonsense" in po(shop).read_text(encoding="utf-8")
    assert "cannot be read" in missing(shop, "ru", [])[0]


@pytest.mark.parametrize("language", ["../../etc", "", "русский", "r"])
def test_what_is_no_language_is_refused(shop: Path, language: str) -> None:
    with pytest.raises(Misconfigured, match="is no language"):
        update_po(shop, language, [])


def test_a_dialect_has_its_folder(shop: Path) -> None:
    update_po(shop, "pt-BR", [Message(None, "a", None)])

    assert po(shop, "pt_BR").exists()
    assert Catalogues(["shop"]).languages == ("en", "pt-BR")


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    for nowhere in ("no_such_package", tmp_path / "nowhere"):
        with pytest.raises(Misconfigured, match="no folder"):
            messages_in(nowhere)


_words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=st.dictionaries(_words, _words, max_size=5))
def test_any_words_survive_the_file(shop: Path, messages: dict[str, str]) -> None:
    from clientela.i18n.catalogue import read_po
    from clientela.i18n.extract import _po_text

    wanted = [Message(None, key, None) for key in messages]
    po(shop).unlink(missing_ok=True)
    update_po(shop, "ru", wanted)
    catalogue = read_po(po(shop), "ru")
    for key, translation in messages.items():
        entry = catalogue.get(key)
        assert entry is not None
        entry.string = translation
    po(shop).write_bytes(_po_text(catalogue, "ru", sorted(wanted)))

    again = read_po(po(shop), "ru")
    assert {key: getattr(again.get(key), "string", None) for key in messages} == messages
