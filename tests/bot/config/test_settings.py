from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config.field_types import Address, SettingGroup, WebAddress, Word, parse_address, parse_duration, setting
from bot.config.settings import Mode, declared_settings, env_example, load, names_in
from bot.errors import ConfigError


class Example(SettingGroup):
    api_url: WebAddress = setting("EXAMPLE_API_URL", "Example.", default="https://example.org")


class Guarded(SettingGroup):
    token: Word = setting("EXAMPLE_TOKEN", "Example.", secret=True)


def test_it_needs_nothing_to_start() -> None:
    settings = load({}, None, [Example])
    assert settings.mode is Mode.WORKSPACE
    assert settings.workspace == Address(host="127.0.0.1", port=8033)
    assert settings.poll_every == timedelta(minutes=15)
    assert settings.platforms == {"EXAMPLE_API_URL": "https://example.org"}


def test_it_prefers_the_environment_to_the_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text('LIKEWATCH_POLL_EVERY=1h\nLIKEWATCH_DATABASE="from file.db"\n', encoding="utf-8")
    settings = load({"LIKEWATCH_POLL_EVERY": "1s"}, env_file, [])
    assert settings.poll_every == timedelta(seconds=1)
    assert settings.database == Path("from file.db")


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({}, Mode.WORKSPACE),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}, Mode.SOCKET),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}, Mode.HTTP),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_SIGNING_SECRET": "s"}, Mode.SOCKET),
        ({"SLACK_BOT_TOKEN": "  "}, Mode.WORKSPACE),
    ],
)
def test_the_tokens_decide_how_it_connects(environ: dict[str, str], mode: Mode) -> None:
    assert load(environ, None, []).mode is mode


@pytest.mark.parametrize(
    ("said", "on_slack", "in_the_workspace"),
    [
        ("", "nobody", "everybody who can reach the bot, guests too"),
        ("everybody", "everybody who can reach the bot, guests too", "everybody who can reach the bot, guests too"),
        ("U012AB3CD S0614TZR7", "1 person and the user group S0614TZR7", "1 person and the user group S0614TZR7"),
    ],
)
def test_nobody_is_let_in_on_slack_that_was_not_named(said: str, on_slack: str, in_the_workspace: str) -> None:
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    assert str(load({**tokens, "LIKEWATCH_EDITORS": said}, None, []).editors) == on_slack
    assert str(load({"LIKEWATCH_EDITORS": said}, None, []).editors) == in_the_workspace


def test_it_names_every_fault_at_once_and_no_secret() -> None:
    environ = {
        "SLACK_BOT_TOKEN": "xapp-swapped-secret",
        "SLACK_APP_TOKEN": "xoxb-swapped-secret",
        "SLACK_API_URL": "slack.com",
        "LIKEWATCH_EDITORS": "@ana",
        "LIKEWATCH_POLL_EVERY": "soon",
        "LIKEWATCH_WORKSPACE": "8033",
        "LIKEWATCH_LOG_LEVEL": "loud",
        "LIKEWATCH_LOG": "xml",
        "LIKEWATCH_METRICS": "nowhere",
        "LIKEWATCH_OPERATORS_CHANNEL": "#newsroom-tech",
        "EXAMPLE_API_URL": "ftp://example.org",
    }
    with pytest.raises(ConfigError) as caught:
        load(environ, None, [Example])
    message = str(caught.value)
    for name in environ:
        assert name in message
    assert "swapped-secret" not in message


@pytest.mark.parametrize(
    "environ",
    [{"SLACK_BOT_TOKEN": "xoxb-1"}, {"SLACK_APP_TOKEN": "xapp-1"}, {"SLACK_SIGNING_SECRET": "s"}],
    ids=["bot token alone", "app token alone", "signing secret alone"],
)
def test_half_a_connection_is_a_fault(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="SLACK_BOT_TOKEN") as caught:
        load(environ, None, [])
    assert "  - SLACK_SIGNING_SECRET: " in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1s", 1), ("15m", 900), ("6h", 21600), ("1d", 86400), ("1h30m", 5400), (" 2M ", 120)]
)
def test_it_reads_durations(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "15", "m", "15 minutes", "-1s", "1.5h", "1h!"])
def test_it_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0s", "8d", "999999999999999d"])
def test_it_refuses_cadences_that_make_no_sense(text: str) -> None:
    with pytest.raises(ConfigError, match="LIKEWATCH_POLL_EVERY"):
        load({"LIKEWATCH_POLL_EVERY": text}, None, [])


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8033", Address(host="127.0.0.1", port=8033)), ("[::1]:80", Address(host="::1", port=80))],
)
def test_it_reads_addresses_and_writes_them_back(text: str, address: Address) -> None:
    assert parse_address(text) == address
    assert str(address) == text


@pytest.mark.parametrize("text", ["8033", "localhost", ":8033", "localhost:", "localhost:http", "localhost:65536"])
def test_it_refuses_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        parse_address(text)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes("LIKEWATCH_DATABASE=ünïcode".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"\.env"):
        load({}, env_file, [])


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("LIKEWATCH_DATABASE=counts.db\nEXAMPLE_API_URL=https://example.com\n", encoding="utf-8-sig")
    settings = load({}, env_file, [Example])
    assert settings.database == Path("counts.db")
    assert settings.platforms == {"EXAMPLE_API_URL": "https://example.com"}
    assert names_in(env_file) == {"LIKEWATCH_DATABASE", "EXAMPLE_API_URL"}


def test_a_blank_text_in_the_environment_hides_the_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("LIKEWATCH_POLL_EVERY=1h\n", encoding="utf-8")
    assert load({"LIKEWATCH_POLL_EVERY": " "}, env_file, []).poll_every == timedelta(minutes=15)


def test_the_names_of_settings_are_read_exactly() -> None:
    settings = load({"likewatch_poll_every": "1h", "poll_every": "1h"}, None, [])
    assert settings.poll_every == timedelta(minutes=15)


@given(st.dictionaries(st.sampled_from([one.name for one in declared_settings([])]), st.text(max_size=30)))
def test_any_text_is_settings_or_a_list_of_faults(environ: dict[str, str]) -> None:
    try:
        load(environ, None, [])
    except ConfigError as error:
        assert "\n  - " in str(error)


def test_the_example_file_names_every_setting_and_sets_none() -> None:
    text = env_example(declared_settings([Example]))
    assert all(f"#{one.name}=" in text for one in declared_settings([Example]))
    assert all(line.startswith("#") or not line for line in text.splitlines())


def test_every_secret_is_known_as_one() -> None:
    environ = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "signs", "EXAMPLE_TOKEN": "platform's"}
    settings = load(environ, None, [Example, Guarded])
    assert settings.secrets() == {"xoxb-1", "signs", "platform's"}
    assert not [text for text in settings.secrets() if text in repr(settings)]


def test_the_operators_settings_are_read() -> None:
    environ = {"LIKEWATCH_METRICS": "0.0.0.0:9100", "LIKEWATCH_OPERATORS_CHANNEL": "C012AB", "LIKEWATCH_LOG": "json"}
    settings = load(environ, None, [])
    assert (str(settings.metrics), settings.operators_channel, settings.log) == ("0.0.0.0:9100", "C012AB", "JSON")
    assert str(load({}, None, []).metrics) == "127.0.0.1:8034"
