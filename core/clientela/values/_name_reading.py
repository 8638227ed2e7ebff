"""Which word of a full name is which part, told by its ending, its place and a few known words."""

from __future__ import annotations

import re

from clientela.i18n.texts import _
from clientela.values._parts import tidy


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PREFIXES = _words("dr mr mrs ms miss mx prof sir г-н г-жа господин госпожа д-р доктор проф")
_SUFFIXES = _words("esq ii iii iv jr md phd sr мл ст")
_PARTICLES = _words(
    "af al bin da das de del della den der di do dos du el ibn la le ten ter van von zu "
    "аль бен бин ван де дер ди дю ибн ла ле фон эль"
)
# Common given names, those first that look like a surname: Яков, Лев, Марина, Константин.
_GIVEN = _words("""
    августин алевтина алина амина ангелина антонина арина валентин валентина галина дина ева
    екатерина зарина ирина карина каролина константин кристина лев мадина марина мартин нина
    полина регина сабина эвелина яков ян
    александр александра алексей алёна алена алиса алла анастасия анатолий андрей анна антон
    арсений артём артем артур борис вадим валерий валерия варвара василий вера вероника виктор
    виктория виталий владимир владислав вячеслав геннадий георгий герман глеб григорий дарья
    демьян денис диана дмитрий евгений евгения егор елена елизавета иван игорь илья инна кирилл
    ксения лариса леонид лидия лилия любовь людмила максим маргарита мария марк матвей михаил
    надежда наталья наталия никита николай оксана олег олеся ольга павел пётр петр раиса роман
    руслан светлана святослав семён семен сергей софия софья станислав степан тамара татьяна
    тимофей тимур фёдор федор эдуард элина эльвира юлия юрий яна ярослав
""")
_SURNAME = re.compile(
    r".+(?:[оеё]ва?|[иы]на?|[сц]к(?:ий|ая|ой)|енко|[ую]к|янц?|дзе|швили|[иы]х|ич)", re.IGNORECASE
)
_PATRONYMIC = re.compile(
    r".+(?:[оеё]вич|ьич|[оеё]вна|[ії]вна|ична)|кузьмич|лукич|никитич|саввич|фокич|фомич",
    re.IGNORECASE,
)
_LATIN_PATRONYMIC = re.compile(r".+(?:[eo]vich|[eo]vna|ichna)|ilyich", re.IGNORECASE)
_LATIN_SURNAME = re.compile(r".+(?:[eo]va?|ina?|sk(?:y|iy|aya)|enko|uk)", re.IGNORECASE)
# "Гейдар Али оглы", "Лейла Али кызы": the son, the daughter of Али.
_CHILD_OF = _words("гызы кызы қызы кизи оглу оглы огли улы ұлы уулу oglu ogly qizi kyzy")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_INITIAL = re.compile(r"[^\W\d_]\.")


def read_name(text: str, *, language: str, family_first: bool) -> dict[str, str]:
    """Give the parts of a full name.

    >>> read_name("Dr. Ludwig van Beethoven", language="en", family_first=False)
    {'prefix': 'Dr.', 'family': 'van Beethoven', 'given': 'Ludwig'}
    """
    text = tidy(text)
    if not any(letter.isalpha() for letter in text):
        raise ValueError(_("A name needs at least one letter; write it such as Anna Petrova."))
    pieces = [piece.split() for piece in text.split(",") if piece.strip()]
    suffix = _take_suffix(pieces)
    prefix = _take_prefix(pieces[0]) + (_take_prefix(pieces[1]) if len(pieces) > 1 else [])
    words = _separate_initials(pieces[0])
    if len(pieces) > 1:
        given = _separate_initials([word for piece in pieces[1:] for word in piece])
        parts = {"family": words} | _given(given)
    else:
        # A Latin name in a Russian form is still written given name first.
        in_script = language not in {"be", "kk", "ru", "uk"} or bool(_CYRILLIC.search(text))
        parts = (
            _by_initials(words)
            or _by_patronymic(words)
            or _by_surname(words, family_first=family_first and in_script)
        )
    parts = {"prefix": prefix, **parts, "suffix": suffix}
    return {part: " ".join(found) for part, found in parts.items() if found}


def _take_suffix(pieces: list[list[str]]) -> list[str]:
    """Take `Jr.`, `PhD` off the end, with or without a comma before it."""
    taken: list[str] = []
    while sum(map(len, pieces)) > 1 and _bare(pieces[-1][-1]) in _SUFFIXES:
        taken.insert(0, pieces[-1].pop())
        if not pieces[-1]:
            pieces.pop()
    return taken


def _take_prefix(words: list[str]) -> list[str]:
    taken: list[str] = []
    while len(words) > 1 and _bare(words[0]) in _PREFIXES:
        taken.append(words.pop(0))
    return taken


def _bare(word: str) -> str:
    return word.casefold().replace(".", "")


def _separate_initials(words: list[str]) -> list[str]:
    """Part what is written close together: `И.И.Иванов` has three words."""
    return re.sub(r"(?<!\w)([^\W\d_]\.)(?=\w)", r"\1 ", " ".join(words)).split()


def _given(words: list[str]) -> dict[str, list[str]]:
    """Part the given names from the patronymic, where no family name is among them."""
    if _CYRILLIC.search(words[0]) and all(map(_INITIAL.fullmatch, words)):
        return {"given": words[:1], "patronymic": words[1:]}
    span = _patronymic_span(words)
    start = span[0] if span else len(words)
    return {"given": words[:start], "patronymic": words[start:]}


def _by_initials(words: list[str]) -> dict[str, list[str]] | None:
    """Read `Иванов И. И.` and `И. И. Иванов`."""
    is_initial = [bool(_INITIAL.fullmatch(word)) for word in words]
    count = sum(is_initial)
    if count in (0, len(words)):
        return None
    if all(is_initial[-count:]):
        return {"family": words[:-count]} | _given(words[-count:])
    if all(is_initial[:count]) and _CYRILLIC.search(words[0]):
        return {"family": words[count:]} | _given(words[:count])
    return None


def _by_patronymic(words: list[str]) -> dict[str, list[str]] | None:
    """Read `Фамилия Имя Отчество`, `Имя Отчество Фамилия` and `Имя Отчество`."""
    span = _patronymic_span(words)
    if span is None:
        return None
    before, patronymic, after = words[: span[0]], words[slice(*span)], words[span[1] :]
    if after:
        return {"family": after, "given": before, "patronymic": patronymic}
    if len(before) == 1 and _is_surname(before[0]):
        return {"family": before, "patronymic": patronymic}
    return {"family": before[:-1], "given": before[-1:], "patronymic": patronymic}


def _patronymic_span(words: list[str]) -> tuple[int, int] | None:
    """Find the patronymic, which never opens a name: there Абрамович is the family name."""
    for i in range(1, len(words)):
        if words[i].casefold() in _CHILD_OF and i > 1:
            return i - 1, i + 1
        if _PATRONYMIC.fullmatch(words[i]) or _is_latin_patronymic(words, i):
            return i, i + 1
    return None


def _is_latin_patronymic(words: list[str], i: int) -> bool:
    """Ask for a neighbour too, because abroad Abramovich is mostly the family name."""
    if not _LATIN_PATRONYMIC.fullmatch(words[i]):
        return False
    return i + 1 < len(words) or (i > 1 and bool(_LATIN_SURNAME.fullmatch(words[0])))


def _by_surname(words: list[str], *, family_first: bool) -> dict[str, list[str]]:
    if len(words) == 1:
        return {"family" if _is_surname(words[0]) else "given": words}
    opens, closes = _likeness(words[0]), _likeness(words[-1])
    if opens > closes or (opens == closes and family_first):
        return {"family": words[:1], "given": words[1:]}
    start = len(words) - 1
    while start > 1 and words[start - 1].casefold() in _PARTICLES:
        start -= 1
    return {"family": words[start:], "given": words[:start]}


def _likeness(word: str) -> int:
    """Weigh how much a word looks like a Russian family name rather than a given one."""
    if word.casefold() in _GIVEN:
        return -1
    return 1 if _SURNAME.fullmatch(word) else 0


def _is_surname(word: str) -> bool:
    return _likeness(word) > 0
