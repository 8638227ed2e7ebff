"""The words of sample data, one file per language."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("ru", "en")


@dataclass(frozen=True)
class Words:
    """All words of one language; `words/*.toml` says what each list is for."""

    given_male: list[str]
    given_female: list[str]
    patronymics: list[list[str]]
    family: list[str]
    company_first: list[str]
    company_second: list[str]
    company_form: str
    legal_forms: list[str]
    cities: list[list[str]]
    streets: list[str]
    house: str
    sources: list[str]
    tags: list[str]
    notes: list[str]
    goods: list[str]
    consent_sources: list[str]
    wording: str
    users: dict[str, list[str]]
    interactions: dict[str, dict[str, list[str]]]
    decisions: list[dict[str, Any]]


@lru_cache
def words_of(language: str) -> Words:
    """Read the words of a language."""
    found = tomllib.loads((files(__package__) / "words" / f"{language}.toml").read_text("utf-8"))
    return Words(**{field.name: found[field.name] for field in fields(Words)})


def feminine(family: str) -> str:
    """Give the form of a Russian family name that a woman bears.

    >>> [feminine(name) for name in ("Волков", "Горский", "Полевой", "Тихий", "Шевченко", "Седых")]
    ['Волкова', 'Горская', 'Полевая', 'Тихая', 'Шевченко', 'Седых']
    """
    if family.endswith(("ов", "ев", "ёв", "ин", "ын")):
        return f"{family}а"
    if family.endswith(("ий", "ый", "ой")):
        return f"{family[:-2]}ая"
    return family
