"""The journal gives back exactly what was put into it, in its order, whatever the numbers are."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.decide import Arrivals
from handlers.model import Page, PageStatus, PageTrouble
from storage.series.journal import Batches
from storage.store import Store
from tests.labs.standins.samples import NOON, audiences, instants, readings, texts

PAGES = {slug: Page(slug=slug, name=slug, platform="told", groups=("asean",)) for slug in ("hunsen", "samrainsy")}

statuses = st.builds(
    PageStatus, page=st.just("hunsen"), at=instants, trouble=st.none() | st.sampled_from(PageTrouble), detail=texts
)
of_two_pages = st.tuples(readings, st.sampled_from(sorted(PAGES))).map(lambda one: replace(one[0], page=one[1]))
figures = st.builds(
    Arrivals,
    readings=st.lists(of_two_pages, max_size=4).map(tuple),
    audiences=st.lists(audiences, max_size=2).map(tuple),
    page_statuses=st.lists(statuses, max_size=2).map(tuple),
)
batches = st.lists(st.tuples(instants, figures), min_size=1, max_size=3)
endings = st.sampled_from(("", "", "restart", "undo"))


@settings(max_examples=20, deadline=None)  # a database on disk for each
@given(history=st.lists(st.tuples(batches, endings), max_size=5))
def test_what_was_added_is_read_back(history: list[tuple[Batches, str]]) -> None:
    with TemporaryDirectory() as folder:
        path, kept = Path(folder) / "likewatch.db", list[Batches]()
        store = Store.open(path)
        for page in PAGES.values():
            store.pages.add(page, None, at=NOON)
        for number, (added, ending) in enumerate(history):
            with suppress(ZeroDivisionError), store.write():
                store.journal.add(added, pages=PAGES, rules=str(number // 2))
                if ending == "undo":
                    raise ZeroDivisionError
            if ending == "restart":
                store.close()
                store = Store.open(path)
            if ending != "undo":
                kept.append(added)
        _, *entries = store.journal.entries()
        assert [entry.batches for entry in entries] == kept
        assert store.journal.size() == len(kept)
        assert [dict(entry.pages) for entry in entries] == [PAGES, *[{}] * (len(kept) - 1)][: len(kept)]
        store.close()


def test_pages_and_rules_are_written_when_they_change(store: Store) -> None:
    nothing: Batches = [(NOON, Arrivals())]
    hunsen = PAGES["hunsen"]
    for pages, rules in (({}, "a"), (PAGES, "a"), (PAGES, "b"), ({"hunsen": replace(hunsen, home="KH")}, "b")):
        store.journal.add(nothing, pages=pages, rules=rules)
    _, *entries = store.journal.entries()
    assert [entry.rules for entry in entries] == ["a", None, "b", None]
    assert [entry.pages for entry in entries] == [
        {},
        PAGES,
        {},
        {"hunsen": replace(hunsen, home="KH"), "samrainsy": None},
    ]


def test_rule_states_that_were_set_belong_to_the_entry_before(store: Store) -> None:
    store.journal.set_rule_states({("surge>5", "hunsen"): (3, "{}")})
    store.journal.add([(NOON, Arrivals())], pages={}, rules="")
    store.journal.set_rule_states({("surge>5", "hunsen"): None, ("surge>6", "hunsen"): (3, "{}")})
    assert [entry.rule_states for entry in store.journal.entries()] == [
        {("surge>5", "hunsen"): (3, "{}")},
        {("surge>5", "hunsen"): None, ("surge>6", "hunsen"): (3, "{}")},
    ]
