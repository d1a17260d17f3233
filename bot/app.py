"""The composition root: the only place that builds things and wires them together."""

from __future__ import annotations

import logging
import os
import random
import secrets
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.clock import Clock, SystemClock
from bot.config.settings import Mode, Settings
from bot.errors import ConfigError, LikewatchError
from bot.evidence.recorder import Recorder
from bot.evidence.records import ImportRecord
from bot.evidence.retention import delete_old_replies
from bot.evidence.timestamps import Stamper, roots_in
from bot.http.client import Http
from bot.imports.examples import press_example
from bot.imports.job import run_import
from bot.imports.queue import ImportQueue, import_route
from bot.imports.replay import replay_example
from bot.imports.request import control_file
from bot.monitoring.doctor import SERVING
from bot.monitoring.health import Health, health
from bot.monitoring.heartbeat import Heartbeat, Pulse
from bot.monitoring.metrics import Numbers
from bot.monitoring.outages import PlatformOutages, RecordingOutage
from bot.monitoring.server import LOOPBACK, LocalServer, listen, monitoring_routes
from bot.monitoring.watchdog import Watchdog, notify
from bot.platforms.contract import Profile, Reference
from bot.platforms.registry import platforms
from bot.polling.cycle import Cycle
from bot.polling.fetcher import Source
from bot.polling.scheduler import build_scheduler
from bot.rules.preview import settle_rule_states
from bot.slack.app import BotApp
from bot.slack.client import slack_client
from bot.slack.delivery.deliverer import Deliverer
from bot.slack.delivery.operators_channel import OperatorsChannel
from bot.slack.http_server import SlackServer
from bot.slack.manifest import manifest
from bot.slack.socket_mode import SocketModeClient
from bot.workspace import Workspace, WorkspaceServer
from bot.workspace.server import listen as listen_for_workspace
from handlers.comparisons import all_comparisons
from storage.store import Store

log = logging.getLogger(__name__)

HOT = timedelta(days=2)
"""Readings younger than this stay in arrival order; older ones are folded into the per-page history."""

FOLD_EVERY = timedelta(days=1)

EXAMPLE_CHANNEL = "newsroom"

STOPS_WITHIN = 8.0
"""Seconds from a signal to the end of the process, at most; whoever supervises it waits for ten or more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """What every command of the command line works with."""

    settings: Settings
    clock: Clock
    store: Store
    sources: dict[str, Source]
    recorder: Recorder
    cycle: Cycle


@contextmanager
def open_core(
    settings: Settings, *, wake: Callable[[], None] = lambda: None, clock: Clock | None = None
) -> Iterator[Core]:
    """The store, the connected platforms and the cycle; closed again at the end. By the machine's clock or another."""
    clock = clock or SystemClock()
    with ExitStack() as closing:
        store = Store.open(settings.database)
        closing.callback(store.close)
        settle_rule_states(store, all_comparisons(), clock.now())
        recorder = Recorder(store.evidence, clock, secrets=settings.secrets())
        sources = _connect(settings, recorder)
        for source in sources.values():
            closing.callback(source.http.close)
        cycle = Cycle(
            store=store,
            clock=clock,
            sources=sources,
            recorder=recorder,
            comparisons=all_comparisons(),
            wake=wake,
            chance=random.Random(),  # noqa: S311 (jitter, not cryptography)
        )
        closing.callback(cycle.close)
        yield Core(settings=settings, clock=clock, store=store, sources=sources, recorder=recorder, cycle=cycle)


def run(
    settings: Settings,
    *,
    stop: threading.Event,
    browser: bool,
    say: Callable[[str], None],
    clock: Clock | None = None,
) -> None:
    """Start everything, and stop it in the opposite order once ``stop`` is set."""
    _end_in_time(stop)
    if settings.mode is Mode.WORKSPACE and not settings.database.exists():
        listen_for_workspace(
            settings.workspace.host, settings.workspace.port
        ).close()  # else an empty database would be left behind
    woken = _Wake()
    with open_core(settings, wake=woken, clock=clock) as core, ExitStack() as closing:
        if settings.mode is Mode.WORKSPACE:
            workspace = _open_workspace(core, closing)
            settings_of_slack = (workspace.api_url, workspace.bot_token, workspace.app_token)
        else:
            workspace = None
            settings_of_slack = (settings.slack_api_url, settings.slack_bot_token, settings.slack_app_token)
        api_url, bot_token, app_token = settings_of_slack
        app = BotApp(
            client=slack_client(token=bot_token, api_url=api_url),
            store=core.store,
            clock=core.clock,
            look_up=_Lookup(core),
            poll_every=settings.poll_every,
            editors=settings.editors,
            wake=woken,
        )
        closing.callback(app.close)
        deliverer = Deliverer(
            client=slack_client(token=bot_token, api_url=api_url),
            store=core.store,
            clock=core.clock,
            chance=random.Random(),  # noqa: S311
        )
        woken.call = deliverer.wake
        if workspace and core.store.is_empty():
            _replay_press_figures(core, workspace)
        where = _listen(app, settings, app_token, closing)
        _start(deliverer.run, "deliver", closing, deliverer.wake)
        beat, imports = Heartbeat(core.cycle.run_due, core.clock), ImportQueue()
        monitoring = _serve_locally(core, beat, imports, closing)
        channel = workspace.workspace.channel(EXAMPLE_CHANNEL).id if workspace else settings.operators_channel
        told = OperatorsChannel(slack_client(token=bot_token, api_url=api_url), channel)
        scheduler = build_scheduler(
            run_due=lambda: tick(core, beat, imports),
            look_at_sources=PlatformOutages(core.store, core.clock, title=_title, post=told.tell).check,
            look_at_recording=RecordingOutage(beat.pulse, core.clock, post=told.tell).check,
            fold=lambda: fold_when_due(core),
            now=core.clock.now(),
        )
        if stamper := _stamper(core, closing):
            scheduler.add_job(stamper.stamp_when_due, "interval", minutes=1, id="stamp")
        scheduler.start()
        closing.callback(scheduler.shutdown)
        for source in core.sources.values():
            closing.callback(source.http.close)  # who waits for a platform, waits no longer
        closing.callback(core.cycle.close)  # before the scheduler waits for the cycle under way
        _start(Watchdog(beat.pulse, core.clock).run, "watchdog", closing)
        say(f"Likewatch is running: {where}. Database: {settings.database}. Stop it with Ctrl-C.")
        if workspace:
            say(f"The local workspace is open at {workspace.url}")
            if browser and _has_a_screen():
                webbrowser.open(workspace.url)
        core.store.notes.put(SERVING, workspace.url if workspace else where)
        if monitoring:
            say(monitoring)
        notify("READY=1")
        stop.wait()
        notify("STOPPING=1")
        say("Stopping ...")


def tick(core: Core, beat: Heartbeat, imports: ImportQueue) -> None:
    """Run the imports that wait, then read the pages that are due: the cycle serves one caller at a time.

    An import is no part of the heartbeat: the watchdog must not take a long import for a cycle that hangs.
    """
    imports.run_waiting(lambda job: run_import(job, core.store, core.cycle, core.clock.now()))
    beat.run_due()


def fold_when_due(core: Core) -> None:
    """Once a day, move readings of more than two days ago into the per-page history, and let go of old replies."""
    now = core.clock.now()
    last = core.store.notes.get("folded_at")
    if last is None or now - datetime.fromisoformat(last) >= FOLD_EVERY:
        core.store.compact(now - HOT)
        delete_old_replies(core.store, core.recorder, keep=core.settings.keep_replies, now=now)
        core.store.notes.put("folded_at", now.astimezone(UTC).isoformat())


class _Wake:
    """Passes a wake-up on to the sender, which is built after those that wake it."""

    def __init__(self) -> None:
        self.call: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.call()


class _Lookup:
    """Asks a platform who a reference means."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def __call__(self, reference: Reference) -> Profile:
        source = self._core.sources[reference.platform]
        if source.missing:
            raise LikewatchError(source.missing)
        return source.platform.resolve(source.http, reference, self._core.clock.now())


def _connect(settings: Settings, recorder: Recorder) -> dict[str, Source]:
    return {
        platform.name: Source(
            platform=platform,
            http=Http(settings.platforms, platform.base_url(settings.platforms), record=recorder.of(platform.name)),
            missing=platform.ready(settings.platforms),
        )
        for platform in platforms()
    }


def _stamper(core: Core, closing: ExitStack) -> Stamper | None:
    """Who has the evidence stamped, where an authority is named."""
    settings = core.settings
    if not settings.tsa_url:
        return None
    http = Http({}, settings.tsa_url)
    closing.callback(http.close)
    return Stamper(
        http,
        evidence=core.store.evidence,
        recorder=core.recorder,
        clock=core.clock,
        roots=roots_in(settings.tsa_roots),
    )


def _open_workspace(core: Core, closing: ExitStack) -> WorkspaceServer:
    journal = core.settings.database.with_suffix(".workspace.jsonl")
    address = core.settings.workspace
    workspace = Workspace(clock=core.clock, journal=journal)
    workspace.install(manifest(socket_mode=True))
    server = WorkspaceServer(workspace, address.host, address.port)
    server.start()
    closing.callback(server.stop)
    return server


def _listen(app: BotApp, settings: Settings, app_token: str, closing: ExitStack) -> str:
    """Socket Mode, or HTTP; says which."""
    if settings.mode is Mode.HTTP:
        server = SlackServer(
            app.bolt,
            signing_secret=settings.slack_signing_secret,
            host=settings.http.host,
            port=settings.http.port,
        )
        server.start()
        closing.callback(server.stop)
        return f"{settings.mode.value}, listening on {server.address}"
    socket_mode = SocketModeClient(app.bolt, app_token=app_token)
    socket_mode.start()
    closing.callback(socket_mode.stop)
    return settings.mode.value


def _start(
    run: Callable[[threading.Event], object], name: str, closing: ExitStack, wake: Callable[[], None] = lambda: None
) -> None:
    """Run it in a thread of its own, until the event that it is given is set; ``wake`` makes it look at that."""
    ended = threading.Event()
    thread = threading.Thread(target=run, args=(ended,), name=name)
    thread.start()
    closing.callback(thread.join)
    closing.callback(wake)
    closing.callback(ended.set)


def _serve_locally(core: Core, beat: Heartbeat, imports: ImportQueue, closing: ExitStack) -> str:
    """Serve /healthz, /metrics and imports; return where the first two are, or "" if their address is taken."""

    def look() -> tuple[Health, Pulse, datetime]:
        pulse, now = beat.pulse(), core.clock.now()
        return health(core.store, pulse, now), pulse, now

    sockets, where = [listen(LOOPBACK)], ""
    try:
        sockets.append(listen(core.settings.metrics))
    except ConfigError as error:
        log.warning("%s", error)  # imports need the free port alone
    else:
        address = replace(core.settings.metrics, port=sockets[-1].getsockname()[1])
        where = f"Its health is at http://{address}/healthz, its numbers at http://{address}/metrics"
    token = secrets.token_urlsafe()
    routes = (*monitoring_routes(lambda: look()[0], Numbers(look)), import_route(imports, token))
    server = LocalServer(routes, sockets)
    server.start()
    closing.callback(server.stop)
    closing.callback(imports.close)
    closing.enter_context(control_file(core.settings.database, sockets[0].getsockname()[1], token))
    return where


def _end_in_time(stop: threading.Event) -> None:
    """End the process where it has not ended some seconds after ``stop``: what is unfinished, the database knows.

    A call to Slack, or a name that the system looks up, can take longer than whoever stops us waits.
    """

    def give_up() -> None:
        stop.wait()
        if not threading.Event().wait(STOPS_WITHIN):
            log.warning("Not everything ended in %.0f s; Likewatch ends without it, and nothing is lost", STOPS_WITHIN)
            logging.shutdown()
            os._exit(0)

    threading.Thread(target=give_up, name="end", daemon=True).start()


def _title(platform: str) -> str:
    return next((one.title for one in platforms() if one.name == platform), platform)


def _replay_press_figures(core: Core, workspace: WorkspaceServer) -> None:
    who = slack_client(token=workspace.bot_token, api_url=workspace.api_url).auth_test()
    example, now = press_example(), core.clock.now()
    core.recorder.seal_import(
        example.data,
        lambda body: ImportRecord(
            at=now,
            name=example.name,
            by="likewatch",
            pages={page.slug: page.slug for page in example.pages},
            page=None,
            dates=None,
            body=body,
        ),
    )
    replay_example(
        core.store,
        core.cycle,
        example,
        team_id=str(who["team_id"]),
        channel_id=workspace.workspace.channel(EXAMPLE_CHANNEL).id,
        now=now,
    )


def _has_a_screen() -> bool:
    """Whether a browser window can open; a text browser in the terminal is none."""
    if sys.platform in {"darwin", "win32"}:
        return sys.stdout.isatty()
    return sys.stdout.isatty() and bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
