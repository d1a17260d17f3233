"""The fuzzers' targets under Hypothesis, so that every run of the suite looks for a little while."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labs.fuzz.targets import SEEDS, TARGETS, imports, references, replies, usage_headers

_FIELDS = st.sampled_from(
    [
        *("id", "username", "name", "link", "fan_count", "followers_count", "error", "code", "message", "body"),
        *("error_subcode", "profiles", "did", "handle", "followersCount", "has_transitioned_to_new_page_experience"),
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_FIELDS, inner, max_size=5),
    max_leaves=12,
)
_PAGES = st.fixed_dictionaries(
    {"id": st.just("1")}, optional={"followers_count": _JSON, "username": _JSON, "link": _JSON}
)
_HEADS = st.binary(min_size=3, max_size=3)
_CELLS = st.sampled_from(
    [
        "2016-02-02",
        "02/03/2016",
        "hunsen",
        "KH",
        "Cambodia",
        "2,108,800",
        "3.2M",
        "43%",
        "-5",
        "NaN",
        "1e400",
        "",
        '"',
        "១",
    ]
)


@pytest.mark.parametrize(
    ("target", "seed"),
    [(target, seed) for target, seeds in SEEDS.items() for seed in seeds],
    ids=lambda one: str(one)[:40],
)
def test_every_seed_is_stood(target: str, seed: bytes) -> None:
    TARGETS[target](seed)


@given(st.text(max_size=80).map(str.encode) | st.binary(max_size=80))
def test_whatever_is_pasted_is_a_reference_or_refused_with_a_sentence(data: bytes) -> None:
    references(data)


@given(
    st.sampled_from(["https://facebook.com/", "fb.com/", "bsky.app/profile/", "at://", "<https://m.facebook.com/"]),
    st.text(max_size=40),
)
def test_whatever_follows_a_platforms_name_is_a_reference_or_refused(start: str, rest: str) -> None:
    references((start + rest).encode())


@given(_HEADS, _JSON | st.lists(_PAGES, max_size=3))
def test_whatever_json_a_platform_answers_each_page_is_read_or_failed(head: bytes, body: object) -> None:
    replies(head + json.dumps(body).encode())


@given(_HEADS, st.binary(max_size=60))
def test_whatever_bytes_a_platform_answers_each_page_is_read_or_failed(head: bytes, body: bytes) -> None:
    replies(head + body)


@given(st.binary(max_size=60) | _JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_headers_a_platform_sends_each_page_is_read_or_failed(data: bytes) -> None:
    usage_headers(data)


@given(st.lists(st.lists(_CELLS, min_size=3, max_size=3), max_size=5), st.sampled_from(",;\t|"))
def test_whatever_cells_a_file_has_it_is_read_or_refused_with_a_sentence(rows: list[list[str]], delimiter: str) -> None:
    lines = [["date", "page", "likes"], *rows]
    imports("\n".join(delimiter.join(row) for row in lines).encode())


@given(st.binary(max_size=200))
def test_whatever_bytes_a_file_has_it_is_read_or_refused_with_a_sentence(data: bytes) -> None:
    imports(data)
