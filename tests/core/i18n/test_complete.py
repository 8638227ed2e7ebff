"""Everything that people read is there in English and in Russian, and stays so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import clientela
from clientela.app import App
from clientela.cli.commands.translations import wanted_of
from clientela.errors import Refusal
from clientela.i18n import Message, Text
from clientela.i18n.catalogue import folder_of, po_path, read_po, translation_forms
from clientela.i18n.declared import declared_messages
from clientela.i18n.extract import messages_in, missing
from clientela.i18n.texts import parse
from clientela.plugins.card import Plugin
from clientela.plugins.core import CORE

CORE_FOLDER = Path(clientela.__path__[0])
FOLDERS = [CORE_FOLDER]

# Sentences that may stay English: the file, words of the sentence, and why.
ALLOWED = {
    ("i18n/extract.py", ""): "shown to those who write translations, who read English",
    ("i18n/formats.py", ""): "a programmer asked for an impossible format; no input leads there",
    ("i18n/catalogue.py", "A plural rule for"): "caught a few lines below, never shown",
    ("i18n/phrases.py", ""): "a programmer asked for a phrase that no entity has",
    ("cli/errors.py", "strerror"): "the words of the operating system",
    ("cli/errors.py", "'.'"): "the same",
    ("cli/errors.py", "type(error)"): "what a defect says, for those who mend it",
    ("demo/", ""): "a programmer gave the demo impossible numbers",
}

# Raised for programmers, never for those who use what they made.
FOR_PROGRAMMERS = {"AssertionError", "AttributeError", "KeyError", "RuntimeError", "TypeError"}


def cards() -> list[Plugin]:
    """Give the plugins of this repository that bring translations."""
    found = [CORE]
    if find_spec("clientela_contacts") is not None:
        from clientela_contacts import plugin

        folder = folder_of("clientela_contacts")
        if folder is not None and po_path(folder, "ru").exists():
            found.append(plugin)
    return found


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.name)
def test_every_message_is_there_in_russian(card: Plugin) -> None:
    """A customer of a Russian company should not meet half a sentence of English."""
    wanted = wanted_of(App("sqlite://", plugins=[]), card)

    assert {*messages_in(card.import_name), *declared_messages(card)} <= set(wanted)
    assert missing(card.import_name, "ru", wanted) == []


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.name)
def test_every_translation_says_all_that_the_message_says(card: Plugin) -> None:
    """A translation that forgets {name} leaves the reader without what matters."""
    folder = folder_of(card.import_name)
    assert folder is not None

    losses = [
        f"{message.id!r}: {form!r}"
        for message in read_po(po_path(folder, "ru"), "ru")
        if message.id
        for form in translation_forms(message.string)
        if places_of(message.id) != parse(form).names
    ]

    assert losses == []


def places_of(id_: str | list[str] | tuple[str, ...]) -> frozenset[str]:
    return parse(id_ if isinstance(id_, str) else id_[0]).names


def test_what_a_card_declares_is_to_be_translated() -> None:
    declared = set(declared_messages(CORE))

    assert Message(None, "Customer", None) in declared
    assert Message("entity:core.customer", "customer", None) in declared
    assert Message("entity:core.customer", "customers", None) in declared
    assert Message("entity:core.customer", "{n} customer", "{n} customers") in declared
    assert Message("entity:core.customer", "Read customers", None) in declared
    assert Message(None, "Name by part", None) in declared
    assert Message(None, "Key in another system", None) in declared
    assert Message(None, "See health, plugins and jobs", None) in declared


def test_a_noun_knows_whose_it_is() -> None:
    info = CORE.entities[0].info

    assert (info.noun, info.noun.context) == ("user", "entity:core.user")
    assert (info.nouns, info.heading) == ("users", "Users")


def test_no_sentence_is_raised_without_its_mark() -> None:
    """`raise NotFound(f"…")` would reach a Russian reader in English."""
    unmarked = [
        f"{where}: {sentence}"
        for folder in FOLDERS
        for where, sentence in unmarked_in(folder)
        if not is_allowed(where, sentence)
    ]

    assert unmarked == []


def test_the_house_rule_sees_what_it_should() -> None:
    code = """
def f(name):
    raise NotFound(f"There is no {name}.")
    raise ValueError("One " + "two three")
    raise ValueError(_("Marked {name}.", name=f"{name} x"))
    return FieldProblem(f"/{name} x", "a b", "Not marked.", hint="no mark")
    raise TypeError("for programmers")
"""
    assert [text for _, text in unmarked_of(ast.parse(code))] == [
        "f'There is no {name}.'",
        "'One '",
        "'two three'",
        "'Not marked.'",
        "'no mark'",
    ]


def test_the_names_of_gettext_are_not_used_for_values() -> None:
    """`head, _, tail = …` in a function that marks a text would make `_` a variable there."""
    clashes = [
        f"{path.relative_to(CORE_FOLDER)}:{function.lineno}"
        for path in sources(CORE_FOLDER)
        for function in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(function, ast.FunctionDef) and marks(function) and assigns(function)
    ]

    assert clashes == []


def marks(function: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
        for node in ast.walk(function)
    )


def assigns(function: ast.FunctionDef) -> bool:
    inner: set[ast.AST] = {
        part
        for node in ast.walk(function)
        if isinstance(node, ast.comprehension)
        for part in ast.walk(node.target)
    }
    return any(
        isinstance(node, ast.Name)
        and node.id == "_"
        and isinstance(node.ctx, ast.Store)
        and node not in inner
        for node in ast.walk(function)
    )


def is_allowed(where: str, sentence: str) -> bool:
    return any(where.startswith(file) and words in sentence for file, words in ALLOWED)


def sources(folder: Path) -> Iterator[Path]:
    skipped = {"__pycache__", "locale", "versions"}
    for path in sorted(folder.rglob("*.py")):
        if skipped.isdisjoint(path.relative_to(folder).parts):
            yield path


def unmarked_in(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sources(folder):
        for line, sentence in unmarked_of(ast.parse(path.read_bytes())):
            yield f"{path.relative_to(folder)}:{line}", sentence


def unmarked_of(tree: ast.AST) -> Iterator[tuple[int, str]]:
    refusals = {cls.__name__ for cls in all_refusals(Refusal)} | {"ValueError"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name == "FieldProblem":
                texts = [*node.args[2:3], *(k.value for k in node.keywords if k.arg == "hint")]
            elif name in refusals:
                texts = node.args[:1]
            else:
                continue
            for text in texts:
                yield from ((part.lineno, ast.unparse(part)) for part in plain_texts(text))


def plain_texts(node: ast.expr) -> Iterator[ast.expr]:
    """Find the literal sentences of an expression that nobody marked."""
    match node:
        case ast.JoinedStr():
            yield node
        case ast.Constant(value=str(text)) if " " in text or text.endswith("."):
            yield node
        case ast.BinOp(left=left, right=right):
            yield from plain_texts(left)
            yield from plain_texts(right)
        case ast.IfExp(body=body, orelse=orelse):
            yield from plain_texts(body)
            yield from plain_texts(orelse)
        case ast.Call(func=ast.Attribute(value=owner)):
            yield from plain_texts(owner)


def all_refusals(cls: type[Refusal]) -> Iterator[type[Refusal]]:
    yield cls
    for each in cls.__subclasses__():
        yield from all_refusals(each)


def test_every_title_and_hint_of_a_refusal_is_marked() -> None:
    import clientela.cli.errors
    import clientela.rest.dispatch
    import clientela.storage.migrations.runner  # noqa: F401 - so that their refusals are known

    own = [cls for cls in all_refusals(Refusal) if cls.__module__.startswith("clientela.")]

    assert [cls.__name__ for cls in own if not isinstance(cls.title, Text)] == []
