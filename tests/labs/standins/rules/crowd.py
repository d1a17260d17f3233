"""A rule with a threshold, for tests: ``crowd>50k`` raises an alert once a page has 50 thousand followers or more."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.contract import Comparison, Scope, Trigger, Verdict, Window, Wording
from handlers.model import Alert, Fact
from handlers.parameter_types import Parameters, parameter
from handlers.rule_state import StateForm


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdParameters(Parameters):
    """The one number of this rule."""

    least: float = parameter(100_000, "followers", "least")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdState:
    """Whether the alert was raised."""

    told: bool = False


def compare(window: Window, state: CrowdState, parameters: CrowdParameters) -> Verdict[CrowdState] | None:
    """Raise an alert once; with an initial state even about what is long past, which a preview must prevent."""
    (slug,) = window.changed
    point = window.series_states[slug].last
    if state.told or point.count < parameters.least:
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
        parameters=parameters.listed(),
    )
    return Verdict(alerts=(alert,), state=CrowdState(told=True))


_PARAMETERS = CrowdParameters()

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
    parameters=_PARAMETERS,
    threshold=_PARAMETERS.threshold("least", unit="thousand", mark="k", least=1, most=5000, scale=1000),
    state=StateForm(cls=CrowdState, version=2),
    compare=compare,
)
