"""Bluesky accounts, through the public AppView, which needs no key.

https://docs.bsky.app/docs/api/app-bsky-actor-get-profiles
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from bot.config.field_types import SettingGroup, WebAddress, setting
from bot.errors import PageGone, PayloadChanged, Throttled, UnknownPage
from bot.http.client import Http, HttpAnswer
from bot.platforms.batches import read_batch, read_each
from bot.platforms.contract import Fetched, Platform, Profile, Reference
from bot.platforms.counts import exact_reading, valid_count
from bot.platforms.links import cleaned, link_in
from handlers.model import Account, Metric, Reading

SOURCE = "Bluesky API"

_PUBLIC_API = "https://public.api.bsky.app"
_APP_HOSTS = frozenset({"bsky.app", "www.bsky.app", "main.bsky.app", "staging.bsky.app"})
# https://atproto.com/specs/handle and https://atproto.com/specs/did
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HANDLE = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_DID = re.compile(r"did:(?:plc:[a-z2-7]{24}|web:[a-z0-9.%-]{1,253})")
_UNVERIFIED = "handle.invalid"  # the AppView's word for a handle whose domain does not answer
_INSTEAD = "Paste the account's own address, such as bsky.app/profile/bsky.app."


class BlueskySettings(SettingGroup):
    """The settings of Bluesky: its address."""

    api_url: WebAddress = setting(
        "BLUESKY_API_URL", "Address of Bluesky's public API, which needs no key.", default=_PUBLIC_API
    )


def base_url(values: Mapping[str, str]) -> str:
    return values.get("BLUESKY_API_URL") or _PUBLIC_API


def parse_reference(text: str) -> Reference | None:
    """Return the handle or DID in ``text``. See ``Platform.parse_reference``."""
    text = cleaned(text)
    link = link_in(text)
    if text.lower().startswith("at://"):
        key = _profile(tuple(text[len("at://") :].rstrip("/").split("/")), owned=frozenset({"app.bsky.actor.profile"}))
    elif link and link.host in _APP_HOSTS and link.path:
        key = _profile(link.path[1:] if link.path[0] == "profile" else (), owned=_TABS)
    else:
        key = text.removeprefix("@").lower()
        if key.startswith("did:") and not _DID.fullmatch(key):
            raise UnknownPage(f"This is not the DID of a Bluesky account. {_INSTEAD}")
        if not _is_actor(key):
            return None
    return Reference(platform="bluesky", key=key)


_TABS = frozenset({"followers", "follows", "known-followers", "search"})


def _profile(segments: tuple[str, ...], *, owned: frozenset[str]) -> str:
    """Return the account of an address. ``segments`` are the account and at most one of the ``owned`` parts of it."""
    actor = segments[0].removeprefix("@").lower() if segments else ""
    if not _is_actor(actor):
        raise UnknownPage(f"This address names no Bluesky account. {_INSTEAD}")
    if len(segments) > 1 and segments[1] not in owned:
        raise UnknownPage(
            "This is a post, a list or a feed on Bluesky, not an account. Paste the account's own address: "
            f"bsky.app/profile/{actor}"
        )
    return actor


def _is_actor(text: str) -> bool:
    return bool(_HANDLE.fullmatch(text) or _DID.fullmatch(text))


def fetch(http: Http, accounts: Sequence[Account], now: datetime) -> Fetched:
    """Read at most 25 accounts in one request. See ``Platform.fetch``."""
    return read_batch(accounts, now, lambda some: _read(http, some, now))


def resolve(http: Http, reference: Reference, now: datetime) -> Profile:
    """Ask for one account: this call, unlike the batch, tells deactivated from unknown. See ``Platform.resolve``."""
    answer = http.ask("GET", "/xrpc/app.bsky.actor.getProfile", params=[("actor", reference.key)])
    if answer.status == HTTPStatus.BAD_REQUEST:
        raise UnknownPage(_unknown(reference.key, answer.body))
    match _answered(http, answer, now):
        case {"did": str(did), "handle": str(handle), **profile}:
            handle = handle if handle != _UNVERIFIED else did
            count = valid_count(profile.get("followersCount"))
        case _:
            raise PayloadChanged("Bluesky's answer about this account has a form that Likewatch does not understand.")
    if count == 0:
        raise UnknownPage(f"“{reference.key}” has no followers on Bluesky yet. Track it once it has some.")
    name = profile.get("displayName")
    return Profile(
        platform=PLATFORM.name,
        native_id=did,
        handle=handle,
        name=name if isinstance(name, str) and name.strip() else handle,
        url=f"https://bsky.app/profile/{handle}",
        count=count,
        low=count,
        high=count,
        metric=Metric.FOLLOWERS,
    )


def _unknown(key: str, body: object) -> str:
    match body:
        case {"error": "AccountDeactivated"}:
            return f"“{key}” is deactivated on Bluesky: its owner has switched the account off."
        case {"error": "AccountTakedown"}:
            return f"“{key}” was taken down by Bluesky."
    return (
        f"Bluesky knows no account “{key}”. Check the spelling; for a Facebook page paste facebook.com/ and its name."
    )


def _read(http: Http, accounts: Sequence[Account], now: datetime) -> Fetched:
    actors = dict.fromkeys(account.native_id for account in accounts)
    answer = http.ask("GET", "/xrpc/app.bsky.actor.getProfiles", params=[("actors", actor) for actor in actors])
    if answer.status == HTTPStatus.BAD_REQUEST:
        raise PageGone("Bluesky does not accept this account's identifier. Track the account anew by its handle.")
    profiles = dict(_profiles(_answered(http, answer, now)))

    def read_one(account: Account) -> tuple[Reading, str]:
        if (profile := profiles.get(account.native_id)) is None:
            raise PageGone(
                "Bluesky no longer shows this account: deleted, deactivated or taken down. The last count stands."
            )
        count, handle = profile.get("followersCount"), profile.get("handle")
        reading = exact_reading(account, count, metric=Metric.FOLLOWERS, source=SOURCE, now=now)
        return reading, handle if isinstance(handle, str) and handle != _UNVERIFIED else ""

    return read_each(accounts, now, read_one)


def _answered(http: Http, answer: HttpAnswer, now: datetime) -> object:
    if answer.status == HTTPStatus.OK:
        return answer.body
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS and (until := _reset(answer.headers)):
        wait = min(max(until - now, timedelta(seconds=1)), timedelta(days=1))
        raise Throttled(f"Bluesky's limit is used up; Likewatch makes no calls until {until:%H:%M} UTC.", wait=wait)
    raise http.refusal(answer.status, answer.headers)


def _reset(headers: Mapping[str, str]) -> datetime | None:
    """Return when the limit ends. The header counts seconds since 1970.

    https://docs.bsky.app/docs/advanced-guides/rate-limits
    """
    seconds = headers.get("RateLimit-Reset", "")
    return datetime.fromtimestamp(int(seconds), UTC) if re.fullmatch(r"[0-9]{1,10}", seconds) else None


def _profiles(body: object) -> Iterator[tuple[str, Mapping[str, object]]]:
    match body:
        case {"profiles": list(profiles)}:
            for profile in profiles:
                match profile:
                    case {"did": str(did)}:
                        yield did, profile
        case _:
            raise PayloadChanged("Bluesky's answer has a form that Likewatch does not understand.")


PLATFORM = Platform(
    name="bluesky",
    title="Bluesky",
    batch=25,
    settings=BlueskySettings,
    base_url=base_url,
    needs="Nothing: Bluesky's public API gives exact follower counts to everybody, without a key.",
    bare_names=False,
    accepts="bsky.app/profile/bsky.app, or a handle such as bsky.app",
    parse_reference=parse_reference,
    resolve=resolve,
    fetch=fetch,
)
