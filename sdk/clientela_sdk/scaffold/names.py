"""The words of a new plugin: what follows from its name, and which names cannot be taken."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import clientela_sdk
from clientela.cli import COMMANDS
from clientela.i18n.phrases import a_noun, pluralize
from clientela.plugins.core import CORE
from clientela.plugins.discovery import found
from clientela_sdk import Conflict, Invalid, _

# With longer names what is written would not fit into its lines.
LONGEST = 20
LONGEST_ENTITY = 18
MOST_LETTERS = 80
# The Russian noun when none is given: it is true of every record.
RECORD = ("запись", "записи", "записи", "записей")

_PLUGIN = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_ENTITY = re.compile(r"[A-Z][A-Za-z0-9]*")
_PREFIX = re.compile(r"[a-z]{2,4}")
# Names that stand in what is written, besides those of the sdk.
_SPOKEN_FOR = frozenset({
    "actions", "anna", "any", "card", "client", "close", "ctx", "customer", "data", "date", "demo", "due", "entities",
    "fact", "facts", "field", "hooks", "make", "migrations", "plugin", "plugins", "pytest", "random", "reply", "rng",
    "rows", "rules", "schemas", "self", "there", "timedelta", "today", "yesterday",
})  # fmt: skip


class BadName(Invalid):
    """A name that no plugin can have was asked for."""

    code = "bad-name"
    title = _("This cannot be a name")


class NameTaken(Conflict):
    """A name that something else has was asked for."""

    code = "name-taken"
    title = _("This name is taken")


@dataclass(frozen=True, kw_only=True)
class Names:
    """All that the templates ask for."""

    plugin: str
    title: str
    about: str
    entity: str
    prefix: str
    title_ru: str
    about_ru: str
    noun_ru: tuple[str, str, str, str]

    @property
    def package(self) -> str:
        """Give the name under which it is imported."""
        return f"clientela_{self.plugin}"

    def words(self) -> dict[str, str]:
        """Give every word of the templates."""
        singular = _snake(self.entity)
        phrase = singular.replace("_", " ")
        plural = pluralize(phrase)
        article = a_noun(phrase).partition(" ")[0]
        one, many, few, lots = self.noun_ru
        return {
            "plugin": self.plugin, "title": self.title, "about": self.about, "package": self.package,
            "distribution": f"clientela-{self.plugin.replace('_', '-')}",
            "Entity": self.entity, "entity": singular, "prefix": self.prefix,
            "entity_command": singular.replace("_", "-"), "table": f"{self.plugin}_{singular}",
            "label": phrase.capitalize(), "phrase": phrase, "plural": plural, "Plural": plural.capitalize(),
            "article": article, "Article": article.capitalize(), "Phrase": phrase.capitalize(),
            "collection": plural.replace(" ", "-"), "section": plural.replace(" ", "_"),
            "title_ru": self.title_ru, "about_ru": self.about_ru,
            "one_ru": one, "many_ru": many, "few_ru": few, "lots_ru": lots,
            "One_ru": _capital(one), "Many_ru": _capital(many),
            "Lots_ru": _capital(lots),
        }  # fmt: skip


def name(  # noqa: PLR0913 - each is a question that has an answer already
    plugin: str,
    *,
    title: str = "",
    about: str = "",
    entity: str = "",
    prefix: str = "",
    title_ru: str = "",
    about_ru: str = "",
    noun_ru: str = "",
    folder: Path | None = None,
) -> Names:
    """Answer what was left open, and refuse what cannot be; `folder` is the deployment, whose plugins are known too.

    >>> made = name("site_visits")
    >>> made.title, made.entity, made.prefix, made.about
    ('Site visits', 'SiteVisit', 'siv', 'Site visits of customers.')
    """
    _check_plugin(plugin, folder)
    entity = entity or _camel(_singular(plugin))
    _check_entity(entity)
    plural = pluralize(_snake(entity).replace("_", " ")).capitalize()
    forms = _forms(noun_ru)
    title = _line("--title", title) or plugin.replace("_", " ").capitalize()
    return Names(
        plugin=plugin,
        title=title,
        about=_sentence("--about", about) or f"{plural} of customers.",
        entity=entity,
        prefix=_prefix(prefix, entity),
        title_ru=_line("--title-ru", title_ru) or title,
        about_ru=_sentence("--about-ru", about_ru) or f"{_capital(forms[1])} по клиентам.",
        noun_ru=forms,
    )


def _check_plugin(plugin: str, folder: Path | None) -> None:
    if not _PLUGIN.fullmatch(plugin) or len(plugin) > LONGEST:
        raise BadName(
            _(
                "{name} cannot be the name of a plugin: write at most {most} small letters, digits and single _, "
                "a letter first, as in site_visits.",
                name=repr(plugin[:60]),
                most=LONGEST,
            )
        )
    if plugin in {"core", *COMMANDS}:
        raise NameTaken(
            _("{name} is a command of Clientela itself; choose another name.", name=plugin)
        )
    if any(one.name == plugin for one in found(folder)):
        raise NameTaken(
            _("A plugin {name} is installed already; choose another name.", name=plugin)
        )
    if find_spec(f"clientela_{plugin}") is not None:
        raise NameTaken(
            _(
                "Something named clientela_{name} can be imported already; choose another name.",
                name=plugin,
            )
        )


def _check_entity(entity: str) -> None:
    if not _ENTITY.fullmatch(entity) or len(_snake(entity)) > LONGEST_ENTITY:
        raise BadName(
            _(
                "{name} cannot be the name of an entity: write one class in the singular, as in SiteVisit, "
                "with at most {most} letters.",
                name=repr(entity[:60]),
                most=LONGEST_ENTITY,
            )
        )
    singular = _snake(entity)
    known = {*clientela_sdk.__all__, *dir(builtins), *keyword.kwlist, *_SPOKEN_FOR}
    if entity in known or singular in known:
        raise BadName(
            _(
                "{name} means something else in a plugin's code already; call the entity another name with --entity.",
                name=entity,
            )
        )


def _prefix(asked: str, entity: str) -> str:
    taken = {one.info.prefix for one in CORE.entities}
    if not asked:
        return _free_prefix(_snake(entity), taken)
    if not _PREFIX.fullmatch(asked):
        raise BadName(
            _(
                "{prefix} cannot begin ids: write two to four small letters, as in vis.",
                prefix=repr(asked[:60]),
            )
        )
    if asked in taken:
        raise NameTaken(
            _(
                "Ids of the core begin with {prefix}_ already; choose another --prefix.",
                prefix=asked,
            )
        )
    return asked


def _free_prefix(singular: str, taken: Collection[str]) -> str:
    """Take the first letters of a word or two, and where they are taken, other letters of it."""
    words = singular.split("_")
    joined = "".join(c for c in singular if c.isalpha())
    short = words[0][:2] + words[1][0] if len(words) > 1 and words[1][0].isalpha() else joined[:3]
    others = (joined[0] + first + second for first, second in combinations(joined[1:], 2))
    fitting = (one for one in (short, *others) if _PREFIX.fullmatch(one) and one not in taken)
    return next(fitting, f"x{joined[:3]}")


def _forms(noun: str) -> tuple[str, str, str, str]:
    if not noun:
        return RECORD
    forms = tuple(part.strip() for part in noun.split(","))
    if len(forms) != len(RECORD) or not all(re.fullmatch(r"[а-яё -]+", one) for one in forms):
        raise BadName(
            _("Write --noun-ru in four forms: one, several, two of them, five of them, as in «{forms}».",
              forms="визит,визиты,визита,визитов")
        )  # fmt: skip
    one, many, few, lots = forms
    return one, many, few, lots


def _line(what: str, text: str) -> str:
    """Take a text that may stand between quotes in Python, TOML and PO."""
    if len(text) > MOST_LETTERS or not text.isprintable() or set(text) & set('"\\{}$'):
        raise BadName(
            _(
                "{option} is one line of at most {most} letters, without quotes, braces, $ and backslashes.",
                option=what,
                most=MOST_LETTERS,
            )
        )
    return text.strip()


def _sentence(what: str, text: str) -> str:
    line = _line(what, text)
    return line if not line or line.endswith((".", "!", "?")) else f"{line}."


def _singular(word: str) -> str:
    for ending, instead in (("sses", "ss"), ("ies", "y"), ("xes", "x"), ("ss", "ss"), ("s", "")):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word.removesuffix(ending) + instead
    return word


def _camel(word: str) -> str:
    return "".join(part.capitalize() for part in word.split("_"))


def _snake(entity: str) -> str:
    # As the kernel derives the name of an entity from its class.
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", entity).lower()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
