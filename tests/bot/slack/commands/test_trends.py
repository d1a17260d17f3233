from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import LikewatchError
from bot.platforms.contract import Profile, Reference
from bot.rules.alert_types import default_features, features
from bot.slack.contract import Reply, Slash
from bot.slack.discovery import find_command
from bot.slack.render import block_kit
from handlers.model import Metric
from storage.store import Store
from storage.values import Target
from tests.labs.standins import blockkit
from tests.labs.standins.asked import NOW, ask, call, daily, overtake, watch

HUNSEN = Profile(
    platform="facebook",
    native_id="4242",
    handle="hunsencambodia",
    name="Samdech Hun Sen",
    url="https://www.facebook.com/hunsencambodia",
    count=14_100_000,
    low=14_100_000,
    high=14_100_000,
    metric=Metric.LIKES,
)
TEAM, CHANNEL = "T0PAPER", "C0NEWSROOM"


def track(store: Store, text: str, profile: Profile = HUNSEN) -> Reply:
    asked = replace(call(f"trends track {text}"), profile=profile, poll_every=timedelta(minutes=30))
    command, _ = find_command(Slash.TRENDS, "track")
    return command.run(asked, store, NOW)


def words(reply: Reply) -> str:
    return blockkit.words(block_kit.reply_blocks(reply, "trends"))


def notice(reply: Reply) -> str:
    return block_kit.plain(reply.notice or "")


def audited(store: Store) -> list[tuple[str, str, str]]:
    return [(entry.action, entry.subject, entry.user_id) for entry in store.audit.recent(team_id=TEAM)]


def test_track_asks_the_platform_for_what_was_pasted() -> None:
    command, rest = find_command(Slash.TRENDS, "track https://www.facebook.com/hunsencambodia as hunsen")
    assert command.lookup is not None
    asked = replace(call("trends track x"), text=rest)
    assert command.lookup(asked) == Reference(platform="facebook", key="hunsencambodia")


def test_track_watches_a_page(store: Store) -> None:
    reply = track(store, "facebook.com/hunsencambodia as hunsen home Cambodia in cambodia, asia")
    page = store.pages.get("hunsen")
    account = store.pages.account("hunsen")
    assert page is not None
    assert account is not None
    assert (page.name, page.home, sorted(page.groups)) == ("Samdech Hun Sen", "KH", ["asia", "cambodia"])
    assert (account.native_id, account.poll_every) == ("4242", timedelta(minutes=30))
    assert [due.page for due in store.pages.due(NOW)] == ["hunsen"]
    said = words(reply)
    assert "Samdech Hun Sen is watched now" in said
    assert "14,100,000 likes, read just now from Facebook" in said
    assert "then every 30 minutes" in said
    assert "Next: /trends subscribe hunsen" in said
    assert notice(reply).startswith("@U0EDITOR started watching hunsen (Samdech Hun Sen on Facebook), home Cambodia")
    assert audited(store) == [("track", "hunsen", "U0EDITOR")]


def test_track_without_a_home_says_what_that_costs(store: Store) -> None:
    assert "Without a home country I cannot tell foreign likes from likes at home" in words(
        track(store, "@hunsencambodia")
    )
    assert store.pages.get("hunsencambodia") is not None


def test_track_of_a_page_already_watched_brings_it_up_to_date(store: Store) -> None:
    track(store, "@hunsencambodia as hunsen")
    reply = track(store, "@hunsencambodia as pm home UK in cambodia")
    page = store.pages.find("pm")
    assert page is not None
    assert (page.slug, page.home, page.groups) == ("hunsen", "GB", ("cambodia",))
    assert "was watched already, and is up to date now" in words(reply)


def test_track_gives_an_imported_page_its_account(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10), polled_at=None)
    track(store, "@hunsencambodia as hunsen")
    account = store.pages.account("hunsen")
    assert account is not None
    assert account.native_id == "4242"


def test_track_refuses_a_slug_that_means_another_page_and_suggests_one(store: Store) -> None:
    track(store, "@hunsencambodia as hunsen")
    other = replace(HUNSEN, native_id="7", handle="hunsen.fans", name="Fans")
    with pytest.raises(
        LikewatchError, match=r"“hunsen” already means Samdech Hun Sen, another page. Try: as hunsen-facebook"
    ):
        track(store, "@hunsenfans as hunsen", other)
    assert store.pages.by_account("facebook", "7") is None


def test_track_makes_a_slug_that_is_free(store: Store) -> None:
    track(store, "@hunsencambodia")
    other = replace(HUNSEN, platform="bluesky", native_id="did:plc:1", handle="hunsencambodia.bsky.social")
    track(store, "hunsencambodia.bsky.social", other)
    page = store.pages.by_account("bluesky", "did:plc:1")
    assert page is not None
    assert page.slug == "hunsencambodia-2"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Say which page to watch"),
        ("@hunsen please", "I do not understand “please” after the page"),
        ("@hunsen as", "Something is missing after “as”"),
        ("@hunsen home KH home TH", "“home” is there twice"),
        ("@hunsen home Atlantis", "I know no country “Atlantis”"),
        ("@hunsen as Hun!Sen", "“Hun!Sen” cannot be a page's short name.* Try: as hun-sen"),
        ("@hunsen as help", "Try: as help-2"),
        ("@hunsen as 90d", "Try: as 90d-2"),
        ("@hunsen in !!!", "“!!!” cannot be a group's name"),
        ("@hunsen on myspace", "“myspace” is not a platform"),
        ("https://x.com/hunsen", "X is not supported yet"),
    ],
)
def test_track_names_what_it_does_not_understand(store: Store, text: str, sentence: str) -> None:
    with pytest.raises(LikewatchError, match=sentence):
        track(store, text)
    assert store.is_empty()


def test_untrack_stops_watching(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    reply = ask(store, "trends untrack hunsen")
    assert store.pages.get("hunsen") is None
    assert notice(reply) == "@U0EDITOR stopped watching hunsen, for every channel"
    assert audited(store) == [("untrack", "hunsen", "U0EDITOR")]


def test_subscribe_turns_every_feature_on_that_is_not_opt_in(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    reply = ask(store, "trends subscribe Hunsen")
    saved = store.subscriptions.get(TEAM, CHANNEL, Target.PAGE, "hunsen")
    assert saved is not None
    assert saved.features == default_features()
    assert notice(reply) == f"@U0EDITOR subscribed this channel to hunsen: {', '.join(default_features())}"
    assert audited(store) == [("subscribe", "hunsen", "U0EDITOR")]
    assert "In the past 30 days it would have posted nothing here." in words(reply)


def test_features_named_later_are_added(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    first, second, *_ = features()
    ask(store, f"trends subscribe hunsen {second}")
    ask(store, f"trends subscribe hunsen {first.upper()},")
    saved = store.subscriptions.get(TEAM, CHANNEL, Target.PAGE, "hunsen")
    assert saved is not None
    assert saved.features == (first, second)


def test_subscribe_takes_a_group(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    ask(store, "trends subscribe cambodia overtake")
    assert store.subscriptions.get(TEAM, CHANNEL, Target.GROUP, "cambodia") is not None


def test_subscribe_says_what_it_would_have_posted(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 10), name="Hun Sen")
    watch(store, "samrainsy", daily(2_094_800, 10), name="Sam Rainsy")
    told = NOW - timedelta(days=3)
    store.alerts.add([overtake(at=told, kind="ahead"), overtake(at=told + timedelta(days=1))], at=NOW)
    store.alerts.add([replace(overtake(at=NOW - timedelta(days=40)), story="older")], at=NOW)
    said = words(ask(store, "trends subscribe samrainsy"))
    assert "In the past 30 days it would have posted 1 alert here:" in said
    assert "• 22 November 2026: Hun Sen now has more likes than Sam Rainsy" in said
    other = next(feature for feature in features() if feature != "overtake")
    assert "posted nothing" in words(ask(store, f"trends subscribe hunsen {other}"))


def test_subscribe_says_since_when_it_can_tell(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10, days=3, until=NOW))
    watch(store, "fresh", [])
    assert "In the 3 days since its first figure it would have posted nothing here." in words(
        ask(store, "trends subscribe hunsen")
    )
    assert "No figure of it is stored yet" in words(ask(store, "trends subscribe fresh"))


@pytest.mark.parametrize(
    ("feature", "sentence"),
    [
        ("milestones!", "“milestones!” is not a feature. The features are: "),
        ("overtake>10", "“overtake>10”: overtake has no threshold. What can be set.*surge>3.2x"),
    ],
)
def test_subscribe_names_a_feature_that_is_none(store: Store, feature: str, sentence: str) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    with pytest.raises(LikewatchError, match=sentence):
        ask(store, f"trends subscribe hunsen {feature}")
    assert store.subscriptions.for_channel(TEAM, CHANNEL) == ()


def test_subscribe_to_a_typo_asks_again_with_the_features(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    (button, *_) = ask(store, "trends subscribe hunsne overtake").card.buttons
    assert "trends subscribe hunsen overtake" in str(button)


def test_unsubscribe_takes_back_a_feature_or_everything(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    ask(store, "trends subscribe hunsen")
    first, *others = default_features()
    reply = ask(store, f"trends unsubscribe hunsen {first}")
    saved = store.subscriptions.get(TEAM, CHANNEL, Target.PAGE, "hunsen")
    assert saved is not None
    assert saved.features == tuple(others)
    assert notice(reply) == f"@U0EDITOR unsubscribed this channel from hunsen: {first}"
    ask(store, "trends unsubscribe hunsen")
    assert store.subscriptions.for_channel(TEAM, CHANNEL) == ()


def test_unsubscribe_from_a_page_that_comes_with_a_group_offers_what_ends_it(store: Store) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    ask(store, "trends subscribe cambodia")
    reply = ask(store, "trends unsubscribe hunsen")
    assert "Its alerts come with the subscription to cambodia" in words(reply)
    assert [getattr(button, "query", "") for button in reply.card.buttons] == [
        "trends unsubscribe cambodia",
        "trends mute hunsen 1w",
    ]
    assert reply.notice is None


def test_list_shows_what_the_channel_gets(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 10), name="Hun Sen")
    assert ask(store, "trends list").card.headline == "This channel is subscribed to nothing"
    ask(store, "trends subscribe hunsen overtake")
    ask(store, "trends mute hunsen 1d")
    store.subscriptions.pause(TEAM, CHANNEL, "The channel is archived.")
    said = words(ask(store, "trends list"))
    assert "*hunsen*: overtake" in said
    assert "• Hun Sen (hunsen): 2,108,800 likes, read 4 minutes ago; muted until <!date^" in said
    assert "Paused: The channel is archived." in said


def test_list_features_tells_each(store: Store) -> None:
    said = words(ask(store, "trends list features"))
    for name, feature in features().items():
        assert f"*{name}*: " in said
        assert block_kit.escape(feature.summary) in said


def test_list_of_something_else_is_named(store: Store) -> None:
    with pytest.raises(LikewatchError, match="“nonsense”"):
        ask(store, "trends list nonsense")


@pytest.mark.parametrize(("text", "length"), [("1h", 1), ("1d", 24), ("1w", 168), ("", 24)])
def test_mute_keeps_a_page_quiet_for_a_while(store: Store, text: str, length: int) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    reply = ask(store, f"trends mute hunsen {text}")
    until = store.subscriptions.muted(TEAM, CHANNEL, "hunsen", NOW)
    assert until == NOW + timedelta(hours=length)
    assert notice(reply).startswith("@U0EDITOR muted hunsen here for ")
    assert store.subscriptions.muted(TEAM, "C0OTHER", "hunsen", NOW) is None
    assert notice(ask(store, "trends unmute hunsen")) == "@U0EDITOR unmuted hunsen here"
    assert store.subscriptions.muted(TEAM, CHANNEL, "hunsen", NOW) is None
    assert ask(store, "trends unmute hunsen").notice is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Say which page to mute"),
        ("1d", "Say which page to mute"),
        ("hunsen 40w", "at most 4 weeks"),
        ("cambodia 1d", "cambodia is a group. Mute one of its pages: hunsen."),
    ],
)
def test_mute_says_what_is_wrong(store: Store, text: str, sentence: str) -> None:
    watch(store, "hunsen", daily(2_000_000, 10))
    with pytest.raises(LikewatchError, match=sentence):
        ask(store, f"trends mute {text}")


def test_alerts_lists_the_newest_with_their_dates(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 10), name="Hun Sen")
    watch(store, "samrainsy", daily(2_094_800, 10), name="Sam Rainsy")
    assert ask(store, "trends alerts").card.headline == "No alerts of all pages yet"
    store.alerts.add([overtake(at=NOW - timedelta(days=3))], at=NOW, replayed=True)
    for text in ("alerts", "alerts hunsen", "alerts samrainsy", "alerts cambodia"):
        said = words(ask(store, f"trends {text}"))
        assert "*21 November 2026*: Hun Sen now has more likes than Sam Rainsy" in said
        assert "(replayed)" in said


def test_groups_lists_the_rivals(store: Store) -> None:
    watch(store, "hunsen", daily(2_108_800, 10))
    watch(store, "alone", daily(2_108_800, 10), groups=())
    said = words(ask(store, "trends groups"))
    assert "*cambodia*: hunsen" in said
    assert "*In no group*: alone" in said
    assert "likewatch import FILE --group &lt;group&gt;" in said


def test_what_is_not_a_command_is_named_and_a_near_one_offered(store: Store) -> None:
    reply = ask(store, "trends subscrbe hunsen")
    assert reply.card.headline == "I do not understand “/trends subscrbe hunsen”"
    assert "trends subscribe hunsen" in str(reply.card.buttons)
