"""Kinds that are codes of a standard: country, language, currency."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from sqlalchemy.types import TypeEngine

from clientela.i18n.texts import _
from clientela.kinds.base import EQUALITY, Kind, sentence_for_type
from clientela.storage.types import plain_text
from clientela.values import COUNTRIES, CURRENCIES, LANGUAGES


class CodeKind(Kind):
    """A code of a standard, kept in the standard's own spelling."""

    operators = EQUALITY
    codes: ClassVar[frozenset[str]]
    standard: ClassVar[str]
    lower: ClassVar[bool] = False
    samples: ClassVar[tuple[str, ...]]

    def load(self, raw: object) -> str:
        """Take a known code in the standard's spelling."""
        if not isinstance(raw, str):
            raise sentence_for_type(_("A code of {standard}", standard=self.standard), raw)
        if raw not in self.codes:
            raise ValueError(
                _(
                    "{code} is not a code of {standard}, such as {example}.",
                    code=repr(raw[:20]),
                    standard=self.standard,
                    example=self.samples[0],
                )
            )
        return raw

    def parse(self, text: str) -> str:
        """Take a known code in any case."""
        return self.load(text.strip().lower() if self.lower else text.strip().upper())

    def types(self) -> tuple[TypeEngine[Any], ...]:
        """Give one text column."""
        return (plain_text(),)

    def json_schema(self) -> dict[str, Any]:
        """List the codes."""
        return {"type": "string", "enum": sorted(self.codes)}

    def search_text(self, value: str) -> str:
        """Give nothing: a code is filtered, not searched."""
        del value
        return ""

    def sample(self, rng: random.Random) -> str:
        """Pick a common one."""
        return rng.choice(self.samples)


class CountryKind(CodeKind):
    """A country of ISO 3166-1, two letters; its name is read in English and Russian."""

    name: ClassVar[str] = "country"
    codes = COUNTRIES
    standard = "ISO 3166-1"
    samples = ("RU", "DE", "US")

    def parse(self, text: str) -> str:
        """Take a code, or the country's name in English or Russian."""
        try:
            return super().parse(text)
        except ValueError:
            from clientela.i18n.formats import country_code  # noqa: PLC0415 - babel is slow

            found = country_code(text)
            if found is None:
                raise
            return found

    def format(self, value: str, locale: str) -> str:
        """Give the country's name."""
        from clientela.i18n.formats import country_name  # noqa: PLC0415 - babel is slow

        return country_name(value, locale)


class LanguageKind(CodeKind):
    """A language of ISO 639-1, two letters."""

    name: ClassVar[str] = "language"
    codes = LANGUAGES
    standard = "ISO 639-1"
    lower = True
    samples = ("ru", "en", "de")

    def format(self, value: str, locale: str) -> str:
        """Give the language's name."""
        from clientela.i18n.formats import language_name  # noqa: PLC0415 - babel is slow

        return language_name(value, locale)


class CurrencyKind(CodeKind):
    """A currency of ISO 4217, three letters."""

    name: ClassVar[str] = "currency"
    codes = CURRENCIES
    standard = "ISO 4217"
    samples = ("RUB", "EUR", "USD")

    def format(self, value: str, locale: str) -> str:
        """Give the currency's name."""
        from clientela.i18n.formats import currency_name  # noqa: PLC0415 - babel is slow

        return currency_name(value, locale)
