from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import LikewatchError, PayloadChanged, Throttled, UnknownPage, Unreachable
from bot.http.client import Http
from bot.platforms.bluesky import PLATFORM
from bot.platforms.contract import RateLimitAction, Reason, Reference
from handlers.model import Account, Metric
from tests.labs.standins.bluesky import Actor, Bluesky
from tests.labs.standins.loopback import in_json

Asked = tuple[Bluesky, Http]


def did(number: int) -> str:
    return f"did:plc:{number:024}".replace("0", "a").replace("1", "b").replace("8", "h").replace("9", "i")


def account(number: int, handle: str = "", native_id: str = "") -> Account:
    return Account(
        page=f"page-{number}",
        platform="bluesky",
        native_id=native_id or did(number),
        handle=handle or f"page{number}.test",
        url=f"https://bsky.app/profile/page{number}.test",
        poll_every=timedelta(minutes=15),
    )


def fill(sky: Bluesky, number: int) -> list[Account]:
    for n in range(1, number + 1):
        sky.put(Actor(did=did(n), handle=f"page{n}.test", followersCount=1000 + n))
    return [account(n) for n in range(1, number + 1)]


def test_it_reads_twenty_five_accounts_in_one_request(sky_http: Asked, now: datetime) -> None:
    sky, http = sky_http
    fetched = PLATFORM.fetch(http, fill(sky, 25), now)
    assert [(reading.page, reading.count) for reading in fetched.readings] == [
        (f"page-{n}", 1000 + n) for n in range(1, 26)
    ]
    assert {reading.metric for reading in fetched.readings} == {Metric.FOLLOWERS}
    assert (fetched.failures, fetched.rate_limit, fetched.handles, len(sky.requests)) == ((), None, None, 1)


def test_an_account_silently_missing_is_gone(sky_http: Asked, now: datetime) -> None:
    sky, http = sky_http
    accounts = fill(sky, 2)
    sky.put(Actor(did=did(3), handle="page3.test", followersCount=9, error="AccountDeactivated"))
    fetched = PLATFORM.fetch(http, [*accounts, account(3), account(4)], now)
    assert len(fetched.readings) == 2
    assert [(failure.page, failure.reason) for failure in fetched.failures] == [
        ("page-3", Reason.PAGE_GONE),
        ("page-4", Reason.PAGE_GONE),
    ]


def test_one_malformed_identifier_costs_the_others_nothing(sky_http: Asked, now: datetime) -> None:
    sky, http = sky_http
    accounts = [*fill(sky, 24), account(99, native_id="@nobody")]
    fetched = PLATFORM.fetch(http, accounts, now)
    assert len(fetched.readings) == 24
    assert [(failure.page, failure.reason) for failure in fetched.failures] == [("page-99", Reason.PAGE_GONE)]


def test_two_pages_of_one_account_are_both_read(sky_http: Asked, now: datetime) -> None:
    sky, http = sky_http
    (one,) = fill(sky, 1)
    fetched = PLATFORM.fetch(http, [one, account(2, handle="page1.test", native_id=did(1))], now)
    assert [reading.page for reading in fetched.readings] == ["page-1", "page-2"]


@pytest.mark.parametrize(
    ("handle", "handles"), [("new.test", {"page-1": "new.test"}), ("page1.test", None), ("handle.invalid", None)]
)
def test_it_notices_a_new_handle(sky_http: Asked, now: datetime, handle: str, handles: dict[str, str] | None) -> None:
    sky, http = sky_http
    sky.put(Actor(did=did(1), handle=handle, followersCount=5))
    assert PLATFORM.fetch(http, [account(1)], now).handles == handles


def test_a_bad_count_costs_only_its_own_page(sky_http: Asked, now: datetime) -> None:
    sky, http = sky_http
    accounts = fill(sky, 8)
    for number, count in enumerate([0, -5, 2**63, True, "1,234", 1e300], start=1):
        sky.put(Actor(did=did(number), handle=f"page{number}.test", followersCount=count))
    fetched = PLATFORM.fetch(http, accounts, now)
    assert [reading.page for reading in fetched.readings] == ["page-7", "page-8"]
    assert [failure.reason for failure in fetched.failures] == [Reason.UNREACHABLE] + [Reason.PAYLOAD_CHANGED] * 5


@pytest.mark.parametrize(
    ("reset", "wait"),
    [
        ("+300", timedelta(seconds=300)),
        ("-5", timedelta(seconds=1)),
        ("+999999", timedelta(days=1)),
        ("soon", timedelta(minutes=1)),
    ],
)
def test_it_stops_until_the_limit_is_lifted(sky_http: Asked, now: datetime, reset: str, wait: timedelta) -> None:
    sky, http = sky_http
    at = str(int(now.timestamp()) + int(reset)) if reset != "soon" else reset
    sky.faults.append(in_json({"error": "RateLimitExceeded"}, 429, {"ratelimit-reset": at}))
    fetched = PLATFORM.fetch(http, fill(sky, 2), now)
    assert {failure.reason for failure in fetched.failures} == {Reason.THROTTLED}
    assert fetched.rate_limit
    assert (fetched.rate_limit.action, fetched.rate_limit.until) == (RateLimitAction.STOP, now + wait)


def test_it_resolves_a_handle_to_the_did_that_is_kept(sky_http: Asked, now: datetime) -> None:
    sky, http = sky_http
    sky.put(Actor(did=did(1), handle="News.test", displayName="The News", followersCount=3))
    profile = PLATFORM.resolve(http, Reference(platform="bluesky", key="news.test"), now)
    assert (profile.native_id, profile.handle, profile.name) == (did(1), "News.test", "The News")
    assert (profile.url, profile.count, profile.metric) == ("https://bsky.app/profile/News.test", 3, Metric.FOLLOWERS)


def test_an_account_whose_handle_does_not_answer_is_known_by_its_did(sky_http: Asked, now: datetime) -> None:
    sky, http = sky_http
    sky.put(Actor(did=did(1), handle="handle.invalid", followersCount=3))
    profile = PLATFORM.resolve(http, Reference(platform="bluesky", key=did(1)), now)
    assert (profile.handle, profile.name, profile.url) == (did(1), did(1), f"https://bsky.app/profile/{did(1)}")


@pytest.mark.parametrize(
    ("actor", "key", "says"),
    [
        (Actor(did=did(1), handle="a.test", followersCount=3, error="AccountDeactivated"), "a.test", "deactivated"),
        (Actor(did=did(1), handle="a.test", followersCount=3, error="AccountTakedown"), "a.test", "taken down"),
        (Actor(did=did(1), handle="a.test", followersCount=3), "b.test", "no account “b.test”"),
        (Actor(did=did(1), handle="a.test"), "a.test", "no followers"),
        (Actor(did=did(1), handle="a.test"), "@a", "no account"),
    ],
)
def test_it_says_why_an_account_cannot_be_watched(
    sky_http: Asked, now: datetime, actor: Actor, key: str, says: str
) -> None:
    sky, http = sky_http
    sky.put(actor)
    with pytest.raises(UnknownPage, match=says):
        PLATFORM.resolve(http, Reference(platform="bluesky", key=key), now)


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({"error": "UpstreamFailure"}, 502, Unreachable),
        ({"error": "RateLimitExceeded"}, 429, Throttled),
        ({"error": "AuthMissing"}, 401, PayloadChanged),
        ({"handle": "no did"}, 200, PayloadChanged),
        ({"did": "did:x:1", "handle": "a.test", "followersCount": "3"}, 200, PayloadChanged),
        ([], 200, PayloadChanged),
    ],
)
def test_it_tells_a_trouble_of_bluesky_from_an_unknown_account(
    sky_http: Asked, now: datetime, body: object, status: int, error: type[LikewatchError]
) -> None:
    sky, http = sky_http
    sky.faults.append(in_json(body, status))
    with pytest.raises(error):
        PLATFORM.resolve(http, Reference(platform="bluesky", key="a.test"), now)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["did", "handle", "profiles"]), inner),
    max_leaves=10,
)
PROFILE = st.fixed_dictionaries(
    {"did": st.sampled_from([did(1), did(2)]) | JSON}, optional={"followersCount": JSON, "handle": JSON}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    reply=st.fixed_dictionaries({"profiles": st.lists(PROFILE | JSON)}) | JSON, status=st.sampled_from([200, 400, 500])
)
def test_every_account_is_read_or_failed_whatever_comes_back(
    sky_http: Asked, now: datetime, reply: object, status: int
) -> None:
    sky, http = sky_http
    sky.faults.clear()
    sky.faults.extend([in_json(reply, status)] * 5)
    fetched = PLATFORM.fetch(http, [account(n) for n in (1, 2, 3)], now)
    told = [reading.page for reading in fetched.readings] + [failure.page for failure in fetched.failures]
    assert sorted(told) == ["page-1", "page-2", "page-3"]


def test_the_stand_in_refuses_a_batch_that_bluesky_refuses(sky_http: Asked) -> None:
    sky, http = sky_http
    fill(sky, 26)
    answer = http.ask("GET", "/xrpc/app.bsky.actor.getProfiles", params=[("actors", did(n)) for n in range(1, 27)])
    assert (answer.status, answer.body) == (
        400,
        {"error": "InvalidRequest", "message": "array too big (maximum 25, got 26)"},
    )
