"""A rule with a threshold, for tests: ``crowd>50k`` tells once that a page has 50 thousand followers or more."""

from __future__ import annotations

from handlers.contract import Comparison, Scope, Threshold, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact, Parameter
from handlers.rule_state import from_text, to_text

DEFAULT = 100


def compare(window: Window, told: bool, least: float) -> Verdict[bool] | None:
    """With a blank memory it tells what is long past as if it were now: what a variant must not begin with."""
    (slug,) = window.came
    point = window.series_states[slug].last
    if told or point.count < least:
        return None
    count = Fact(name="count", value=point.count, unit="followers", about=slug, at=point.at, source=point.source)
    alert = Alert(
        key=f"crowd:{slug}",
        story=f"crowd:{slug}",
        kind="crowd",
        feature="crowd",
        page=slug,
        at=window.now,
        facts=(count,),
        rule="So many followers or more.",
        parameters=(Parameter(name="least", value=least, unit="followers"),),
        threshold=DEFAULT,
    )
    return Verdict(alerts=(alert,), state=True)


COMPARISON = Comparison(
    name="crowd",
    feature="crowd",
    wording={
        "crowd": Wording(
            headline=lambda alert, words: f"{words.page(alert.page)} has {alert.facts[0].value:,.0f} followers.",
            lines=lambda _alert, _words: ("It is told once.",),
        )
    },
    summary="a page has very many followers",
    scope=Scope.PAGE,
    trigger=Trigger.COUNTS,
    blank=lambda: False,
    load=lambda text: bool(from_text(text)["told"]),
    dump=lambda told: to_text({"told": told}),
    compare=lambda window, told: compare(window, told, DEFAULT * 1000),
    threshold=Threshold(unit="thousand", mark="k", default=DEFAULT, least=1, most=5000, scale=1000, compare=compare),
)
