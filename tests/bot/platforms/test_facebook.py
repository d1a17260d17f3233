from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import AuthRefused, ConfigError, LikewatchError, PayloadChanged, Throttled, UnknownPage, Unreachable
from bot.http.client import Http
from bot.platforms.contract import RateLimitAction, Reason, Reference
from bot.platforms.facebook.platform import PLATFORM
from handlers.model import Account, Metric
from tests.bot.platforms.conftest import SECRET, TOKEN
from tests.labs.standins.graph import Graph, GraphError, GraphPage, gone
from tests.labs.standins.loopback import Response, in_json

Asked = tuple[Graph, Http]


def account(number: int | str, handle: str = "") -> Account:
    return Account(
        page=f"page-{number}",
        platform="facebook",
        native_id=str(number),
        handle=handle or f"page.{number}",
        url=f"https://www.facebook.com/page.{number}",
        poll_every=timedelta(minutes=15),
    )


def page(number: int, count: object = 1000, error: GraphError | None = None) -> GraphPage:
    return GraphPage(id=str(number), username=f"page.{number}", name=f"Page {number}", fan_count=count, error=error)


def fill(graph: Graph, number: int) -> list[Account]:
    for n in range(1, number + 1):
        graph.put(page(n, 1000 + n))
    return [account(n) for n in range(1, number + 1)]


def test_it_reads_fifty_pages_in_one_request_and_no_token_in_its_address(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    fetched = PLATFORM.fetch(http, fill(graph, 50), now)
    assert [(reading.page, reading.count) for reading in fetched.readings] == [
        (f"page-{n}", 1000 + n) for n in range(1, 51)
    ]
    assert (fetched.failures, fetched.rate_limit, fetched.handles) == ((), None, None)
    (request,) = graph.requests
    assert (request.method, request.path, request.query) == ("POST", "/v26.0/", "")


def test_it_asks_nobody_for_nothing(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    assert PLATFORM.fetch(http, [], now).readings == ()
    assert not graph.requests


@pytest.mark.parametrize(("moved", "count", "metric"), [(True, 30, Metric.FOLLOWERS), (False, 20, Metric.LIKES)])
def test_it_counts_likes_only_on_pages_that_never_moved(
    graph_http: Asked, now: datetime, moved: bool, count: int, metric: Metric
) -> None:
    graph, http = graph_http
    graph.put(GraphPage(id="1", fan_count=20, followers_count=30, has_transitioned_to_new_page_experience=moved))
    (reading,) = PLATFORM.fetch(http, [account(1)], now).readings
    assert (reading.count, reading.low, reading.high, reading.metric) == (count, count, count, metric)


def test_it_notices_a_new_handle_and_another_pages_number(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    graph.put(page(1))
    graph.faults.append(in_json([{"code": 200, "body": '{"id": "999", "followers_count": 5}'}]))
    (failure,) = PLATFORM.fetch(http, [account(1)], now).failures
    assert (failure.reason, failure.moved_to) == (Reason.PAGE_MOVED, "facebook.com/999")
    assert failure.moved_to in failure.message
    assert PLATFORM.fetch(http, [account(1, handle="before")], now).handles == {"page-1": "page.1"}


def test_a_bad_count_costs_only_its_own_page(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    accounts = fill(graph, 8)
    for number, count in enumerate([0, -5, 2**63, True, "1,234", 1e400], start=1):
        graph.put(page(number, count))
    fetched = PLATFORM.fetch(http, accounts, now)
    assert [reading.page for reading in fetched.readings] == ["page-7", "page-8"]
    assert [failure.reason for failure in fetched.failures] == [Reason.UNREACHABLE] + [Reason.PAYLOAD_CHANGED] * 5


class Case(NamedTuple):
    """``error``: raised by ``resolve``. ``reason``: of the failure in ``fetch``. ``says``: a word of both sentences."""

    code: int
    subcode: int | None
    message: str
    error: type[LikewatchError]
    reason: Reason
    says: str


MIGRATED = "Page ID 1 was migrated to page ID 456. Please update your API calls to the new ID"
ERRORS = [
    Case(1, None, "An unknown error occurred", Unreachable, Reason.UNREACHABLE, "next poll"),
    Case(2, None, "Service temporarily unavailable", Unreachable, Reason.UNREACHABLE, "next poll"),
    *[Case(code, None, "", Throttled, Reason.THROTTLED, "60 minutes") for code in (4, 17, 32, 341, 613, 80001, 80002)],
    Case(190, 458, "", AuthRefused, Reason.AUTH_REFUSED, "removed"),
    Case(190, 460, "", AuthRefused, Reason.AUTH_REFUSED, "password"),
    Case(190, 463, "", AuthRefused, Reason.AUTH_REFUSED, "expired"),
    Case(190, 467, "", AuthRefused, Reason.AUTH_REFUSED, "revoked"),
    Case(190, None, f"Malformed access token {TOKEN}", AuthRefused, Reason.AUTH_REFUSED, "FACEBOOK_ACCESS_TOKEN"),
    Case(102, None, "", AuthRefused, Reason.AUTH_REFUSED, "FACEBOOK_ACCESS_TOKEN"),
    *[Case(code, None, "", ConfigError, Reason.CONFIG, "Page Public Metadata Access") for code in (3, 10, 200, 299)],
    Case(100, None, "requires either app secret proof or an app token", ConfigError, Reason.CONFIG, "APP_SECRET"),
    Case(100, None, "Invalid appsecret_proof provided", ConfigError, Reason.CONFIG, "APP_SECRET"),
    Case(100, None, "requires the Page Public Content Access feature", ConfigError, Reason.CONFIG, "Page Public Meta"),
    Case(100, 33, "cannot be loaded due to missing permissions", UnknownPage, Reason.PAGE_GONE, "unavailable"),
    Case(100, None, "nonexisting field (x) on node type (User)", UnknownPage, Reason.PAGE_GONE, "personal profile"),
    Case(100, None, "nonexisting field (x) on node type (Group)", UnknownPage, Reason.PAGE_GONE, "a group"),
    Case(100, None, "nonexisting field (x) on node type (Page)", PayloadChanged, Reason.PAYLOAD_CHANGED, "field"),
    Case(100, None, "Invalid parameter", PayloadChanged, Reason.PAYLOAD_CHANGED, "error 100"),
    Case(803, None, "Some of the aliases you requested do not exist: x", UnknownPage, Reason.PAGE_GONE, "no page"),
    Case(803, None, "Cannot query users by their username (x)", UnknownPage, Reason.PAGE_GONE, "personal profile"),
    Case(21, None, MIGRATED, UnknownPage, Reason.PAGE_MOVED, "facebook.com/456"),
    Case(21, None, "", UnknownPage, Reason.PAGE_MOVED, "new address"),
    Case(99_999, None, "?", PayloadChanged, Reason.PAYLOAD_CHANGED, "99999"),
]


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: f"{case.code}/{case.subcode} {case.message[-20:]}")
def test_every_error_code_says_who_must_act(graph_http: Asked, now: datetime, case: Case) -> None:
    graph, http = graph_http
    accounts = fill(graph, 3)
    fault = GraphError(case.message, case.code, subcode=case.subcode)
    graph.put(page(2, error=fault))

    of_one = PLATFORM.fetch(http, accounts, now)
    assert [reading.page for reading in of_one.readings] == ["page-1", "page-3"]
    (failure,) = of_one.failures
    assert (failure.page, failure.reason) == ("page-2", case.reason)
    assert case.says in failure.message

    graph.faults.append(in_json(fault.body, 400))
    (of_all,) = PLATFORM.fetch(http, accounts[:1], now).failures
    assert (of_all.reason, of_all.message) == (case.reason, failure.message)

    with pytest.raises(case.error, match=case.says) as raised:
        PLATFORM.resolve(http, Reference(platform="facebook", key="page.2"), now)
    assert TOKEN not in f"{raised.value}{failure}"


def test_throttling_stops_the_polling_of_the_platform(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    accounts = fill(graph, 2)
    graph.put(page(2, error=GraphError("(#4) Application request limit reached", 4)))
    rate_limit = PLATFORM.fetch(http, accounts, now).rate_limit
    assert rate_limit
    assert (rate_limit.action, rate_limit.until) == (RateLimitAction.STOP, now + timedelta(hours=1))


@pytest.mark.parametrize(
    ("headers", "action", "minutes"),
    [
        ({"X-App-Usage": '{"call_count":28,"total_time":25,"total_cputime":74}'}, None, 0),
        ({"X-App-Usage": '{"call_count":28,"total_time":75,"total_cputime":25}'}, RateLimitAction.SLOW, 60),
        ({"X-App-Usage": '{"call_count":95,"total_time":25,"total_cputime":25}'}, RateLimitAction.STOP, 60),
        (
            {"X-Business-Use-Case-Usage": '{"1":[{"call_count":97,"estimated_time_to_regain_access":19}]}'},
            RateLimitAction.STOP,
            19,
        ),
        (
            {
                "X-App-Usage": '{"call_count":80}',
                "X-Business-Use-Case-Usage": '{"1":[{"call_count":5,"estimated_time_to_regain_access":0}]}',
            },
            RateLimitAction.SLOW,
            60,
        ),
        ({"X-App-Usage": '{"call_count":1e300}'}, RateLimitAction.STOP, 60),
        (
            {"X-Business-Use-Case-Usage": '{"1":[{"total_time":99,"estimated_time_to_regain_access":1e300}]}'},
            RateLimitAction.STOP,
            1440,
        ),
        ({"X-App-Usage": "nonsense", "X-Business-Use-Case-Usage": '{"1":[7],"2":"x"}'}, None, 0),
        ({"X-App-Usage": '["a"]', "X-Business-Use-Case-Usage": '{"1":[{"call_count":"97"}]}'}, None, 0),
    ],
)
def test_it_slows_down_and_stops_as_the_usage_headers_ask(
    graph_http: Asked, now: datetime, headers: dict[str, str], action: RateLimitAction | None, minutes: int
) -> None:
    graph, http = graph_http
    graph.headers = headers
    fetched = PLATFORM.fetch(http, fill(graph, 1), now)
    assert len(fetched.readings) == 1
    rate_limit = fetched.rate_limit
    assert (
        (rate_limit.action, rate_limit.until) == (action, now + timedelta(minutes=minutes))
        if rate_limit
        else action is None
    )


def test_a_throttled_batch_waits_as_long_as_its_headers_say(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    usage = {"X-Business-Use-Case-Usage": '{"1":[{"call_count":100,"estimated_time_to_regain_access":19}]}'}
    graph.faults.append(in_json(GraphError("limit", 80001).body, 400, usage))
    fetched = PLATFORM.fetch(http, fill(graph, 2), now)
    assert {failure.reason for failure in fetched.failures} == {Reason.THROTTLED}
    assert fetched.rate_limit
    assert fetched.rate_limit.until == now + timedelta(minutes=19)


def test_one_page_that_spoils_the_batch_costs_the_others_nothing(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    accounts = fill(graph, 50)
    graph.spoilers["37"] = GraphError("(#803) Some of the aliases you requested do not exist: 37", 803)
    fetched = PLATFORM.fetch(http, accounts, now)
    assert len(fetched.readings) == 49
    assert [(failure.page, failure.reason) for failure in fetched.failures] == [("page-37", Reason.PAGE_GONE)]
    assert len(graph.requests) <= 13


def test_a_page_left_out_or_gone_costs_the_others_nothing(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    accounts = fill(graph, 4)
    graph.left_out.add("2")
    graph.remove("3")
    fetched = PLATFORM.fetch(http, accounts, now)
    assert [reading.page for reading in fetched.readings] == ["page-1", "page-4"]
    assert [(failure.page, failure.reason) for failure in fetched.failures] == [
        ("page-2", Reason.UNREACHABLE),
        ("page-3", Reason.PAGE_GONE),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["error", "code", "body", "id", "x"]), inner)
    ),
    max_leaves=10,
)
FIELDS = st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "2", "3"]) | JSON}, optional={"followers_count": JSON, "username": JSON}
)
ITEM = st.fixed_dictionaries({"code": JSON, "body": (FIELDS | JSON).map(json.dumps)}) | JSON


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(reply=st.lists(ITEM, min_size=3, max_size=3) | JSON)
def test_every_account_is_read_or_failed_whatever_comes_back(graph_http: Asked, now: datetime, reply: object) -> None:
    graph, http = graph_http
    graph.faults.clear()
    graph.faults.extend([in_json(reply)] * 5)
    accounts = [account(n) for n in (1, 2, 3)]
    fetched = PLATFORM.fetch(http, accounts, now)
    told = [reading.page for reading in fetched.readings] + [failure.page for failure in fetched.failures]
    assert sorted(told) == ["page-1", "page-2", "page-3"]


def test_it_resolves_a_name_to_the_number_that_is_kept(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    graph.put(GraphPage(id="136400829", username="hunsencambodia", name="Samdech Hun Sen", fan_count=2_108_800))
    profile = PLATFORM.resolve(http, Reference(platform="facebook", key="HunSenCambodia"), now)
    assert (profile.native_id, profile.handle, profile.name) == ("136400829", "hunsencambodia", "Samdech Hun Sen")
    assert (profile.url, profile.count, profile.metric) == (
        "https://www.facebook.com/hunsencambodia",
        2_108_800,
        Metric.FOLLOWERS,
    )
    assert all(TOKEN not in request.path + request.query for request in graph.requests)


@pytest.mark.parametrize(
    ("page", "key", "says"),
    [
        (GraphPage(id="4", username="zuck", node="User"), "zuck", "“zuck” cannot be watched.*personal profile"),
        (GraphPage(id="4", username="zuck", node="User"), "4", "“4” cannot be watched.*personal profile"),
        (GraphPage(id="5", node="Group"), "5", "a group"),
        (GraphPage(id="6", username="new", fan_count=0), "new", "0 followers"),
        (GraphPage(id="7", username="hunsen", error=gone("7")), "hunsen", "unavailable"),
        (GraphPage(id="8", username="other", fan_count=1), "hunsenn", "“hunsenn” cannot be watched.*spelling"),
    ],
)
def test_it_says_why_a_page_cannot_be_watched(
    graph_http: Asked, now: datetime, page: GraphPage, key: str, says: str
) -> None:
    graph, http = graph_http
    graph.put(page)
    with pytest.raises(UnknownPage, match=says):
        PLATFORM.resolve(http, Reference(platform="facebook", key=key), now)


def test_a_key_cannot_ask_for_anything_else(graph_http: Asked, now: datetime) -> None:
    _, http = graph_http
    with pytest.raises(UnknownPage, match="no page"):
        PLATFORM.resolve(http, Reference(platform="facebook", key='me/accounts?fields=access_token"},{"&x=+%'), now)


@pytest.mark.parametrize(
    ("values", "url"),
    [
        ({}, "https://graph.facebook.com/v26.0"),
        ({"FACEBOOK_API_URL": ""}, "https://graph.facebook.com/v26.0"),
        ({"FACEBOOK_API_URL": "http://127.0.0.1:9001/"}, "http://127.0.0.1:9001/v26.0"),
        ({"FACEBOOK_API_URL": "http://127.0.0.1:9001/v27.0/"}, "http://127.0.0.1:9001/v27.0"),
    ],
)
def test_the_version_is_pinned_unless_the_address_names_one(values: dict[str, str], url: str) -> None:
    assert PLATFORM.base_url(values) == url


def test_it_is_ready_with_a_token() -> None:
    assert "FACEBOOK_ACCESS_TOKEN" in (PLATFORM.missing_setting({}) or "")
    assert PLATFORM.missing_setting({"FACEBOOK_ACCESS_TOKEN": TOKEN}) is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"FACEBOOK_ACCESS_TOKEN": "wrong", "FACEBOOK_APP_SECRET": SECRET}, Reason.AUTH_REFUSED),
        ({"FACEBOOK_ACCESS_TOKEN": TOKEN, "FACEBOOK_APP_SECRET": "wrong"}, Reason.CONFIG),
        ({"FACEBOOK_ACCESS_TOKEN": TOKEN}, Reason.CONFIG),
        ({}, Reason.AUTH_REFUSED),
    ],
)
def test_a_wrong_token_or_secret_is_the_operators_to_mend(
    graph_http: Asked, now: datetime, values: dict[str, str], reason: Reason
) -> None:
    graph, right = graph_http
    wrong = Http(values, right.base_url)
    fetched = PLATFORM.fetch(wrong, fill(graph, 2), now)
    wrong.close()
    assert [failure.reason for failure in fetched.failures] == [reason, reason]


def test_an_answer_of_html_is_told_as_such(graph_http: Asked, now: datetime) -> None:
    graph, http = graph_http
    graph.faults.append(Response(body=b"<html>Sorry</html>", headers={"content-type": "text/html"}))
    (failure,) = PLATFORM.fetch(http, fill(graph, 1), now).failures
    assert (failure.reason, "text/html" in failure.message) == (Reason.PAYLOAD_CHANGED, True)
