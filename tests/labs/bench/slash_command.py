"""(b) ``/likes hunsen`` over HTTP against a do-nothing Bolt listener on the same server, with years of readings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import NoReturn

from slack_bolt import Ack, App

from bot.clock import SystemClock
from bot.config.editors import EditorList
from bot.http.server import FREE_PORT
from bot.platforms.contract import Reference
from bot.slack.app import BotApp
from bot.slack.client import slack_client
from bot.slack.dispatch import Dispatcher
from bot.slack.http_server import SlackServer
from bot.workspace import Workspace, WorkspaceServer
from storage.store import Store
from tests.labs.bench.asking import Round, ask
from tests.labs.bench.history import ASKED, OTHERS, fill
from tests.labs.bench.report import Result, Verdict, milliseconds, percentile

HOURS, QUICK_HOURS = 2_000, 200
REQUESTS = {1: 500, 8: 2_000, 32: 4_000}
"""How many are asked in a round, by how many at once."""

ROUNDS, QUICK_ROUNDS = 7, 3

ASKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "ack": ("ack", (ASKED,)),
    "/likes": ("likes", (ASKED,)),
    "others": ("likes", OTHERS),
}
"""Whom they ask, and for which pages: "others" is a page that nobody has asked for lately, every time."""

TARGETS = {"/likes": 2.0, "others": None}
SIGNING_SECRET = "0123456789abcdef"


def run(folder: Path, *, quick: bool) -> Result:
    database = folder / "likewatch.db"
    readings = fill(database, hours=QUICK_HOURS if quick else HOURS)
    with ExitStack() as closing:
        workspace = WorkspaceServer(Workspace())
        workspace.start()
        closing.callback(workspace.stop)
        addresses = {
            "ack": closing.enter_context(_serving(workspace, None)),
            "likes": closing.enter_context(_serving(workspace, database)),
        }
        result = _measure(addresses, SIGNING_SECRET, QUICK_ROUNDS if quick else ROUNDS)
    size = database.stat().st_size / 1e9
    return Result(
        name="b",
        title=f"`/likes {ASKED}` over HTTP, {readings:,} readings stored ({size:.1f} GB)",
        rows=result[0],
        verdicts=result[1],
        notes=("median over the rounds, both servers in turn, of each round's p50 and p99",),
    )


def _measure(addresses: dict[str, str], secret: str, rounds: int) -> tuple[list[tuple[str, ...]], list[Verdict]]:
    rows: list[tuple[str, ...]] = [("at once", *(f"{name} {what}" for name in ASKS for what in ("p50, ms", "p99")))]
    verdicts = []
    for at_once, requests in REQUESTS.items():
        seconds: dict[str, list[list[float]]] = {name: [] for name in ASKS}
        for number in range(rounds + 1):
            for name, (app, texts) in ASKS.items():
                asked = Round(
                    address=addresses[app],
                    secret=secret,
                    texts=texts,
                    requests=requests,
                    at_once=at_once,
                    name=f"{name}.{at_once}.{number}",
                )
                seconds[name].append(ask(asked))
        p50, p99 = (
            {name: median(percentile(one, percent) for one in all_of_it[1:]) for name, all_of_it in seconds.items()}
            for percent in (50, 99)
        )
        rows.append((str(at_once), *(milliseconds(one[name]) for name in ASKS for one in (p50, p99))))
        for name, target in TARGETS.items():
            what = f"p99 of {name} / ack, {at_once} at once"
            verdicts.append(Verdict(what=what, value=p99[name] / p99["ack"], target=target))
    return rows, verdicts


@contextmanager
def _serving(workspace: WorkspaceServer, database: Path | None) -> Iterator[str]:
    """The bot with this database, or without one the do-nothing app, in a process of its own; gives its address."""
    here, there = get_context("spawn").Pipe()
    slack = (workspace.api_url, workspace.bot_token, SIGNING_SECRET)
    process = get_context("spawn").Process(target=_serve, args=(there, slack, database), name="slack")
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        here.close()
        process.join()


def _serve(pipe: Connection, slack: tuple[str, str, str], database: Path | None) -> None:
    api_url, token, secret = slack
    with ExitStack() as closing:
        client = slack_client(token=token, api_url=api_url)
        if database:
            store = Store.open(database)
            closing.callback(store.close)
            app = BotApp(
                Dispatcher(
                    client=client,
                    store=store,
                    clock=SystemClock(),
                    look_up=_nobody,
                    poll_every=timedelta(minutes=15),
                    editors=EditorList(everybody=True),
                )
            )
            closing.callback(app.close)
            bolt = app.bolt
        else:
            bolt = App(client=client, process_before_response=True, request_verification_enabled=False)
            bolt.command("/likes")(_ack)
        server = SlackServer(bolt, signing_secret=secret, address=FREE_PORT)
        closing.callback(server.stop)
        server.start()
        pipe.send(str(server.address))
        try:
            pipe.recv()
        except EOFError:
            return


def _ack(ack: Ack) -> None:
    ack()


def _nobody(reference: Reference) -> NoReturn:
    raise AssertionError(f"/likes asked a platform for {reference.key}")
