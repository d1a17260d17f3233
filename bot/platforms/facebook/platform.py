"""Facebook pages, through the Graph API's batch requests.

https://developers.facebook.com/docs/graph-api/batch-requests
https://developers.facebook.com/docs/graph-api/reference/page
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, quote_plus, urlencode

from bot.config.field_types import SettingGroup, WebAddress, Word, setting
from bot.errors import PageGone, PayloadChanged, UnknownPage, Unreachable
from bot.http.client import Http, parse_json
from bot.platforms.batches import PageMoved, read_batch, read_each
from bot.platforms.contract import Fetched, Platform, Profile, RateLimit, RateLimitAction, Reference
from bot.platforms.counts import exact_reading, valid_count
from bot.platforms.facebook.errors import graph_error
from bot.platforms.facebook.links import parse_reference
from handlers.model import Account, Metric, Reading

VERSION = "v26.0"  # of 29 July 2026: https://developers.facebook.com/docs/graph-api/changelog
SOURCE = "Facebook Graph API"

_GRAPH_API = "https://graph.facebook.com"
_FIELDS = "id,name,username,link,fan_count,followers_count,has_transitioned_to_new_page_experience"
_SLOW, _STOP = 75, 95  # per cent of the app's allowance
_UNSAID = timedelta(hours=1)  # the wait if Facebook names none: Facebook counts calls in a rolling hour
_LONGEST = timedelta(days=1)


class FacebookSettings(SettingGroup):
    """The app through which Facebook pages are read."""

    access_token: Word = setting(
        "FACEBOOK_ACCESS_TOKEN",
        "Access token of your Facebook app, best a system user's (developers.facebook.com).",
        secret=True,
    )
    app_secret: Word = setting(
        "FACEBOOK_APP_SECRET",
        "Secret of the Facebook app that the token belongs to. With it, every request proves who sends it.",
        secret=True,
    )
    api_url: WebAddress = setting(
        "FACEBOOK_API_URL",
        f"Address of Facebook's Graph API. Version {VERSION} is added unless the address ends in one.",
        default=_GRAPH_API,
    )


def base_url(values: Mapping[str, str]) -> str:
    """Return the API's address with a version, which is the setting's own if the address ends in one."""
    address = (values.get("FACEBOOK_API_URL") or _GRAPH_API).rstrip("/")
    return address if re.search(r"/v[0-9]+\.[0-9]+$", address) else f"{address}/{VERSION}"


def missing_setting(values: Mapping[str, str]) -> str | None:
    if values.get("FACEBOOK_ACCESS_TOKEN"):
        return None
    return (
        "FACEBOOK_ACCESS_TOKEN is not set, so no Facebook page can be read. Create an app at developers.facebook.com "
        "and put the token of its system user there."
    )


def fetch(http: Http, accounts: Sequence[Account], now: datetime) -> Fetched:
    """Read at most 50 pages in one batch request. See ``Platform.fetch``."""
    return read_batch(accounts, now, lambda some: _read(http, some, now))


def resolve(http: Http, reference: Reference, now: datetime) -> Profile:
    """Ask for one page in a batch of one, because logs do not hold the form. See ``Platform.resolve``."""
    try:
        batch = _ask(http, [reference.key], now)
        page = _page(batch.items[0], batch.wait)
        metric, value = page.count()
        count = valid_count(value)
    except PageGone as error:
        raise UnknownPage(f"“{reference.key}” cannot be watched. {error}") from None
    if count == 0:
        raise UnknownPage(
            f"Facebook gives 0 {metric} for “{reference.key}”: the page is new, or cannot be read now. Try again "
            "when it shows a number."
        )
    return Profile(
        platform=PLATFORM.name,
        native_id=page.id,
        handle=page.handle or page.id,
        name=page.text("name") or page.handle or page.id,
        url=page.link,
        count=count,
        low=count,
        high=count,
        metric=metric,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _BatchRequest:
    """An answered batch: an item for each page, and the wait and the rate limit in the headers."""

    items: list[object]
    wait: timedelta
    rate_limit: RateLimit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _GraphPage:
    fields: Mapping[str, object]
    id: str

    def get(self, field: str) -> object:
        return self.fields.get(field)

    def text(self, field: str) -> str:
        value = self.fields.get(field)
        return value if isinstance(value, str) else ""

    @property
    def handle(self) -> str:
        return self.text("username")

    @property
    def link(self) -> str:
        link = self.text("link")
        return link if link.startswith("https://") else f"https://www.facebook.com/{self.id}"

    def count(self) -> tuple[Metric, object]:
        """Return the page's count: likes of a page that says it never moved, else followers.

        ``fan_count`` counts followers too after a page moved to the new page experience.
        """
        if self.get("has_transitioned_to_new_page_experience") is False:
            return Metric.LIKES, self.get("fan_count")
        return Metric.FOLLOWERS, self.get("followers_count")


def _read(http: Http, accounts: Sequence[Account], now: datetime) -> Fetched:
    batch = _ask(http, [account.native_id for account in accounts], now)
    items = dict(zip((account.page for account in accounts), batch.items, strict=True))

    def read_one(account: Account) -> tuple[Reading, str]:
        page = _page(items[account.page], batch.wait)
        if page.id != account.native_id:
            other = f"facebook.com/{page.id}"
            raise PageMoved(f"Facebook answered with another page: track {other} instead.", to=other)
        metric, value = page.count()
        return exact_reading(account, value, metric=metric, source=SOURCE, now=now), page.handle

    return read_each(accounts, now, read_one, batch.rate_limit)


def _ask(http: Http, keys: Sequence[str], now: datetime) -> _BatchRequest:
    form = f"{_batch_of(keys)}&include_headers=false"
    answer = http.ask("POST", "/", form=form, credentials=_credentials(http.values))
    percent, regain = _usage(answer.headers)
    match answer.body:
        case {"error": error}:
            raise graph_error(error, regain)
        case list(items) if len(items) == len(keys):
            return _BatchRequest(items=items, wait=regain, rate_limit=_rate_limit(percent, now + regain))
        case list(items):
            raise PayloadChanged(f"Facebook answered {len(items)} of the {len(keys)} requests in a batch.")
    raise http.refusal(answer.status, answer.headers)


def _batch_of(keys: Sequence[str]) -> str:
    """Return the form's field ``batch``. Encode only the keys: encoding it all would cost a third of a poll."""
    items = [f"{_BEFORE}{key if key.isascii() and key.isalnum() else _quoted_twice(key)}{_AFTER}" for key in keys]
    return f"batch=%5B{'%2C'.join(items)}%5D"


def _quoted_twice(key: str) -> str:
    """Quote ``key`` for the address in the batch, and again for the form around it."""
    return quote(key, safe="").replace("%", "%25")


_BEFORE, _AFTER = map(quote_plus, json.dumps({"method": "GET", "relative_url": f"KEY?fields={_FIELDS}"}).split("KEY"))


def _credentials(values: Mapping[str, str]) -> str:
    """Return the form's last fields: the token, and the proof HMAC-SHA256(app secret, token).

    https://developers.facebook.com/docs/graph-api/securing-requests
    """
    token, secret = values.get("FACEBOOK_ACCESS_TOKEN", ""), values.get("FACEBOOK_APP_SECRET", "")
    fields = {"access_token": token}
    if secret:
        fields["appsecret_proof"] = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    return urlencode(fields)


def _page(item: object, wait: timedelta) -> _GraphPage:
    """Return the page in one item of a batch: ``{"code": 200, "body": "<JSON text>"}``, or null after a timeout."""
    if item is None:
        raise Unreachable("Facebook left this page out of its answer; Likewatch asks again at the next poll.")
    text = item.get("body") if isinstance(item, dict) else None
    if not isinstance(text, str):
        raise PayloadChanged("Facebook's answer about this page has a form that Likewatch does not understand.")
    try:
        body = parse_json(text)
    except ValueError:
        raise PayloadChanged("Facebook's answer about this page is not JSON.") from None
    if isinstance(body, dict):
        if "error" in body:
            raise graph_error(body["error"], wait)
        number = body.get("id")
        if isinstance(number, str) and number.isascii() and number.isdigit():
            return _GraphPage(fields=body, id=number)
    raise PayloadChanged("Facebook's answer about this page does not say which page it is.")


def _rate_limit(percent: float, until: datetime) -> RateLimit | None:
    if percent < _SLOW:
        return None
    action = RateLimitAction.STOP if percent >= _STOP else RateLimitAction.SLOW
    return RateLimit(action=action, until=until, message=f"{min(percent, 999):.0f}% of Facebook's allowance is used.")


def _usage(headers: Mapping[str, str]) -> tuple[float, timedelta]:
    """Return how much of the allowance is used (per cent), and the time until it is back.

    ``X-App-Usage`` is one object of percentages. ``X-Business-Use-Case-Usage`` lists such objects under each business,
    with the minutes until access is regained.
    https://developers.facebook.com/docs/graph-api/overview/rate-limiting
    """
    percent, minutes = 0.0, 0.0
    for entry in (*_entries(headers.get("X-App-Usage")), *_entries(headers.get("X-Business-Use-Case-Usage"))):
        percent = max(percent, *(_number(entry, name) for name in ("call_count", "total_time", "total_cputime")))
        minutes = max(minutes, _number(entry, "estimated_time_to_regain_access"))
    return percent, min(timedelta(minutes=min(minutes, 1e6)), _LONGEST) if minutes else _UNSAID


def _entries(header: str | None) -> Iterator[Mapping[str, object]]:
    try:
        usage = parse_json(header or "{}")
    except ValueError:
        return
    if isinstance(usage, dict):
        yield usage
        for calls in usage.values():
            if isinstance(calls, list):
                yield from (call for call in calls if isinstance(call, dict))


def _number(entry: Mapping[str, object], name: str) -> float:
    value = entry.get(name)
    return value if isinstance(value, int | float) and value > 0 else 0


PLATFORM = Platform(
    name="facebook",
    title="Facebook",
    batch=50,
    settings=FacebookSettings,
    base_url=base_url,
    needs=(
        "A Facebook app and its access token (developers.facebook.com). To read pages that are not your own, the app "
        "needs the feature “Page Public Metadata Access”. Facebook grants the feature after App Review and business "
        "verification. Until then the app reads the pages whose admins have a role in the app. Facebook gives no "
        "audience by country for the pages of others."
    ),
    bare_names=True,
    accepts="facebook.com/hunsen, @hunsen, or the page's number",
    parse_reference=parse_reference,
    missing_setting=missing_setting,
    resolve=resolve,
    fetch=fetch,
)
