"""From code to catalogues: which messages there are, which a language lacks, and its PO file.

A file written here holds no moment, no line number and no path, so that its diff shows changes of
words only.
"""

from __future__ import annotations

import ast
import io
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from clientela.errors import Misconfigured
from clientela.i18n.catalogue import (
    Key,
    Message,
    folder_of,
    is_english,
    new_catalogue,
    po_path,
    read_po,
    translation_forms,
)
from clientela.i18n.formats import clean_tag
from clientela.i18n.texts import parse

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog
    from babel.messages.catalog import Message as Entry

_SKIPPED: Final = frozenset({"__pycache__", "locale"})
_HEADER: Final = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""


def messages_in(package_dir: str | Path) -> list[Message]:
    """Give the messages that the code of a package shows, sorted and each once."""
    root = _folder(package_dir)
    found: list[Message] = []
    for path in sorted(root.rglob("*.py")):
        if _SKIPPED.isdisjoint(path.relative_to(root).parts):
            tree = ast.parse(path.read_bytes(), filename=str(path))
            found.extend(_messages_of(tree))
    return _each_once(found)


def missing(package: str | Path, language: str, wanted: Iterable[Message]) -> list[str]:
    """Give a sentence for each message that a package cannot show in a language."""
    path, tag = _place(package, language)
    try:
        catalogue = _read(path, tag)
    except Misconfigured as error:
        return [error.detail]
    problems = []
    for message in _each_once(wanted):
        problem = _problem(message, catalogue.get(message.key, message.context), catalogue, tag)
        if problem:
            where = f" [{message.context}]" if message.context else ""
            problems.append(f"{tag}: {message.key!r}{where} {problem}.")
    return problems


def update_po(package_dir: str | Path, language: str, wanted: Iterable[Message]) -> bool:
    """Bring the PO file of a language to exactly these messages; say whether it changed."""
    path, tag = _place(package_dir, language)
    written = _po_text(_read(path, tag), tag, _each_once(wanted))
    if path.exists() and path.read_bytes() == written:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".po.new")
    draft.write_bytes(written)
    draft.replace(path)
    return True


def _place(package: str | Path, language: str) -> tuple[Path, str]:
    tag = clean_tag(language)
    if tag is None:
        raise Misconfigured(f"{language!r} is no language; write one like ru or pt-BR.")
    return po_path(_folder(package), tag), tag


def _folder(package: str | Path) -> Path:
    is_path = isinstance(package, Path) or os.sep in package
    folder = folder_of(Path(package).resolve() if is_path else package)
    if folder is None or not folder.is_dir():
        raise Misconfigured(f"There is no folder of a package {str(package)!r}.")
    return folder


def _messages_of(tree: ast.AST) -> Iterator[Message]:
    modules = set(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            message = _message_of(node, modules)
            if message and message.key:
                yield message


def _message_of(call: ast.Call, modules: set[str]) -> Message | None:
    match call.func:
        case ast.Name(id="_") | ast.Attribute(attr="_"):
            texts = 1
        case ast.Attribute(attr="text" | "plural" as name, value=owner):
            # `sqlalchemy.text("…")` is no message: what is imported is no translator.
            if _root(owner) in modules:
                return None
            texts = 1 if name == "text" else 2
        case _:
            return None
    return _constant_message(call, texts)


def _constant_message(call: ast.Call, texts: int) -> Message | None:
    found = [_string(argument) for argument in call.args[:texts]]
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    context = _string(given["context"]) if "context" in given else None
    is_open = "context" in given and context is None and not _is_none(given["context"])
    if len(found) < texts or None in found or is_open:
        return None
    return Message(context, found[0] or "", found[1] if texts > 1 else None)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for name in node.names:
                yield (name.asname or name.name).partition(".")[0]


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _string(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _each_once(messages: Iterable[Message]) -> list[Message]:
    # A PO file knows one entry per context and key; one with a plural serves both uses.
    found: dict[Key, str | None] = {}
    for context, key, plural in sorted(messages, key=_order):
        found[context, key] = found.get((context, key)) or plural
    return sorted((Message(*key, plural) for key, plural in found.items()), key=_order)


def _order(message: Message) -> tuple[str, str, str]:
    return message.key, message.context or "", message.plural or ""


def _read(path: Path, language: str) -> Catalog:
    try:
        return read_po(path, language) if path.exists() else new_catalogue(language)
    except Exception as error:
        raise Misconfigured(f"{path} cannot be read: {error}; mend it first.") from error


def _problem(message: Message, entry: Entry | None, catalogue: Catalog, language: str) -> str:
    forms = translation_forms(entry.string) if entry else ()
    if not forms:
        return "" if is_english(language) else "is not translated"
    if entry is not None and entry.fuzzy:
        return "is marked fuzzy"
    wanted = catalogue.num_plurals if message.plural else 1
    written = sum(map(bool, forms[:wanted]))
    if written < wanted:
        return f"has {written} of {wanted} plural forms"
    return _misuse(message, forms)


def _misuse(message: Message, forms: Iterable[str]) -> str:
    known = parse(message.key).names
    if message.plural:
        known |= parse(message.plural).names | {"n"}
    for template in map(parse, forms):
        if not template.is_sound:
            return "has a brace that is no placeholder"
        if not template.names <= known:
            return f"has places that are not in the message: {sorted(template.names - known)}"
    return ""


def _po_text(old: Catalog, language: str, wanted: list[Message]) -> bytes:
    from babel.messages.pofile import write_po  # noqa: PLC0415

    new = new_catalogue(language)
    new.mime_headers = [("Plural-Forms", old.plural_forms)]
    for message in wanted:
        _carry_over(old.get(message.key, message.context), message, new)
    body = io.BytesIO()
    write_po(body, new, width=0, omit_header=True)
    comment = old.header_comment.strip()
    head = _HEADER.format(language=language, plurals=old.plural_forms)
    text = f"{comment}\n{head}" if comment else head
    return (text.encode() + body.getvalue()).rstrip() + b"\n"


def _carry_over(entry: Entry | None, message: Message, new: Catalog) -> None:
    forms = translation_forms(entry.string) if entry else ()
    padded = (*forms, *[""] * new.num_plurals)
    added = new.add(
        (message.key, message.plural) if message.plural else message.key,
        padded[: new.num_plurals] if message.plural else padded[0],
        flags={"fuzzy"} if entry and forms and entry.fuzzy else (),
        user_comments=entry.user_comments if entry else (),
        context=message.context,
    )
    # A percent sign is a percent sign here; Babel takes "100% done" for a format.
    added.flags.discard("python-format")
