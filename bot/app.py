"""The composition root: the only place that builds things and wires them together."""

from __future__ import annotations

import gc
import logging
import random
import secrets
import threading
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from socket import socket

from starlette.applications import Starlette
from starlette.routing import Route

from bot.clock import Clock, SystemClock
from bot.config.settings import Mode, Settings
from bot.errors import ConfigError, LikewatchError
from bot.evidence.deletion import delete_old_replies
from bot.evidence.recorder import Recorder
from bot.evidence.timestamps import Stamper, roots_in
from bot.http.client import Http
from bot.http.server import HttpServer, listen
from bot.imports.examples import press_example
from bot.imports.job import ImportJob
from bot.imports.queue import ImportQueue, import_route
from bot.imports.replay import replay_example
from bot.imports.request import control_file
from bot.imports.run import run_import
from bot.monitoring.doctor import SERVING
from bot.monitoring.health import Health, health
from bot.monitoring.heartbeat import Heartbeat, Pulse
from bot.monitoring.metrics import BotMetrics
from bot.monitoring.outages import PlatformOutages, RecordingOutage
from bot.monitoring.routes import monitoring_routes
from bot.monitoring.watchdog import Watchdog, notify
from bot.platforms.contract import Profile, Reference
from bot.platforms.discovery import platforms
from bot.polling.cycle import Cycle
from bot.polling.fetcher import Source
from bot.polling.scheduler import build_scheduler
from bot.rules.preview import settle_rule_states
from bot.slack.app import BotApp
from bot.slack.client import slack_client
from bot.slack.delivery.deliverer import Deliverer
from bot.slack.delivery.notices import OperatorsChannel
from bot.slack.dispatch import Dispatcher
from bot.slack.generated_manifest import manifest
from bot.slack.http_server import SlackServer
from bot.slack.socket_mode import SocketModeClient
from bot.workspace import Workspace, WorkspaceServer
from bot.workspace.server import listen_on_this_computer
from handlers.discovery import all_comparisons
from storage.store import Store

log = logging.getLogger(__name__)

HOT = timedelta(days=2)
"""Readings younger than this stay in the order of arrival; older ones move into the compact history of their page."""

COMPACT_EVERY = timedelta(days=1)

EXAMPLE_CHANNEL = "newsroom"
"""The channel of the local workspace that gets the example's alerts and the operators' messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The parts that every command of the command line works with."""

    settings: Settings
    clock: Clock
    store: Store
    sources: dict[str, Source]
    recorder: Recorder
    cycle: Cycle

    def resolve(self, reference: Reference) -> Profile:
        """Ask the platform which account is meant. Raise ``LikewatchError`` if the platform is not set up."""
        source = self.sources[reference.platform]
        if source.missing:
            raise LikewatchError(source.missing)
        return source.platform.resolve(source.http, reference, self.clock.now())


def collect_rarely() -> None:
    """Let Python's garbage collector run after 100,000 new objects instead of 700, for the whole process.

    A cycle makes that many small values, and none refers to itself. With Python's own thresholds the collector would
    look through the state of all pages dozens of times in a cycle, and take half of the time of deciding and storing.
    """
    gc.set_threshold(100_000, 20, 50)


@contextmanager
def open_core(
    settings: Settings, *, wake: Callable[[], None] = lambda: None, clock: Clock | None = None
) -> Iterator[Core]:
    """Open the store, the platforms and the cycle, and close them at the end of the block.

    ``wake`` is called when a delivery waits. ``clock`` is the machine's clock unless another is given.
    """
    clock = clock or SystemClock()
    collect_rarely()
    values = settings.platforms
    with ExitStack() as closing:
        store = Store.open(settings.database)
        closing.callback(store.close)
        settle_rule_states(store, all_comparisons(), clock.now())
        recorder = Recorder(store.evidence, clock, secrets=settings.secrets())
        sources = {
            platform.name: Source(
                platform=platform,
                http=Http(values, platform.base_url(values), record=recorder.of(platform.name)),
                missing=platform.missing_setting(values),
            )
            for platform in platforms()
        }
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
    """Start everything, and stop everything in the opposite order once ``stop`` is set.

    ``browser``: open the local workspace in the browser. ``say`` gets lines for the terminal.
    """
    mode, workspace, wake = settings.mode, None, _Wake()
    if mode is Mode.WORKSPACE and not settings.database.exists():
        # raises if the port is taken, before an empty database is created
        listen_on_this_computer(settings.workspace).close()
    with open_core(settings, wake=wake, clock=clock) as core, ExitStack() as closing:
        if mode is Mode.WORKSPACE:
            workspace = _open_workspace(core, closing)
            settings = _with_slack_of(workspace, settings)
        new_client = partial(slack_client, token=settings.slack_bot_token, api_url=settings.slack_api_url)
        app = BotApp(
            Dispatcher(
                client=new_client(),
                store=core.store,
                clock=core.clock,
                look_up=core.resolve,
                poll_every=settings.poll_every,
                editors=settings.editors,
                wake=wake,
            )
        )
        closing.callback(app.close)
        deliverer = Deliverer(
            client=new_client(),
            store=core.store,
            clock=core.clock,
            chance=random.Random(),  # noqa: S311 (jitter)
        )
        wake.call = deliverer.wake
        if workspace and core.store.is_empty():
            team_id = str(new_client().auth_test()["team_id"])
            _replay_press_figures(core, team_id=team_id, channel_id=settings.operators_channel)
        where = _listen(app, settings, mode, closing)
        _start_thread(deliverer.run, "deliver", closing, deliverer.wake)
        heartbeat, imports = Heartbeat(core.cycle.run_due, core.clock), ImportQueue()
        monitoring = _serve_locally(core, heartbeat, imports, closing)
        _start_scheduler(core, heartbeat, imports, OperatorsChannel(new_client(), settings.operators_channel), closing)
        _start_thread(Watchdog(heartbeat.pulse, core.clock).run, "watchdog", closing)
        say(f"Likewatch is running: {where}. Database: {settings.database}. Stop it with Ctrl-C.")
        if workspace:
            say(f"The local workspace is open at {workspace.url}")
            if browser:
                webbrowser.open(workspace.url)
        core.store.notes.put(SERVING, workspace.url if workspace else where)
        if monitoring:
            say(monitoring)
        notify("READY=1")
        stop.wait()
        notify("STOPPING=1")
        say("Stopping ...")


def compact_when_due(core: Core) -> None:
    """Once a day, move readings of more than two days ago into the compact history, and delete old replies."""
    now = core.clock.now()
    last = core.store.notes.get("folded_at")
    if last is None or now - datetime.fromisoformat(last) >= COMPACT_EVERY:
        core.store.compact(now - HOT)
        delete_old_replies(core.store, core.recorder, keep=core.settings.keep_replies, now=now)
        core.store.notes.put("folded_at", now.astimezone(UTC).isoformat())


class _Wake:
    """Pass a wake-up on to the deliverer, which is built after the parts that wake it."""

    def __init__(self) -> None:
        self.call: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.call()


def _open_workspace(core: Core, closing: ExitStack) -> WorkspaceServer:
    journal = core.settings.database.with_suffix(".workspace.jsonl")
    workspace = Workspace(clock=core.clock, journal=journal)
    workspace.install(manifest(socket_mode=True))
    server = WorkspaceServer(workspace, core.settings.workspace)
    server.start()
    closing.callback(server.stop)
    return server


def _with_slack_of(server: WorkspaceServer, settings: Settings) -> Settings:
    """Return ``settings`` with the local workspace in the place of Slack."""
    return settings.model_copy(
        update={
            "slack_api_url": server.api_url,
            "slack_bot_token": server.bot_token,
            "slack_app_token": server.app_token,
            "operators_channel": server.workspace.channel(EXAMPLE_CHANNEL).id,
        }
    )


def _listen(app: BotApp, settings: Settings, mode: Mode, closing: ExitStack) -> str:
    """Start listening to Slack, over HTTP or in Socket Mode. Return which."""
    if mode is Mode.HTTP:
        server = SlackServer(app.bolt, signing_secret=settings.slack_signing_secret, address=settings.http)
        server.start()
        closing.callback(server.stop)
        return f"{mode.value}, listening on {server.address}"
    socket_mode = SocketModeClient(app.bolt, app_token=settings.slack_app_token)
    socket_mode.start()
    closing.callback(socket_mode.stop)
    return mode.value


def _start_scheduler(
    core: Core, heartbeat: Heartbeat, imports: ImportQueue, operators: OperatorsChannel, closing: ExitStack
) -> None:
    titles = {platform.name: platform.title for platform in platforms()}
    outages = PlatformOutages(core.store, core.clock, title=lambda name: titles.get(name, name), post=operators.post)
    recording = RecordingOutage(heartbeat.pulse, core.clock, post=operators.post)

    def run_due() -> None:
        # The cycle serves one caller at a time. An import is no part of the heartbeat, because the watchdog must not
        # take a long import for a cycle that hangs.
        imports.run_waiting(lambda job: run_import(job, core.store, core.cycle, core.clock.now()))
        heartbeat.run_due()

    scheduler = build_scheduler(
        run_due=run_due,
        look_at_sources=outages.check,
        look_at_recording=recording.check,
        fold=lambda: compact_when_due(core),
        now=core.clock.now(),
    )
    if core.settings.tsa_url:
        authority = Http({}, core.settings.tsa_url)
        closing.callback(authority.close)
        stamper = Stamper(
            authority,
            evidence=core.store.evidence,
            recorder=core.recorder,
            clock=core.clock,
            roots=roots_in(core.settings.tsa_roots),
        )
        scheduler.add_job(stamper.stamp_when_due, "interval", minutes=1, id="stamp")
    scheduler.start()
    # closed in the opposite order: first the calls and the cycle that the scheduler would wait for
    closing.callback(scheduler.shutdown)
    for source in core.sources.values():
        closing.callback(source.http.close)
    closing.callback(core.cycle.close)


def _start_thread(
    run: Callable[[threading.Event], object], name: str, closing: ExitStack, wake: Callable[[], None] = lambda: None
) -> None:
    """Run a function in a thread of its own until its event is set. ``wake`` makes the function check the event."""
    ended = threading.Event()
    thread = threading.Thread(target=run, args=(ended,), name=name)
    thread.start()
    closing.callback(thread.join)
    closing.callback(wake)
    closing.callback(ended.set)


def _serve_locally(core: Core, heartbeat: Heartbeat, imports: ImportQueue, closing: ExitStack) -> str:
    """Serve /healthz, /metrics and imports; return where the first two are, or "" if their address is taken."""

    def look() -> tuple[Health, Pulse, datetime]:
        pulse, now = heartbeat.pulse(), core.clock.now()
        return health(core.store, pulse, now), pulse, now

    where = ""
    try:
        listening = listen(core.settings.metrics, "LIKEWATCH_METRICS")
    except ConfigError as error:
        log.warning("/healthz and /metrics are not served. %s", error)
    else:
        address = replace(core.settings.metrics, port=listening.getsockname()[1])
        where = f"Its health is at http://{address}/healthz, its numbers at http://{address}/metrics"
        _serve(monitoring_routes(lambda: look()[0], BotMetrics(look)), listening, closing)
    listening, token = listen(), secrets.token_urlsafe()  # not at LIKEWATCH_METRICS, which other computers may reach
    _serve([import_route(imports, token)], listening, closing)
    closing.callback(imports.close)
    closing.enter_context(control_file(core.settings.database, listening.getsockname()[1], token))
    return where


def _serve(routes: Sequence[Route], listening: socket, closing: ExitStack) -> None:
    server = HttpServer(Starlette(routes=routes), name="local-http")
    server.start(listening)
    closing.callback(server.stop)


def _replay_press_figures(core: Core, *, team_id: str, channel_id: str) -> None:
    example, now = press_example(), core.clock.now()
    job = ImportJob(name=example.name, data=example.data, by="likewatch")
    slugs = {page.slug: page.slug for page in example.pages}
    core.recorder.seal_import(job.data, lambda body: job.record(slugs, now, body))
    replay_example(core.store, core.cycle, example, team_id=team_id, channel_id=channel_id, now=now)
