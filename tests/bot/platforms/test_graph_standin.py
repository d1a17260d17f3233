"""Meta's own client judges the Graph stand-in, because a stand-in that only our client has tried proves little."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from facebook_business.adobjects.page import Page
from facebook_business.api import FacebookAdsApi, FacebookAdsApiBatch
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from tests.bot.platforms.conftest import SECRET, TOKEN, Switchboard
from tests.labs.standins.graph import Graph, GraphError, GraphPage

FIELDS = ["name", "username", "fan_count", "followers_count", "has_transitioned_to_new_page_experience"]


@pytest.fixture
def graph(switchboard: tuple[Switchboard, str]) -> Graph:
    switchboard[0].app = graph = Graph(token=TOKEN, app_secret=SECRET)
    graph.put(GraphPage(id="1", username="hunsen", name="Hun Sen", fan_count=2_108_800))
    graph.put(GraphPage(id="2", username="sam.rainsy", name="Sam Rainsy", fan_count=2_094_800))
    return graph


@pytest.fixture
def client(switchboard: tuple[Switchboard, str]) -> Iterator[Any]:
    yield from signed_in(switchboard[1])


def signed_in(url: str, token: str = TOKEN, secret: str = SECRET) -> Iterator[Any]:
    session = FacebookSession(app_id="1", app_secret=secret, access_token=token)
    session.GRAPH = url
    yield FacebookAdsApi(session)
    session.requests.close()


def test_the_official_client_reads_a_page(graph: Graph, client: Any) -> None:
    page = Page("1", api=client).api_get(fields=FIELDS)
    assert (page["name"], page["fan_count"], page["followers_count"]) == ("Hun Sen", 2_108_800, 2_108_800)
    assert graph.requests[-1].path == f"/{FacebookAdsApi.API_VERSION}/1/"


def test_the_official_client_reads_a_batch(graph: Graph, client: Any) -> None:
    batch = FacebookAdsApiBatch(client)
    read: list[dict[str, Any]] = []
    refused: list[int] = []
    for number in ("1", "2", "3"):
        Page(number, api=client).api_get(
            fields=FIELDS,
            batch=batch,
            success=lambda response: read.append(response.json()),
            failure=lambda response: refused.append(response.error().api_error_code()),
        )
    graph.left_out.add("2")
    rest = batch.execute()
    assert ([page["name"] for page in read], refused) == (["Hun Sen"], [100])
    graph.left_out.clear()
    assert rest.execute() is None
    assert [page["username"] for page in read] == ["hunsen", "sam.rainsy"]


@pytest.mark.parametrize(
    ("token", "secret", "code"), [("wrong", SECRET, 190), (TOKEN, "wrong", 100), (TOKEN, "", 100)], ids=str
)
def test_the_official_client_understands_a_refusal(
    graph: Graph, switchboard: tuple[Switchboard, str], token: str, secret: str, code: int
) -> None:
    for api in signed_in(switchboard[1], token, secret):
        with pytest.raises(FacebookRequestError) as raised:
            Page("1", api=api).api_get(fields=FIELDS)
        assert raised.value.api_error_code() == code
    assert len(graph.requests) == 1


@pytest.mark.parametrize(
    ("number", "fields", "refusal"),
    [("1", ["fan_cuont"], (100, None)), ("9", FIELDS, (100, 33)), ("x", FIELDS, (803, None))],
)
def test_the_official_client_understands_an_error(
    graph: Graph, client: Any, number: str, fields: list[str], refusal: tuple[int, int | None]
) -> None:
    with pytest.raises(FacebookRequestError) as raised:
        client.call("GET", (number, ""), params={"fields": ",".join(fields)})
    assert (raised.value.api_error_code(), raised.value.api_error_subcode()) == refusal
    assert graph.requests


def test_several_pages_at_once_and_a_batch_too_long(graph: Graph, client: Any) -> None:
    pages = client.call("GET", ("",), params={"ids": "1,hunsen", "fields": "fan_count"}).json()
    assert pages == {"1": {"fan_count": 2_108_800, "id": "1"}, "hunsen": {"fan_count": 2_108_800, "id": "1"}}
    with pytest.raises(FacebookRequestError, match="Maximum batch size is 50"):
        client.call("POST", (), params={"batch": json.dumps([{"method": "GET", "relative_url": "1"}] * 51)})
    graph.spoilers["1"] = GraphError("(#803) Some of the aliases you requested do not exist: 1", 803)
    with pytest.raises(FacebookRequestError, match="aliases"):
        client.call("POST", (), params={"batch": json.dumps([{"method": "GET", "relative_url": "1"}])})


def test_a_person_sets_a_count_by_hand(graph: Graph, client: Any, switchboard: tuple[Switchboard, str]) -> None:
    assert graph
    url = f"{switchboard[1]}/_control"
    posted = client._session.requests.post(url, json={"id": "7", "username": "new", "fan_count": 5})  # noqa: SLF001
    assert posted.json()[-1]["fan_count"] == 5
    assert Page("new", api=client).api_get(fields=["followers_count"])["followers_count"] == 5
