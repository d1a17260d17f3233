"""The main job as a journalist sees it: typed and watched in headless Chromium."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.e2e.conftest import Running
from tests.labs.standins.graph import Graph, GraphPage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
PATIENCE = 30


class Person:
    """Somebody at the workspace."""

    def __init__(self, browser: webdriver.Chrome, url: str) -> None:
        self._browser = browser
        browser.get(url)
        self.until(lambda: "connected" in self._one("connection").text)

    def open(self, channel: str) -> None:
        self._one(f"channel-{channel}").click()

    def type(self, text: str) -> None:
        box = self._one("message-box")
        box.send_keys(text)
        box.send_keys(Keys.ENTER)

    def sees(self, *words: str) -> WebElement:
        """Wait for a message that holds all the words, and return it."""
        self.until(lambda: bool(self._messages(*words)))
        return self._messages(*words)[-1]

    def counts(self, *words: str) -> int:
        return len(self._messages(*words))

    def press(self, message: WebElement, label: str) -> None:
        message.find_element(By.CSS_SELECTOR, f'[data-testid="button-{label}"]').click()

    def scroll_up(self) -> None:
        self._browser.execute_script("document.querySelector('main .scroll').scrollTop = 0")

    def is_in_view(self, message: WebElement) -> bool:
        return bool(
            self._browser.execute_script(
                "const bottom = document.querySelector('main .scroll').getBoundingClientRect().bottom;"
                "return arguments[0].getBoundingClientRect().top < bottom",
                message,
            )
        )

    def screenshot(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        self._browser.save_screenshot(str(ARTIFACTS / f"{name}.png"))

    def _messages(self, *words: str) -> list[WebElement]:
        shown = self._browser.find_elements(By.CSS_SELECTOR, '[data-testid="message"]')
        return [message for message in shown if all(word in message.text for word in words)]

    def _one(self, testid: str) -> WebElement:
        return self._browser.find_element(By.CSS_SELECTOR, f'[data-testid="{testid}"]')

    def until(self, condition: Callable[[], bool]) -> None:
        WebDriverWait(self._browser, PATIENCE, ignored_exceptions=[Exception]).until(lambda _: condition())


def read_twice(ana: Person, stand_in: Graph) -> None:
    """Wait until the bot has polled at least twice more: one request is one poll of both pages."""
    seen = len(stand_in.requests)
    ana.until(lambda: len(stand_in.requests) >= seen + 3)


def test_the_first_start_tells_the_story_dated_then(running: Running, browser: webdriver.Chrome) -> None:
    ana = Person(browser, running.url)
    ana.open("newsroom")
    overtake = ana.sees("Hun Sen", "Sam Rainsy", "2,108,800", "2 February 2016")
    assert "Replayed" in overtake.text
    assert "157,331" in ana.sees("779,000", "March 2016").text
    assert "Replayed" in ana.sees("49.9%", "March 2017").text
    assert "Replayed" in ana.sees("34,069", "do not fit together").text
    assert "Replayed" in ana.sees("10,000,000", "5 August 2020").text
    assert ana.counts("Replayed") == 11
    ana.screenshot("first-start")


def test_a_past_that_is_all_older_is_gone_through_with_a_button(running: Running, browser: webdriver.Chrome) -> None:
    ana = Person(browser, running.url)
    ana.open("politics")
    ana.type("/trends backtest hunsen 90d foreign>30")
    nothing = ana.sees("newest figure of Hun Sen is of 5 August 2020", "nothing to test")
    ana.press(nothing, "Test all figures")
    ana.sees("Raised by both: 1", "79.8%", "overtake 1", "foreign>30")
    ana.screenshot("backtest")


def test_a_page_is_tracked_subscribed_overtakes_and_is_asked_for(
    running: Running, browser: webdriver.Chrome, graph: tuple[Graph, str]
) -> None:
    stand_in, _ = graph
    ana = Person(browser, running.url)
    ana.open("politics")
    ana.type("/trends track https://www.facebook.com/hunsen as hunsen home KH in cambodia")
    ana.sees("is watched now", "14,000,000")
    ana.type("/trends track facebook.com/samrainsy as samrainsy home Cambodia in cambodia")
    ana.sees("is watched now", "14,020,000")
    ana.type("/trends subscribe hunsen overtake")
    ana.sees("subscribed this channel", "hunsen")

    for count in (14_000_500, 14_030_000, 14_030_200):
        stand_in.put(GraphPage(id="7001", username="hunsen", name="Samdech Hun Sen", fan_count=count))
        read_twice(ana, stand_in)
    card = ana.sees("Samdech Hun Sen", "ahead", "Sam Rainsy")
    ana.type("/likes hunsen")
    answer = ana.sees("14,030,200 followers", "Facebook")
    assert answer.find_elements(By.CSS_SELECTOR, '[data-testid="ephemeral"]') or "Only visible to you" in answer.text
    ana.screenshot("overtake")

    ana.press(card, "Unsubscribe")
    ana.sees("unsubscribed this channel")


def test_a_typo_is_met_with_a_suggestion_that_works(running: Running, browser: webdriver.Chrome) -> None:
    ana = Person(browser, running.url)
    ana.open("newsroom")
    ana.type("/likes hunsenn")
    ana.press(ana.sees("Did you mean"), "hunsen")
    ana.sees("12,987,817 likes", "5 August 2020", "years ago")


def test_an_answer_is_brought_into_view_for_whoever_has_scrolled_up(
    running: Running, browser: webdriver.Chrome
) -> None:
    ana = Person(browser, running.url)
    ana.open("newsroom")
    ana.sees("12,987,817")
    ana.scroll_up()
    ana.type("/likes samrainsy")
    answer = ana.sees("Sam Rainsy: ", "Only visible to you")
    assert ana.is_in_view(answer)
