"""The bundle, as an expert checks it: a file, a shell, and nothing of Likewatch."""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import LikewatchError
from bot.evidence.bundle import export
from bot.evidence.bundle_files import DATA, unzipped, with_sums, zipped
from bot.evidence.bundle_pages import MARK, bundle_pages
from bot.evidence.records import ImportRecord
from bot.evidence.timestamps import roots_in
from bot.evidence.trace import find_alert, reference
from bot.evidence.verification import Verification, verification_summary
from bot.imports.examples import press_example
from bot.imports.job import reread_import
from bot.imports.replay import replay_example
from storage.store import Store
from tests.bot.evidence.conftest import Whole
from tests.labs.standins.evidence_newsroom import SECRET, TOKEN, evidence_newsroom
from tests.labs.standins.newsroom import START
from tests.labs.standins.timestamp_authority import TimestampAuthority


def exported(database: Path, named: str = "hunsen") -> bytes:
    store = Store.open_reader(database)
    try:
        return export(store, find_alert(store, named), reread_import)
    finally:
        store.close()


def found(bundle: bytes) -> tuple[Verification, list[str]]:
    checked = Verification(bundle, reread_import)
    return checked, [str(fault) for fault in checked.run()]


def commands(folder: Path) -> list[str]:
    lines = (folder / "INSTRUCTIONS.txt").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(MARK) for line in lines if line.startswith(MARK)]


def typed(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/bin/sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def unpacked(whole: Whole, tmp_path: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(exported(whole.database))) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def test_an_exported_bundle_holds_and_the_summary_says_so(whole: Whole) -> None:
    checked, faults = found(exported(whole.database))
    assert faults == checked.unproved == []
    assert any(line.startswith("Holds: Hunsen") for line in verification_summary(checked, 0, "-"))
    assert checked.headline.startswith("Hunsen now has more followers than Samrainsy")
    assert checked.readings == checked.reread >= 4
    assert [stamp.signer for stamp in checked.stamps] == ["CN=Small Authority Stamps,O=Small Authority"]
    assert checked.unstamped == []


@pytest.mark.parametrize(("name", "proved"), [("imported", True), ("polled", False)])
def test_a_bundle_of_an_older_version_still_verifies(name: str, proved: bool) -> None:
    checked, faults = found((Path(__file__).parent / "bundles_of_0_1_0" / f"{name}.zip").read_bytes())
    assert faults == []
    assert ["likewatch 0.1.0 wrote" in note for note in checked.notes] == [True]
    assert (checked.unproved == []) is proved  # the polled bundle lacks replies that were deleted after their time
    assert checked.reread > 0


def test_the_same_store_gives_the_same_bytes(whole: Whole) -> None:
    assert exported(whole.database) == exported(whole.database)


def test_every_command_of_the_instructions_holds(unpacked: Path) -> None:
    typed_in = commands(unpacked)
    assert len(typed_in) > 20
    for command in typed_in:
        outcome = typed(unpacked, command)
        assert outcome.returncode == 0, f"{command}: {outcome.stdout}{outcome.stderr}"


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        pytest.param(kind, change, id=f"{kind} {name}")
        for kind in ("alert.json", "replies/", "records/", "chain/", "stamps/")
        for name, change in (
            ("altered", lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]),
            ("left out", lambda _: None),
        )
    ],
)
def test_a_command_of_the_instructions_fails_where_something_was_altered(
    unpacked: Path, kind: str, change: Callable[[bytes], bytes | None]
) -> None:
    altered = next(path for path in sorted(unpacked.rglob("*.*")) if str(path.relative_to(unpacked)).startswith(kind))
    content = change(altered.read_bytes())
    if content is None:
        altered.unlink()
    else:
        altered.write_bytes(content)
    assert [command for command in commands(unpacked) if typed(unpacked, command).returncode != 0]


def test_no_credential_is_in_it(whole: Whole) -> None:
    bundle = exported(whole.database)
    for secret in (TOKEN, SECRET, "access_token", "appsecret_proof"):
        assert secret.encode() not in bundle


def test_a_lawyer_can_read_it_without_anything_from_outside(unpacked: Path) -> None:
    page = (unpacked / "index.html").read_text(encoding="utf-8")
    assert "Hunsen now has more followers than Samrainsy" in page
    assert "@media print" in page
    assert "the platform's own interface answered, byte for byte" in page
    assert "does not show that the platform's number was true" in page
    assert not re.findall(r"<(?:script|link|img|iframe)|@import|url\(", page)
    linked = re.findall(r'href="?([^"#>]+)"?>', page)
    assert linked
    assert all((unpacked / name).is_file() for name in linked)


def test_what_a_page_or_a_source_calls_itself_is_no_markup(whole: Whole) -> None:
    files, _ = unzipped(exported(whole.database))
    hostile = "<script>alert('x')</script>&\""
    alert, added, readings, chain = (json.loads(files[name]) for name in DATA)
    alert["wording"] = {"headline": hostile, "lines": [hostile]}
    alert["alert"] |= {"rule": hostile, "parameters": [{"name": hostile, "unit": hostile, "value": hostile}]}
    for fact in alert["alert"]["facts"]:
        fact |= {"name": hostile, "about": hostile, "unit": hostile, "source": hostile, "low": hostile}
    added["pages"] = {hostile: {"name": hostile, "platform": hostile, "url": hostile}}
    for reading in readings:
        reading |= {"page": hostile, "source": hostile, "metric": hostile, "note": hostile}
        for origin in reading["behind"]:
            origin |= {"what": hostile, "reply": hostile, "record": hostile}
    for stamp in chain["stamps"]:
        stamp |= {"signer": hostile, "root_name": hostile}
    values = (alert, added, readings, chain)
    page = bundle_pages({name: json.dumps(value).encode() for name, value in zip(DATA, values, strict=True)})
    text = page["index.html"].decode()
    assert "<script" not in text
    assert text.count("&lt;script&gt;") > 30
    assert not re.search(r'href="[^"]*[<\']', text)


def test_every_figure_leads_to_its_readings_and_each_reading_to_its_reply(unpacked: Path) -> None:
    figures = json.loads((unpacked / "export.json").read_text())["figures"]
    (place,) = next(figure["readings"] for figure in figures if figure["name"] == "count")
    reading = json.loads((unpacked / "readings.json").read_text())[place]
    reply = json.loads((unpacked / reading["behind"][0]["reply"]).read_text())
    counts = [json.loads(item["body"])["followers_count"] for item in reply]
    assert reading["count"] in counts


def test_a_stamp_of_another_authority_is_named(whole: Whole, tmp_path: Path) -> None:
    other = TimestampAuthority(tmp_path, "Another Authority")
    checked = Verification(exported(whole.database), reread_import, trusted=roots_in(other.root))
    faults = [str(fault) for fault in checked.run()]
    assert len(faults) == 1
    assert "another authority" in faults[0]
    assert "stamps/" in faults[0]


def test_without_time_stamps_it_says_what_that_means(tmp_path: Path) -> None:
    with evidence_newsroom(tmp_path) as newsroom:
        newsroom.overtaken()
    bundle = exported(tmp_path / "likewatch.db")
    checked, faults = found(bundle)
    assert faults == []
    assert checked.unstamped
    files, _ = unzipped(bundle)
    asked = Verification(
        bundle, reread_import, trusted=roots_in(TimestampAuthority(tmp_path / "authority", "Some Authority").root)
    )
    assert list(asked.run()) == []
    assert [line for line in asked.unproved if "not stamped by this authority" in line]
    assert "whoever held the machine could" in files["INSTRUCTIONS.txt"].decode()
    assert "No authority has stamped" in files["index.html"].decode()


def test_the_press_figures_lead_to_the_file_they_were_imported_from(tmp_path: Path) -> None:
    with evidence_newsroom(tmp_path) as newsroom:
        example = press_example()
        pages = {page.slug: page.slug for page in example.pages}
        newsroom.store.pages.remove("hunsen", at=START)
        newsroom.store.pages.remove("samrainsy", at=START)
        newsroom.recorder.seal_import(
            example.data,
            lambda body: ImportRecord(
                at=START, name=example.name, by="likewatch", pages=pages, page=None, dates=None, body=body
            ),
        )
        replay_example(newsroom.store, newsroom.cycle, example, team_id="T1", channel_id="C1", now=START)
        alerts = newsroom.store.alerts.recent()
        assert len(alerts) > 10
        for alert in alerts:
            bundle = export(newsroom.store, alert, reread_import)
            checked, faults = found(bundle)
            assert faults == [], alert.alert.kind
            assert checked.unproved == [], alert.alert.kind
            assert checked.readings == checked.reread > 0, alert.alert.kind
            files, _ = unzipped(bundle)
            assert {name.rpartition(".")[2] for name in files if name.startswith("replies/")} == {"csv"}
            page, by_hand = files["index.html"].decode(), files["INSTRUCTIONS.txt"].decode()
            assert "file cambodia.csv, imported" in page
            assert "Replayed from published figures" in page
            assert "the file that somebody in the newsroom imported, byte for byte" in page
            assert "what the imported file holds, byte for byte" in by_hand
            assert not re.search(r"platform's own interface|as the platform sent|\de[+-]\d", page + by_hand)
            if alert.alert.kind in {"milestone", "contradiction"}:
                assert re.search(r"(milestone|implied) \(\w+\)</td>.*worked out by the rule from \w", page)
            if alert.alert.kind == "contradiction":
                assert re.search(r"implied \(KH\)</td><td class=n>49,128 likes", page)
                assert re.search(r"published \(KH\)</td>.*<td>Phnom Penh Post</td>", page)


def test_a_figure_without_a_stored_reply_says_so(tmp_path: Path) -> None:
    with evidence_newsroom(tmp_path) as newsroom:
        example = press_example()
        newsroom.store.pages.remove("hunsen", at=START)
        newsroom.store.pages.remove("samrainsy", at=START)
        replay_example(newsroom.store, newsroom.cycle, example, team_id="T1", channel_id="C1", now=START)
        bundle = export(newsroom.store, newsroom.store.alerts.recent()[0], reread_import)
        checked, faults = found(bundle)
        assert faults == []
        assert checked.reread == 0
        assert len([line for line in checked.unproved if line.startswith("Reading ")]) == checked.readings
        said = list(verification_summary(checked, 0, "-"))
        assert any(line.startswith("NOT PROVED: ") for line in said)
        assert not any("Holds" in line for line in said)
        files, _ = unzipped(bundle)
        assert "No reply is stored for this instant" in files["index.html"].decode()
        assert "Neither a platform's reply nor an imported file is stored" in files["index.html"].decode()
        assert "Neither a platform's reply nor an imported file is stored" in files["INSTRUCTIONS.txt"].decode()


def test_an_alert_is_found_by_its_reference_its_key_or_its_page(whole: Whole) -> None:
    store = Store.open_reader(whole.database)
    newest, older = store.alerts.recent()
    assert find_alert(store, reference(older.alert)) == older
    assert find_alert(store, older.alert.key) == older
    assert find_alert(store, "hunsen") == newest
    with pytest.raises(LikewatchError, match=reference(newest.alert)):
        find_alert(store, "nobody")
    store.close()


def test_deleted_replies_are_told_apart_from_lost_ones(tmp_path: Path) -> None:
    with evidence_newsroom(tmp_path) as newsroom:
        newsroom.overtaken()
        newsroom.recorder.seal_deletion(30)
        newsroom.store.evidence.delete_replies(30, but=())
        newsroom.clock.move(timedelta(hours=1))
        bundle = export(newsroom.store, newsroom.store.alerts.recent()[0], reread_import)
    checked, faults = found(bundle)
    assert faults == []
    assert 0 < checked.reread < checked.readings
    assert len(checked.unproved) == checked.readings - checked.reread
    files, _ = unzipped(bundle)
    assert "was deleted after its time" in files["index.html"].decode()


def with_chain(files: dict[str, bytes], segments: object) -> bytes:
    return json.dumps({**json.loads(files["chain.json"]), "segments": segments}).encode()


def first_of(files: dict[str, bytes], folder: str) -> str:
    return min(name for name in files if name.startswith(folder))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda files: {"chain.json": with_chain(files, [[1, float("inf")]])}, id="an endless segment"),
        pytest.param(lambda files: {"chain.json": with_chain(files, [[1, 10**12]])}, id="a segment without its links"),
        pytest.param(lambda _: {"alert.json": b"[" * 200_000}, id="a deep alert"),
        pytest.param(lambda files: {first_of(files, "records/"): b"[" * 200_000}, id="a deep record"),
        pytest.param(lambda files: {first_of(files, "records/"): b"9" * 9_999}, id="a large number"),
        pytest.param(
            lambda files: {
                first_of(files, "chain/"): files[first_of(files, "chain/")].replace(
                    b'"sequence":', b'"sequence":1e999,"":'
                )
            },
            id="an endless link",
        ),
        pytest.param(
            lambda files: {"alert.json": re.sub(rb'"value": \d+', b'"value": 1e999', files["alert.json"])},
            id="endless figures",
        ),
    ],
)
def test_whatever_somebody_writes_into_it_is_a_fault(
    whole: Whole, change: Callable[[dict[str, bytes]], dict[str, bytes]]
) -> None:
    files, _ = unzipped(exported(whole.database))
    files.update(change(files))
    assert found(zipped(with_sums(files)))[1]


@pytest.mark.parametrize("content", [b"", b"PK", b"This was never a bundle.", b"PK\x05\x06" + b"\0" * 18])
def test_any_other_file_is_a_fault(content: bytes) -> None:
    assert found(content)[1]
