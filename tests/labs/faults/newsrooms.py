"""A newsroom on loopback: a Slack and a Facebook behind wires, a database, and an account of what must arrive."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.workspace import Message
from bot.workspace.model import TEAM_ID, Channel
from handlers.model import Account, Page
from storage.schema.sqlite import sqlite3
from storage.store import Store
from storage.values import PageSnapshot, Subscription, Target
from tests.labs.faults.bots import Bot, until
from tests.labs.faults.wire import Wire, wired
from tests.labs.standins.graph import Graph, GraphPage
from tests.labs.standins.instrumented_workspace import InstrumentedServer, InstrumentedWorkspace
from tests.labs.standins.loopback import serving

TOKEN, SECRET = "TOKEN", "SECRET"
ANA = "U0ANA00001"
SECOND = timedelta(seconds=1)
BELOW, ABOVE = 990_000, 1_000_100
MILESTONE = 1_000_000
MOST_IN_A_TRANSACTION = 10_000


class Newsroom:
    """The world of one case. ``owed`` are (channel, alert key) pairs that must arrive, each once."""

    def __init__(self, folder: Path, workspace: InstrumentedServer, slack: Wire, graph: Graph, facebook: Wire) -> None:
        self.folder = folder
        self.database = folder / "likewatch.db"
        self.server = workspace
        self.workspace: InstrumentedWorkspace = workspace.workspace
        self.slack = slack
        self.graph = graph
        self.facebook = facebook
        self.owed: set[tuple[str, str]] = set()
        self.settings: dict[str, str] = {
            "SLACK_API_URL": f"{slack.url}/api/",
            "SLACK_BOT_TOKEN": workspace.bot_token,
            "SLACK_APP_TOKEN": workspace.app_token,
            "FACEBOOK_API_URL": facebook.url,
            "FACEBOOK_ACCESS_TOKEN": TOKEN,
            "FACEBOOK_APP_SECRET": SECRET,
            "LIKEWATCH_DATABASE": str(self.database),
            "LIKEWATCH_POLL_EVERY": "1s",
            "LIKEWATCH_METRICS": "127.0.0.1:0",
            "LIKEWATCH_EDITORS": "everybody",
        }
        self._pages: dict[str, GraphPage] = {}
        self._channels_of: dict[str, tuple[str, ...]] = {}

    def move_to(self, folder: Path) -> None:
        """The database is to lie in another folder."""
        self.database = folder / "likewatch.db"
        self.settings["LIKEWATCH_DATABASE"] = str(self.database)

    def channels(self, number: int) -> list[str]:
        """So many further channels with the bot in them, by id."""
        made = [f"C{n:09}" for n in range(number)]
        for channel_id in made:
            self.workspace.channels[channel_id] = Channel(id=channel_id, name=f"desk-{channel_id[1:].lstrip('0') or 0}")
            self.workspace.set_membership(self.workspace.channels[channel_id], member=True)
        return made

    def watch(
        self,
        slugs: Iterable[str],
        channels: Sequence[Sequence[str]] = (),
        *,
        every: timedelta = SECOND,
        features: tuple[str, ...] = ("milestone",),
        group: str | None = None,
        count: int = BELOW,
    ) -> None:
        """Pages that stand below a milestone; the n-th is subscribed to by the n-th of ``channels`` (each several)."""
        now = datetime.now(UTC)
        with closing(Store.open(self.database)) as store, store.write():
            for n, slug in enumerate(slugs):
                number = str(100_000_000_000 + len(self._pages))
                url = f"https://www.facebook.com/{slug}"
                groups = () if group is None else (group,)
                page = Page(slug=slug, name=slug.title(), platform="facebook", url=url, home="KH", groups=groups)
                account = Account(
                    page=slug, platform="facebook", native_id=number, handle=slug, url=url, poll_every=every
                )
                store.pages.add(page, account, at=now)
                self.show(slug, count + n, number=number)
                self._channels_of[slug] = tuple(channels[n % len(channels)]) if channels else ()
                for channel_id in self._channels_of[slug]:
                    store.subscriptions.put(subscription(channel_id, slug, features=features, at=now))

    def show(self, slug: str, count: object, *, number: str = "", name: str = "") -> None:
        """From now on the page has this count."""
        known = self._pages.get(slug)
        page = GraphPage(
            id=number or (known.id if known else ""),
            username=slug,
            name=name or (known.name if known else slug.title()),
            fan_count=count,
        )
        self._pages[slug] = page
        self.graph.put(page)

    def count_of(self, slug: str) -> int:
        count = self._pages[slug].fan_count
        assert isinstance(count, int)
        return count

    def number_of(self, slug: str) -> str:
        return self._pages[slug].id

    def grow(self) -> None:
        """Every page gains one."""
        for slug, page in list(self._pages.items()):
            if isinstance(page.fan_count, int):
                self.show(slug, page.fan_count + 1)

    def channels_of(self, slug: str) -> tuple[str, ...]:
        """The channels that want this page's alerts."""
        return self._channels_of[slug]

    def slug_of(self, message: Message) -> str:
        """The page whose milestone a message tells; empty for another message."""
        return next((key.split(":")[1] for key in keys_of(message)), "")

    def pass_milestone(self, slug: str) -> None:
        """The page passes 1,000,000: every channel that wants it is owed one card."""
        self.show(slug, ABOVE)
        self.owed |= {(channel_id, milestone_key(slug)) for channel_id in self._channels_of[slug]}

    def bot(
        self,
        *,
        command: Sequence[str] | None = None,
        under: Sequence[str] = (),
        settings: Mapping[str, str] | None = None,
        file_size: int | None = None,
    ) -> Bot:
        """A bot, just started."""
        more = {} if command is None else {"command": command}
        return Bot(self.folder, {**self.settings, **(settings or {})}, under=under, file_size=file_size, **more)

    def polls(self, bot: Bot, *, least: int = 2, seconds: float = 30.0) -> None:
        """Wait until the bot has asked Facebook so many times more; ``least`` 2 means one poll surely is settled."""
        before = self.facebook.count()
        until(lambda: self.facebook.count() >= before + least or not bot.running, seconds, f"{least} further polls")

    def posted(self) -> Counter[tuple[str, str]]:
        """How often each alert stands in each channel."""
        with self.workspace.lock:
            messages = self.workspace.store.everything()
        return Counter((message.channel_id, key) for message in messages for key in keys_of(message))

    def missing(self) -> set[tuple[str, str]]:
        return self.owed - self.posted().keys()

    def arrived(self, seconds: float = 90.0) -> None:
        """Wait until everything owed has arrived."""
        until(lambda: not self.missing(), seconds, "everything that is owed")

    def quiet(self, seconds: float = 90.0) -> None:
        """Wait until nothing waits in the outbox any more."""
        until(lambda: self._depth() == 0, seconds, "an empty outbox")

    def doubled(self) -> int:
        return sum(times - 1 for times in self.posted().values())

    @property
    def copied(self) -> Path:
        """Where the copy of the database lies that ``damage`` looked at."""
        return self.folder / "copy" / self.database.name

    def _copy(self) -> None:
        """Copy the database as a kill left it, with its log: looking into it there would bring it in order."""
        place = self.copied.parent
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for suffix in ("", "-wal"):
            if (source := self.database.with_name(self.database.name + suffix)).exists():
                shutil.copy(source, place / source.name)

    def damage(self) -> str:
        """What SQLite's own checks find in what lies on the disk now; empty if nothing."""
        self._copy()
        with closing(sqlite3.connect(self.copied)) as db:
            whole = [row[0] for row in db.execute("PRAGMA integrity_check")]
            foreign = db.execute("PRAGMA foreign_key_check").fetchall()
        return "" if whole == ["ok"] and not foreign else f"{whole[:3]} {foreign[:3]}"

    @contextmanager
    def store(self) -> Iterator[Store]:
        """What the running bot has committed."""
        store = Store.open_reader(self.database)
        try:
            yield store
        finally:
            store.close()

    def latest(self, slugs: Sequence[str]) -> tuple[PageSnapshot, ...]:
        """The pages as they are stored now."""
        with self.store() as store:
            return store.readings.page_snapshots(slugs)

    def is_read(self, *slugs: str) -> bool:
        """Whether the newest counts stored are the pages' present ones."""
        return all(
            latest.series_state is not None
            and latest.series_state.last.count == self._pages[latest.page.slug].fan_count
            for latest in self.latest(slugs)
        )

    def _depth(self) -> int:
        with self.store() as store:
            depth = store.outbox.counts_by_state()
        return depth["pending"] + depth["sending"]


def subscription(channel_id: str, slug: str, *, features: tuple[str, ...], at: datetime) -> Subscription:
    return Subscription(
        team_id=TEAM_ID, channel_id=channel_id, target=Target.PAGE, slug=slug, features=features, by=ANA, at=at
    )


def milestone_key(slug: str) -> str:
    return f"milestone:{slug}:followers:{MILESTONE}"


def keys_of(message: Message) -> list[str]:
    """The alerts that a message of the bot's carries."""
    payload = (message.metadata or {}).get("event_payload", {})
    return [carried["key"] for carried in payload.get("alerts", [payload]) if "key" in carried]


@contextmanager
def newsroom(folder: Path) -> Iterator[Newsroom]:
    """A newsroom without a bot."""
    with ExitStack() as at_end:
        server = InstrumentedServer()
        server.start()
        at_end.callback(server.stop)
        slack = at_end.enter_context(wired(server.url.rstrip("/")))
        graph = Graph(token=TOKEN, app_secret=SECRET)
        facebook = at_end.enter_context(wired(at_end.enter_context(serving(graph))))
        yield Newsroom(folder, server, slack, graph, facebook)


@contextmanager
def living(bot: Bot) -> Iterator[Bot]:
    """The bot, started; killed at the end if nobody ended it."""
    try:
        yield bot.started()
    finally:
        bot.kill()
