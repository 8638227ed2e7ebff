"""Made-up customers: their names, numbers and addresses; none of them leads to anybody."""

from __future__ import annotations

from random import Random

from clientela.demo.words import Words, feminine, words_of
from clientela.normalize import transliterate
from clientela.values import PersonName, PostalAddress

# Area codes before 555-01xx, the numbers that stand in films.
AREAS = (
    "205", "208", "212", "215", "217", "303", "304", "307", "312", "315", "401", "402", "405", "406", "412", "414",
    "501", "502", "503", "505", "512", "515", "603", "605", "608", "614", "617", "701", "702", "713", "716", "801",
    "802", "803", "804", "808", "814", "816", "901", "907", "913", "915", "918",
)  # fmt: skip
FICTIONAL = 100
# Coprime to the size of the range, so that neighbours get distant numbers and none comes twice.
STRIDE = 7_919
RUSSIAN_RANGE = 1_000_000

# No region of Russia has the tax code 96, so that no organization has such an INN.
NO_REGION = "96"
INN_WEIGHTS = (2, 4, 10, 3, 5, 9, 4, 6, 8)


def person_name(rng: Random, words: Words) -> PersonName:
    """Make up a name whose parts agree in gender."""
    is_woman = rng.random() < 0.5  # noqa: PLR2004 - one half
    family = rng.choice(words.family)
    patronymic = rng.choice(words.patronymics)[is_woman] if words.patronymics else ""
    return PersonName(
        family=feminine(family) if is_woman else family,
        given=rng.choice(words.given_female if is_woman else words.given_male),
        patronymic=patronymic,
    )


def company_name(rng: Random, words: Words) -> str:
    """Make up the name of an organization with its legal form."""
    return words.company_form.format(
        form=rng.choice(words.legal_forms),
        first=rng.choice(words.company_first),
        second=rng.choice(words.company_second),
    )


def phone(language: str, number: int) -> str:
    """Give the number of the nth customer: +7 900 0… or one of 555-01xx."""
    if language == "ru":
        return f"+79000{number * STRIDE % RUSSIAN_RANGE:06}"
    area = AREAS[number % len(AREAS)]
    return f"+1{area}55501{number // len(AREAS) % FICTIONAL:02}"


def email(name: str, number: int) -> str:
    """Give an address of the nth customer that leads nowhere.

    >>> email("Иванова Анна", 7)
    'ivanova.anna.7@example.com'
    """
    letters = "".join(s if s.isascii() and s.isalnum() else " " for s in transliterate(name))
    domain = "example.com" if number % 3 else "example.org"
    return f"{'.'.join(letters.lower().split())}.{number}@{domain}"


def inn(number: int) -> str:
    """Give the tax number of the nth organization, with a fitting check digit.

    >>> inn(1)
    '9600000018'
    """
    digits = f"{NO_REGION}{number:07}"
    total = sum(int(d) * w for d, w in zip(digits, INN_WEIGHTS, strict=True))
    return f"{digits}{total % 11 % 10}"


def address(rng: Random, language: str) -> PostalAddress:
    """Make up an address; the street may not exist in that city."""
    words = words_of(language)
    city, region, code = rng.choice(words.cities)
    return PostalAddress(
        country="RU" if language == "ru" else "US", region=region, city=city,
        street=rng.choice(words.streets), house=words.house.format(n=rng.randint(1, 120)),
        postal_code=f"{code}{rng.randint(0, 999):03}" if language == "ru" else code,
    )  # fmt: skip
