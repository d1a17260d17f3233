"""The command line as an operator uses it."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlite_utils

from bot.evidence.reread import import_records
from storage.store import Store
from tests.labs.standins.command_line import likewatch, likewatch_process
from tests.labs.standins.evidence_newsroom import evidence_newsroom
from tests.labs.standins.graph import Graph, GraphPage
from tests.labs.standins.loopback import serving
from tests.labs.standins.newsroom import START, track

FIGURES = "date,page,followers\n2026-11-01,hunsen,14000000\n2026-11-02,hunsen,14000500\n"


@pytest.fixture
def graph() -> Iterator[str]:
    stand_in = Graph(token="TOKEN")
    stand_in.put(GraphPage(id="7001", username="hunsen", name="Hun Sen", fan_count=14_000_000))
    with serving(stand_in) as url:
        yield url


def with_page(folder: Path, slug: str = "hunsen", native_id: str = "7001") -> None:
    store = Store.open(folder / "likewatch.db")
    track(store, slug, platform="facebook", native_id=native_id, every=timedelta(hours=1), now=START)
    store.close()


def rows(folder: Path, view: str) -> list[dict[str, object]]:
    database = sqlite_utils.Database(folder / "likewatch.db")
    try:
        return list(database[view].rows)
    finally:
        database.close()


def test_replay_tells_the_story_and_stores_nothing(tmp_path: Path) -> None:
    outcome = likewatch(tmp_path, "replay")
    assert outcome.returncode == 0, outcome.stderr
    *told, total = outcome.stdout.splitlines()
    alerts = [tuple(line.split(": ")[0].split("  ")) for line in told]
    assert [alert for alert in alerts if alert[1] != "milestone"] == [
        ("2 February 2016", "overtake"),
        ("8 March 2016", "new_foreign_share"),
        ("13 March 2016", "contradiction"),
        ("March 2017", "foreign_majority"),
    ]
    assert total.startswith("12 alerts in all.")
    assert list(tmp_path.iterdir()) == []


def test_poll_reads_every_page_now(tmp_path: Path, graph: str) -> None:
    with_page(tmp_path)
    outcome = likewatch(tmp_path, "poll", FACEBOOK_API_URL=graph, FACEBOOK_ACCESS_TOKEN="TOKEN")
    assert outcome.returncode == 0, outcome.stderr
    assert "hunsen: 14,000,000 followers, read just now" in outcome.stdout
    assert [row["count"] for row in rows(tmp_path, "readings_all")] == [14_000_000]


def test_poll_says_what_to_do_where_nothing_can_be_read(tmp_path: Path) -> None:
    with_page(tmp_path)
    outcome = likewatch(tmp_path, "poll")
    assert outcome.returncode == 1
    assert "FACEBOOK_ACCESS_TOKEN" in outcome.stdout
    assert "doctor" in outcome.stderr


def test_poll_with_nothing_tracked_says_how_to_track(tmp_path: Path) -> None:
    outcome = likewatch(tmp_path, "poll")
    assert (outcome.returncode, "/trends track" in outcome.stdout) == (0, True)


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    with_page(tmp_path)
    (tmp_path / "figures.csv").write_text(FIGURES, encoding="utf-8")
    first = likewatch(tmp_path, "import", "figures.csv")
    assert first.returncode == 0, first.stderr
    stored = rows(tmp_path, "readings_all")
    second = likewatch(tmp_path, "import", "figures.csv")
    assert second.returncode == 0, second.stderr
    assert rows(tmp_path, "readings_all") == stored
    assert len(stored) == 2
    assert "Kept: 2 counts.\n" in first.stdout
    assert second.stdout.endswith("All of it was known already: nothing has changed.\n")


def test_importing_twice_changes_nothing_where_counts_repeat_fall_out_of_line_or_have_countries(tmp_path: Path) -> None:
    with_page(tmp_path)
    days = "".join(
        f"2026-11-0{day},hunsen,{count}\n" for day, count in ((1, 5_000), (2, 5_000), (3, 5_001), (4, 90_000))
    )
    (tmp_path / "figures.csv").write_text("date,page,followers\n" + days, encoding="utf-8")
    (tmp_path / "countries.csv").write_text("date,page,country,share\n2026-11-03,hunsen,KH,57.6%\n", encoding="utf-8")
    said = [likewatch(tmp_path, "import", file).stdout for file in ("figures.csv", "countries.csv")]
    assert "Kept: 2 counts.\n1 count the same as the count before it, and is not stored again" in said[0]
    assert "1 count far from what was known before" in said[0]
    assert "Kept: 1 audience by country.\n" in said[1]
    stored = rows(tmp_path, "readings_all"), rows(tmp_path, "audiences")
    for file in ("figures.csv", "countries.csv"):
        assert "All of it was known already: nothing has changed." in likewatch(tmp_path, "import", file).stdout
    assert (rows(tmp_path, "readings_all"), rows(tmp_path, "audiences")) == stored
    with (tmp_path / "figures.csv").open("a", encoding="utf-8") as longer:
        longer.write("2026-11-05,hunsen,5002\n")
    more = likewatch(tmp_path, "import", "figures.csv").stdout
    assert more.endswith("Kept: 1 count.\n4 figures known already, and left as before.\n")


def test_a_bad_row_is_named_and_nothing_kept_unless_asked(tmp_path: Path) -> None:
    with_page(tmp_path)
    (tmp_path / "figures.csv").write_text(FIGURES + "2026-11-03,hunsen,lots\n", encoding="utf-8")
    refused = likewatch(tmp_path, "import", "figures.csv")
    assert refused.returncode == 1
    assert "line 4" in refused.stderr
    assert "lots" in refused.stderr
    assert rows(tmp_path, "readings_all") == []
    kept = likewatch(tmp_path, "import", "figures.csv", "--keep-good")
    assert kept.returncode == 0, kept.stderr
    assert len(rows(tmp_path, "readings_all")) == 2


def test_where_no_row_can_be_kept_keeping_the_good_ones_fails_and_says_why(tmp_path: Path) -> None:
    with_page(tmp_path)
    (tmp_path / "figures.csv").write_text("date,page,followers\n2026-11-03,hunsen,lots\n", encoding="utf-8")
    outcome = likewatch(tmp_path, "import", "figures.csv", "--keep-good")
    assert outcome.returncode == 1
    assert "line 2" in outcome.stderr
    assert "Nothing was kept: the file holds no figure that can be." in outcome.stderr
    assert "known already" not in outcome.stdout


def test_the_rows_of_an_unknown_page_are_left_out_where_the_good_ones_are_kept(tmp_path: Path) -> None:
    with_page(tmp_path)
    mixed = FIGURES + "2026-11-03,hunsenn,14001000\n2026-11-03,hunsen,lots\n"
    (tmp_path / "figures.csv").write_text(mixed, encoding="utf-8")
    refused = likewatch(tmp_path, "import", "figures.csv")
    assert refused.returncode == 1
    assert "hunsenn (did you mean hunsen?)" in refused.stderr
    assert "line 5" in refused.stderr
    kept = likewatch(tmp_path, "import", "figures.csv", "--keep-good")
    assert kept.returncode == 0, kept.stderr
    assert "Left out, because no page is called so: hunsenn (did you mean hunsen?)" in kept.stdout
    assert "Kept: 2 counts." in kept.stdout
    again = likewatch(tmp_path, "import", "figures.csv", "--keep-good")
    assert again.stdout.endswith("The rest was known already: nothing has changed.\n")


def test_a_corrected_figure_is_named_and_the_stored_one_stays(tmp_path: Path) -> None:
    with_page(tmp_path)
    (tmp_path / "figures.csv").write_text(FIGURES, encoding="utf-8")
    likewatch(tmp_path, "import", "figures.csv")
    (tmp_path / "figures.csv").write_text(FIGURES.replace("14000500", "14000700"), encoding="utf-8")
    outcome = likewatch(tmp_path, "import", "figures.csv")
    assert outcome.returncode == 1
    assert "14,000,500 is stored, the file says 14,000,700" in outcome.stderr


def test_an_unknown_page_is_named_with_what_was_meant(tmp_path: Path) -> None:
    with_page(tmp_path)
    (tmp_path / "figures.csv").write_text(FIGURES.replace("hunsen", "hunsenn"), encoding="utf-8")
    refused = likewatch(tmp_path, "import", "figures.csv")
    assert refused.returncode == 1
    assert "hunsenn (did you mean hunsen?)" in refused.stderr
    added = likewatch(tmp_path, "import", "figures.csv", "--new-pages", "--home", "Cambodia", "--group", "cambodia")
    assert added.returncode == 0, added.stderr
    assert {row["page"] for row in rows(tmp_path, "readings_all")} == {"hunsenn"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("import", "absent.csv"), "absent.csv"),
        (("import", "empty.csv"), "empty.csv"),
        (("backup", "copy.db"), "likewatch.db"),
        (("replay", "empty.csv"), "empty.csv"),
        (("import", "empty.csv", "--dates", "ymd"), "ymd"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    (tmp_path / "empty.csv").touch()
    outcome = likewatch(tmp_path, *arguments)
    assert outcome.returncode != 0
    assert named in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_all_faults_of_the_settings_are_named_at_once(tmp_path: Path) -> None:
    outcome = likewatch_process(tmp_path, "run", LIKEWATCH_POLL_EVERY="soon", FACEBOOK_API_URL="facebook")
    assert outcome.returncode == 1
    assert "LIKEWATCH_POLL_EVERY" in outcome.stderr
    assert "FACEBOOK_API_URL" in outcome.stderr


def test_a_second_process_is_told_of_the_first(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "likewatch.db")
    try:
        outcome = likewatch_process(tmp_path, "poll")
    finally:
        store.close()
    assert outcome.returncode == 1
    assert str(os.getpid()) in outcome.stderr


def test_a_port_in_use_is_named_with_the_setting_that_moves_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        outcome = likewatch_process(tmp_path, "run", "--no-browser", LIKEWATCH_WORKSPACE=f"127.0.0.1:{port}")
    assert outcome.returncode == 1
    assert "LIKEWATCH_WORKSPACE" in outcome.stderr
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_a_slack_that_does_not_answer_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = likewatch_process(
        tmp_path,
        "run",
        SLACK_BOT_TOKEN="xoxb-wrong",
        SLACK_APP_TOKEN="xapp-wrong",
        SLACK_API_URL=f"http://127.0.0.1:{port}/api/",
    )
    assert outcome.returncode == 1
    assert "SLACK_API_URL" in outcome.stderr
    assert "xoxb-wrong" not in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_backup_copies_a_database_in_use(tmp_path: Path) -> None:
    with_page(tmp_path)
    store = Store.open(tmp_path / "likewatch.db")
    try:
        outcome = likewatch(tmp_path, "backup", "copy.db")
    finally:
        store.close()
    assert outcome.returncode == 0, outcome.stderr
    copy = Store.open(tmp_path / "copy.db")
    assert [page.slug for page in copy.pages.all()] == ["hunsen"]
    copy.close()


def test_restore_puts_a_backup_in_place_and_says_what_it_replaced(tmp_path: Path) -> None:
    with_page(tmp_path)
    assert likewatch(tmp_path, "backup", "monday.db").returncode == 0
    with_page(tmp_path, "samrainsy", "7002")
    outcome = likewatch(tmp_path, "restore", "monday.db")
    assert outcome.returncode == 0, outcome.stderr
    first, second = outcome.stdout.splitlines()
    assert first == "likewatch.db is now a copy of monday.db, checked: 1 page watched."
    kept = Path(second.removeprefix("What it replaced is kept as ").removesuffix("."))
    replaced = sqlite_utils.Database(tmp_path / kept)
    assert {page["slug"] for page in replaced["pages"].rows} == {"hunsen", "samrainsy"}
    replaced.close()


def test_rebuild_mends_what_differs_and_says_so(tmp_path: Path) -> None:
    with_page(tmp_path)
    (tmp_path / "figures.csv").write_text(FIGURES, encoding="utf-8")
    assert likewatch(tmp_path, "import", "figures.csv").returncode == 0
    whole = likewatch(tmp_path, "rebuild")
    assert whole.stdout == (
        "Decided again on 1 entry of the journal.\nEverything derived was as stored; nothing was changed.\n"
    )
    stored = rows(tmp_path, "series_states")
    database = sqlite_utils.Database(tmp_path / "likewatch.db")
    database.execute("UPDATE series_states SET last_count = 1")
    database.conn.commit()
    database.close()
    mended = likewatch(tmp_path, "rebuild")
    assert mended.returncode == 0
    assert mended.stdout.splitlines()[1:] == [
        "1 series state had another value, and was replaced: hunsen.",
        "A difference comes from a bug, or from a rule that an upgrade changed. Report a bug with these lines.",
    ]
    assert rows(tmp_path, "series_states") == stored


def test_rebuild_is_refused_while_a_bot_runs(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "likewatch.db")
    try:
        outcome = likewatch_process(tmp_path, "rebuild")
    finally:
        store.close()
    assert outcome.returncode == 1
    assert "stop it first" in outcome.stderr


def test_restore_is_refused_while_a_bot_runs(tmp_path: Path) -> None:
    with_page(tmp_path)
    assert likewatch(tmp_path, "backup", "monday.db").returncode == 0
    store = Store.open(tmp_path / "likewatch.db")
    try:
        outcome = likewatch_process(tmp_path, "restore", "monday.db")
    finally:
        store.close()
    assert outcome.returncode == 1
    assert "stop it first" in outcome.stderr


def test_the_doctor_says_what_is_missing_and_what_to_do(tmp_path: Path) -> None:
    outcome = likewatch(tmp_path, "doctor", LIKEWATCH_WORKSPACE="127.0.0.1:0", LIKEWATCH_METRICS="127.0.0.1:0")
    assert outcome.returncode == 0, outcome.stdout
    assert "No Slack tokens" in outcome.stdout
    assert "FACEBOOK_ACCESS_TOKEN" in outcome.stdout
    assert "[ok] Bluesky" in outcome.stdout


def test_the_doctor_names_a_damaged_database(tmp_path: Path) -> None:
    (tmp_path / "likewatch.db").write_bytes(b"This was never a database." * 100)
    outcome = likewatch(tmp_path, "doctor", LIKEWATCH_WORKSPACE="127.0.0.1:0", LIKEWATCH_METRICS="127.0.0.1:0")
    assert outcome.returncode == 1
    assert "[!!]" in outcome.stdout
    assert (tmp_path / "likewatch.db").read_bytes() == b"This was never a database." * 100


def test_the_manifest_is_json_for_socket_mode_or_http(tmp_path: Path) -> None:
    socket_mode = json.loads(likewatch(tmp_path, "manifest").stdout)
    assert socket_mode["settings"]["socket_mode_enabled"] is True
    over_http = json.loads(likewatch(tmp_path, "manifest", "--http", "https://news.example/slack/events").stdout)
    assert over_http["settings"]["socket_mode_enabled"] is False
    assert {one["url"] for one in over_http["features"]["slash_commands"]} == {"https://news.example/slack/events"}


def overtaken(folder: Path) -> None:
    with evidence_newsroom(folder) as kept:
        kept.overtaken()


def test_evidence_is_exported_and_verified_and_never_written_over(tmp_path: Path) -> None:
    overtaken(tmp_path)
    exported = likewatch(tmp_path, "evidence", "export", "hunsen", "-o", "bundle.zip")
    assert exported.returncode == 0, exported.stderr
    assert "Hunsen now has more followers than Samrainsy" in exported.stdout
    verified = likewatch(tmp_path, "evidence", "verify", "bundle.zip")
    assert verified.returncode == 0, verified.stdout
    assert "Not time-stamped" in verified.stdout
    content = (tmp_path / "bundle.zip").read_bytes()
    again = likewatch(tmp_path, "evidence", "export", "hunsen", "-o", "bundle.zip")
    assert again.returncode == 1
    assert "bundle.zip exists already" in again.stderr
    assert (tmp_path / "bundle.zip").read_bytes() == content
    (tmp_path / "bundle.zip").write_bytes(content[:5000] + b"!" + content[5001:])
    altered = likewatch(tmp_path, "evidence", "verify", "bundle.zip")
    assert altered.returncode == 1
    assert "altered" in altered.stdout


def test_an_alert_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    overtaken(tmp_path)
    outcome = likewatch(tmp_path, "evidence", "export", "nobody", "-o", "bundle.zip")
    assert outcome.returncode == 1
    assert "No alert has the name “nobody”" in outcome.stderr
    assert not (tmp_path / "bundle.zip").exists()


def test_the_audit_looks_at_everything_and_names_what_is_wrong(tmp_path: Path) -> None:
    overtaken(tmp_path)
    whole = likewatch(tmp_path, "evidence", "audit")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "60 replies, 120 readings, 2 alerts" in whole.stdout
    database = sqlite_utils.Database(tmp_path / "likewatch.evidence.db")
    database.execute("DELETE FROM manifests WHERE sequence = 7")
    database.conn.commit()
    database.close()
    altered = likewatch(tmp_path, "evidence", "audit")
    assert altered.returncode == 1
    assert "Link 7: missing from the chain." in altered.stdout


def test_a_poll_keeps_its_replies_and_the_doctor_says_how_the_evidence_stands(tmp_path: Path, graph: str) -> None:
    with_page(tmp_path)
    likewatch(tmp_path, "poll", FACEBOOK_API_URL=graph, FACEBOOK_ACCESS_TOKEN="TOKEN")
    said = likewatch(tmp_path, "doctor", LIKEWATCH_WORKSPACE="127.0.0.1:0").stdout
    assert "[--] Evidence: 1 link, 1 reply stored; no outside authority has time-stamped it" in said
    assert "LIKEWATCH_TSA_URL" in said


def test_an_imported_file_is_kept_with_who_imported_it(tmp_path: Path) -> None:
    with_page(tmp_path)
    (tmp_path / "figures.csv").write_text(FIGURES, encoding="utf-8")
    likewatch(tmp_path, "import", "figures.csv")
    store = Store.open_reader(tmp_path / "likewatch.db")
    ((_, imported),) = import_records(store)
    reply = store.evidence.reply(bytes.fromhex(imported.body.sha256))
    store.close()
    assert (imported.name, imported.by, dict(imported.pages)) == (
        "figures.csv",
        getpass.getuser(),
        {"hunsen": "hunsen"},
    )
    assert reply is not None
    assert reply.raw == FIGURES.encode()
    assert likewatch(tmp_path, "evidence", "audit").returncode == 0


def test_every_command_explains_itself(tmp_path: Path) -> None:
    listed = likewatch(tmp_path, "--help").stdout
    for command in (
        "run", "poll", "import", "replay", "doctor", "manifest", "backup", "restore", "unit", "evidence",
    ):  # fmt: skip
        assert command in listed
        assert likewatch(tmp_path, command, "--help").returncode == 0
