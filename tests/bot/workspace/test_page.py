"""The page, in headless Chromium: what is shown is what Slack would show, and hostile text stays text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.labs.standins.chromium import chromium
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace

pytestmark = pytest.mark.browser

Json: TypeAlias = dict[str, Any]

NEWSROOM, ANA = "C0NEWSROOM", "U0ANA00001"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium"), window="1280,800") as opened:
        yield opened


class Page:
    """The page as its user has it."""

    def __init__(self, browser: webdriver.Chrome, url: str) -> None:
        self.browser = browser
        browser.get(f"{url}?person=ana")
        self.one("channel-newsroom")

    def all(self, testid: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, f'[data-testid="{testid}"]')

    def one(self, testid: str) -> WebElement:
        """The first element with this test id, as soon as it is shown."""
        return WebDriverWait(self.browser, 10).until(
            lambda _: next((found for found in self.all(testid) if found.is_displayed()), False)  # type: ignore[return-value]
        )

    def type(self, text: str, box: str = "message-box") -> None:
        self.one(box).send_keys(text)

    def sees(self, text: str, testid: str = "message") -> WebElement:
        return WebDriverWait(self.browser, 10).until(
            lambda _: next((one for one in self.all(testid) if text in one.text), False)  # type: ignore[return-value]
        )

    def rendered(self, text: str) -> str:
        """Return the HTML that the page's own mrkdwn makes of a text."""
        script = """
            const [text, done] = arguments;
            const names = {user: (id) => ({U1: "Ana"})[id], channel: (id) => ({C1: "politics"})[id], openChannel() {}};
            import("/page/mrkdwn.js").then(({mrkdwn}) => {
                const place = document.createElement("div");
                place.append(...mrkdwn(text, names));
                done(place.innerHTML);
            });
        """
        html: str = self.browser.execute_async_script(script, text)
        return html


@pytest.fixture
def page(browser: webdriver.Chrome, wall_server: InstrumentedServer) -> Page:
    return Page(browser, wall_server.url)


@pytest.fixture
def workspace(wall_server: InstrumentedServer) -> InstrumentedWorkspace:
    return wall_server.workspace


def post(workspace: InstrumentedWorkspace, text: str, *blocks: Json, channel: str = NEWSROOM) -> str:
    return str(workspace.api("chat.postMessage", channel=channel, text=text, blocks=list(blocks) or None)["ts"])


LINK = '<a href="{0}" target="_blank" rel="noopener noreferrer">{1}</a>'


def test_it_renders_mrkdwn_as_slack_does(page: Page) -> None:
    cases = {
        "*bold* _italic_ ~gone~ `code`": "<strong>bold</strong> <em>italic</em> <s>gone</s> <code>code</code>",
        "*bold _and italic_*": "<strong>bold <em>and italic</em></strong>",
        "2*3*4 snake_case_name a * b * c": "2*3*4 snake_case_name a * b * c",
        "`*code*` ```a\n*b* &lt;```": "<code>*code*</code> <pre>a\n*b* &lt;</pre>",
        "one\ntwo": "one<br>two",
        "&gt; quoted\n&gt; *on*\nnot": "<blockquote>quoted<br><strong>on</strong></blockquote>not",
        "<https://e.org/?a=1&amp;b=2|words>": LINK.format("https://e.org/?a=1&amp;b=2", "words"),
        "see https://e.org/x.": f"see {LINK.format('https://e.org/x', 'https://e.org/x')}.",
        "<@U1> <@U9>": '<span class="mention">@Ana</span> <span class="mention">@unknown</span>',
        "<#C1|politics>": '<button class="mention" type="button">#politics</button>',
        "<!here>": '<span class="mention loud">@here</span>',
        ":tada: :no_such_emoji: 10:30:00": "🎉 :no_such_emoji: 10:30:00",
        "<!date^x^{date}|some day>": "some day",
    }
    assert {text: page.rendered(text) for text in cases} == cases


def test_hostile_text_stays_text(page: Page) -> None:
    cases = {
        "&lt;script&gt;alert(1)&lt;/script&gt;": "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<script>alert(1)</script>": "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<img src=x onerror=alert(1)>": "&lt;img src=x onerror=alert(1)&gt;",
        "<javascript:alert(1)|harmless>": "&lt;javascript:alert(1)|harmless&gt;",
        "&lt;!channel&gt; &amp;lt;@U1&amp;gt;": "&lt;!channel&gt; &amp;lt;@U1&amp;gt;",
        '<https://e.org/"onclick="x|y>': LINK.format("https://e.org/&quot;onclick=&quot;x", "y"),
        "<@U1|<b>x</b>>": "&lt;@U1|<b>x</b>&gt;".replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;"),
    }
    assert {text: page.rendered(text) for text in cases} == cases


def test_a_local_time_is_shown_for_a_date(page: Page) -> None:
    assert "2016" in page.rendered("<!date^1454400000^{date_long} {time}|then>")
    assert 'datetime="2016-02-02T08:00:00.000Z"' in page.rendered("<!date^1454400000^{date_short_pretty}|then>")


def test_what_the_bot_posts_arrives_by_itself(page: Page, workspace: InstrumentedWorkspace) -> None:
    post(workspace, "*Overtaken*")
    arrived = page.sees("Overtaken")
    assert "arrived" in (arrived.get_attribute("class") or "")
    post(workspace, "elsewhere", channel="C0POLITICS")
    WebDriverWait(page.browser, 10).until(lambda _: page.one("channel-politics").find_elements(By.CLASS_NAME, "dot"))
    page.one("channel-politics").click()
    page.sees("elsewhere")
    assert not page.one("channel-politics").find_elements(By.CLASS_NAME, "dot")


def test_enter_sends_and_a_slash_completes(page: Page, workspace: InstrumentedWorkspace) -> None:
    page.type("Hello & <b>bye</b>" + Keys.ENTER)
    page.sees("Hello & <b>bye</b>", "message-text")
    page.type("/li")
    assert "/likes" in page.one("message-box-suggestions").text
    page.type(Keys.ENTER)
    assert page.one("message-box").get_attribute("value") == "/likes "
    page.type("hunsen" + Keys.ENTER)
    page.sees("/likes failed with the error", "ephemeral")
    assert workspace.envelopes[-1].payload["text"] == "hunsen"


def test_an_ephemeral_message_is_marked_and_put_away(page: Page, workspace: InstrumentedWorkspace) -> None:
    workspace.api("chat.postEphemeral", channel=NEWSROOM, user=ANA, text="psst")
    assert "Only visible to you" in page.sees("psst", "ephemeral").text
    page.one("dismiss").click()
    WebDriverWait(page.browser, 10).until(lambda _: not page.all("ephemeral"))
    assert workspace.messages("newsroom") == []


def test_somebody_else_does_not_see_it(page: Page, workspace: InstrumentedWorkspace) -> None:
    workspace.api("chat.postEphemeral", channel=NEWSROOM, user=ANA, text="psst")
    page.sees("psst")
    Select(page.one("acting-as")).select_by_value("dara")
    WebDriverWait(page.browser, 10).until(lambda _: not page.all("ephemeral"))


def test_a_thread_opens_and_is_answered(page: Page, workspace: InstrumentedWorkspace) -> None:
    ts = post(workspace, "The card")
    workspace.api("chat.postMessage", channel=NEWSROOM, text="It flipped back", thread_ts=ts)
    assert page.sees("1 reply").find_elements(By.CSS_SELECTOR, '[data-testid="replies"]')
    page.one("replies").click()
    assert "It flipped back" in page.one("thread").text
    page.type("@Like" + Keys.ENTER + "likes hunsen" + Keys.ENTER, "thread-message-box")
    page.sees("2 replies")
    assert workspace.envelopes[-1].payload["event"]["thread_ts"] == ts
    page.type(Keys.ESCAPE, "thread-message-box")
    assert not page.all("thread")[0].is_displayed()


def test_a_reply_that_arrives_takes_no_button_from_under_the_mouse(
    page: Page, workspace: InstrumentedWorkspace
) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "Mute"}, "value": "1"}
    ts = post(workspace, "card", {"type": "actions", "elements": [button]})
    mute = page.one("button-Mute")
    workspace.api("chat.postMessage", channel=NEWSROOM, text="It flipped back", thread_ts=ts)
    page.sees("1 reply", "replies")
    mute.click()
    workspace.wait_for(lambda: len(workspace.envelopes) == 1)


def test_buttons_ask_before_they_are_pressed(page: Page, workspace: InstrumentedWorkspace) -> None:
    def label(text: str) -> Json:
        return {"type": "plain_text", "text": text}

    confirm = {"title": label("Sure?"), "text": label("No more alerts"), "confirm": label("Yes"), "deny": label("No")}
    button = {"type": "button", "text": label("Unsubscribe"), "style": "danger", "value": "1", "confirm": confirm}
    options = [{"text": label("1 day"), "value": "1d"}]
    select = {"type": "static_select", "placeholder": label("Mute for …"), "options": options}
    post(workspace, "card", {"type": "actions", "elements": [button, select]})
    page.one("button-Unsubscribe").click()
    page.one("button-No").click()
    Select(page.one("select-Mute for …")).select_by_value("1d")
    workspace.wait_for(lambda: len(workspace.envelopes) == 1)
    page.one("button-Unsubscribe").click()
    page.one("button-Yes").click()
    workspace.wait_for(lambda: len(workspace.envelopes) == 2)
    chosen, pressed = (envelope.payload["actions"][0] for envelope in workspace.envelopes)
    assert (chosen["selected_option"]["value"], pressed["value"]) == ("1d", "1")


@pytest.mark.parametrize(("kind", "shape", "count"), [("line", "circle", 4), ("bar", "rect", 4), ("area", "circle", 4)])
def test_charts_are_drawn_with_every_point_named(
    page: Page, workspace: InstrumentedWorkspace, kind: str, shape: str, count: int
) -> None:
    data = [{"label": "Jan", "value": 2_094_800}, {"label": "Feb", "value": 2_108_800}]
    series = [{"name": name, "data": data} for name in ("hunsen", "samrainsy")]
    chart = {"type": kind, "series": series, "axis_config": {"categories": ["Jan", "Feb"], "y_label": "likes"}}
    post(workspace, "chart", {"type": "data_visualization", "title": "Likes in 2016", "chart": chart})
    drawn = page.one("chart")
    points = drawn.find_elements(By.CSS_SELECTOR, f"svg {shape} title")
    assert len(points) == count
    assert points[0].get_attribute("textContent") == "hunsen, Jan: 2,094,800"
    assert "Likes in 2016" in drawn.text
    assert "samrainsy" in drawn.text


def test_a_pie_says_its_shares(page: Page, workspace: InstrumentedWorkspace) -> None:
    segments = [{"label": "Cambodia", "value": 157_331}, {"label": "Abroad", "value": 621_669}]
    chart = {"type": "pie", "segments": segments}
    post(workspace, "chart", {"type": "data_visualization", "title": "New likes", "chart": chart})
    assert "Cambodia 20.2%" in page.one("chart").text


def test_an_edited_and_a_deleted_message_change_before_the_eyes(page: Page, workspace: InstrumentedWorkspace) -> None:
    ts = post(workspace, "first")
    page.sees("first")
    workspace.api("chat.update", channel=NEWSROOM, ts=ts, text="second")
    assert "(edited)" in page.sees("second").text
    workspace.api("chat.delete", channel=NEWSROOM, ts=ts)
    WebDriverWait(page.browser, 10).until(lambda _: not page.all("message"))
    assert "/likes hunsen" in [example.text for example in page.all("example")]


def test_it_says_whether_the_bot_is_there_and_tells_nothing_to_the_console(
    page: Page, workspace: InstrumentedWorkspace
) -> None:
    assert "not connected" in page.one("connection").text
    workspace.set_connected(connected=True)
    page.sees("Likewatch is connected", "connection")
    assert page.browser.get_log("browser") == []  # type: ignore[no-untyped-call]
