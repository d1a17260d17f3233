"""Countries by whatever people call them."""

from __future__ import annotations

import subprocess
import sys

import pytest
from babel import Locale

from bot.text.countries import country_code, country_name

LANGUAGES = ("en", "fr", "de", "es", "km", "th", "vi", "hi", "pt", "id", "ar", "zh")
NO_COUNTRIES = {"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}
ENGLISH: dict[str, str] = dict(Locale("en").territories)
CODES = sorted(code for code in ENGLISH if len(code) == 2 and code not in NO_COUNTRIES)
UNCERTAIN = {("es", "CG"), ("vi", "RU")}  # "Congo" is one of two; "Nga" is the code of Nigeria in small letters


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("KH", "KH"),
        ("kh", "KH"),
        (" KHM ", "KH"),
        ("116", "KH"),
        ("4", "AF"),
        ("004", "AF"),
        ("UK", "GB"),
        ("U.K.", "GB"),
        ("EL", "GR"),
        ("XK", "XK"),
        ("Kosovo", "XK"),
        ("Cambodia", "KH"),
        ("CAMBODIA", "KH"),
        ("Kampuchea", "KH"),
        ("កម្ពុជា", "KH"),
        ("Cambodge", "KH"),
        ("Kambodscha", "KH"),
        ("柬埔寨", "KH"),
        ("Viet Nam", "VN"),
        ("vietnam", "VN"),
        ("Việt Nam", "VN"),
        ("Burma", "MM"),
        ("Myanmar (Burma)", "MM"),
        ("Ivory Coast", "CI"),
        ("Côte d\u2019Ivoire", "CI"),
        ("cote d'ivoire", "CI"),
        ("Republic of Korea", "KR"),
        ("Korea, Republic of", "KR"),
        ("SouthKorea", "KR"),
        ("Democratic People's Republic of Korea", "KP"),
        ("U.S.A.", "US"),
        ("united  states", "US"),
        ("Estados Unidos", "US"),
        ("Hong Kong", "HK"),
        ("Saint Lucia", "LC"),
        ("Bahamas, The", "BS"),
        ("Trinidad and Tobago", "TT"),
        ("Turkey", "TR"),
        ("Turkiye", "TR"),
        ("DR Congo", "CD"),
        ("Congo (Kinshasa)", "CD"),
        ("Republic of the Congo", "CG"),
        ("Niger", "NE"),
        ("Guinea", "GN"),
        ("Georgia", "GE"),
    ],
)
def test_it_knows_a_country_by_code_and_by_name(text: str, code: str) -> None:
    assert country_code(text) == code


AMBIGUOUS = ["Korea", "Congo", "CONGO", "nga", "Virgin Islands"]
UNKNOWN = ["", "  ", "England", "EU", "ZZ", "AN", "SU", "YU", "001", "999", "Atlantis", "xx", "the", "&", "#REF!"]


@pytest.mark.parametrize("text", AMBIGUOUS + UNKNOWN)
def test_it_does_not_guess(text: str) -> None:
    assert country_code(text) is None


@pytest.mark.parametrize(("name", "code"), [("Bỉ", "BE"), ("BI", "BI"), ("bi", "BI"), ("Áo", "AT"), ("AO", "AO")])
def test_it_tells_a_name_from_a_code_by_its_accents(name: str, code: str) -> None:
    assert country_code(name) == code


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_knows_every_country_in_this_language_or_says_that_it_is_not_certain(language: str) -> None:
    names = Locale(language).territories
    wrong = {code: country_code(names[code]) for code in CODES if country_code(names[code]) != code}
    assert wrong == {code: None for spoken, code in UNCERTAIN if spoken == language}


@pytest.mark.parametrize("code", CODES)
def test_it_finds_its_own_names_again(code: str) -> None:
    assert country_code(code) == country_code(code.lower()) == country_code(country_name(code)) == code


def test_it_has_all_249_countries_of_iso_3166_and_kosovo() -> None:
    assert len(CODES) == 250


def test_it_names_in_english_and_leaves_alone_what_is_no_country() -> None:
    assert (country_name("KH"), country_name("GB"), country_name("Q9")) == ("Cambodia", "United Kingdom", "Q9")


def test_importing_it_loads_no_names() -> None:
    program = "import sys, bot.text.countries; print('babel' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
