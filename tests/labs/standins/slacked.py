"""The real Bolt app on the local workspace, over the wire: by Socket Mode or over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.clock import Clock, SystemClock
from bot.config.editors import EditorList
from bot.errors import UnknownPage
from bot.http.server import FREE_PORT
from bot.platforms.contract import Profile, Reference
from bot.slack.app import BotApp
from bot.slack.client import slack_client
from bot.slack.dispatch import Dispatcher
from bot.slack.http_server import PATH, SlackServer
from bot.slack.socket_mode import SocketModeClient
from handlers.model import Page
from storage.store import Store
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace

EVERYBODY = EditorList(everybody=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Newsroom:
    """A workspace with the bot in it. ``http`` is where the bot listens, if it does."""

    workspace: InstrumentedWorkspace
    server: InstrumentedServer
    store: Store
    app: BotApp
    clock: Clock
    woken: threading.Event
    http: str = ""

    def track(self, slug: str) -> None:
        """A page to ask about."""
        self.store.pages.add(Page(slug=slug, name=slug.title(), platform="facebook"), None, at=self.clock.now())


def nobody(reference: Reference) -> Profile:
    raise UnknownPage(f"There is no {reference.key} on {reference.platform}.")


@contextmanager
def served(workspace: InstrumentedWorkspace) -> Iterator[InstrumentedServer]:
    server = InstrumentedServer(workspace)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def newsroom(
    folder: Path,
    *,
    over_http: bool = False,
    clock: Clock | None = None,
    look_up: Callable[[Reference], Profile] = nobody,
    editors: EditorList = EVERYBODY,
) -> Iterator[Newsroom]:
    """The bot, connected, with an empty store in ``folder``."""
    clock, woken = clock or SystemClock(), threading.Event()
    with ExitStack() as at_end:
        workspace = InstrumentedWorkspace()
        server = at_end.enter_context(served(workspace))
        store = Store.open(folder / "likewatch.db")
        at_end.callback(store.close)
        app = BotApp(
            Dispatcher(
                client=slack_client(token=server.bot_token, api_url=server.api_url),
                store=store,
                clock=clock,
                look_up=look_up,
                poll_every=timedelta(minutes=15),
                editors=editors,
                wake=woken.set,
            )
        )
        at_end.callback(app.close)
        http = ""
        if over_http:
            listening = SlackServer(app.bolt, signing_secret=server.signing_secret, address=FREE_PORT)
            at_end.callback(listening.stop)
            listening.start()
            http = f"http://{listening.address}{PATH}"
            server.deliver_to(http, server.signing_secret)
        else:
            connection = SocketModeClient(app.bolt, app_token=server.app_token)
            at_end.callback(connection.stop)
            connection.start()
            workspace.wait_for_bot()
        yield Newsroom(workspace=workspace, server=server, store=store, app=app, clock=clock, woken=woken, http=http)
