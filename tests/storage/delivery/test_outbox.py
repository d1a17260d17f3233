from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from storage.store import Store
from storage.values import Delivery, DeliveryState
from tests.labs.standins.samples import HOUR, NOON, alert, wish

SECOND = timedelta(seconds=1)


def put(store: Store, *keys: str, channels: tuple[str, ...] = ("C1",)) -> None:
    for key in keys:
        store.outbox.put(alert(key), [wish(channel=channel) for channel in channels], at=NOON)


def claimed(store: Store, now: datetime) -> Delivery:
    delivery = store.outbox.claim(now)
    assert delivery is not None
    return delivery


def keys_sent(store: Store, now: datetime) -> list[tuple[str, str]]:
    """Everything that may be claimed at once, each settled as sent an hour before ``now``."""
    sent = []
    while delivery := store.outbox.claim(now):
        store.outbox.mark_sent(delivery.id, "1.0", at=now - HOUR, pace=timedelta(seconds=1))
        sent.append((delivery.alert.key, delivery.channel_id))
    return sent


def test_a_channel_gets_an_alert_once(cambodia: Store) -> None:
    wishes = [wish(), wish("cambodia"), wish(channel="C2"), wish(team="T2")]
    assert cambodia.outbox.put(alert(), wishes, at=NOON) == 3
    assert cambodia.outbox.put(alert(), wishes, at=NOON) == 0
    assert cambodia.outbox.put(alert("none"), [], at=NOON) == 0
    assert cambodia.alerts.get(alert().key) is not None, "what is delivered is kept"


def test_it_claims_the_oldest_and_says_all_about_it(cambodia: Store) -> None:
    cambodia.outbox.put(alert(), [wish()], at=NOON, replayed=True)
    delivery = claimed(cambodia, NOON + SECOND)
    assert delivery == Delivery(
        id=delivery.id,
        alert=alert(),
        team_id="T1",
        channel_id="C1",
        state=DeliveryState.SENDING,
        replayed=True,
        attempts=0,
        claimed_at=NOON + SECOND,
    )
    assert cambodia.outbox.unsettled() == (delivery,)


def test_nothing_else_of_a_channel_is_claimed_while_one_is_being_sent(cambodia: Store) -> None:
    put(cambodia, "a", "b", channels=("C1", "C2"))
    assert [(one.alert.key, one.channel_id) for one in (claimed(cambodia, NOON), claimed(cambodia, NOON))] == [
        ("a", "C1"),
        ("a", "C2"),
    ]
    assert cambodia.outbox.claim(NOON + HOUR) is None
    assert cambodia.outbox.next_at(NOON) is None, "settling comes first"


def test_a_channel_is_posted_to_once_a_second(cambodia: Store) -> None:
    put(cambodia, "a", "b")
    cambodia.outbox.mark_sent(claimed(cambodia, NOON).id, "1.0", at=NOON, pace=timedelta(seconds=1))
    assert cambodia.outbox.claim(NOON + SECOND / 2) is None
    assert cambodia.outbox.next_at(NOON + SECOND / 2) == NOON + SECOND
    assert claimed(cambodia, NOON + SECOND).alert.key == "b"
    assert cambodia.outbox.next_at(NOON) is None


def test_what_may_be_claimed_at_once_is_next_now(cambodia: Store) -> None:
    assert cambodia.outbox.next_at(NOON) is None
    put(cambodia, "a")
    assert cambodia.outbox.next_at(NOON) == NOON


def test_a_waiting_channel_keeps_its_order_and_holds_up_nobody(cambodia: Store) -> None:
    put(cambodia, "a", "b", channels=("C1", "C2"))
    first = claimed(cambodia, NOON)
    cambodia.outbox.retry(first.id, at=NOON, not_before=NOON + 30 * SECOND, why="Slack asked us to wait 30 s")
    assert keys_sent(cambodia, NOON) == [("a", "C2"), ("b", "C2")]
    assert cambodia.outbox.next_at(NOON) == NOON + 30 * SECOND
    again = claimed(cambodia, NOON + 30 * SECOND)
    assert (again.id, again.attempts, again.trouble) == (first.id, 1, "Slack asked us to wait 30 s")


def test_a_wait_outlives_a_restart(database: Path) -> None:
    store = Store.open(database)
    put(store, "a")
    store.outbox.retry(claimed(store, NOON).id, at=NOON, not_before=NOON + HOUR, why="Retry-After")
    store.close()
    store = Store.open(database)
    assert store.outbox.claim(NOON + HOUR - SECOND) is None
    assert claimed(store, NOON + HOUR).alert.key == "a"
    store.close()


def test_what_was_being_sent_at_a_crash_is_found(database: Path) -> None:
    store = Store.open(database)
    put(store, "a", "b")
    found = claimed(store, NOON)
    store.close()
    store = Store.open(database)
    assert store.outbox.unsettled() == (found,)
    store.outbox.mark_sent(found.id, "1.0", at=NOON, pace=timedelta(seconds=1))
    assert store.outbox.unsettled() == ()
    assert claimed(store, NOON + HOUR).alert.key == "b"
    store.close()


def test_a_shorter_wait_does_not_cut_a_longer_one(cambodia: Store) -> None:
    put(cambodia, "a", "b")
    first = claimed(cambodia, NOON)
    cambodia.outbox.retry(first.id, at=NOON, not_before=NOON + HOUR, why="Retry-After")
    cambodia.outbox.mark_sent(first.id, "1.0", at=NOON, pace=timedelta(seconds=1))
    assert cambodia.outbox.next_at(NOON) == NOON + HOUR


def test_alerts_of_a_story_share_the_channels_card(cambodia: Store) -> None:
    put(cambodia, "a", "b", "c", "d", channels=("C1",))
    first = claimed(cambodia, NOON)
    assert first.card_ts is None
    cambodia.outbox.mark_sent(first.id, "100.1", at=NOON, pace=timedelta(seconds=1))
    second = claimed(cambodia, NOON + HOUR)
    assert second.card_ts == "100.1"
    cambodia.outbox.mark_sent(second.id, "100.2", at=NOON, pace=timedelta(seconds=1), card_ts="100.1")
    third = claimed(cambodia, NOON + HOUR)
    assert third.card_ts == "100.1"
    cambodia.outbox.mark_sent(third.id, "100.3", at=NOON, pace=timedelta(seconds=1))
    assert claimed(cambodia, NOON + HOUR).card_ts == "100.3", "a story posted anew has a new card"


def test_a_channel_where_the_story_was_never_posted_has_no_card(cambodia: Store) -> None:
    put(cambodia, "a", "b", channels=("C1", "C2"))
    cambodia.outbox.mark_sent(claimed(cambodia, NOON).id, "100.1", at=NOON, pace=timedelta(seconds=1))
    cambodia.outbox.drop(claimed(cambodia, NOON).id, "muted")
    cards = {one.channel_id: one.card_ts for one in (claimed(cambodia, NOON + HOUR), claimed(cambodia, NOON + HOUR))}
    assert cards == {"C1": "100.1", "C2": None}


def test_a_story_of_its_own_has_no_card_yet(cambodia: Store) -> None:
    cambodia.outbox.put(alert("a", story="one"), [wish()], at=NOON)
    cambodia.outbox.put(alert("b", story="two"), [wish()], at=NOON)
    cambodia.outbox.mark_sent(claimed(cambodia, NOON).id, "1.0", at=NOON, pace=timedelta(seconds=1))
    assert claimed(cambodia, NOON + HOUR).card_ts is None


def test_it_counts_what_is_in_each_state(cambodia: Store) -> None:
    put(cambodia, "a", "b", channels=("C1", "C2", "C3", "C4"))
    cambodia.outbox.mark_sent(claimed(cambodia, NOON).id, "1.0", at=NOON, pace=timedelta(seconds=1))
    cambodia.outbox.fail(claimed(cambodia, NOON).id, "archived")
    cambodia.outbox.drop(claimed(cambodia, NOON).id, "unsubscribed")
    claimed(cambodia, NOON)
    assert cambodia.outbox.counts_by_state() == {
        "pending": 4,
        "sending": 1,
        "sent": 1,
        "failed": 1,
        "dropped": 1,
        "paused": 0,
    }


def test_many_that_wait_are_claimed_together_and_sent_together(cambodia: Store) -> None:
    put(cambodia, *"abcdef", channels=("C1", "C2"))
    first = claimed(cambodia, NOON)
    behind = cambodia.outbox.claim_behind(first, more_than=3, most=4)
    assert [(one.alert.key, one.channel_id, one.state) for one in behind] == [
        ("b", "C1", DeliveryState.SENDING),
        ("c", "C1", DeliveryState.SENDING),
        ("d", "C1", DeliveryState.SENDING),
    ]
    assert set(cambodia.outbox.unsettled()) == {first, *behind}
    cambodia.outbox.mark_sent_together(
        [first.id, *(one.id for one in behind)], "1.0", at=NOON, pace=timedelta(seconds=1)
    )
    following = claimed(cambodia, NOON + SECOND)
    assert (following.alert.key, following.channel_id) == ("a", "C2")
    last = claimed(cambodia, NOON + SECOND)
    assert (last.alert.key, last.card_ts) == ("e", None), "a list is no story's card"
    assert cambodia.outbox.claim_behind(last, more_than=3, most=4) == (), "two are few"


def test_a_held_team_waits_in_every_channel_and_other_teams_do_not(database: Path) -> None:
    store = Store.open(database)
    wishes = [wish(channel="C1"), wish(channel="C2"), wish(team="T2")]
    store.outbox.put(alert("a"), wishes, at=NOON)
    store.outbox.hold_team("T1", at=NOON, until=NOON + HOUR)
    store.close()
    store = Store.open(database)
    assert claimed(store, NOON).team_id == "T2"
    assert store.outbox.claim(NOON) is None
    assert store.outbox.next_at(NOON) == NOON + HOUR
    assert claimed(store, NOON + HOUR).team_id == "T1"
    store.close()


def test_a_clock_that_was_set_back_ends_every_wait(cambodia: Store) -> None:
    put(cambodia, "a", "b")
    cambodia.outbox.mark_sent(claimed(cambodia, NOON).id, "1.0", at=NOON, pace=timedelta(seconds=1))
    cambodia.outbox.hold_team("T1", at=NOON, until=NOON + SECOND)
    assert cambodia.outbox.next_at(NOON - HOUR) == NOON - HOUR
    again = claimed(cambodia, NOON - HOUR)
    cambodia.outbox.retry(again.id, at=NOON - HOUR, not_before=NOON - HOUR + SECOND, why="ratelimited")
    assert cambodia.outbox.next_at(NOON - HOUR) == NOON - HOUR + SECOND, "what is asked for now holds now"


def test_what_waits_in_a_paused_channel_is_counted_apart_and_claimed_when_it_goes_on(cambodia: Store) -> None:
    put(cambodia, "a", "b", channels=("C1", "C2"))
    cambodia.subscriptions.put(wish())
    cambodia.subscriptions.pause("T1", "C1", "archived")
    assert keys_sent(cambodia, NOON) == [("a", "C2"), ("b", "C2")]
    assert (cambodia.outbox.counts_by_state()["pending"], cambodia.outbox.counts_by_state()["paused"]) == (0, 2)
    assert cambodia.outbox.next_at(NOON) is None
    assert [one.alert.key for one in cambodia.outbox.pending("T1", "C1")] == ["a", "b"]
    cambodia.subscriptions.resume("T1", "C1")
    assert keys_sent(cambodia, NOON) == [("a", "C1"), ("b", "C1")]


def test_what_waited_too_long_in_a_channel_can_be_let_go(cambodia: Store) -> None:
    put(cambodia, "a", channels=("C1", "C2"))
    cambodia.outbox.put(alert("b"), [wish()], at=NOON + HOUR)
    assert cambodia.outbox.drop_older("T1", "C1", older_than=NOON + HOUR, why="too old") == 1
    assert keys_sent(cambodia, NOON + HOUR) == [("a", "C2"), ("b", "C1")]
