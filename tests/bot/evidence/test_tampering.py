"""An audit finds and names every change of a store, and a verification every change of a bundle."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

from bot.evidence.bundle import export
from bot.evidence.store_audit import StoreAudit
from bot.evidence.timestamps import roots_in
from bot.evidence.verification import Verification, verification_summary
from bot.imports.job import reread_import
from storage.errors import StoreError
from storage.schema.files import files_of
from storage.store import Store
from tests.bot.evidence.conftest import Whole
from tests.labs.standins.tamper_bundle import tamper_bundle
from tests.labs.standins.tamper_store import tamper

CHANGES = int(os.environ.get("LIKEWATCH_CHANGES", "100"))  # `make tamper` makes a thousand


def audited(database: Path) -> list[str]:
    try:
        store = Store.open_reader(database)
    except StoreError as error:
        return [str(error)]
    try:
        return [str(fault) for fault in StoreAudit(store, reread_import).run(lambda _done, _total: None)]
    finally:
        store.close()


def exported(whole: Whole, which: int = 0) -> bytes:
    store = Store.open_reader(whole.database)
    try:
        return export(store, store.alerts.recent()[which], reread_import)
    finally:
        store.close()


def test_an_untouched_store_has_no_fault(whole: Whole) -> None:
    assert audited(whole.database) == []


def test_every_change_of_the_store_is_found_and_located(whole: Whole, tmp_path: Path) -> None:
    for seed in range(CHANGES):
        copy = tmp_path / f"{seed}" / whole.database.name
        copy.parent.mkdir()
        for file in files_of(whole.database):
            shutil.copy(file, copy.parent / file.name)
        change = tamper(copy, random.Random(seed), whole.older)
        found = audited(copy)
        assert found, f"{seed}: {change.what}: not found"
        assert any(word in fault for fault in found for word in change.shows), f"{seed}: {change.what}: {found}"
        shutil.rmtree(copy.parent)


def test_every_change_of_a_bundle_is_found_and_located(whole: Whole) -> None:
    bundles = [exported(whole, which) for which in (0, 1)]
    trusted = roots_in(whole.root)
    for bundle in bundles:
        assert list(Verification(bundle, reread_import, trusted=trusted).run()) == []
    for seed in range(CHANGES):
        chance = random.Random(seed)
        bundle, other = chance.sample(bundles, 2)
        altered, change = tamper_bundle(bundle, other, chance)
        checked = Verification(altered, reread_import, trusted=chance.choice((trusted, ())))
        faults = list(checked.run())
        found = [fault.where for fault in faults] + checked.unproved
        assert found, f"{seed}: {change.what}: not found"
        assert not any("Holds" in line for line in verification_summary(checked, len(faults), "-")), change.what
        assert any(word in fault for fault in found for word in change.shows), f"{seed}: {change.what}: {found}"
