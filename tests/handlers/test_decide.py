from __future__ import annotations

from datetime import timedelta

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window
from handlers.decide import Arrivals, Decision, KnownState, decide
from handlers.model import Alert, Standing
from handlers.parameter_types import Parameters
from handlers.rule_state import StateForm
from tests.labs.standins.histories import START, Replay, by_country, page, reading


def _noted(window: Window, seen: tuple[Window, ...], _: Parameters) -> Verdict[tuple[Window, ...]]:
    alert = Alert(
        key=f"seen:{window.scope}", story="s", kind="seen", feature="seen", page="a", at=window.now, facts=(), rule=""
    )
    return Verdict(alerts=(alert,), state=(*seen, window))


def _spy(scope: Scope, trigger: Trigger) -> Comparison[tuple[Window, ...]]:
    return Comparison(
        name="spy",
        feature="seen",
        wording={},
        summary="",
        scope=scope,
        trigger=trigger,
        state=StateForm(cls=tuple, version=2),
        compare=_noted,
    )


PAGES = {slug: page(slug, "g") for slug in ("a", "b", "c")}
WORLD = KnownState(pages=PAGES, groups={"g": ("a", "b"), "h": ("c",)})


def _decided(arrivals: Arrivals, scope: Scope, trigger: Trigger, world: KnownState = WORLD) -> Decision:
    return decide(world, arrivals, START + timedelta(days=9), (_spy(scope, trigger),))


def test_a_group_is_asked_once_about_all_that_came() -> None:
    decision = _decided(
        Arrivals(readings=(reading("b", 0, 5), reading("a", 0, 7), reading("a", 1, 8))), Scope.GROUP, Trigger.COUNTS
    )
    (window,) = decision.rule_states["spy", "g"]
    assert (window.scope, window.changed) == ("g", ("a", "b"))
    assert {slug: track.last.count for slug, track in window.series_states.items()} == {"a": 8, "b": 5}
    assert window.now == START + timedelta(hours=1)
    assert decision.series_states == window.series_states
    assert [alert.key for alert in decision.alerts] == ["seen:g"]


def test_a_page_is_asked_about_its_own() -> None:
    decision = _decided(Arrivals(readings=(reading("c", 0, 5), reading("a", 0, 7))), Scope.PAGE, Trigger.COUNTS)
    assert sorted(scope for _, scope in decision.rule_states) == ["a", "c"]


def test_audiences_wake_only_those_who_wait_for_them() -> None:
    arrivals = Arrivals(audiences=(by_country("a", 0, 100, {"KH": 60}),))
    assert _decided(arrivals, Scope.PAGE, Trigger.COUNTS).rule_states == {}
    ((window,),) = _decided(arrivals, Scope.PAGE, Trigger.AUDIENCE).rule_states.values()
    assert window.audience == window.new_audience == arrivals.audiences


def test_an_audience_reading_that_is_late_is_kept_and_wakes_nothing() -> None:
    world = KnownState(pages=PAGES, audiences={"a": (by_country("a", 5, 100, {"KH": 60}),)})
    late = by_country("a", 4, 100, {"KH": 70})
    decision = _decided(Arrivals(audiences=(late,)), Scope.PAGE, Trigger.AUDIENCE, world)
    assert (decision.audiences, decision.rule_states) == ((late,), {})


def test_an_audience_reading_known_already_is_nothing_new() -> None:
    known = by_country("a", 5, 100, {"KH": 60})
    decision = _decided(
        Arrivals(audiences=(known,)), Scope.PAGE, Trigger.AUDIENCE, KnownState(pages=PAGES, audiences={"a": (known,)})
    )
    assert (decision.audiences, decision.rule_states) == ((), {})


def test_held_and_late_readings_wake_nothing() -> None:
    replay = Replay(tuple(PAGES.values()), ())
    replay.arrive(reading("a", 5, 10_000))
    world = KnownState(pages=PAGES, groups={"g": ("a",)}, series_states=replay.series_states)
    arrivals = Arrivals(readings=(reading("a", 6, 99_000), reading("a", 4, 9_990)))
    decision = _decided(arrivals, Scope.GROUP, Trigger.COUNTS, world)
    assert [validated.standing for validated in decision.readings] == [Standing.LATE, Standing.HELD]
    assert decision.rule_states == {}


def test_readings_are_judged_in_the_order_in_which_they_could_be_known() -> None:
    arrivals = Arrivals(readings=(reading("a", 2, 30), reading("a", 1, 20, delay_hours=9), reading("a", 0, 10)))
    decision = _decided(arrivals, Scope.PAGE, Trigger.COUNTS)
    assert [validated.reading.count for validated in decision.readings] == [10, 30, 20]
    assert [validated.standing for validated in decision.readings] == [
        Standing.ACCEPTED,
        Standing.ACCEPTED,
        Standing.LATE,
    ]


def test_it_names_the_held_readings_that_count_from_now_on() -> None:
    readings = tuple(reading("a", hours, count) for hours, count in ((0, 1_000), (1, 5_000), (9, 5_001), (14, 5_002)))
    decision = _decided(Arrivals(readings=readings), Scope.PAGE, Trigger.COUNTS)
    assert decision.confirmed == {"a": ((START + timedelta(hours=1), START + timedelta(hours=9)),)}


def test_a_page_nobody_knows_is_judged_and_compared_with_nothing() -> None:
    decision = _decided(Arrivals(readings=(reading("stranger", 0, 5),)), Scope.PAGE, Trigger.COUNTS)
    assert decision.readings[0].standing is Standing.ACCEPTED
    assert decision.rule_states == {}


def test_nothing_in_nothing_out() -> None:
    decision = _decided(Arrivals(), Scope.GROUP, Trigger.COUNTS)
    assert (decision.readings, decision.series_states, decision.alerts) == ((), {}, ())
