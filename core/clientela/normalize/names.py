"""Keys by which names are compared and found: folded, transliterated, without legal forms."""

from __future__ import annotations

import re
import unicodedata

_APOSTROPHES = frozenset("'`´’‘ʼʹ′＇")
# ICAO Doc 9303, part 3, section 6 B: what Russian passports have had since 2014.
_ICAO: dict[str, str] = dict(
    re.findall(
        r"(\w)-(\w*)",
        "а-a б-b в-v г-g д-d е-e ё-e ж-zh з-z и-i й-i к-k л-l м-m н-n о-o п-p р-r с-s т-t у-u "
        "ф-f х-kh ц-ts ч-ch ш-sh щ-shch ъ-ie ы-y ь- э-e ю-iu я-ia і-i ї-i є-ie ґ-g ў-u",
    )
)
_LATIN_KEYS = """`qwertyuiop[]asdfghjkl;'zxcvbnm,./~QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>?"""
_RUSSIAN_KEYS = """ёйцукенгшщзхъфывапролджэячсмитьбю.ЁЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ,"""
_TO_RUSSIAN = dict(zip(_LATIN_KEYS, _RUSSIAN_KEYS, strict=True))
_TO_LATIN = dict(zip(_RUSSIAN_KEYS, _LATIN_KEYS, strict=True))
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


class _Folding(dict[int, int | str | None]):
    """What becomes of each character, worked out when it is first met."""

    def __missing__(self, code: int) -> int | str | None:
        sign = chr(code)
        category = unicodedata.category(sign)
        if sign == "ё":
            self[code] = "е"
        elif sign in _APOSTROPHES or category == "Cf":
            self[code] = None
        elif category.startswith("P") or category == "Sk":
            self[code] = " "
        else:
            self[code] = code
        return self[code]


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Give the key under which two spellings of a name are the same.

    >>> fold("  Пётр О’Нил–Смит ") == fold("петр онил смит")
    True
    """
    folded = _fold_once(text)
    # Dropping a sign may bring a letter and its accent together, which makes another letter.
    while (again := _fold_once(folded)) != folded:
        folded = again
    return folded


def _fold_once(text: str) -> str:
    lower = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", lower).translate(_FOLDING).split())


def transliterate(text: str) -> str:
    """Write Cyrillic letters with Latin ones, as Russian passports do (ICAO Doc 9303).

    >>> transliterate("Юлия Щукина"), transliterate("ЩУКИН")
    ('Iuliia Shchukina', 'SHCHUKIN')
    """
    text = unicodedata.normalize("NFC", text)
    return "".join(_latin(text, i) for i in range(len(text)))


def _latin(text: str, i: int) -> str:
    sign = text[i]
    latin = _ICAO.get(sign.lower(), sign)
    if sign.lower() not in _ICAO or sign.islower():
        return latin
    beside = text[i + 1 : i + 2] if text[i + 1 : i + 2].isalpha() else text[max(i - 1, 0) : i]
    return latin.upper() if beside.isupper() else latin.capitalize()


def normalize_organization(text: str) -> str:
    """Give the folded name of an organization without its legal form.

    >>> normalize_organization("ООО «Ромашка»"), normalize_organization("Romashka, L.L.C.")
    ('ромашка', 'romashka')
    """
    words = fold(text).split()
    while kept := _without_a_form(words):
        words = kept
    return " ".join(words)


def _without_a_form(words: list[str]) -> list[str] | None:
    """Take one legal form off an end, as long as something stays."""
    for size in range(min(_LONGEST, len(words) - 1), 0, -1):
        if tuple(words[:size]) in _IN_FRONT:
            return words[size:]
        if tuple(words[-size:]) in _BEHIND:
            return words[:-size]
    return None


_Forms = frozenset[tuple[str, ...]]


def _forms(text: str) -> _Forms:
    return frozenset(tuple(form.split()) for form in text.replace("\n", ",").split(","))


def _spelled(forms: _Forms, least: int) -> _Forms:
    """Give the forms that are written with dots, `S.A.`, as folding leaves them: `s a`."""
    single = [form[0] for form in forms if len(form) == 1]
    return frozenset(tuple(word) for word in single if least <= len(word) <= len("gmbh"))


_RUSSIAN = _forms(
    """ооо, оао, пао, ао, зао, нао, одо, ип, пбоюл, тоо, чп, чуп, ано, нко, гуп, муп, фгуп, фгбу
    гбу, мбу, фгбоу, гбоу, кфх, тсж, снт, и ко
    общество с ограниченной ответственностью, акционерное общество
    публичное акционерное общество, открытое акционерное общество, закрытое акционерное общество
    непубличное акционерное общество, индивидуальный предприниматель"""
)
_LATIN_IN_FRONT = _forms("ooo, oao, zao, pao, llc, jsc, pjsc, ojsc, cjsc")
_LATIN_BEHIND = _forms(
    """inc, incorporated, corp, corporation, co, company, ltd, limited, plc, llp, lp, pty, pte, pvt
    gmbh, mbh, ag, kg, ohg, ug, kgaa, ev, se, sa, sas, sasu, sarl, srl, spa, snc, sl, slu, bv, nv
    as, asa, ab, aps, oy, oyj, ou, uab, sia, doo, dd, ad, ood, eood, kft, zrt, sro, spol s r o
    sp z oo, sp z o o, kk, bhd, sdn bhd, limited liability company, joint stock company"""
)
# "А. О." behind a name is a person's initials, so the Russian letters count in front only, in
# threes; "AS Roma", "AB InBev" begin with no legal form, so the short Latin ones count behind only.
_IN_FRONT = _RUSSIAN | _spelled(_RUSSIAN, 3) | _LATIN_IN_FRONT
_BEHIND = (
    _RUSSIAN
    | _LATIN_IN_FRONT
    | _LATIN_BEHIND
    | _spelled(_LATIN_IN_FRONT, 2)
    | _spelled(_LATIN_BEHIND, 2)
)
_LONGEST = max(map(len, _IN_FRONT | _BEHIND))


def keyboard_swap(text: str) -> str:
    """Give what the same keys write in the other layout, QWERTY or ЙЦУКЕН.

    >>> keyboard_swap("ghbdtn"), keyboard_swap("руддщ")
    ('привет', 'hello')
    """
    # With Cyrillic letters in it, the text was typed in the Russian layout, and so were its signs.
    first, second = _TO_RUSSIAN, _TO_LATIN
    if _CYRILLIC.search(text):
        first, second = second, first
    return "".join(
        first.get(sign) or (second.get(sign, sign) if sign.isalpha() else sign) for sign in text
    )
