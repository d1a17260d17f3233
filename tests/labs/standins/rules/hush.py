"""An opt-in rule, for tests: it never raises an alert."""

from __future__ import annotations

from handlers.contract import Comparison, Scope, Trigger
from handlers.rule_state import StateForm

COMPARISON = Comparison(
    name="hush",
    feature="hush",
    wording={},
    summary="nothing at all",
    scope=Scope.PAGE,
    trigger=Trigger.COUNTS,
    state=StateForm(cls=type(None), version=2),
    compare=lambda _window, _state, _parameters: None,
    opt_in=True,
)
