from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.model import Account, Page
from storage.errors import StoreError
from storage.store import Store
from storage.values import Group, PollCoverage, PollOutcome, PollTrouble
from tests.labs.standins.samples import MINUTE, NOON, judged, point, track


def test_it_gives_back_a_page_as_it_was_added(cambodia: Store) -> None:
    page = cambodia.pages.get("hunsen")
    assert page is not None
    assert (page.name, page.home) == ("សម្តេច Hun Sen", "KH")
    assert page.groups == ("cambodia", "asean")
    assert page.aliases == ("Samdech", "the prime minister")


def test_it_adds_to_a_page_that_is_there(cambodia: Store) -> None:
    cambodia.pages.add(
        Page(slug="hunsen", name="Hun Sen", platform="facebook", groups=("heads",), aliases=("PM",)), None, at=NOON
    )
    page = cambodia.pages.get("hunsen")
    assert page is not None
    assert page.name == "Hun Sen"
    assert page.home == "KH", "a home that is not given is kept"
    assert page.url == "https://www.facebook.com/hunsencambodia", "so is a url"
    assert page.groups == ("cambodia", "asean", "heads")
    assert page.aliases == ("Samdech", "the prime minister", "PM")
    assert cambodia.pages.account("hunsen") is not None, "a page that is polled stays polled"


@pytest.mark.parametrize(
    "text",
    [
        "hunsen",
        " HunSen ",
        "@hunsen",
        "samdech",
        "The Prime Minister",
        "@HunSenCambodia",
        "1400",
        "HTTPS://www.facebook.com/hunsencambodia",
        "សម្តេច hun sen",
    ],
)
def test_it_finds_a_page_by_everything_it_is_exactly_called(cambodia: Store, text: str) -> None:
    page = cambodia.pages.find(text)
    assert page is not None
    assert page.slug == "hunsen"


@pytest.mark.parametrize("text", ["", "@", "hun", "hunsen2", "%"])
def test_it_finds_nothing_by_other_names(cambodia: Store, text: str) -> None:
    assert cambodia.pages.find(text) is None


def test_a_slug_goes_before_another_pages_alias(cambodia: Store) -> None:
    cambodia.pages.add(Page(slug="pm", name="P. M.", platform="facebook", aliases=("samrainsy",)), None, at=NOON)
    found = cambodia.pages.find("samrainsy")
    assert found is not None
    assert found.slug == "samrainsy"


def test_a_name_that_two_pages_have_is_nobodys(cambodia: Store) -> None:
    cambodia.pages.add(Page(slug="hunsen-bsky", name="Sam Rainsy", platform="bluesky"), None, at=NOON)
    assert cambodia.pages.find("sam rainsy") is None


def test_it_names_every_label_for_forgiving_matching(cambodia: Store) -> None:
    labels = {name.slug: name.labels for name in cambodia.pages.names()}
    assert labels["hunsen"] == ("hunsen", "សម្តេច Hun Sen", "hunsencambodia", "Samdech", "the prime minister")
    assert labels["samrainsy"] == ("samrainsy", "Sam Rainsy")


def test_a_new_handle_is_found_and_the_old_one_is_not(cambodia: Store) -> None:
    cambodia.pages.set_handle("hunsen", "hunsen.official")
    account = cambodia.pages.account("hunsen")
    assert account is not None
    assert account.handle == "hunsen.official"
    assert cambodia.pages.find("@hunsen.official") is not None
    assert cambodia.pages.find("@hunsencambodia") is None


def test_it_refuses_an_account_that_is_watched_under_another_slug(cambodia: Store) -> None:
    account = cambodia.pages.account("hunsen")
    assert account is not None
    with pytest.raises(StoreError, match="already watched as hunsen"):
        cambodia.pages.add(Page(slug="hs", name="HS", platform="facebook"), replace(account, page="hs"), at=NOON)
    assert cambodia.pages.get("hs") is None


def test_it_stops_watching_and_takes_up_again(cambodia: Store) -> None:
    before, account = cambodia.pages.get("hunsen"), cambodia.pages.account("hunsen")
    assert before is not None
    assert account is not None
    cambodia.readings.add([judged(NOON, 2_108_800)])
    cambodia.series_states.put([track(point(NOON, 2_108_800))])

    assert cambodia.pages.remove("hunsen", at=NOON)
    assert cambodia.pages.get("hunsen") is None
    assert cambodia.pages.find("hunsen") is None
    assert cambodia.pages.by_account("facebook", "1400") is None
    assert cambodia.readings.page_snapshot("hunsen") is None
    assert [page.slug for page in cambodia.pages.all()] == ["samrainsy"]
    assert cambodia.pages.due(NOON) == ()
    assert cambodia.pages.groups() == (Group(slug="cambodia", pages=("samrainsy",)),)
    assert not cambodia.pages.remove("hunsen", at=NOON), "it is not there any more"

    cambodia.pages.add(Page(slug="hunsen", name=before.name, platform="facebook"), account, at=NOON)
    assert cambodia.pages.get("hunsen") == before
    assert cambodia.pages.due(NOON) == (account,)
    assert cambodia.readings.point_at("hunsen", NOON) == point(NOON, 2_108_800)


def test_another_slug_may_take_over_an_untracked_pages_account(cambodia: Store) -> None:
    account = cambodia.pages.account("hunsen")
    assert account is not None
    cambodia.pages.remove("hunsen", at=NOON)
    cambodia.pages.add(Page(slug="hs", name="HS", platform="facebook"), replace(account, page="hs"), at=NOON)
    page = cambodia.pages.by_account("facebook", "1400")
    assert page is not None
    assert page.slug == "hs"


def test_it_lists_groups_with_their_pages(cambodia: Store) -> None:
    assert cambodia.pages.groups() == (
        Group(slug="asean", pages=("hunsen",)),
        Group(slug="cambodia", pages=("hunsen", "samrainsy")),
    )
    assert cambodia.pages.group("asean") == Group(slug="asean", pages=("hunsen",))
    assert cambodia.pages.group("nowhere") is None


def test_an_account_is_due_at_once_and_again_when_it_was_said(cambodia: Store) -> None:
    account = cambodia.pages.account("hunsen")
    assert cambodia.pages.due(NOON - MINUTE) == ()
    assert cambodia.pages.due(NOON) == (account,)
    assert cambodia.pages.due(NOON, platform="bluesky") == ()
    assert cambodia.pages.next_due() == NOON
    cambodia.pages.record_polls([PollOutcome(page="hunsen", at=NOON, next_due=NOON + 15 * MINUTE)])
    assert cambodia.pages.due(NOON + 14 * MINUTE) == ()
    assert cambodia.pages.due(NOON + 15 * MINUTE) == (account,)
    assert cambodia.pages.next_due() == NOON + 15 * MINUTE


def test_what_was_asked_in_the_future_is_due_once_the_clock_was_set_back(cambodia: Store) -> None:
    account = cambodia.pages.account("hunsen")
    assert account is not None
    ahead = NOON + 60 * MINUTE
    cambodia.pages.record_polls([PollOutcome(page="hunsen", at=ahead, next_due=ahead + 15 * MINUTE)])
    assert cambodia.pages.due(NOON) == (account,)
    cambodia.pages.record_polls([PollOutcome(page="hunsen", at=NOON, next_due=NOON + 15 * MINUTE)])
    assert cambodia.pages.due(NOON + 14 * MINUTE) == ()


def test_those_that_waited_longest_are_due_first(fresh_store: Store) -> None:
    for number, slug in enumerate(["late", "early"]):
        account = Account(
            page=slug, platform="bluesky", native_id=slug, handle=slug, url="", poll_every=timedelta(seconds=1)
        )
        fresh_store.pages.add(Page(slug=slug, name=slug, platform="bluesky"), account, at=NOON - number * MINUTE)
    assert [account.page for account in fresh_store.pages.due(NOON, limit=1)] == ["early"]
    assert [account.page for account in fresh_store.pages.due(NOON)] == ["early", "late"]


def test_trouble_keeps_its_beginning_until_it_is_another_or_over(cambodia: Store) -> None:
    def poll(minutes: int, reason: str | None) -> PollTrouble | None:
        at = NOON + minutes * MINUTE
        trouble = None if reason is None else PollTrouble(reason=reason, message=f"{reason} at {minutes}", since=at)
        cambodia.pages.record_polls([PollOutcome(page="hunsen", at=at, next_due=at + MINUTE, trouble=trouble)])
        latest = cambodia.readings.page_snapshot("hunsen")
        assert latest is not None
        return latest.trouble

    assert poll(0, None) is None
    assert poll(1, "unreachable") == PollTrouble(reason="unreachable", message="unreachable at 1", since=NOON + MINUTE)
    assert poll(2, "unreachable") == PollTrouble(reason="unreachable", message="unreachable at 2", since=NOON + MINUTE)
    assert poll(3, "page_gone") == PollTrouble(reason="page_gone", message="page_gone at 3", since=NOON + 3 * MINUTE)
    latest = cambodia.readings.page_snapshot("hunsen")
    assert latest is not None
    assert latest.polled_at == NOON, "the last time it answered"
    assert poll(4, None) is None
    latest = cambodia.readings.page_snapshot("hunsen")
    assert latest is not None
    assert latest.polled_at == NOON + 4 * MINUTE


def test_it_knows_how_far_a_platform_can_be_read(cambodia: Store) -> None:
    def reach() -> PollCoverage:
        return cambodia.pages.poll_coverage("facebook", answered_since=NOON, failing_since=NOON)

    assert (cambodia.pages.failing(), reach()) == (frozenset(), PollCoverage(accounts=1, answered=0, failing=0))
    trouble = PollTrouble(reason="page_gone", message="Gone.", since=NOON)
    cambodia.pages.record_polls([PollOutcome(page="hunsen", at=NOON, next_due=NOON, trouble=trouble)])
    assert (cambodia.pages.failing(), reach()) == (
        frozenset({"hunsen"}),
        PollCoverage(accounts=1, answered=0, failing=1),
    )
    cambodia.pages.record_polls([PollOutcome(page="hunsen", at=NOON, next_due=NOON)])
    assert (cambodia.pages.failing(), reach()) == (frozenset(), PollCoverage(accounts=1, answered=1, failing=0))
    later = cambodia.pages.poll_coverage("facebook", answered_since=NOON + MINUTE, failing_since=NOON)
    assert later == PollCoverage(accounts=1, answered=0, failing=0)
    assert cambodia.pages.poll_coverage("bluesky", answered_since=NOON, failing_since=NOON).accounts == 0


def test_it_is_empty_until_a_page_was_ever_added(fresh_store: Store) -> None:
    assert fresh_store.is_empty()
    fresh_store.pages.add(Page(slug="hunsen", name="Hun Sen", platform="facebook"), None, at=NOON)
    fresh_store.pages.remove("hunsen", at=NOON)
    assert not fresh_store.is_empty()
