from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.model import Page
from storage.store import Store
from storage.values import Subscription, Target
from tests.labs.standins.samples import DAY, HOUR, NOON, alert, wish


def test_it_saves_and_says_what_it_replaced(cambodia: Store) -> None:
    first = wish(features=("overtake", "surge"), thresholds={"surge": 5.0})
    second = replace(first, features=("overtake",), thresholds={}, by="U2", at=NOON + DAY)
    assert cambodia.subscriptions.put(first) is None
    assert cambodia.subscriptions.put(second) == first
    assert cambodia.subscriptions.get("T1", "C1", Target.PAGE, "hunsen") == second
    assert cambodia.subscriptions.remove("T1", "C1", Target.PAGE, "hunsen")
    assert not cambodia.subscriptions.remove("T1", "C1", Target.PAGE, "hunsen")
    assert cambodia.subscriptions.get("T1", "C1", Target.PAGE, "hunsen") is None


def test_a_channel_may_want_several_pages_and_groups(cambodia: Store) -> None:
    wishes = [wish("samrainsy"), wish("hunsen"), wish("cambodia", target=Target.GROUP)]
    for one in [*wishes, wish(channel="C2"), wish(team="T2")]:
        cambodia.subscriptions.put(one)
    assert [one.slug for one in cambodia.subscriptions.for_channel("T1", "C1")] == ["hunsen", "samrainsy", "cambodia"]


@pytest.mark.parametrize(
    ("subscription", "rival", "wanted"),
    [
        (wish("hunsen"), "samrainsy", True),
        (wish("samrainsy"), "samrainsy", True),
        (wish("samrainsy"), None, False),
        (wish("outsider"), "samrainsy", False),
        (wish("cambodia", target=Target.GROUP), "samrainsy", True),
        (wish("cambodia", target=Target.GROUP), "outsider", False),
        (wish("asean", target=Target.GROUP), "samrainsy", False),
        (wish("asean", target=Target.GROUP), "outsider", True),
        (wish("asean", target=Target.GROUP), None, True),
        (wish("cambodia", target=Target.PAGE), None, False),
        (wish("hunsen", target=Target.GROUP), None, False),
        (wish("hunsen", features=("foreign",)), "samrainsy", False),
        (wish("hunsen", features=("foreign", "overtake")), "samrainsy", True),
        (replace(wish("hunsen"), paused="The channel is archived."), "samrainsy", True),
    ],
)
def test_it_knows_who_wants_an_alert(
    cambodia: Store, subscription: Subscription, rival: str | None, *, wanted: bool
) -> None:
    cambodia.pages.add(Page(slug="outsider", name="Outsider", platform="facebook", groups=("asean",)), None, at=NOON)
    cambodia.subscriptions.put(subscription)
    assert cambodia.subscriptions.matching(alert(rival=rival)) == ((subscription,) if wanted else ())


def test_a_channel_is_told_once_for_its_page_before_its_group(cambodia: Store) -> None:
    for one in [wish("cambodia", target=Target.GROUP), wish("samrainsy"), wish("hunsen"), wish("samrainsy", team="T2")]:
        cambodia.subscriptions.put(one)
    assert cambodia.subscriptions.matching(alert()) == (wish("hunsen"), wish("samrainsy", team="T2"))


@pytest.mark.parametrize(
    ("subscription", "wanted"),
    [
        (wish("hunsen"), True),
        (wish("samrainsy"), True),
        (wish("outsider"), False),
        (wish("cambodia", target=Target.GROUP), True),
        (wish("asean", target=Target.GROUP), True),
        (wish("elsewhere", target=Target.GROUP), False),
    ],
)
def test_what_happened_to_a_platform_is_for_those_who_want_a_page_that_it_concerns(
    cambodia: Store, subscription: Subscription, *, wanted: bool
) -> None:
    outsider = Page(slug="outsider", name="Outsider", platform="facebook", groups=("elsewhere",))
    cambodia.pages.add(outsider, None, at=NOON)
    cambodia.subscriptions.put(subscription)
    event = replace(alert(page="facebook", rival=None), others=("hunsen", "samrainsy"))
    assert cambodia.subscriptions.matching(event) == ((subscription,) if wanted else ())


def test_a_page_called_like_a_platform_does_not_get_the_platform_s_notices(cambodia: Store) -> None:
    cambodia.pages.add(Page(slug="facebook", name="Facebook", platform="bluesky", groups=("companies",)), None, at=NOON)
    cambodia.subscriptions.put(wish("facebook"))
    cambodia.subscriptions.put(wish("companies", target=Target.GROUP))
    event = replace(alert(page="facebook", rival=None), others=("hunsen", "samrainsy"))
    assert cambodia.subscriptions.matching(event) == ()
    cambodia.alerts.add([event], at=NOON)
    assert cambodia.alerts.recent(page="facebook") == ()
    assert cambodia.alerts.recent(group="companies") == ()
    own = alert("own", page="facebook", rival=None)
    assert [one.slug for one in cambodia.subscriptions.matching(own)] == ["facebook"]
    cambodia.alerts.add([own], at=NOON)
    assert [kept.alert.key for kept in cambodia.alerts.recent(page="facebook")] == ["own"]


DEFAULT = 3.2


@pytest.mark.parametrize(
    ("own", "threshold", "tuned", "wanted"),
    [
        (None, None, False, True),
        (5.0, None, False, True),
        (None, DEFAULT, False, True),
        (DEFAULT, DEFAULT, False, True),
        (5.0, DEFAULT, False, False),
        (None, 5.0, True, False),
        (5.0, 5.0, True, True),
        (10.0, 5.0, True, False),
    ],
)
def test_a_subscription_takes_what_its_threshold_raised(
    own: float | None, threshold: float | None, *, tuned: bool, wanted: bool
) -> None:
    subscription = wish(features=("surge",), thresholds={} if own is None else {"surge": own, "foreign": 7.0})
    surge = replace(alert(feature="surge", rival=None), threshold=threshold, tuned=tuned)
    assert subscription.matches(surge) is wanted
    assert not replace(subscription, features=("foreign",)).matches(surge)


limits = st.none() | st.sampled_from([2.5, DEFAULT, 5.0, 10.0])
subscriptions = st.lists(
    st.builds(
        lambda channel, target, features, own: wish(
            target[1],
            target=target[0],
            channel=channel,
            features=features,
            thresholds={} if own is None or "surge" not in features else {"surge": own},
        ),
        st.sampled_from(["C1", "C2", "C3"]),
        st.sampled_from(
            [(Target.PAGE, "hunsen"), (Target.PAGE, "samrainsy"), (Target.GROUP, "cambodia"), (Target.GROUP, "asean")]
        ),
        st.sampled_from([("surge",), ("overtake",), ("overtake", "surge")]),
        limits,
    ),
    max_size=8,
)


@settings(max_examples=60, deadline=None)
@given(subscriptions, st.sampled_from([None, "samrainsy"]))
def test_exactly_one_of_a_rules_variants_reaches_each_channel(wishes: list[Subscription], rival: str | None) -> None:
    with TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "likewatch.db")
        for slug, groups in (("hunsen", ("cambodia", "asean")), ("samrainsy", ("cambodia",))):
            store.pages.add(Page(slug=slug, name=slug, platform="facebook", groups=groups), None, at=NOON)
        for one in wishes:
            store.subscriptions.put(one)
        in_force = {one.thresholds["surge"] for one in store.subscriptions.with_thresholds()} - {DEFAULT}
        default = replace(alert(feature="surge", rival=rival), threshold=DEFAULT)
        told = [default, *(replace(default, threshold=limit, tuned=True) for limit in sorted(in_force))]
        reached = Counter(one.channel_id for event in told for one in store.subscriptions.matching(event))
        store.close()
    about = {(Target.PAGE, "hunsen"), (Target.GROUP, "cambodia")}
    about |= {(Target.PAGE, rival)} if rival else {(Target.GROUP, "asean")}
    saved = {(one.channel_id, one.target, one.slug): one for one in wishes}  # the last of each holds
    wanting = {one.channel_id for one in saved.values() if "surge" in one.features and (one.target, one.slug) in about}
    assert reached == Counter(wanting)


def test_its_page_s_threshold_goes_before_its_group_s(cambodia: Store) -> None:
    page = wish("hunsen", features=("surge",), thresholds={"surge": 5.0})
    group = wish("cambodia", target=Target.GROUP, features=("surge",))
    for one in (page, group):
        cambodia.subscriptions.put(one)
    surge = replace(alert(feature="surge", rival=None), threshold=DEFAULT)
    assert cambodia.subscriptions.matching(surge) == ()
    assert cambodia.subscriptions.matching(replace(surge, threshold=5.0, tuned=True)) == (page,)
    assert cambodia.subscriptions.matching(replace(surge, page="samrainsy")) == (group,)


def test_what_one_channel_wants_is_what_all_are_asked_for(cambodia: Store) -> None:
    group = wish("cambodia", target=Target.GROUP, channel="C2", features=("surge",))
    tuned = wish(channel="C3", features=("surge",), thresholds={"surge": 5.0})
    for one in (wish(), group, tuned, wish(team="T2", features=("surge",)), wish("samrainsy", channel="C4")):
        cambodia.subscriptions.put(one)
    surge = replace(alert(feature="surge", rival=None), threshold=3.0)
    for happened in (alert(), surge, replace(surge, threshold=5.0, tuned=True)):
        wanting = {(one.team_id, one.channel_id) for one in cambodia.subscriptions.matching(happened)}
        channels = [(team, channel) for team in ("T1", "T2") for channel in ("C1", "C2", "C3", "C4")]
        assert {here for here in channels if cambodia.subscriptions.is_for_channel(*here, happened)} == wanting


def test_a_change_of_a_subscription_changes_their_version(cambodia: Store) -> None:
    versions = [cambodia.subscriptions.version()]
    cambodia.subscriptions.put(wish())
    versions.append(cambodia.subscriptions.version())
    cambodia.subscriptions.remove("T1", "C1", Target.PAGE, "hunsen")
    versions.append(cambodia.subscriptions.version())
    assert versions == sorted(set(versions))


def test_those_with_thresholds_are_told_paused_or_not(cambodia: Store) -> None:
    tuned = wish("samrainsy", features=("surge",), thresholds={"surge": 5.0})
    for one in (wish("hunsen"), tuned):
        cambodia.subscriptions.put(one)
    assert cambodia.subscriptions.with_thresholds() == (tuned,)
    cambodia.subscriptions.pause("T1", "C1", "The channel is archived.")
    assert [one.slug for one in cambodia.subscriptions.with_thresholds()] == ["samrainsy"]


def test_a_pause_is_told_once_and_ends_for_the_whole_channel(cambodia: Store) -> None:
    for one in [wish("hunsen"), wish("samrainsy"), wish("hunsen", channel="C2")]:
        cambodia.subscriptions.put(one)
    paused = cambodia.subscriptions.pause("T1", "C1", "The channel is archived.")
    assert {(one.channel_id, one.slug, one.paused) for one in paused} == {
        ("C1", "hunsen", "The channel is archived."),
        ("C1", "samrainsy", "The channel is archived."),
    }
    assert cambodia.subscriptions.pause("T1", "C1", "Again.") == (), "nobody is told twice"
    assert [one.channel_id for one in cambodia.subscriptions.matching(alert())] == ["C1", "C2"], "what comes waits"
    assert cambodia.subscriptions.resume("T1", "C1")
    assert [one.paused for one in cambodia.subscriptions.for_channel("T1", "C1")] == [None, None]
    assert not cambodia.subscriptions.resume("T1", "C1")


def test_a_mute_ends_by_itself_or_when_it_is_ended(cambodia: Store) -> None:
    mutes = cambodia.subscriptions
    assert mutes.muted("T1", "C1", "hunsen", NOON) is None
    mutes.mute("T1", "C1", "hunsen", until=NOON + HOUR)
    mutes.mute("T1", "C1", "hunsen", until=NOON + DAY)
    assert mutes.muted("T1", "C1", "hunsen", NOON) == NOON + DAY
    assert mutes.muted("T1", "C1", "hunsen", NOON + DAY) is None
    assert mutes.muted("T1", "C2", "hunsen", NOON) is None
    assert mutes.muted("T1", "C1", "samrainsy", NOON) is None
    assert mutes.unmute("T1", "C1", "hunsen")
    assert not mutes.unmute("T1", "C1", "hunsen")
    assert mutes.muted("T1", "C1", "hunsen", NOON) is None
