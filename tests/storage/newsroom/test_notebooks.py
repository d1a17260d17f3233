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


def test_each_comparison_has_its_own_scopes(fresh_store: Store) -> None:
    fresh_store.rule_states.put("overtake", 0, {"cambodia": "hunsen leads", "asean": ""})
    fresh_store.rule_states.put("foreign", 1, {"hunsen": "0.42"})
    fresh_store.rule_states.put("overtake", 1, {"cambodia": "samrainsy leads"})
    assert fresh_store.rule_states.get("overtake", ["cambodia", "asean", "hunsen"]) == {
        "cambodia": (1, "samrainsy leads"),
        "asean": (0, ""),
    }
    assert fresh_store.rule_states.get("foreign", []) == {}


def test_states_of_channel_rules_are_found_by_their_comparison_and_deleted_alone(fresh_store: Store) -> None:
    fresh_store.rule_states.put("surge", 2, {"hunsen": "of the rule itself"})
    fresh_store.rule_states.put("surge>5", 2, {"hunsen": "", "samrainsy": ""})
    fresh_store.rule_states.put("surge>10", 2, {"hunsen": ""})
    fresh_store.rule_states.put("surges>5", 2, {"hunsen": "of another rule"})
    of_surge = {("surge>5", "hunsen"), ("surge>5", "samrainsy"), ("surge>10", "hunsen")}
    assert fresh_store.rule_states.channel_rule_keys("surge") == of_surge
    fresh_store.rule_states.delete([("surge>5", "hunsen"), ("surge>5", "never")])
    assert fresh_store.rule_states.channel_rule_keys("surge") == of_surge - {("surge>5", "hunsen")}
    assert fresh_store.rule_states.get("surge", ["hunsen"]) == {"hunsen": (2, "of the rule itself")}
