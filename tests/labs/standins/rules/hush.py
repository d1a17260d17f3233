"""An opt-in rule, for tests: it never has anything to tell."""

from __future__ import annotations

from handlers.contract import Comparison, Scope, Trigger

COMPARISON = Comparison(
    name="hush",
    feature="hush",
    wording={},
    summary="nothing at all",
    scope=Scope.PAGE,
    trigger=Trigger.COUNTS,
    blank=lambda: None,
    load=lambda _text: None,
    dump=lambda _memory: "",
    compare=lambda _window, _memory: None,
    opt_in=True,
)
