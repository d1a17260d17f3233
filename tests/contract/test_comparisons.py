"""Every comparison obeys its contract, and every kind of alert has a sentence."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from handlers.contract import Comparison, Names
from handlers.discovery import all_comparisons
from handlers.wording.guard import guard
from handlers.wording.sentences import headline, lines
from tests.labs.standins.histories import SCENES, scene

COMPARISONS = {comparison.name: comparison for comparison in all_comparisons()}
KINDS = [kind for comparison in COMPARISONS.values() for kind in comparison.kinds]


def test_the_comparisons_of_the_first_version_are_found() -> None:
    assert set(COMPARISONS) >= {"overtake", "foreign_share_of_new", "foreign_share_of_all", "foreign_majority"}


def test_every_kind_belongs_to_one_comparison() -> None:
    assert [kind for kind, times in Counter(KINDS).items() if times > 1] == []


@pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)
def test_it_declares_itself(comparison: Comparison[Any]) -> None:
    assert comparison.feature.isidentifier()
    assert comparison.kinds
    assert comparison.summary
    assert not comparison.summary.endswith(".")
    guard(comparison.summary)


@pytest.mark.parametrize("feature", sorted({comparison.feature for comparison in COMPARISONS.values()}))
def test_the_comparisons_of_a_feature_agree_on_what_it_takes_to_get_it(feature: str) -> None:
    rules = [comparison for comparison in COMPARISONS.values() if comparison.feature == feature]
    assert len({rule.opt_in for rule in rules}) == 1
    thresholds = [rule.threshold for rule in rules if rule.threshold]
    assert len({(one.unit, one.mark, one.default, one.least, one.most) for one in thresholds}) <= 1
    for one in thresholds:
        assert one.unit
        assert 0 < one.least <= one.default <= one.most < 1_000_000, "so that it is written without an exponent"


@pytest.mark.parametrize("kind", KINDS)
def test_its_alert_says_by_which_threshold_it_was_raised(kind: str) -> None:
    comparison = next(each for each in COMPARISONS.values() if kind in each.kinds)
    alert = scene(kind)
    assert alert.threshold == (comparison.threshold.default if comparison.threshold else None)
    assert not alert.tuned


@pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)
def test_its_initial_state_survives_the_store(comparison: Comparison[Any]) -> None:
    form = comparison.state
    assert form.load(form.version, form.dump(form.initial())) == form.initial()


@pytest.mark.parametrize("kind", KINDS)
def test_its_state_survives_the_store(kind: str) -> None:
    replay = SCENES[kind]()
    assert replay.rule_states
    before = dict(replay.rule_states)
    replay.restart()
    assert replay.rule_states == before


@pytest.mark.parametrize("kind", KINDS)
def test_its_alert_can_be_said(kind: str) -> None:
    alert = scene(kind)
    words = Names(page=lambda slug: f"Page {slug}", country=lambda code: f"Country {code}")
    said = [headline(alert, words), *lines(alert, words)]
    assert all(text and text == text.strip() and text.endswith((".", "?")) for text in said[:2])
    assert "Page a" in " ".join(said)
    assert not any(mark in text for text in said for mark in ("*", "`", "<", ">", "  "))


@pytest.mark.parametrize("kind", KINDS)
def test_its_alert_carries_its_evidence(kind: str) -> None:
    alert = scene(kind)
    comparison = next(each for each in COMPARISONS.values() if kind in each.kinds)
    assert alert.feature == comparison.feature
    assert alert.kind in alert.key
    assert alert.page in alert.key
    assert alert.rule
    assert alert.parameters
    assert any(fact.source and fact.at for fact in alert.facts)
