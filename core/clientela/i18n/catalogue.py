"""Messages and their translations.

A message is a whole English sentence, and that sentence is its key. Each package brings its
translations in `<package>/locale/<language>/LC_MESSAGES/<package>.po`; a file is read when its
language is first shown. A translation that is missing or broken is shown in English and noted,
because no sentence is worth an error page.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from clientela.i18n.formats import Number, clean_tag, format_number, tag_and_parents
from clientela.i18n.texts import FOLLOWED, Spoken, Text, parse

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

Count = Number
Forms = tuple[str, ...]
Key = tuple[str | None, str]

ENGLISH: Final = "en"
_MOST_NOTES: Final = 500
_LONGEST_NOTE: Final = 200
# Smaller numbers look the same in every locale, and need no Babel.
_FIRST_GROUPED: Final = 1000
_LONGEST_COUNT: Final = 400


class Message(NamedTuple):
    """A message as PO files name it: its context, its English text and its English plural."""

    context: str | None
    key: str
    plural: str | None


class Note(NamedTuple):
    """Something about the translations that a health page should show."""

    kind: Literal["missing", "broken", "unreadable"]
    language: str
    key: str
    context: str | None = None
    detail: str = ""


class Entry(NamedTuple):
    """One translation: its forms, and which of them fits a number."""

    forms: Forms
    pick: Callable[[Count], int]

    def form(self, count: Count) -> str:
        """Give the form for a number, or nothing when there is none."""
        place = self.pick(count)
        return self.forms[place] if 0 <= place < len(self.forms) else ""


class Translator:
    """Shows messages in one language."""

    def __init__(self, language: str, entries: Mapping[Key, Entry], notes: Notes) -> None:
        self.language = language
        self._entries = entries
        self._notes = notes

    @property
    def notes(self) -> frozenset[Note]:
        """What this translator could not translate."""
        return self._notes.seen

    def text(self, key: str, /, *, context: str | None = None, **values: object) -> str:
        """Give a message with its values, in English when it has no sound translation."""
        if isinstance(key, Spoken):
            return key.said_in(self.language)
        if isinstance(key, Text):
            context, values = context or key.context, {**key.values, **values}
        key = _key(key)
        if key == FOLLOWED:
            return "".join(self._shown(values).values())
        entry = self._entries.get((context, key))
        return self._best(entry.forms[0] if entry else "", key, key, context, self._shown(values))

    def plural(
        self,
        singular: str,
        plural: str,
        count: Count,
        /,
        *,
        context: str | None = None,
        **values: object,
    ) -> str:
        """Give the form of a message that fits a number; `{n}` is that number, written out."""
        key = _key(singular)
        entry = self._entries.get((context, key))
        english = key if _whole(count) == 1 else _key(plural)
        shown = self._shown({"n": _written(count, self.language)} | values)
        return self._best(entry.form(count) if entry else "", english, key, context, shown)

    def show(self, value: object) -> str:
        """Give a marked text in this language, and anything else as it is."""
        return self.text(value) if isinstance(value, Text) else str(value)

    def _shown(self, values: Mapping[str, object]) -> dict[str, str]:
        return {name: self.show(value) for name, value in values.items()}

    def _best(
        self, translation: str, english: str, key: str, context: str | None, values: dict[str, str]
    ) -> str:
        if translation:
            template = parse(translation)
            if template.fits(values):
                return template.fill(values)
            self._notes.add(Note("broken", self.language, key, context, translation))
        elif key and not is_english(self.language):
            self._notes.add(Note("missing", self.language, key, context))
        template = parse(english)
        if not template.fits(values):
            self._notes.add(Note("broken", ENGLISH, key, context, english))
        return template.fill(values)


class Catalogues:
    """The translations of some packages: a value, of which a process may have many.

    Of two packages that translate the same message the earlier one is heard, so that no plugin
    changes the words of those it stands on by accident; `add(package, first=True)` is for one that
    means to.
    """

    def __init__(self, packages: Sequence[str] = (), default: str = ENGLISH) -> None:
        self.default = clean_tag(default) or ENGLISH
        self._packages = list(dict.fromkeys(packages))
        self._lock = threading.RLock()
        self._notes = Notes()
        self._files: dict[str, list[Path]] | None = None
        self._translators: dict[str, Translator] = {}

    def add(self, package: str, *, first: bool = False) -> None:
        """Hear one more package; translators that were given before keep what they know."""
        with self._lock:
            if package not in self._packages:
                self._packages.insert(0 if first else len(self._packages), package)
            self._files = None
            self._translators = {}

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages, in the order in which they are heard."""
        return tuple(self._packages)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that can be shown."""
        return tuple(sorted({ENGLISH, self.default, *self._found()}))

    @property
    def notes(self) -> frozenset[Note]:
        """What could not be read or translated, in all languages used so far."""
        return self._notes.seen.union(*(each.notes for each in list(self._translators.values())))

    def resolve(self, language: str | None) -> str:
        """Give the language that will be shown to somebody who wants this one."""
        known = {name.lower(): name for name in self.languages}
        tag = clean_tag(language or "") or self.default
        wider = (known.get(each) for each in tag_and_parents(tag.lower()))
        return next((name for name in wider if name), self.default)

    def translator(self, language: str | None = None) -> Translator:
        """Give the translator of a language, or of the nearest that there is."""
        name = self.resolve(language)
        found = self._translators.get(name)
        if found is None:
            with self._lock:
                found = self._translators.get(name) or self._read(name)
                self._translators[name] = found
        return found

    def _found(self) -> dict[str, list[Path]]:
        with self._lock:
            if self._files is None:
                self._files = {}
                for package in self._packages:
                    for language, path in _po_files(package):
                        self._files.setdefault(language, []).append(path)
            return self._files

    def _read(self, language: str) -> Translator:
        entries: dict[Key, Entry] = {}
        for tag in tag_and_parents(language):
            for path in self._found().get(tag, ()):
                for key, entry in self._read_file(path, tag).items():
                    entries.setdefault(key, entry)
        return Translator(language, entries, Notes())

    def _read_file(self, path: Path, language: str) -> dict[Key, Entry]:
        try:
            catalogue = read_po(path, language)
            return dict(_entries(catalogue, plural_rule(catalogue, language)))
        except Exception as error:  # noqa: BLE001 - whatever the file holds, English is still there
            self._notes.add(Note("unreadable", language, path.name, detail=str(error)))
            return {}


class Notes:
    """A set that stays small."""

    def __init__(self) -> None:
        self._seen: set[Note] = set()

    @property
    def seen(self) -> frozenset[Note]:
        """The notes so far."""
        return frozenset(self._seen)

    def add(self, note: Note) -> None:
        """Keep a note while there is room."""
        if len(self._seen) < _MOST_NOTES:
            key, detail = note.key[:_LONGEST_NOTE], note.detail[:_LONGEST_NOTE]
            self._seen.add(note._replace(key=key, detail=detail))


def is_english(language: str) -> bool:
    """Say whether the keys themselves are in this language."""
    return tag_and_parents(language)[-1].lower() == ENGLISH


def folder_of(package: str | Path) -> Path | None:
    """Give the folder of a package without importing it, or None when it has none."""
    if isinstance(package, Path):
        return package
    module = sys.modules.get(package)
    places: Sequence[str] | None = getattr(module, "__path__", None)
    if module is None:
        try:
            spec = find_spec(package)
        except (ImportError, ValueError):
            return None
        places = spec.submodule_search_locations if spec else None
    return next((Path(place) for place in places or ()), None)


def po_path(folder: Path, language: str) -> Path:
    """Give the place of the PO file of a language inside the folder of a package."""
    return folder / "locale" / language.replace("-", "_") / "LC_MESSAGES" / f"{folder.name}.po"


def read_po(path: Path, language: str) -> Catalog:
    """Read a PO file; raises whatever Babel does when it is not one."""
    from babel.messages.pofile import PoFileParser  # noqa: PLC0415

    catalogue = new_catalogue(language)
    with path.open("rb") as file:
        PoFileParser(catalogue, ignore_obsolete=True, abort_invalid=True).parse(file)
    return catalogue


def new_catalogue(language: str) -> Catalog:
    """Give an empty catalogue with the plural forms that are usual in a language."""
    from babel.messages.catalog import Catalog  # 70 ms that English never needs  # noqa: PLC0415

    # Without a comment of ours Babel writes one that holds the year.
    return Catalog(locale=language.replace("-", "_"), header_comment="")


def translation_forms(string: object) -> Forms:
    """Give the forms of a translation as Babel holds it; all empty is none."""
    forms = tuple(string) if isinstance(string, tuple | list) else (string,)
    written = tuple(form if isinstance(form, str) else "" for form in forms)
    return written if any(written) else ()


def plural_rule(catalogue: Catalog, language: str) -> Callable[[Count], int]:
    """Give the function that says which form fits a number, by the header or as is usual."""
    from gettext import c2py  # only a language with a catalogue needs it  # noqa: PLC0415

    try:
        return PluralRule(c2py(catalogue.plural_expr), catalogue.num_plurals, language)
    except (ValueError, RecursionError, ArithmeticError):
        usual = new_catalogue(language)
        return PluralRule(c2py(usual.plural_expr), usual.num_plurals, language)


class PluralRule:
    """Which form fits a number: by the PO header for whole numbers, by CLDR for all others."""

    def __init__(self, whole: Callable[[int], int], forms: int, language: str) -> None:
        self._whole = whole
        self._language = language
        self._samples = [whole(number) for number in range(201)]
        if min(self._samples) < 0 or max(self._samples) >= forms:
            raise ValueError(f"A plural rule for {forms} forms asks for {max(self._samples) + 1}.")
        # PO files rarely have a form for fractions of their own. Where they do, it is the last;
        # else Slavic languages use that of two: "2 рубля", "1,5 рубля".
        self._fraction = forms - 1 if forms - 1 not in self._samples else self._samples[2]

    def __call__(self, count: Count) -> int:
        """Give the place of the form, or -1 when the rule fails."""
        whole = _whole(count)
        if whole is None:
            return self._of_category(count)
        try:
            return self._whole(whole)
        except ArithmeticError:
            return -1

    def _of_category(self, count: Count) -> int:
        from babel import Locale, UnknownLocaleError  # noqa: PLC0415

        try:
            category = Locale.parse(self._language, sep="-").plural_form
        except (ValueError, UnknownLocaleError):
            return self._fraction
        wanted = category(Decimal(str(count))) if _is_finite(count) else "other"
        alike = (form for number, form in enumerate(self._samples) if category(number) == wanted)
        return next(alike, self._fraction)


def _po_files(package: str) -> Iterator[tuple[str, Path]]:
    folder = folder_of(package)
    if folder is None:
        return
    for path in sorted(folder.glob(f"locale/*/LC_MESSAGES/{folder.name}.po")):
        language = clean_tag(path.parent.parent.name)
        if language:
            yield language, path


def _entries(catalogue: Catalog, pick: Callable[[Count], int]) -> Iterator[tuple[Key, Entry]]:
    for message in catalogue:
        forms = translation_forms(message.string)
        if message.id and forms and not message.fuzzy:
            key = message.id if isinstance(message.id, str) else message.id[0]
            yield (message.context, key), Entry(forms, pick)


def _key(text: str) -> str:
    return text.key if isinstance(text, Text) else text


def _whole(count: Count) -> int | None:
    return abs(int(count)) if _is_finite(count) and count == int(count) else None


def _is_finite(count: Count) -> bool:
    if isinstance(count, float):
        return math.isfinite(count)
    # The integer of Decimal("1e999999999") would not fit into memory.
    return isinstance(count, int) or (count.is_finite() and count.adjusted() < _LONGEST_COUNT)


def _written(count: Count, language: str) -> str:
    whole = _whole(count)
    is_plain = whole is not None and whole < _FIRST_GROUPED
    return str(int(count)) if is_plain else format_number(count, language)
