"""From a header row to the role of each column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from bot.imports.values import ImportRefused, Layout
from bot.text.countries import country_code
from handlers.model import Metric


class Role(IntEnum):
    """The content of a column. The number is the index in ``Columns.places``."""

    (DATE, TIME, RECEIVED, DATED, PAGE, COUNTRY, LIKES, FOLLOWERS, COUNT, SHARE, TOTAL, METRIC, VALUE, PRECISION,
     SOURCE, URL, NOTE, MANAGERS) = range(18)  # fmt: skip


# Headers in small letters, without accents and marks; English first, then what newsrooms elsewhere write.
_NAMES: Mapping[Role, str] = {
    Role.DATE: "date|day|datetime|timestamp|ts|observed at|observed|as of|"
    "datum|tag|jour|fecha|dia|data|tanggal|ngay|កាលបរិច្ឆេទ|ថ្ងៃ|วันที่|तारीख|दिनांक|التاريخ|日期",
    Role.TIME: "time|hour|uhrzeit|heure|hora|jam|gio",
    Role.RECEIVED: "received at|received",
    Role.DATED: "observed precision|date precision",
    Role.PAGE: "page|slug|page slug|account|handle|username|profile|"
    "seite|konto|compte|pagina|perfil|cuenta|conta|halaman|trang|ទំព័រ|เพจ|पेज|الصفحة|专页",
    Role.COUNTRY: "country|country code|iso|iso2|iso 3166|territory|nation|"
    "land|staat|pays|pais|negara|nuoc|quoc gia|ប្រទេស|ประเทศ|देश|الدولة|国家",
    Role.LIKES: "likes|like|page likes|total likes|fans|fan count|lifetime total likes|"
    "gefallt mir|mentions j aime|j aime|me gusta|curtidas|suka|luot thich|ថ្ងៃចូលចិត្ត|ចូលចិត្ត|ถูกใจ|पसंद|الإعجابات|赞",
    Role.FOLLOWERS: "followers|follower|follower count|followers count|total followers|"
    "abonnenten|abonnes|seguidores|pengikut|nguoi theo doi|អ្នកតាមដាន|ผู้ติดตาม|फॉलोअर|المتابعون|粉丝",
    Role.COUNT: "count|number|anzahl|nombre|numero|cantidad|quantidade|jumlah|so luong|ចំនួន|จำนวน|संख्या|العدد|数量",
    Role.SHARE: "share|share of total|fraction|proportion|anteil|part|cuota|proporcion|parcela|bagian|"
    "%|share %|percent|per cent|percentage|pct|share pct|prozent|pourcentage|porcentaje|porcentagem|persen",
    Role.TOTAL: "total|denominator|gesamt|insgesamt",
    Role.METRIC: "metric|measure",
    Role.VALUE: "value|figure|wert|valeur|valor|nilai",
    Role.PRECISION: "value precision|precision|rounded to",
    Role.SOURCE: "source|quelle|fuente|fonte|sumber|nguon|ប្រភព|ที่มา|स्रोत|المصدر|来源",
    Role.URL: "url|link|source url|web",
    Role.NOTE: "note|notes|comment|remark",
}
# CrowdTangle's own "Likes" are a post's.
_CROWDTANGLE_NAMES: Mapping[Role, str] = {
    Role.DATE: "post created",
    Role.PAGE: "user name",
    Role.LIKES: "likes at posting",
    Role.FOLLOWERS: "followers at posting",
    Role.MANAGERS: "page admin top country",
}


def _normal(header: str) -> str:
    """Return the header without case, accents and marks: "Observed_At " becomes "observed at"."""
    text = unicodedata.normalize("NFKD", header.strip()).casefold()
    text = re.sub("[\u0300-\u036f]", "", text)
    return " ".join(re.sub(r"[\s_.:'\u2019/()#\"-]+", " ", text).split())


def _index(names: Mapping[Role, str]) -> Mapping[str, Role]:
    return {_normal(name): role for role, spellings in names.items() for name in spellings.split("|")}


_ROLES = _index(_NAMES)
_CROWDTANGLE = _index(_CROWDTANGLE_NAMES)
_MENTIONED = frozenset({Role.SOURCE, Role.URL, Role.NOTE})  # a second column of these is ignored
_METRICS = {
    Role.LIKES: Metric.LIKES,
    Role.FOLLOWERS: Metric.FOLLOWERS,
    Role.COUNT: Metric.LIKES,
    Role.VALUE: Metric.LIKES,
}
_PERCENT = re.compile("%|perc|pct|per cent|proz|pourc|porcent|persen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The places of the roles in a ``padded`` row.

    - ``places[role]``: the index of the role's cell; -1, which is an empty cell, if the file has no such column.
    - ``countries``: the indices and country codes of the columns of a wide layout.
    - ``metric``: what the counts count.
    - ``percent``: whether the header calls its shares percentages.
    """

    layout: Layout
    headers: tuple[str, ...]
    places: tuple[int, ...]
    metric: Metric
    percent: bool
    countries: tuple[tuple[int, str], ...]
    notes: tuple[str, ...]

    def padded(self, row: Sequence[str]) -> list[str]:
        """Return the row with a cell for each header, and an empty cell at the end for roles without a column."""
        short = len(self.headers) - len(row)
        return [*map(str.strip, row), *[""] * (short + 1)] if short >= 0 else [*map(str.strip, row[:short]), ""]

    def has(self, role: Role) -> bool:
        """Return whether the file has a column of this role."""
        return self.places[role] >= 0

    def header(self, role: Role) -> str:
        """Return the header of the role's column, or ""."""
        return self.headers[self.places[role]] if self.has(role) else ""


def recognise_header(row: Sequence[str]) -> Columns | None:
    """Return the columns that a header row names, or None. Raise ``ImportRefused`` if two columns clash."""
    headers = tuple(" ".join(cell.split()) for cell in row)
    known = _CROWDTANGLE if _is_crowdtangle(headers) else _ROLES
    roles = _roles(headers, known)
    if Role.DATE not in roles:
        return None
    unknown = [index for index, header in enumerate(headers) if header and _normal(header) not in known]
    countries: tuple[tuple[int, str], ...] = ()
    layout = Layout.CROWDTANGLE if known is _CROWDTANGLE else _layout(roles)
    if layout is None:
        countries = tuple((index, code) for index in unknown if (code := country_code(headers[index])))
        if len(countries) * 2 <= len(unknown):
            return None
        layout = Layout.WIDE
    counted = [role for role in _METRICS if role in roles]
    return Columns(
        layout=layout,
        headers=headers,
        places=tuple(-1 if role in counted[1:] else roles.get(role, -1) for role in Role),
        metric=_METRICS[counted[0]] if counted else Metric.LIKES,
        percent=Role.SHARE in roles and bool(_PERCENT.search(_normal(headers[roles[Role.SHARE]]))),
        countries=countries,
        notes=tuple(_notes(headers, roles, counted, set(unknown) - {index for index, _ in countries}, layout)),
    )


def _is_crowdtangle(headers: Sequence[str]) -> bool:
    return any(_CROWDTANGLE.get(_normal(header)) in {Role.LIKES, Role.FOLLOWERS} for header in headers)


def _roles(headers: Sequence[str], known: Mapping[str, Role]) -> dict[Role, int]:
    roles: dict[Role, int] = {}
    for index, header in enumerate(headers):
        role = known.get(_normal(header))
        if role is None:
            continue
        if role not in roles:
            roles[role] = index
        elif role not in _MENTIONED:
            raise ImportRefused(
                f'Both columns "{headers[roles[role]]}" and "{header}" could be the {role.name.lower()}: '
                "rename or delete one of them."
            )
    if Role.TIME in roles and Role.DATE not in roles:
        roles[Role.DATE] = roles.pop(Role.TIME)
    return roles


def _layout(roles: Mapping[Role, int]) -> Layout | None:
    counts = any(role in roles for role in _METRICS)
    if Role.METRIC in roles and Role.VALUE in roles:
        return Layout.LONG
    if Role.COUNTRY in roles and (counts or Role.SHARE in roles):
        return Layout.COUNTRIES
    return Layout.COUNTS if counts else None


def _notes(
    headers: Sequence[str], roles: Mapping[Role, int], counted: Sequence[Role], unused: Iterable[int], layout: Layout
) -> Iterator[str]:
    if Role.MANAGERS in roles:
        name = headers[roles[Role.MANAGERS]]
        yield f'The column "{name}" was left out: it says where the page\'s managers are, not its audience.'
    for role in counted[1:]:
        yield (
            f'The column "{headers[roles[role]]}" was left out, for a page has one count at a time. '
            f'To import it, delete the column "{headers[roles[counted[0]]]}".'
        )
    names = ", ".join(headers[index] for index in sorted(unused))
    if names and layout is not Layout.CROWDTANGLE:
        yield f"Columns not used: {names}."
