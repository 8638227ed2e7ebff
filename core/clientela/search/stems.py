"""Words and their relatives: the stem of a word, and how a name sounds in Latin letters."""

from __future__ import annotations

import importlib
import re
import sys
import threading
from functools import cache, lru_cache
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from clientela.normalize import transliterate

SHORTEST_STEMMED = 4
CACHED = 20_000

_RUSSIAN = re.compile(r"[а-я]+")
_ENGLISH = re.compile(r"[a-z]+")
_CYRILLIC = re.compile(r"[а-яіїєґў]+")

# A stemmer keeps its place in itself, so two threads must not share one.
_turn = threading.Lock()


@lru_cache(maxsize=CACHED)
def stem(word: str) -> str:
    """Give the stem of a folded word, Russian or English by its letters; any other word stays as it is.

    >>> stem("договорами"), stem("roofs"), stem("7707083893")
    ('договор', 'roof', '7707083893')
    """
    if len(word) < SHORTEST_STEMMED:
        return word
    if _ENGLISH.fullmatch(word):
        return _stemmed("english", word)
    if _RUSSIAN.fullmatch(word):
        # To the grammar «Иванов» is a form of «Иван»; to people it is another name.
        return (
            word
            if word[-2:] in {"ов", "ев"} and word[:-2] in _FIRST_NAMES
            else _stemmed("russian", word)
        )
    return word


def _stemmed(language: str, word: str) -> str:
    with _turn:
        return str(_stemmer(language).stemWord(word))


@cache
def _stemmer(language: str) -> Any:
    """Load one stemmer alone: the package's own `__init__` takes 0.3 s for all its languages."""
    alias = f"{__name__}_snowball"
    spec = find_spec("snowballstemmer")
    assert spec is not None  # noqa: S101 - a dependency of ours
    package = ModuleType(alias)
    package.__path__ = list(spec.submodule_search_locations or ())
    sys.modules.setdefault(alias, package)
    module = importlib.import_module(f"{alias}.{language}_stemmer")
    return getattr(module, f"{language.capitalize()}Stemmer")()


# What surnames on -ов and -ев are made of, folded.
_FIRST_NAMES = frozenset(
    """
    абрам авде аверьян адам александр алексе андре антип антон аркадь арсень артем архип афанась богдан борис вадим
    валерь варлам василь виктор владимир влас гаврил герасим глеб григорь давыд даниил данил дементь демид демьян денис
    дмитрь евгень евдоким егор елисе емельян ереме ермил ерофе ефим ефрем захар зот иван игнат игнать илларион кирилл
    клим кондрат кондрать корне лавренть леонид леонть лукьян макар максим марк мартын матве мирон митрофан михайл моисе
    назар нестер никандр никанор никифор никола николае осип остап павл пантеле парфен петр платон потап прохор родион
    роман савель самойл семен серафим серге сидор симон софрон спиридон степан тарас теренть тимофе тихон трифон трофим
    устин федор федот филат филимон филипп фрол харитон эдуард юрь яков
    """.split()  # noqa: SIM905 - a hundred quotes would hide the words
)

# From the usual spellings of Russian names in Latin letters to one; the longer signs first.
_SOUNDS = tuple(
    pair.split("-")
    for pair in "tch-ch shch-sh sch-sh kh-h tz-c ts-c ck-k ph-f x-ks w-v y-i j-i ie-e io-e".split()  # noqa: SIM905 - the same
)
_TWICE = re.compile(r"(.)\1+")


@lru_cache(maxsize=CACHED)
def sound(word: str) -> str:
    """Give one Latin spelling for the many of a name; nothing for what is no word of letters.

    >>> sound("юлия"), sound("yuliya"), sound("julia"), sound("щукин") == sound("shchukin")
    ('iulia', 'iulia', 'iulia', True)
    """
    latin = transliterate(word) if _CYRILLIC.fullmatch(word) else word
    if not _ENGLISH.fullmatch(latin):
        return ""
    for there, here in _SOUNDS:
        latin = latin.replace(there, here)
    return _TWICE.sub(r"\1", latin)
