"""Find the code of a country by any of its names, and its name by its code. Both are CLDR's, through Babel.

English names are loaded at the first call, and names in other languages only if no English name matches.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.resources import files

_LANGUAGES = ("fr", "de", "es", "km", "th", "vi", "hi", "pt", "id", "ar", "zh")
_BY_HABIT = {"UK": "GB", "EL": "GR"}  # "EL" is the European Union's code for Greece
_NO_COUNTRY = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})  # in CLDR beside the countries
_UNCERTAIN = frozenset({"congo", "nga"})  # Spanish for one of the two; Russia in Vietnamese, the code of Nigeria
_ALPHA_3 = 3
_SMALL_WORDS = frozenset({"the", "and", "of"})
_LATIN_ACCENTS = re.compile("[\u0300-\u036f]")


@lru_cache(maxsize=4096)
def country_code(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country. Return None if the text names no country, or several.

    - ``text`` is an alpha-2, alpha-3 or numeric code, "UK", "EL", or a name in one of twelve languages.
    - Letter case, accents and spaces do not matter. The exception: only its accent tells "Bỉ", Vietnamese for Belgium,
      from "BI", the code of Burundi.
    - "Congo" and "Korea" name two countries each, so the result is None.
    - Kosovo is XK, as in CLDR.

    >>> country_code("khm"), country_code("Viet Nam"), country_code("កម្ពុជា"), country_code("Korea")
    ('KH', 'VN', 'KH', None)
    """
    asked = text.strip()
    if asked.isupper() or asked.casefold() not in _UNCERTAIN:
        code = _codes().get(asked.zfill(3) if asked.isdigit() else asked.upper().replace(".", ""))
        if code:
            return code
    for names in (_english, _localized):
        for key in _spellings(asked):
            if key in names():
                return names()[key]
    return None


def country_name(code: str) -> str:
    """Return CLDR's English name of an alpha-2 code. Return the code itself if CLDR has no such country.

    >>> country_name("KH")
    'Cambodia'
    """
    return _territories("en").get(code, code)


def _territories(language: str) -> Mapping[str, str]:
    from babel import Locale  # noqa: PLC0415  several megabytes that a bot without imports never loads

    return Locale(language).territories


@lru_cache(maxsize=1)
def _codes() -> Mapping[str, str]:
    from babel.core import get_global  # noqa: PLC0415  as above

    # CLDR lists alpha-3, numeric and retired codes as aliases of the alpha-2 code. Every country has a numeric one.
    aliases = {code: now[0] for code, now in get_global("territory_aliases").items() if len(now) == 1}
    countries = ({now for code, now in aliases.items() if code.isdigit()} & set(_territories("en"))) - _NO_COUNTRY
    return {
        **{code: now for code, now in aliases.items() if len(code) == _ALPHA_3 and now in countries},
        **{code: code for code in countries},
        **_BY_HABIT,
    }


@lru_cache(maxsize=1)
def _english() -> Mapping[str, str]:
    lines = files("bot.text").joinpath("country_aliases.txt").read_text(encoding="utf-8").splitlines()[1:]
    aliases = ((line[:2], name) for line in lines for name in line[3:].split("|"))
    return _index([*_territories("en").items(), *aliases])


@lru_cache(maxsize=1)
def _localized() -> Mapping[str, str]:
    return _index(pair for language in _LANGUAGES for pair in _territories(language).items())


def _index(names: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """Return the country of every spelling. The nearer spelling wins; a spelling of two countries is left out."""
    found: dict[str, tuple[int, set[str]]] = {}
    for territory, name in names:
        country = _codes().get(territory)
        if country is None:
            continue
        for distance, key in enumerate(_spellings(name)):
            nearest, countries = found.setdefault(key, (distance, set()))
            if distance < nearest:
                found[key] = (distance, {country})
            elif distance == nearest:
                countries.add(country)
    return {
        key: country
        for key, (_, countries) in found.items()
        if len(countries) == 1 and key not in _UNCERTAIN
        for country in countries
    }


def _spellings(name: str) -> tuple[str, ...]:
    """Return the spellings of a name, nearest first: words sorted, words joined, then both without accents."""
    words, plain = _words(name), _words(_without_accents(name))
    return (" ".join(sorted(words)), "".join(words), " ".join(sorted(plain)), "".join(plain))


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text).casefold().replace("saint", "st")
    words = re.split(r"[\s,\-\u2013&()/_]+", re.sub(r"['\u2019.]", "", text))
    return [word for word in words if word and word not in _SMALL_WORDS]


def _without_accents(text: str) -> str:
    # Only Latin accents: the marks of Khmer, Thai or Hindi are letters.
    bare = _LATIN_ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare).replace("đ", "d").replace("Đ", "D")
