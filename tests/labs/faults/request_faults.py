"""Cases 29, 30 and 32: requests that come twice, in crowds, from strangers and with hostile words in them."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from itertools import pairwise
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from bot.errors import LikewatchError
from bot.http.client import Http
from bot.slack.http_server import PATH
from bot.workspace.model import TEAM_ID
from storage.values import AuditEntry
from tests.e2e.conftest import free_port
from tests.labs.bench.asking import Round, ask
from tests.labs.bench.report import percentile
from tests.labs.faults.bots import Bot, until
from tests.labs.faults.case import Case, Trial
from tests.labs.faults.kill_steps import slugs
from tests.labs.faults.newsrooms import Newsroom, living, milestone_key, newsroom
from tests.labs.faults.platform_faults import read
from tests.labs.faults.wire import Answer, Line, honest

DARA, ANA = "U0DARA0002", "U0ANA00001"
CHANNEL = "C0NEWSROOM"
CALM = 3.0
CROWD, QUICK_CROWD = 10_000, 600
COMMANDS, QUICK_COMMANDS = 600, 150
P99 = 0.3
"""Seconds: a tenth of the three that Slack waits (the reference's target for commands during a poll)."""

BURST = 30
STALE = 600
"""Seconds; Slack's own limit for a signature is 300."""

HOSTILE = "<!channel> & <https://evil.example|your bank> <@U0SOPHEA03> *loud* `code` \u202egnp.exe\u0000\u0007"
_MARKUP = ("<!channel", "<https://evil", "<@U0SOPHEA03>")
"""What Slack would act on in a text of its own markup."""

_UNSEEN = ("\u202e", "\u0000", "\u0007")


class Door:
    """The bot's own address for Slack's requests."""

    def __init__(self, room: Newsroom, address: str) -> None:
        self._secret = room.server.signing_secret
        self._address = address

    def knock(
        self,
        text: str,
        *,
        trigger: str,
        command: str = "/trends",
        user: str = ANA,
        secret: str | None = None,
        age: float = 0,
        retry: int = 0,
    ) -> tuple[int, str]:
        """A slash command as Slack posts it: the status and the body of the answer."""
        body = urlencode(
            {
                "command": command,
                "text": text,
                "team_id": TEAM_ID,
                "channel_id": CHANNEL,
                "channel_name": "newsroom",
                "user_id": user,
                "user_name": "somebody",
                "response_url": "http://127.0.0.1:9/response",
                "trigger_id": trigger,
                "api_app_id": "A0LIKEWATCH",
            }
        )
        timestamp = str(int(time.time() - age))
        verifier = SignatureVerifier(self._secret if secret is None else secret)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": verifier.generate_signature(timestamp=timestamp, body=body) or "",
            **({"X-Slack-Retry-Num": str(retry)} if retry else {}),
        }
        connection = http.client.HTTPConnection(self._address, timeout=30)
        try:
            connection.request("POST", PATH, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@contextmanager
def _over_http(room: Newsroom, settings: Mapping[str, str] | None = None) -> Iterator[tuple[Bot, Door, str]]:
    """A bot that Slack reaches over HTTP."""
    address = f"127.0.0.1:{free_port()}"
    by_http = {"SLACK_APP_TOKEN": "", "SLACK_SIGNING_SECRET": room.server.signing_secret, "LIKEWATCH_HTTP": address}
    with living(room.bot(settings={**by_http, **(settings or {})})) as bot:
        yield bot, Door(room, address), address


def _twice(trial: Trial) -> None:
    """The same request again, at once, in a crowd, and after a kill -9: one effect, one line in the channel."""
    with trial.folder() as folder, newsroom(folder) as room:
        names = slugs(8)
        room.watch(names)
        with living(room.bot()) as bot:
            for name in names[:3]:
                room.workspace.faults.repeat_envelopes(1)
                room.workspace.say("ana", "newsroom", f"/trends subscribe {name} milestone")
                _one_effect(room, trial, name)
            bot.kill()
        with _over_http(room) as (bot, door, _):
            for name in names[3:6]:
                crowd = [
                    threading.Thread(
                        target=door.knock, args=(f"mute {name} 1d",), kwargs={"trigger": f"mute.{name}", "retry": retry}
                    )
                    for retry in range(4)
                ]
                for one in crowd:
                    one.start()
                for one in crowd:
                    one.join()
                _one_effect(room, trial, name)
            for name in names[6:]:
                door.knock(f"mute {name} 1d", trigger=f"mute.{name}")
            until(lambda: len(_audited(room, names[7])) == 1, 10, "the commands' effect")
            until(lambda: all(_lines_about(room, name) for name in names[6:]), 10, "the commands' lines in the channel")
            bot.kill()
        with _over_http(room) as (bot, door, _):
            for name in names[6:]:
                status, said = door.knock(f"mute {name} 1d", trigger=f"mute.{name}", retry=1)
                trial.expect(status == HTTPStatus.OK, f"a repeated request was answered {status}: {said[:100]}")
                _one_effect(room, trial, name)
            bot.stop()


def _one_effect(room: Newsroom, trial: Trial, slug: str) -> None:
    until(lambda: len(_audited(room, slug)) > 0, 15, f"the effect on {slug}")
    until(lambda: _lines_about(room, slug) > 0, 15, f"the channel's line about {slug}")
    time.sleep(CALM / 3)
    effects, lines = len(_audited(room, slug)), _lines_about(room, slug)
    trial.expect(effects == 1, f"{effects} effects of one request on {slug}")
    trial.expect(lines == 1, f"the channel was told {lines} times of one request")
    trial.tried += 1


def _lines_about(room: Newsroom, slug: str) -> int:
    return sum(
        slug in message.text and message.by_bot and not message.ephemeral_to
        for message in room.workspace.messages(CHANNEL)
    )


def _audited(room: Newsroom, slug: str) -> list[AuditEntry]:
    with room.store() as store:
        return [entry for entry in store.audit.recent(limit=1000) if entry.subject == slug]


def _crowd(trial: Trial) -> None:
    """One event that thousands of channels want, and people who ask meanwhile; then many events for one channel."""
    crowd, commands = (QUICK_CROWD, QUICK_COMMANDS) if trial.quick else (CROWD, COMMANDS)
    with trial.folder() as folder, newsroom(folder) as room:
        wanted, *burst = slugs(1 + BURST)
        channels = room.channels(crowd)
        room.watch([wanted], [channels])
        room.watch(burst, [(channels[0],)])
        with _over_http(room) as (bot, _, address):
            read(room, [wanted, *burst])
            room.pass_milestone(wanted)
            until(lambda: room.slack.count("chat.postMessage") > 0, 60, "the first post")
            start, secret = time.monotonic(), room.server.signing_secret
            asked = Round(
                address=address, secret=secret, texts=(wanted,), requests=commands, at_once=2, name="in a crowd"
            )
            p99 = percentile(ask(asked), 99)
            under_way = len(room.missing())
            trial.expect(p99 <= P99, f"p99 of {commands} commands meanwhile was {p99 * 1000:.0f} ms")
            room.arrived(crowd / 5 + 60)
            seconds = time.monotonic() - start
            for name in burst:
                room.pass_milestone(name)
            room.arrived()
            room.quiet()
            bot.stop()
        there = room.workspace.messages(channels[0])
        instants = sorted(one.at for one in list(room.slack.asked) if _posts_to(one.fields, channels[0]))
        gaps = [later - earlier for earlier, later in pairwise(instants)]
        trial.expect(all(gap > 0.9 for gap in gaps), f"posts to one channel {min(gaps, default=9):.2f} s apart")
        trial.expect(len(there) < BURST // 2, f"{BURST} alerts at once made {len(there)} messages in a channel")
        lists = len(there) - 1
        trial.note(
            f"{crowd:,} channels told in {seconds:.0f} s; p99 of {commands} commands meanwhile {p99 * 1000:.0f} ms "
            f"({under_way:,} channels waited when they ended); {BURST} alerts for one channel: {lists} messages"
        )
        trial.tried, trial.lost, trial.doubled = crowd + BURST, len(room.missing()), room.doubled()


def _posts_to(fields: object, channel: str) -> bool:
    return isinstance(fields, dict) and fields.get("channel") == channel and "metadata" in fields


def _strangers(trial: Trial) -> None:
    with trial.folder() as folder, newsroom(folder) as room:
        names = slugs(3)
        room.watch(names)
        with _over_http(room, {"LIKEWATCH_EDITORS": DARA}) as (bot, door, _):
            _forged(room, trial, door, names[0])
            _outsider(room, trial, door, names[1])
            bot.stop()
        _hostile_name(room, trial)
        _hostile_hosts(room, trial)


def _forged(room: Newsroom, trial: Trial, door: Door, slug: str) -> None:
    untrack = f"untrack {slug}"
    status, _ = door.knock(untrack, trigger="1.1", user=DARA, secret="0" * 32)
    trial.expect(status == HTTPStatus.UNAUTHORIZED, f"a forged signature was answered {status}")
    for age in (STALE, -STALE):
        status, _ = door.knock(untrack, trigger="1.2", user=DARA, age=age)
        trial.expect(status == HTTPStatus.UNAUTHORIZED, f"a signature {age} s old was answered {status}")
    with room.store() as store:
        trial.expect(store.pages.get(slug), "a request that was not Slack's untracked a page")
    for _ in range(2):  # the very same bytes within five minutes are signed all right
        door.knock(f"mute {slug} 1d", trigger="1.3", user=DARA)
    effects = len(_audited(room, slug))
    trial.expect(effects == 1, f"{effects} effects of a replayed request")
    trial.tried += 4


def _outsider(room: Newsroom, trial: Trial, door: Door, slug: str) -> None:
    _, said = door.knock(f"untrack {slug}", trigger="2.1", user=ANA)
    with room.store() as store:
        trial.expect(store.pages.get(slug), f"somebody who is no editor untracked a page: {said[:200]}")
    until(lambda: any(entry.user_id == ANA for entry in _entries(room)), 10, "the refusal in the audit")
    refusals = [entry.action for entry in _entries(room) if entry.user_id == ANA]
    trial.expect(refusals, "the refusal was not audited")
    _, said = door.knock(f"untrack {slug}", trigger="2.2", user=DARA)
    until(lambda: _is_gone(room, slug), 10, f"an editor's untrack ({said[:200]})")
    trial.tried += 2


def _entries(room: Newsroom) -> list[AuditEntry]:
    with room.store() as store:
        return list(store.audit.recent(limit=100))


def _is_gone(room: Newsroom, slug: str) -> bool:
    with room.store() as store:
        return store.pages.get(slug) is None


def _hostile_name(room: Newsroom, trial: Trial) -> None:
    """A page whose name would ring every bell: tracked, subscribed to, told and asked for."""
    room.show("evilpage", 990_000, number="99990001", name=HOSTILE)
    with living(room.bot()) as bot:
        room.workspace.wait_for_bot()
        room.workspace.say("ana", "newsroom", "/trends track facebook.com/evilpage as evil home KH")
        until(lambda: not _is_gone(room, "evil"), 30, "the page to be tracked")
        room.workspace.say("ana", "newsroom", "/trends subscribe evil milestone")
        until(
            lambda: any(entry.action == "subscribe" and entry.subject == "evil" for entry in _entries(room)), 30, "it"
        )
        until(lambda: any(one.series_state for one in room.latest(["evil"])), 30, "the page's first reading")
        room.show("evilpage", 1_000_100)
        until(lambda: (CHANNEL, milestone_key("evil")) in room.posted(), 60, "the card")
        for question in ("/likes evil", "/likes", "/trends list", "/trends alerts evil"):
            room.workspace.say("ana", "newsroom", question)
        time.sleep(CALM)
        bot.stop()
    for message in room.workspace.messages(CHANNEL):
        if message.by_bot:
            for kind, text in (("mrkdwn", message.text), *_texts(message.blocks)):
                _inert(trial, kind, text)
    trial.expect("Traceback" not in bot.said(), f"a traceback in the log: {bot.said()[-300:]}")
    trial.tried += 1


def _texts(blocks: object) -> Iterator[tuple[str, str]]:
    """The texts in a message's blocks, with their kind."""
    if isinstance(blocks, dict):
        if isinstance(blocks.get("text"), str):
            yield str(blocks.get("type")), blocks["text"]
        for value in blocks.values():
            yield from _texts(value)
    elif isinstance(blocks, list | tuple):
        for value in blocks:
            yield from _texts(value)


def _inert(trial: Trial, kind: str, text: str) -> None:
    """In markup nothing stands that Slack would act on, and nowhere anything that turns or hides letters."""
    for words in (*_UNSEEN, *(_MARKUP if kind == "mrkdwn" else ())):
        trial.expect(words not in text, f"{words!r} stands in {kind}: {text[:100]!r}")


def _hostile_hosts(room: Newsroom, trial: Trial) -> None:
    """Nothing that a person or a platform names leads the bot to an address of this machine."""
    with _trap() as (port, visits), living(room.bot()) as bot:
        room.workspace.wait_for_bot()
        for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", f"0x7f000001:{port}"):
            room.workspace.say("ana", "newsroom", f"/trends track http://{host}/hunsen as trap")
        redirect = Answer(status=302, headers={"Location": f"http://127.0.0.1:{port}/v26.0/"})

        def away(line: Line) -> None:
            line.send(redirect)

        asked = room.facebook.count()
        room.facebook.rule = away
        room.workspace.say("ana", "newsroom", "/trends track facebook.com/elsewhere as elsewhere")
        until(lambda: room.facebook.count() > asked, 30, "a call that is sent on to this machine")
        time.sleep(CALM)
        room.facebook.rule = honest
        trial.expect(not visits, f"it called an address of this machine {len(visits)} times")
        bot.stop()
        _guarded(trial, port, visits)
    trial.tried += 5


def _guarded(trial: Trial, port: int, visits: list[bytes]) -> None:
    """The session of every platform, led astray: no platform asks for a host that others name, but one may some day."""
    astray = (
        ("http://127.0.0.1:9", f"@127.0.0.1:{port}/"),
        ("http://127.0.0.1:9", f"@localhost:{port}/"),
        ("https://127.0.0.1:9", f"@127.0.0.1:{port}/"),
        ("https://127.0.0.1:9", "@127.0.0.1/"),
        ("https://127.0.0.1:9", "@localhost/"),
        ("https://127.0.0.1:9", "@2130706433/"),  # 127.0.0.1 as one number
    )
    for base_url, path in astray:
        with closing(Http({}, base_url)) as http:
            try:
                http.ask("GET", path)
                said = "answered"
            except LikewatchError as error:
                said = str(error)
        trial.expect("is not asked" in said, f"{base_url}{path}: {said}")
        trial.tried += 1
    trial.expect(not visits, f"a platform's session called an address of this machine {len(visits)} times")
    with closing(Http({}, f"http://127.0.0.1:{port}")) as http, suppress(LikewatchError):
        http.ask("GET", "/")  # which the settings name
    trial.expect(len(visits) == 1, f"a session that may call this machine was seen {len(visits)} times: no such trap")


@contextmanager
def _trap() -> Iterator[tuple[int, list[bytes]]]:
    """A listener on this machine that nobody is to call, and what it was told."""
    listener = socket.create_server(("127.0.0.1", 0))
    visits: list[bytes] = []

    def listen() -> None:
        with suppress(OSError):
            while True:
                caller, _ = listener.accept()
                with caller:
                    caller.settimeout(1)
                    visits.append(caller.recv(1000))

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], visits
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


CASES = (
    Case(
        number="29",
        name="a request of Slack's comes twice",
        expected="one effect, one line in the channel; also at once and after a kill -9",
        run=_twice,
    ),
    Case(
        number="30",
        name="10,000 channels want one event",
        expected="commands p99 ≤ 300 ms meanwhile; a channel gets at most one message a second, many events as lists",
        run=_crowd,
        alone=True,
    ),
    Case(
        number="32",
        name="hostile names, forged and stale signatures, hosts of this machine, outsiders",
        expected="refused, audited, never passed on",
        run=_strangers,
    ),
)
