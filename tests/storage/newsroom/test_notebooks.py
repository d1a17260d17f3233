from __future__ import annotations

from dataclasses import replace

from storage.store import Store
from storage.values import AuditEntry
from tests.labs.standins.samples import HOUR, NOON

ENTRY = AuditEntry(
    at=NOON, team_id="T1", channel_id="C1", user_id="U1", action="track", subject="hunsen", detail="home KH"
)


def test_the_audit_tells_the_newest_first(fresh_store: Store) -> None:
    entries = [replace(ENTRY, at=NOON + hours * HOUR, team_id=f"T{hours % 2}") for hours in range(4)]
    for entry in entries:
        fresh_store.audit.add(entry)
    assert fresh_store.audit.recent() == tuple(reversed(entries))
    assert fresh_store.audit.recent(limit=1) == (entries[3],)
    assert fresh_store.audit.recent(team_id="T0") == (entries[2], entries[0])


def test_a_note_says_what_was_written_last(fresh_store: Store) -> None:
    assert fresh_store.notes.get("brake:facebook") is None
    fresh_store.notes.put("brake:facebook", "slow")
    fresh_store.notes.put("brake:facebook", "stop")
    fresh_store.notes.put("brake:bluesky", "")
    assert fresh_store.notes.get("brake:facebook") == "stop"
    assert fresh_store.notes.get("brake:bluesky") == ""


def test_each_comparison_remembers_its_own_scopes(fresh_store: Store) -> None:
    fresh_store.rule_states.put("overtake", {"cambodia": "hunsen leads", "asean": ""})
    fresh_store.rule_states.put("foreign", {"hunsen": "0.42"})
    fresh_store.rule_states.put("overtake", {"cambodia": "samrainsy leads"})
    assert fresh_store.rule_states.get("overtake", ["cambodia", "asean", "hunsen"]) == {
        "cambodia": "samrainsy leads",
        "asean": "",
    }
    assert fresh_store.rule_states.get("foreign", []) == {}


def test_what_variants_remember_is_found_by_their_rule_and_forgotten_alone(fresh_store: Store) -> None:
    fresh_store.rule_states.put("surge", {"hunsen": "of the rule itself"})
    fresh_store.rule_states.put("surge>5", {"hunsen": "", "samrainsy": ""})
    fresh_store.rule_states.put("surge>10", {"hunsen": ""})
    fresh_store.rule_states.put("surges>5", {"hunsen": "of another rule"})
    of_surge = {("surge>5", "hunsen"), ("surge>5", "samrainsy"), ("surge>10", "hunsen")}
    assert fresh_store.rule_states.variants_of("surge") == of_surge
    fresh_store.rule_states.forget([("surge>5", "hunsen"), ("surge>5", "never")])
    assert fresh_store.rule_states.variants_of("surge") == of_surge - {("surge>5", "hunsen")}
    assert fresh_store.rule_states.get("surge", ["hunsen"]) == {"hunsen": "of the rule itself"}
