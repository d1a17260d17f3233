"""Headless Chromium, for the tests of the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--no-first-run")  # fmt: skip


@contextmanager
def chromium(profile: Path, *, window: str) -> Iterator[webdriver.Chrome]:
    """Open Chromium with its ``profile`` in that folder; ``window`` is its size, such as "1280,800"."""
    options = Options()
    for argument in (*ARGUMENTS, f"--window-size={window}", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    assert binary, "the browser tests need the Debian packages chromium and chromium-driver"
    assert driver, "the browser tests need the Debian packages chromium and chromium-driver"
    options.binary_location = binary
    browser = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield browser
    finally:
        browser.quit()
